/* crew.h - the fetchers that are there and how many jobs each can take. Pure: the clock is an argument. Loop thread. */
#pragma once

#include "run/bus.h"

#include <stdbool.h>
#include <stdint.h>

#define CREW_SILENT_MS 5000         /* no READY for so long: gone */
#define CREW_MAX 64

struct fetcher {
    char name[64];                  /* instance */
    uint64_t boot;
    struct bus_peer peer;
    char source[65];                /* address its calls come from; "": that of all others */
    uint32_t credit;                /* jobs it can take now */
    uint32_t capacity;              /* greatest credit and holding seen */
    uint64_t heard_ms;
};

struct crew {
    struct fetcher list[CREW_MAX];
    int count;
    int turn;                       /* round robin */
};

/* A READY came. in_transit: jobs sent to it that it cannot have known of. NULL = too many fetchers. */
struct fetcher *crew_ready(struct crew *c, struct str name, uint64_t boot, struct bus_peer peer, uint64_t credit,
    size_t holding, uint32_t in_transit, struct str source, uint64_t now_ms);
struct fetcher *crew_find(struct crew *c, const char *name);
uint32_t crew_credit(const struct crew *c);             /* of all */

struct crew_seat {                  /* fetchers that call from one address */
    const char *source;             /* lives until the crew changes */
    uint32_t credit;
};
int crew_seats(const struct crew *c, struct crew_seat ret[static CREW_MAX]);    /* how many */
/* The next one of that source with credit, one less; NULL = none. */
struct fetcher *crew_take(struct crew *c, const char *source);
void crew_give(struct crew *c, const char *name);       /* a job it held has ended, or was not sent */
struct fetcher *crew_silent(struct crew *c, uint64_t now_ms);   /* one that must be removed; NULL = none */
void crew_remove(struct crew *c, struct fetcher *f);
