/* The service on a loop: rows come by the bus, DONE goes by the bus. */
#include "services/writer/writer.h"

#include "base/clock.h"
#include "story.h"

#define DEADLINE_MS 20000

struct stage {
    uv_loop_t loop;
    struct app app;
    struct writer writer;
    struct story story;
    struct bus_plug *bulk, *urgent, *done;
    struct msg *got[8];
    int got_count;
    uv_timer_t pulse; /* wakes the loop to look at the deadline */
};

static void on_done(void *ctx, struct bus_plug *plug, struct bus_peer from, struct msg **m)
{
    struct stage *t = ctx;

    (void)plug;
    (void)from;
    CHECK_EQ((*m)->type, MSG_DONE);
    CHECK(t->got_count < 8);
    t->got[t->got_count++] = *m;
    *m = NULL;
}

static void on_pulse(uv_timer_t *timer)
{
    (void)timer;
}

static struct bus_plug *open_plug(struct stage *t, enum bus_kind kind, const char *service, const char *plug)
{
    struct err err = { 0 };
    struct bus_plug *p = bus_open(t->app.bus,
        &(struct bus_def){ .kind = kind,
            .service = service,
            .plug = plug,
            .where = "ipc",
            .on_msg = kind == BUS_PULL_BIND ? on_done : NULL,
            .ctx = t },
        &err);

    CHECK_OK(p == NULL ? -1 : 0, err);
    return p;
}

static void open_scheduler(struct stage *t)
{
    t->done = open_plug(t, BUS_PULL_BIND, "scheduler", "done");
}

static struct stage *open_stage(const char *name)
{
    struct stage *t = xcalloc(1, sizeof(*t));
    struct err err = { 0 };

    open_story(&t->story, name);
    uv_loop_init(&t->loop);
    uv_timer_init(&t->loop, &t->pulse);
    uv_timer_start(&t->pulse, on_pulse, 10, 10);
    t->app.loop = &t->loop;
    snprintf(t->app.run_dir, sizeof(t->app.run_dir), "%s", check_folder());
    snprintf(t->app.instance, sizeof(t->app.instance), "writer.1");
    t->app.bus = bus_new(&t->loop, check_folder(), "1");
    t->writer = (struct writer){ .database_url = xstrdup(test_url(name)),
        .database_threads = 1,
        .bus_writer = "ipc",
        .bus_scheduler = "ipc" };
    CHECK_OK(writer_start(&t->app, &t->writer, &err), err);
    t->bulk = open_plug(t, BUS_PUSH_CONNECT, "writer", "bulk");
    t->urgent = open_plug(t, BUS_PUSH_CONNECT, "writer", "urgent");
    return t;
}

static void close_stage(struct stage *t)
{
    writer_stop(&t->writer);
    bus_close(&t->bulk);
    bus_close(&t->urgent);
    bus_close(&t->done);
    bus_free(&t->app.bus);
    uv_close((uv_handle_t *)&t->pulse, NULL);
    while (uv_run(&t->loop, UV_RUN_DEFAULT) != 0)
        ;
    CHECK_EQ(uv_loop_close(&t->loop), 0);
    for (int i = 0; i < t->got_count; i++)
        msg_free(&t->got[i]);
    close_story(&t->story);
    free(t->writer.database_url);
    free(t);
}

static void send_rows(struct stage *t, struct bus_plug *plug, struct msg *m)
{
    uint64_t until = clock_mono_ms() + DEADLINE_MS;

    while (bus_send(plug, &m) != BUS_SENT) {
        CHECK(clock_mono_ms() < until);
        uv_run(&t->loop, UV_RUN_ONCE);
    }
}

static void wait_for_done(struct stage *t, int count)
{
    uint64_t until = clock_mono_ms() + DEADLINE_MS;

    while (t->got_count < count) {
        CHECK(clock_mono_ms() < until);
        uv_run(&t->loop, UV_RUN_ONCE);
    }
}

TEST(each_message_is_answered)
{
    struct stage *t = open_stage("service.db");
    struct story *s = &t->story;

    open_scheduler(t);
    struct flight good = fly_range(s, 1, 9), stale = fly_range(s, 10, END), bad = fly_get(s);
    send_rows(t, t->bulk, read_flight(&good, NOTES({ 1, "A" }, { 2, "B" })));
    wait_for_done(t, 1);
    CHECK_VIEW(t->got[0]->done.outcome, "ok");
    CHECK_VIEW(t->got[0]->done.entity, "deals");
    CHECK_EQ(t->got[0]->done.written, 2);
    CHECK(t->got[0]->done.job == good.job && t->got[0]->done.d == good.d);
    tell(s, "UPDATE potok_job SET d = 99 WHERE id = %" PRIu64, stale.job);
    send_rows(t, t->bulk, read_flight(&stale, NOTHING));
    wait_for_done(t, 2);
    CHECK_VIEW(t->got[1]->done.outcome, "refused");
    CHECK(t->got[1]->done.error.n > 0);
    struct msg *m = read_flight(&bad, NOTES({ 1, "A" }));
    m->rows.count = 2;
    send_rows(t, t->urgent, m);
    wait_for_done(t, 3);
    CHECK_VIEW(t->got[2]->done.outcome, "failed");
    CHECK_VIEW(t->got[2]->done.error_kind, "perm");
    CHECK_STR(deal(s, 2), "B");
    CHECK(!writer_busy(&t->writer));
    CHECK(writer_ready(&t->writer, NULL));
    close_stage(t);
}

TEST(a_continuation_is_told)
{
    struct stage *t = open_stage("continued.db");
    struct flight part = fly_range(&t->story, 1, END);
    struct msg *m = read_flight(&part, NOTES({ 1, "A" }));

    open_scheduler(t);
    m->rows.last = 1;
    m->rows.next_first = 2;
    m->rows.next_last = END;
    send_rows(t, t->bulk, m);
    wait_for_done(t, 1);
    CHECK_EQ(t->got[0]->done.next_job, part.job + 1);
    CHECK_EQ(t->got[0]->done.next_first, 2);
    CHECK(t->got[0]->done.next_last == END);
    close_stage(t);
}

/* The scheduler is away: commits go on, the newest answers wait for it. */
TEST(the_newest_answers_wait_for_the_scheduler)
{
    struct stage *t = open_stage("away.db");
    uint64_t until = clock_mono_ms() + DEADLINE_MS;
    uint64_t last_job = 0;

    for (uint64_t i = 1; i <= UNSENT_MAX + 4; i++) {
        struct flight f = fly_range(&t->story, i, i);
        send_rows(t, t->bulk, read_flight(&f, NOTES({ i, "A" })));
        last_job = f.job;
    }
    while (t->writer.messages < UNSENT_MAX + 4) {
        CHECK(clock_mono_ms() < until);
        uv_run(&t->loop, UV_RUN_ONCE);
    }
    CHECK_EQ(t->writer.unsent_count, UNSENT_MAX);
    CHECK_EQ(t->writer.dropped, 4);
    CHECK(t->writer.unsent[UNSENT_MAX - 1]->done.job == last_job);
    CHECK_VIEW(t->writer.unsent[0]->done.outcome, "ok");
    CHECK_EQ(test_i64(t->story.other, "SELECT count(*) FROM potok_job WHERE state = 'open'"), 0);
    close_stage(t);
}

TEST(stopping_finishes_what_is_in_hand)
{
    struct stage *t = open_stage("stopping.db");
    struct story *s = &t->story;
    struct err err = { 0 };
    uint64_t until = clock_mono_ms() + DEADLINE_MS;

    open_scheduler(t);
    while (!t->writer.migrated) {
        CHECK(clock_mono_ms() < until);
        uv_run(&t->loop, UV_RUN_ONCE);
    }
    struct flight f = fly_range(s, 1, END);
    send_rows(t, t->bulk, read_flight(&f, NOTES({ 1, "A" })));
    CHECK_OK(db_begin(s->other, &err), err); /* the writer has to wait */
    while (!writer_busy(&t->writer)) {
        CHECK(clock_mono_ms() < until);
        uv_run(&t->loop, UV_RUN_ONCE);
    }
    writer_stop_soon(&t->writer);
    CHECK(!t->app.stopping);
    db_rollback(s->other);
    while (!t->app.stopping) {
        CHECK(clock_mono_ms() < until);
        uv_run(&t->loop, UV_RUN_ONCE);
    }
    CHECK_STR(deal(s, 1), "A");
    close_stage(t);
}

TEST_MAIN(CASE(each_message_is_answered), CASE(a_continuation_is_told),
    CASE(the_newest_answers_wait_for_the_scheduler), CASE(stopping_finishes_what_is_in_hand))
