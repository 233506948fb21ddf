/* json_out.h - JSON as PHP prints it: / & ' " < > in their escaped forms, other text raw (facts section 2.1).
 * Any thread. */
#pragma once

#include "base/buf.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* With quotes. ascii: everything beyond ASCII as \uXXXX, pairs of surrogates included. s must be UTF-8. */
void json_out_str(struct buf *out, struct str s, bool ascii);
void json_out_int(struct buf *out, int64_t value);
void json_out_value(struct buf *out, const json_t *value, bool ascii);
static inline void json_out_cstr(struct buf *out, const char *s)
{
    json_out_str(out, str_of(s), false);
}
/* Appends without a call for what is short; the hot path of rows. */
static inline void json_out_raw(struct buf *out, const char *p, size_t n)
{
    if (out->cap - out->n < n && !buf_room(out, n))
        return;
    memcpy(out->p + out->n, p, n);
    out->n += n;
}
void json_out_plain(struct buf *text);           /* what is finished already loses its escapes of / & ' " < > */
void json_out_iso(struct buf *out, int64_t unix_s);    /* quoted, with the portal's offset */
