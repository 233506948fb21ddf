/* anonymise_text.h - one text replaced sign by sign: letters by letters of their alphabet and case, digits by
 * digits, none by itself; the rest (blanks, punctuation, symbols, markup) stays. For anonymise.c only. Pure.
 */
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANON_KEY_BYTES 32

enum sign_style {
    SIGN_RAW,   /* as UTF-8 */
    SIGN_SHORT, /* \n, \/ */
    SIGN_UPPER, /* \u041A */
    SIGN_LOWER, /* \u041a */
    SIGN_BAD    /* a byte that is no UTF-8 */
};

struct sign {
    uint32_t code;
    uint8_t style;
    bool keep;
};

struct signs {
    struct sign *list;
    size_t n;
};

static inline bool sign_is_letter(uint32_t code)
{
    return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z');
}

static inline bool sign_is_digit(uint32_t code)
{
    return code >= '0' && code <= '9';
}

/* `raw` as it stands between the quotes of a JSON string, or, with escapes false, any bytes. Free with
 * signs_fini. */
void signs_read(struct signs *ret, struct str raw, bool escapes);
void signs_fini(struct signs *s);
/* The text as UTF-8, when it is shorter than size and nothing but characters. */
bool signs_text(const struct signs *s, char *ret, size_t size);
/* 32 bytes that follow from key and text alone, however it was written. */
void signs_seed(const struct signs *s, const uint8_t key[static ANON_KEY_BYTES], uint8_t ret[static 32]);
/* anonymise_mark.c: marks what is form, not content: markup, entities, schemes of URLs, the currency of an
 * amount. */
void signs_mark(struct signs *s);
/* anonymise_replace.c: replaces every letter and digit that is not marked. */
void signs_replace(struct signs *s, const uint8_t seed[static 32]);
/* In the style each sign was written. */
void signs_write(const struct signs *s, struct buf *out);
