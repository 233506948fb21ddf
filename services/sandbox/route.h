/* route.h - which method a request is for, whether whoever asks may, and with which status a refusal goes out (facts
 * sections 1.1, 2.3). */
#pragma once

#include "methods/call.h"

/* /rest/{user}/{secret}/{method}, of an application /rest/{method}: the parts, without a slash at the end. Behind
 * /rest/api/ the same of REST 3.0. */
struct route {
    struct str parts[4];
    int count;
    struct str name;                /* method without its suffix */
    bool xml;
    bool rest3;                     /* /rest/api/; "api" is no part then */
};

void route_parse(struct route *r, const char *path);
/* By the webhook's secret or the application's token; sets p->app. */
enum api_error route_authorize(struct portal *p, const struct route *r, const json_t *params);
int route_status(const struct portal *p, enum api_error e);     /* second forms of section 16 count */
