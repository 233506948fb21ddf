/* table.h - lists of rows that are made on the spot, for methods beyond the records of CRM: filter, order, select and
 * pages in the manner of each (facts sections 4.2, 4.5). A row is a JSON object as it will be printed. Loop thread. */
#pragma once

#include "call.h"

enum {
    TABLE_WHOLE = 1,            /* no pages: all rows at once */
    TABLE_TOTAL_ZERO = 2,       /* total is 0 although rows follow */
    TABLE_TOTAL_PAGE = 4,       /* total is that of the page unless start=-1, which has the true one */
    TABLE_NO_ORDER = 8,         /* `order` is ignored */
    TABLE_FLAT_ORDER = 16,      /* `sort` names the field, `order` is the direction */
    TABLE_LOUD = 32,            /* what is wrong in the filter or the order is INVALID_ARG_VALUE, else it is ignored; `logic` works */
    TABLE_UPPER = 64,           /* filter and order take UPPER_CASE names of camelCase members, other names are ignored */
    TABLE_DESCENDING = 128,     /* without an order the last come first */
    TABLE_FLAT_FILTER = 256,    /* fields at the top level count as a filter */
    TABLE_NO_SELECT = 512,      /* `select` is ignored */
    TABLE_STRICT_SELECT = 1024, /* `id` comes only where it is selected, too */
};

struct table {
    const char *wrapper;        /* "items": {"items":[…]}; NULL: the rows themselves are the result */
    const char *id;             /* member that tells the rows apart */
    const char *operators;      /* prefixes that work, with spaces around each; others are left out with their condition */
    unsigned flags;
    uint32_t (*count)(const struct call *c);
    json_t *(*row)(const struct call *c, uint32_t n);       /* new; NULL: there is none of that number */
    const char *default_order;  /* member; NULL: as the rows are made */
    enum api_error bad_order;   /* of an unknown field in the order; API_OK: ignored */
    bool (*untold)(const json_t *row, const char *key);     /* a member that filters know and the answer leaves out; NULL: none */
    enum api_error no_list;     /* of a filter or an order that is none; API_OK: an order is ignored, a filter has its own */
};

/* alternatives: a list of objects like `filter`, of which a row must fit one, and comes once for each; NULL: none. */
enum api_error table_run(struct call *c, const struct table *t, const json_t *alternatives);
uint64_t table_chance(const struct call *c, uint64_t kind, uint32_t n);     /* of row n */
void table_text(json_t *row, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));
void table_time(json_t *row, const char *key, int64_t unix_s);
void table_nothing(json_t *row, const char *key);                           /* null */
/* Of record n of an entity, from which rows are made: whether it is there; a value as text, to be freed, "" when empty. */
bool table_there(const struct call *c, enum which w, uint32_t n);
char *table_text_of(const struct record *r, const char *name);
/* The name of the type that the parameter entityTypeId means, "QUOTE"; NULL: there is no such type. */
const char *table_type_name(const struct call *c);
/* Row n of tasks.task.list; NULL: deleted long ago. */
#define TABLE_TASKS 300
json_t *table_task(const struct call *c, uint32_t n);
#define TABLE_COMPARE " = ! != > >= < <= @ !@ "
#define TABLE_LIKE " % =% %= "
#define TABLE_UNLIKE " !% !=% !%= "
