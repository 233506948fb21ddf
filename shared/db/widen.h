/* widen.h - a column given a kind that holds every value it has: what a retyped field wants, done when somebody asks. */
#pragma once

#include "base/buf.h"
#include "db/db.h"

/* Does every value of `from` have one in `to`? int is a decimal; everything is a text; what is no JSON becomes a JSON
 * scalar. The same kind: no. Pure. */
bool col_kind_widens(enum col_kind from, enum col_kind to);

/* The value in the wider kind, exactly. As text: numbers as canonical decimals, dates and instants in ISO 8601, booleans
 * "true" and "false", JSON as it is. As JSON: numbers and booleans by the same words, all others as strings.
 * Text that has to be made is appended to `made`; the result views it, so it must have WIDEN_ROOM(value) left. Pure. */
#define WIDEN_ROOM(value) (6 * (value)->s.n + 24)
struct db_val widen_value(enum col_kind from, enum col_kind to, const struct db_val *value, struct buf *made);

/* Retypes one column of a mirror table in a transaction of its own: every value stays, potok_column says the new kind and
 * potok_entity.shape rises, so that writers look again. What depends on the column (views, indexes, triggers) is made again
 * as it was. Hashes stay: rows are not read again for it. A column that is of this kind already is left alone.
 * SQLite: the column becomes the table's last.
 * ERR_CONF: no such mirror or column, a kind that would not hold every value, or something that depends on the column and
 * cannot be made again, which the text names; ERR_TEMP: the table is in use. Nothing is changed then. */
int db_widen(struct db *db, struct str table, struct str column, enum col_kind to, struct err *err) MUST_CHECK;
