/* allow.h - who may send: secrets compared in constant time, and hosts by pattern. Pure; read-only once made. */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define ALLOW_MAX       16 /* secrets of one list: the one in use, the one before it, a few senders */
#define ALLOW_SECRET_MIN 32

/* Only keyed hashes are kept: of equal length, so that comparing them tells nothing of where they differ. */
struct secrets {
    uint8_t key[32];
    uint8_t hashes[ALLOW_MAX][32];
    int count;
};

/* "one,two": blanks around a secret do not belong to it. `name` is the setting's. ERR_CONF: too short (the message
 * says which by its place, never what it is), too many. */
int secrets_parse(struct secrets *ret, const char *text, const char *name, struct err *err) MUST_CHECK;
/* In constant time, whichever of them it is. An empty list takes nothing. */
bool secrets_match(const struct secrets *s, struct str given);

/* One that was learnt, beside a list: hashed with the list's key. */
struct secret {
    bool any;
    uint8_t hash[32];
};
/* Shorter than ALLOW_SECRET_MIN it is none. */
void secret_make(const struct secrets *beside, struct str text, struct secret *ret);
bool secret_is(const struct secrets *beside, const struct secret *s, struct str given);

/* "portal.bitrix24.ru, *.example.com": `host` may have a port, which does not count; case does not either. */
bool domain_match(struct str patterns, struct str host);
