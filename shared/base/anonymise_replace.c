/* Every other sign becomes one of its own kind, of as many bytes. */
#include "base/anonymise_text.h"

#include <sodium.h>
#include <stdlib.h>

#include "base/mem.h"

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
        return !sign_is_letter(c) && !sign_is_digit(c);
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

    while (end < s->n && sign_is_digit(s->list[end].code))
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
        if (!sign_is_digit(c) && c != '.' && (c != '-' || i > 0))
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

        if (sign_is_digit(c->code)) {
            i = replace_number(s, i, chance, amount && i > 0 && s->list[i - 1].code == '.');
            continue;
        }
        if (!c->keep && c->style != SIGN_BAD && !is_kept(c->code))
            c->code = letter_of(c->code, chance[i]);
        i++;
    }
    free(chance);
}
