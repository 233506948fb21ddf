#include "connectors/bitrix_write.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdio.h>

static const struct write_pace PACE = {
    .limit_ms = 60, .margin_ms = 15, .lag_ms = 10, .pause_ms = 1, .pause_most_ms = 8, .attempts_most = 3
};

static struct write_heard heard(enum write_verdict verdict)
{
    struct write_heard h = { .verdict = verdict, .id = verdict == WRITE_WAS_DONE ? 42 : 0 };

    if (verdict != WRITE_WAS_DONE)
        err_set(&h.err, ERR_TEMP, "a bad day");
    return h;
}

static struct bitrix_write lost_at(enum write_kind kind, int64_t now_ms)
{
    struct bitrix_write w;

    bitrix_write_init(&w, kind);
    bitrix_write_sent(&w);
    bitrix_write_answered(&w, &PACE, &(struct write_heard){ .verdict = WRITE_WAS_LOST }, now_ms);
    return w;
}

static void check_next(const struct bitrix_write *w, int64_t now_ms, enum write_act act, int64_t until_ms)
{
    struct write_step step = bitrix_write_next(w, now_ms);

    CHECK_EQ(step.act, act);
    CHECK_EQ(step.until_ms, until_ms);
}

static void look(struct bitrix_write *w, enum write_seen seen, int64_t now_ms)
{
    struct write_found found = { .seen = seen, .id = seen == WRITE_SEEN ? 7 : 0 };

    bitrix_write_looked(w, &PACE, &found, now_ms);
}

TEST(the_times_are_those_of_the_portal)
{
    CHECK_EQ(WRITE_PACE.limit_ms, 60000);
    CHECK(WRITE_PACE.margin_ms > 10000); /* the connection's own limit, http_request.once */
    CHECK(WRITE_PACE.lag_ms > 0);
}

TEST(what_a_sending_came_to_decides_what_is_next)
{
    static const struct {
        enum write_kind kind;
        enum write_verdict verdict;
        enum write_state state;
        enum write_act act;
        int64_t until_ms;
    } cases[] = {
        { WRITE_ADD, WRITE_WAS_DONE, WRITE_DONE, WRITE_DO_NOTHING, 1000 },
        { WRITE_ADD, WRITE_WAS_NOT, WRITE_READY, WRITE_DO_WAIT, 1001 },
        { WRITE_ADD, WRITE_WAS_REFUSED, WRITE_FAILED, WRITE_DO_TELL, 1000 },
        { WRITE_ADD, WRITE_SAID_NO, WRITE_UNSURE, WRITE_DO_WAIT, 1075 },
        { WRITE_ADD, WRITE_WAS_LOST, WRITE_UNSURE, WRITE_DO_WAIT, 1075 },
        { WRITE_ROWS, WRITE_WAS_LOST, WRITE_UNSURE, WRITE_DO_WAIT, 1075 },
        { WRITE_UPDATE, WRITE_WAS_LOST, WRITE_UNSURE, WRITE_DO_WAIT, 1075 },
        { WRITE_UPDATE, WRITE_SAID_NO, WRITE_FAILED, WRITE_DO_TELL, 1000 },
        { WRITE_DELETE, WRITE_WAS_LOST, WRITE_UNSURE, WRITE_DO_WAIT, 1075 },
        { WRITE_BIND, WRITE_WAS_LOST, WRITE_UNSURE, WRITE_DO_WAIT, 1075 },
        { WRITE_UNBIND, WRITE_SAID_NO, WRITE_UNSURE, WRITE_DO_WAIT, 1075 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct write_heard h = heard(cases[i].verdict);
        struct bitrix_write w;

        bitrix_write_init(&w, cases[i].kind);
        check_next(&w, 990, WRITE_DO_SEND, 990);
        bitrix_write_sent(&w);
        check_next(&w, 995, WRITE_DO_WAIT, INT64_MAX);
        bitrix_write_answered(&w, &PACE, &h, 1000);
        CHECK_EQ(w.state, cases[i].state);
        check_next(&w, 1000, cases[i].act, cases[i].until_ms);
        CHECK_EQ(w.id, cases[i].verdict == WRITE_WAS_DONE ? 42 : 0);
        CHECK_EQ(w.err.kind, cases[i].verdict == WRITE_WAS_DONE ? ERR_NONE : ERR_TEMP);
    }
}

TEST(an_unknown_outcome_is_looked_for_after_the_portals_limit_and_not_before)
{
    for (int kind = 0; kind < WRITE_KINDS; kind++) {
        struct bitrix_write w = lost_at(kind, 1000);

        check_next(&w, 1074, WRITE_DO_WAIT, 1075);
        check_next(&w, 1075, kind == WRITE_UPDATE ? WRITE_DO_SEND : WRITE_DO_LOOK, 1075);
        CHECK(!bitrix_write_rests(&w, 1074));
        CHECK(bitrix_write_rests(&w, 1075));
    }
}

TEST(what_is_found_is_done)
{
    struct bitrix_write w = lost_at(WRITE_ADD, 1000);
    struct write_found found = { .seen = WRITE_SEEN, .id = 7, .twins = { 9, 12 }, .twin_count = 2 };

    bitrix_write_looked(&w, &PACE, &found, 1080);
    check_next(&w, 1080, WRITE_DO_NOTHING, 1080);
    CHECK_EQ(w.id, 7);
    CHECK_EQ(w.twin_count, 2);
    CHECK_EQ(w.twins[1], 12);
}

TEST(what_a_list_does_not_show_is_looked_for_again_and_then_sent_again)
{
    struct bitrix_write w = lost_at(WRITE_ADD, 1000);

    look(&w, WRITE_SEEN_NOT, 1080);
    check_next(&w, 1089, WRITE_DO_WAIT, 1090);
    check_next(&w, 1090, WRITE_DO_LOOK, 1090);
    look(&w, WRITE_SEEN_NOT, 1090);
    check_next(&w, 1090, WRITE_DO_SEND, 1090);
    CHECK_EQ(w.attempts, 1);
    bitrix_write_sent(&w);
    CHECK_EQ(w.attempts, 2);
    w = lost_at(WRITE_DELETE, 1000);
    look(&w, WRITE_SEEN_NOT, 1080);
    check_next(&w, 1080, WRITE_DO_SEND, 1080);
}

TEST(a_look_in_vain_is_made_again_and_nothing_is_sent)
{
    struct bitrix_write w = lost_at(WRITE_ADD, 1000);
    static const int64_t pauses[] = { 1, 2, 4, 8, 8, 8 };
    int64_t now_ms = 1075;

    for (size_t i = 0; i < ARRAY_SIZE(pauses); i++) {
        check_next(&w, now_ms, WRITE_DO_LOOK, now_ms);
        look(&w, WRITE_NOT_LOOKED, now_ms);
        check_next(&w, now_ms, WRITE_DO_WAIT, now_ms + pauses[i]);
        now_ms += pauses[i];
    }
    look(&w, WRITE_SEEN_NOT, now_ms);
    look(&w, WRITE_NOT_LOOKED, now_ms); /* between the first and the second that count */
    look(&w, WRITE_SEEN_NOT, now_ms + 30);
    check_next(&w, now_ms + 30, WRITE_DO_SEND, now_ms + 30);
}

TEST(refusals_that_pass_are_waited_for_as_the_portal_wishes_and_are_no_attempts)
{
    struct write_heard h = heard(WRITE_WAS_NOT);
    struct bitrix_write w;

    bitrix_write_init(&w, WRITE_ADD);
    for (int i = 0; i < 20; i++) {
        bitrix_write_sent(&w);
        bitrix_write_answered(&w, &PACE, &h, 100);
    }
    check_next(&w, 100, WRITE_DO_WAIT, 108);
    CHECK_EQ(w.attempts, 0);
    bitrix_write_sent(&w);
    h.retry_ms = 600;
    bitrix_write_answered(&w, &PACE, &h, 100);
    check_next(&w, 100, WRITE_DO_WAIT, 700);
    CHECK(bitrix_write_rests(&w, 100));
}

TEST(a_no_that_no_table_knows_is_looked_for_and_never_sent_again)
{
    struct write_heard h = heard(WRITE_SAID_NO);
    struct bitrix_write w;

    bitrix_write_init(&w, WRITE_ADD);
    bitrix_write_sent(&w);
    bitrix_write_answered(&w, &PACE, &h, 0);
    bitrix_write_resumed(&w, &PACE, 5);
    look(&w, WRITE_SEEN_NOT, 100);
    bitrix_write_looked(
        &w, &PACE, &(struct write_found){ .seen = WRITE_NOT_LOOKED, .err = { .text = "page" } }, 105);
    look(&w, WRITE_SEEN_NOT, 110);
    check_next(&w, 110, WRITE_DO_TELL, 110);
    CHECK_STR(w.err.text, "a bad day");
    CHECK(!w.unsure);
}

TEST(an_update_refused_after_one_that_was_lost_is_unsure)
{
    struct write_heard h = heard(WRITE_WAS_REFUSED);
    struct bitrix_write w = lost_at(WRITE_UPDATE, 0);

    bitrix_write_sent(&w);
    bitrix_write_answered(&w, &PACE, &h, 80);
    check_next(&w, 80, WRITE_DO_TELL, 80);
    CHECK(w.unsure);
    CHECK(bitrix_write_rests(&w, 80));
}

/* The last of them may still land: whoever writes the record next waits for that. */
TEST(an_update_whose_outcome_is_always_lost_is_a_persons_turn_too)
{
    const struct write_heard h = { .verdict = WRITE_WAS_LOST };
    struct bitrix_write w;
    int64_t now_ms = 0;

    bitrix_write_init(&w, WRITE_UPDATE);
    for (unsigned i = 0; i < PACE.attempts_most; i++) {
        check_next(&w, now_ms, WRITE_DO_SEND, now_ms);
        bitrix_write_sent(&w);
        bitrix_write_answered(&w, &PACE, &h, now_ms);
        CHECK(!bitrix_write_rests(&w, now_ms + 74));
        CHECK(bitrix_write_rests(&w, now_ms += 75));
    }
    check_next(&w, now_ms, WRITE_DO_TELL, now_ms);
    CHECK(w.unsure);
    CHECK(w.err.kind != ERR_NONE);
    bitrix_write_resumed(&w, &PACE, now_ms);
    check_next(&w, now_ms, WRITE_DO_TELL, now_ms);
    CHECK(!bitrix_write_rests(&w, now_ms + 74));
    CHECK(bitrix_write_rests(&w, now_ms + 75));
}

TEST(an_update_that_is_killed_at_each_sending_is_not_sent_for_ever)
{
    struct bitrix_write w;
    int64_t now_ms = 0;

    bitrix_write_init(&w, WRITE_UPDATE);
    for (unsigned i = 0; i < PACE.attempts_most; i++) {
        check_next(&w, now_ms, WRITE_DO_SEND, now_ms);
        bitrix_write_sent(&w);
        bitrix_write_resumed(&w, &PACE, now_ms);
        now_ms += 75;
    }
    check_next(&w, now_ms, WRITE_DO_TELL, now_ms);
    CHECK(w.unsure);
}

TEST(after_so_many_sendings_without_effect_it_is_a_persons_turn)
{
    struct bitrix_write w;
    int64_t now_ms = 0;

    bitrix_write_init(&w, WRITE_ADD);
    for (unsigned i = 0; i < PACE.attempts_most; i++) {
        struct write_heard h = heard(WRITE_WAS_LOST);

        check_next(&w, now_ms, WRITE_DO_SEND, now_ms);
        bitrix_write_sent(&w);
        bitrix_write_answered(&w, &PACE, &h, now_ms);
        look(&w, WRITE_SEEN_NOT, now_ms += 75);
        look(&w, WRITE_SEEN_NOT, now_ms += 10);
    }
    check_next(&w, now_ms, WRITE_DO_TELL, now_ms);
    CHECK(!w.unsure);
}

TEST(what_the_portal_will_never_tell_is_a_persons_turn_and_said_to_be_unsure)
{
    struct bitrix_write w = lost_at(WRITE_ADD, 0);

    look(&w, WRITE_UNSEEABLE, 80);
    check_next(&w, 80, WRITE_DO_TELL, 80);
    CHECK(w.unsure);
}

/* It may be there, hidden: both looks are made, lists being late, and nothing is sent. */
TEST(an_add_not_seen_by_who_sees_not_all_is_a_persons_turn)
{
    const struct write_found found = {
        .seen = WRITE_SEEN_NOT, .partial = true, .err = { .kind = ERR_PERM, .text = "not shown" }
    };
    struct bitrix_write w = lost_at(WRITE_ADD, 0);

    bitrix_write_looked(&w, &PACE, &found, 80);
    check_next(&w, 80, WRITE_DO_WAIT, 90);
    bitrix_write_looked(&w, &PACE, &found, 90);
    check_next(&w, 90, WRITE_DO_TELL, 90);
    CHECK(w.unsure);
    CHECK_STR(w.err.text, "not shown");
}

/* Taken to the wire of a database and back. */
static struct bitrix_write kept(const struct bitrix_write *w)
{
    struct bitrix_write ret;
    struct err err;
    struct buf text;

    buf_init(&text, 4096);
    bitrix_write_encode(w, &text);
    CHECK(!text.failed);
    CHECK_OK(bitrix_write_decode(&ret, buf_view(&text), &err), err);
    buf_fini(&text);
    return ret;
}

TEST(a_restart_in_any_state_goes_on_and_waits_anew)
{
    static const struct {
        enum write_state state;
        enum write_act act;
        int64_t until_ms;
    } cases[] = {
        { WRITE_READY, WRITE_DO_SEND, 5000 },
        { WRITE_SENDING, WRITE_DO_WAIT, 5075 },
        { WRITE_UNSURE, WRITE_DO_WAIT, 5075 },
        { WRITE_DONE, WRITE_DO_NOTHING, 5000 },
        { WRITE_FAILED, WRITE_DO_TELL, 5000 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bitrix_write w = {
            .kind = WRITE_ADD, .state = cases[i].state, .attempts = 2, .id = 9, .due_ms = 1000000, .misses = 1
        };

        err_set(&w.err, ERR_WAIT, "\"why\"");
        w = kept(&w);
        bitrix_write_resumed(&w, &PACE, 5000);
        check_next(&w, 5000, cases[i].act, cases[i].until_ms);
        CHECK_EQ(w.attempts, 2);
        CHECK_EQ(w.id, 9);
        CHECK_EQ(w.misses, 0);
        CHECK_EQ(w.err.kind, ERR_WAIT);
        CHECK_STR(w.err.text, "\"why\"");
    }
}

TEST(what_is_kept_reads_as_it_was)
{
    struct bitrix_write w = lost_at(WRITE_ROWS, 1000);
    struct write_found found = { .seen = WRITE_SEEN, .id = INT64_MAX, .twins = { 9, 12 }, .twin_count = 2 };
    struct buf text;

    bitrix_write_looked(&w, &PACE, &found, 1100);
    w.refused = w.unsure = true;
    buf_init(&text, 4096);
    bitrix_write_encode(&w, &text);
    CHECK_STR(buf_cstr(&text),
        "{\"kind\":\"rows\",\"state\":\"done\",\"attempts\":1,\"refused\":true,\"unsure\":true,"
        "\"id\":9223372036854775807,\"twins\":[9,12]}");
    buf_fini(&text);
    w = kept(&w);
    CHECK_EQ(w.kind, WRITE_ROWS);
    CHECK_EQ(w.twins[1], 12);
    CHECK_EQ(w.id, INT64_MAX);
    CHECK(w.refused && w.unsure);
}

TEST(what_was_not_kept_by_us_is_refused)
{
    static const char *const cases[] = { "", "null", "[]", "{}", "{\"kind\":\"add\"}",
        "{\"kind\":\"add\",\"state\":\"ready\"}", "{\"kind\":\"add\",\"state\":\"ready\",\"attempts\":-1}",
        "{\"kind\":\"add\",\"state\":\"ready\",\"attempts\":4294967296}",
        "{\"kind\":\"odd\",\"state\":\"ready\",\"attempts\":0}",
        "{\"kind\":\"add\",\"state\":\"odd\",\"attempts\":0}",
        "{\"kind\":\"add\",\"state\":\"sending\",\"attempts\":0}",
        "{\"kind\":\"add\",\"state\":\"done\",\"attempts\":1,\"id\":-4}",
        "{\"kind\":\"add\",\"state\":\"done\",\"attempts\":1,\"id\":\"4\"}",
        "{\"kind\":\"add\",\"state\":\"done\",\"attempts\":1,\"twins\":[1,2,3,4,5,6,7,8,9]}",
        "{\"kind\":\"add\",\"kind\":\"rows\",\"state\":\"ready\",\"attempts\":0}",
        "{\"kind\":\"add\",\"state\":\"ready\",\"attempts\":0} x" };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bitrix_write w = { .id = 77 };
        struct err err;

        CHECK_EQ(bitrix_write_decode(&w, str_of(cases[i]), &err), -1);
        CHECK_EQ(err.kind, ERR_PERM);
        CHECK_EQ(w.id, 77);
    }
}

TEST_MAIN(CASE(the_times_are_those_of_the_portal), CASE(what_a_sending_came_to_decides_what_is_next),
    CASE(an_unknown_outcome_is_looked_for_after_the_portals_limit_and_not_before),
    CASE(what_is_found_is_done), CASE(what_a_list_does_not_show_is_looked_for_again_and_then_sent_again),
    CASE(a_look_in_vain_is_made_again_and_nothing_is_sent),
    CASE(refusals_that_pass_are_waited_for_as_the_portal_wishes_and_are_no_attempts),
    CASE(a_no_that_no_table_knows_is_looked_for_and_never_sent_again),
    CASE(an_update_refused_after_one_that_was_lost_is_unsure),
    CASE(after_so_many_sendings_without_effect_it_is_a_persons_turn),
    CASE(an_update_whose_outcome_is_always_lost_is_a_persons_turn_too),
    CASE(an_update_that_is_killed_at_each_sending_is_not_sent_for_ever),
    CASE(what_the_portal_will_never_tell_is_a_persons_turn_and_said_to_be_unsure),
    CASE(an_add_not_seen_by_who_sees_not_all_is_a_persons_turn),
    CASE(a_restart_in_any_state_goes_on_and_waits_anew), CASE(what_is_kept_reads_as_it_was),
    CASE(what_was_not_kept_by_us_is_refused))
