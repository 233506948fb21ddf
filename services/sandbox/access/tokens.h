/* tokens.h - pairs of access and refresh token that the application was given (facts section 10). Kept in the
 * data file: who stored a pair can go on with it after a restart. The clock is an argument. Loop thread. */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#define TOKEN_TEXT       33 /* 32 hex digits */
#define TOKEN_REFRESH_MS (180ull * 86400 * 1000)

struct token_pair {
    int64_t number; /* 1 is the one of the seed */
    char access[TOKEN_TEXT], refresh[TOKEN_TEXT];
    uint64_t access_until_ms, refresh_until_ms; /* wall clock */
    bool spent;                                 /* its refresh token was used */
};

struct tokens {
    struct token_pair *list; /* oldest first */
    int count, cap;
    int64_t last; /* number given last */
    uint64_t seed, life_ms;
    struct sqlite3 *db; /* the store's */
};

enum token_state { TOKEN_UNKNOWN, TOKEN_GOOD, TOKEN_EXPIRED };

int tokens_open(
    struct tokens *ret, struct sqlite3 *db, uint64_t seed, uint64_t life_ms, struct err *err) MUST_CHECK;
void tokens_close(struct tokens *t);
/* A new pair; NULL: the file cannot be written. Pointers to pairs hold until the next call. */
const struct token_pair *tokens_issue(struct tokens *t, uint64_t now_ms, struct err *err) MUST_CHECK;
const struct token_pair *tokens_newest(const struct tokens *t); /* NULL: none */
uint64_t tokens_until(const struct tokens *t, struct str access);     /* wall clock; 0: unknown */
enum token_state tokens_judge(const struct tokens *t, struct str access, uint64_t now_ms);
/* Whose refresh token it is, if it can be used; NULL: unknown, expired or spent (spent ones count when
 * `again`). */
const struct token_pair *tokens_refreshable(
    const struct tokens *t, struct str refresh, uint64_t now_ms, bool again);
int tokens_spend(struct tokens *t, int64_t number, struct err *err) MUST_CHECK;
/* All of them end now. */
int tokens_expire(struct tokens *t, bool access, bool refresh, uint64_t now_ms, struct err *err) MUST_CHECK;
/* None of them was ever given. */
int tokens_revoke(struct tokens *t, struct err *err) MUST_CHECK;
