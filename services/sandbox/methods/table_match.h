/* table_match.h - names, operators and comparisons of table.h: a row is a JSON object, a filter too. Pure. */
#pragma once

#include "table.h"

/* A value, read in every way it can be compared. */
struct table_side {
    char text[512];
    bool is_number, is_time, is_flag;
    long double number;
    int64_t unix_s;
};

size_t table_prefix_of(const char *key);        /* bytes of the operator it begins with */
void table_camel(const char *name, char *ret, size_t size);     /* CREATED_BY -> createdBy */
/* The member a name of a request means; NULL: none. room is for it. */
const char *table_member_of(const struct table *t, const json_t *row, const char *name, char *room, size_t size);
void table_read_side(struct table_side *ret, const json_t *v);
int table_order_of(const struct table_side *a, const struct table_side *b);
/* Conditions of their own inside a filter, joined by their `logic`. */
bool table_is_group(const char *key, const json_t *v);
bool table_matches(const struct table *t, const json_t *row, const json_t *filter);
