#include "known.h"

#include "base/clock.h"
#include "base/log.h"
#include "gateway.h"
#include "proto/news.h"

#include <stdio.h>

static const char NOTHING[] = "\x90"; /* an EVENT's changes: none */

/* ---- into the rules ---- */

static struct intake_portal *portal_of(struct gateway *g, struct str name)
{
    for (int i = 0; i < g->rules.portal_count; i++)
        if (str_is(name, g->rules.portals[i].name))
            return &g->rules.portals[i];
    return NULL;
}

static void apply_hosts(struct gateway *g, struct str hosts)
{
    struct str name, host;
    char url[300];

    for (int i = 0; i < g->rules.portal_count; i++)
        g->rules.portals[i].moved[0] = '\0';
    while (news_host_next(&hosts, &name, &host)) {
        struct intake_portal *p = portal_of(g, name);

        snprintf(url, sizeof(url), "https://%.*s/", (int)(host.n < 256 ? host.n : 256), host.p);
        if (p != NULL)
            webhook_identity(url, p->moved);
    }
}

static void apply_portals(struct gateway *g, const struct news_portal *list, int count)
{
    g->known.tokens = 0;
    for (int i = 0; i < g->rules.portal_count; i++) {
        g->rules.portals[i].member[0] = '\0';
        g->rules.portals[i].token = (struct secret){ .any = false };
        g->rules.portals[i].former = false;
    }
    for (int i = 0; i < count; i++) {
        struct intake_portal *p = portal_of(g, list[i].portal);

        if (p == NULL || !p->app)
            continue;
        if (list[i].member.n < sizeof(p->member))
            snprintf(p->member, sizeof(p->member), STR_FMT, STR_ARG(list[i].member));
        p->former = list[i].token.n == 0;
        secret_make(&g->rules.tokens, p->former ? list[i].former : list[i].token, &p->token);
        g->known.tokens += p->token.any;
    }
}

/* What cannot be opened says nothing: what was known before goes on. */
static void apply_sealed(struct gateway *g, struct str sealed)
{
    struct news_portal list[ARRAY_SIZE(g->rules.portals)];
    struct buf plain;
    struct err err = { 0 };
    int count = 0, result;

    buf_init(&plain, NEWS_SEALED_MAX);
    result = sealed.n > 0 ? seal_open(&g->secret_keys, STR(NEWS_PURPOSE), sealed, &plain, &err) : 0;
    if (result == 0 && sealed.n > 0)
        result = news_portals_decode(list, ARRAY_SIZE(list), &count, buf_view(&plain), &err);
    if (result == 0)
        apply_portals(g, list, count);
    else
        log_ev(g->secret_keys.n > 0 ? LOG_WARNING : LOG_INFO, "known.unreadable", kv_err(&err));
    seal_wipe(&plain);
}

static void replace(struct buf *b, struct str bytes, size_t most)
{
    buf_fini(b);
    buf_init(b, most + 1);
    buf_add(b, bytes.p, bytes.n);
}

/* True: it is something else than before. */
static bool apply(struct gateway *g, struct str hosts, struct str sealed)
{
    struct known *k = &g->known;
    bool other_hosts = !str_eq(hosts, buf_view(&k->hosts)),
         other_sealed = !str_eq(sealed, buf_view(&k->sealed));

    if (other_hosts) {
        replace(&k->hosts, hosts, NEWS_HOSTS_MAX);
        apply_hosts(g, hosts);
    }
    if (other_sealed) {
        replace(&k->sealed, sealed, NEWS_SEALED_MAX);
        apply_sealed(g, sealed);
    }
    if (other_hosts || other_sealed)
        log_ev(LOG_INFO, "known.portals", kv_str("moved", hosts), kv_i("tokens", k->tokens));
    return other_hosts || other_sealed;
}

/* ---- in the spool ---- */

static void on_kept(struct wish *w)
{
    struct gateway *g = w->ctx;

    g->known.keeping = false;
    g->known.unkept |= w->status < 0; /* with the next turn in which the disk is well */
}

static void keep(struct gateway *g)
{
    struct known *k = &g->known;

    if (!k->unkept || k->keeping || !g->open || g->trouble[0] != '\0' || g->app->stopping)
        return;
    k->unkept = false;
    k->keeping = true;
    replace(&k->kept_hosts, buf_view(&k->hosts), NEWS_HOSTS_MAX);
    replace(&k->kept_sealed, buf_view(&k->sealed), NEWS_SEALED_MAX);
    k->keep = (struct wish){ .kind = WISH_KNOW,
        .hosts = buf_view(&k->kept_hosts),
        .sealed = buf_view(&k->kept_sealed),
        .done = on_kept,
        .ctx = g };
    keeper_do(g->keeper, &k->keep);
}

void known_recall(struct gateway *g, const char *path)
{
    struct spool *s = NULL;
    struct buf hosts, sealed;
    struct err err;

    buf_init(&hosts, NEWS_HOSTS_MAX);
    buf_init(&sealed, NEWS_SEALED_MAX);
    if (spool_open_read(&s, path, &err) == 0 && spool_known(s, &hosts, &sealed, &err) == 0) {
        g->known_in = spool_id(s);
        apply(g, buf_view(&hosts), buf_view(&sealed));
    }
    spool_close(&s);
    buf_fini(&hosts);
    buf_fini(&sealed);
}

void known_opened(struct gateway *g, uint64_t spool)
{
    g->known.unkept |= spool != g->known_in && (g->known.hosts.n > 0 || g->known.sealed.n > 0);
    g->known_in = spool;
    keep(g);
}

/* ---- with the scheduler ---- */

void known_told(struct gateway *g, const struct msg *ack)
{
    if (ack->version < 2) /* an older scheduler tells nothing */
        return;
    g->known.unkept |= apply(g, ack->event_ack.hosts, ack->event_ack.sealed);
    g->known.hello_ms = clock_mono_ms() + KNOWN_HELLO_MS;
    keep(g);
}

static bool hello(struct gateway *g)
{
    struct msg *m = msg_new(MSG_EVENT);
    bool sent;

    m->event = (struct msg_event){ .gateway = str_of(g->app->instance),
        .spool = g->hand.spool,
        .changes = { NOTHING, sizeof(NOTHING) - 1 } };
    sent = bus_send(g->scheduler, &m) == BUS_SENT;
    msg_free(&m);
    return sent;
}

/* A file that has gone and come is a scheduler that was started anew. */
void known_turn(struct gateway *g, uint64_t now_ms)
{
    struct known *k = &g->known;
    int peers = bus_peers(g->scheduler);

    keep(g);
    if (peers != k->peers)
        k->hello_ms = 0;
    k->peers = peers;
    if (peers > 0 && now_ms >= k->hello_ms && !g->app->stopping && hello(g))
        k->hello_ms = now_ms + KNOWN_AGAIN_MS;
}

void known_fini(struct gateway *g)
{
    buf_fini(&g->known.hosts);
    buf_fini(&g->known.sealed);
    buf_fini(&g->known.kept_hosts);
    buf_fini(&g->known.kept_sealed);
}
