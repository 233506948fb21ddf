#include "outbox.h"

#include <stdlib.h>

#include "base/mem.h"
#include "data/hash.h"

static bool is_before(const struct delivery *a, const struct delivery *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void push(struct outbox *o, const struct delivery *d)
{
    size_t at = o->count++;

    if (o->count > o->cap) {
        o->cap = o->cap * 2 + 64;
        o->heap = xrealloc(o->heap, o->cap * sizeof(*o->heap));
    }
    for (; at > 0 && is_before(d, &o->heap[(at - 1) / 2]); at = (at - 1) / 2)
        o->heap[at] = o->heap[(at - 1) / 2];
    o->heap[at] = *d;
}

static struct delivery pop(struct outbox *o)
{
    const struct delivery first = o->heap[0], last = o->heap[--o->count];
    size_t at = 0;

    for (size_t child = 1; child < o->count; child = at * 2 + 1) {
        if (child + 1 < o->count && is_before(&o->heap[child + 1], &o->heap[child]))
            child++;
        if (!is_before(&o->heap[child], &last))
            break;
        o->heap[at] = o->heap[child];
        at = child;
    }
    if (o->count > 0)
        o->heap[at] = last;
    return first;
}

static void queue(struct outbox *o, const struct delivery *d, uint64_t due_ms)
{
    struct delivery one = *d;

    if (o->count + o->held_count >= OUTBOX_MOST) {
        o->stats.lost++;
        return;
    }
    one.more = d->more != NULL ? xstrdup(d->more) : NULL;
    one.due_ms = due_ms;
    one.order = o->order++;
    push(o, &one);
}

static void hold(struct outbox *o, const struct delivery *d)
{
    if (o->count + o->held_count >= OUTBOX_MOST) {
        o->stats.lost++;
        return;
    }
    if (o->held_count == o->held_cap) {
        o->held_cap = o->held_cap * 2 + 16;
        o->held = xrealloc(o->held, o->held_cap * sizeof(*o->held));
    }
    o->held[o->held_count] = *d;
    o->held[o->held_count++].more = d->more != NULL ? xstrdup(d->more) : NULL;
}

/* binding < 0: of every handler. */
static void let_go(struct outbox *o, int binding, uint64_t due_ms)
{
    size_t kept = 0;

    for (size_t i = 0; i < o->held_count; i++) {
        struct delivery d = o->held[i];
        if (binding >= 0 && d.binding != binding) {
            o->held[kept++] = d;
            continue;
        }
        d.due_ms = due_ms;
        d.order = o->order++;
        push(o, &d);
    }
    o->held_count = kept;
}

/* Each fault has its own chance, whatever the others are set to. */
static bool strikes(uint64_t lot, unsigned which, uint64_t of_100)
{
    return hash_below(hash_mix(lot + which), 100) < of_100;
}

void outbox_put(struct outbox *o, const struct delivery *d, uint64_t now_ms)
{
    const struct event_faults *f = &o->faults;
    const uint64_t lot = hash_two(o->seed ^ 0x6576656e74, o->lot++);
    uint64_t due_ms = now_ms;

    o->stats.made++;
    if (strikes(lot, 1, f->drop)) {
        o->stats.dropped++;
        return;
    }
    if (strikes(lot, 2, f->hold)) {
        o->stats.delayed++;
        hold(o, d);
        return;
    }
    if (f->shuffle_ms > 0)
        due_ms += hash_mix(lot + 5) % (f->shuffle_ms + 1);
    if (strikes(lot, 3, f->late)) {
        o->stats.delayed++;
        due_ms += f->late_ms;
    }
    queue(o, d, due_ms);
    if (strikes(lot, 4, f->twice)) {
        o->stats.doubled++;
        queue(o, d, due_ms + (f->shuffle_ms > 0 ? hash_mix(lot + 6) % (f->shuffle_ms + 1) : 0));
    }
    let_go(o, d->binding, due_ms);
}

static struct outbox_pause *pause_of(struct outbox *o, int binding)
{
    for (int i = 0; i < o->pause_count; i++) {
        if (o->pauses[i].binding == binding)
            return &o->pauses[i];
    }
    return NULL;
}

void outbox_took(struct outbox *o, int binding, uint64_t took_ms, uint64_t now_ms)
{
    struct outbox_pause *p = pause_of(o, binding);

    if (took_ms < OUTBOX_SLOW_MS || o->faults.pause_ms == 0) {
        if (p != NULL)
            *p = o->pauses[--o->pause_count];
        return;
    }
    if (p == NULL && o->pause_count == OUTBOX_PAUSES)
        return;
    if (p == NULL) {
        p = &o->pauses[o->pause_count++];
        *p = (struct outbox_pause){ .binding = binding };
    }
    const uint64_t pause_ms = o->faults.pause_ms << (p->row < 16 ? p->row : 16);
    p->row++;
    p->until_ms = now_ms + (pause_ms < OUTBOX_PAUSE_MS ? pause_ms : OUTBOX_PAUSE_MS);
}

/* What is due for handlers that have a pause becomes due at its end. */
static void put_off(struct outbox *o, uint64_t now_ms)
{
    while (o->pause_count > 0 && o->count > 0 && o->heap[0].due_ms <= now_ms) {
        const struct outbox_pause *p = pause_of(o, o->heap[0].binding);
        if (p == NULL || p->until_ms <= now_ms)
            return;
        struct delivery d = pop(o);
        d.due_ms = p->until_ms;
        push(o, &d);
    }
}

bool outbox_next(struct outbox *o, uint64_t now_ms, struct delivery *ret)
{
    put_off(o, now_ms);
    if (o->count == 0 || o->going >= o->parallel || o->heap[0].due_ms > now_ms)
        return false;
    *ret = pop(o);
    o->going++;
    o->stats.sent++;
    return true;
}

bool outbox_going(struct outbox *o)
{
    if (o->going >= o->parallel)
        return false;
    o->going++;
    o->stats.sent++;
    return true;
}

void outbox_done(struct outbox *o, bool answered)
{
    o->going--;
    if (answered)
        o->stats.answered++;
    else
        o->stats.failed++;
}

void outbox_lost(struct outbox *o)
{
    o->going--;
    o->stats.sent--;
    o->stats.lost++;
}

void outbox_set_faults(struct outbox *o, const struct event_faults *faults)
{
    o->faults = *faults;
    o->lot = 0;
    o->pause_count = 0;
}

void outbox_release(struct outbox *o, uint64_t now_ms)
{
    struct delivery *late = o->heap;
    const size_t count = o->count;

    o->heap = NULL;
    o->count = o->cap = 0;
    for (size_t i = 0; i < count; i++) {
        if (late[i].due_ms > now_ms)
            late[i].due_ms = now_ms;
        push(o, &late[i]);
    }
    free(late);
    let_go(o, -1, now_ms);
}

void outbox_fini(struct outbox *o)
{
    for (size_t i = 0; i < o->count; i++)
        free(o->heap[i].more);
    for (size_t i = 0; i < o->held_count; i++)
        free(o->held[i].more);
    free(o->heap);
    free(o->held);
    *o = (struct outbox){ 0 };
}
