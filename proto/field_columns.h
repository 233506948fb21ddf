/* field_columns.h - which columns the fields of a schema get: one answer for the mapper, which fills them, and for the
 * scheduler, which keeps account of them. Pure; any thread. */
#pragma once

#include "proto/schema.h"

#define FIELD_COLUMN_BYTES_MAX 63   /* PostgreSQL's limit, kept in every database: a copy may move */
#define FIELD_COLUMN_SIZE 161       /* room for the names of older copies too */

struct field_column {
    char name[FIELD_COLUMN_SIZE];       /* "": none, for the id itself and for a field that is held */
    char currency[FIELD_COLUMN_SIZE];   /* second column of a money field, else "" */
};

/* One for each field, in their order; the caller frees. Where two fields make the same name, the later one gets the
 * first free number: "_2", "_3", ..., as does a field called like a column that tables have by themselves. All fields come
 * before all currencies, so that a new money field moves no column of others. `fields` are sorted by name, as schema_decode() gives them. */
struct field_column *field_columns(const struct field *fields, int count);
bool field_is_money(const struct field *f);
