/* bucket.h - the request buckets of all portals: one per host and source address, since that is what a portal counts
 * (facts section 3.1). Two configured portals of one host share one; fetchers that say from which address they call have
 * buckets of their own. Pure: the clock is an argument.
 * Memory: the table owns its list, which never moves; an index stays good while calls taken from its bucket are under way.
 * Loop thread. */
#pragma once

#include "base/str.h"
#include "pace.h"
#include "share.h"

#define BUCKETS_MAX 256
#define BUCKET_HOST_SIZE 264
#define BUCKET_SOURCE_SIZE 65
#define BUCKET_COVER 8              /* calls granted to other senders that a saved level already holds */
#define BUCKET_COVER_MS 1000        /* and for how long: what is granted later would have drained from it */

struct bucket {
    char host[BUCKET_HOST_SIZE];
    char source[BUCKET_SOURCE_SIZE];
    struct pace pace;
    struct share share;
    struct pace restored;           /* what a predecessor left: other sources of the host begin with it too */
    uint32_t covered;
    uint64_t covered_until_ms;
};

struct bucket_tariff {
    uint32_t burst, drain_per_s;
};

struct buckets {
    struct bucket *list;
    int count;
};

void buckets_fini(struct buckets *b);
/* "portal.example:8443" of its webhook's address, in small letters. */
void bucket_host(const char *url, char ret[static BUCKET_HOST_SIZE]);
/* Index of the bucket, made when it is new. Of several tariffs said for one host the smallest holds. The bucket of source ""
 * must be the first of its host, and stays. With too many sources the rest share that one. */
int bucket_of(struct buckets *b, const char *host, const char *source, struct bucket_tariff t, uint64_t now_ms);
int bucket_find(const struct buckets *b, const char *host, const char *source);     /* -1 = none yet */

/* What is saved: the fullest bucket of the host. */
double buckets_level(const struct buckets *b, const char *host, uint64_t now_ms);
/* Takes up what one of its portals saved; the fullest one counts. Index of source "". */
void bucket_restore(
    struct buckets *b, int i, double level, uint64_t saved_wall_ms, uint64_t now_wall_ms, uint64_t now_ms);
/* A level with BUCKET_COVER more was saved for the host. */
void buckets_cover(struct buckets *b, const char *host, uint64_t now_ms);
bool bucket_covered(const struct bucket *b, uint64_t now_ms);
