/* labels.h - how people call an entity's fields, and what their enumerations may hold. It travels with a probe beside
 * the schema, because no value depends on it. Encoded: array of [name, title] or [name, title, items], sorted by name.
 * Memory: strings are views into the bytes that were decoded; labels_free() frees the array. Any thread. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define LABEL_TITLE_MAX 255         /* bytes; longer ones are cut by who makes them */
#define LABEL_ITEMS_MAX 16384

struct label {
    struct str name;                /* the field's */
    struct str title;               /* empty: it has none */
    struct str items;               /* of an enumeration: JSON [["id","value"],…] in the order of the ids, of what was
                                       cut off a last ["","12 more"]; empty: no enumeration, or not told */
};

struct labels {
    struct label *list;             /* sorted by name */
    int count;
};

/* list: sorted by name, none twice. */
void labels_encode(const struct label *list, int count, struct buf *out);
int labels_decode(struct labels *ret, struct str bytes, struct err *err) MUST_CHECK;    /* ERR_PERM; no bytes: none */
void labels_free(struct labels *l);
const struct label *labels_find(const struct labels *l, struct str name);      /* NULL */
