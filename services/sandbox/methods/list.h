/* list.h - which records a classic crm.X.list shows, in which order (facts section 4.1). */
#pragma once

#include "filter.h"

#define LIST_PAGE 50
#define LIST_ORDERS_MAX 8

struct list_query {
    enum which w;
    struct filter filter;
    struct {
        const struct attr *attr;
        bool descending;
    } orders[LIST_ORDERS_MAX];
    int order_count;                /* 0: the order of the day */
    int64_t start;                  /* -1: first page, nothing counted */
    bool strict;                    /* option: ID comes only where it is selected */
    bool standard;                  /* option: without a select no user fields come */
    bool whole_mask;                /* option: UF_* has multiple fields too */
    bool counted;                   /* option: counted even with start=-1 */
    bool hidden_counted;            /* option: what may not be read counts too */
    uint64_t lot;                   /* chance of this request, for the order of the day */
    const struct attr **select;     /* in the portal's order; in the arena */
    int select_count;
};

struct list_page {
    uint32_t n[LIST_PAGE];
    int count;
    uint32_t total;                 /* 0 when not counted */
};

void list_parse_order(struct list_query *q, const json_t *order, const struct crm *c);
/* Masks and names; nothing usable: `*` and `UF_*`. ID always comes along. */
void list_parse_select(struct list_query *q, const json_t *select, const struct crm *c, struct arena *arena);
void list_run(const struct list_query *q, const struct store *s, struct list_page *ret);
