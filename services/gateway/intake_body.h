/* intake_body.h - what a request says, as text: a form, a query or JSON. Pure. */
#pragma once

#include "base/form.h"
#include "intake.h"

#include <jansson.h>

struct credentials {            /* p NULL: not given */
    struct str token;           /* auth[application_token] */
    struct str bearer;          /* Authorization: Bearer */
    struct str keys[3];         /* X-API-Key, Authorization, ?api_key= */
    struct str handler_key;     /* ?key=, where portals send their events */
    struct str domain;          /* auth[domain], else the host of auth[client_endpoint] */
    struct str member;          /* auth[member_id] */
    struct str portal;          /* ?portal= */
};

struct told {
    struct str event, id;
    struct str document;        /* of a robot; p NULL: an event */
};

struct body {                   /* owns what the views view */
    struct credentials credentials;
    int count;
    bool many;
    struct form query, form;
    json_t *json;
    struct told told[INTAKE_ITEMS_MAX];     /* `count` of them are filled */
    char numbers[INTAKE_ITEMS_MAX][24];     /* ids that were JSON numbers */
};

void body_init(struct body *b);
/* What can be read is there also when the reason says no. */
enum reason body_read(struct body *b, const struct intake_in *in, bool json);
void body_free(struct body *b);
/* For logs and metrics: printable ASCII, the rest as '?', cut. */
void shown(struct str s, char *ret, size_t size);
