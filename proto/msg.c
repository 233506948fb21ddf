#include "proto/msg_def.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

struct msg *msg_new(enum msg_type type)
{
    struct msg *m = xcalloc(1, sizeof(*m));
    const struct message_def *def = msg_def(type);

    assert(def != NULL);
    m->type = type;
    m->version = def->version;
    m->sent_ms = clock_wall_ms();
    uuid7(m->correlation);
    return m;
}

static void frame_fini(struct frame *f)
{
    if (f->release != NULL)
        f->release(f->owner);
    *f = (struct frame){ 0 };
}

void msg_free(struct msg **m)
{
    if (m == NULL || *m == NULL)
        return;
    frame_fini(&(*m)->body);
    frame_fini(&(*m)->payload);
    for (int i = 0; i < (*m)->array_count; i++)
        free((*m)->arrays[i]);
    free(*m);
    *m = NULL;
}

void msg_take_payload(struct msg *m, struct buf *b)
{
    frame_fini(&m->payload);
    m->payload = (struct frame){ .p = b->p, .n = b->n, .release = free, .owner = b->p };
    buf_init(b, b->max);
}
