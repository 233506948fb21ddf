#include "share.h"

static bool waits(const struct share_claim *claims, int count, enum share_kind kind)
{
    for (int i = 0; i < count; i++)
        if (claims[i].kind == kind)
            return true;
    return false;
}

static enum share_kind kind_next(const struct share *s, const struct share_claim *claims, int count)
{
    bool urgent = waits(claims, count, SHARE_URGENT), bulk = waits(claims, count, SHARE_BULK),
         other = waits(claims, count, SHARE_OTHER);

    if (urgent && (s->row < SHARE_URGENT_ROW || (!bulk && !other)))
        return SHARE_URGENT;
    if (bulk && other)
        return s->rest == SHARE_OTHER ? SHARE_BULK : SHARE_OTHER;
    return bulk ? SHARE_BULK : SHARE_OTHER;
}

/* How far behind the last one in the round: the least is next. */
static uint32_t distance(const struct share *s, struct share_claim c)
{
    return c.who - s->last[c.kind];
}

int share_next(const struct share *s, const struct share_claim *claims, int count)
{
    enum share_kind kind = kind_next(s, claims, count);
    int best = -1;

    for (int i = 0; i < count; i++)
        if (claims[i].kind == kind && (best < 0 || distance(s, claims[i]) < distance(s, claims[best])))
            best = i;
    return best;
}

bool share_may(
    const struct share *s, const struct share_claim *claims, int count, struct share_claim me, uint32_t free)
{
    int next = share_next(s, claims, count), others = 0;

    if (free == 0 || next < 0)
        return free > 0;
    if (claims[next].kind == me.kind && claims[next].who == me.who)
        return true;
    for (int i = 0; i < count; i++)
        others += claims[i].kind != me.kind || claims[i].who != me.who;
    return free > (uint32_t)others;
}

void share_took(struct share *s, struct share_claim me)
{
    if (me.kind == SHARE_URGENT) {
        s->row++;
    } else {
        s->row = 0;
        s->rest = me.kind;
    }
    s->last[me.kind] = me.who + 1;
}
