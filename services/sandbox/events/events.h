/* events.h - the portal's events as one whole: who listens, what is under way, what waits in queues, and as whom they
 * are sent. Loop thread. */
#pragma once

#include "access/application.h"
#include "binding.h"
#include "letter.h"
#include "offline.h"
#include "outbox.h"
#include "data/store.h"
#include "quirks.h"

#define EVENT_URLS_MAX 8
struct events_options {
    const char *webhooks[EVENT_URLS_MAX];   /* outgoing webhooks: URLs; NULL: no more */
    const char *apps[EVENT_URLS_MAX];       /* the application's, bound to everything that records and fields make */
    const char *application_token;          /* NULL: from the seed */
    uint64_t app;                           /* 1: there is an application, and its access token */
    uint64_t parallel;                      /* requests at a time */
    struct event_faults faults;
    uint64_t lag_ms;                        /* veil.h, of every entity */
    bool tls;                               /* the portal is asked by https */
};

struct events {
    struct outbox outbox;
    struct bindings bindings;
    struct offline offline;
    struct application *application;        /* as which handlers of the application are told */
    char connector[65];             /* of the request under way: its changes stay out of that queue; "" = none */
    char address[128];              /* "127.0.0.1:8080"; set when the port is known */
    char scope[256];                /* of the tokens in events */
    char oauth_address[128];        /* of the OAuth server */
    bool tls;                       /* both are asked by https */
    char member_id[33], application_token[65];
    quirk_set quirks;
    struct letter *letters;         /* to be sent before all events; the oldest first */
    struct letter *posted;          /* the one that was given away last: its URL is still read */
    int asked;                      /* whom events_next() was about: a binding; 0: a letter's */
    uint64_t letter_count;          /* tokens made for them */
};

int events_open(struct events *ret, const struct events_options *options, struct store *s,
    struct application *application, quirk_set quirks, struct err *err) MUST_CHECK;
void events_close(struct events *e);
/* Whether the journal is needed; after each change to bindings and lags. */
void events_listen(struct events *e, struct store *s);
/* Makes events of what the journal holds, and empties it. */
int events_spread(struct events *e, struct store *s, uint64_t mono_ms, int64_t now_s, struct err *err) MUST_CHECK;
/* One event to all who are bound to it. */
int events_tell(struct events *e, int code, const struct event_about *about, uint64_t mono_ms, int64_t now_s,
    struct err *err) MUST_CHECK;
/* ONAPPINSTALL to those bound to it, with a pair of tokens of its own. */
int events_install(struct events *e, uint64_t mono_ms, struct err *err) MUST_CHECK;
/* ONAPPUPDATE; handlers and queues of the version before are gone. token: the portal is known by another one from now
 * on. */
int events_update(struct events *e, bool token, uint64_t mono_ms, struct err *err) MUST_CHECK;
/* ONAPPUNINSTALL; the application's other handlers and queues are gone afterwards. */
int events_uninstall(struct events *e, bool clean, uint64_t mono_ms, struct err *err) MUST_CHECK;
struct event_from events_sender(const struct events *e);      /* without tokens */
/* Sent as it is, once, whatever the faults of events; the letter is the queue's. */
void events_post(struct events *e, struct letter *l);
/* The next request: whom to ask, with which body (the caller's). false: nothing is due. */
bool events_next(struct events *e, uint64_t mono_ms, uint64_t wall_ms, const char **ret_url, struct buf *ret_body);
