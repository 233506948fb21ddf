#include "view.h"

#include "base/mem.h"
#include "doctor/explain.h"
#include "words/say.h"
#include "words/table.h"

#include <stdio.h>

#define BAR_CELLS  24
#define NAME_CELLS 12

static struct track *track_of(struct view *v, uint64_t run)
{
    for (int i = 0; i < v->track_count; i++) {
        if (v->tracks[i].run == run)
            return &v->tracks[i];
    }
    if (v->track_count == SNAPSHOT_RUNS_MAX)
        v->track_count = 0; /* long up: runs of long ago */
    v->tracks[v->track_count] = (struct track){ .run = run };
    return &v->tracks[v->track_count++];
}

static const struct progress *progress_of(const struct view *v, uint64_t run)
{
    static const struct progress none;

    for (int i = 0; i < v->track_count; i++) {
        if (v->tracks[i].run == run)
            return &v->tracks[i].progress;
    }
    return &none;
}

void view_seen(struct view *v, const struct snapshot *now, uint64_t now_ms)
{
    v->now = *now;
    v->seen = true;
    for (int i = 0; i < now->run_count; i++) {
        if (!run_ended(&now->runs[i]))
            progress_seen(&track_of(v, now->runs[i].id)->progress, now_ms, now->runs[i].read);
    }
}

bool view_tell_once(struct view *v, uint64_t run)
{
    struct track *t = track_of(v, run);
    bool first = !t->told;

    t->told = true;
    return first;
}

void view_follow(const struct view *v, struct run_set *runs)
{
    for (int i = 0; i < v->now.run_count; i++) {
        const struct run_view *before = snapshot_before(&v->now, &v->now.runs[i]);

        if (before != NULL && run_repeats(before) && run_set_has(runs, before->id))
            run_set_add(runs, v->now.runs[i].id);
    }
}

bool view_all_ended(const struct view *v, const struct run_set *runs)
{
    for (int i = 0; i < runs->count; i++) {
        const struct run_view *r = snapshot_run(&v->now, runs->ids[i]);

        if (r != NULL && (!run_ended(r) || (run_repeats(r) && snapshot_after(&v->now, r) == NULL)))
            return false;
    }
    return v->seen && runs->count > 0;
}

uint64_t view_marks(const struct view *v, const struct run_set *runs, uint64_t *ret_failing)
{
    uint64_t marks = 0;

    *ret_failing = 0;
    for (int i = 0; i < v->now.run_count; i++) {
        if (!run_set_has(runs, v->now.runs[i].id) || snapshot_after(&v->now, &v->now.runs[i]) != NULL)
            continue; /* marks are the entity's, whichever run left them */
        marks += v->now.runs[i].marks;
        *ret_failing += v->now.runs[i].marks_failing;
    }
    return marks;
}

int view_failed_count(const struct view *v, const struct run_set *runs)
{
    int n = 0;

    for (int i = 0; i < v->now.run_count; i++)
        n += run_set_has(runs, v->now.runs[i].id) && run_failed(&v->now.runs[i]);
    return n;
}

const char *view_name(const struct view *v, const struct run_view *r, char *ret, size_t size)
{
    if (v->now.portal_count > 1)
        snprintf(ret, size, "%s/%s", r->portal, r->entity);
    else
        snprintf(ret, size, "%s", r->entity);
    return ret;
}

static void name_pad(struct buf *out, const char *name)
{
    size_t width = text_width(str_of(name));

    buf_str(out, name);
    for (; width < NAME_CELLS; width++)
        buf_char(out, ' ');
}

const char *view_state(const char *state)
{
    static const struct {
        const char *state, *ru, *en;
    } names[] = {
        { "probing", "узнаю поля", "learning fields" },
        { "open", "идёт", "running" },
        { "done", "готово", "done" },
        { "partial", "не всё", "partial" },
        { "failed", "ошибка", "failed" },
        { "ok", "в порядке", "ok" },
        { "waiting", "ждёт", "waiting" },
        { "stopped", "остановлен", "stopped" },
        { "unconnected", "ждёт подключения", "waits to be connected" },
        { "blocked", "закрыл REST API", "closed its REST API" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (str_is(str_of(names[i].state), state))
            return say(names[i].ru, names[i].en);
    }
    return state;
}

static void run_figures(const struct view *v, const struct run_view *r, struct buf *out)
{
    const struct progress *p = progress_of(v, r->id);
    char read[SAY_COUNT_SIZE], expected[SAY_COUNT_SIZE], rate[SAY_COUNT_SIZE], eta[SAY_COUNT_SIZE];
    uint64_t eta_ms = progress_eta_ms(p, r->expected);

    buf_fmt(out, "%3u%%  %s/%s", progress_percent(r->read, r->expected), say_count(r->read, read),
        say_count(r->expected, expected));
    if (progress_stalled(p))
        buf_fmt(out, "  %s", say("стоит", "stalled"));
    else if (progress_rate(p) > 0)
        buf_fmt(out, "  %s/%s", say_count((uint64_t)progress_rate(p), rate), say("с", "s"));
    if (eta_ms != PROGRESS_UNKNOWN && !progress_stalled(p))
        buf_fmt(out, "  %s %s", say("осталось", "eta"), say_span(eta_ms, eta));
    buf_fmt(out, "  %s %llu", say("запросов", "requests"), (unsigned long long)r->requests);
}

/* And why it takes so long. */
static void run_probing(const struct run_view *r, struct buf *out)
{
    buf_str(out, view_state(r->state));
    if (r->error[0] != '\0')
        buf_fmt(out, ": %s", r->error);
}

static void run_bar(const struct view *v, const struct run_view *r, bool colour, struct buf *out)
{
    char name[120];

    buf_str(out, "  ");
    name_pad(out, view_name(v, r, name, sizeof(name)));
    if (str_is(str_of(r->state), "probing")) {
        buf_char(out, ' ');
        run_probing(r, out);
        buf_char(out, '\n');
        return;
    }
    if (colour)
        buf_str(out, run_failed(r) ? "\033[31m" : run_ended(r) ? "\033[32m" : "\033[36m");
    progress_bar(out, run_ended(r) && !run_failed(r) ? 1 : r->read,
        run_ended(r) && !run_failed(r) ? 1 : r->expected, BAR_CELLS);
    buf_str(out, colour ? "\033[0m " : " ");
    if (run_ended(r))
        buf_fmt(out, " %s", view_state(r->state));
    else
        run_figures(v, r, out);
    buf_char(out, '\n');
}

static void budget_line(const struct portal_view *p, bool several, struct buf *out)
{
    buf_fmt(out, "  %s%s%s %.0f %s %.0f", several ? p->name : "", several ? ": " : "",
        say("запросов в запасе", "requests to spare:"), p->burst > p->level ? p->burst - p->level : 0,
        say("из", "of"), p->burst);
    if (p->operating.limit_s > 0)
        buf_fmt(out, ", %s %.0f/%.0f %s", p->operating.method, p->operating.used_s, p->operating.limit_s,
            say("с", "s"));
    if (!str_is(str_of(p->state), "ok") && p->state[0] != '\0')
        buf_fmt(out, ", %s%s%s", view_state(p->state), p->error[0] != '\0' ? ": " : "", p->error);
    buf_char(out, '\n');
}

void view_block(const struct view *v, const struct run_set *runs, bool colour, struct buf *out)
{
    for (int i = 0; i < v->now.run_count; i++) {
        if (run_set_has(runs, v->now.runs[i].id))
            run_bar(v, &v->now.runs[i], colour, out);
    }
    for (int i = 0; i < v->now.portal_count; i++)
        budget_line(&v->now.portals[i], v->now.portal_count > 1, out);
}

static void run_line(struct view *v, const struct run_view *r, struct buf *out)
{
    struct track *t = track_of(v, r->id);
    char name[120];
    struct buf line;

    buf_init(&line, 4096);
    buf_fmt(&line, "%s: ", view_name(v, r, name, sizeof(name)));
    if (str_is(str_of(r->state), "probing"))
        run_probing(r, &line);
    else
        run_figures(v, r, &line);
    if (strncmp(t->line, buf_cstr(&line), sizeof(t->line) - 1) != 0) {
        snprintf(t->line, sizeof(t->line), "%s", buf_cstr(&line));
        buf_fmt(out, "%s\n", buf_cstr(&line));
    }
    buf_fini(&line);
}

void view_lines(struct view *v, const struct run_set *runs, struct buf *out)
{
    for (int i = 0; i < v->now.run_count; i++) {
        if (!run_ended(&v->now.runs[i]) && run_set_has(runs, v->now.runs[i].id))
            run_line(v, &v->now.runs[i], out);
    }
}

/* The failure of a run has said it already. */
static bool told_by_run(const struct view *v, const struct portal_view *p)
{
    for (int i = 0; i < v->now.run_count; i++) {
        const struct run_view *r = &v->now.runs[i];

        if (run_failed(r) && strcmp(r->portal, p->name) == 0 && strcmp(r->error, p->error) == 0)
            return true;
    }
    return false;
}

/* "portal main: HTTP 401": the line has named it already. */
static const char *without_name(const char *error, const char *name)
{
    char prefix[80];
    int n = snprintf(prefix, sizeof(prefix), "%s %s: ", say("портал", "portal"), name);

    return strncmp(error, prefix, (size_t)n) == 0 ? error + n : error;
}

const struct portal_view *view_unconnected(const struct view *v, const struct run_set *runs)
{
    for (int i = 0; i < v->now.portal_count; i++) {
        const struct portal_view *p = &v->now.portals[i];

        for (int k = 0; k < v->now.run_count && str_is(str_of(p->state), "unconnected"); k++)
            if (run_set_has(runs, v->now.runs[k].id) && !run_ended(&v->now.runs[k]) &&
                strcmp(v->now.runs[k].portal, p->name) == 0)
                return p;
    }
    return NULL;
}

const struct portal_view *view_stopped(const struct view *v, const struct run_set *runs)
{
    for (int i = 0; i < v->now.portal_count && view_all_ended(v, runs); i++) {
        const struct portal_view *p = &v->now.portals[i];

        for (int k = 0; k < v->now.run_count && str_is(str_of(p->state), "stopped"); k++)
            if (run_set_has(runs, v->now.runs[k].id) && v->now.runs[k].marks > 0 &&
                strcmp(v->now.runs[k].portal, p->name) == 0)
                return p;
    }
    return NULL;
}

void view_troubles(const struct view *v, struct buf *out)
{
    for (int i = 0; i < v->now.portal_count; i++) {
        const struct portal_view *p = &v->now.portals[i];

        if (!str_is(str_of(p->state), "ok") && p->state[0] != '\0' && !told_by_run(v, p))
            buf_fmt(out, "%s %s: %s%s%s\n", say("портал", "portal"), p->name, view_state(p->state),
                p->error[0] != '\0' ? ": " : "", without_name(p->error, p->name));
    }
}

static uint64_t took_ms(const struct run_view *r)
{
    return r->finished_ms > r->started_ms ? r->finished_ms - r->started_ms : 0;
}

void view_ended(const struct view *v, const struct run_view *r, struct buf *out)
{
    char read[SAY_COUNT_SIZE], written[SAY_COUNT_SIZE], span[SAY_COUNT_SIZE], name[120];

    buf_fmt(out, "%s: %s, %s %s, %s %s, %s\n", view_name(v, r, name, sizeof(name)), view_state(r->state),
        say_count(r->read, read), say_plural(r->read, "запись", "записи", "записей", "record", "records"),
        say_count(r->written, written), say("записано", "written"), say_span(took_ms(r), span));
    if (r->error[0] != '\0')
        buf_fmt(out, "  %s\n", r->error);
}

static void summary_row(const struct view *v, const struct run_view *r, struct table *t)
{
    const uint64_t counts[] = { r->read, r->written, r->same, r->gone, r->rejected, r->requests };
    char name[120], text[ARRAY_SIZE(counts)][SAY_COUNT_SIZE], seconds[24];
    const char *cells[10] = { view_name(v, r, name, sizeof(name)), r->table };

    for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
        cells[2 + i] = say_count(counts[i], text[i]);
    snprintf(seconds, sizeof(seconds), "%.1f", (double)took_ms(r) / 1000);
    cells[8] = seconds;
    cells[9] = run_repeats(r) ? say("повторено", "repeated") : view_state(r->state);
    table_add(t, cells);
}

static const char *const *summary_heads(void)
{
    static const char *const ru[] = { "сущность", "таблица", ">строк", ">записано", ">без изменений",
        ">удалено", ">отвергнуто", ">запросов", ">секунд", "итог" };
    static const char *const en[] = { "entity", "table", ">rows", ">written", ">unchanged", ">deleted",
        ">rejected", ">requests", ">seconds", "outcome" };
    static const char *heads[ARRAY_SIZE(en)];

    for (size_t i = 0; i < ARRAY_SIZE(en); i++)
        heads[i] = say(ru[i], en[i]);
    return heads;
}

static bool same_failure(const struct run_view *a, const struct run_view *b)
{
    return strcmp(a->portal, b->portal) == 0 && strcmp(a->state, b->state) == 0 &&
           strcmp(a->error, b->error) == 0;
}

static bool failed_of(const struct view *v, const struct run_set *runs, int i)
{
    return run_set_has(runs, v->now.runs[i].id) && run_failed(&v->now.runs[i]);
}

/* One before it failed in the same way, and told of this one as well. */
static bool failure_told(const struct view *v, const struct run_set *runs, int run)
{
    for (int i = 0; i < run; i++) {
        if (failed_of(v, runs, i) && same_failure(&v->now.runs[i], &v->now.runs[run]))
            return true;
    }
    return false;
}

void view_failures(const struct view *v, const struct run_set *runs, struct buf *out)
{
    char name[120], hint[160];

    for (int i = 0; i < v->now.run_count; i++) {
        const struct run_view *first = &v->now.runs[i];

        if (!failed_of(v, runs, i) || failure_told(v, runs, i))
            continue;
        for (int k = i; k < v->now.run_count; k++) {
            if (failed_of(v, runs, k) && same_failure(first, &v->now.runs[k]))
                buf_fmt(out, "%s%s", k > i ? ", " : "", view_name(v, &v->now.runs[k], name, sizeof(name)));
        }
        buf_fmt(
            out, ": %s%s%s\n", view_state(first->state), first->error[0] != '\0' ? ": " : "", first->error);
        if (explain_hint(first->error, hint, sizeof(hint))[0] != '\0')
            buf_fmt(out, "  %s\n", hint);
    }
}

void view_summary(const struct view *v, const struct run_set *runs, bool colour, struct buf *out)
{
    struct table t;
    uint64_t requests = 0;
    char text[SAY_COUNT_SIZE];

    table_init(&t, 10, summary_heads());
    for (int i = 0; i < v->now.run_count; i++) {
        const struct run_view *r = &v->now.runs[i];

        if (!run_set_has(runs, r->id))
            continue;
        summary_row(v, r, &t);
        requests += r->requests;
    }
    table_render(&t, colour, out);
    table_fini(&t);
    view_failures(v, runs, out);
    buf_fmt(out, "%s: %s\n", say("Запросов всего", "Requests in all"), say_count(requests, text));
}
