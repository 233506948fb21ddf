#include "last_runs.h"

#include "base/mem.h"
#include "reading.h"
#include "words/russian.h"
#include "words/say.h"
#include "words/screen.h"
#include "words/table.h"
#include "sync/view.h"

#include <stdio.h>
#include <time.h>

struct filling {
    struct run_view *runs;
    int count, most;
};

static int on_run(void *ctx, const struct db_val *row, int columns)
{
    struct filling *r = ctx;
    struct run_view *v = &r->runs[r->count];
    uint64_t *const numbers[] = { &v->id, &v->expected, &v->read, &v->written, &v->same, &v->gone,
        &v->rejected, &v->requests, &v->started_ms, &v->finished_ms };

    if (r->count == r->most)
        return 1;
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        *numbers[i] = row[i].type == DB_INT && row[i].i > 0 ? (uint64_t)row[i].i : 0;
    dbv_copy(v->portal, sizeof(v->portal), row[10]);
    dbv_copy(v->entity, sizeof(v->entity), row[11]);
    dbv_copy(v->table, sizeof(v->table), row[12]);
    dbv_copy(v->state, sizeof(v->state), row[13]);
    dbv_copy(v->error, sizeof(v->error), row[14]);
    r->count++;
    return 0;
}

int last_runs_read(struct reading *r, struct run_view *runs, int most)
{
    static const char sql[] =
        "SELECT r.id, r.expected, r.read, r.written, r.same, r.gone, r.rejected, r.requests, r.started_ms, "
        "r.finished_ms, r.portal, r.entity, e.tbl, r.state, r.error FROM potok_run r "
        "LEFT JOIN potok_entity e ON e.portal = r.portal AND e.entity = r.entity "
        "WHERE r.id IN (SELECT max(id) FROM potok_run GROUP BY portal, entity) ORDER BY r.id";
    struct filling filling = { runs, 0, most };

    return reading_run(r, sql, DB_NOARGS, on_run, &filling) < 0 ? -1 : filling.count;
}

static void run_add(const struct run_view *r, bool answers, struct table *t)
{
    const uint64_t counts[] = { r->read, r->expected, r->written, r->same, r->gone, r->rejected,
        r->requests };
    char text[ARRAY_SIZE(counts)][SAY_COUNT_SIZE], name[120], started[SAY_COUNT_SIZE];
    const char *cells[10] = { name, view_state(r->state) };

    if (!answers && !run_ended(r))
        cells[1] =
            say("прервана, продолжится при следующем запуске", "interrupted, goes on at the next start");

    snprintf(name, sizeof(name), "%s/%s", r->portal, r->entity);
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
        cells[2 + i] = say_count(counts[i], text[i]);
    cells[9] = say_time(r->started_ms, SAY_SECOND, started);
    table_add(t, cells);
}

static bool same_error(const struct run_view *a, const struct run_view *b)
{
    return strcmp(a->portal, b->portal) == 0 && strcmp(a->error, b->error) == 0;
}

/* Each cause once: "main/deals, main/leads: HTTP 401 …". */
static void errors_show(const struct run_view *runs, int count, struct buf *out)
{
    char said[2 * ERR_TEXT_SIZE];

    for (int i = 0; i < count; i++) {
        bool told = runs[i].error[0] == '\0';

        for (int k = 0; k < i && !told; k++)
            told = same_error(&runs[i], &runs[k]);
        if (told)
            continue;
        for (int k = i; k < count; k++) {
            if (same_error(&runs[i], &runs[k]))
                buf_fmt(out, "%s%s/%s", k > i ? ", " : "", runs[k].portal, runs[k].entity);
        }
        buf_fmt(out, ": %s\n", russian_message(runs[i].error, said, sizeof(said)));
    }
}

void last_runs_show(const struct run_view *runs, int count, bool answers)
{
    const char *heads[] = { say("синхронизация", "sync"), say("состояние", "state"),
        say(">прочитано", ">read"), say(">из", ">of"), say(">записано", ">written"),
        say(">без изменений", ">unchanged"), say(">удалено", ">deleted"), say(">отвергнуто", ">rejected"),
        say(">запросов", ">requests"), say("начата", "started") };
    struct table t;
    struct buf out;

    if (count <= 0)
        return;
    table_init(&t, ARRAY_SIZE(heads), heads);
    for (int i = 0; i < count; i++)
        run_add(&runs[i], answers, &t);
    buf_init(&out, 1 << 20);
    table_render(&t, screen_colour(), &out);
    errors_show(runs, count, &out);
    fwrite(out.p, 1, out.n, stdout);
    buf_fini(&out);
    table_fini(&t);
}

json_t *last_runs_json(const struct run_view *runs, int count)
{
    json_t *list = json_array();

    for (int i = 0; i < count; i++) {
        const struct run_view *r = &runs[i];

        json_array_append_new(list,
            json_pack("{s:I, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "id",
                (json_int_t)r->id, "portal", r->portal, "entity", r->entity, "table", r->table, "state",
                r->state, "expected", (json_int_t)r->expected, "read", (json_int_t)r->read, "written",
                (json_int_t)r->written, "same", (json_int_t)r->same, "gone", (json_int_t)r->gone, "rejected",
                (json_int_t)r->rejected, "requests", (json_int_t)r->requests, "started_ms",
                (json_int_t)r->started_ms, "finished_ms", (json_int_t)r->finished_ms, "error", r->error));
    }
    return list;
}
