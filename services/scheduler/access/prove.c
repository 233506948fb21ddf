/* Whose tokens they are: the portal is asked with the new access token, before anything of an event is kept.
 */
#include "access.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define PROVE_DEADLINE_MS 10000
#define ANSWER_MOST       65536

struct prove {
    struct scheduler *s;
    int portal;
    struct access pair;
};

static void on_answer(void *ctx, struct http_answer *http)
{
    struct prove *x = ctx;
    struct scheduler *s = x->s;

    s->access->calls--;
    offer_proved(s, x->portal, &x->pair, oauth_rights(http->status, buf_view(&http->body)));
    buf_fini(&http->body);
    access_free(&x->pair);
    free(x);
    scheduler_wake(s);
}

static char *url_of(struct scheduler *s, int portal)
{
    const char *address = config_portal_url(s->portals[portal].portal.config);
    const char *host = access_of(s, portal)->kept_host;
    char *base = host[0] != '\0' ? webhook_at(address, str_of(host)) : xstrdup(address);
    char *url = base != NULL ? xasprintf("%srest/profile.json", base) : NULL;

    free(base);
    return url;
}

void access_prove(struct scheduler *s, int portal, struct access *pair)
{
    struct prove *x = xcalloc(1, sizeof(*x));
    char *url = url_of(s, portal);
    struct http_call *call = NULL;
    struct buf body;
    struct err err;

    *x = (struct prove){ s, portal, *pair };
    *pair = (struct access){ 0 };
    buf_init(&body, 1 << 14);
    buf_str(&body, "{\"auth\":");
    buf_json(&body, str_of(x->pair.access_token));
    buf_char(&body, '}');
    if (url != NULL)
        call = http_start(s->http,
            &(struct http_request){ .method = "POST",
                .url = url,
                .content_type = "application/json",
                .body = buf_view(&body),
                .free_body = body.p,
                .deadline_ms = PROVE_DEADLINE_MS,
                .max_bytes = ANSWER_MOST,
                .on_done = on_answer,
                .ctx = x },
            &err);
    free(url);
    if (call != NULL) {
        s->access->calls++;
        return;
    }
    seal_wipe(&body);
    offer_proved(s, portal, &x->pair, OAUTH_UNTOLD);
    access_free(&x->pair);
    free(x);
}
