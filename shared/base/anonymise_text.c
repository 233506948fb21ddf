#include "base/anonymise_text.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"

/* ---- reading ---- */

static int hex_of(const char *p)
{
    int value = 0;

    for (int i = 0; i < 4; i++) {
        int c = (unsigned char)p[i];
        int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;

        value = value << 4 | digit;
    }
    return value;
}

static enum sign_style style_of(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] >= 'A' && p[i] <= 'F')
            return SIGN_UPPER;
    return SIGN_LOWER; /* as PHP writes letters */
}

/* An escape at p, inside a string that was found sound. Gives its size. */
static size_t read_escape(const char *p, size_t left, struct sign *ret)
{
    static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";

    if (p[1] != 'u') {
        const char *at = strchr(names, p[1]);
        *ret = (struct sign){ at ? (uint8_t)meant[at - names] : (uint8_t)p[1], SIGN_SHORT, false };
        return 2;
    }
    uint32_t code = (uint32_t)hex_of(p + 2);
    size_t n = 6;
    if (code >= 0xD800 && code < 0xDC00 && left >= 12 && p[6] == '\\' && p[7] == 'u') {
        uint32_t low = (uint32_t)hex_of(p + 8);
        if (low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            n = 12;
        }
    }
    *ret = (struct sign){ code, (uint8_t)style_of(p + 2, n - 2), false };
    return n;
}

static uint32_t decode(const char *p, size_t n)
{
    static const unsigned char mask[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
    uint32_t code = (unsigned char)p[0] & mask[n];

    for (size_t i = 1; i < n; i++)
        code = code << 6 | ((unsigned char)p[i] & 0x3F);
    return code;
}

static size_t read_sign(const char *p, size_t left, bool escapes, struct sign *ret)
{
    if (escapes && *p == '\\' && left >= 2)
        return read_escape(p, left, ret);
    size_t n = utf8_step(p, left);
    if (n == 0) {
        *ret = (struct sign){ 0xFF, SIGN_BAD, false }; /* it may be a letter of another encoding */
        return 1;
    }
    *ret = (struct sign){ decode(p, n), SIGN_RAW, false };
    return n;
}

void signs_read(struct signs *ret, struct str raw, bool escapes)
{
    *ret = (struct signs){ xmalloc((raw.n + 1) * sizeof(*ret->list)), 0 };
    for (size_t at = 0; at < raw.n;)
        at += read_sign(raw.p + at, raw.n - at, escapes, &ret->list[ret->n++]);
}

void signs_fini(struct signs *s)
{
    free(s->list);
    *s = (struct signs){ NULL, 0 };
}

bool signs_text(const struct signs *s, char *ret, size_t size)
{
    char *p = ret;

    for (size_t i = 0; i < s->n; i++) {
        const struct sign *c = &s->list[i];

        if (c->code == 0 || c->style == SIGN_BAD || (c->code >= 0xD800 && c->code < 0xE000))
            return false;
        if ((size_t)(p - ret) + 5 > size)
            return false;
        p = utf8_put(p, c->code);
    }
    *p = '\0';
    return true;
}

void signs_seed(const struct signs *s, const uint8_t key[static ANON_KEY_BYTES], uint8_t ret[static 32])
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, key, ANON_KEY_BYTES, 32);
    for (size_t i = 0; i < s->n; i++) {
        uint32_t code = s->list[i].code;
        const uint8_t bytes[] = { (uint8_t)code, (uint8_t)(code >> 8), (uint8_t)(code >> 16) };

        crypto_generichash_update(&state, bytes, sizeof(bytes));
    }
    crypto_generichash_final(&state, ret, 32);
}

/* ---- writing ---- */

static void write_hex(struct buf *out, uint32_t unit, enum sign_style style)
{
    buf_fmt(out, style == SIGN_UPPER ? "\\u%04X" : "\\u%04x", (unsigned)unit);
}

static void write_short(struct buf *out, uint32_t code)
{
    static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const char *at = memchr(meant, (int)code, sizeof(meant) - 1);

    buf_char(out, '\\');
    buf_char(out, at ? names[at - meant] : (char)code);
}

void signs_write(const struct signs *s, struct buf *out)
{
    char room[4];

    for (size_t i = 0; i < s->n; i++) {
        const struct sign *c = &s->list[i];

        switch (c->style) {
        case SIGN_BAD:
            buf_char(out, '\xFF');
            break;
        case SIGN_SHORT:
            write_short(out, c->code);
            break;
        case SIGN_RAW:
            buf_add(out, room, (size_t)(utf8_put(room, c->code) - room));
            break;
        default:
            if (c->code >= 0x10000) {
                write_hex(out, 0xD800 + ((c->code - 0x10000) >> 10), c->style);
                write_hex(out, 0xDC00 + ((c->code - 0x10000) & 0x3FF), c->style);
            } else {
                write_hex(out, c->code, c->style);
            }
        }
    }
}
