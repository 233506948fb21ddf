/* anonymise.h - a portal's answer without what is personal: names, titles, comments, addresses, phones,
 * mails, links, amounts. What may stay is listed (anonymise_rules.c): words of JSON, ids, codes of
 * dictionaries, names of fields, Y and N; everything else is replaced, so a key that nobody thought of does
 * no harm. The shape stays to the byte where it can: JSON's formatting, kinds of values and of escapes,
 * letters by letters of their alphabet and case, digits by digits, markup, forms of mails, phones and URLs.
 * The same value gets the same replacement as long as the struct lives; its key is random and never leaves
 * it. Dates of standard fields all move back by one secret number of days, other dates each by their own;
 * times of day and offsets stay. Not thread-safe; one struct, one thread. */
#pragma once

#include "base/anonymise_rules.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

struct anonymise {
    uint8_t key[32];
    int shift_days;
    struct anon_field { /* user fields, told by the portal's own description of their types */
        char *name;
        enum anon_rule rule;
    } * fields;
    int field_count;
};

/* Random key. ERR_BUG: no source of chance. */
int anonymise_init(struct anonymise *a, struct err *err) MUST_CHECK;
/* A given key: tests. */
void anonymise_keyed(struct anonymise *a, const uint8_t key[static 32]);
void anonymise_fini(struct anonymise *a);
/* What a user field of this type holds: ids and codes stay, the rest is replaced. */
void anonymise_field(struct anonymise *a, struct str name, struct str type);
/* JSON: appends the replaced text to out. of_result: what may stay of a plain `result` (methods, scope:
 * ANON_CODE; server.time: ANON_TIME). ERR_PERM: not JSON, out is as before. */
int anonymise_json(struct anonymise *a, struct str text, enum anon_rule of_result, struct buf *out,
    struct err *err) MUST_CHECK;
/* Any other text, pages of HTML among them. */
void anonymise_text(struct anonymise *a, struct str text, struct buf *out);
