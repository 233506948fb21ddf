#include "scheduler.h"

#include "held.h"

#include "base/log.h"
#include "base/mem.h"
#include "db/turn.h"

#include <stdio.h>
#include <stdlib.h>

enum { LOOK_MS = 1000, LOOKS = 3 }; /* so many in a row: it does not go on by itself */

static void forget(struct held *h)
{
    if (h->looks >= LOOKS)
        log_ev(LOG_INFO, "database.free", kv_u("pid", h->pid));
    h->looks = 0;
    h->pid = 0;
    h->text[0] = '\0';
}

static void tell(struct held *h, const struct turn_holder *now)
{
    snprintf(h->text, sizeof(h->text),
        "process %llu (%s) is stopped while it may write to the database, and nobody else can: let it go on "
        "(kill -CONT %llu) or end it (kill -KILL %llu)",
        (unsigned long long)now->pid, now->program, (unsigned long long)now->pid,
        (unsigned long long)now->pid);
    log_ev(LOG_WARNING, "database.held", kv_u("pid", now->pid), kv_s("program", now->program),
        kv_s("message", h->text));
}

static void on_look(uv_timer_t *timer)
{
    struct scheduler *s = timer->data;
    struct held *h = &s->lease.held;
    struct turn_holder now;

    if (!turn_look(s->database_url, &now) || !now.stopped || now.pid != h->pid)
        forget(h);
    if (!now.stopped)
        return;
    h->pid = now.pid;
    if (++h->looks == LOOKS)
        tell(h, &now);
}

void held_start(struct scheduler *s)
{
    struct held *h = &s->lease.held;

    *h = (struct held){ .timer = xcalloc(1, sizeof(*h->timer)) };
    uv_timer_init(s->app->loop, h->timer);
    h->timer->data = s;
    uv_timer_start(h->timer, on_look, LOOK_MS, LOOK_MS);
    uv_unref((uv_handle_t *)h->timer);
}

static void free_timer(uv_handle_t *handle)
{
    free(handle);
}

void held_stop(struct scheduler *s)
{
    if (s->lease.held.timer != NULL)
        uv_close((uv_handle_t *)s->lease.held.timer, free_timer);
    s->lease.held.timer = NULL;
}
