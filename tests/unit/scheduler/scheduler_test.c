/* Syncs, marks and commands from end to end. */
#include "unit/scheduler/rig.h"

TEST(a_sync_goes_from_probe_to_ranges_to_done)
{
    struct rig *r = rig_new();
    struct msg *jobs[2] = { rig_first_range(r, 12000), NULL };

    jobs[1] = rig_next_job(r);
    CHECK_EQ(jobs[0]->job.first, 1);
    CHECK_EQ(jobs[1]->job.first, jobs[0]->job.last + 1);
    CHECK(jobs[1]->job.last == RANGE_OPEN);
    CHECK(jobs[1]->job.d != jobs[0]->job.d);
    CHECK(jobs[0]->job.pages == 50 && jobs[0]->job.schema.n > 0);
    CHECK_VIEW(jobs[0]->job.table, "crm_deals");
    for (int i = 0; i < 2; i++) {
        rig_send_report(r, rig_report(jobs[i], "sent"));
        rig_commit(r, jobs[i], true);
    }
    WAIT_FOR(&r->on, r->on.s->portals[0].portal.mirrors[0].run == 0);
    CHECK_EQ(r->on.s->flights.count, 0);
    CHECK(r->on.s->portals[0].portal.jobs == NULL);
    WAIT_FOR(&r->on, rig_get(r, "SELECT requests FROM potok_run") == 3);
    json_t *status = rig_ask(r, "status", "");
    json_t *run = json_array_get(json_object_get(status, "runs"), 0);
    CHECK_STR(json_string_value(json_object_get(run, "state")), "done");
    CHECK_EQ(json_integer_value(json_object_get(run, "requests")), 3);
    json_decref(status);
    rig_free(r);
}

TEST(done_may_overtake_report)
{
    struct rig *r = rig_new();
    struct msg *job = rig_first_range(r, 100);

    rig_commit(r, job, true);
    WAIT_FOR(&r->on, r->on.s->portals[0].portal.mirrors[0].run == 0);
    CHECK_EQ(flights_unfinished(&r->on.s->flights), 0);
    CHECK_EQ(flights_calls(&r->on.s->flights, 0), 1);
    rig_send_report(r, rig_report(job, "sent"));
    WAIT_FOR(&r->on, r->on.s->flights.count == 0);
    rig_free(r);
}

TEST(rows_that_are_lost_on_the_way_are_read_again)
{
    struct rig *r = rig_new();
    struct msg *job = rig_first_range(r, 100);

    rig_send_report(r, rig_report(job, "sent")); /* and nothing more */
    struct msg *again = rig_next_job(r);
    CHECK_EQ(again->job.job, job->job.job);
    CHECK(again->job.d > job->job.d);
    rig_send_report(r, rig_report(again, "sent"));
    rig_commit(r, again, true);
    WAIT_FOR(&r->on, rig_run_is(r, "done") && r->on.s->flights.count == 0);
    rig_free(r);
}

/* The model's search ranges-in-memory: the continuation is found in the database, whoever lost the word of
 * it. */
TEST(ranges_in_memory__a_lost_done_costs_nothing_but_time)
{
    struct rig *r = rig_new();
    struct msg *job = rig_first_range(r, 100);

    rig_send_report(r, rig_report(job, "sent"));
    rig_run(r, "INSERT INTO potok_job (run, portal, entity, kind, first, last, state) "
               "SELECT run, portal, entity, kind, 51, last, 'open' FROM potok_job WHERE kind = 'range'");
    rig_commit(r, job, false);
    struct msg *rest = rig_next_job(r);
    CHECK(rest->job.job != job->job.job);
    CHECK_EQ(rest->job.first, 51);
    rig_free(r);
}

TEST(the_jobs_of_a_restarted_fetcher_are_sent_again_at_once)
{
    struct rig *r = rig_new();
    struct msg *job = rig_first_range(r, 100);
    uint64_t began_ms = clock_mono_ms();

    r->boot = 78;
    r->held_count = 0;
    struct msg *again = rig_next_job(r);
    CHECK_EQ(again->job.job, job->job.job);
    CHECK(clock_mono_ms() < began_ms + 4000); /* far from JOB_DEADLINE */
    rig_free(r);
}

TEST(floor__stays_below_what_is_awaited_and_rises_when_it_ends)
{
    struct rig *r = rig_new();
    struct msg *job = rig_first_range(r, 100);

    WAIT_FOR(&r->on, rig_get(r, "SELECT floor FROM potok_entity") == (int64_t)job->job.d - 1);
    rig_send_report(r, rig_report(job, "sent"));
    rig_turns(r, 150);
    CHECK_EQ(rig_get(r, "SELECT floor FROM potok_entity"), (int64_t)job->job.d - 1);
    rig_commit(r, job, true);
    WAIT_FOR(&r->on, rig_get(r, "SELECT floor FROM potok_entity") == (int64_t)job->job.d);
    rig_free(r);
}

/* With the number it gets, so also when we are killed; one that was not made is taken back. */
TEST(the_calls_of_a_run_are_counted_when_they_are_sent)
{
    struct rig *r = rig_new();

    rig_begin_sync(r);
    struct msg *job = rig_next_job(r);

    CHECK_EQ(rig_get(r, "SELECT requests FROM potok_run"), 1);
    rig_fail_job(r, job, ERR_AUTH, 401, "INVALID_CREDENTIALS");
    WAIT_FOR(&r->on, rig_run_is(r, "failed"));
    CHECK_EQ(rig_get(r, "SELECT requests FROM potok_run"), 1);
    r->on.s->floor_interval_ms = 600000; /* nothing is written now and then */
    r->on.s->portals[0].portal.requests_at_ms = clock_mono_ms();
    job = rig_first_range(r, 100);
    CHECK_EQ(rig_get(r, "SELECT requests FROM potok_run WHERE id = 2"), 2);
    struct msg *m = rig_report(job, "failed");

    m->report.requests = 0;
    m->report.error_kind = STR("temp");
    m->report.error = STR("no connection");
    r->silent = true; /* and nobody takes it again */
    rig_send_report(r, m);
    WAIT_FOR(&r->on, portal_calls_of(&r->on.s->portals[0].portal, 2) == -1);
    stage_stop(&r->on);
    CHECK_EQ(rig_get(r, "SELECT requests FROM potok_run WHERE id = 2"), 1);
    stage_start(&r->on);
    rig_free(r);
}

TEST(marks_are_read_by_list_and_by_get)
{
    struct rig *r = rig_new();
    struct msg *job = rig_first_range(r, 100);

    rig_run(r, "INSERT INTO potok_mark (portal, entity, id, k, ask) VALUES ('main', 'deals', 3, 1, 0), "
               "('main', 'deals', 4, 1, 1), ('main', 'deals', 9, 1, 0)");
    rig_send_report(r, rig_report(job, "sent"));
    rig_commit(r, job, true);
    struct msg *a = rig_next_job(r), *b = rig_next_job(r), *ids = str_is(a->job.kind, "ids") ? a : b,
               *get_job = ids == a ? b : a;
    CHECK_EQ(ids->job.ids.n, 2);
    CHECK_EQ(ids->job.ids.p[1], 9);
    CHECK_VIEW(get_job->job.kind, "get");
    CHECK_EQ(get_job->job.ids.n, 1);
    CHECK_EQ(get_job->job.ids.p[0], 4);
    CHECK_EQ(get_job->job.run, job->job.run); /* what it finds is counted there */
    rig_turns(r, 300);
    CHECK_EQ(r->job_count, r->taken); /* none is in flight twice */
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
        json_decref(rig_ask(r, cases[i].command, cases[i].args));
        CHECK_VIEW(r->reply->control_reply.outcome, "failed");
        char *why = str_dup(r->reply->control_reply.error);
        CHECK_HAS(why, cases[i].why);
        free(why);
    }
    CHECK_EQ(rig_get(r, "SELECT count(*) FROM potok_run"), 0);
    json_t *config = rig_ask(r, "config", "");
    json_t *portal = json_array_get(json_object_get(config, "portals"), 0);
    CHECK_EQ(json_array_size(json_object_get(portal, "entities")), 1);
    json_decref(config);
    rig_free(r);
}

/* ---- a database that stands still ---- */

static uv_sem_t standing;

static int stand_still(void *ctx, struct db *db, struct err *err)
{
    uv_sem_wait(&standing);
    return 0;
}

static void moved_on(void *ctx, int status, const struct err *err)
{
}

static void ask_status(struct rig *r, const char *correlation)
{
    struct msg *m = msg_new(MSG_CONTROL);

    snprintf(m->correlation, sizeof(m->correlation), "%s", correlation);
    m->control = (struct msg_control){ .command = STR("status"), .args = STR("") };
    WAIT_FOR(&r->on, bus_peers(r->fetcher) > 0 && bus_send(r->fetcher, &m) == BUS_SENT);
}

TEST(questions_that_a_standing_database_leaves_unanswered_are_bounded)
{
    struct rig *r = rig_new();
    char name[UUID_SIZE];

    WAIT_FOR(&r->on, r->on.s->pool != NULL && r->on.s->lease.active);
    CHECK_EQ(uv_sem_init(&standing, 0), 0);
    for (int i = 0; i < 2; i++) /* as many as the pool has threads */
        db_pool_do(r->on.s->pool, DB_URGENT, stand_still, moved_on, NULL);
    for (int i = 0; i < QUESTIONS_MOST + 5; i++) {
        snprintf(name, sizeof(name), "01a1ff57-0000-7000-8000-%012d", i);
        ask_status(r, name);
    }
    ask_status(r, "01a1ff57-0000-7000-8000-000000000000"); /* again, as potok does every second */
    WAIT_FOR(&r->on, r->replies == 5);
    CHECK_EQ(r->refused, 5);
    char *why = str_dup(r->reply->control_reply.error);
    CHECK_HAS(why, "32 questions wait for it already");
    free(why);
    rig_turns(r, 100);
    CHECK_EQ(r->on.s->questions.count, QUESTIONS_MOST);

    for (int i = 0; i < 2; i++)
        uv_sem_post(&standing);
    WAIT_FOR(&r->on, r->replies == 5 + QUESTIONS_MOST);
    rig_turns(r, 100);
    CHECK_EQ(r->replies, 5 + QUESTIONS_MOST);
    CHECK_EQ(r->refused, 5);
    CHECK_EQ(r->on.s->questions.count, 0);
    rig_free(r);
    uv_sem_destroy(&standing);
}

TEST_MAIN(CASE(a_sync_goes_from_probe_to_ranges_to_done), CASE(done_may_overtake_report),
    CASE(rows_that_are_lost_on_the_way_are_read_again),
    CASE(ranges_in_memory__a_lost_done_costs_nothing_but_time),
    CASE(the_jobs_of_a_restarted_fetcher_are_sent_again_at_once),
    CASE(floor__stays_below_what_is_awaited_and_rises_when_it_ends),
    CASE(the_calls_of_a_run_are_counted_when_they_are_sent), CASE(marks_are_read_by_list_and_by_get),
    CASE(commands_that_cannot_be_are_told_why),
    CASE(questions_that_a_standing_database_leaves_unanswered_are_bounded))
