/* What a portal refuses, limits and does not describe. */
#include "unit/scheduler/rig.h"

TEST(a_wrong_webhook_fails_the_runs_and_stops_the_portal_until_the_next_sync)
{
    struct rig *r = rig_new();

    rig_begin_sync(r);
    rig_fail_job(r, rig_next_job(r), ERR_AUTH, 401, "INVALID_CREDENTIALS: make a new webhook");
    WAIT_FOR(&r->on, rig_run_is(r, "failed"));
    rig_turns(r, 300);
    CHECK_EQ(r->job_count, 1);
    json_t *status = rig_ask(r, "status", "");
    json_t *portal = json_array_get(json_object_get(status, "portals"), 0);
    CHECK_STR(json_string_value(json_object_get(portal, "state")), "stopped");
    CHECK_HAS(json_string_value(json_object_get(portal, "error")), "INVALID_CREDENTIALS");
    CHECK(strstr(json_string_value(json_object_get(portal, "url")), "s3cr3t") == NULL);
    json_decref(status);
    rig_begin_sync(r);
    CHECK_VIEW(rig_next_job(r)->job.kind, "probe");
    rig_free(r);
}

/* Under 200, as older portals say it: what tells a request from a command is the fetcher's word. */
TEST(a_whole_request_refused_under_status_200_stops_the_portal_and_a_command_does_not)
{
    for (unsigned whole = 0; whole < 2; whole++) {
        struct rig *r = rig_new();

        rig_begin_sync(r);
        struct msg *m = rig_report(rig_next_job(r), "failed");
        m->report.error_kind = STR("auth");
        m->report.error_code = 200;
        m->report.error = STR("INVALID_CREDENTIALS: make a new webhook");
        m->report.code = STR("INVALID_CREDENTIALS");
        m->report.whole = whole;
        rig_send_report(r, m);
        WAIT_FOR(&r->on, rig_run_is(r, "failed"));
        json_t *status = rig_ask(r, "status", "");
        json_t *portal = json_array_get(json_object_get(status, "portals"), 0);
        CHECK_STR(json_string_value(json_object_get(portal, "state")), whole ? "stopped" : "ok");
        json_decref(status);
        rig_free(r);
    }
}

TEST(a_limit_pauses_the_portal_for_as_long_as_it_says)
{
    struct rig *r = rig_new();
    struct msg *job = rig_first_range(r, 100), *m = rig_report(job, "failed");
    uint64_t began_ms = clock_mono_ms();

    m->report.error_kind = STR("wait");
    m->report.error_code = 503;
    m->report.error = STR("QUERY_LIMIT_EXCEEDED");
    m->report.retry_ms = 700;
    rig_send_report(r, m);
    struct msg *again = rig_next_job(r);
    CHECK_EQ(again->job.job, job->job.job);
    CHECK(clock_mono_ms() >= began_ms + 690);
    CHECK_EQ(r->on.s->portals[0].portal.refusals, 1);
    rig_free(r);
}

/* The portal blocks a method for minutes; each call of ours is the method "batch". */
TEST(a_batch_that_is_blocked_pauses_the_portal)
{
    struct rig *r = rig_new();
    struct msg *job = rig_first_range(r, 12000), *other = rig_next_job(r), *m = rig_report(job, "failed");
    uint64_t began_ms = clock_mono_ms();

    m->report.error_kind = STR("wait");
    m->report.error_code = 429;
    m->report.error = STR("batch OPERATION_TIME_LIMIT");
    m->report.blocked = STR("batch");
    m->report.retry_ms = 700;
    rig_send_report(r, m);
    rig_send_report(r, rig_report(other, "sent"));
    rig_commit(r, other, true);
    struct msg *again = rig_next_job(r);
    CHECK(clock_mono_ms() >= began_ms + 690);
    if (again->job.job != job->job.job) /* the run's next range waited as well: either may be the first */
        again = rig_next_job(r);
    CHECK_EQ(again->job.job, job->job.job);
    rig_free(r);
}

TEST(fields_that_only_records_show_are_learnt_before_the_next_reading)
{
    struct rig *r = rig_new();
    struct msg *job = rig_first_range(r, 100), *m = rig_report(job, "failed");

    m->report.error_kind = STR("temp");
    m->report.error_code = 200;
    m->report.unknown = STR("UF_NEW");
    rig_send_report(r, m);
    struct msg *probe = rig_next_job(r);
    CHECK_VIEW(probe->job.kind, "probe");
    rig_answer_probe(r, probe, 100);
    struct msg *again = rig_next_job(r);
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
    struct msg *job = rig_first_range(r, 8);
    uint64_t poison = 5;

    r->credit = 1;
    for (int n = 0; n < 60 && rig_get(r, "SELECT count(*) FROM potok_job WHERE state = 'aside'") == 0; n++) {
        bool bad = str_is(job->job.kind, "range") && job->job.first <= poison && poison <= job->job.last;

        if (str_is(job->job.kind, "probe"))
            rig_answer_probe(r, job, 8);
        else if (bad)
            rig_fail_job(r, job, ERR_PERM, 200, "the record is broken");
        else {
            rig_send_report(r, rig_report(job, "sent"));
            rig_commit(r, job, true);
        }
        WAIT_FOR(&r->on, r->job_count > r->taken ||
                             rig_get(r, "SELECT count(*) FROM potok_job WHERE state = 'aside'") == 1);
        if (r->job_count > r->taken)
            job = rig_next_job(r);
        if (r->job_count > JOBS_MAX - 2)
            break;
    }
    CHECK_EQ(rig_get(r, "SELECT first FROM potok_job WHERE state = 'aside'"), 5);
    CHECK_EQ(rig_get(r, "SELECT id FROM potok_mark"), 5);
    CHECK_EQ(rig_get(r, "SELECT count(*) FROM potok_reject WHERE id = 5 AND field = ''"), 1);
    rig_free(r);
}

TEST(no_split__a_list_that_always_fails_ends_the_run_with_its_error)
{
    struct rig *r = rig_new();
    struct msg *job = rig_first_range(r, 500);
    int n = 0;

    for (; n < JOBS_MAX - 4 && !rig_run_is(r, "failed"); n++) {
        if (str_is(job->job.kind, "probe"))
            rig_answer_probe(r, job, 500);
        else
            rig_fail_job(r, job, ERR_PERM, 200, "Parameter 'order' must be array");
        WAIT_FOR(&r->on, r->job_count > r->taken || rig_run_is(r, "failed"));
        if (r->job_count > r->taken)
            job = rig_next_job(r);
    }
    CHECK(rig_run_is(r, "failed"));
    CHECK_EQ(rig_get(r, "SELECT count(*) FROM potok_run WHERE error LIKE '%must be array%'"), 1);
    CHECK_EQ(rig_get(r, "SELECT count(*) FROM potok_job WHERE state <> 'done'"), 0);
    CHECK_EQ(rig_get(r, "SELECT count(*) FROM potok_mark"), 0);
    rig_free(r);
}

TEST_MAIN(CASE(a_wrong_webhook_fails_the_runs_and_stops_the_portal_until_the_next_sync),
    CASE(a_whole_request_refused_under_status_200_stops_the_portal_and_a_command_does_not),
    CASE(a_limit_pauses_the_portal_for_as_long_as_it_says), CASE(a_batch_that_is_blocked_pauses_the_portal),
    CASE(fields_that_only_records_show_are_learnt_before_the_next_reading),
    CASE(no_split__a_record_that_cannot_be_read_ends_aside_and_the_rest_is_read),
    CASE(no_split__a_list_that_always_fails_ends_the_run_with_its_error))
