#include "freshness.h"

#include "base/clock.h"
#include "base/mem.h"
#include "reading.h"
#include "words/say.h"
#include "words/screen.h"
#include "words/table.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- reading ---- */

static int64_t age_of(struct db_val at)
{
    int64_t now_ms = (int64_t)clock_wall_ms();

    return now_ms > at.i ? now_ms - at.i : 0;
}

static void put(json_t *o, const char *key, struct db_val v, bool age)
{
    json_object_set_new(o, key, v.type == DB_INT ? json_integer(age ? age_of(v) : v.i) : json_null());
}

static int on_entity(void *ctx, const struct db_val *row, int columns)
{
    json_t *o = json_object();

    (void)columns;
    json_object_set_new(o, "portal", json_stringn(row[0].s.p, row[0].s.n));
    json_object_set_new(o, "entity", json_stringn(row[1].s.p, row[1].s.n));
    put(o, "marks", row[2], false);
    put(o, "mark_age_ms", row[3], true);
    put(o, "agreed_ms", row[4], false);
    put(o, "agreed_age_ms", row[4], true);
    put(o, "full_ms", row[5], false);
    put(o, "changed_ms", row[6], false);
    put(o, "changed_age_ms", row[6], true);
    json_object_set_new(o, "paused", json_boolean(row[7].i != 0));
    json_array_append_new(ctx, o);
    return 0;
}

json_t *freshness_json(struct reading *r)
{
    json_t *list = json_array();

    if (reading_run(r,
            "SELECT e.portal, e.entity, coalesce(m.n, 0), m.oldest_ms, e.agreed_ms, e.full_ms, c.at_ms, "
            "e.paused FROM "
            "potok_entity e "
            "LEFT JOIN (SELECT portal, entity, count(*) AS n, min(set_ms) AS oldest_ms FROM potok_mark "
            "GROUP BY portal, entity) m ON m.portal = e.portal AND m.entity = e.entity "
            "LEFT JOIN potok_cursor c ON c.portal = e.portal AND c.entity = e.entity AND c.name = 'changed' "
            "ORDER BY e.portal, e.entity",
            DB_NOARGS, on_entity, list) == 0 &&
        !r->none)
        return list;
    json_decref(list);
    return json_null();
}

/* ---- showing ---- */

static const char *span(const json_t *ms, const char *none, char ret[static SAY_COUNT_SIZE])
{
    return json_is_integer(ms) ? say_span((uint64_t)json_integer_value(ms), ret) : none;
}

static void row_add(const json_t *e, struct table *t)
{
    char name[120], marks[SAY_COUNT_SIZE], mark[SAY_COUNT_SIZE], agreed[SAY_COUNT_SIZE],
        changed[SAY_COUNT_SIZE];

    snprintf(name, sizeof(name), "%s/%s%s", json_string_value(json_object_get(e, "portal")),
        json_string_value(json_object_get(e, "entity")),
        json_is_true(json_object_get(e, "paused")) ? say(" (приостановлено)", " (paused)") : "");
    table_add(t,
        (const char *[]){ name, say_count((uint64_t)json_integer_value(json_object_get(e, "marks")), marks),
            span(json_object_get(e, "mark_age_ms"), "", mark),
            span(json_object_get(e, "agreed_age_ms"), say("ни разу", "never"), agreed),
            span(json_object_get(e, "changed_age_ms"), say("ни разу", "never"), changed) });
}

void freshness_show(struct reading *r)
{
    const char *heads[] = { say("зеркало", "mirror"), say(">ждут чтения", ">to be read"),
        say(">дольше всех", ">for up to"), say(">сверено назад", ">agreed ago"),
        say(">изменения искали назад", ">changes sought ago") };
    json_t *list = freshness_json(r), *e;
    struct table t;
    struct buf out;
    size_t i;

    if (json_array_size(list) > 0) {
        table_init(&t, ARRAY_SIZE(heads), heads);
        json_array_foreach(list, i, e)
            row_add(e, &t);
        buf_init(&out, 1 << 20);
        buf_char(&out, '\n');
        table_render(&t, screen_colour(), &out);
        fwrite(out.p, 1, out.n, stdout);
        buf_fini(&out);
        table_fini(&t);
    }
    json_decref(list);
}
