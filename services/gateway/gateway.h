/* gateway.h - the gateway service: webhooks in, safe on disk, answered, handed to the scheduler. See README.md. */
#pragma once

#include "base/mem.h"
#include "base/seal.h"
#include "hand.h"
#include "intake.h"
#include "keeper.h"
#include "known.h"
#include "run/alarm.h"
#include "run/app.h"
#include "run/bus.h"
#include "run/http_server.h"
#include "visitors.h"

struct tls_mark { /* of a file: another one means that it changed */
    uint64_t inode;
    int64_t size, s, ns;
};

struct gateway {
    char *listen, *tokens, *keys, *domains, *tls_cert_file, *tls_key_file, *bearers, *bus_scheduler;   /* settings */
    char *secret_key;

    struct alarm_settings alarm;
    struct app *app;
    struct alarms *alarms;
    struct intake_rules rules;
    struct seal_keys secret_keys;
    struct visitors visitors;
    struct http_server *server;
    char *tls_cert, *tls_key;   /* their texts, while the server starts */
    struct tls_mark tls_marks[2];
    uint64_t tls_look_ms;       /* when the files are looked at next */
    bool tls_failed;
    uv_signal_t signals[2];     /* SIGHUP, SIGUSR1 */
    bool signals_open;
    struct keeper *keeper;
    struct hand hand;
    struct known known;
    uint64_t known_in;          /* the spool that holds it */
    struct bus_plug *scheduler;
    uv_timer_t tick;
    bool tick_open;
    bool drain;                 /* setting: hand over what there is, take nothing, end */
    bool draining;              /* nothing new is taken */
    bool drained;
    uint64_t refused;           /* requests since start, */
    uint64_t refused_for[REASONS];  /* by reason */
    struct {                    /* of each portal: its events whose token was wrong or missing */
        uint64_t count, last_ms;    /* wall clock */
    } tokens_wrong[ARRAY_SIZE(((struct intake_rules *)0)->portals)];
    bool open;                  /* the spool */
    char trouble[ERR_TEXT_SIZE]; /* why nothing can be kept; "" = it can */
    int in_hand;                /* requests on their way to the disk */
    struct request *spare;      /* memory of former requests */
    int spare_count;
    struct http_page *page;     /* the last plain answer, */
    enum reason page_reason;    /* its reason */
    uint64_t page_ms;           /* and time */
    uint64_t stop_ms;           /* stopping: since when */
    uint64_t quiet_ms;          /* stopping: when the last request was seen */
};

extern const struct app_def GATEWAY;    /* service.c */

/* gateway.c */
void gateway_check(const struct config *config, void *state, struct mistakes *all);
int gateway_start(struct app *app, void *state, struct err *err);
void gateway_stop_soon(void *state);
void gateway_stop(void *state);
bool gateway_ready(void *state, struct buf *why_not);
bool gateway_busy(void *state);
void gateway_detail(void *state, json_t *into);

/* rules.c: settings and configuration into rules; ERR_CONF names the setting. */
/* With `all` mistakes go there and it does not fail: app_def.check. */
int rules_make(struct gateway *g, const struct config *config, struct mistakes *all, struct err *err);
/* May it listen there? Where anybody reaches it, only with a secret, or (rules.closed) with an application to be installed. */
bool rules_fit(struct gateway *g, const char *address);
bool rules_loopback(const char *address);

/* drain.c */
void drain_forget(const struct gateway *g);         /* of a former life */
void drain_begin(struct gateway *g);
void drain_turn(struct gateway *g);                 /* ends the gateway of GATEWAY_DRAIN when nothing is left */

/* tls.c */
int tls_read(struct gateway *g, struct err *err);   /* ERR_CONF names the setting */
void tls_started(struct gateway *g);                /* the server has it */
void tls_look(struct gateway *g, uint64_t now_ms, bool asked);  /* renews it when the files changed, or when asked */
void tls_forget(struct gateway *g);

/* request.c */
void request_on_http(struct http_in *in);
void request_fini(struct gateway *g);     /* after the server */

/* count.c: metrics, and what STATUS tells of refused requests */
void count_init(void);
void count_received(const struct gateway *g, const struct intake *i);
void count_answered(const struct intake *i, double seconds);
void count_refused(struct gateway *g, const struct intake *i, uint64_t now_ms);
void count_detail(const struct gateway *g, json_t *into);
void count_state(const struct gateway *g);
