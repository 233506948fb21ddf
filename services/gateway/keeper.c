#include "keeper.h"

#include "base/clock.h"
#include "base/mem.h"
#include "pace.h"
#include "run/crash.h"

#include <limits.h>
#include <stdlib.h>

#define OPEN_AGAIN_MS 500

struct notice { /* what the thread tells the loop beside the wishes */
    struct notice *next;
    enum { NOTICE_OPEN, NOTICE_TROUBLE, NOTICE_WELL, NOTICE_SALVAGED, NOTICE_MOVED } kind;
    uint64_t spool, last;
    int64_t saved;
    struct err err;
};

struct keeper {
    uv_thread_t thread;
    uv_mutex_t mutex;
    uv_cond_t cond;
    uv_async_t *async;
    struct keeper_events events;
    char *path;
    struct wish *wishes, **wishes_end; /* under the mutex, as are the next three */
    struct wish *finished, **finished_end;
    struct notice *notices, **notices_end;
    unsigned adds;    /* of the wishes */
    bool others;      /* of the wishes: some that are no adds */
    unsigned wake_at; /* that many adds, or any other wish, wake the thread: once */
    bool stopping;
    struct spool *spool; /* the thread's */
    struct pace pace;
    uint64_t until; /* of uv_hrtime(): so long those whom the last commit answered are waited for */
    bool troubled;
};

/* ---- on the thread ---- */

static void tell(struct keeper *k, struct notice notice)
{
    struct notice *n = xmalloc(sizeof(*n));

    *n = notice;
    n->next = NULL;
    uv_mutex_lock(&k->mutex);
    *k->notices_end = n;
    k->notices_end = &n->next;
    uv_mutex_unlock(&k->mutex);
    uv_async_send(k->async);
}

static void tell_trouble(struct keeper *k, const struct err *err)
{
    if (err == NULL && k->troubled)
        tell(k, (struct notice){ .kind = NOTICE_WELL });
    else if (err != NULL && !k->troubled)
        tell(k, (struct notice){ .kind = NOTICE_TROUBLE, .err = *err });
    k->troubled = err != NULL;
}

static void tell_open(struct keeper *k, int64_t saved)
{
    if (saved >= 0)
        tell(k, (struct notice){ .kind = NOTICE_SALVAGED, .saved = saved });
    tell(
        k, (struct notice){ .kind = NOTICE_OPEN, .spool = spool_id(k->spool), .last = spool_last(k->spool) });
}

static void open_spool(struct keeper *k)
{
    struct err err = { 0 };
    int64_t saved;

    if (spool_open(&k->spool, k->path, clock_wall_ms(), &saved, &err) < 0) {
        k->spool = NULL;
        tell_trouble(k, &err);
        return;
    }
    tell_open(k, saved);
}

static int do_add(struct keeper *k, struct wish *w)
{
    for (int i = 0; i < w->count; i++) {
        struct spool_row *row = &w->rows[i];
        int failed = row->odd ? spool_add_odd(k->spool, row->at_ms, row->event, row->portal, &w->err)
                              : spool_add(k->spool, row, &w->added[i], &w->err);

        if (failed < 0)
            return -1;
    }
    return 0;
}

/* A number of the spool before a repair would forget rows of the new one that nobody has seen. */
static int do_one(struct keeper *k, struct wish *w)
{
    if (w->kind == WISH_ADD)
        return do_add(k, w);
    if (w->kind == WISH_KNOW)
        return spool_keep_known(k->spool, w->hosts, w->sealed, &w->err);
    if (w->spool != spool_id(k->spool)) {
        w->count = w->damaged = 0;
        return 0;
    }
    if (w->kind == WISH_TAKE)
        return spool_take(k->spool, w->after, w->rows, w->most, &w->count, &w->damaged, &w->err);
    return spool_forget(k->spool, w->after, &w->err);
}

static struct wish *take_wishes(struct keeper *k) /* under the mutex */
{
    struct wish *list = k->wishes;

    k->wishes = NULL;
    k->wishes_end = &k->wishes;
    k->adds = 0;
    k->others = false;
    return list;
}

/* Under the mutex. Those who come back at once (pace.h) are written together; what is no add waits for
 * nobody. */
static void hope(struct keeper *k, unsigned missing)
{
    unsigned step = pace_step(missing);

    for (uint64_t now; k->adds < step && !k->others && !k->stopping && (now = uv_hrtime()) < k->until;) {
        k->wake_at = step;
        uv_cond_timedwait(&k->cond, &k->mutex, k->until - now);
    }
}

static int do_list(
    struct keeper *k, struct wish *list, unsigned *adds, struct wish ***ret_end, struct err *err)
{
    for (struct wish *w = list; w != NULL; w = w->next) {
        if (do_one(k, w) < 0) {
            *err = w->err;
            spool_rollback(k->spool);
            return -1;
        }
        *adds += w->kind == WISH_ADD;
        *ret_end = &w->next;
    }
    return 0;
}

/* They are written while others come. */
static int do_more(struct keeper *k, struct wish **end, unsigned *adds, struct err *err)
{
    const unsigned hoped = pace_patience_us(&k->pace) > 0 ? pace_hoped(&k->pace) : 0;

    while (*adds < hoped) {
        uv_mutex_lock(&k->mutex);
        hope(k, hoped - *adds);
        *end = take_wishes(k);
        uv_mutex_unlock(&k->mutex);
        if (*end == NULL)
            return 0;
        if (do_list(k, *end, adds, &end, err) < 0)
            return -1;
    }
    return 0;
}

/* All of them in one transaction, and what comes meanwhile. None: a try whether the disk is well again. */
static int do_all(struct keeper *k, struct wish **list, struct err *err)
{
    unsigned adds = 0, left;
    struct wish **end = list;
    uint64_t began;

    if (k->spool == NULL)
        return err_set(err, ERR_TEMP, "the spool is not open");
    if (spool_begin(k->spool, err) < 0)
        return -1;
    if (*list == NULL && spool_touch(k->spool, err) < 0) {
        spool_rollback(k->spool);
        return -1;
    }
    if (do_list(k, *list, &adds, &end, err) < 0 || (adds > 0 && do_more(k, end, &adds, err) < 0))
        return -1;
    crash_point(GATEWAY_BEFORE_COMMIT);
    began = uv_hrtime();
    if (spool_commit(k->spool, err) < 0)
        return -1;
    crash_point(GATEWAY_AFTER_COMMIT);
    if (adds == 0)
        return 0;
    uv_mutex_lock(&k->mutex);
    left = k->adds;
    uv_mutex_unlock(&k->mutex);
    pace_committed(&k->pace, adds, left, (uv_hrtime() - began) / 1000);
    k->until = uv_hrtime() + pace_patience_us(&k->pace) * 1000;
    return 0;
}

/* Somebody deleted the file or put another in its place: what is kept in it now, no start would find. */
static int follow_file(struct keeper *k, struct err *err)
{
    int64_t saved;

    if (k->spool == NULL || !spool_moved(k->spool))
        return 0;
    if (spool_follow(&k->spool, clock_wall_ms(), &saved, err) < 0)
        return -1;
    tell(k, (struct notice){ .kind = NOTICE_MOVED, .saved = saved });
    tell_open(k, -1);
    return 0;
}

/* The list may grow meanwhile. */
static void serve(struct keeper *k, struct wish **list)
{
    struct err err = { 0 };
    int64_t saved;
    int status = follow_file(k, &err) < 0 ? -1 : do_all(k, list, &err);

    if (status < 0 && err.kind == ERR_PERM && k->spool != NULL) { /* a page went bad under us */
        if (spool_repair(&k->spool, clock_wall_ms(), &saved, &err) == 0) {
            tell_open(k, saved);
            status = do_all(k, list, &err);
        }
    }
    tell_trouble(k, status < 0 ? &err : NULL);
    for (struct wish *w = *list; w != NULL; w = w->next) {
        w->status = status;
        if (status < 0)
            w->err = err;
        else if (w->kind == WISH_ADD)
            w->spool = spool_id(k->spool);
    }
}

static struct wish *wait_for_wishes(struct keeper *k, bool *ret_stop)
{
    struct wish *list;

    uv_mutex_lock(&k->mutex);
    hope(k, pace_hoped(&k->pace));
    while (k->wishes == NULL && !k->stopping) {
        k->wake_at = 1;
        if (k->spool != NULL && !k->troubled)
            uv_cond_wait(&k->cond, &k->mutex);
        else if (uv_cond_timedwait(&k->cond, &k->mutex, OPEN_AGAIN_MS * UINT64_C(1000000)) != 0)
            break;
    }
    list = take_wishes(k);
    *ret_stop = list == NULL && k->stopping;
    uv_mutex_unlock(&k->mutex);
    return list;
}

static void finish(struct keeper *k, struct wish *list)
{
    if (list == NULL)
        return;
    uv_mutex_lock(&k->mutex);
    for (*k->finished_end = list; *k->finished_end != NULL;)
        k->finished_end = &(*k->finished_end)->next;
    uv_mutex_unlock(&k->mutex);
    uv_async_send(k->async);
}

static void run(void *ctx)
{
    struct keeper *k = ctx;
    bool stop = false;

    while (!stop) {
        if (k->spool == NULL)
            open_spool(k);
        struct wish *list = wait_for_wishes(k, &stop);

        if (list != NULL || (k->troubled && k->spool != NULL && !stop))
            serve(k, &list); /* of itself too: who is told not ready sends us nothing to try with */
        finish(k, list);
    }
    spool_close(&k->spool);
}

/* ---- on the loop ---- */

static void on_notice(struct keeper *k, const struct notice *n)
{
    switch (n->kind) {
    case NOTICE_OPEN:
        k->events.on_open(k->events.ctx, n->spool, n->last);
        break;
    case NOTICE_TROUBLE:
    case NOTICE_WELL:
        k->events.on_trouble(k->events.ctx, n->kind == NOTICE_TROUBLE ? &n->err : NULL);
        break;
    case NOTICE_SALVAGED:
        k->events.on_salvaged(k->events.ctx, n->saved);
        break;
    case NOTICE_MOVED:
        k->events.on_moved(k->events.ctx, n->saved);
        break;
    }
}

static void deliver(struct keeper *k)
{
    struct notice *notices;
    struct wish *finished;

    uv_mutex_lock(&k->mutex);
    notices = k->notices;
    k->notices = NULL;
    k->notices_end = &k->notices;
    finished = k->finished;
    k->finished = NULL;
    k->finished_end = &k->finished;
    uv_mutex_unlock(&k->mutex);
    while (notices != NULL) {
        struct notice *n = notices;

        notices = n->next;
        on_notice(k, n);
        free(n);
    }
    while (finished != NULL) {
        struct wish *w = finished;

        finished = w->next;
        w->done(w); /* may free it */
    }
}

static void on_async(uv_async_t *async)
{
    deliver(async->data);
}

struct keeper *keeper_new(uv_loop_t *loop, const char *path, const struct keeper_events *events)
{
    struct keeper *k = xcalloc(1, sizeof(*k));

    k->events = *events;
    k->path = xstrdup(path);
    k->wishes_end = &k->wishes;
    k->finished_end = &k->finished;
    k->notices_end = &k->notices;
    k->async = xcalloc(1, sizeof(*k->async));
    uv_mutex_init(&k->mutex);
    uv_cond_init(&k->cond);
    uv_async_init(loop, k->async, on_async);
    k->async->data = k;
    uv_thread_create(&k->thread, run, k);
    return k;
}

void keeper_do(struct keeper *k, struct wish *w)
{
    bool wake;

    w->next = NULL;
    uv_mutex_lock(&k->mutex);
    *k->wishes_end = w;
    k->wishes_end = &w->next;
    k->adds += w->kind == WISH_ADD;
    k->others |= w->kind != WISH_ADD;
    wake = w->kind != WISH_ADD || k->adds >= k->wake_at;
    if (wake)
        k->wake_at = UINT_MAX;
    uv_mutex_unlock(&k->mutex);
    if (wake) /* it finds the mutex free */
        uv_cond_signal(&k->cond);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

void keeper_free(struct keeper **keeper)
{
    struct keeper *k = *keeper;

    if (k == NULL)
        return;
    uv_mutex_lock(&k->mutex);
    k->stopping = true;
    uv_cond_signal(&k->cond);
    uv_mutex_unlock(&k->mutex);
    uv_thread_join(&k->thread);
    deliver(k);
    uv_close((uv_handle_t *)k->async, on_closed);
    uv_mutex_destroy(&k->mutex);
    uv_cond_destroy(&k->cond);
    free(k->path);
    free(k);
    *keeper = NULL;
}
