/* post.c - what the portal asks others for when a person opens an application or a robot runs (facts
 * sections 9.6, 10). */
#include "visit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "events/events.h"
#include "data/hash.h"
#include "events/letter.h"

static bool takes_url(struct visit *v, char **ret)
{
    const struct str url = visit_param(v, "url", "");

    if (url.n < 8 || memcmp(url.p, "http", 4) != 0) {
        visit_refuse(v, 400, "url: whom to ask");
        return false;
    }
    *ret = str_dup(url);
    return true;
}

/* Each opening, each robot has another one. */
static void make_token(struct portal *p, char ret[static 33])
{
    const uint64_t h = hash_two(p->options.store.seed ^ 0x6672616d65, ++p->events.letter_count);

    snprintf(ret, 33, "%016llx%016llx", (unsigned long long)h, (unsigned long long)hash_mix(h));
}

/* As whom: with a pair of tokens of its own; false: it was answered why not. */
static bool speaks(struct visit *v, struct event_from *ret)
{
    struct portal *p = v->portal;
    const uint64_t now_ms = clock_wall_ms();
    struct err err;

    *ret = events_sender(&p->events);
    if (!p->application.there || p->application.state != APP_WELL) {
        visit_refuse(v, 400, "no application is installed");
        return false;
    }
    const struct token_pair *pair = tokens_issue(&p->application.tokens, now_ms, &err);
    if (pair == NULL) {
        visit_refuse(v, 500, err.text);
        return false;
    }
    ret->access_token = pair->access;
    ret->refresh_token = pair->refresh;
    ret->expires_in_s = (pair->access_until_ms - now_ms) / 1000;
    ret->expires_s = pair->access_until_ms / 1000;
    return true;
}

void visit_open_app(struct visit *v)
{
    char *url, *placement, *options, session[33];
    struct event_from from;

    if (!takes_url(v, &url))
        return;
    if (!speaks(v, &from)) {
        free(url);
        return;
    }
    make_token(v->portal, session);
    placement = str_dup(visit_param(v, "placement", "DEFAULT"));
    options = str_dup(visit_param(v, "options", ""));
    events_post(&v->portal->events,
        letter_frame(url, &from, session, placement, options[0] != '\0' ? options : NULL));
    free(options);
    free(placement);
    free(url);
    visit_fine(v);
}

void visit_run_robot(struct visit *v)
{
    const int w = visit_which(v);
    struct portal *p = v->portal;
    struct event_from from = events_sender(&p->events);
    char *url, token[33];
    uint64_t id;
    uint32_t n;

    if (w < 0)
        return;
    char *code = str_dup(visit_param(v, "code", ""));
    if (!visit_count(v, "id", 0, &id) || !crm_find(&p->store.crm[w], id, &n)) {
        visit_refuse(v, 400, "id: of a record");
    } else if ((code[0] == '\0' || speaks(v, &from)) && takes_url(v, &url)) {
        json_t *properties = json_loadb(v->body.p ? v->body.p : "", v->body.n, 0, NULL);
        make_token(p, token);
        from.tells_user = true; /* the vendor's PHP SDK reads no robot without these and a refresh token */
        events_post(&p->events, letter_robot(url, &from,
                                    &(struct letter_robot){ .w = (enum which)w,
                                        .id = (uint32_t)id,
                                        .code = code[0] != '\0' ? code : NULL,
                                        .event_token = token,
                                        .properties = properties,
                                        .ts_s = (int64_t)(clock_wall_ms() / 1000) }));
        json_decref(properties);
        free(url);
        visit_fine(v);
    }
    free(code);
}
