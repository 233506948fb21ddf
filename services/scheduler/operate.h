/* operate.h - seconds of work per method in ten minutes, the limit that usually binds (facts section 3.2).
 * Keeps an own copy of the portal's one-minute buckets, corrected by every figure the portal tells, so that it can
 * say when the sum will have fallen. A job starts only while its expected cost, with those under way, still fits.
 * Knows no loop: the caller passes the clocks. Memory: embedded. Threads: loop thread. */
#pragma once

#include <stdint.h>

#define OPERATE_WINDOW_MS 600000
#define OPERATE_MARGIN_MS 5000      /* the vendor's own client keeps this distance */
#define OPERATE_COST_MS 5000        /* of a job until the portal told one */
#define OPERATE_METHODS_MAX 32
#define OPERATE_BUCKETS 12

struct operate_bucket {
    uint64_t from_ms, expires_ms;   /* monotonic */
    uint64_t used_ms;
};

struct operate_method {
    char name[64];                      /* "crm.deal.list" */
    struct operate_bucket bucket[OPERATE_BUCKETS];  /* oldest first */
    int buckets;
    uint64_t cost_ms;                   /* of one job: the mean of the last ones */
    uint64_t spent_ms;                  /* what it is the mean of; both halved now and then */
    uint32_t spent_jobs;
    uint32_t unclear;                   /* answers still to come whose cost may be in the first figure told */
    uint32_t flying;
    uint64_t blocked_ms;                /* the portal refused it: not before this */
    uint64_t vague_ms;                  /* until then a part is of unknown age (we began in the middle of it) */
    uint64_t feel_ms;                   /* and from then on one job alone may find out what has fallen out */
    int told;                           /* figures received */
};

struct operate {
    uint64_t limit_ms;                  /* 0 = no limit kept */
    struct operate_method list[OPERATE_METHODS_MAX];
    int count;
};

void operate_init(struct operate *o, uint64_t limit_ms);
/* Milliseconds until a job of this method may start (0 = now). */
uint64_t operate_wait(const struct operate *o, const char *method, uint64_t now_ms);
void operate_start(struct operate *o, const char *method);
void operate_end(struct operate *o, const char *method);
/* The portal says: used_ms in the window, its oldest bucket falls out at reset_s (Unix; 0 = not told). */
void operate_told(struct operate *o, const char *method, uint64_t used_ms, uint64_t reset_s, uint64_t now_ms,
    uint64_t now_wall_ms);
void operate_block(struct operate *o, const char *method, uint64_t for_ms, uint64_t now_ms);
uint64_t operate_used(const struct operate_method *m, uint64_t now_ms);
uint64_t operate_reset(const struct operate_method *m, uint64_t now_ms);    /* ms until the oldest falls out; 0 = none */
