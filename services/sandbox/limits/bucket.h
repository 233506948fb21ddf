/* bucket.h - the portal's request limit: a leaky bucket per source address (facts section 3.1). Pure; the caller passes
 * the clock. A refused request does not count; a batch is one request. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define BUCKET_SOURCES_MAX 64       /* beyond: the one seen longest ago is forgotten */

struct bucket_source {
    char remote[64];
    double level;
    uint64_t seen_ms;
};

struct bucket {
    double drain_per_s;         /* Y; 0 = no limit at all */
    double burst;               /* X: refused when the level stands above it */
    bool continuous;            /* option: leaks all the time instead of once a second */
    bool counts_refused;        /* option: so do refused requests */
    bool strict;                /* option: refused when this request would exceed X */
    struct bucket_source sources[BUCKET_SOURCES_MAX];
    int source_count;
    double greatest;            /* level ever reached */
};

/* "standard" 2/50, "enterprise" 5/250, "RATE/BURST", "off"; false: none of them. */
bool bucket_tariff(struct bucket *b, const char *tariff);
/* true: the request passes and counts. */
bool bucket_take(struct bucket *b, const char *remote, uint64_t now_ms);
