#include "run/bus_hold.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/bus_fault.h"

struct bus_hold {
    struct bus_fault fault;
};

/* Another one for each plug and each life of a process: else the same first message would be lost for ever.
 */
static uint64_t own_number(const char *plug)
{
    uint64_t n = (uint64_t)getpid();

    for (; *plug != '\0'; plug++)
        n = n * UINT64_C(0x100000001b3) ^ (unsigned char)*plug;
    return n;
}

struct bus_hold *bus_hold_new(const char *plug)
{
    const char *text = getenv("POTOK_BUS_FAULTS");
    struct bus_fault_set set;
    struct err err;

    if (text == NULL || *text == '\0')
        return NULL;
    if (bus_fault_read(&set, text, &err) < 0) {
        log_ev(LOG_ERROR, "bus.faults", kv_s("plug", plug), kv_err(&err));
        return NULL;
    }
    log_ev(LOG_INFO, "bus.faults", kv_s("plug", plug), kv_s("faults", text));

    struct bus_hold *hold = xcalloc(1, sizeof(*hold));
    bus_fault_init(&hold->fault, &set, own_number(plug));
    return hold;
}

static void held_free(struct bus_held *held)
{
    msg_free(&held->m);
    free(held);
}

void bus_hold_free(struct bus_hold **hold)
{
    struct bus_held *held;

    if (*hold == NULL)
        return;
    while ((held = bus_fault_any(&(*hold)->fault)) != NULL)
        held_free(held);
    free(*hold);
    *hold = NULL;
}

static struct frame frame_of(const void *p, size_t n)
{
    struct frame f = { .p = xmalloc(n + 1), .n = n, .release = free };

    if (n > 0)
        memcpy(f.p, p, n);
    f.owner = f.p;
    return f;
}

static void frame_drop(struct frame *f)
{
    if (f->release != NULL)
        f->release(f->owner);
}

/* As the wire would give it a second time; NULL: it cannot be written again. */
static struct msg *copy_of(const struct msg *m)
{
    struct buf envelope, body;
    struct msg *ret = NULL;
    struct err err;

    buf_init(&envelope, 4096);
    buf_init(&body, 64 << 20);
    if (msg_encode(m, &envelope, &body, &err) == 0) {
        bool has_payload = msg_payload_limit(m->type) > 0;
        struct frame copy = frame_of(body.p, body.n), payload = { 0 };

        if (has_payload)
            payload = frame_of(m->payload.p, m->payload.n);
        if (msg_decode(&ret, buf_view(&envelope), &copy, has_payload ? &payload : NULL, &err) < 0)
            ret = NULL;
        frame_drop(&copy); /* empty when the message took it */
        frame_drop(&payload);
    }
    buf_fini(&envelope);
    buf_fini(&body);
    return ret;
}

static void keep(struct bus_hold *hold, enum bus_fate fate, struct bus_peer from, struct msg *m)
{
    struct bus_held *held = xmalloc(sizeof(*held));

    *held = (struct bus_held){ from, m };
    bus_fault_hold(&hold->fault, fate, held, clock_mono_ms());
}

bool bus_hold_passes(struct bus_hold *hold, struct bus_peer from, struct msg **m)
{
    enum bus_fate fate = bus_fault_strike(&hold->fault);

    if (fate != BUS_ARRIVES)
        log_ev(LOG_DEBUG, "bus.fault", kv_s("type", msg_name((*m)->type)), kv_i("fate", fate),
            kv_s("correlation", (*m)->correlation));
    if (fate == BUS_DOUBLED) {
        struct msg *copy = copy_of(*m);

        if (copy != NULL)
            keep(hold, fate, from, copy);
        return true;
    }
    if (fate == BUS_ARRIVES)
        return true;
    if (fate == BUS_LOST) {
        msg_free(m);
        return false;
    }
    keep(hold, fate, from, *m);
    *m = NULL;
    return false;
}

bool bus_hold_due(struct bus_hold *hold, struct bus_held *ret)
{
    struct bus_held *held = bus_fault_due(&hold->fault, clock_mono_ms());

    if (held == NULL)
        return false;
    *ret = *held;
    free(held);
    return true;
}

uint64_t bus_hold_wait_ms(const struct bus_hold *hold)
{
    uint64_t next = bus_fault_next_ms(&hold->fault), now = clock_mono_ms();

    return next == UINT64_MAX ? next : next > now ? next - now : 0;
}
