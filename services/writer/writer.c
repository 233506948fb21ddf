#include "writer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "count.h"
#include "done.h"
#include "run/crash.h"

#include <stdio.h>
#include <stdlib.h>

#define MIGRATE_AGAIN_MS 1000
#define SLOW_MS          3000

struct task { /* a message on its way through a database thread */
    struct lane *lane;
    struct msg *msg;
    struct apply apply; /* counts and verdict; what it views is gone after apply_end() */
    uint64_t since_ms;
};

/* ---- DONE ---- */

static enum outcome outcome_of(const struct task *t, int status)
{
    return status < 0 ? OUTCOME_FAILED : t->apply.refused ? OUTCOME_REFUSED : OUTCOME_OK;
}

static struct msg *make_done(
    const struct task *t, enum outcome outcome, const struct err *err, uint64_t took_ms)
{
    const struct msg_rows *r = &t->msg->rows;
    const struct apply_counts *n = &t->apply.counts;
    struct msg *m = msg_new(MSG_DONE);

    memcpy(m->correlation, t->msg->correlation, sizeof(m->correlation));
    m->done = (struct msg_done){ .job = r->job,
        .d = r->d,
        .portal = r->portal,
        .entity = r->entity,
        .outcome = str_of(outcome_name(outcome)),
        .took_ms = took_ms };
    if (outcome == OUTCOME_OK) {
        m->done.written = n->written;
        m->done.same = n->same;
        m->done.late = n->late;
        m->done.gone = n->gone;
        m->done.marked = n->marked;
        m->done.rejected = n->rejected;
        m->done.next_job = t->apply.next_job;
        m->done.next_first = t->apply.next_job != 0 ? r->next_first : 0;
        m->done.next_last = t->apply.next_job != 0 ? r->next_last : 0;
    } else if (outcome == OUTCOME_REFUSED) {
        m->done.error = str_of(t->apply.why);
    } else {
        m->done.error_kind = str_of(err_kind_name(err->kind));
        m->done.error = str_of(err->text);
    }
    return m;
}

/* ---- one message ---- */

static int apply_once(struct task *t, struct db *db, struct err *err)
{
    return apply_begin(&t->apply, db, t->msg, err) < 0 ? -1 : apply_end(&t->apply, err);
}

/* A table that is not as it was known is looked at anew and the message tried once more. A second time it is
 * not for the table's columns that it fails: trying again would help nobody. */
static int work(void *ctx, struct db *db, struct err *err)
{
    struct task *t = ctx;
    unsigned before = db_tables_forgotten(db), between;
    int result;

    log_correlate(t->msg->correlation);
    result = apply_once(t, db, err);
    between = db_tables_forgotten(db);
    if (result < 0 && between != before && !db_is_lost(db)) {
        log_ev(LOG_INFO, "table.looked_at_anew", kv_str("table", t->msg->rows.table), kv_err(err));
        result = apply_once(t, db, err);
        if (result < 0 && err->kind == ERR_TEMP && db_tables_forgotten(db) != between) {
            err->kind = ERR_CONF;
            err_wrap(err, "again, after a fresh look at the table (does a trigger or rule of it fail?)");
        }
    }
    log_correlate(NULL);
    return result;
}

static void tell(const struct task *t, enum outcome outcome, const struct err *err, uint64_t took_ms)
{
    const struct msg_rows *r = &t->msg->rows;

    log_correlate(t->msg->correlation);
    if (outcome == OUTCOME_FAILED)
        log_ev(LOG_WARNING, "rows.failed", kv_u("job", r->job), kv_u("d", r->d), kv_str("entity", r->entity),
            kv_err(err));
    else
        log_ev(LOG_DEBUG, outcome == OUTCOME_OK ? "rows.written" : "rows.refused", kv_u("job", r->job),
            kv_u("d", r->d), kv_str("entity", r->entity), kv_u("written", t->apply.counts.written),
            kv_u("same", t->apply.counts.same), kv_u("late", t->apply.counts.late), kv_s("why", t->apply.why),
            kv_u("ms", took_ms));
    log_correlate(NULL);
}

static void resume(struct lane *lane)
{
    struct writer *w = lane->writer;

    if (!lane->paused || w->stopping || !w->migrated || lane->in_hand >= w->database_threads)
        return;
    lane->paused = false;
    bus_resume(lane->plug);
}

static void pause_lane(struct lane *lane)
{
    if (lane->paused || lane->plug == NULL)
        return;
    lane->paused = true;
    bus_pause(lane->plug);
}

/* Without the job: the same cause stays the same text. */
static const char *cause_of(const char *text)
{
    const char *end = strncmp(text, "job ", 4) == 0 ? strstr(text, "): ") : NULL;

    return end == NULL ? text : end + 3;
}

static void on_worked(void *ctx, int status, const struct err *err)
{
    struct task *t = ctx;
    struct writer *w = t->lane->writer;
    enum outcome outcome = outcome_of(t, status);
    uint64_t took_ms = clock_mono_ms() - t->since_ms;
    struct msg *done = make_done(t, outcome, err, took_ms);

    w->messages++;
    w->moved_ms = clock_mono_ms();
    snprintf(w->trouble, sizeof(w->trouble), "%s", outcome == OUTCOME_FAILED ? cause_of(err->text) : "");
    tell(t, outcome, err, took_ms);
    count_message(outcome, (double)took_ms / 1000);
    if (outcome == OUTCOME_OK)
        count_rows(t->msg->rows.entity, &t->apply.counts);
    done_own(done);
    crash_point(WRITER_BEFORE_DONE);
    done_send(w, done);
    crash_point(WRITER_AFTER_DONE);
    t->lane->in_hand--;
    count_queue(w->urgent.in_hand + w->bulk.in_hand);
    resume(&w->urgent); /* before bulk: its messages are read first */
    resume(&w->bulk);
    msg_free(&t->msg);
    free(t);
    if (w->quit_when_idle && !writer_busy(w))
        app_quit(w->app);
}

static void on_rows(void *ctx, struct bus_plug *plug, struct bus_peer from, struct msg **m)
{
    struct lane *lane = ctx;
    struct writer *w = lane->writer;
    struct task *t;

    (void)plug;
    (void)from;
    if ((*m)->type != MSG_ROWS) {
        log_ev(LOG_WARNING, "message.unexpected", kv_s("type", msg_name((*m)->type)));
        return;
    }
    t = xcalloc(1, sizeof(*t));
    *t = (struct task){ .lane = lane, .msg = *m, .since_ms = clock_mono_ms() };
    *m = NULL;
    if (!writer_busy(w))
        w->moved_ms = t->since_ms;
    lane->in_hand++;
    count_queue(w->urgent.in_hand + w->bulk.in_hand);
    if (lane->in_hand >= w->database_threads)
        pause_lane(lane);
    db_pool_do(w->pool, lane->db_lane, work, on_worked, t);
}

/* ---- start: the tables first ---- */

static int migrate(void *ctx, struct db *db, struct err *err)
{
    (void)ctx;
    return db_migrate(db, err);
}

static void start_migration(struct writer *w);

static void on_retry(uv_timer_t *timer)
{
    struct writer *w = timer->data;

    if (!w->stopping)
        start_migration(w);
}

static void on_migrated(void *ctx, int status, const struct err *err)
{
    struct writer *w = ctx;

    if (w->stopping)
        return;
    if (status == 0) {
        w->migrated = true;
        w->trouble[0] = '\0';
        log_event(LOG_INFO, "database.ready");
        resume(&w->urgent);
        resume(&w->bulk);
    } else if (err->kind == ERR_TEMP || err->kind == ERR_WAIT) {
        snprintf(w->trouble, sizeof(w->trouble), "%s", err->text);
        log_ev(LOG_WARNING, "database.waiting", kv_err(err));
        uv_timer_start(w->retry, on_retry, MIGRATE_AGAIN_MS, 0);
    } else {
        app_fail(w->app, err);
    }
}

static void start_migration(struct writer *w)
{
    db_pool_do(w->pool, DB_URGENT, migrate, on_migrated, w);
}

static int open_lane(
    struct writer *w, struct lane *lane, const char *plug, int offset, enum db_lane db_lane, struct err *err)
{
    *lane = (struct lane){ .writer = w, .db_lane = db_lane };
    lane->plug = bus_open(w->app->bus,
        &(struct bus_def){ .kind = BUS_PULL_BIND,
            .service = "writer",
            .plug = plug,
            .where = w->bus_writer,
            .port_offset = offset,
            .high_water = 1,
            .on_msg = on_rows,
            .ctx = lane },
        err);
    if (lane->plug == NULL)
        return -1;
    pause_lane(lane);
    return 0;
}

static int open_plugs(struct writer *w, struct err *err)
{
    if (open_lane(w, &w->urgent, "urgent", 1, DB_URGENT, err) < 0 ||
        open_lane(w, &w->bulk, "bulk", 0, DB_BULK, err) < 0)
        return -1;
    w->done = bus_open(w->app->bus,
        &(struct bus_def){ .kind = BUS_PUSH_CONNECT,
            .service = "scheduler",
            .plug = "done",
            .where = w->bus_scheduler,
            .port_offset = 1,
            .newest = true,
            .on_room = done_on_room,
            .ctx = w },
        err);
    return w->done != NULL ? 0 : -1;
}

int writer_start(struct app *app, void *state, struct err *err)
{
    struct writer *w = state;

    w->app = app;
    count_init();
    w->retry = xcalloc(1, sizeof(*w->retry));
    uv_timer_init(app->loop, w->retry);
    w->retry->data = w;
    if (open_plugs(w, err) < 0)
        return -1;
    w->pool = db_pool_new(app->loop, w->database_url, (int)w->database_threads);
    start_migration(w);
    return 0;
}

void writer_stop_soon(void *state)
{
    struct writer *w = state;

    w->stopping = w->quit_when_idle = true;
    pause_lane(&w->urgent);
    pause_lane(&w->bulk);
    if (!writer_busy(w))
        app_quit(w->app);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

void writer_stop(void *state)
{
    struct writer *w = state;

    w->stopping = true;
    w->quit_when_idle = false; /* the loop is being closed already */
    db_pool_free(&w->pool);    /* finishes what is under way; its DONE are still sent */
    bus_close(&w->urgent.plug);
    bus_close(&w->bulk.plug);
    bus_close(&w->done);
    for (int i = 0; i < w->unsent_count; i++)
        msg_free(&w->unsent[i]);
    w->unsent_count = 0;
    if (w->retry != NULL)
        uv_close((uv_handle_t *)w->retry, on_closed);
    w->retry = NULL;
}

bool writer_ready(void *state, struct buf *why_not)
{
    const struct writer *w = state;

    if (!w->migrated)
        buf_str(why_not, "the database is not ready");
    return w->migrated;
}

bool writer_busy(void *state)
{
    const struct writer *w = state;

    return w->urgent.in_hand + w->bulk.in_hand > 0;
}

/* For people: why rows do not get into the database. NULL: they do. */
static const char *trouble_of(const struct writer *w)
{
    if (w->trouble[0] != '\0')
        return w->trouble;
    if (w->urgent.in_hand + w->bulk.in_hand > 0 && clock_mono_ms() - w->moved_ms > SLOW_MS)
        return "the database has not taken a transaction for over 3 s: does another program lock it?";
    return NULL;
}

void writer_detail(void *state, json_t *into)
{
    const struct writer *w = state;

    if (trouble_of(w) != NULL)
        json_object_set_new(into, "trouble", json_string(trouble_of(w)));

    json_object_set_new(into, "in_hand", json_integer(w->urgent.in_hand + w->bulk.in_hand));
    json_object_set_new(into, "messages", json_integer((json_int_t)w->messages));
    json_object_set_new(into, "done_unsent", json_integer(w->unsent_count));
    json_object_set_new(into, "done_dropped", json_integer((json_int_t)w->dropped));
}
