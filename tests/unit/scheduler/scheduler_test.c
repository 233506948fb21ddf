#include "services/scheduler/scheduler.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "proto/probe.h"
#include "proto/schema.h"
#include "proto/wire.h"
#include "unit/scheduler/stage.h"

/* The scheduler on a loop with a real database; fetcher, writer and operator are played by the test. */

#define JOBS_MAX 64

struct rig {
    struct stage on;
    struct bus *bus;
    struct bus_plug *fetcher, *dones;
    struct db *db;
    uint64_t boot, credit;
    struct msg *jobs[JOBS_MAX];
    int job_count, taken; /* received; looked at by the test */
    struct msg *reply;
    uv_timer_t ready;
    bool silent, forget; /* send no READY; hold nothing */
    uint64_t held[JOBS_MAX];
    size_t held_count;
};

static void send_ready(uv_timer_t *timer)
{
    struct rig *r = timer->data;

    if (r->silent)
        return;
    struct msg *m = msg_new(MSG_READY);
    m->ready = (struct msg_ready){ .instance = STR("fetcher.1"),
        .boot = r->boot,
        .credit = r->credit,
        .holding = { r->held, r->forget ? 0 : r->held_count } };
    if (bus_send(r->fetcher, &m) != BUS_SENT)
        msg_free(&m);
}

static void on_message(void *ctx, struct bus_plug *plug, struct bus_peer from, struct msg **m)
{
    struct rig *r = ctx;

    if ((*m)->type == MSG_JOB && r->job_count < JOBS_MAX) {
        r->held[r->held_count++] = (*m)->job.d;
        r->jobs[r->job_count++] = *m;
        *m = NULL;
    } else if ((*m)->type == MSG_CONTROL_REPLY) {
        msg_free(&r->reply);
        r->reply = *m;
        *m = NULL;
    }
}

static struct bus_plug *open_plug(struct rig *r, enum bus_kind kind, const char *plug)
{
    struct bus_def def = {
        .kind = kind, .service = "scheduler", .plug = plug, .where = "ipc", .on_msg = on_message, .ctx = r
    };
    struct err err = { 0 };
    struct bus_plug *p = bus_open(r->bus, &def, &err);

    assert_non_null(p);
    return p;
}

static struct rig *rig_new(void)
{
    struct rig *r = xcalloc(1, sizeof(*r));
    struct err err = { 0 };

    stage_init(&r->on);
    setenv("JOB_DEADLINE", "5s", 1);
    setenv("DONE_DEADLINE", "300ms", 1);
    setenv("FLOOR_INTERVAL", "100ms", 1);
    CHECK_OK(db_open(&r->db, r->on.url, &err), err);
    stage_add_portal(&r->on, "main", "https://p.example/rest/1/s3cr3t/", "crm_", 250);
    stage_start(&r->on);
    r->bus = bus_new(&r->on.loop, r->on.run_dir, "fetcher.1");
    r->fetcher = open_plug(r, BUS_DEALER_CONNECT, "router");
    r->dones = open_plug(r, BUS_PUSH_CONNECT, "done");
    r->boot = 77;
    r->credit = 4;
    uv_timer_init(&r->on.loop, &r->ready);
    r->ready.data = r;
    uv_timer_start(&r->ready, send_ready, 0, 50);
    return r;
}

static void rig_free(struct rig *r)
{
    stage_stop(&r->on);
    uv_close((uv_handle_t *)&r->ready, NULL);
    bus_free(&r->bus);
    stage_fini(&r->on);
    for (int i = 0; i < r->job_count; i++)
        msg_free(&r->jobs[i]);
    msg_free(&r->reply);
    db_close(&r->db);
    free(r);
}

/* ---- waiting ---- */

static int64_t get(struct rig *r, const char *sql)
{
    struct err err = { 0 };
    int64_t ret;

    CHECK_OK(db_get_i64(r->db, sql, DB_NOARGS, -1, &ret, &err), err);
    return ret;
}

static void run_sql(struct rig *r, const char *sql)
{
    struct err err = { 0 };

    CHECK_OK(db_begin(r->db, &err), err);
    CHECK_OK(db_run(r->db, sql, DB_NOARGS, NULL, NULL, NULL, &err), err);
    CHECK_OK(db_commit(r->db, &err), err);
}

static struct msg *next_job(struct rig *r)
{
    WAIT_FOR(&r->on, r->job_count > r->taken);
    return r->jobs[r->taken++];
}

/* Turns of the loop enough for anything that would be sent now. */
static void turns(struct rig *r, uint64_t ms)
{
    uint64_t until_ms = clock_mono_ms() + ms;

    while (clock_mono_ms() < until_ms)
        uv_run(&r->on.loop, UV_RUN_ONCE);
}

/* ---- what the neighbours say ---- */

static void let_go(struct rig *r, uint64_t d)
{
    for (size_t i = 0; i < r->held_count; i++)
        if (r->held[i] == d)
            r->held[i] = r->held[--r->held_count];
}

static struct msg *report(const struct msg *job, const char *outcome)
{
    struct msg *m = msg_new(MSG_REPORT);

    m->report = (struct msg_report){ .job = job->job.job,
        .d = job->job.d,
        .portal = STR("main"),
        .outcome = str_of(outcome),
        .requests = 1,
        .records = 100,
        .bytes = 100000 };
    return m;
}

static void send_report(struct rig *r, struct msg *m)
{
    let_go(r, m->report.d);
    CHECK_EQ(bus_send(r->fetcher, &m), BUS_SENT);
}

static void fail_job(
    struct rig *r, const struct msg *job, enum err_kind kind, unsigned status, const char *text)
{
    struct msg *m = report(job, "failed");

    m->report.error_kind = str_of(err_kind_name(kind));
    m->report.error_code = status;
    m->report.error = str_of(text);
    send_report(r, m);
}

/* The probe's answer: two fields, so many records. */
static void answer_probe(struct rig *r, const struct msg *job, uint64_t total)
{
    static const struct field fields[] = { { STR("ID"), STR("integer"), false, HOLD_NOT },
        { STR("TITLE"), STR("string"), false, HOLD_NOT } };
    struct buf schema, learnt;
    struct probe_entity e = { .entity = STR("deals"), .least_id = 1, .most_id = 2 * total, .total = total };
    struct msg *m = report(job, "learnt");

    buf_init(&schema, 4096);
    buf_init(&learnt, 8192);
    schema_encode(fields, 2, &schema);
    e.schema = buf_view(&schema);
    probe_encode(&(struct probe){ .entities = &e, .count = 1 }, &learnt);
    m->report.learnt = buf_view(&learnt);
    send_report(r, m);
    buf_fini(&schema);
    buf_fini(&learnt);
}

/* What the writer's transaction does to the job and its run; then its DONE, unless that is lost. */
static void commit(struct rig *r, const struct msg *job, bool tell)
{
    char sql[300];

    snprintf(sql, sizeof(sql), "UPDATE potok_job SET state = 'done' WHERE id = %llu AND d = %llu",
        (unsigned long long)job->job.job, (unsigned long long)job->job.d);
    run_sql(r, sql);
    run_sql(r, "UPDATE potok_run SET state = 'done', finished_ms = 1 WHERE state = 'open' "
               "AND NOT EXISTS (SELECT 1 FROM potok_job j WHERE j.run = potok_run.id AND j.state = 'open')");
    if (!tell)
        return;
    struct msg *m = msg_new(MSG_DONE);
    m->done = (struct msg_done){ .job = job->job.job,
        .d = job->job.d,
        .portal = STR("main"),
        .entity = STR("deals"),
        .outcome = STR("ok"),
        .written = 100 };
    CHECK_EQ(bus_send(r->dones, &m), BUS_SENT);
}

static json_t *ask(struct rig *r, const char *command, const char *args)
{
    struct msg *m = msg_new(MSG_CONTROL);
    char correlation[UUID_SIZE];

    memcpy(correlation, m->correlation, sizeof(correlation));
    m->control = (struct msg_control){ .command = str_of(command), .args = str_of(args) };
    msg_free(&r->reply);
    WAIT_FOR(&r->on, bus_peers(r->fetcher) > 0 && bus_send(r->fetcher, &m) == BUS_SENT);
    WAIT_FOR(&r->on, r->reply != NULL);
    CHECK_STR(r->reply->correlation, correlation);
    return json_loadb(r->reply->control_reply.body.p, r->reply->control_reply.body.n, 0, NULL);
}

static uint64_t begin_sync(struct rig *r)
{
    json_t *body = ask(r, "sync", "{\"entities\":[\"deal\"]}");
    json_t *run = json_array_get(json_object_get(body, "runs"), 0);
    uint64_t id = (uint64_t)json_integer_value(json_object_get(run, "id"));

    CHECK_STR(json_string_value(json_object_get(run, "table")), "crm_deals");
    json_decref(body);
    CHECK(id > 0);
    return id;
}

/* A sync up to its first range job. */
static struct msg *first_range(struct rig *r, uint64_t total)
{
    begin_sync(r);
    struct msg *job = next_job(r);

    CHECK_VIEW(job->job.kind, "probe");
    CHECK_VIEW(job->job.entities, "deals");
    answer_probe(r, job, total);
    job = next_job(r);
    CHECK_VIEW(job->job.kind, "range");
    return job;
}

static bool run_is(struct rig *r, const char *state)
{
    char sql[120];

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM potok_run WHERE state = '%s'", state);
    return get(r, sql) == 1;
}

/* ---- stories ---- */

TEST(a_sync_goes_from_probe_to_ranges_to_done)
{
    struct rig *r = rig_new();
    struct msg *jobs[2] = { first_range(r, 12000), NULL };

    jobs[1] = next_job(r);
    CHECK_EQ(jobs[0]->job.first, 1);
    CHECK_EQ(jobs[1]->job.first, jobs[0]->job.last + 1);
    CHECK(jobs[1]->job.last == RANGE_OPEN);
    CHECK(jobs[1]->job.d != jobs[0]->job.d);
    CHECK(jobs[0]->job.pages == 50 && jobs[0]->job.schema.n > 0);
    CHECK_VIEW(jobs[0]->job.table, "crm_deals");
    for (int i = 0; i < 2; i++) {
        send_report(r, report(jobs[i], "sent"));
        commit(r, jobs[i], true);
    }
    WAIT_FOR(&r->on, r->on.s->portals[0].portal.mirrors[0].run == 0);
    CHECK_EQ(r->on.s->flights.count, 0);
    CHECK(r->on.s->portals[0].portal.jobs == NULL);
    WAIT_FOR(&r->on, get(r, "SELECT requests FROM potok_run") == 3);
    json_t *status = ask(r, "status", "");
    json_t *run = json_array_get(json_object_get(status, "runs"), 0);
    CHECK_STR(json_string_value(json_object_get(run, "state")), "done");
    CHECK_EQ(json_integer_value(json_object_get(run, "requests")), 3);
    json_decref(status);
    rig_free(r);
}

TEST(done_may_overtake_report)
{
    struct rig *r = rig_new();
    struct msg *job = first_range(r, 100);

    commit(r, job, true);
    WAIT_FOR(&r->on, r->on.s->portals[0].portal.mirrors[0].run == 0);
    CHECK_EQ(flights_unfinished(&r->on.s->flights), 0);
    CHECK_EQ(flights_calls(&r->on.s->flights, 0), 1);
    send_report(r, report(job, "sent"));
    WAIT_FOR(&r->on, r->on.s->flights.count == 0);
    rig_free(r);
}

TEST(rows_that_are_lost_on_the_way_are_read_again)
{
    struct rig *r = rig_new();
    struct msg *job = first_range(r, 100);

    send_report(r, report(job, "sent")); /* and nothing more */
    struct msg *again = next_job(r);
    CHECK_EQ(again->job.job, job->job.job);
    CHECK(again->job.d > job->job.d);
    send_report(r, report(again, "sent"));
    commit(r, again, true);
    WAIT_FOR(&r->on, run_is(r, "done") && r->on.s->flights.count == 0);
    rig_free(r);
}

/* The model's search ranges-in-memory: the continuation is found in the database, whoever lost the word of
 * it. */
TEST(ranges_in_memory__a_lost_done_costs_nothing_but_time)
{
    struct rig *r = rig_new();
    struct msg *job = first_range(r, 100);

    send_report(r, report(job, "sent"));
    run_sql(r, "INSERT INTO potok_job (run, portal, entity, kind, first, last, state) "
               "SELECT run, portal, entity, kind, 51, last, 'open' FROM potok_job WHERE kind = 'range'");
    commit(r, job, false);
    struct msg *rest = next_job(r);
    CHECK(rest->job.job != job->job.job);
    CHECK_EQ(rest->job.first, 51);
    rig_free(r);
}

TEST(ranges_in_memory__a_new_scheduler_goes_on_where_the_old_one_was)
{
    struct rig *r = rig_new();
    struct msg *job = first_range(r, 12000), *old = next_job(r);

    commit(r, job, false);
    stage_stop(&r->on);
    stage_start(&r->on);
    r->held_count = 0;
    struct msg *again = next_job(r);
    while (!str_is(again->job.kind, "range")) { /* bounds are asked for once more */
        answer_probe(r, again, 12000);
        again = next_job(r);
    }
    CHECK_EQ(again->job.job, old->job.job);
    CHECK_EQ(again->job.epoch, 2);
    CHECK(again->job.d > old->job.d);
    CHECK_EQ(again->job.first, old->job.first);
    rig_free(r);
}

TEST(the_jobs_of_a_restarted_fetcher_are_sent_again_at_once)
{
    struct rig *r = rig_new();
    struct msg *job = first_range(r, 100);
    uint64_t began_ms = clock_mono_ms();

    r->boot = 78;
    r->held_count = 0;
    struct msg *again = next_job(r);
    CHECK_EQ(again->job.job, job->job.job);
    CHECK(clock_mono_ms() < began_ms + 4000); /* far from JOB_DEADLINE */
    rig_free(r);
}

TEST(floor__stays_below_what_is_awaited_and_rises_when_it_ends)
{
    struct rig *r = rig_new();
    struct msg *job = first_range(r, 100);

    WAIT_FOR(&r->on, get(r, "SELECT floor FROM potok_entity") == (int64_t)job->job.d - 1);
    send_report(r, report(job, "sent"));
    turns(r, 150);
    CHECK_EQ(get(r, "SELECT floor FROM potok_entity"), (int64_t)job->job.d - 1);
    commit(r, job, true);
    WAIT_FOR(&r->on, get(r, "SELECT floor FROM potok_entity") == (int64_t)job->job.d);
    rig_free(r);
}

TEST(a_wrong_webhook_fails_the_runs_and_stops_the_portal_until_the_next_sync)
{
    struct rig *r = rig_new();

    begin_sync(r);
    fail_job(r, next_job(r), ERR_AUTH, 401, "INVALID_CREDENTIALS: make a new webhook");
    WAIT_FOR(&r->on, run_is(r, "failed"));
    turns(r, 300);
    CHECK_EQ(r->job_count, 1);
    json_t *status = ask(r, "status", "");
    json_t *portal = json_array_get(json_object_get(status, "portals"), 0);
    CHECK_STR(json_string_value(json_object_get(portal, "state")), "stopped");
    CHECK_HAS(json_string_value(json_object_get(portal, "error")), "INVALID_CREDENTIALS");
    CHECK(strstr(json_string_value(json_object_get(portal, "url")), "s3cr3t") == NULL);
    json_decref(status);
    begin_sync(r);
    CHECK_VIEW(next_job(r)->job.kind, "probe");
    rig_free(r);
}

TEST(a_limit_pauses_the_portal_for_as_long_as_it_says)
{
    struct rig *r = rig_new();
    struct msg *job = first_range(r, 100), *m = report(job, "failed");
    uint64_t began_ms = clock_mono_ms();

    m->report.error_kind = STR("wait");
    m->report.error_code = 503;
    m->report.error = STR("QUERY_LIMIT_EXCEEDED");
    m->report.retry_ms = 700;
    send_report(r, m);
    struct msg *again = next_job(r);
    CHECK_EQ(again->job.job, job->job.job);
    CHECK(clock_mono_ms() >= began_ms + 690);
    CHECK_EQ(r->on.s->portals[0].portal.refusals, 1);
    rig_free(r);
}

/* The portal blocks a method for minutes; each call of ours is the method "batch". */
TEST(a_batch_that_is_blocked_pauses_the_portal)
{
    struct rig *r = rig_new();
    struct msg *job = first_range(r, 12000), *other = next_job(r), *m = report(job, "failed");
    uint64_t began_ms = clock_mono_ms();

    m->report.error_kind = STR("wait");
    m->report.error_code = 429;
    m->report.error = STR("batch OPERATION_TIME_LIMIT");
    m->report.blocked = STR("batch");
    m->report.retry_ms = 700;
    send_report(r, m);
    send_report(r, report(other, "sent"));
    commit(r, other, true);
    struct msg *again = next_job(r);
    CHECK_EQ(again->job.job, job->job.job);
    CHECK(clock_mono_ms() >= began_ms + 690);
    rig_free(r);
}

TEST(fields_that_only_records_show_are_learnt_before_the_next_reading)
{
    struct rig *r = rig_new();
    struct msg *job = first_range(r, 100), *m = report(job, "failed");

    m->report.error_kind = STR("temp");
    m->report.error_code = 200;
    m->report.unknown = STR("UF_NEW");
    send_report(r, m);
    struct msg *probe = next_job(r);
    CHECK_VIEW(probe->job.kind, "probe");
    answer_probe(r, probe, 100);
    struct msg *again = next_job(r);
    struct schema s;
    struct err err = { 0 };
    CHECK_EQ(again->job.job, job->job.job);
    CHECK_OK(schema_decode(&s, again->job.schema, &err), err);
    const struct field *f = schema_find(&s, STR("UF_NEW"));
    CHECK(f != NULL && str_is(f->type, "unknown"));
    schema_free(&s);
    rig_free(r);
}

/* The model's search no-split, with the shell around it. */
TEST(no_split__a_record_that_cannot_be_read_ends_aside_and_the_rest_is_read)
{
    struct rig *r = rig_new();
    struct msg *job = first_range(r, 8);
    uint64_t poison = 5;

    r->credit = 1;
    for (int n = 0; n < 60 && get(r, "SELECT count(*) FROM potok_job WHERE state = 'aside'") == 0; n++) {
        bool bad = str_is(job->job.kind, "range") && job->job.first <= poison && poison <= job->job.last;

        if (str_is(job->job.kind, "probe"))
            answer_probe(r, job, 8);
        else if (bad)
            fail_job(r, job, ERR_PERM, 200, "the record is broken");
        else {
            send_report(r, report(job, "sent"));
            commit(r, job, true);
        }
        WAIT_FOR(&r->on,
            r->job_count > r->taken || get(r, "SELECT count(*) FROM potok_job WHERE state = 'aside'") == 1);
        if (r->job_count > r->taken)
            job = next_job(r);
        if (r->job_count > JOBS_MAX - 2)
            break;
    }
    CHECK_EQ(get(r, "SELECT first FROM potok_job WHERE state = 'aside'"), 5);
    CHECK_EQ(get(r, "SELECT id FROM potok_mark"), 5);
    CHECK_EQ(get(r, "SELECT count(*) FROM potok_reject WHERE id = 5 AND field = ''"), 1);
    rig_free(r);
}

TEST(no_split__a_list_that_always_fails_ends_the_run_with_its_error)
{
    struct rig *r = rig_new();
    struct msg *job = first_range(r, 500);
    int n = 0;

    for (; n < JOBS_MAX - 4 && !run_is(r, "failed"); n++) {
        if (str_is(job->job.kind, "probe"))
            answer_probe(r, job, 500);
        else
            fail_job(r, job, ERR_PERM, 200, "Parameter 'order' must be array");
        WAIT_FOR(&r->on, r->job_count > r->taken || run_is(r, "failed"));
        if (r->job_count > r->taken)
            job = next_job(r);
    }
    CHECK(run_is(r, "failed"));
    CHECK_EQ(get(r, "SELECT count(*) FROM potok_run WHERE error LIKE '%must be array%'"), 1);
    CHECK_EQ(get(r, "SELECT count(*) FROM potok_job WHERE state <> 'done'"), 0);
    CHECK_EQ(get(r, "SELECT count(*) FROM potok_mark"), 0);
    rig_free(r);
}

/* With the number it gets, so also when we are killed; one that was not made is taken back. */
TEST(the_calls_of_a_run_are_counted_when_they_are_sent)
{
    struct rig *r = rig_new();

    begin_sync(r);
    struct msg *job = next_job(r);

    CHECK_EQ(get(r, "SELECT requests FROM potok_run"), 1);
    fail_job(r, job, ERR_AUTH, 401, "INVALID_CREDENTIALS");
    WAIT_FOR(&r->on, run_is(r, "failed"));
    CHECK_EQ(get(r, "SELECT requests FROM potok_run"), 1);
    r->on.s->floor_interval_ms = 600000; /* nothing is written now and then */
    r->on.s->portals[0].portal.requests_at_ms = clock_mono_ms();
    job = first_range(r, 100);
    CHECK_EQ(get(r, "SELECT requests FROM potok_run WHERE id = 2"), 2);
    struct msg *m = report(job, "failed");

    m->report.requests = 0;
    m->report.error_kind = STR("temp");
    m->report.error = STR("no connection");
    r->silent = true; /* and nobody takes it again */
    send_report(r, m);
    WAIT_FOR(&r->on, portal_calls_of(&r->on.s->portals[0].portal, 2) == -1);
    stage_stop(&r->on);
    CHECK_EQ(get(r, "SELECT requests FROM potok_run WHERE id = 2"), 1);
    stage_start(&r->on);
    rig_free(r);
}

static const char *said_while_stopping(struct rig *r)
{
    static char text[1 << 16];
    char path[160];
    int saved = dup(STDERR_FILENO), file;

    snprintf(path, sizeof(path), "%s/said", check_folder());
    file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
    fflush(stderr);
    log_init("scheduler.1", LOG_INFO);
    dup2(file, STDERR_FILENO);
    stage_stop(&r->on);
    dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t n = pread(file, text, sizeof(text) - 1, 0);

    close(file);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

TEST(a_run_that_ended_unseen_is_told_at_the_stop_and_once)
{
    struct rig *r = rig_new();
    struct msg *job = first_range(r, 100);

    send_report(r, report(job, "sent"));
    WAIT_FOR(&r->on, r->on.s->flights.count == 1 && r->on.s->flights.list[0].phase == FLIGHT_REPORTED);
    commit(r, job, false);
    const char *said = said_while_stopping(r);

    CHECK_HAS(said, "\"sync.finished\"");
    CHECK_HAS(said, "\"state\":\"done\"");
    CHECK(strstr(strstr(said, "sync.finished") + 1, "sync.finished") == NULL);
    stage_start(&r->on);
    CHECK(strstr(said_while_stopping(r), "sync.finished") == NULL);
    stage_start(&r->on);
    rig_free(r);
}

TEST(marks_are_read_by_list_and_by_get)
{
    struct rig *r = rig_new();
    struct msg *job = first_range(r, 100);

    run_sql(r, "INSERT INTO potok_mark (portal, entity, id, k, ask) VALUES ('main', 'deals', 3, 1, 0), "
               "('main', 'deals', 4, 1, 1), ('main', 'deals', 9, 1, 0)");
    send_report(r, report(job, "sent"));
    commit(r, job, true);
    struct msg *a = next_job(r), *b = next_job(r), *ids = str_is(a->job.kind, "ids") ? a : b,
               *get_job = ids == a ? b : a;
    CHECK_EQ(ids->job.ids.n, 2);
    CHECK_EQ(ids->job.ids.p[1], 9);
    CHECK_VIEW(get_job->job.kind, "get");
    CHECK_EQ(get_job->job.ids.n, 1);
    CHECK_EQ(get_job->job.ids.p[0], 4);
    CHECK_EQ(get_job->job.run, job->job.run); /* what it finds is counted there */
    turns(r, 300);
    CHECK_EQ(r->job_count, r->taken); /* none is in flight twice */
    rig_free(r);
}

TEST(a_lost_lease_begins_the_service_anew)
{
    struct rig *r = rig_new();

    run_sql(r, "UPDATE potok_lease SET epoch = epoch + 1");
    struct msg *m = msg_new(MSG_CONTROL);
    m->control = (struct msg_control){ .command = STR("sync") };
    WAIT_FOR(&r->on, bus_peers(r->fetcher) > 0 && bus_send(r->fetcher, &m) == BUS_SENT);
    WAIT_FOR(&r->on, r->on.app.stopping);
    CHECK(r->on.inside.again);
    CHECK_EQ(r->on.inside.exit_code, 0);
    CHECK_EQ(r->job_count, 0);
    rig_free(r);
}

TEST(an_idle_scheduler_learns_by_its_beat_that_another_took_over)
{
    struct rig *r = rig_new();

    run_sql(r, "UPDATE potok_lease SET epoch = epoch + 1, holder = 'scheduler.2 x 1 - b'");
    WAIT_FOR(&r->on, r->on.app.stopping);
    CHECK(r->on.inside.again);
    stage_stop(&r->on);
    CHECK_EQ(get(r, "SELECT count(*) FROM potok_lease WHERE holder = 'scheduler.2 x 1 - b'"), 1);
    run_sql(r, "UPDATE potok_lease SET holder = NULL");
    stage_start(&r->on);
    rig_free(r);
}

TEST(a_standby_binds_nothing_until_the_holder_stands_still)
{
    struct rig *r = rig_new();
    uint64_t begun_ms = clock_mono_ms();
    struct buf why;

    stage_stop(&r->on);
    run_sql(r, "UPDATE potok_lease SET holder = 'scheduler.2 x 1 - b'");
    setenv("SCHEDULER_TAKEOVER", "1500ms", 1);
    stage_start(&r->on);
    buf_init(&why, 1000);
    CHECK(!SCHEDULER.ready(r->on.s, &why) && SCHEDULER.standby(r->on.s));
    CHECK_STR(buf_cstr(&why), "standby: the lease is held by scheduler.2 on x (pid 1)");
    buf_fini(&why);
    turns(r, 700);
    run_sql(r, "UPDATE potok_lease SET beat_ms = beat_ms - 3600000"); /* its clock stepped: it lives */
    begun_ms = clock_mono_ms();
    turns(r, 1200);
    CHECK(r->on.s->router == NULL && r->on.s->dones == NULL);
    CHECK_EQ(get(r, "SELECT epoch FROM potok_lease"), 1);
    WAIT_FOR(&r->on, !SCHEDULER.standby(r->on.s));
    CHECK(clock_mono_ms() - begun_ms >= 1500);
    CHECK_EQ(get(r, "SELECT epoch FROM potok_lease"), 2);
    setenv("SCHEDULER_TAKEOVER", "3s", 1);
    first_range(r, 100);
    rig_free(r);
}

TEST(commands_that_cannot_be_are_told_why)
{
    static const struct {
        const char *command, *args, *why;
    } cases[] = {
        { "sync", "{\"entities\":[\"dogs\"]}", "unknown entity \"dogs\": portal main mirrors deals" },
        { "sync", "{\"entities\":[\"leads\"]}", "portal main mirrors deals" },
        { "sync", "{\"portal\":\"two\"}", "no portal \"two\"" },
        { "sync", "[1]", "not a JSON object" },
        { "sync", "{", "not a JSON object" },
        { "dance", "", "no command \"dance\"" },
    };
    struct rig *r = rig_new();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_decref(ask(r, cases[i].command, cases[i].args));
        CHECK_VIEW(r->reply->control_reply.outcome, "failed");
        char *why = str_dup(r->reply->control_reply.error);
        CHECK_HAS(why, cases[i].why);
        free(why);
    }
    CHECK_EQ(get(r, "SELECT count(*) FROM potok_run"), 0);
    json_t *config = ask(r, "config", "");
    json_t *portal = json_array_get(json_object_get(config, "portals"), 0);
    CHECK_EQ(json_array_size(json_object_get(portal, "entities")), 1);
    json_decref(config);
    rig_free(r);
}

TEST(without_a_portal_the_start_says_what_to_set)
{
    struct scheduler *s = xcalloc(1, sizeof(*s));
    struct config none = { .portal_count = 0 };
    uv_loop_t loop;
    struct app app = { .config = &none, .loop = &loop };
    struct err err = { 0 };

    uv_loop_init(&loop);
    CHECK_OK(settings_load(SCHEDULER.settings, s, NULL, NULL, &err), err);
    CHECK_EQ(SCHEDULER.start(&app, s, &err), -1);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_STR(err.text, "no portal: set BITRIX_WEBHOOK_URL or write portals: in potok.yaml");
    SCHEDULER.stop(s);
    while (uv_run(&loop, UV_RUN_ONCE) != 0)
        ;
    CHECK_EQ(uv_loop_close(&loop), 0);
    settings_free(SCHEDULER.settings, s);
    free(s);
}

TEST_MAIN(CASE(a_sync_goes_from_probe_to_ranges_to_done), CASE(done_may_overtake_report),
    CASE(rows_that_are_lost_on_the_way_are_read_again),
    CASE(ranges_in_memory__a_lost_done_costs_nothing_but_time),
    CASE(ranges_in_memory__a_new_scheduler_goes_on_where_the_old_one_was),
    CASE(the_jobs_of_a_restarted_fetcher_are_sent_again_at_once),
    CASE(floor__stays_below_what_is_awaited_and_rises_when_it_ends),
    CASE(a_wrong_webhook_fails_the_runs_and_stops_the_portal_until_the_next_sync),
    CASE(a_limit_pauses_the_portal_for_as_long_as_it_says), CASE(a_batch_that_is_blocked_pauses_the_portal),
    CASE(fields_that_only_records_show_are_learnt_before_the_next_reading),
    CASE(no_split__a_record_that_cannot_be_read_ends_aside_and_the_rest_is_read),
    CASE(no_split__a_list_that_always_fails_ends_the_run_with_its_error),
    CASE(the_calls_of_a_run_are_counted_when_they_are_sent),
    CASE(a_run_that_ended_unseen_is_told_at_the_stop_and_once), CASE(marks_are_read_by_list_and_by_get),
    CASE(a_lost_lease_begins_the_service_anew),
    CASE(an_idle_scheduler_learns_by_its_beat_that_another_took_over),
    CASE(a_standby_binds_nothing_until_the_holder_stands_still), CASE(commands_that_cannot_be_are_told_why),
    CASE(without_a_portal_the_start_says_what_to_set))
