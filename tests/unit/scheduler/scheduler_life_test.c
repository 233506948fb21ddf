/* Starts, stops, and whose leases they are. */
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "services/scheduler/access/access.h"
#include "support/mute_server.h"
#include "unit/scheduler/rig.h"

TEST(ranges_in_memory__a_new_scheduler_goes_on_where_the_old_one_was)
{
    struct rig *r = rig_new();
    struct msg *job = rig_first_range(r, 12000), *old = rig_next_job(r);

    rig_commit(r, job, false);
    stage_stop(&r->on);
    stage_start(&r->on);
    r->held_count = 0;
    struct msg *again = rig_next_job(r);
    while (!str_is(again->job.kind, "range")) { /* bounds are asked for once more */
        rig_answer_probe(r, again, 12000);
        again = rig_next_job(r);
    }
    CHECK_EQ(again->job.job, old->job.job);
    CHECK_EQ(again->job.epoch, 2);
    CHECK(again->job.d > old->job.d);
    CHECK_EQ(again->job.first, old->job.first);
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
    struct msg *job = rig_first_range(r, 100);

    rig_send_report(r, rig_report(job, "sent"));
    WAIT_FOR(&r->on, r->on.s->flights.count == 1 && r->on.s->flights.list[0].phase == FLIGHT_REPORTED);
    rig_commit(r, job, false);
    const char *said = said_while_stopping(r);

    CHECK_HAS(said, "\"sync.finished\"");
    CHECK_HAS(said, "\"state\":\"done\"");
    CHECK(strstr(strstr(said, "sync.finished") + 1, "sync.finished") == NULL);
    stage_start(&r->on);
    CHECK(strstr(said_while_stopping(r), "sync.finished") == NULL);
    stage_start(&r->on);
    rig_free(r);
}

static int64_t strays_after_a_scan(struct rig *r)
{
    r->on.s->portals[0].portal.scan_wanted = true;
    scheduler_wake(r->on.s);
    return rig_get(r, "SELECT count(*) FROM potok_job WHERE first = 77 AND state = 'open'");
}

/* The answer to a COMMIT was lost, the commit was not: nobody here knows the rows. */
TEST(rows_of_jobs_that_nobody_sent_are_swept_and_those_under_way_stay)
{
    struct rig *r = rig_new();
    struct msg *job = rig_first_range(r, 100);

    rig_commit(r, job, true);
    WAIT_FOR(&r->on, rig_run_is(r, "done"));
    rig_run(r, "INSERT INTO potok_mark (portal, entity, id, k, ask) SELECT 'main', 'deals', 5, tick, 1 FROM "
               "potok_lease");
    job = rig_next_job(r);
    CHECK_VIEW(job->job.kind, "get");
    rig_run(r,
        "INSERT INTO potok_job (run, portal, entity, kind, first, last, state, d) VALUES "
        "(0, 'main', 'deals', 'get', 77, 78, 'open', 3), (0, 'main', 'deals', 'ids', 77, 78, 'open', 3), "
        "(0, 'main', NULL, 'probe', 77, 78, 'open', 3)");
    WAIT_FOR(&r->on, strays_after_a_scan(r) == 0);
    CHECK_EQ(rig_get(r, "SELECT count(*) FROM potok_job WHERE kind = 'get' AND state = 'open'"), 1);
    CHECK_EQ(
        rig_get(r, "SELECT id FROM potok_job WHERE kind = 'get' AND state = 'open'"), (int64_t)job->job.job);
    rig_free(r);
}

/* One knob for who wants one; the finer word goes before. */
TEST(the_interval_of_full_syncs_told_alone_is_that_of_looks_at_changes)
{
    static const struct {
        const char *full, *changes;
        int64_t seconds;
    } cases[] = { { "7", NULL, 420 }, { "7", "90", 90 }, { NULL, NULL, 60 }, { "0", NULL, 60 } };
    struct rig *r = rig_new();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        stage_stop(&r->on);
        unsetenv("SYNC_DEFAULT_INTERVAL_MINUTES");
        unsetenv("SYNC_INCREMENTAL_SECONDS");
        if (cases[i].full != NULL)
            setenv("SYNC_DEFAULT_INTERVAL_MINUTES", cases[i].full, 1);
        if (cases[i].changes != NULL)
            setenv("SYNC_INCREMENTAL_SECONDS", cases[i].changes, 1);
        stage_start(&r->on);
        CHECK_EQ(r->on.s->incremental_s, cases[i].seconds);
    }
    rig_free(r);
}

/* A table that filled before there was a limit is emptied within seconds; the setting's 0 keeps all. */
TEST(old_runs_are_forgotten_unless_all_are_to_be_kept)
{
    struct rig *r = rig_new();

    WAIT_FOR(&r->on, r->on.s->lease.active);
    stage_stop(&r->on);
    rig_run(r, "INSERT INTO potok_run (portal, entity, kind, state, started_ms, finished_ms) "
               "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 700) "
               "SELECT 'main', 'deals', 'full', 'done', 1, 1 FROM n");
    setenv("SYNC_HISTORY_DAYS", "0", 1);
    stage_start(&r->on);
    rig_turns(r, 1500);
    CHECK_EQ(rig_get(r, "SELECT count(*) FROM potok_run"), 700);
    stage_stop(&r->on);
    unsetenv("SYNC_HISTORY_DAYS");
    stage_start(&r->on);
    WAIT_FOR(&r->on, rig_get(r, "SELECT count(*) FROM potok_run") == STORE_RUNS_NEWEST);
    CHECK_EQ(rig_get(r, "SELECT max(id) FROM potok_run"), 700);
    rig_free(r);
}

TEST(a_lost_lease_begins_the_service_anew)
{
    struct rig *r = rig_new();

    rig_run(r, "UPDATE potok_lease SET epoch = epoch + 1");
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

    rig_run(r, "UPDATE potok_lease SET epoch = epoch + 1, holder = 'scheduler.2 x 1 - b'");
    WAIT_FOR(&r->on, r->on.app.stopping);
    CHECK(r->on.inside.again);
    stage_stop(&r->on);
    CHECK_EQ(rig_get(r, "SELECT count(*) FROM potok_lease WHERE holder = 'scheduler.2 x 1 - b'"), 1);
    rig_run(r, "UPDATE potok_lease SET holder = NULL");
    stage_start(&r->on);
    rig_free(r);
}

TEST(a_standby_binds_nothing_until_the_holder_stands_still)
{
    struct rig *r = rig_new();
    uint64_t begun_ms = clock_mono_ms();
    struct buf why;

    stage_stop(&r->on);
    rig_run(r, "UPDATE potok_lease SET holder = 'scheduler.2 x 1 - b'");
    setenv("SCHEDULER_TAKEOVER", "1500ms", 1);
    stage_start(&r->on);
    buf_init(&why, 1000);
    CHECK(!SCHEDULER.ready(r->on.s, &why) && SCHEDULER.standby(r->on.s));
    CHECK_STR(buf_cstr(&why), "standby: the lease is held by scheduler.2 on x (pid 1)");
    buf_fini(&why);
    rig_turns(r, 700);
    rig_run(r, "UPDATE potok_lease SET beat_ms = beat_ms - 3600000"); /* its clock stepped: it lives */
    begun_ms = clock_mono_ms();
    rig_turns(r, 1200);
    CHECK(r->on.s->router == NULL && r->on.s->dones == NULL);
    CHECK_EQ(rig_get(r, "SELECT epoch FROM potok_lease"), 1);
    WAIT_FOR(&r->on, !SCHEDULER.standby(r->on.s));
    CHECK(clock_mono_ms() - begun_ms >= 1500);
    CHECK_EQ(rig_get(r, "SELECT epoch FROM potok_lease"), 2);
    setenv("SCHEDULER_TAKEOVER", "3s", 1);
    rig_first_range(r, 100);
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

/* However many there are, and whatever the database does: `potok up` kills who takes longer. */
TEST(tokens_that_cannot_be_kept_have_the_time_of_one_stop_together)
{
    struct rig *r;
    struct mute_server server;
    char url[160];

    setenv("POTOK_SECRET_KEY", "a key of the tests that is long enough for it", 1);
    r = rig_new();
    unsetenv("POTOK_SECRET_KEY");
    WAIT_FOR(&r->on, r->on.s->lease.active);
    mute_start(&server, true);
    snprintf(url, sizeof(url), "postgresql://me@127.0.0.1:%d/x", server.port);
    free(r->on.s->database_url);
    r->on.s->database_url = xstrdup(url);
    for (int i = 0; i < 4; i++) {
        struct access pair = { .access_token = xstrdup("one"), .refresh_token = xstrdup("two") };
        access_keep(r->on.s, 0, &pair, false);
    }
    r->on.inside.set.stop_timeout_ms = 1000;
    uint64_t began_ms = clock_mono_ms(), most_ms = app_stop_ms(&r->on.app);
    const char *said = said_while_stopping(r);
    CHECK(clock_mono_ms() - began_ms < most_ms + 1500);
    CHECK(clock_mono_ms() - began_ms >= most_ms - 3000); /* and they have that time */
    for (int i = 0; i < 4; i++) {
        said = strstr(said, "access.unkept");
        CHECK(said != NULL);
        said++;
    }
    stage_start(&r->on); /* what rig_free() stops */
    mute_stop(&server);
    rig_free(r);
}

TEST_MAIN(CASE(ranges_in_memory__a_new_scheduler_goes_on_where_the_old_one_was),
    CASE(a_run_that_ended_unseen_is_told_at_the_stop_and_once),
    CASE(rows_of_jobs_that_nobody_sent_are_swept_and_those_under_way_stay),
    CASE(the_interval_of_full_syncs_told_alone_is_that_of_looks_at_changes),
    CASE(old_runs_are_forgotten_unless_all_are_to_be_kept), CASE(a_lost_lease_begins_the_service_anew),
    CASE(tokens_that_cannot_be_kept_have_the_time_of_one_stop_together),
    CASE(an_idle_scheduler_learns_by_its_beat_that_another_took_over),
    CASE(a_standby_binds_nothing_until_the_holder_stands_still),
    CASE(without_a_portal_the_start_says_what_to_set))
