/* intake.h - a request of a portal, a robot or a program into the changes it tells of, or the reason why it is not taken.
 * Pure: knows no socket, no spool and no clock. Facts sections 9.3, 9.6; requirement 002, 1.2. */
#pragma once

#include "allow.h"
#include "base/seal.h"
#include "base/webhook.h"
#include "connectors/bitrix_event.h"

#include <stdbool.h>
#include <stdint.h>

enum reason {
#define REASON(NAME, name, status, text) REASON_##NAME,
#include "reasons.def"
#undef REASON
    REASONS
};
const char *reason_name(enum reason r);
int reason_status(enum reason r);
const char *reason_text(enum reason r);

struct intake_portal {
    const char *name;
    char identity[WEBHOOK_IDENTITY_SIZE];       /* of its address */
    uint64_t mirrors;           /* bit i: ENTITIES[i] is mirrored */
    bool app;                   /* reached as an application: install.h */
    /* What the scheduler told (known.h). */
    char moved[WEBHOOK_IDENTITY_SIZE];  /* where it answers now; "" = as configured */
    char member[80];            /* its member_id, whatever its name; "" = not known */
    struct secret token;        /* application_token of its application, beside `tokens` below: of its own events alone */
    bool former;                /* `token` is of an installation before the last login: it may not be that of today */
    struct secret handler_keys[SEAL_KEYS_MAX];  /* any in the query of its handler (base/handler_key.h); while no `token` of today is known */
};

struct intake_rules {           /* outlive every intake; changed between two of them alone */
    struct secrets tokens, keys, bearers;   /* all empty: everybody who reaches us (a loopback address only), or: */
    bool closed;                /* nobody but by a token that was learnt, and installations of applications */
    const char *domains;        /* patterns; "" = the portals' own hosts */
    struct intake_portal portals[32];
    int portal_count;
};

struct intake_in {              /* views of the request */
    const char *method, *path, *content_type;
    struct str query, body;
    const char *api_key, *authorization;    /* headers; NULL: absent */
};

#define INTAKE_ITEMS_MAX 50
#define INTAKE_EVENT_SIZE 64

struct intake_item {
    enum reason reason;         /* TAKEN: a change to keep; else it is answered as it is */
    const struct intake_portal *portal;
    const struct entity *entity;
    uint64_t id;                /* 0 with CHANGE_KIND_FIELDS, and where there was none */
    enum change_kind kind;
    char event[INTAKE_EVENT_SIZE];  /* printable, cut */
};

struct intake {
    enum reason reason;         /* of the whole; TAKEN: look at the items */
    bool deals;                 /* by the path for deals: answers name ids */
    bool many;                  /* an array was sent, an array is answered */
    char domain[128];           /* printable, cut; "" = not told */
    const struct intake_portal *portal;     /* NULL = none of ours */
    int count;
    struct intake_item items[INTAKE_ITEMS_MAX];     /* `count` of them are filled */
};

/* By its host, configured or of today, else by its member_id. NULL: none of ours. */
const struct intake_portal *intake_portal_of(const struct intake_rules *rules, const char *host, struct str member);
bool intake_open(const struct intake_rules *rules);     /* no secret is configured */
bool intake_learnt(const struct intake_rules *rules);   /* an application_token of some portal is known */
/* An application_token that is configured, or the portal's own. */
bool intake_knows(const struct intake_rules *rules, const struct intake_portal *portal, struct str token);
void intake_read(const struct intake_rules *rules, const struct intake_in *in, struct intake *ret);
