#include "gateways.h"

#include "access/access.h"
#include "proto/news.h"

#include <stdio.h>

/* ---- what they are told ---- */

static void put_hosts(const struct scheduler *s, struct buf *out)
{
    char configured[WEBHOOK_HOST_SIZE];

    for (int i = 0; i < s->portal_count; i++) {
        const struct portal *p = &s->portals[i].portal;
        const char *host = access_of(s, i)->kept_host;

        webhook_host(config_portal_url(p->config), configured);
        if (host[0] != '\0' && strcmp(host, configured) != 0)
            (void)news_host_put(out, str_of(p->config->name), str_of(host)); /* a dozen of the longest fit */
    }
}

/* A text that anybody may have chosen is no secret below so many characters: gateways take none such either.
 */
#define TOKEN_MIN  32
#define TOKEN_MOST 128

static struct str fit_token(const char *text)
{
    struct str token = str_of(text);

    return token.n >= TOKEN_MIN && token.n <= TOKEN_MOST ? token : STR("");
}

static int list_portals(const struct scheduler *s, struct news_portal list[static CONFIG_PORTALS_MAX])
{
    int count = 0;

    for (int i = 0; i < s->portal_count; i++) {
        const struct portal *p = &s->portals[i].portal;
        const struct portal_access *a = access_of(s, i);

        if (!config_portal_is_app(p->config))
            continue;
        list[count] = (struct news_portal){ .portal = str_of(p->config->name),
            .member = str_of(a->member),
            .token = fit_token(a->oauth.pair.application_token),
            .former = fit_token(a->oauth.pair.former_token) };
        count += list[count].member.n > 0 || list[count].token.n > 0 || list[count].former.n > 0;
    }
    return count;
}

static void put_sealed(const struct scheduler *s, struct buf *out)
{
    struct news_portal list[CONFIG_PORTALS_MAX];
    int count = list_portals(s, list);
    struct buf plain;

    if (count == 0)
        return;
    buf_init(&plain, NEWS_SEALED_MAX - SEAL_OVERHEAD);
    news_portals_encode(list, count, &plain);
    if (plain.failed || seal(&s->access->keys, STR(NEWS_PURPOSE), buf_view(&plain), out, NULL) < 0)
        buf_clear(out);
    seal_wipe(&plain);
}

static void make(struct scheduler *s, struct gateways *g)
{
    buf_fini(&g->hosts);
    buf_fini(&g->sealed);
    buf_init(&g->hosts, NEWS_HOSTS_MAX + 1);
    buf_init(&g->sealed, NEWS_SEALED_MAX);
    put_hosts(s, &g->hosts);
    put_sealed(s, &g->sealed);
    g->made = true;
}

void gateways_put(struct scheduler *s, struct msg_event_ack *ack)
{
    struct gateways *g = &s->access->gateways;

    if (!g->made)
        make(s, g);
    ack->hosts = buf_view(&g->hosts);
    ack->sealed = buf_view(&g->sealed);
}

/* ---- who hears it ---- */

/* A gateway that was started anew is another peer of the same name. */
void gateways_heard(struct scheduler *s, struct bus_peer from, const struct msg_event *m)
{
    struct gateways *g = &s->access->gateways;
    int at = 0;

    while (at < g->count && !str_is(m->gateway, g->list[at].name))
        at++;
    if (at == g->count && g->count < GATEWAYS_MAX) {
        g->count++;
    } else if (at == g->count) {
        at = g->next;
        g->next = (g->next + 1) % GATEWAYS_MAX;
    }
    g->list[at].peer = from;
    g->list[at].spool = m->spool;
    snprintf(g->list[at].name, sizeof(g->list[at].name), STR_FMT, STR_ARG(m->gateway));
}

static void tell(struct scheduler *s, struct bus_peer to, struct str gateway, uint64_t spool)
{
    struct msg *m = msg_new(MSG_EVENT_ACK);

    m->event_ack = (struct msg_event_ack){ .gateway = gateway, .spool = spool };
    gateways_put(s, &m->event_ack);
    if (bus_send_to(s->router, to, &m) != BUS_SENT)
        msg_free(&m); /* it has gone; or it says hello again */
}

void gateways_hello(struct scheduler *s, struct bus_peer from, const struct msg_event *m)
{
    tell(s, from, m->gateway, m->spool);
}

void gateways_changed(struct scheduler *s)
{
    struct gateways *g = &s->access->gateways;

    g->made = false;
    for (int i = 0; i < g->count && s->router != NULL; i++)
        tell(s, g->list[i].peer, str_of(g->list[i].name), g->list[i].spool);
}

void gateways_free(struct gateways *g)
{
    buf_fini(&g->hosts);
    buf_fini(&g->sealed);
    *g = (struct gateways){ 0 };
}
