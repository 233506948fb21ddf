/* access.h - what an application was given for a portal, as one small value: it is sealed (base/seal.h) wherever it lies or
 * travels. Encoded as a form: unknown members are skipped, so that versions may differ.
 * Memory: the struct owns its texts; access_free() overwrites them. Any thread. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

enum access_kind {
    ACCESS_TOKENS,          /* a pair of tokens */
    ACCESS_CODE,            /* an authorization code, to be exchanged within 30 s */
    ACCESS_REMOVED,         /* the application was removed, or its tokens are to be forgotten */
    ACCESS_KINDS
};

#define ACCESS_TEXT_MAX 2048    /* bytes of one member */

struct access {             /* texts: NULL = not told */
    enum access_kind kind;
    char *access_token, *refresh_token, *code;
    char *application_token;    /* of the events of this application, as its installation told */
    char *former_token;         /* that of an installation before the last login: of today too, unless it was installed anew */
    char *member_id;            /* the portal's, whatever its name */
    char *domain;               /* host of the portal */
    char *server;               /* host of the OAuth server */
    char *scope, *status;
    char *by;                   /* who says so: "operator", "install" */
    int64_t expires_ms;         /* Unix; 0 = not told */
};

void access_encode(const struct access *a, struct buf *out);
/* ERR_PERM: malformed, a kind that is not known, a member that is too long. */
int access_decode(struct access *ret, struct str bytes, struct err *err) MUST_CHECK;
void access_set(char **to, struct str text);    /* overwrites and frees what was there; p NULL or n 0: NULL */
void access_copy(struct access *to, const struct access *from);
void access_free(struct access *a);

/* ---- the authenticated text of a login: "state" of the authorization ---- */
struct seal_keys;
#define ACCESS_STATE_MS (15 * 60 * 1000)
/* Appends the text for this portal, made now. ERR_CONF without a key. */
int access_state_make(const struct seal_keys *keys, const char *portal, uint64_t now_ms, struct buf *out, struct err *err) MUST_CHECK;
/* ERR_PERM: not made by us for this portal, or more than 15 minutes ago. */
int access_state_check(const struct seal_keys *keys, const char *portal, struct str text, uint64_t now_ms, struct err *err)
    MUST_CHECK;
