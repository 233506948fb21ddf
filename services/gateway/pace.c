#include "pace.h"

uint64_t pace_patience_us(const struct pace *p)
{
    uint64_t half = p->commit_us / 2;

    if (p->answered < 2 || p->skip > 0)
        return 0;
    return half < PACE_LEAST_US ? PACE_LEAST_US : half > PACE_MOST_US ? PACE_MOST_US : half;
}

void pace_committed(struct pace *p, unsigned came, unsigned answered, uint64_t commit_us)
{
    if (p->skip > 0)
        p->skip--;
    else if (p->answered >= 2 && came < p->answered - p->answered / 4)
        p->skip = PACE_SKIP;
    p->answered = answered;
    p->commit_us = commit_us;
}
