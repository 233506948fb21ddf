/* Threads with a connection each, two queues before them, one behind them that wakes the loop.
 * `lock` guards the queues and the counters; the connection is its thread's alone. */
#include "db/db_pool.h"

#include "base/clock.h"
#include "base/mem.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#define INTERRUPT_MS 50 /* one that comes between two looks and the wait is lost */

struct work {
    struct work *next;
    db_work *work;
    db_done *done;
    void *ctx;
    int status;
    struct err err;
};

struct queue {
    struct work *first, **end;
};

struct db_pool {
    uv_async_t *wake; /* freed in its close callback: it outlives the pool */
    char *url;
    uv_mutex_t lock;
    uv_cond_t more;
    struct queue lanes[2]; /* DB_URGENT, DB_BULK */
    struct queue finished;
    uv_cond_t fewer; /* threads */
    bool stopping;
    int running;       /* threads that did not end yet */
    atomic_bool hurry; /* as stopping, for who waits for a server */
    int queued;        /* loop thread only */
    int thread_count;
    uv_thread_t *threads;
};

static void queue_init(struct queue *q)
{
    q->first = NULL;
    q->end = &q->first;
}

static void queue_put(struct queue *q, struct work *w)
{
    w->next = NULL;
    *q->end = w;
    q->end = &w->next;
}

static struct work *queue_take(struct queue *q)
{
    struct work *w = q->first;

    if (w == NULL)
        return NULL;
    q->first = w->next;
    if (q->first == NULL)
        q->end = &q->first;
    return w;
}

/* NULL: the pool stops. */
static struct work *next_work(struct db_pool *pool)
{
    struct work *w = NULL;

    uv_mutex_lock(&pool->lock);
    while (!pool->stopping) {
        w = queue_take(&pool->lanes[DB_URGENT]);
        if (w == NULL)
            w = queue_take(&pool->lanes[DB_BULK]);
        if (w != NULL)
            break;
        uv_cond_wait(&pool->more, &pool->lock);
    }
    uv_mutex_unlock(&pool->lock);
    return w;
}

static void finish(struct db_pool *pool, struct work *w)
{
    uv_mutex_lock(&pool->lock);
    queue_put(&pool->finished, w);
    uv_async_send(pool->wake);
    uv_mutex_unlock(&pool->lock);
}

static int connect_again(const struct db_pool *pool, struct db **db, struct err *err)
{
    if (*db != NULL && db_is_lost(*db))
        db_close(db);
    if (*db != NULL)
        return 0;
    return db_open_as(db, pool->url, &(struct db_opening){ .stop = &pool->hurry }, err);
}

static void run_thread(void *arg)
{
    struct db_pool *pool = arg;
    struct db *db = NULL;
    struct work *w;
    struct err err = { 0 };
    sigset_t all;

    sigfillset(&all); /* signals are the loop's, but for ours */
    sigdelset(&all, SIGURG);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    (void)!connect_again(pool, &db, &err); /* in the background; what fails now is told to the first work */
    while ((w = next_work(pool)) != NULL) {
        w->status = connect_again(pool, &db, &w->err);
        if (w->status == 0) {
            w->status = w->work(w->ctx, db, &w->err);
            db_rollback(db);
        }
        finish(pool, w);
    }
    db_close(&db);
    uv_mutex_lock(&pool->lock);
    pool->running--;
    uv_cond_signal(&pool->fewer);
    uv_mutex_unlock(&pool->lock);
}

static void deliver(struct db_pool *pool, struct work *w)
{
    pool->queued--;
    w->done(w->ctx, w->status, &w->err);
    free(w);
}

static struct work *next_finished(struct db_pool *pool)
{
    struct work *w;

    uv_mutex_lock(&pool->lock);
    w = queue_take(&pool->finished);
    uv_mutex_unlock(&pool->lock);
    return w;
}

static void on_wake(uv_async_t *wake)
{
    struct work *w;

    /* A done callback may free the pool: then wake->data is NULL. */
    while (wake->data != NULL && (w = next_finished(wake->data)) != NULL)
        deliver(wake->data, w);
}

static void on_interrupt(int number)
{
    (void)number;
}

/* Without SA_RESTART: a call that waits ends with EINTR. Whoever has a use of its own for the signal keeps
 * it. */
static void hear_interrupts(void)
{
    struct sigaction was, ours = { .sa_handler = on_interrupt };

    if (sigaction(SIGURG, NULL, &was) == 0 && was.sa_handler == SIG_DFL)
        sigaction(SIGURG, &ours, NULL);
}

struct db_pool *db_pool_new(uv_loop_t *loop, const char *url, int threads)
{
    struct db_pool *pool = xcalloc(1, sizeof(*pool));

    pool->url = url != NULL ? xstrdup(url) : NULL;
    pool->wake = xcalloc(1, sizeof(*pool->wake));
    if (uv_async_init(loop, pool->wake, on_wake) != 0 || uv_mutex_init(&pool->lock) != 0 ||
        uv_cond_init(&pool->more) != 0 || uv_cond_init(&pool->fewer) != 0)
        abort(); /* out of memory or descriptors at the very start */
    pool->wake->data = pool;
    queue_init(&pool->lanes[DB_URGENT]);
    queue_init(&pool->lanes[DB_BULK]);
    queue_init(&pool->finished);
    hear_interrupts();
    pool->running = pool->thread_count = threads > 0 ? threads : 1;
    pool->threads = xcalloc((size_t)pool->thread_count, sizeof(*pool->threads));
    for (int i = 0; i < pool->thread_count; i++)
        if (uv_thread_create(&pool->threads[i], run_thread, pool) != 0)
            abort();
    return pool;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

/* None of them is joined yet, so all of their names are good. */
static void interrupt(struct db_pool *pool)
{
    for (int i = 0; i < pool->thread_count; i++)
        pthread_kill(pool->threads[i], SIGURG);
}

static void stop_threads(struct db_pool *pool)
{
    uint64_t began_ms = clock_mono_ms();

    atomic_store(&pool->hurry, true);
    uv_mutex_lock(&pool->lock);
    pool->stopping = true;
    uv_cond_broadcast(&pool->more);
    while (pool->running > 0) {
        uv_cond_timedwait(&pool->fewer, &pool->lock, (uint64_t)INTERRUPT_MS * 1000000);
        if (clock_mono_ms() - began_ms >= DB_POOL_GRACE_MS)
            interrupt(pool);
    }
    uv_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->thread_count; i++)
        uv_thread_join(&pool->threads[i]);
}

void db_pool_free(struct db_pool **pool_)
{
    struct db_pool *pool = *pool_;
    struct work *w;

    if (pool == NULL)
        return;
    *pool_ = NULL;
    stop_threads(pool);
    while ((w = queue_take(&pool->finished)) != NULL)
        deliver(pool, w);
    for (int lane = DB_URGENT; lane <= DB_BULK; lane++)
        while ((w = queue_take(&pool->lanes[lane])) != NULL) {
            w->status = err_set(&w->err, ERR_TEMP, "stopping");
            deliver(pool, w);
        }
    pool->wake->data = NULL;
    uv_close((uv_handle_t *)pool->wake, on_closed);
    uv_mutex_destroy(&pool->lock);
    uv_cond_destroy(&pool->more);
    uv_cond_destroy(&pool->fewer);
    free(pool->threads);
    free(pool->url);
    free(pool);
}

void db_pool_do(struct db_pool *pool, enum db_lane lane, db_work *work, db_done *done, void *ctx)
{
    struct work *w = xcalloc(1, sizeof(*w));

    *w = (struct work){ .work = work, .done = done, .ctx = ctx };
    pool->queued++;
    uv_mutex_lock(&pool->lock);
    queue_put(&pool->lanes[lane], w); /* while stopping too: db_pool_free() answers it */
    uv_cond_signal(&pool->more);
    uv_mutex_unlock(&pool->lock);
}

int db_pool_queued(const struct db_pool *pool)
{
    return pool->queued;
}
