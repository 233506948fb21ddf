#include "told.h"

#include "access/access.h"
#include "overload.h"
#include "spend.h"

#include "base/clock.h"
#include "base/log.h"
#include "proto/wire.h"

#include <stdio.h>

void told_operating(struct portal *p, struct str map)
{
    struct wire w;

    wire_init(&w, map.p, map.n);
    if (map.n == 0)
        return;
    for (uint32_t n = wire_map(&w); n > 0 && wire_ok(&w); n--) {
        char method[64];
        struct str name = wire_str(&w);
        uint32_t parts = wire_array(&w);
        uint64_t used_ms = wire_u64(&w), reset_s = parts > 1 ? wire_u64(&w) : 0;

        if (!wire_ok(&w) || parts < 1 || parts > 2 || name.n >= sizeof(method))
            return;
        snprintf(method, sizeof(method), STR_FMT, STR_ARG(name));
        operate_told(&p->operate, method, used_ms, reset_s, clock_mono_ms(), clock_wall_ms());
    }
}

/* As a fetcher would have reported it. */
void told_word(struct scheduler *s, int portal, struct str code, uint64_t token)
{
    const struct msg_report r = {
        .outcome = STR("failed"), .requests = 1, .error = code, .code = code, .token = token
    };
    const struct flight f = { .portal = portal, .sent_ms = clock_mono_ms() };

    if (breaker_is_word(code))
        (void)overload_report(s, &f, &r);
    else
        (void)access_reported(s, portal, access_host_no(s, portal), &r);
}

void told_limit(struct scheduler *s, int portal, int bucket, const struct told *t)
{
    struct portal *p = &s->portals[portal].portal;
    uint64_t now_ms = clock_mono_ms(), wait_ms = t->retry_ms > 0 ? t->retry_ms : 1000;
    char method[64], text[ERR_TEXT_SIZE];

    snprintf(text, sizeof(text), STR_FMT, STR_ARG(t->error));
    p->refusals++;
    figures_refused(p, (unsigned)t->status);
    if (t->blocked.n > 0 && !str_is(t->blocked, "batch")) {
        snprintf(method, sizeof(method), STR_FMT, STR_ARG(t->blocked));
        operate_block(&p->operate, method, wait_ms, now_ms);
    } else { /* every call of ours is a batch: when that is blocked, all is */
        if (t->blocked.n == 0)
            pace_refused(spend_pace(s, bucket), now_ms);
        portal_pause(p, wait_ms, text, now_ms);
    }
    log_ev(LOG_WARNING, "portal.refused", kv_str("portal", p->name), kv_u("status", t->status),
        kv_str("method", t->blocked), kv_u("wait_ms", wait_ms), kv_s("error", text));
}
