/* rig.h - the scheduler on a loop with a real database; the test plays fetcher, writer and operator. */
#pragma once

#include "proto/probe.h"
#include "proto/schema.h"
#include "proto/wire.h"
#include "unit/scheduler/stage.h"

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
    int replies, refused; /* CONTROL_REPLY: all, and those that failed */
    uint64_t acked; /* `last` of the newest EVENT_ACK */
    uv_timer_t ready;
    bool silent, forget; /* send no READY; hold nothing */
    uint64_t held[JOBS_MAX];
    size_t held_count;
};

static inline void rig_send_ready(uv_timer_t *timer)
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

static inline void rig_on_message(void *ctx, struct bus_plug *plug, struct bus_peer from, struct msg **m)
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
        r->replies++;
        r->refused += str_is(r->reply->control_reply.outcome, "failed");
    } else if ((*m)->type == MSG_EVENT_ACK) {
        r->acked = (*m)->event_ack.last;
    }
}

static inline struct bus_plug *rig_open_plug(struct rig *r, enum bus_kind kind, const char *plug)
{
    struct bus_def def = {
        .kind = kind, .service = "scheduler", .plug = plug, .where = "ipc", .on_msg = rig_on_message, .ctx = r
    };
    struct err err = { 0 };
    struct bus_plug *p = bus_open(r->bus, &def, &err);

    assert_non_null(p);
    return p;
}

static inline struct rig *rig_new(void)
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
    r->fetcher = rig_open_plug(r, BUS_DEALER_CONNECT, "router");
    r->dones = rig_open_plug(r, BUS_PUSH_CONNECT, "done");
    r->boot = 77;
    r->credit = 4;
    uv_timer_init(&r->on.loop, &r->ready);
    r->ready.data = r;
    uv_timer_start(&r->ready, rig_send_ready, 0, 50);
    return r;
}

static inline void rig_free(struct rig *r)
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

static inline int64_t rig_get(struct rig *r, const char *sql)
{
    struct err err = { 0 };
    int64_t ret;

    CHECK_OK(db_get_i64(r->db, sql, DB_NOARGS, -1, &ret, &err), err);
    return ret;
}

static inline void rig_run(struct rig *r, const char *sql)
{
    struct err err = { 0 };

    CHECK_OK(db_begin(r->db, &err), err);
    CHECK_OK(db_run(r->db, sql, DB_NOARGS, NULL, NULL, NULL, &err), err);
    CHECK_OK(db_commit(r->db, &err), err);
}

static inline struct msg *rig_next_job(struct rig *r)
{
    WAIT_FOR(&r->on, r->job_count > r->taken);
    return r->jobs[r->taken++];
}

/* Turns of the loop enough for anything that would be sent now. */
static inline void rig_turns(struct rig *r, uint64_t ms)
{
    uint64_t until_ms = clock_mono_ms() + ms;

    while (clock_mono_ms() < until_ms)
        uv_run(&r->on.loop, UV_RUN_ONCE);
}

/* ---- what the neighbours say ---- */

static inline void rig_let_go(struct rig *r, uint64_t d)
{
    for (size_t i = 0; i < r->held_count; i++)
        if (r->held[i] == d)
            r->held[i] = r->held[--r->held_count];
}

static inline struct msg *rig_report(const struct msg *job, const char *outcome)
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

static inline void rig_send_report(struct rig *r, struct msg *m)
{
    rig_let_go(r, m->report.d);
    CHECK_EQ(bus_send(r->fetcher, &m), BUS_SENT);
}

static inline void rig_fail_job(
    struct rig *r, const struct msg *job, enum err_kind kind, unsigned status, const char *text)
{
    struct msg *m = rig_report(job, "failed");

    m->report.error_kind = str_of(err_kind_name(kind));
    m->report.error_code = status;
    m->report.error = str_of(text);
    rig_send_report(r, m);
}

/* The probe's answer: two fields, so many records. */
static inline void rig_answer_probe(struct rig *r, const struct msg *job, uint64_t total)
{
    static const struct field fields[] = { { STR("ID"), STR("integer"), false, HOLD_NOT },
        { STR("TITLE"), STR("string"), false, HOLD_NOT } };
    struct buf schema, learnt;
    struct probe_entity e = { .entity = STR("deals"), .least_id = 1, .most_id = 2 * total, .total = total };
    struct msg *m = rig_report(job, "learnt");

    buf_init(&schema, 4096);
    buf_init(&learnt, 8192);
    schema_encode(fields, 2, &schema);
    e.schema = buf_view(&schema);
    probe_encode(&(struct probe){ .entities = &e, .count = 1 }, &learnt);
    m->report.learnt = buf_view(&learnt);
    rig_send_report(r, m);
    buf_fini(&schema);
    buf_fini(&learnt);
}

/* What the writer's transaction does to the job and its run; then its DONE, unless that is lost. */
static inline void rig_commit(struct rig *r, const struct msg *job, bool tell)
{
    char sql[300];

    snprintf(sql, sizeof(sql), "UPDATE potok_job SET state = 'done' WHERE id = %llu AND d = %llu",
        (unsigned long long)job->job.job, (unsigned long long)job->job.d);
    rig_run(r, sql);
    rig_run(r, "UPDATE potok_run SET state = 'done', finished_ms = 1 WHERE state = 'open' "
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

static inline json_t *rig_ask(struct rig *r, const char *command, const char *args)
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

static inline uint64_t rig_begin_sync(struct rig *r)
{
    json_t *body = rig_ask(r, "sync", "{\"entities\":[\"deal\"]}");
    json_t *run = json_array_get(json_object_get(body, "runs"), 0);
    uint64_t id = (uint64_t)json_integer_value(json_object_get(run, "id"));

    CHECK_STR(json_string_value(json_object_get(run, "table")), "crm_deals");
    json_decref(body);
    CHECK(id > 0);
    return id;
}

/* A sync up to its first range job. */
static inline struct msg *rig_first_range(struct rig *r, uint64_t total)
{
    rig_begin_sync(r);
    struct msg *job = rig_next_job(r);

    CHECK_VIEW(job->job.kind, "probe");
    CHECK_VIEW(job->job.entities, "deals");
    rig_answer_probe(r, job, total);
    job = rig_next_job(r);
    CHECK_VIEW(job->job.kind, "range");
    return job;
}

static inline bool rig_run_is(struct rig *r, const char *state)
{
    char sql[120];

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM potok_run WHERE state = '%s'", state);
    return rig_get(r, sql) == 1;
}
