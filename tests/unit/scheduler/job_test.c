#include "services/scheduler/rules/job.h"

#include "base/mem.h"
#include "support/check.h"

#define NOW 1000000

static struct job range(uint64_t first, uint64_t last)
{
    return (struct job){ .id = 7, .kind = JOB_RANGE, .first = first, .last = last };
}

/* The model's search no-split: the whole batch again and again never passes the bad record. */
TEST(no_split__a_range_that_fails_is_narrowed_to_the_record_that_fails)
{
    struct job job = range(1, 4096);
    uint64_t poison = 1234;
    int attempts = 0;
    enum job_next next;

    while ((next = job_failed(&job, JOB_END_ERROR, ERR_PERM, 1, NOW, 5)) != JOB_ASIDE) {
        CHECK(++attempts < 60);
        if (next != JOB_SPLIT)
            continue;
        uint64_t middle = job.first + (job.last - job.first) / 2;

        if (poison <= middle)
            job.last = middle;
        else
            job.first = middle + 1;
    }
    CHECK_EQ(job.first, poison);
    CHECK_EQ(job.last, poison);
}

TEST(no_split__a_batch_of_ids_is_halved_until_one_stands_alone)
{
    struct job job = { .kind = JOB_IDS, .id_count = 2500 };

    for (int halved = 0; job.id_count > 1; halved++) {
        CHECK(halved < 12);
        CHECK_EQ(job_failed(&job, JOB_END_ERROR, ERR_PERM, 0, NOW, 1), JOB_SPLIT);
        job.id_count = (job.id_count + 1) / 2;
    }
    CHECK_EQ(job_failed(&job, JOB_END_ERROR, ERR_PERM, 0, NOW, 1), JOB_ALONE);
}

TEST(a_range_first_asks_for_fewer_pages)
{
    struct job job = range(1, 100000);
    static const uint32_t caps[] = { 25, 12, 6, 3, 1 };

    for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
        CHECK_EQ(job_failed(&job, JOB_END_ERROR, ERR_LIMIT, 0, NOW, 1), JOB_AGAIN);
        CHECK_EQ(job.pages_cap, caps[i]);
        CHECK_EQ(job.not_before_ms, NOW); /* another question: no reason to wait */
    }
    CHECK_EQ(job_failed(&job, JOB_END_ERROR, ERR_LIMIT, 0, NOW, 1), JOB_SPLIT);
}

TEST(what_says_nothing_of_the_job_leaves_it_as_it_is)
{
    static const struct {
        enum job_end end;
        enum err_kind kind;
    } cases[] = {
        { JOB_END_LOST, ERR_TEMP },
        { JOB_END_TURNED, ERR_TEMP },
        { JOB_END_ERROR, ERR_WAIT },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct job job = range(1, 1);

        for (int n = 0; n < 100; n++)
            CHECK_EQ(job_failed(&job, cases[i].end, cases[i].kind, (uint64_t)n, NOW, 1), JOB_AGAIN);
        CHECK_EQ(job.fails, 0);
        CHECK_EQ(job.not_before_ms, NOW);
    }
}

TEST(a_portal_that_is_down_narrows_nothing)
{
    struct job job = range(1, (uint64_t)1 << 62);

    for (int n = 0; n < 50; n++)
        CHECK_EQ(job_failed(&job, JOB_END_ERROR, ERR_TEMP, 3, NOW, 1), JOB_AGAIN);
    CHECK_EQ(job.pages_cap, 0);
}

TEST(a_job_that_fails_while_the_portal_answers_others_is_narrowed)
{
    struct job job = range(1, 100000);
    uint64_t good = 10;

    for (int n = 0; n < JOB_STRIKES; n++)
        CHECK_EQ(job_failed(&job, JOB_END_ERROR, ERR_TEMP, good++, NOW, 1), JOB_AGAIN);
    CHECK_EQ(job.pages_cap, 25);
}

TEST(attempts_that_die_after_their_report_put_the_job_under_suspicion)
{
    struct job job = range(1, 100000);

    for (int n = 0; n < JOB_DEATHS - 1; n++) {
        CHECK_EQ(job_failed(&job, JOB_END_DIED, ERR_TEMP, 0, NOW, 1), JOB_AGAIN);
        CHECK_EQ(job.pages_cap, 0);
        CHECK_EQ(job.not_before_ms, NOW); /* its deadline was wait enough */
    }
    CHECK_EQ(job_failed(&job, JOB_END_DIED, ERR_TEMP, 0, NOW, 1), JOB_AGAIN);
    CHECK_EQ(job.pages_cap, 25);
}

TEST(a_range_that_asked_for_one_page_is_split_at_once)
{
    struct job job = range(1, 60);

    job.pages = 1;
    CHECK_EQ(job_failed(&job, JOB_END_ERROR, ERR_PERM, 0, NOW, 1), JOB_SPLIT);
}

TEST(what_follows_a_narrowed_job_grows_again)
{
    static const uint32_t grows[] = { 1, 2, 4, 8, 16, 32, 0 };

    for (size_t i = 0; i + 1 < ARRAY_SIZE(grows); i++)
        CHECK_EQ(job_next_cap(&(struct job){ .pages_cap = grows[i] }), grows[i + 1]);
    CHECK_EQ(job_next_cap(&(struct job){ .pages_cap = 0 }), 0);
}

TEST(what_changed_is_narrowed_like_a_range)
{
    struct job job = range(1, 60);

    job.kind = JOB_CHANGED;
    job.pages = 2;
    CHECK_EQ(job_failed(&job, JOB_END_ERROR, ERR_PERM, 0, NOW, 1), JOB_AGAIN);
    CHECK_EQ(job.pages_cap, 1);
    CHECK_EQ(job_failed(&job, JOB_END_ERROR, ERR_PERM, 0, NOW, 1), JOB_SPLIT);
    job.last = 1;
    while (job.fails + 1 < JOB_LAST_TRIES)
        CHECK_EQ(job_failed(&job, JOB_END_ERROR, ERR_PERM, 0, NOW, 1), JOB_AGAIN);
    CHECK_EQ(job_failed(&job, JOB_END_ERROR, ERR_PERM, 0, NOW, 1), JOB_ASIDE);
}

TEST(a_record_is_set_aside_only_after_several_attempts)
{
    struct job job = range(42, 42);

    for (int n = 1; n < JOB_LAST_TRIES; n++)
        CHECK_EQ(job_failed(&job, JOB_END_ERROR, ERR_PERM, 0, NOW, 1), JOB_AGAIN);
    CHECK_EQ(job_failed(&job, JOB_END_ERROR, ERR_PERM, 0, NOW, 1), JOB_ASIDE);
}

TEST(a_list_is_blamed_for_pages_and_for_records_that_are_all_too_large)
{
    static const struct {
        uint64_t first, last;
        uint32_t pages;
        unsigned fails;
        enum err_kind kind;
        uint64_t ok_count;
        bool blamed;
    } cases[] = {
        { 1, 900, 1, 0, ERR_PERM, 4, true },
        { 1, 900, 2, 0, ERR_PERM, 4, false },
        { 1, 900, 1, 0, ERR_WAIT, 4, false },
        { 1, 900, 1, 2, ERR_TEMP, 5, true }, /* the portal answers others well */
        { 1, 900, 1, 2, ERR_TEMP, 4, false },
        { 1, 900, 2, 2, ERR_TEMP, 5, false },
        { 1, 900, 1, 9, ERR_LIMIT, 5, false },
        { 7, 7, 1, JOB_LAST_TRIES - 2, ERR_LIMIT, 5, false },
        { 7, 7, 1, JOB_LAST_TRIES - 1, ERR_LIMIT, 5, true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct job job = range(cases[i].first, cases[i].last);

        job.pages = cases[i].pages;
        job.fails = cases[i].fails;
        job.portal_ok = 4;
        CHECK_EQ(job_blames_list(&job, cases[i].kind, cases[i].ok_count), cases[i].blamed);
    }
    CHECK(!job_blames_list(&(struct job){ .kind = JOB_GET, .pages = 1 }, ERR_PERM, 1));
}

TEST(credentials_and_configuration_are_never_retried)
{
    struct job job = range(1, 9);

    CHECK_EQ(job_failed(&job, JOB_END_ERROR, ERR_AUTH, 0, NOW, 1), JOB_STOP);
    CHECK_EQ(job_failed(&job, JOB_END_ERROR, ERR_CONF, 0, NOW, 1), JOB_STOP);
}

TEST(pauses_double_up_to_a_minute_with_jitter)
{
    for (unsigned fails = 1; fails < 20; fails++) {
        uint64_t middle = fails < 7 ? 1000ULL << (fails - 1) : 60000;

        for (uint32_t dice = 0; dice < 100000; dice += 777) {
            CHECK(job_backoff(fails, dice) >= middle * 3 / 4);
            CHECK(job_backoff(fails, dice) <= middle * 5 / 4);
        }
    }
}

TEST(the_list_keeps_its_order)
{
    struct job *head = NULL, *jobs[3];

    for (uint64_t i = 0; i < 3; i++) {
        jobs[i] = job_new(JOB_RANGE, 0);
        jobs[i]->id = i + 1;
        job_put(&head, jobs[i]);
    }
    job_take(&head, jobs[1]);
    CHECK(job_find(head, 2) == NULL);
    CHECK(head == jobs[0] && head->next == jobs[2]);
    job_take(&head, jobs[0]);
    job_take(&head, jobs[2]);
    CHECK(head == NULL);
    for (int i = 0; i < 3; i++)
        job_free(&jobs[i]);
}

TEST(what_writes_is_not_repeated_unless_the_portal_did_nothing)
{
    static const struct {
        enum job_end end;
        enum err_kind kind;
        bool unsure;
    } cases[] = {
        { JOB_END_ERROR, ERR_WAIT, false }, { JOB_END_ERROR, ERR_TEMP, true },
        { JOB_END_ERROR, ERR_AUTH, true }, /* its last in any case */
        { JOB_END_LOST, ERR_TEMP, true }, { JOB_END_LATE, ERR_TEMP, true },
        { JOB_END_TURNED, ERR_TEMP, false }, /* its token ended, or the portal has another address */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct job reads = { .kind = JOB_CALL }, writes = { .kind = JOB_CALL, .once = true };

        CHECK(!job_is_unsure(&reads, cases[i].end, cases[i].kind));
        CHECK_EQ(job_is_unsure(&writes, cases[i].end, cases[i].kind), cases[i].unsure);
        CHECK_EQ(job_end_is_open(cases[i].end, cases[i].kind), cases[i].unsure);
    }
}

TEST_MAIN(CASE(no_split__a_range_that_fails_is_narrowed_to_the_record_that_fails),
    CASE(no_split__a_batch_of_ids_is_halved_until_one_stands_alone), CASE(a_range_first_asks_for_fewer_pages),
    CASE(what_changed_is_narrowed_like_a_range), CASE(what_says_nothing_of_the_job_leaves_it_as_it_is),
    CASE(a_portal_that_is_down_narrows_nothing),
    CASE(a_job_that_fails_while_the_portal_answers_others_is_narrowed),
    CASE(attempts_that_die_after_their_report_put_the_job_under_suspicion),
    CASE(a_range_that_asked_for_one_page_is_split_at_once), CASE(what_follows_a_narrowed_job_grows_again),
    CASE(a_record_is_set_aside_only_after_several_attempts),
    CASE(a_list_is_blamed_for_pages_and_for_records_that_are_all_too_large),
    CASE(credentials_and_configuration_are_never_retried), CASE(pauses_double_up_to_a_minute_with_jitter),
    CASE(the_list_keeps_its_order), CASE(what_writes_is_not_repeated_unless_the_portal_did_nothing))
