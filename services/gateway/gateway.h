/* gateway.h - the gateway service: webhooks in, safe on disk, answered, handed to the scheduler. See README.md. */
#pragma once

#include "base/seal.h"
#include "hand.h"
#include "intake.h"
#include "keeper.h"
#include "run/alarm.h"
#include "run/app.h"
#include "run/bus.h"
#include "run/http_server.h"
#include "visitors.h"

struct gateway {
    char *listen, *tokens, *keys, *domains, *tls_cert_file, *tls_key_file, *bus_scheduler;   /* settings */
    char *secret_key;

    struct alarm_settings alarm;
    struct app *app;
    struct alarms *alarms;
    struct intake_rules rules;
    struct seal_keys secret_keys;
    struct visitors visitors;
    struct http_server *server;
    char *tls_cert, *tls_key;
    struct keeper *keeper;
    struct hand hand;
    struct bus_plug *scheduler;
    uv_timer_t tick;
    bool tick_open;
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
int gateway_check(const struct config *config, void *state, struct err *err);
int gateway_start(struct app *app, void *state, struct err *err);
void gateway_stop_soon(void *state);
void gateway_stop(void *state);
bool gateway_ready(void *state, struct buf *why_not);
bool gateway_busy(void *state);
void gateway_detail(void *state, json_t *into);

/* rules.c: settings and configuration into rules; ERR_CONF names the setting. */
int rules_make(struct gateway *g, const struct config *config, struct err *err);
bool rules_open(const struct intake_rules *rules);  /* no secret at all */
bool rules_loopback(const char *address);

/* request.c */
void request_on_http(struct http_in *in);
void request_fini(struct gateway *g);     /* after the server */

/* count.c: metrics */
void count_init(void);
void count_received(const struct gateway *g, const struct intake *i);
void count_answered(const struct intake *i, double seconds);
void count_state(const struct gateway *g);
