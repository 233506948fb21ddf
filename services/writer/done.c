#include "done.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void done_own(struct msg *m)
{
    struct str *views[] = { &m->done.portal, &m->done.entity, &m->done.outcome, &m->done.error_kind,
        &m->done.error };
    size_t n = 0;
    char *p;

    for (size_t i = 0; i < ARRAY_SIZE(views); i++)
        n += views[i]->n;
    m->body = (struct frame){ .p = xmalloc(n + 1), .n = n, .release = free };
    m->body.owner = p = m->body.p;
    for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
        if (views[i]->n > 0)
            memcpy(p, views[i]->p, views[i]->n);
        views[i]->p = p;
        p += views[i]->n;
    }
}

static void flush(struct writer *w)
{
    int sent = 0;

    while (sent < w->unsent_count && bus_send(w->done, &w->unsent[sent]) == BUS_SENT)
        sent++;
    if (sent == 0)
        return;
    w->unsent_count -= sent;
    memmove(w->unsent, w->unsent + sent, (size_t)w->unsent_count * sizeof(*w->unsent));
}

void done_on_room(void *ctx, struct bus_plug *plug)
{
    (void)plug;
    flush(ctx);
}

void done_send(struct writer *w, struct msg *done)
{
    if (w->unsent_count == UNSENT_MAX) {
        msg_free(&w->unsent[0]);
        memmove(w->unsent, w->unsent + 1, (UNSENT_MAX - 1) * sizeof(*w->unsent));
        w->unsent_count--;
        w->dropped++;
    }
    w->unsent[w->unsent_count++] = done;
    flush(w);
}
