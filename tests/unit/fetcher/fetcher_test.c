#include "services/fetcher/fetcher.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "proto/probe.h"
#include "proto/schema.h"
#include "run/http_server.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* The fetcher on a loop with a portal, a scheduler and mappers that the test plays itself. */

#define WAIT_MS  10000
#define SEEN_MAX 64

struct seen { /* messages in the order they came, whatever plug they came by */
    struct msg *m[SEEN_MAX];
    const char *by[SEEN_MAX];
    int count;
};

struct rig {
    uv_loop_t loop;
    struct app app;
    struct config config;
    struct fetcher *fetcher;
    struct bus *bus; /* of the others */
    struct bus_plug *router, *bulk, *urgent;
    struct bus_peer peer;
    struct http_server *portal;
    int status, requests; /* of the portal: what it answers, what it was asked */
    const char *answer;
    bool silent;
    struct http_in *held[8];
    int held_count;
    char last_path[128], last_body[4096];
    struct seen seen;
    char run_dir[128], url[128];
    struct buf schema;
};

static void on_message(void *ctx, struct bus_plug *plug, struct bus_peer from, struct msg **m)
{
    struct rig *r = ctx;
    struct seen *s = &r->seen;

    if (plug == r->router)
        r->peer = from;
    if (s->count == SEEN_MAX) { /* READY comes every second: the oldest goes */
        msg_free(&s->m[0]);
        memmove(s->m, s->m + 1, sizeof(s->m) - sizeof(s->m[0]));
        memmove(s->by, s->by + 1, sizeof(s->by) - sizeof(s->by[0]));
        s->count--;
    }
    s->by[s->count] = plug == r->router ? "router" : plug == r->bulk ? "bulk" : "urgent";
    s->m[s->count++] = *m;
    *m = NULL;
}

static void on_request(struct http_in *in)
{
    struct rig *r = in->ctx;
    struct buf body;

    r->requests++;
    snprintf(r->last_path, sizeof(r->last_path), "%s", in->path);
    snprintf(r->last_body, sizeof(r->last_body), STR_FMT, STR_ARG(in->body));
    if (r->silent) {
        r->held[r->held_count++] = in;
        return;
    }
    buf_init(&body, 1 << 20);
    buf_str(&body, r->answer);
    http_reply(in, r->status, "application/json", &body, true, NULL);
}

/* ---- the rig ---- */

static struct bus_plug *open_plug(struct rig *r, enum bus_kind kind, const char *service, const char *plug)
{
    struct bus_def def = {
        .kind = kind, .service = service, .plug = plug, .where = "ipc", .on_msg = on_message, .ctx = r
    };
    struct err err = { 0 };
    struct bus_plug *p = bus_open(r->bus, &def, &err);

    if (p == NULL)
        fail_msg("%s", err.text);
    return p;
}

static void open_mappers(struct rig *r)
{
    r->bulk = open_plug(r, BUS_PULL_BIND, "mapper", "bulk");
    r->urgent = open_plug(r, BUS_PULL_BIND, "mapper", "urgent");
}

static void make_schema(struct rig *r)
{
    static const struct field fields[] = { { STR("ID"), STR("integer"), false, HOLD_NOT },
        { STR("TITLE"), STR("string"), false, HOLD_NOT } };

    buf_init(&r->schema, 4096);
    schema_encode(fields, ARRAY_SIZE(fields), &r->schema);
}

static struct rig *rig_new(bool with_mappers)
{
    static int number;
    struct rig *r = xcalloc(1, sizeof(*r));
    struct err err = { 0 };

    uv_loop_init(&r->loop);
    snprintf(r->run_dir, sizeof(r->run_dir), "%s/run%d", check_folder(), number++);
    mkdir(r->run_dir, 0700);
    r->status = 200;
    r->portal = http_server_new(&r->loop,
        &(struct http_server_def){ .listen = "127.0.0.1:0",
            .max_body_bytes = 1 << 20,
            .idle_timeout_s = 30,
            .handler = on_request,
            .ctx = r },
        &err);
    assert_non_null(r->portal);
    snprintf(r->url, sizeof(r->url), "http://%s/rest/1/s3cr3t/", http_server_address(r->portal));
    r->config.portals[0] = (struct config_portal){ .name = (char *)"main", .url = r->url };
    r->config.portal_count = 1;
    r->bus = bus_new(&r->loop, r->run_dir, "test.1");
    r->router = open_plug(r, BUS_ROUTER_BIND, "scheduler", "router");
    if (with_mappers)
        open_mappers(r);
    make_schema(r);

    r->app = (struct app){ .loop = &r->loop, .def = &FETCHER, .config = &r->config, .instance = "fetcher.1" };
    r->app.bus = bus_new(&r->loop, r->run_dir, "fetcher.1");
    r->fetcher = xcalloc(1, sizeof(*r->fetcher));
    CHECK_OK(settings_load(FETCHER.settings, r->fetcher, NULL, NULL, &err), err);
    CHECK_OK(FETCHER.start(&r->app, r->fetcher, &err), err);
    return r;
}

static void rig_free(struct rig *r)
{
    FETCHER.stop(r->fetcher);
    settings_free(FETCHER.settings, r->fetcher);
    bus_free(&r->app.bus);
    bus_free(&r->bus);
    http_server_free(&r->portal);
    while (uv_run(&r->loop, UV_RUN_ONCE) != 0)
        ;
    CHECK_EQ(uv_loop_close(&r->loop), 0);
    for (int i = 0; i < r->seen.count; i++)
        msg_free(&r->seen.m[i]);
    buf_fini(&r->schema);
    free(r->fetcher);
    free(r);
}

/* ---- waiting ---- */

static void on_wake(uv_timer_t *timer)
{
}

/* Turns the loop until `is` holds; false after WAIT_MS. */
static bool wait_for(struct rig *r, bool (*is)(struct rig *r, uint64_t arg), uint64_t arg)
{
    uint64_t until_ms = clock_mono_ms() + WAIT_MS;
    uv_timer_t wake;

    uv_timer_init(&r->loop, &wake);
    uv_timer_start(&wake, on_wake, 20, 20);
    while (!is(r, arg) && clock_mono_ms() < until_ms)
        uv_run(&r->loop, UV_RUN_ONCE);
    bool held = is(r, arg);
    uv_close((uv_handle_t *)&wake, NULL);
    uv_run(&r->loop, UV_RUN_NOWAIT);
    return held;
}

static const struct msg *last_of(struct rig *r, enum msg_type type)
{
    for (int i = r->seen.count - 1; i >= 0; i--)
        if (r->seen.m[i]->type == type)
            return r->seen.m[i];
    return NULL;
}

static int place_of(struct rig *r, enum msg_type type)
{
    for (int i = 0; i < r->seen.count; i++)
        if (r->seen.m[i]->type == type)
            return i;
    return -1;
}

static int count_of(struct rig *r, enum msg_type type)
{
    int count = 0;

    for (int i = 0; i < r->seen.count; i++)
        count += r->seen.m[i]->type == type;
    return count;
}

static bool has_credit(struct rig *r, uint64_t credit)
{
    const struct msg *m = last_of(r, MSG_READY);

    return m != NULL && m->ready.credit == credit;
}

static bool is_there(struct rig *r, uint64_t arg)
{
    return last_of(r, MSG_READY) != NULL;
}

static bool has_reports(struct rig *r, uint64_t count)
{
    return count_of(r, MSG_REPORT) >= (int)count;
}

static bool was_asked(struct rig *r, uint64_t count)
{
    return r->requests >= (int)count;
}

static bool has_left(struct rig *r, uint64_t arg)
{
    return r->app.stopping && !uv_is_active((uv_handle_t *)&r->fetcher->tick);
}

/* Something waits for the bus, and a READY was sent since. */
static bool is_waiting(struct rig *r, uint64_t d)
{
    const struct msg *m = last_of(r, MSG_READY);

    return r->requests > 0 && m != NULL && m->ready.holding.n == 1 && m->ready.holding.p[0] == d &&
           metric_series("potok_fetcher_answer_bytes_total", "", METRIC_COUNTER, NULL)->value > 0;
}

/* ---- jobs ---- */

static struct msg *job_new(struct rig *r, const char *kind, uint64_t d)
{
    struct msg *m = msg_new(MSG_JOB);

    m->job = (struct msg_job){ .job = 100 + d,
        .d = d,
        .epoch = 3,
        .run = 4,
        .portal = STR("main"),
        .kind = str_of(kind),
        .entity = STR("deals"),
        .table = STR("crm_deals"),
        .first = 1,
        .last = RANGE_OPEN,
        .pages = 1,
        .schema = buf_view(&r->schema),
        .deadline_ms = 5000 };
    return m;
}

static void send_job(struct rig *r, struct msg *m)
{
    CHECK(wait_for(r, is_there, 0));
    CHECK_EQ(bus_send_to(r->router, r->peer, &m), BUS_SENT);
}

/* Sends the job to a portal that answers so, and gives the REPORT. */
static const struct msg_report *report_of(struct rig *r, struct msg *m, int status, const char *answer)
{
    r->status = status;
    r->answer = answer;
    send_job(r, m);
    CHECK(wait_for(r, has_reports, 1));
    return &last_of(r, MSG_REPORT)->report;
}

#define LIST \
    "{\"result\":{\"result\":{\"p49\":[{\"ID\":\"6\"}],\"p00\":[{\"ID\":\"5\",\"TITLE\":\"a\"},{\"ID\":6," \
    "\"TITLE\":null}]}," \
    "\"result_error\":[],\"result_time\":{\"p00\":{\"operating\":1.25,\"operating_reset_at\":1778747792}}}," \
    "\"time\":{\"finish\":1778747193.5}}"

TEST(a_range_becomes_records_and_then_a_report)
{
    struct rig *r = rig_new(true);
    struct msg *job = job_new(r, "range", 9);
    char correlation[UUID_SIZE];

    memcpy(correlation, job->correlation, sizeof(correlation));
    const struct msg_report *report = report_of(r, job, 200, LIST);
    CHECK_VIEW(report->outcome, "sent");
    CHECK_EQ(report->job, 109);
    CHECK_EQ(report->d, 9);
    CHECK_EQ(report->requests, 1);
    CHECK_EQ(report->records, 2);
    CHECK_EQ(report->bytes, strlen(LIST));
    CHECK(report->operating.n > 0);
    CHECK_STR(r->last_path, "/rest/1/s3cr3t/batch.json");
    CHECK_HAS(r->last_body, "\"p00\":\"crm.deal.list?");

    const struct msg *m = last_of(r, MSG_RECORDS);
    assert_non_null(m);
    CHECK_STR(r->seen.by[place_of(r, MSG_RECORDS)], "bulk");
    CHECK_STR(m->correlation, correlation);
    CHECK_EQ(m->records.d, 9);
    CHECK_EQ(m->records.epoch, 3);
    CHECK_EQ(m->records.run, 4);
    CHECK_EQ(m->records.first, 1);
    CHECK_EQ(m->records.last, RANGE_OPEN);
    CHECK_EQ(m->records.next_first, 0);
    CHECK_EQ(m->records.count, 2);
    CHECK_EQ(m->records.fetched_ms, 1778747193500);
    CHECK_VIEW(m->records.table, "crm_deals");
    CHECK(str_eq(m->records.schema, buf_view(&r->schema)));
    CHECK(m->payload.n > 0);
    CHECK(wait_for(r, has_credit, 4));
    rig_free(r);
}

TEST(reads_by_id_go_by_the_urgent_lane)
{
    uint64_t ids[] = { 5, 6, 7 };
    struct rig *r = rig_new(true);
    struct msg *job = job_new(r, "ids", 1);

    job->job.ids = (struct ids){ ids, 3 };
    CHECK_VIEW(report_of(r, job, 200, LIST)->outcome, "sent");
    const struct msg *m = last_of(r, MSG_RECORDS);
    assert_non_null(m);
    CHECK_STR(r->seen.by[place_of(r, MSG_RECORDS)], "urgent");
    CHECK_EQ(m->records.asked.n, 3);
    CHECK_EQ(m->records.unlisted.n, 1);
    CHECK_EQ(m->records.unlisted.p[0], 7);
    rig_free(r);
}

TEST(what_a_portal_left_out_counts_as_not_asked)
{
    uint64_t ids[] = { 5, 6, 7 };
    struct rig *r = rig_new(true);
    struct msg *job = job_new(r, "get", 9);

    job->job.ids = (struct ids){ ids, 3 };
    const struct msg_report *report = report_of(r, job, 200,
        "{\"result\":{\"result\":{\"p00\":{\"ID\":5},\"p02\":{\"ID\":7}},"
        "\"result_error\":{\"p01\":{\"error\":\"OPERATION_TIME_LIMIT\"}}}}");
    CHECK_VIEW(report->outcome, "sent");
    CHECK_EQ(report->records, 2);
    CHECK_VIEW(report->error_kind, "wait");
    CHECK_VIEW(report->blocked, "crm.deal.get");
    CHECK_EQ(report->retry_ms, 60000);
    const struct msg *m = last_of(r, MSG_RECORDS);
    assert_non_null(m);
    CHECK_EQ(m->records.count, 2);
    CHECK_EQ(m->records.asked.n, 2);
    CHECK_EQ(m->records.asked.p[0], 5);
    CHECK_EQ(m->records.asked.p[1], 7);
    rig_free(r);
}

TEST(a_probe_is_reported_with_what_it_learnt)
{
    struct rig *r = rig_new(true);
    struct msg *job = job_new(r, "probe", 1);
    struct probe probe;
    struct err err = { 0 };

    job->job.entities = STR("deals");
    const struct msg_report *report = report_of(r, job, 200,
        "{\"result\":{\"result\":{\"p00\":{\"ID\":{\"type\":\"integer\"}},"
        "\"p01\":[],\"p02\":[{\"ID\":1}],\"p03\":[{\"ID\":7}],\"p04\":[{\"ID\":1}]},\"result_total\":{"
        "\"p04\":5}}}");
    CHECK_VIEW(report->outcome, "learnt");
    CHECK_OK(probe_decode(&probe, report->learnt, &err), err);
    CHECK_EQ(probe.entities[0].most_id, 7);
    CHECK_EQ(probe.entities[0].total, 5);
    probe_free(&probe);
    CHECK_EQ(count_of(r, MSG_RECORDS), 0);
    rig_free(r);
}

TEST(failures_are_reported_with_what_to_do)
{
    static const struct {
        int status;
        const char *answer, *kind, *says, *blocked;
        uint64_t retry_ms, whole;
    } cases[] = {
        { 503, "{\"error\":\"QUERY_LIMIT_EXCEEDED\",\"error_description\":\"Too many requests\"}", "wait",
            "portal main: HTTP 503 QUERY_LIMIT_EXCEEDED", "", 1000, 1 },
        { 429, "{\"error\":\"OPERATION_TIME_LIMIT\"}", "wait", "HTTP 429", "batch", 60000, 1 },
        { 401, "{\"error\":\"INVALID_CREDENTIALS\"}", "auth", "make a new inbound webhook", "", 0, 1 },
        { 200, "{\"error\":\"INVALID_CREDENTIALS\"}", "auth", "make a new inbound webhook", "", 0, 1 },
        { 200,
            "{\"result\":{\"result\":[],\"result_error\":{\"p49\":{\"error\":\"INVALID_CREDENTIALS\"},"
            "\"p00\":{"
            "\"error\":\"INVALID_CREDENTIALS\"}}}}",
            "auth", "right to read this", "", 0, 0 },
        { 200, "{\"result\":{\"result\":{\"p49\":[],\"p00\":[[]]}}}", "temp", "nonsense", "", 0, 0 },
        { 200, "{\"result\":{\"resu", "temp", "HTTP 200", "", 0, 1 },
        { 200, "{\"result\":{\"result\":{\"p49\":[],\"p00\":[{\"ID\":1,\"NEW\":1}]}}}", "temp", "NEW", "", 0,
            0 },
        { 502, "<html>bad gateway</html>", "temp", "HTTP 502", "", 0, 1 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct rig *r = rig_new(true);
        const struct msg_report *report =
            report_of(r, job_new(r, "range", 1), cases[i].status, cases[i].answer);
        char text[400];

        snprintf(text, sizeof(text), STR_FMT, STR_ARG(report->error));
        CHECK_VIEW(report->outcome, "failed");
        CHECK_VIEW(report->error_kind, cases[i].kind);
        CHECK_EQ(report->error_code, cases[i].status);
        CHECK_HAS(text, cases[i].says);
        CHECK_EQ(report->whole, cases[i].whole);
        CHECK_EQ(report->retry_ms, cases[i].retry_ms);
        CHECK_VIEW(report->blocked, cases[i].blocked);
        CHECK_EQ(report->requests, 1);
        CHECK(strstr(text, "s3cr3t") == NULL);
        CHECK_EQ(count_of(r, MSG_RECORDS), 0);
        CHECK_EQ(report->unknown.n > 0, strstr(cases[i].answer, "NEW") != NULL);
        rig_free(r);
    }
}

TEST(a_portal_without_a_url_is_a_matter_of_configuration)
{
    struct rig *r = rig_new(true);
    struct msg *job = job_new(r, "range", 1);

    job->job.portal = STR("other");
    const struct msg_report *report = report_of(r, job, 200, LIST);
    CHECK_VIEW(report->outcome, "failed");
    CHECK_VIEW(report->error_kind, "conf");
    CHECK_EQ(report->requests, 0);
    CHECK_EQ(r->requests, 0);
    rig_free(r);
}

TEST(a_portal_that_is_not_there_is_temporary_and_its_secret_stays_one)
{
    struct rig *r = rig_new(true);

    r->config.portals[0].url = (char *)"http://127.0.0.1:1/rest/1/s3cr3t/";
    const struct msg_report *report = report_of(r, job_new(r, "range", 1), 200, LIST);
    char text[400];
    snprintf(text, sizeof(text), STR_FMT, STR_ARG(report->error));
    CHECK_VIEW(report->error_kind, "temp");
    CHECK_HAS(text, "127.0.0.1:1");
    CHECK(strstr(text, "s3cr3t") == NULL);
    CHECK_EQ(report->error_code, 0);
    rig_free(r);
}

TEST(an_answer_beyond_the_limit_asks_for_less)
{
    struct rig *r = rig_new(true);

    r->fetcher->answer_max_bytes = 100;
    CHECK_VIEW(report_of(r, job_new(r, "range", 1), 200, LIST)->error_kind, "limit");
    rig_free(r);
}

TEST(a_portal_that_hangs_is_given_up_at_the_deadline)
{
    struct rig *r = rig_new(true);
    struct msg *job = job_new(r, "range", 1);

    r->silent = true;
    job->job.deadline_ms = 200;
    CHECK_VIEW(report_of(r, job, 200, LIST)->error_kind, "temp");
    rig_free(r);
}

TEST(a_job_that_makes_no_sense_is_never_asked_for)
{
    struct rig *r = rig_new(true);
    struct msg *job = job_new(r, "range", 1);

    job->job.pages = 51;
    CHECK_VIEW(report_of(r, job, 200, LIST)->error_kind, "perm");
    CHECK_EQ(r->requests, 0);
    rig_free(r);
}

TEST(a_job_in_hand_is_not_taken_twice_nor_one_beyond_the_credit)
{
    struct rig *r = rig_new(true);

    r->silent = true;
    for (uint64_t d = 1; d <= 4; d++) {
        send_job(r, job_new(r, "range", d));
        send_job(r, job_new(r, "range", d));
    }
    send_job(r, job_new(r, "range", 5));
    CHECK(wait_for(r, was_asked, 4));
    CHECK(wait_for(r, has_credit, 0));
    CHECK_EQ(last_of(r, MSG_READY)->ready.holding.n, 4);
    CHECK_EQ(last_of(r, MSG_READY)->ready.holding.p[3], 4);
    r->silent = false;
    r->answer = LIST;
    for (int i = 0; i < r->held_count; i++) {
        struct buf body;
        buf_init(&body, 4096);
        buf_str(&body, LIST);
        http_reply(r->held[i], 200, "application/json", &body, true, NULL);
    }
    CHECK(wait_for(r, has_reports, 4));
    CHECK(wait_for(r, has_credit, 4));
    CHECK_EQ(r->requests, 4);
    CHECK_EQ(count_of(r, MSG_RECORDS), 4);
    rig_free(r);
}

TEST(without_a_mapper_the_job_is_held_and_nothing_is_reported)
{
    struct rig *r = rig_new(false);

    r->answer = LIST;
    send_job(r, job_new(r, "range", 8));
    CHECK(wait_for(r, is_waiting, 8));
    CHECK_EQ(count_of(r, MSG_REPORT), 0);
    open_mappers(r);
    CHECK(wait_for(r, has_reports, 1));
    CHECK_VIEW(last_of(r, MSG_REPORT)->report.outcome, "sent");
    CHECK_EQ(count_of(r, MSG_RECORDS), 1);
    rig_free(r);
}

TEST(a_fetcher_told_to_stop_gives_up_its_calls_and_leaves)
{
    struct rig *r = rig_new(true);

    r->silent = true;
    send_job(r, job_new(r, "range", 2));
    CHECK(wait_for(r, was_asked, 1));
    r->app.stopping = true;
    FETCHER.stop_soon(r->fetcher);
    CHECK_EQ(r->fetcher->in_hand, 0);
    send_job(r, job_new(r, "range", 3));
    CHECK(wait_for(r, has_credit, 0));
    CHECK_EQ(last_of(r, MSG_READY)->ready.holding.n, 0);
    CHECK(wait_for(r, has_left, 0));
    CHECK_EQ(count_of(r, MSG_REPORT), 0);
    CHECK_EQ(count_of(r, MSG_RECORDS), 0);
    CHECK_EQ(r->requests, 1);
    rig_free(r);
}

TEST(stopping_with_a_call_in_hand_reports_nothing)
{
    struct rig *r = rig_new(true);

    r->silent = true;
    send_job(r, job_new(r, "range", 2));
    CHECK(wait_for(r, was_asked, 1));
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_range_becomes_records_and_then_a_report),
        CASE(reads_by_id_go_by_the_urgent_lane),
        CASE(what_a_portal_left_out_counts_as_not_asked),
        CASE(a_probe_is_reported_with_what_it_learnt),
        CASE(failures_are_reported_with_what_to_do),
        CASE(a_portal_without_a_url_is_a_matter_of_configuration),
        CASE(a_portal_that_is_not_there_is_temporary_and_its_secret_stays_one),
        CASE(an_answer_beyond_the_limit_asks_for_less),
        CASE(a_portal_that_hangs_is_given_up_at_the_deadline),
        CASE(a_job_that_makes_no_sense_is_never_asked_for),
        CASE(a_job_in_hand_is_not_taken_twice_nor_one_beyond_the_credit),
        CASE(without_a_mapper_the_job_is_held_and_nothing_is_reported),
        CASE(a_fetcher_told_to_stop_gives_up_its_calls_and_leaves),
        CASE(stopping_with_a_call_in_hand_reports_nothing),
    };

    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    bus_shutdown();
    return failed;
}
