/* target.h - where a job's call goes and with what credential: the portal's webhook or address of the fetcher's own
 * settings, at the host where the scheduler says it answers now, with the access token that came sealed. Pure.
 * Memory: owned by the struct; target_fini() overwrites it. */
#pragma once

#include "base/buf.h"
#include "base/config.h"
#include "base/seal.h"
#include "proto/msg.h"

struct target {
    char *url;                  /* secret: a webhook's */
    char *token;                /* secret; NULL: a webhook needs none */
};

/* ERR_CONF: no such portal here, no key, a host that is none; ERR_PERM: the token does not open, or there is none. */
int target_make(struct target *ret, const struct config_portal *portal, const struct msg_job *job,
    const struct seal_keys *keys, struct err *err) MUST_CHECK;
void target_fini(struct target *t);
/* Puts "auth" before the other members of a JSON object. Nothing where there is no token. */
void target_sign(const struct target *t, struct buf *body);
/* What `url` was answered with sends its callers to the same place at another host (facts 1.4). ret: 256 bytes, "" = no. */
void target_moved(const struct target *t, int status, const char *location, char *ret);
