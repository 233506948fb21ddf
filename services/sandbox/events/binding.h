/* binding.h - who wants which events: outgoing webhooks given at start or by an admin route, handlers and offline
 * queues of the application (facts sections 9.1, 9.5). What the application bound is kept in the data file. Loop
 * thread. */
#pragma once

#include "event.h"

#include "base/err.h"

#include <sqlite3.h>

#define BINDING_ANYBODY (-1) /* a user to look for */

struct binding {
    int id;                     /* event_handler_id */
    bool app;                   /* else an outgoing webhook */
    bool offline;               /* its events go into the queue of `connector`; no url */
    int code;                   /* EVENT_NONE: whatever an outgoing webhook can get */
    char *url, *connector;      /* "" = none */
    int64_t user;               /* auth_type; 0: whoever changed something */
    uint64_t min_ms;            /* ONOFFLINEEVENT: at least so long between two; 0: each time */
    uint64_t woken_ms;          /* due time of the last one */
};

struct bindings {
    struct binding *list;
    int count, cap;
    int next_id;
    struct sqlite3 *db;         /* the store's */
};

int bindings_open(struct bindings *ret, struct sqlite3 *db, struct err *err) MUST_CHECK;
void bindings_close(struct bindings *b);
/* Given from outside: forgotten at the end. code EVENT_NONE: an outgoing webhook. */
void bindings_add_given(struct bindings *b, const char *url, int code);
void bindings_drop_webhooks(struct bindings *b);
/* Those of the application, but for two codes. */
int bindings_drop_app(struct bindings *b, int keep, int keep_too, struct err *err) MUST_CHECK;
/* For the application; *ret_there: it was bound before and nothing was done. */
int bindings_add(struct bindings *b, const struct binding *wanted, bool *ret_there, struct err *err) MUST_CHECK;
/* Those of that event (EVENT_NONE: of each), handler and queue (NULL: of each) and user (0: bound without one;
 * BINDING_ANYBODY); how many there were. */
int bindings_drop(struct bindings *b, const struct binding *wanted, int *ret_count, struct err *err) MUST_CHECK;
const struct binding *bindings_find(const struct bindings *b, int id);     /* NULL: unbound meanwhile */
bool binding_wants(const struct binding *b, int code);
