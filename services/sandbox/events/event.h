/* event.h - the codes of events and what a handler gets for one: a form, as PHP writes it (facts sections 9.2, 9.3).
 * Pure. */
#pragma once

#include "data/journal.h"

#include "base/buf.h"

struct event_row {
    const char *name;           /* "ONCRMDEALUPDATE" */
    int which;                  /* -1: not of a record or field */
    enum deed_kind kind;
    bool app_only;              /* no outgoing webhook gets it */
};
#define EVENT_NONE (-1)
int event_count(void);
const struct event_row *event_row(int code);
int event_of(struct str name);                  /* any case; EVENT_NONE */
int event_of_deed(enum which w, enum deed_kind kind);
int event_app_test(void);                       /* ONAPPTEST */
int event_offline(void);                        /* ONOFFLINEEVENT */
int event_app_install(void);                    /* ONAPPINSTALL */
int event_app_update(void);                     /* ONAPPUPDATE */
int event_of_type(int code, int type_id);       /* "ONCRMDYNAMICITEMADD_156"; EVENT_NONE: there is none */
struct str event_scope(int code);               /* "crm"; "": of the application itself */
int event_app_uninstall(void);

/* One member of a form: "&key=value", both percent-encoded, so that brackets are %5B and %5D. */
void event_member(struct buf *out, const char *key, struct str value);

struct event_from {             /* the portal, as its events tell of it */
    const char *address;        /* "127.0.0.1:8080" */
    const char *oauth_address;  /* with a port: the sandbox's own, else by https */
    bool tls;                   /* the sandbox's own addresses are asked by https */
    const char *member_id, *application_token;
    const char *access_token, *refresh_token;       /* to an application; the second: NULL = left out */
    const char *scope;          /* "crm,user" */
    uint64_t expires_in_s, expires_s;
    bool no_handler_id, short_auth, no_tokens;    /* second forms of section 16 */
    bool tells_user;            /* auth[expires] and auth[user_id] beside the tokens: not in the vendor's samples */
};

/* "auth[domain]=…" and what else tells an application (or a webhook) who speaks. */
void event_auth(struct buf *out, const struct event_from *from, bool app);

struct event_to {
    int handler_id;
    bool app;                   /* else an outgoing webhook */
};

/* What an event is about. */
struct event_about {
    uint64_t id;                /* 0: data has no FIELDS */
    int type_id;                /* of the record, or of what the field belongs to; 0: neither */
    const char *form;           /* further members of data, as event_member() wrote them; NULL: none */
    const char *json;           /* those of FIELDS as a queue keeps them: ",\"ENTITY_TYPE_ID\":156"; NULL: none */
};

/* id 0: data has no FIELDS. more: further members of data, as event_member() wrote them. */
void event_body(struct buf *out, const struct event_from *from, const struct event_to *to, int code, uint64_t id,
    const char *more, int64_t ts_s);
