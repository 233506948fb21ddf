/* Work on threads of its own: order, answers on the loop thread, reconnecting, stopping. */
#include "unit/db/fixture.h"

#include "db/db_pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct gate { /* the first work waits here until the others are in line */
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool open;
};

struct job {
    struct gate *gate;
    int number;
    int *order, *count; /* of beginnings */
    pthread_t loop_thread;
    int status;
    struct err err;
    int answers;
    bool fail, leave_open;
};

static int work(void *ctx, struct db *db, struct err *err)
{
    struct job *j = ctx;
    struct err inner = { 0 };

    if (j->gate != NULL) {
        pthread_mutex_lock(&j->gate->lock);
        while (!j->gate->open)
            pthread_cond_wait(&j->gate->opened, &j->gate->lock);
        pthread_mutex_unlock(&j->gate->lock);
    }
    if (j->order != NULL)
        j->order[(*j->count)++] = j->number;
    if (pthread_equal(pthread_self(), j->loop_thread))
        return err_set(err, ERR_BUG, "on the loop thread");
    if (j->leave_open && db_begin(db, &inner) < 0)
        return err_set(err, ERR_BUG, "a transaction was left open");
    return j->fail ? err_set(err, ERR_PERM, "as told") : 0;
}

static void done(void *ctx, int status, const struct err *err)
{
    struct job *j = ctx;

    CHECK(pthread_equal(pthread_self(), j->loop_thread));
    j->answers++;
    j->status = status;
    j->err = *err;
}

static void open_gate(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->open = true;
    pthread_cond_broadcast(&g->opened);
    pthread_mutex_unlock(&g->lock);
}

static void run_until_done(uv_loop_t *loop, struct db_pool *pool)
{
    while (db_pool_queued(pool) > 0)
        uv_run(loop, UV_RUN_ONCE);
}

static void close_loop(uv_loop_t *loop, struct db_pool **pool)
{
    db_pool_free(pool);
    CHECK(*pool == NULL);
    uv_run(loop, UV_RUN_DEFAULT);
    CHECK_EQ(uv_loop_close(loop), 0);
}

TEST(urgent_goes_before_bulk_and_each_lane_in_order)
{
    struct gate gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
    int order[8], count = 0;
    struct job jobs[6];
    uv_loop_t loop;

    uv_loop_init(&loop);
    struct db_pool *pool = db_pool_new(&loop, test_url("pool.db"), 1);
    for (int i = 0; i < 6; i++) {
        jobs[i] = (struct job){ .number = i,
            .order = order,
            .count = &count,
            .loop_thread = pthread_self(),
            .gate = i == 0 ? &gate : NULL };
        db_pool_do(pool, i < 3 ? DB_BULK : DB_URGENT, work, done, &jobs[i]);
    }
    CHECK_EQ(db_pool_queued(pool), 6);
    open_gate(&gate);
    run_until_done(&loop, pool);
    CHECK_EQ(count, 6);
    for (int i = 0; i < 6; i++) {
        CHECK_EQ(jobs[i].answers, 1);
        CHECK_OK(jobs[i].status, jobs[i].err);
        CHECK(order[i] >= 0);
    }
    /* the one behind the gate may have been taken before the urgent ones came, or not */
    int first = order[0] == 0 ? 1 : 0;
    CHECK_EQ(order[first], 3);
    CHECK_EQ(order[first + 1], 4);
    CHECK_EQ(order[first + 2], 5);
    CHECK_EQ(order[5], 2);
    close_loop(&loop, &pool);
}

TEST(a_transaction_left_open_is_rolled_back)
{
    struct job jobs[2] = { { .leave_open = true, .fail = true, .loop_thread = pthread_self() },
        { .leave_open = true, .loop_thread = pthread_self() } };
    uv_loop_t loop;

    uv_loop_init(&loop);
    struct db_pool *pool = db_pool_new(&loop, test_url("left_open.db"), 1);
    for (int i = 0; i < 2; i++)
        db_pool_do(pool, DB_BULK, work, done, &jobs[i]);
    run_until_done(&loop, pool);
    CHECK_EQ(jobs[0].status, -1);
    CHECK_EQ(jobs[0].err.kind, ERR_PERM);
    CHECK_OK(jobs[1].status, jobs[1].err);
    close_loop(&loop, &pool);
}

TEST(a_database_that_cannot_be_opened_is_each_works_error_until_it_can)
{
    ONLY_SQLITE();
    struct job first = { .loop_thread = pthread_self() }, second = { .loop_thread = pthread_self() };
    char path[256];
    uv_loop_t loop;

    snprintf(path, sizeof(path), "%s", test_path("later"));
    FILE *f = fopen(path, "w"); /* a file where the folder should be */
    fclose(f);
    uv_loop_init(&loop);
    struct db_pool *pool = db_pool_new(&loop, test_url("later/potok.db"), 1);
    db_pool_do(pool, DB_BULK, work, done, &first);
    run_until_done(&loop, pool);
    CHECK_EQ(first.status, -1);
    CHECK_EQ(first.err.kind, ERR_CONF);
    CHECK_EQ(remove(path), 0);
    db_pool_do(pool, DB_BULK, work, done, &second);
    run_until_done(&loop, pool);
    CHECK_OK(second.status, second.err);
    close_loop(&loop, &pool);
}

TEST(a_lost_connection_is_opened_again)
{
    struct job jobs[3] = { { .loop_thread = pthread_self() },
        { .leave_open = true, .loop_thread = pthread_self() },
        { .leave_open = true, .loop_thread = pthread_self() } };
    uv_loop_t loop;

    uv_loop_init(&loop);
    struct db_pool *pool = db_pool_new(&loop, test_url("lost.db"), 1);
    db_pool_do(pool, DB_BULK, work, done, &jobs[0]);
    run_until_done(&loop, pool);
    if (check_is_postgres())
        check_psql("lost.db",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'potok'");
    else
        CHECK_EQ(remove(test_path("lost.db")), 0);
    db_pool_do(pool, DB_BULK, work, done, &jobs[1]);
    run_until_done(&loop, pool);
    CHECK_EQ(jobs[1].status, -1); /* noticed */
    db_pool_do(pool, DB_BULK, work, done, &jobs[2]);
    run_until_done(&loop, pool);
    CHECK_OK(jobs[2].status, jobs[2].err);
    close_loop(&loop, &pool);
}

TEST(stopping_answers_everybody)
{
    struct gate gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, true };
    struct job jobs[20];
    int stopped = 0;
    uv_loop_t loop;

    uv_loop_init(&loop);
    struct db_pool *pool = db_pool_new(&loop, test_url("stop.db"), 2);
    for (int i = 0; i < 20; i++) {
        jobs[i] = (struct job){ .loop_thread = pthread_self(), .gate = &gate };
        db_pool_do(pool, DB_BULK, work, done, &jobs[i]);
    }
    db_pool_free(&pool);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(jobs[i].answers, 1);
        if (jobs[i].status < 0) {
            CHECK_STR(jobs[i].err.text, "stopping");
            stopped++;
        }
    }
    CHECK(stopped <= 20);
    close_loop(&loop, &pool);
    db_pool_free(&pool);
}

TEST_MAIN(CASE(urgent_goes_before_bulk_and_each_lane_in_order), CASE(a_transaction_left_open_is_rolled_back),
    CASE(a_database_that_cannot_be_opened_is_each_works_error_until_it_can),
    CASE(a_lost_connection_is_opened_again), CASE(stopping_answers_everybody))
