#include "standby.h"

#include <stddef.h>
#include <string.h>

static bool same(const struct lease_seen *a, const struct lease_seen *b)
{
    return a->there == b->there && a->epoch == b->epoch && a->beat == b->beat;
}

/* A beat of 0 was never one: an older Potok, which does not beat, held it. */
static enum standby_verdict judge(
    const struct lease_seen *seen, const struct holder *me, uint64_t still_ms, uint64_t takeover_ms)
{
    if (!seen->there || seen->holder.instance[0] == '\0' || seen->beat == 0)
        return STANDBY_FREE;
    if (seen->dead || holder_is(&seen->holder, me))
        return STANDBY_DEAD;
    return still_ms >= takeover_ms ? STANDBY_STILL : STANDBY_WAIT;
}

/* How far from being free: what all of them together are is what the farthest is. */
static int distance(enum standby_verdict v)
{
    static const int far[] = {
        [STANDBY_FREE] = 0, [STANDBY_DEAD] = 1, [STANDBY_STILL] = 2, [STANDBY_WAIT] = 3
    };

    return far[v];
}

enum standby_verdict standby_look(struct standby *s, const struct lease_seen *seen, int count,
    const struct holder *me, uint64_t begun_ms, uint64_t now_ms, uint64_t takeover_ms, uint64_t *ret_again_ms,
    int *ret_who)
{
    enum standby_verdict verdict = STANDBY_FREE;

    *ret_again_ms = now_ms + STANDBY_LOOK_MS;
    *ret_who = 0;
    for (int i = 0; i < count; i++) {
        if (i >= s->count || !same(&s->list[i].seen, &seen[i]))
            s->list[i].since_ms = now_ms; /* it may have changed until the very end of the look */
        s->list[i].seen = seen[i];
        uint64_t since_ms = s->list[i].since_ms, due_ms = since_ms + takeover_ms;
        enum standby_verdict v =
            judge(&seen[i], me, begun_ms > since_ms ? begun_ms - since_ms : 0, takeover_ms);

        if (distance(v) > distance(verdict)) {
            verdict = v;
            *ret_who = i;
        }
        if (v == STANDBY_WAIT && due_ms > now_ms && due_ms < *ret_again_ms)
            *ret_again_ms = due_ms;
    }
    s->count = count;
    return verdict;
}

const char *standby_why(enum standby_verdict verdict)
{
    static const char *const whys[] = { [STANDBY_WAIT] = "its beat goes on",
        [STANDBY_FREE] = "nobody held it",
        [STANDBY_DEAD] = "its process is gone",
        [STANDBY_STILL] = "its beat stands still" };

    return whys[verdict];
}
