/* operate.h - seconds of work per method in ten minutes, the limit that usually binds (facts section 3.2).
 * The portal's own figure is the truth: it comes with every answer, with the moment at which its oldest minute falls
 * out. A job starts only while its usual cost, with those under way, still fits; at the end a part of one may. When
 * nothing fits, the figure has to be asked for again at that moment, by something cheap: how much falls out nobody
 * tells beforehand.
 * Knows no loop: the caller passes the clocks. Memory: embedded. Threads: loop thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define OPERATE_WINDOW_MS 600000    /* nothing is older */
#define OPERATE_MARGIN_MS 5000      /* the vendor's own client keeps this distance */
#define OPERATE_COST_MS 10000       /* of a job until the portal told one */
#define OPERATE_FEEL_MS 60000       /* ask again after this at the latest */
#define OPERATE_METHODS_MAX 32

struct operate_method {
    char name[64];                      /* "crm.deal.list" */
    uint64_t used_ms;                   /* as last told */
    uint64_t told_ms;                   /* when; monotonic */
    uint64_t reset_ms;                  /* when its oldest minute falls out; monotonic */
    uint64_t feel_ms;                   /* from then on the figure is stale */
    uint64_t cost_ms;                   /* of one job: the mean of the last ones */
    uint64_t spent_ms;                  /* what it is the mean of; both halved now and then */
    uint32_t spent_jobs;
    uint32_t unclear;                   /* answers still to come whose cost may be in the first figure told */
    uint32_t flying;
    uint64_t blocked_ms;                /* the portal refused it: not before this */
    bool told;
    bool part;                          /* what was started last is no whole job: its cost is no usual one */
};

struct operate {
    uint64_t limit_ms;                  /* 0 = no limit kept */
    struct operate_method list[OPERATE_METHODS_MAX];
    int count;
};

void operate_init(struct operate *o, uint64_t limit_ms);
/* Milliseconds until a job of this method may start (0 = now). With a stale figure one job alone may: see next. */
uint64_t operate_wait(const struct operate *o, const char *method, uint64_t now_ms);
/* Nothing more fits by the last figure, and that one is stale: whoever has something cheaper than a job sends that. */
bool operate_stale(const struct operate *o, const char *method, uint64_t now_ms);
/* When a whole job has to wait: how many of its `whole` equal parts fit, at least a fifth of them; 0 = none, or others
 * are under way and what they cost is not known yet. */
uint32_t operate_parts(const struct operate *o, const char *method, uint32_t whole, uint64_t now_ms);
void operate_start(struct operate *o, const char *method);
void operate_start_part(struct operate *o, const char *method);
void operate_end(struct operate *o, const char *method);
/* The portal says: used_ms in the window, its oldest minute falls out at reset_s (Unix; 0 = not told). */
void operate_told(struct operate *o, const char *method, uint64_t used_ms, uint64_t reset_s, uint64_t now_ms,
    uint64_t now_wall_ms);
void operate_block(struct operate *o, const char *method, uint64_t for_ms, uint64_t now_ms);
uint64_t operate_used(const struct operate_method *m, uint64_t now_ms);
uint64_t operate_reset(const struct operate_method *m, uint64_t now_ms);    /* ms until the oldest falls out; 0 = none */
