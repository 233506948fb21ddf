/* filter.h - `filter` of a classic list: operators by prefix, ANDed (facts section 4.2). What the portal does not know,
 * a field or an operator, it leaves out silently. Memory: the arena given. */
#pragma once

#include "data/attr.h"
#include "data/record.h"

#include <jansson.h>
#include <stdbool.h>

enum filter_op {
    OP_EQ, OP_NE, OP_GT, OP_GE, OP_LT, OP_LE, OP_LIKE, OP_NOT_LIKE,     /* array values: = and @ are IN, ! and !@ NOT IN */
};

struct operand {
    struct str text;            /* folded */
    long double number;
    bool empty;                 /* "", null or false: "is empty" */
    bool time_ok;               /* text is a date or an instant */
    int64_t unix_s, days;
};

struct condition {
    enum filter_op op;
    const struct attr *attr;
    struct operand *operands;
    int count;
};

/* Conditions of which all, or any, must hold: { "logic": "OR", … } of crm.item.list. */
struct filter_group {
    bool any;
    struct condition *conditions;
    int count;
    struct filter_group *groups;
    int group_count;
};

struct filter {
    uint64_t id_first, id_last;     /* bounds that follow from conditions on ID */
    uint32_t *ids;                  /* with has_ids: ascending, the only candidates */
    int id_count;
    bool has_ids;
    struct condition *conditions;   /* all others */
    int count;
    struct filter_group *groups;    /* of items alone */
    int group_count;
};

/* filter NULL: everything. */
void filter_parse(struct filter *ret, const json_t *filter, const struct crm *c, struct arena *arena);
/* The same by names of classic fields for crm.item.list: every operator, and groups. */
void filter_parse_item(struct filter *ret, const json_t *filter, const struct crm *c, struct arena *arena);
/* The operator a key begins with: bytes. */
size_t filter_prefix(const char *key);
/* All conditions but the bounds and ids. `scratch` holds the values looked at. */
bool filter_match(const struct filter *f, const struct store *s, enum which w, uint32_t n, struct arena *scratch);
