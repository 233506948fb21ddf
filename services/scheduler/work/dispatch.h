/* dispatch.h - one dispatch on its way: planned (plan.c), numbered by the database, sent (dispatch.c). */
#pragma once

#include "scheduler.h"

#include "base/mem.h"

struct dispatch {
    struct step step;
    int portal;
    bool covers;                /* the level saved holds calls that may be granted */
    struct store_dispatch store;
    struct {
        struct job *job;        /* NULL: made of marks when it is sent */
        int mirror;             /* -1 = a probe */
        char method[64];        /* whose operating time was taken for it; "" = nobody's */
        int bucket;             /* from which its request was taken, */
        char source[BUCKET_SOURCE_SIZE];    /* and the fetchers that may make it */
        uint32_t pages_most;    /* of a range for which there is not time enough; 0 = whole */
    } plan[ARRAY_SIZE(((struct store_dispatch *)0)->items)];
};

/* Fills x->store and x->plan with what may go now; false = nothing. Budgets are taken, jobs are busy. */
bool plan_fill(struct scheduler *s, struct dispatch *x, uint64_t now_ms);
