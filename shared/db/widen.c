#include "db/widen.h"

#include "base/clock.h"
#include "db/table.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- values ---- */

bool col_kind_widens(enum col_kind from, enum col_kind to)
{
    if (from == to)
        return false;
    return to == COL_TEXT || to == COL_JSON || (from == COL_INT && to == COL_DECIMAL);
}

static struct str text_of(enum col_kind kind, const struct db_val *value, struct buf *made)
{
    size_t at = made->n;

    if (value->type != DB_INT)
        return value->s;
    if (kind == COL_BOOL)
        return value->i != 0 ? STR("true") : STR("false");
    buf_fmt(made, "%" PRId64, value->i);
    return (struct str){ made->p + at, made->n - at };
}

static bool is_json_word(enum col_kind kind)
{
    return kind == COL_INT || kind == COL_DECIMAL || kind == COL_BOOL || kind == COL_JSON;
}

struct db_val widen_value(enum col_kind from, enum col_kind to, const struct db_val *value, struct buf *made)
{
    struct str text;
    size_t at;

    if (value->type == DB_NULL || from == to)
        return *value;
    text = text_of(from, value, made);
    if (to == COL_DECIMAL)
        return (struct db_val){ DB_DECIMAL, 0, text };
    if (to != COL_JSON || is_json_word(from))
        return dbv_s(text);
    at = made->n;
    buf_json(made, text);
    return dbv_s((struct str){ made->p + at, made->n - at });
}
