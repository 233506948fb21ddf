#include "value.h"

#include "base/mem.h"
#include "fit.h"

#include <assert.h>
#include <stdlib.h>

#define MADE_MAX ((size_t)1 << 30)

static_assert(sizeof(struct column) == sizeof(struct db_column) &&
                  offsetof(struct column, name) == offsetof(struct db_column, name) &&
                  offsetof(struct column, kind) == offsetof(struct db_column, kind),
    "a message's columns are given to the database as they are");

const struct db_column *wanted_columns(const struct apply *a)
{
    return (const struct db_column *)a->batch.columns.list;
}

void learn_columns(struct apply *a)
{
    int count = a->batch.columns.count;
    enum col_kind *kinds = xcalloc((size_t)count + 1, sizeof(*kinds));

    free(a->columns);
    a->columns = xcalloc((size_t)count + 1, sizeof(*a->columns));
    a->unlike = false;
    db_column_kinds(a->db, a->rows->table, wanted_columns(a), count, kinds);
    for (int i = 0; i < count; i++) {
        a->columns[i] = (struct db_column){ a->batch.columns.list[i].name, kinds[i] };
        a->unlike = a->unlike || kinds[i] != a->batch.columns.list[i].kind;
    }
    free(kinds);
}

enum value_fit value_take(struct apply *a, struct wire *w, int i, struct db_val *ret)
{
    enum col_kind kind = a->batch.columns.list[i].kind;
    struct db_val value;

    if (!value_read(w, kind, db_takes_nul(a->db), &value))
        return VALUE_BAD;
    return fit_value(kind, a->columns[i].kind, &value, &a->made, ret) ? VALUE_FITS : VALUE_UNFIT;
}

/* Where a value may be told as text. Six bytes a byte as JSON, a number for each column: the buffer does not
 * move while a row is made. */
void value_room(struct apply *a, const struct entry *e)
{
    if (!a->unlike && db_row_is_sure(a->db, a->batch.columns.count))
        return;
    if (a->made.max == 0)
        buf_init(&a->made, MADE_MAX);
    buf_clear(&a->made);
    buf_room(&a->made, 6 * e->values.n + 24 * (size_t)a->batch.columns.count);
}

enum value_fit values_take(
    struct apply *a, const struct entry *e, struct db_val *ret, bool *ret_out, int *ret_bad)
{
    int count = a->batch.columns.count;
    struct wire w;

    wire_init(&w, e->values.p, e->values.n);
    value_room(a, e);
    for (int i = 0; i < count; i++) {
        if (value_take(a, &w, i, &ret[i]) == VALUE_BAD) {
            *ret_bad = i;
            return VALUE_BAD;
        }
    }
    if (db_leave_out(a->db, a->columns, ret, count, ret_out) == 0)
        return VALUE_FITS;
    for (int i = 0; i < count; i++)
        if (ret_out[i])
            ret[i] = DBV_NULL;
    return VALUE_UNFIT;
}

/* ---- rejects ---- */

static int on_field(void *ctx, const struct db_val *row, int columns)
{
    (void)columns;
    *(char **)ctx = str_dup(row[0].s);
    return 1;
}

/* As the portal calls it, like the rejects of the mapper; the column's name where no field is known by it. */
static int learn_field(struct apply *a, int i, struct err *err)
{
    struct str column = a->batch.columns.list[i].name;

    if (a->fields == NULL)
        a->fields = xcalloc((size_t)a->batch.columns.count, sizeof(*a->fields));
    if (a->fields[i] != NULL)
        return 0;
    if (db_run(a->db,
            "SELECT name FROM potok_field WHERE portal = $1 AND entity = $2 AND col = $3 ORDER BY gone_ms IS "
            "NOT "
            "NULL, name",
            DB_ARGS(dbv_s(a->rows->portal), dbv_s(a->rows->entity), dbv_s(column)), on_field, &a->fields[i],
            NULL, err) < 0)
        return -1;
    if (a->fields[i] == NULL)
        a->fields[i] = str_dup(column);
    return 0;
}

static int reject(
    struct apply *a, const struct entry *e, int i, struct str text, const char *reason, struct err *err)
{
    if (learn_field(a, i, err) < 0)
        return -1;
    batch_reject(&a->batch, e->id, str_of(a->fields[i]), text, str_of(reason));
    return 0;
}

static int reject_kind(struct apply *a, const struct entry *e, int i, struct str text, struct err *err)
{
    char reason[FIT_REASON];
    const struct column *column = &a->batch.columns.list[i];

    fit_reason(column->kind, a->columns[i].kind, a->rows->entity, column->name, reason);
    return reject(a, e, i, text, reason, err);
}

/* What is at the cursor, as people would write it. */
static struct str text_at(struct apply *a, struct wire w, int i)
{
    enum col_kind kind = a->batch.columns.list[i].kind;
    struct db_val value, text;

    if (!value_read(&w, kind, true, &value))
        return STR("");
    fit_value(kind, COL_TEXT, &value, &a->made, &text);
    return text.s;
}

static int reject_of_entry(struct apply *a, const struct entry *e, struct err *err)
{
    struct db_val value;
    struct wire w;

    wire_init(&w, e->values.p, e->values.n);
    value_room(a, e);
    for (int i = 0; i < a->batch.columns.count && wire_ok(&w); i++) {
        struct wire at = w;
        if (a->columns[i].kind == a->batch.columns.list[i].kind) {
            wire_skip(&w);
            continue;
        }
        enum value_fit fit = value_take(a, &w, i, &value);
        if (fit == VALUE_BAD) /* write_rows() tells */
            return 0;
        if (fit == VALUE_UNFIT && reject_kind(a, e, i, text_at(a, at, i), err) < 0)
            return -1;
    }
    return 0;
}

static bool has_nul(struct str s)
{
    return s.n > 0 && memchr(s.p, '\0', s.n) != NULL;
}

/* value_read() makes NULL of them. */
static int reject_nul(struct apply *a, const struct entry *e, struct err *err)
{
    struct wire w;

    if (!has_nul(e->values)) /* numbers hold such bytes too: look closer */
        return 0;
    wire_init(&w, e->values.p, e->values.n);
    for (int i = 0; i < a->batch.columns.count && wire_ok(&w); i++) {
        if (wire_peek(&w) != WIRE_STR) {
            wire_skip(&w);
            continue;
        }
        struct str text = wire_str(&w);
        if (wire_ok(&w) && has_nul(text) &&
            reject(a, e, i, text, "the database keeps no text with the character U+0000", err) < 0)
            return -1;
    }
    return 0;
}

/* What the row has no room for. */
static int reject_out(struct apply *a, const struct entry *e, const bool *out, struct err *err)
{
    struct wire w;

    wire_init(&w, e->values.p, e->values.n);
    for (int i = 0; i < a->batch.columns.count && wire_ok(&w); i++) {
        struct wire at = w;

        wire_skip(&w);
        value_room(a, e);
        if (out[i] &&
            reject(a, e, i, text_at(a, at, i),
                "the database has no room for it in one row: remove unused user fields in the portal",
                err) < 0)
            return -1;
    }
    return 0;
}

static int reject_wide(struct apply *a, const struct entry *e, struct err *err)
{
    size_t count = (size_t)a->batch.columns.count;
    struct db_val *values = xcalloc(count, sizeof(*values));
    bool *out = xcalloc(count, sizeof(*out));
    int bad, result = 0;

    if (values_take(a, e, values, out, &bad) == VALUE_UNFIT)
        result = reject_out(a, e, out, err);
    free(out);
    free(values);
    return result;
}

/* Of unchanged rows too, or their rejects would be taken for stale. */
int reject_unfit(struct apply *a, struct err *err)
{
    const bool nul = !db_takes_nul(a->db), wide = !db_row_is_sure(a->db, a->batch.columns.count);

    for (size_t i = 0; (a->unlike || nul || wide) && i < a->batch.count; i++) {
        const struct entry *e = &a->batch.entries[i];
        if (!e->there || e->verdict == VERDICT_LATE)
            continue;
        if ((a->unlike && reject_of_entry(a, e, err) < 0) || (nul && reject_nul(a, e, err) < 0) ||
            (wide && reject_wide(a, e, err) < 0))
            return -1;
    }
    batch_sort_rejects(&a->batch);
    return 0;
}
