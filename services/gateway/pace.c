#include "pace.h"

/* As long as a commit takes: what came meanwhile would have waited for it anyway. */
uint64_t pace_patience_us(const struct pace *p)
{
    if (p->answered < 2 || p->skip > 0)
        return 0;
    return p->commit_us < PACE_LEAST_US  ? PACE_LEAST_US
           : p->commit_us > PACE_MOST_US ? PACE_MOST_US
                                         : p->commit_us;
}

unsigned pace_hoped(const struct pace *p)
{
    return p->answered + p->left;
}

unsigned pace_step(unsigned missing)
{
    return missing > PACE_LAST ? missing - missing / 4 : missing;
}

void pace_committed(struct pace *p, unsigned requests, unsigned left, uint64_t commit_us)
{
    if (p->skip > 0)
        p->skip--;
    else if (p->answered >= 2 && requests < pace_hoped(p) - p->answered / 4)
        p->skip = PACE_SKIP;
    *p = (struct pace){ .answered = requests, .left = left, .commit_us = commit_us, .skip = p->skip };
}
