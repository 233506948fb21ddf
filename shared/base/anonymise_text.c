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

/* ---- what is form ---- */

static bool is_letter(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

/* The ASCII word of letters and digits at `at`, in lower case; its size, 0 when it is none or too long. */
static size_t word_at(const struct signs *s, size_t at, char ret[static 16])
{
    size_t n = 0;

    while (at + n < s->n && (is_letter(s->list[at + n].code) || is_digit(s->list[at + n].code))) {
        if (n == 15)
            return 0;
        ret[n] = (char)s->list[at + n].code;
        if (is_letter(s->list[at + n].code))
            ret[n] = (char)(ret[n] | 0x20);
        n++;
    }
    ret[n] = '\0';
    return n;
}

static bool is_listed(const char *word, const char *list)
{
    const size_t n = strlen(word);

    for (const char *p = list; (p = strstr(p, word)) != NULL; p += n)
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
            return true;
    return false;
}

static bool code_at(const struct signs *s, size_t at, uint32_t code)
{
    return at < s->n && s->list[at].code == code;
}

static void keep(struct signs *s, size_t at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        s->list[at + i].keep = true;
}

#define ATTRIBUTES_SIGNS_MAX 4096

/* Names of attributes up to the end of the tag; their values are content. */
static void mark_attributes(struct signs *s, size_t at)
{
    const size_t most = at + ATTRIBUTES_SIGNS_MAX;
    char word[16];

    while (at < s->n && at < most && s->list[at].code != '>' && s->list[at].code != '<') {
        size_t n = word_at(s, at, word);
        if (n > 0 && code_at(s, at + n, '=') &&
            is_listed(word, "href src style class target width height alt title"))
            keep(s, at, n);
        at += n > 0 ? n : 1;
    }
}

static void mark_tag(struct signs *s, size_t at)
{
    static const char tags[] =
        "a b i u s p br hr div span ul ol li table thead tbody tr td th strong em img font "
        "h1 h2 h3 h4 h5 h6 blockquote pre code html head body title meta center";
    char word[16];

    at += code_at(s, at, '/');
    size_t n = word_at(s, at, word);
    if (n == 0 || !is_listed(word, tags))
        return;
    if (code_at(s, at + n, '>') || code_at(s, at + n, '/') || code_at(s, at + n, ' ')) {
        keep(s, at, n);
        mark_attributes(s, at + n);
    }
}

static void mark_bbcode(struct signs *s, size_t at)
{
    char word[16];

    at += code_at(s, at, '/');
    size_t n = word_at(s, at, word);
    if (n > 0 && (code_at(s, at + n, ']') || code_at(s, at + n, '=')) &&
        is_listed(word,
            "b i u s p url user list quote code img color size font table tr td th br left right center"))
        keep(s, at, n);
}

static void mark_entity(struct signs *s, size_t at)
{
    char word[16];
    bool numeric = code_at(s, at, '#');
    size_t n = word_at(s, at + numeric, word);

    if (n > 0 && code_at(s, at + numeric + n, ';') &&
        is_listed(word, numeric
                            ? "039 39 34 38 60 62 160"
                            : "amp lt gt quot apos nbsp laquo raquo mdash ndash hellip copy reg bull rub"))
        keep(s, at + numeric, n);
}

/* The scheme before the colon at `at`. */
static void mark_scheme(struct signs *s, size_t at)
{
    char word[16];
    size_t from = at;

    while (from > 0 && at - from < 8 && is_letter(s->list[from - 1].code))
        from--;
    size_t n = word_at(s, from, word);
    if (n > 0 && from + n == at && is_listed(word, "http https mailto tel ftp"))
        keep(s, from, n);
}

/* "1200.50|RUB": what a money field holds. */
static void mark_currency(struct signs *s)
{
    size_t at = 0;

    at += code_at(s, 0, '-');
    while (at < s->n && (is_digit(s->list[at].code) || s->list[at].code == '.'))
        at++;
    if (at + 4 != s->n || !code_at(s, at, '|'))
        return;
    for (size_t i = at + 1; i < s->n; i++)
        if (s->list[i].code < 'A' || s->list[i].code > 'Z')
            return;
    keep(s, at + 1, 3);
}

void signs_mark(struct signs *s)
{
    mark_currency(s);
    for (size_t i = 0; i < s->n; i++) {
        switch (s->list[i].code) {
        case '<':
            mark_tag(s, i + 1);
            break;
        case '[':
            mark_bbcode(s, i + 1);
            break;
        case '&':
            mark_entity(s, i + 1);
            break;
        case ':':
            mark_scheme(s, i);
            break;
        default:
            break;
        }
    }
}

/* ---- replacing ---- */

/* Signs of one kind: first, first + step, ..., last. What is in none of them and not kept becomes a letter
 * that takes as many bytes. */
static const struct alphabet {
    uint32_t first, last, step;
} alphabets[] = {
    { 'A', 'Z', 1 },
    { 'a', 'z', 1 },
    { 0xC0, 0xD6, 1 },
    { 0xD8, 0xDE, 1 },
    { 0xDF, 0xF6, 1 },
    { 0xF8, 0xFF, 1 },
    { 0x100, 0x136, 2 },
    { 0x101, 0x137, 2 },
    { 0x139, 0x147, 2 },
    { 0x13A, 0x148, 2 },
    { 0x14A, 0x176, 2 },
    { 0x14B, 0x177, 2 },
    { 0x179, 0x17D, 2 },
    { 0x17A, 0x17E, 2 },
    { 0x180, 0x24F, 1 },
    { 0x391, 0x3A1, 1 },
    { 0x3A3, 0x3A9, 1 },
    { 0x3B1, 0x3C9, 1 },
    { 0x410, 0x42F, 1 },
    { 0x430, 0x44F, 1 },
    { 0x400, 0x40F, 1 },
    { 0x450, 0x45F, 1 },
    { 0x460, 0x480, 2 },
    { 0x461, 0x481, 2 },
    { 0x48A, 0x4BE, 2 },
    { 0x48B, 0x4BF, 2 },
    { 0x4D0, 0x52E, 2 },
    { 0x4D1, 0x52F, 2 },
    { 0x531, 0x556, 1 },
    { 0x561, 0x586, 1 },
    { 0x5D0, 0x5EA, 1 },
    { 0x621, 0x63A, 1 },
    { 0x641, 0x64A, 1 },
    { 0x660, 0x669, 1 },
    { 0x905, 0x939, 1 },
    { 0xE01, 0xE2E, 1 },
    { 0x10D0, 0x10F0, 1 },
    { 0x3041, 0x3096, 1 },
    { 0x30A1, 0x30FA, 1 },
    { 0x4E00, 0x9FA5, 1 },
    { 0xAC00, 0xD7A3, 1 },
    { 0xFF10, 0xFF19, 1 },
    { 0xFF21, 0xFF3A, 1 },
    { 0xFF41, 0xFF5A, 1 },
    { 0x1F1E6, 0x1F1FF, 1 },
};

/* Beyond ASCII: signs that say nothing of anybody. */
static const struct {
    uint32_t first, last;
} kept[] = {
    { 0x80, 0xA9 },
    { 0xAB, 0xB4 },
    { 0xB6, 0xB9 },
    { 0xBB, 0xBF },
    { 0xD7, 0xD7 },
    { 0xF7, 0xF7 },
    { 0x300, 0x36F },
    { 0x2000, 0x206F },
    { 0x20A0, 0x20CF },
    { 0x2116, 0x2116 },
    { 0x2122, 0x2122 },
    { 0x2190, 0x23FF },
    { 0x2500, 0x2BFF },
    { 0x3000, 0x3020 },
    { 0xD800, 0xDFFF },
    { 0xFE00, 0xFE0F },
    { 0xFEFF, 0xFEFF },
    { 0xFFFD, 0xFFFD },
    { 0x1F300, 0x1FAFF },
};

static bool is_kept(uint32_t c)
{
    if (c < 0x80)
        return !is_letter(c) && !is_digit(c);
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
        if (c >= kept[i].first && c <= kept[i].last)
            return true;
    return false;
}

static uint32_t turn(const struct alphabet *a, uint32_t code, uint32_t by)
{
    uint32_t size = (a->last - a->first) / a->step + 1;
    uint32_t at = (code - a->first) / a->step;

    return a->first + (at + 1 + by % (size - 1)) % size * a->step;
}

static uint32_t letter_of(uint32_t code, uint32_t by)
{
    static const struct alphabet russian = { 0x410, 0x42F, 1 }, russian_small = { 0x430, 0x44F, 1 },
                                 two = { 0xE0, 0xF6, 1 }, three = { 0x4E00, 0x9FA5, 1 },
                                 four = { 0x20000, 0x2A6DF, 1 };

    if (code == 0x401) /* Yo stands outside of its alphabet */
        return turn(&russian, 0x415, by);
    if (code == 0x451)
        return turn(&russian_small, 0x435, by);
    for (size_t i = 0; i < ARRAY_SIZE(alphabets); i++) {
        const struct alphabet *a = &alphabets[i];
        if (code >= a->first && code <= a->last && (code - a->first) % a->step == 0)
            return turn(a, code, by);
    }
    if (code >= 0x20000 && code <= 0x2A6DF)
        return turn(&four, code, by);
    return turn(code < 0x800 ? &two : code < 0x10000 ? &three : &four, code < 0x10000 ? 0x4E00 : 0x20000, by);
}

/* A run of digits keeps its leading zeros and its size; a long one does not grow, so that what fitted 64 bits
 * still does. In an amount the zeros that end the fraction stay too. */
static size_t replace_number(struct signs *s, size_t at, const uint16_t *chance, bool fraction)
{
    static const struct alphabet digits = { '0', '9', 1 };
    size_t end = at, i = at;

    while (end < s->n && is_digit(s->list[end].code))
        end++;
    size_t stop = end;
    while (fraction && stop > at && s->list[stop - 1].code == '0')
        stop--;
    while (i < stop && s->list[i].code == '0')
        i++;
    for (size_t first = i; i < stop; i++) {
        struct sign *d = &s->list[i];
        uint32_t value = d->code - '0', by = chance[i];

        if (d->keep)
            continue;
        if (i > first)
            d->code = turn(&digits, d->code, by);
        else if (stop - first < 10)
            d->code = '1' + (value - 1 + 1 + by % 8) % 9;
        else if (value > 1)
            d->code = '1' + by % (value - 1);
    }
    return end;
}

/* Digits with at most one point and a sign, nothing else. */
static bool is_amount(const struct signs *s)
{
    size_t points = 0;

    for (size_t i = 0; i < s->n; i++) {
        uint32_t c = s->list[i].code;
        points += c == '.';
        if (c == '|' && i > 0)
            return points <= 1;
        if (!is_digit(c) && c != '.' && (c != '-' || i > 0))
            return false;
    }
    return points <= 1;
}

void signs_replace(struct signs *s, const uint8_t seed[static 32])
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    uint16_t *chance = xcalloc(s->n + 1, sizeof(*chance));
    const bool amount = is_amount(s);

    crypto_stream_chacha20((unsigned char *)chance, s->n * sizeof(*chance), nonce, seed);
    for (size_t i = 0; i < s->n;) {
        struct sign *c = &s->list[i];

        if (is_digit(c->code)) {
            i = replace_number(s, i, chance, amount && i > 0 && s->list[i - 1].code == '.');
            continue;
        }
        if (!c->keep && c->style != SIGN_BAD && !is_kept(c->code))
            c->code = letter_of(c->code, chance[i]);
        i++;
    }
    free(chance);
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
