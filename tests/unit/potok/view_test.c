#include "services/potok/sync/view.h"

#include "base/mem.h"
#include "services/potok/words/say.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

static const char ANSWER[] =
    "{\"epoch\":1,\"portals\":[{\"name\":\"main\",\"url\":\"https://p/rest/1/(masked)/"
    "\",\"state\":\"ok\",\"error\":\"\","
    "\"budget\":{\"level\":12.5,\"burst\":50,\"drain\":2},"
    "\"operating\":{\"crm.deal.list\":{\"used_s\":120,\"limit_s\":480,\"reset_s\":1},\"crm.lead.list\":{"
    "\"used_s\":3,\"limit_s\":480}}}],"
    "\"runs\":[{\"id\":1,\"portal\":\"main\",\"entity\":\"deals\",\"table\":\"crm_deals\",\"state\":\"done\","
    "\"expected\":1000,"
    "\"read\":1000,\"written\":990,\"same\":10,\"gone\":2,\"rejected\":1,\"requests\":3,\"started_ms\":1000,"
    "\"finished_ms\":3500,"
    "\"error\":null,\"open_jobs\":0,\"marks\":0,\"marks_failing\":0},"
    "{\"id\":2,\"portal\":\"main\",\"entity\":\"leads\",\"table\":\"crm_leads\",\"state\":\"partial\","
    "\"expected\":10,\"read\":9,"
    "\"requests\":1,\"started_ms\":1000,\"finished_ms\":2000,\"error\":\"record 7 cannot be "
    "read\",\"marks\":1,\"marks_failing\":1},"
    "{\"id\":3,\"portal\":\"main\",\"entity\":\"contacts\",\"state\":\"open\",\"expected\":2000,\"read\":500,"
    "\"requests\":2,"
    "\"started_ms\":1000},"
    "{\"id\":4,\"portal\":\"main\",\"entity\":\"companies\",\"state\":\"probing\",\"expected\":null}],"
    "\"jobs\":{\"open\":3,\"in_flight\":2},\"marks\":1,\"marks_failing\":1,\"fetchers\":[],\"refusals\":4}";

static struct snapshot snapshot;
static struct view view;

static void look(uint64_t now_ms)
{
    struct err err = { 0 };

    CHECK_OK(snapshot_read(&snapshot, str_of(ANSWER), &err), err);
    view_seen(&view, &snapshot, now_ms);
}

TEST(who_else_asks_is_told_by_kind_and_cut_where_a_name_ends)
{
    static struct snapshot s;
    struct err err;
    struct buf many;

    CHECK_OK(snapshot_read(&s,
                 STR("{\"portals\":[{\"budget\":{\"senders\":[{\"name\":\"verify.01a1\",\"granted\":5},"
                     "{\"name\":\"doctor.7\",\"granted\":6},{\"name\":\"verify.02\",\"granted\":2}]}}]}"),
                 &err),
        err);
    CHECK_STR(s.portals[0].senders, "verify (7), doctor (6)");
    buf_init(&many, 1 << 16);
    buf_fmt(&many, "{\"portals\":[{\"budget\":{\"senders\":[");
    for (int i = 0; i < 20; i++)
        buf_fmt(&many, "%s{\"name\":\"a-program-with-a-name-%d.1\",\"granted\":1}", i > 0 ? "," : "", i);
    buf_fmt(&many, "]}}]}");
    s = (struct snapshot){ .run_count = 0 };
    CHECK_OK(snapshot_read(&s, buf_view(&many), &err), err);
    CHECK(strlen(s.portals[0].senders) < sizeof(s.portals[0].senders));
    CHECK_STR(strrchr(s.portals[0].senders, ')'), "), …");
    buf_fini(&many);
}

TEST(the_answer_is_read_as_it_is_written)
{
    look(1000);
    CHECK_EQ(snapshot.run_count, 4);
    CHECK_EQ(snapshot.portal_count, 1);
    CHECK(snapshot.portals[0].level == 12.5);
    CHECK_STR(snapshot.portals[0].operating.method, "crm.deal.list");
    CHECK_STR(snapshot.runs[0].table, "crm_deals");
    CHECK_EQ(snapshot.runs[0].finished_ms, 3500);
    CHECK_STR(snapshot.runs[0].error, "");
    CHECK_EQ(snapshot.marks, 1);
    CHECK_EQ(snapshot.jobs_in_flight, 2);
    CHECK_EQ(snapshot.refusals, 4);
    CHECK(run_ended(snapshot_run(&snapshot, 1)) && !run_failed(snapshot_run(&snapshot, 1)));
    CHECK(run_ended(snapshot_run(&snapshot, 2)) && run_failed(snapshot_run(&snapshot, 2)));
    CHECK(!run_ended(snapshot_run(&snapshot, 3)) && !run_ended(snapshot_run(&snapshot, 4)));
    CHECK(snapshot_run(&snapshot, 5) == NULL);
}

TEST(what_is_no_answer_is_refused)
{
    static const char *const texts[] = { "", "[]", "{", "null", "\"x\"" };
    struct err err = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        CHECK_EQ(snapshot_read(&snapshot, str_of(texts[i]), &err), -1);
    CHECK_OK(snapshot_read(&snapshot, STR("{}"), &err), err);
    CHECK_OK(snapshot_read(&snapshot, STR("{\"runs\":[{}, 7], \"portals\":[null], \"jobs\":[]}"), &err), err);
    CHECK_EQ(snapshot.run_count, 2);
}

TEST(all_runs_of_a_set_have_ended)
{
    struct run_set set = { .count = 0 };
    uint64_t failing;

    look(1000);
    CHECK(!view_all_ended(&view, &set));
    run_set_add(&set, 1);
    run_set_add(&set, 1);
    run_set_add(&set, 2);
    CHECK_EQ(set.count, 2);
    CHECK(view_all_ended(&view, &set));
    CHECK_EQ(view_failed_count(&view, &set), 1);
    CHECK_EQ(view_marks(&view, &set, &failing), 1);
    CHECK_EQ(failing, 1);
    run_set_add(&set, 3);
    CHECK(!view_all_ended(&view, &set));
    CHECK(view_tell_once(&view, 3));
    CHECK(!view_tell_once(&view, 3));
}

/* Runs of the deals, each a state and a note. */
static void look_at(const char *const runs[][2], int count)
{
    memset(&view, 0, sizeof(view));
    memset(&snapshot, 0, sizeof(snapshot));
    for (int i = 0; i < count; i++) {
        struct run_view *r = &snapshot.runs[snapshot.run_count++];

        *r = (struct run_view){ .id = (uint64_t)i + 5, .portal = "main", .entity = "deals", .marks = 2 };
        snprintf(r->state, sizeof(r->state), "%s", runs[i][0]);
        snprintf(r->error, sizeof(r->error), "%s", runs[i][1]);
    }
    view_seen(&view, &snapshot, 1000);
}

TEST(a_run_that_passed_records_is_waited_for_until_they_were_read_again)
{
    static const struct {
        const char *runs[4][2];
        int count;
        int follows; /* runs of the set, of which the first is asked for */
        bool ended;
    } cases[] = {
        { { { "done", "" } }, 1, 1, true },
        { { { "done", "a column is filled again" } }, 1, 1, false },
        { { { "done", "a column is filled again" }, { "probing", "" } }, 2, 2, false },
        { { { "done", "a column is filled again" }, { "done", "" } }, 2, 2, true },
        { { { "done", "a note" }, { "done", "another" }, { "open", "" } }, 3, 3, false },
        { { { "done", "a note" }, { "done", "" }, { "open", "" } }, 3, 2,
            true }, /* the third is another sync's */
        { { { "done", "" }, { "open", "" } }, 2, 1, true },
        { { { "failed", "HTTP 401" }, { "open", "" } }, 2, 1, true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct run_set set = { .ids = { 5 }, .count = 1 };
        uint64_t failing;

        look_at(cases[i].runs, cases[i].count);
        view_follow(&view, &set);
        CHECK_EQ(set.count, cases[i].follows);
        CHECK_EQ(view_all_ended(&view, &set), cases[i].ended);
        CHECK_EQ(run_set_since(&set), 4);
        CHECK_EQ(view_marks(&view, &set, &failing), cases[i].follows == cases[i].count ? 2 : 0);
    }
}

TEST(marks_of_a_portal_that_stopped_are_waited_for_by_nobody)
{
    static const struct {
        const char *state;
        uint64_t marks;
        bool stopped;
    } cases[] = { { "ok", 1, false }, { "waiting", 1, false }, { "blocked", 1, false },
        { "stopped", 1, true }, { "stopped", 0, false } };
    struct run_set set = { .count = 0 };

    run_set_add(&set, 2); /* leads */
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        look(1000);
        snprintf(view.now.portals[0].state, sizeof(view.now.portals[0].state), "%s", cases[i].state);
        view.now.runs[1].marks = cases[i].marks;
        CHECK_EQ(view_stopped(&view, &set) != NULL, cases[i].stopped);
    }
    run_set_add(&set, 3); /* goes on, or fails with the portal */
    view.now.runs[1].marks = 1;
    CHECK(view_stopped(&view, &set) == NULL);
}

TEST(a_run_that_is_not_shown_any_more_is_over)
{
    struct run_set set = { .ids = { 4, 5 }, .count = 2 };
    static const char *const runs[1][2] = { { "done", "" } };

    look_at(runs, 1);
    CHECK(view_all_ended(&view, &set));
}

TEST(what_people_see)
{
    struct run_set set = { .ids = { 1, 2, 3, 4 }, .count = 4 };
    struct buf out;

    say_set(LANGUAGE_EN);
    buf_init(&out, 65536);
    look(1000);
    view_block(&view, &set, false, &out);
    CHECK_STR(buf_cstr(&out), "  deals       ████████████████████████  done\n"
                              "  leads       █████████████████████▌··  partial\n"
                              "  contacts    ██████··················  25%  500/2,000  requests 2\n"
                              "  companies    learning fields\n"
                              "  requests to spare: 38 of 50, crm.deal.list 120/480 s\n");
    buf_clear(&out);
    view_lines(&view, &set, &out);
    CHECK_STR(buf_cstr(&out), "contacts:  25%  500/2,000  requests 2\ncompanies: learning fields\n");
    buf_clear(&out);
    view_lines(&view, &set, &out);
    CHECK_STR(buf_cstr(&out), ""); /* nothing has changed */
    view_ended(&view, snapshot_run(&snapshot, 2), &out);
    CHECK_STR(buf_cstr(&out), "leads: partial, 9 records, 0 written, 0:01\n  record 7 cannot be read\n");
    buf_fini(&out);
}

TEST(what_learning_fields_waits_for_is_shown_beside_it)
{
    struct run_set set = { .ids = { 4 }, .count = 1 };
    struct buf out;

    say_set(LANGUAGE_EN);
    buf_init(&out, 65536);
    look(1000);
    snprintf(
        view.now.runs[3].error, sizeof(view.now.runs[3].error), "crm.company.list INTERNAL_SERVER_ERROR");
    view_lines(&view, &set, &out);
    CHECK_STR(buf_cstr(&out), "companies: learning fields: crm.company.list INTERNAL_SERVER_ERROR\n");
    buf_fini(&out);
}

TEST(the_summary_names_what_failed)
{
    struct run_set set = { .ids = { 1, 2 }, .count = 2 };
    struct buf out;

    say_set(LANGUAGE_EN);
    buf_init(&out, 65536);
    look(1000);
    view_summary(&view, &set, false, &out);
    CHECK_STR(buf_cstr(&out),
        "entity  table       rows  written  unchanged  deleted  rejected  requests  seconds  outcome\n"
        "deals   crm_deals  1,000      990         10        2         1         3      2.5  done\n"
        "leads   crm_leads      9        0          0        0         0         1      1.0  partial\n"
        "leads: partial: record 7 cannot be read\n"
        "Requests in all: 4\n");
    buf_fini(&out);
}

TEST(one_cause_is_told_once)
{
    struct run_set set = { .ids = { 1, 2, 3, 4 }, .count = 4 };
    struct buf out;

    say_set(LANGUAGE_EN);
    buf_init(&out, 65536);
    look(1000);
    for (int i = 1; i < 4; i++) {
        snprintf(view.now.runs[i].state, sizeof(view.now.runs[i].state), "failed");
        snprintf(view.now.runs[i].portal, sizeof(view.now.runs[i].portal), "main");
        snprintf(view.now.runs[i].error, sizeof(view.now.runs[i].error), "HTTP 401");
    }
    view_failures(&view, &set, &out);
    CHECK_STR(
        buf_cstr(&out), "leads, contacts, companies: failed: HTTP 401\n  `potok doctor 401` explains\n");
    buf_clear(&out);
    view_troubles(&view, &out);
    CHECK_STR(buf_cstr(&out), "");
    snprintf(view.now.portals[0].state, sizeof(view.now.portals[0].state), "stopped");
    snprintf(view.now.portals[0].error, sizeof(view.now.portals[0].error), "HTTP 401");
    view_troubles(&view, &out);
    CHECK_STR(buf_cstr(&out), ""); /* the runs have said so */
    snprintf(view.now.portals[0].error, sizeof(view.now.portals[0].error), "HTTP 500");
    view_troubles(&view, &out);
    CHECK_STR(buf_cstr(&out), "portal main: stopped: HTTP 500\n");
    buf_fini(&out);
}

TEST_MAIN(CASE(the_answer_is_read_as_it_is_written),
    CASE(who_else_asks_is_told_by_kind_and_cut_where_a_name_ends), CASE(what_is_no_answer_is_refused),
    CASE(all_runs_of_a_set_have_ended),
    CASE(a_run_that_passed_records_is_waited_for_until_they_were_read_again),
    CASE(marks_of_a_portal_that_stopped_are_waited_for_by_nobody),
    CASE(a_run_that_is_not_shown_any_more_is_over), CASE(what_people_see),
    CASE(what_learning_fields_waits_for_is_shown_beside_it), CASE(the_summary_names_what_failed),
    CASE(one_cause_is_told_once))
