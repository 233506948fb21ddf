/* The spool opened, and a damaged one put aside with what can be read of it saved. */
#include "spool_private.h"

#include "base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A damaged page ends a walk: one from each end reaches what lies on both sides of it. */
static const char *const WALKS[] = {
    "SELECT seq, at_ms, portal, entity, id, kind, name, sum FROM event ORDER BY seq",
    "SELECT seq, at_ms, portal, entity, id, kind, name, sum FROM event ORDER BY seq DESC",
};

static int64_t save_by(sqlite3 *old, const char *walk, struct spool *into, struct err *err)
{
    sqlite3_stmt *q = NULL;
    struct spool_row row;
    int64_t saved = 0;
    bool is_new;

    if (sqlite3_prepare_v2(old, walk, -1, &q, NULL) != SQLITE_OK)
        return 0;
    while (sqlite3_step(q) == SQLITE_ROW) {
        if (!spool_read_row(q, &row))
            continue;
        if (spool_add(into, &row, &is_new, err) < 0) {
            saved = -1;
            break;
        }
        saved += is_new;
    }
    sqlite3_finalize(q);
    return saved;
}

static int save(const char *damaged, struct spool *into, int64_t *ret_saved, struct err *err)
{
    sqlite3 *old = NULL;
    int result = 0;

    *ret_saved = 0;
    if (spool_begin(into, err) < 0)
        return -1;
    if (sqlite3_open_v2(damaged, &old, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK) {
        for (size_t i = 0; i < ARRAY_SIZE(WALKS) && result == 0; i++) {
            int64_t saved = save_by(old, WALKS[i], into, err);

            result = saved < 0 ? -1 : 0;
            *ret_saved += result == 0 ? saved : 0;
        }
    }
    sqlite3_close(old);
    if (result == 0)
        return spool_commit(into, err);
    spool_rollback(into);
    return -1;
}

static int put_aside(const char *path, uint64_t now_ms, char *ret, size_t size, struct err *err)
{
    static const char *const tails[] = { "-wal", "-shm", "" };
    char from[800], to[800];

    snprintf(ret, size, "%s.damaged-%" PRIu64, path, now_ms / 1000);
    for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
        snprintf(from, sizeof(from), "%s%s", path, tails[i]);
        snprintf(to, sizeof(to), "%s%s", ret, tails[i]);
        if (rename(from, to) < 0 && errno != ENOENT)
            return err_code(err, ERR_CONF, errno, "spool %s is damaged and cannot be put aside: %s", path,
                strerror(errno));
    }
    return 0;
}

static int salvage(struct spool **ret, const char *path, uint64_t now_ms, int64_t *ret_saved, struct err *err)
{
    char damaged[700];
    struct spool *s;

    if (put_aside(path, now_ms, damaged, sizeof(damaged), err) < 0 ||
        spool_open_fresh(&s, path, now_ms, err) < 0)
        return -1;
    if (save(damaged, s, ret_saved, err) < 0) {
        spool_close(&s);
        return -1;
    }
    *ret = s;
    return 0;
}

int spool_open(struct spool **ret, const char *path, uint64_t now_ms, int64_t *ret_saved, struct err *err)
{
    struct err first;

    if (sodium_init() < 0)
        return err_set(err, ERR_BUG, "libsodium does not start");
    *ret_saved = -1;
    if (spool_open_fresh(ret, path, now_ms, &first) == 0)
        return 0;
    if (first.kind != ERR_PERM) {
        *err = first;
        return -1;
    }
    return salvage(ret, path, now_ms, ret_saved, err);
}

int spool_repair(struct spool **s, uint64_t now_ms, int64_t *ret_saved, struct err *err)
{
    char *path = xstrdup((*s)->path);
    struct spool *fresh;
    int result;

    spool_rollback(*s);
    sqlite3_db_config(
        (*s)->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL); /* what is broken stays as it is */
    spool_close(s);
    result = salvage(&fresh, path, now_ms, ret_saved, err);
    if (result == 0)
        *s = fresh;
    free(path);
    return result;
}
