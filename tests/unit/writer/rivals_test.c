/* Writers on connections of their own, all at once, over the same records, while floors rise and events set
 * marks. */
#include "story.h"

#include <pthread.h>

#define WRITERS  3
#define MESSAGES 12 /* of each writer */
#define RECORDS  60

struct rival {
    char url[400];
    struct msg *messages[MESSAGES];
    uint64_t written, late;
    int failed;
    char why[ERR_TEXT_SIZE + 32];
};

static void fail_with(struct rival *r, const struct err *err)
{
    r->failed++;
    snprintf(r->why, sizeof(r->why), "%s: %s", err_kind_name(err->kind), err->text);
}

static void *write_messages(void *ctx)
{
    struct rival *r = ctx;
    struct db *db = NULL;
    struct err err = { 0 };

    if (db_open(&db, r->url, &err) < 0) {
        fail_with(r, &err);
        return NULL;
    }
    for (int i = 0; i < MESSAGES; i++) {
        struct apply a;
        if (apply_begin(&a, db, r->messages[i], &err) < 0 || apply_end(&a, &err) < 0)
            fail_with(r, &err);
        r->written += a.counts.written;
        r->late += a.counts.late;
    }
    db_close(&db);
    return NULL;
}

static struct msg *message(struct story *s, int number)
{
    struct note notes[RECORDS];
    static const char *const titles[] = { "A", "B", "C", "D", "E" };
    struct flight f = number % 2 == 0 ? fly_range(s, 1, END) : fly_ids(s);

    for (int i = 0; i < RECORDS; i++)
        notes[i] = (struct note){ (uint64_t)i + 1, titles[number % 5] };
    return read_flight(&f, notes, RECORDS);
}

static void prepare(struct story *s, struct rival *rivals)
{
    for (int w = 0; w < WRITERS; w++)
        snprintf(rivals[w].url, sizeof(rivals[w].url), "%s", test_url("rivals.db"));
    for (int i = 0; i < MESSAGES; i++)
        for (int w = 0; w < WRITERS; w++)
            rivals[w].messages[i] = message(s, i * WRITERS + w);
}

/* Every message was sent before the first was committed, so the first one wins and all others that differ are
 * late: were the look and the writing not one, two would write. */
TEST(the_first_of_many_writers_wins_and_nobody_fails)
{
    struct rival *rivals = xcalloc(WRITERS, sizeof(*rivals));
    struct story s;
    pthread_t threads[WRITERS];
    uint64_t written = 0;

    open_story(&s, "rivals.db");
    prepare(&s, rivals);
    for (int w = 0; w < WRITERS; w++)
        CHECK_EQ(pthread_create(&threads[w], NULL, write_messages, &rivals[w]), 0);
    for (uint64_t i = 0; i < 200; i++) {
        mark(&s, RECORDS - i % RECORDS);
        raise_floor(&s, 1);
    }
    for (int w = 0; w < WRITERS; w++)
        pthread_join(threads[w], NULL);
    for (int w = 0; w < WRITERS; w++) {
        if (rivals[w].failed > 0)
            print_error("writer %d: %d failed: %s\n", w, rivals[w].failed, rivals[w].why);
        CHECK_EQ(rivals[w].failed, 0);
        written += rivals[w].written;
        for (int i = 0; i < MESSAGES; i++)
            msg_free(&rivals[w].messages[i]);
    }
    CHECK_EQ(written, RECORDS);
    CHECK_EQ(test_i64(s.other, "SELECT count(DISTINCT title) FROM crm_deals"), 1);
    CHECK_EQ(test_i64(s.other, "SELECT count(*) FROM crm_deals"), RECORDS);
    CHECK_EQ(test_i64(s.other, "SELECT count(*) FROM potok_job WHERE state <> 'done'"), 0);
    close_story(&s);
    free(rivals);
}

TEST_MAIN(CASE(the_first_of_many_writers_wins_and_nobody_fails))
