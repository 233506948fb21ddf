#include "spend.h"

#include "access/access.h"
#include "chance.h"

#include "base/clock.h"

#include <string.h>

int spend_bucket(struct scheduler *s, const struct portal *p, const char *source, uint64_t now_ms)
{
    const struct bucket_tariff t = { p->config->burst, p->config->drain_per_s };

    return bucket_of(&s->buckets, p->bucket_host, source, t, now_ms);
}

struct pace *spend_pace(struct scheduler *s, int bucket)
{
    return &s->buckets.list[bucket].pace;
}

const struct pace *spend_of(const struct scheduler *s, int portal)
{
    const char *host = s->portals[portal].portal.bucket_host;
    uint64_t now_ms = clock_mono_ms();
    const struct pace *best = NULL;

    for (int i = 0; i < s->buckets.count; i++) {
        const struct bucket *b = &s->buckets.list[i];

        if (strcmp(b->host, host) == 0 &&
            (best == NULL || pace_level(&b->pace, now_ms) > pace_level(best, now_ms)))
            best = &b->pace;
    }
    return best != NULL ? best : &s->buckets.list[0].pace;
}

uint64_t spend_wait(const struct scheduler *s, const struct portal *p, uint64_t now_ms)
{
    uint64_t least = PACE_NEVER;

    for (int i = 0; i < s->buckets.count; i++) {
        uint64_t wait = strcmp(s->buckets.list[i].host, p->bucket_host) == 0
                            ? pace_wait(&s->buckets.list[i].pace, now_ms)
                            : 0;

        if (wait > 0 && wait < least)
            least = wait;
    }
    return least == PACE_NEVER ? 0 : least;
}

void spend_follow(struct scheduler *s, uint64_t now_ms)
{
    for (int i = 0; i < s->portal_count; i++) {
        struct portal *p = &s->portals[i].portal;
        const struct portal_access *a = access_of(s, i);
        char host[BUCKET_HOST_SIZE];

        if (a == NULL || a->host[0] == '\0')
            continue;
        bucket_host(a->host, host);
        if (strcmp(host, p->bucket_host) == 0)
            continue;
        double level =
            buckets_level(&s->buckets, p->bucket_host, now_ms); /* the portal counts on under its new name */
        memcpy(p->bucket_host, host, sizeof(host));
        pace_raise(spend_pace(s, spend_bucket(s, p, "", now_ms)), level, now_ms);
    }
}

bool spend_is_shared(const struct scheduler *s, int portal)
{
    if (senders_waiting(&s->senders) > 0)
        return true;
    for (int i = 0; i < s->portal_count; i++)
        if (i != portal &&
            strcmp(s->portals[i].portal.bucket_host, s->portals[portal].portal.bucket_host) == 0)
            return true;
    return false;
}

int spend_claims(struct scheduler *s, int bucket, int but, struct share_claim ret[static SPEND_CLAIMS_MAX],
    uint64_t now_ms)
{
    const char *host = s->buckets.list[bucket].host;
    int n = 0;

    for (int i = 0; i < s->portal_count; i++) {
        bool urgent = false, bulk = false;

        if (i == but || strcmp(s->portals[i].portal.bucket_host, host) != 0)
            continue;
        chance_wants(s, i, &urgent, &bulk, now_ms);
        if (urgent)
            ret[n++] = (struct share_claim){ SHARE_URGENT, (uint32_t)i };
        if (bulk)
            ret[n++] = (struct share_claim){ SHARE_BULK, (uint32_t)i };
    }
    for (int i = 0; i < s->senders.count; i++)
        if (s->senders.list[i].waits && s->senders.list[i].bucket == bucket)
            ret[n++] = (struct share_claim){ SHARE_OTHER, s->senders.list[i].number };
    return n;
}
