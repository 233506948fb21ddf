#include "flight.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void flights_fini(struct flights *f)
{
    free(f->list);
    *f = (struct flights){ 0 };
}

struct flight *flights_add(struct flights *f)
{
    if (f->count == f->cap) {
        f->cap = f->cap == 0 ? 16 : 2 * f->cap;
        f->list = xrealloc(f->list, (size_t)f->cap * sizeof(*f->list));
    }
    f->list[f->count] = (struct flight){ 0 };
    return &f->list[f->count++];
}

struct flight *flights_find(struct flights *f, int portal, uint64_t d)
{
    for (int i = 0; i < f->count; i++)
        if (f->list[i].d == d && f->list[i].portal == portal)
            return &f->list[i];
    return NULL;
}

void flights_remove(struct flights *f, struct flight *one)
{
    *one = f->list[--f->count];
}

uint64_t flights_awaited(const struct flights *f, int portal)
{
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < f->count; i++)
        if (f->list[i].portal == portal && !f->list[i].done && f->list[i].d < least)
            least = f->list[i].d;
    return least;
}

uint64_t flights_floor(const struct flights *f, int portal, uint64_t tick)
{
    uint64_t awaited = flights_awaited(f, portal);

    return awaited == UINT64_MAX ? tick : awaited - 1;
}

int flights_unfinished(const struct flights *f)
{
    int n = 0;

    for (int i = 0; i < f->count; i++)
        n += !f->list[i].done;
    return n;
}

int flights_calls(const struct flights *f, int portal)
{
    int n = 0;

    for (int i = 0; i < f->count; i++)
        n += (portal < 0 || f->list[i].portal == portal) && f->list[i].phase == FLIGHT_SENT;
    return n;
}

int flights_at(const struct flights *f, const char *fetcher)
{
    int n = 0;

    for (int i = 0; i < f->count; i++)
        n += f->list[i].phase == FLIGHT_SENT && strcmp(f->list[i].fetcher, fetcher) == 0;
    return n;
}

uint64_t flight_done_deadline(uint64_t now_ms, uint64_t done_ms, unsigned tries)
{
    uint64_t wait = done_ms;

    for (unsigned i = 1; i < tries && wait < FLIGHT_DONE_MOST_MS; i++)
        wait *= 2;
    return now_ms + (wait < FLIGHT_DONE_MOST_MS || wait == done_ms ? wait : FLIGHT_DONE_MOST_MS);
}

bool flight_expired(const struct flight *f, uint64_t now_ms)
{
    return !f->checking && now_ms >= f->deadline_ms;
}

uint64_t flights_next_deadline(const struct flights *f)
{
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < f->count; i++)
        if (!f->list[i].checking && f->list[i].deadline_ms < least)
            least = f->list[i].deadline_ms;
    return least;
}

bool flight_lost(const struct flight *f, const char *fetcher, uint64_t boot, const uint64_t *holding,
    size_t n, uint64_t now_ms)
{
    if (f->phase != FLIGHT_SENT || strcmp(f->fetcher, fetcher) != 0)
        return false;
    if (f->boot != boot)
        return true;
    if (now_ms < f->sent_ms + FLIGHT_HELD_GRACE_MS)
        return false;
    for (size_t i = 0; i < n; i++)
        if (holding[i] == f->d)
            return false;
    return true;
}
