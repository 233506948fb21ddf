/* seal.h - secrets at rest and between services: bytes sealed under POTOK_SECRET_KEY (XChaCha20-Poly1305, random nonce).
 * The purpose is authenticated with them: what was sealed for one use or portal does not open for another.
 * Sealed bytes: version 1 | mark of the key (4) | nonce (24) | ciphertext and tag (n + 16).
 * Purposes in use: "job:<portal>" an access token for fetchers, "access:<portal>" what the gateway was given,
 * "token:<portal>" what lies in potok_token, "gateway" what gateways are told (proto/news.h), "state:<portal>" the authenticated text of a login.
 * Derived: "handler:<portal>" the key in the address that a portal sends events to (handler_key.h).
 * Threads: a read `seal_keys` may be used by any. Nothing here logs; no error text holds a secret. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stddef.h>

enum {
    SEAL_KEYS_MAX = 8,
    SEAL_KEY_BYTES = 32,
    SEAL_TEXT_MIN = 32,         /* characters of one key as people write it */
    SEAL_OVERHEAD = 1 + 4 + 24 + 16
};

struct seal_keys {              /* open; zeroed = none: seal() and seal_open() say so */
    int n;
    unsigned char key[SEAL_KEYS_MAX][SEAL_KEY_BYTES];
};

/* From the setting POTOK_SECRET_KEY: one or several texts of at least SEAL_TEXT_MIN characters between commas; the first
 * seals, any opens, so a key is changed by putting the new one in front. NULL or empty: none, no error. ERR_CONF. */
int seal_keys_read(struct seal_keys *keys, const char *setting, struct err *err) MUST_CHECK;
void seal_keys_wipe(struct seal_keys *keys);

/* Appends to `out`. ERR_CONF without keys, ERR_LIMIT when `out` is full. */
int seal(const struct seal_keys *keys, struct str purpose, struct str plain, struct buf *out, struct err *err) MUST_CHECK;
/* Appends to `plain`, nothing on failure. ERR_CONF without keys or when another key sealed it; ERR_PERM: not sealed for
 * this purpose, or damaged. */
int seal_open(
    const struct seal_keys *keys, struct str purpose, struct str sealed, struct buf *plain, struct err *err) MUST_CHECK;
/* Another secret made of key `which`, for `purpose` alone: it tells nothing of the key, and is the same as long as the key
 * is. which < keys->n. */
#define SEAL_DERIVED_SIZE 33    /* 32 hex digits and the end */
void seal_derive(const struct seal_keys *keys, int which, struct str purpose, char ret[static SEAL_DERIVED_SIZE]);
/* Overwrites what a buffer or a text held, then frees it; NULL-safe. */
void seal_wipe(struct buf *secret);
void seal_free(char *secret);

/* The same bytes as text: base64 with - and _ and no padding, fit for URLs. */
void seal_text(struct str bytes, struct buf *out);
/* Appends the bytes; ERR_PERM for anything that seal_text() did not make. */
int seal_bytes(struct str text, struct buf *out, struct err *err) MUST_CHECK;
