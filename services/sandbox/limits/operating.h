/* operating.h - operating seconds: how much work each method of each credential has cost in the last ten minutes (facts section 3.2).
 * Ten buckets a window, each expiring one window after its first call; checked before a call, so the one that goes over
 * still completes. Pure; the caller passes the clock. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define OPERATING_METHODS_MAX 160
#define OPERATING_BUCKETS 11

struct operating_method {
    char name[64];
    bool app;                   /* the application's calls, else the webhook's */
    struct {
        uint64_t first_ms;
        double seconds;
    } buckets[OPERATING_BUCKETS];
    int bucket_count;           /* oldest first */
    uint64_t calls;
    double seconds_ever;
};

struct operating {
    double limit_s;             /* 0 = none */
    uint64_t window_ms;
    struct operating_method methods[OPERATING_METHODS_MAX];
    int count;
};

/* The method's account with this credential, made when missing; past the maximum all share the last one. */
struct operating_method *operating_of(struct operating *o, const char *method, bool app);
double operating_used(struct operating *o, struct operating_method *m, uint64_t now_ms);
bool operating_blocked(struct operating *o, struct operating_method *m, uint64_t now_ms);
void operating_add(struct operating *o, struct operating_method *m, double seconds, uint64_t now_ms);
/* When the oldest bucket falls out, in the clock of now_ms. */
uint64_t operating_reset_ms(struct operating *o, const struct operating_method *m, uint64_t now_ms);
