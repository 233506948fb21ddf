/* access.h - how each portal is reached: at which host, with which tokens. The shell around oauth.h: calls to the OAuth
 * server, tokens sealed into the database before any job carries them, what operators and gateways bring, and portals
 * that were renamed. Portals with a webhook have a host only. Loop thread, but for access_load(). */
#pragma once

#include "base/seal.h"
#include "events/gateways.h"
#include "rules/oauth.h"
#include "run/http_client.h"
#include "scheduler.h"
#include "store/offer.h"
#include "store/token.h"

#define ACCESS_MOVES_MOST 3         /* in an hour: more is a portal that sends us in circles */
#define ACCESS_ASTRAY_MOST 3        /* answers in a row that are none: back to the configured host */
#define ACCESS_DONE 256             /* well above what gateways may leave unacknowledged at a time (SEALED_MOST) */
#define ACCESS_TAKEN_BACK "the operator took the access back"     /* why there is none; kept in the database */
#define ACCESS_WAITING 8            /* offers of a portal, beside the one that is looked at */
#define ACCESS_LEFT 32              /* as many as a former scheduler may have left: that, and those of one EVENT */

struct offer {                      /* brought by somebody, and not yet known to be of use */
    bool any, asking, storing;
    struct access given;            /* owned */
    uint64_t spool, seq;            /* of the gateway's row; 0: a command */
    struct bus_peer peer;           /* of a command: waits for the reply */
    char correlation[UUID_SIZE];
    unsigned fails;
    uint64_t begun_ms, not_before_ms;
    uint64_t at_ms;                 /* wall; when the gateway took it */
};

struct portal_access {
    struct oauth oauth;
    struct offer offer;
    unsigned offers_failed;         /* tries of what was brought that came to nothing, since the start */
    char offer_error[ERR_TEXT_SIZE];    /* of the last of them; "" = what was brought last is of use */
    struct store_offer waiting[ACCESS_LEFT];     /* of gateways; oldest first */
    int waiting_count;
    char host[WEBHOOK_HOST_SIZE];   /* asked now; "" = as configured */
    char kept_host[WEBHOOK_HOST_SIZE];  /* the last one that gave a good answer, as in the database */
    char left_host[WEBHOOK_HOST_SIZE];  /* from there we went back since it did not answer; "" = none */
    char asked_host[WEBHOOK_HOST_SIZE]; /* the OAuth server was asked whether the portal moved there */
    unsigned host_no;               /* raised with each change of `host` */
    unsigned astray;                /* answers in a row that were none, at another host than the configured one */
    char member[STORE_MEMBER_SIZE];
    uint64_t kept_ms;               /* wall; when the tokens were committed */
    uint64_t given_ms;              /* wall; when those that were brought last were */
    bool moving;                    /* a host is on its way to the database */
    uint64_t moved_ms[ACCESS_MOVES_MOST];   /* monotonic; the last ones, 0 = none */
};

struct access_book {
    struct seal_keys keys;
    struct http_client *http;       /* the scheduler's */
    int calls;                      /* to OAuth servers, under way */
    struct portal_access list[CONFIG_PORTALS_MAX];
    struct {
        uint64_t spool, seq;
    } done[ACCESS_DONE];            /* rows of gateways that are dealt with: one may be handed over again */
    int done_next;
    struct gateways gateways;
};

void access_check(const struct config *config, const struct scheduler *s, struct mistakes *all);    /* app_def.check */
/* ERR_CONF: an application without POTOK_SECRET_KEY, or the key is none. */
int access_start(struct scheduler *s, struct err *err) MUST_CHECK;
#define ACCESS_STOP_MS 5000
/* The end, in this order: answers of OAuth servers are waited for (ACCESS_STOP_MS at most; the bus and the pool are closed); calls
 * end; pairs that no thread of the pool committed are written. None of it after stop_until_ms. */
void access_finish(struct scheduler *s);
void access_stop(struct scheduler *s);
void access_last(struct scheduler *s, struct step *step);
bool access_is_pair(const struct step *step);       /* it is one that access_last() writes */
/* Tokens are on their way, from an OAuth server or to the database. */
bool access_is_unkept(const struct scheduler *s);
void access_free_all(struct scheduler *s);
/* On a database thread, while the loop touches no portal. */
int access_load(struct scheduler *s, struct db *db, int portal, struct err *err) MUST_CHECK;

void access_turn(struct scheduler *s, int portal, uint64_t now_ms);
bool access_ready(const struct scheduler *s, int portal);   /* jobs may go */
/* Host and token of a JOB. The bytes live as long as `room`. */
void access_put(struct scheduler *s, int portal, struct msg_job *job, struct buf *room);
/* A REPORT of a failure. True: the job goes again, with another token or at another host, and nothing was wrong with it. */
bool access_reported(struct scheduler *s, int portal, unsigned host_no, const struct msg_report *r);
void access_proved(struct scheduler *s, int portal, unsigned host_no);      /* a good answer */
unsigned access_host_no(const struct scheduler *s, int portal);
/* A REPORT of a failure at a host that redirects led to, which may be no portal at all: after three in a row the
 * configured one is asked again. False: it is the portal's own word, or came from the configured host. */
bool access_astray(struct scheduler *s, int portal, unsigned host_no, const struct msg_report *r);

/* A gateway's, which is in the database by now: looked at in its turn. May take it over. */
void access_offered(struct scheduler *s, int portal, struct store_offer *o);
/* CONTROL "access" {"portal", "sealed"}: what the operator brings. Replies when it is known what became of it. */
void access_on_command(struct scheduler *s, struct bus_peer from, const struct msg *m, json_t *args);

/* ---- between the files of this folder ---- */
static inline const struct config_app *access_app(const struct scheduler *s, int portal)
{
    return &s->portals[portal].portal.config->app;
}
struct portal_access *access_of(const struct scheduler *s, int portal);
/* Asks the OAuth server; `of_offer`: for what somebody brought. */
void access_ask(struct scheduler *s, int portal, bool of_offer);
/* Asks the portal whose pair it is; takes it over. Then offer_proved(). */
void access_prove(struct scheduler *s, int portal, struct access *pair);
void access_refused(struct scheduler *s, int portal, const char *why);      /* only a person can help */
/* A pair to be committed; takes it over. */
void access_keep(struct scheduler *s, int portal, struct access *pair, bool of_offer);
/* An answer to a renewal that nobody waits for any more. */
void access_late(struct scheduler *s, int portal, uint64_t number);
/* The server refuses the pair in memory: another scheduler may have kept a newer one. */
void access_look_again(struct scheduler *s, int portal, const char *why);
/* The same where there is no access, every few seconds. */
void access_look_around(struct scheduler *s, int portal, uint64_t now_ms);
int access_open(struct scheduler *s, int portal, struct str sealed, struct access *ret, struct err *err) MUST_CHECK;
void access_kept(struct scheduler *s, int portal, bool was_good);           /* jobs may go again */
int access_offers_load(struct scheduler *s, struct db *db, int portal, struct err *err) MUST_CHECK;
void access_offers_free(struct portal_access *a);
void offer_turn(struct scheduler *s, int portal, uint64_t now_ms);
/* `given` is taken over. */
void offer_begin(struct scheduler *s, int portal, struct access *given, const struct offer *from);
int offer_open(struct scheduler *s, int portal, struct str sealed, struct access *ret, struct err *err) MUST_CHECK;
void offer_next(struct scheduler *s, int portal);           /* of those that wait */
void offer_forget(struct scheduler *s, int portal);         /* the one that is looked at takes access back */
/* A row of a gateway; seq 0: there is none. */
void offer_dealt_with(struct scheduler *s, int portal, uint64_t spool, uint64_t seq);
void offer_answered(struct scheduler *s, int portal, struct oauth_answer *a, bool unanswered);
/* What was brought is spent: `pair`, which the OAuth server gave for it and which is taken over, takes its place in
 * the database, then access_prove(). A scheduler that comes after us goes on with it. */
void offer_goes_on(struct scheduler *s, int portal, struct access *pair);
bool offer_is_going_on(const struct step *step);
int offer_portal_of(const struct step *step);               /* of one that is */
/* The portal said whose pair it is; taken over where it is of use. */
void offer_proved(struct scheduler *s, int portal, struct access *pair, enum oauth_rights rights);
void offer_end(struct scheduler *s, int portal, const char *error);         /* NULL: it is of use, and kept */
bool access_moved(struct scheduler *s, int portal, unsigned host_no, struct str host);
void access_host_proved(struct scheduler *s, int portal, unsigned host_no);
