#include "crew.h"

#include <stdio.h>
#include <string.h>

struct fetcher *crew_find(struct crew *c, const char *name)
{
    for (int i = 0; i < c->count; i++)
        if (strcmp(c->list[i].name, name) == 0)
            return &c->list[i];
    return NULL;
}

struct fetcher *crew_ready(struct crew *c, struct str name, uint64_t boot, struct bus_peer peer,
    uint64_t credit, size_t holding, uint32_t in_transit, struct str source, uint64_t now_ms)
{
    char key[sizeof(c->list[0].name)];

    if (name.n == 0 || name.n >= sizeof(key))
        return NULL;
    memcpy(key, name.p, name.n);
    key[name.n] = '\0';

    struct fetcher *f = crew_find(c, key);
    if (f == NULL) {
        if (c->count == CREW_MAX)
            return NULL;
        f = &c->list[c->count++];
        *f = (struct fetcher){ .capacity = 0 };
        memcpy(f->name, key, name.n + 1);
    }
    if (f->boot != boot)
        f->capacity = 0;
    f->boot = boot;
    f->peer = peer;
    f->heard_ms = now_ms;
    snprintf(f->source, sizeof(f->source), STR_FMT, STR_ARG(source));
    f->credit = credit > in_transit ? (uint32_t)credit - in_transit : 0;
    if (credit + holding > f->capacity)
        f->capacity = (uint32_t)(credit + holding);
    return f;
}

uint32_t crew_credit(const struct crew *c)
{
    uint32_t sum = 0;

    for (int i = 0; i < c->count; i++)
        sum += c->list[i].credit;
    return sum;
}

int crew_seats(const struct crew *c, struct crew_seat ret[static CREW_MAX])
{
    int count = 0;

    for (int i = 0; i < c->count; i++) {
        int k = 0;

        while (k < count && strcmp(ret[k].source, c->list[i].source) != 0)
            k++;
        if (k == count)
            ret[count++] = (struct crew_seat){ c->list[i].source, 0 };
        ret[k].credit += c->list[i].credit;
    }
    return count;
}

/* The one with most credit, ties in turn: several fetchers share the load evenly. */
struct fetcher *crew_take(struct crew *c, const char *source)
{
    struct fetcher *best = NULL;

    for (int i = 0; i < c->count; i++) {
        struct fetcher *f = &c->list[(c->turn + i) % c->count];

        if (f->credit > 0 && (best == NULL || f->credit > best->credit) && strcmp(f->source, source) == 0)
            best = f;
    }
    if (best == NULL)
        return NULL;
    c->turn = (int)(best - c->list) + 1;
    best->credit--;
    return best;
}

void crew_give(struct crew *c, const char *name)
{
    struct fetcher *f = crew_find(c, name);

    if (f != NULL && f->credit < f->capacity)
        f->credit++;
}

struct fetcher *crew_silent(struct crew *c, uint64_t now_ms)
{
    for (int i = 0; i < c->count; i++)
        if (now_ms > c->list[i].heard_ms + CREW_SILENT_MS)
            return &c->list[i];
    return NULL;
}

void crew_remove(struct crew *c, struct fetcher *f)
{
    *f = c->list[--c->count];
    c->turn = 0;
}
