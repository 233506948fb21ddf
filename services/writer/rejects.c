/* Values that did not fit, per record: replaced by each reading of the record that counts. A reading that
 * changes nothing writes nothing here either. */
#include "apply.h"

#include "base/mem.h"

#include <stdlib.h>

#define DENIED "access denied"

struct stale { /* rejects in the table that the message does not repeat */
    struct apply *a;
    struct reject *list;
    size_t count, room;
};

/* Does this message speak for the record? Late readings do not. */
static bool is_served(const struct apply *a, uint64_t id)
{
    const struct entry *e = batch_find(&a->batch, id);

    return e != NULL && e->verdict != VERDICT_LATE;
}

static int on_reject(void *ctx, const struct db_val *row, int columns)
{
    struct stale *s = ctx;
    uint64_t id = (uint64_t)row[0].i;

    (void)columns;
    if (!is_served(s->a, id) || batch_rejects(&s->a->batch, id, row[1].s))
        return 0;
    if (s->count == s->room) {
        s->room = s->room > 0 ? 2 * s->room : 16;
        s->list = xrealloc(s->list, s->room * sizeof(*s->list));
    }
    char *field = str_dup(row[1].s);
    s->list[s->count++] = (struct reject){ .id = id, .field = { field, row[1].s.n } };
    return 0;
}

static int remove_stale(struct apply *a, struct err *err)
{
    struct stale s = { .a = a };
    int result = db_run(a->db,
        "SELECT id, field FROM potok_reject WHERE portal = $1 AND entity = $2 AND id BETWEEN $3 AND $4",
        DB_ARGS(dbv_s(a->rows->portal), dbv_s(a->rows->entity), dbv_i(a->least), dbv_i(a->most)), on_reject,
        &s, NULL, err);

    for (size_t i = 0; i < s.count; i++) {
        if (result == 0)
            result = db_run(a->db,
                "DELETE FROM potok_reject WHERE portal = $1 AND entity = $2 AND id = $3 AND field = $4",
                DB_ARGS(dbv_s(a->rows->portal), dbv_s(a->rows->entity), dbv_i((int64_t)s.list[i].id),
                    dbv_s(s.list[i].field)),
                NULL, NULL, NULL, err);
        free((char *)s.list[i].field.p);
    }
    free(s.list);
    return result;
}

static int write_reject(struct apply *a, const struct reject *r, struct err *err)
{
    return db_run(a->db,
        "INSERT INTO potok_reject (portal, entity, id, field, value, reason, at_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (portal, entity, id, field) DO UPDATE SET "
        "value = excluded.value, reason = excluded.reason, at_ms = excluded.at_ms "
        "WHERE potok_reject.value <> excluded.value OR potok_reject.reason <> excluded.reason",
        DB_ARGS(dbv_s(a->rows->portal), dbv_s(a->rows->entity), dbv_i((int64_t)r->id), dbv_s(r->field),
            dbv_s(r->value), dbv_s(r->reason), dbv_i(a->now_ms)),
        NULL, NULL, NULL, err);
}

int write_rejects(struct apply *a, struct err *err)
{
    if (a->batch.kind == JOB_SWEEP)
        return 0;
    if (a->batch.count > 0 && remove_stale(a, err) < 0)
        return -1;
    for (size_t i = 0; i < a->batch.reject_count; i++) {
        const struct reject *r = &a->batch.rejects[i];
        if (!is_served(a, r->id))
            continue;
        if (write_reject(a, r, err) < 0)
            return -1;
        a->counts.rejected++;
    }
    for (size_t i = 0; i < a->rows->denied.n; i++) {
        struct reject r = { a->rows->denied.p[i], STR(""), STR(""), STR(DENIED) };
        if (write_reject(a, &r, err) < 0)
            return -1;
        a->counts.rejected++;
    }
    return 0;
}
