/* How messages get from ZeroMQ's descriptors, which are edge-triggered, into callbacks: pump() asks every
 * plug for its event flags before the loop blocks (prepare) and after it woke (check), in order of opening,
 * and reads at most TURN_MESSAGES of each. As long as a pass did anything, an idle handle keeps the loop from
 * blocking; so the loop only sleeps after a pass that found nothing, and whatever was sent since (which may
 * eat an edge) is seen. */
#include "run/bus_plug.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "run/bus_hold.h"

enum {
    SCAN_MS = 1000,
    SCAN_QUICK_MS = 100, /* while a connector knows nobody, or a router waits for room */
};

static void on_idle(uv_idle_t *idle)
{
}

/* Only wakes the loop. */
static void on_held(uv_timer_t *timer)
{
}

/* Those of a paused plug wait for its resumption, which wakes the loop by itself. */
static void wait_for_held(struct bus *bus)
{
    uint64_t wait = UINT64_MAX;

    for (struct bus_plug *plug = bus->plugs; plug != NULL; plug = plug->next)
        if (plug->hold != NULL && !plug->closed && !plug->paused && bus_hold_wait_ms(plug->hold) < wait)
            wait = bus_hold_wait_ms(plug->hold);
    if (wait != UINT64_MAX)
        uv_timer_start(&bus->held, on_held, wait, 0);
}

static void pump(struct bus *bus)
{
    bool worked = false;

    for (struct bus_plug *plug = bus->plugs; plug != NULL; plug = plug->next)
        if (!plug->closed && bus_plug_pump(plug))
            worked = true;
    if (uv_is_closing((uv_handle_t *)&bus->idle))
        return; /* a callback freed the bus; its memory goes with its handles */
    if (worked)
        uv_idle_start(&bus->idle, on_idle);
    else
        uv_idle_stop(&bus->idle);
    wait_for_held(bus);
}

static void on_prepare(uv_prepare_t *prepare)
{
    pump(prepare->data);
}

static void on_check(uv_check_t *check)
{
    pump(check->data);
}

void bus_wake(struct bus *bus)
{
    uv_idle_start(&bus->idle, on_idle);
}

/* --- who is there --- */

static void on_scan(uv_timer_t *timer)
{
    struct bus *bus = timer->data;
    uint64_t next_ms = SCAN_MS;

    for (struct bus_plug *plug = bus->plugs; plug != NULL; plug = plug->next) {
        if (plug->closed)
            continue;
        if (!plug->kind->binds && bus_plug_is_ipc(plug))
            bus_peers_scan(plug, bus->run_dir);
        if (!plug->kind->binds && plug->peer_count == 0)
            next_ms = SCAN_QUICK_MS;
        if (plug->full && !plug->kind->fills)
            bus_plug_tell_room(plug); /* one peer had none: the socket cannot say when it has */
        if (plug->full)
            next_ms = SCAN_QUICK_MS;
        if (uv_is_closing((uv_handle_t *)timer))
            return;
    }
    uv_timer_start(timer, on_scan, next_ms, 0);
}

void bus_scan_soon(struct bus *bus)
{
    uv_timer_start(&bus->scan, on_scan, SCAN_QUICK_MS, 0);
}

/* --- life --- */

void bus_release(struct bus *bus)
{
    if (--bus->open_handles > 0)
        return;
    free(bus->run_dir);
    free(bus->number);
    free(bus);
}

static void on_bus_closed(uv_handle_t *handle)
{
    bus_release(handle->data);
}

struct bus *bus_new(uv_loop_t *loop, const char *run_dir, const char *instance)
{
    struct bus *bus = xcalloc(1, sizeof(*bus));
    const char *dot = strrchr(instance, '.');

    bus_sock_setup();
    bus->loop = loop;
    bus->run_dir = xstrdup(run_dir);
    bus->number = xstrdup(dot ? dot + 1 : "1");
    bus->prepare.data = bus->check.data = bus->idle.data = bus->scan.data = bus->held.data = bus;
    bus->open_handles = 5;
    uv_prepare_init(loop, &bus->prepare);
    uv_check_init(loop, &bus->check);
    uv_idle_init(loop, &bus->idle);
    uv_timer_init(loop, &bus->scan);
    uv_timer_init(loop, &bus->held);
    uv_prepare_start(&bus->prepare, on_prepare);
    uv_check_start(&bus->check, on_check);
    return bus;
}

void bus_free(struct bus **b)
{
    struct bus *bus = *b;

    if (bus == NULL)
        return;
    *b = NULL;
    for (struct bus_plug *plug = bus->plugs; plug != NULL; plug = plug->next) {
        struct bus_plug *closing = plug;
        bus_close(&closing);
    }
    uv_close((uv_handle_t *)&bus->prepare, on_bus_closed);
    uv_close((uv_handle_t *)&bus->check, on_bus_closed);
    uv_close((uv_handle_t *)&bus->idle, on_bus_closed);
    uv_close((uv_handle_t *)&bus->scan, on_bus_closed);
    uv_close((uv_handle_t *)&bus->held, on_bus_closed);
}
