#include "tokens.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/hash.h"

#define MOST 4096 /* older ones are forgotten */

static int failed(struct tokens *t, struct err *err)
{
    return err_code(err, ERR_CONF, sqlite3_errcode(t->db), "data file: %s", sqlite3_errmsg(t->db));
}

static struct token_pair *append(struct tokens *t)
{
    if (t->count == MOST)
        memmove(t->list, t->list + 1, (size_t)--t->count * sizeof(*t->list));
    if (t->count == t->cap) {
        t->cap = t->cap * 2 + 16;
        t->list = xrealloc(t->list, (size_t)t->cap * sizeof(*t->list));
    }
    t->list[t->count] = (struct token_pair){ 0 };
    return &t->list[t->count++];
}

static void load_row(struct tokens *t, sqlite3_stmt *st)
{
    struct token_pair *p = append(t);

    p->number = sqlite3_column_int64(st, 0);
    snprintf(p->access, sizeof(p->access), "%s", (const char *)sqlite3_column_text(st, 1));
    snprintf(p->refresh, sizeof(p->refresh), "%s", (const char *)sqlite3_column_text(st, 2));
    p->access_until_ms = (uint64_t)sqlite3_column_int64(st, 3);
    p->refresh_until_ms = (uint64_t)sqlite3_column_int64(st, 4);
    p->spent = sqlite3_column_int(st, 5);
    t->last = p->number;
}

int tokens_open(struct tokens *ret, struct sqlite3 *db, uint64_t seed, uint64_t life_ms, struct err *err)
{
    sqlite3_stmt *st;
    int code;

    *ret = (struct tokens){ .db = db, .seed = seed, .life_ms = life_ms };
    if (sqlite3_exec(db,
            "CREATE TABLE IF NOT EXISTS token (number INTEGER PRIMARY KEY, access TEXT NOT NULL, refresh "
            "TEXT "
            "NOT NULL, access_until_ms INTEGER, refresh_until_ms INTEGER, spent INTEGER)",
            NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "SELECT * FROM token ORDER BY number", -1, &st, NULL) != SQLITE_OK)
        return failed(ret, err);
    while ((code = sqlite3_step(st)) == SQLITE_ROW)
        load_row(ret, st);
    sqlite3_finalize(st);
    return code == SQLITE_DONE ? 0 : failed(ret, err);
}

void tokens_close(struct tokens *t)
{
    free(t->list);
    *t = (struct tokens){ 0 };
}

static int keep(struct tokens *t, const struct token_pair *p, struct err *err)
{
    sqlite3_stmt *st;

    if (sqlite3_prepare_v2(t->db, "INSERT OR REPLACE INTO token VALUES (?1, ?2, ?3, ?4, ?5, ?6)", -1, &st,
            NULL) != SQLITE_OK)
        return failed(t, err);
    sqlite3_bind_int64(st, 1, p->number);
    sqlite3_bind_text(st, 2, p->access, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 3, p->refresh, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 4, (int64_t)p->access_until_ms);
    sqlite3_bind_int64(st, 5, (int64_t)p->refresh_until_ms);
    sqlite3_bind_int(st, 6, p->spent);
    const int code = sqlite3_step(st);
    sqlite3_finalize(st);
    return code == SQLITE_DONE ? 0 : failed(t, err);
}

static void make_text(uint64_t seed, uint64_t number, char ret[static TOKEN_TEXT])
{
    const uint64_t h = number == 1 ? seed : hash_two(seed, number);

    snprintf(ret, TOKEN_TEXT, "%016llx%016llx", (unsigned long long)hash_mix(h),
        (unsigned long long)hash_two(h, 2));
}

const struct token_pair *tokens_issue(struct tokens *t, uint64_t now_ms, struct err *err)
{
    struct token_pair *p = append(t);

    p->number = ++t->last;
    make_text(t->seed ^ 0x616363657373, (uint64_t)p->number, p->access);
    make_text(t->seed ^ 0x72656672657368, (uint64_t)p->number, p->refresh);
    p->access_until_ms = now_ms + t->life_ms;
    p->refresh_until_ms = now_ms + TOKEN_REFRESH_MS;
    return keep(t, p, err) < 0 ? NULL : p;
}

const struct token_pair *tokens_newest(const struct tokens *t)
{
    return t->count > 0 ? &t->list[t->count - 1] : NULL;
}

uint64_t tokens_until(const struct tokens *t, struct str access)
{
    for (int i = t->count; i-- > 0;) {
        if (str_is(access, t->list[i].access))
            return t->list[i].access_until_ms;
    }
    return 0;
}

enum token_state tokens_judge(const struct tokens *t, struct str access, uint64_t now_ms)
{
    for (int i = t->count; i-- > 0;) {
        if (str_is(access, t->list[i].access))
            return now_ms < t->list[i].access_until_ms ? TOKEN_GOOD : TOKEN_EXPIRED;
    }
    return TOKEN_UNKNOWN;
}

const struct token_pair *tokens_refreshable(
    const struct tokens *t, struct str refresh, uint64_t now_ms, bool again)
{
    for (int i = t->count; i-- > 0;) {
        const struct token_pair *p = &t->list[i];
        if (str_is(refresh, p->refresh))
            return now_ms < p->refresh_until_ms && (again || !p->spent) ? p : NULL;
    }
    return NULL;
}

int tokens_spend(struct tokens *t, int64_t number, struct err *err)
{
    for (int i = 0; i < t->count; i++) {
        if (t->list[i].number != number)
            continue;
        t->list[i].spent = true;
        return keep(t, &t->list[i], err);
    }
    return 0;
}

int tokens_expire(struct tokens *t, bool access, bool refresh, uint64_t now_ms, struct err *err)
{
    for (int i = 0; i < t->count; i++) {
        struct token_pair *p = &t->list[i];
        if (access && p->access_until_ms > now_ms)
            p->access_until_ms = now_ms;
        if (refresh && p->refresh_until_ms > now_ms)
            p->refresh_until_ms = now_ms;
        if (keep(t, p, err) < 0)
            return -1;
    }
    return 0;
}

int tokens_revoke(struct tokens *t, struct err *err)
{
    t->count = 0; /* numbers go on: no later one is the same */
    return sqlite3_exec(t->db, "DELETE FROM token", NULL, NULL, NULL) == SQLITE_OK ? 0 : failed(t, err);
}
