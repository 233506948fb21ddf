/* The spool opened, and a damaged one put aside with what can be read of it saved. */
#include "spool_private.h"

#include "base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
        if (row.kind == CHANGE_KIND_ACCESS)
            spool_read_sealed(old, &row);
        if (row.kind == CHANGE_KIND_ACCESS && spool_has_sealed(into, &row)) { /* by the other walk */
            spool_rows_fini(&row, 1);
            continue;
        }
        int failed = spool_add(into, &row, &is_new, err);
        spool_rows_fini(&row, 1);
        if (failed < 0) {
            saved = -1;
            break;
        }
        saved += is_new;
    }
    sqlite3_finalize(q);
    return saved;
}

static int save_from(sqlite3 *old, struct spool *into, int64_t *ret_saved, struct err *err)
{
    *ret_saved = 0;
    if (spool_begin(into, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(WALKS); i++) {
        int64_t saved = save_by(old, WALKS[i], into, err);

        if (saved < 0) {
            spool_rollback(into);
            return -1;
        }
        *ret_saved += saved;
    }
    return spool_commit(into, err);
}

static int save(const char *damaged, struct spool *into, int64_t *ret_saved, struct err *err)
{
    sqlite3 *old = NULL;
    int result = 0;

    *ret_saved = 0;
    if (sqlite3_open_v2(damaged, &old, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK) {
        sqlite3_db_config(old, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL); /* what is broken stays as it is */
        result = save_from(old, into, ret_saved, err);
    }
    sqlite3_close(old);
    return result;
}

static int move(const char *from, const char *to, const char *tail, struct err *err)
{
    char old[800], new[800];

    snprintf(old, sizeof(old), "%s%s", from, tail);
    snprintf(new, sizeof(new), "%s%s", to, tail);
    if (rename(old, new) < 0 && errno != ENOENT)
        return err_code(
            err, ERR_CONF, errno, "spool %s is damaged and cannot be put aside: %s", from, strerror(errno));
    return 0;
}

/* The file itself first: without it the next start knows that what was saved is whole (finish_saving). */
static int change_places(const char *path, const char *saving, uint64_t now_ms, struct err *err)
{
    static const char *const tails[] = { "", "-wal", "-shm" };
    char damaged[700];

    snprintf(damaged, sizeof(damaged), "%s.damaged-%" PRIu64, path, now_ms / 1000);
    for (size_t i = 0; i < ARRAY_SIZE(tails); i++)
        if (move(path, damaged, tails[i], err) < 0)
            return -1;
    return move(saving, path, "", err);
}

static void remove_all(const char *path)
{
    static const char *const tails[] = { "", "-wal", "-shm" };
    char name[800];

    for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
        snprintf(name, sizeof(name), "%s%s", path, tails[i]);
        unlink(name);
    }
}

/* Into a file beside the damaged one, which takes its place when it is whole: whoever is killed meanwhile
 * begins anew. */
static int salvage(struct spool **ret, const char *path, uint64_t now_ms, int64_t *ret_saved, struct err *err)
{
    char saving[700];
    struct spool *s;
    int result;

    snprintf(saving, sizeof(saving), "%s.saving", path);
    remove_all(saving);
    if (spool_open_fresh(&s, saving, now_ms, err) < 0)
        return -1;
    result = save(path, s, ret_saved, err);
    spool_close(&s);
    if (result < 0 || change_places(path, saving, now_ms, err) < 0)
        return -1;
    return spool_open_fresh(ret, path, now_ms, err);
}

/* Killed between two renames of change_places(). */
static int finish_saving(const char *path, uint64_t now_ms, bool *ret_finished, struct err *err)
{
    char saving[700];

    snprintf(saving, sizeof(saving), "%s.saving", path);
    *ret_finished = access(path, F_OK) < 0 && access(saving, F_OK) == 0;
    return *ret_finished ? change_places(path, saving, now_ms, err) : 0;
}

int spool_open(struct spool **ret, const char *path, uint64_t now_ms, int64_t *ret_saved, struct err *err)
{
    struct err first;
    bool finished;

    if (sodium_init() < 0)
        return err_set(err, ERR_BUG, "libsodium does not start");
    *ret_saved = -1;
    if (finish_saving(path, now_ms, &finished, err) < 0)
        return -1;
    if (spool_open_fresh(ret, path, now_ms, &first) == 0) {
        *ret_saved = finished ? (int64_t)spool_last(*ret) : -1;
        return 0;
    }
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

bool spool_moved(struct spool *s)
{
    int moved = 0;

    return sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0;
}

/* Closing must not touch the log by its name: it is another file's now. */
int spool_follow(struct spool **s, uint64_t now_ms, int64_t *ret_saved, struct err *err)
{
    struct spool *fresh;

    if (spool_open_fresh(&fresh, (*s)->path, now_ms, err) < 0)
        return -1;
    if (save_from((*s)->db, fresh, ret_saved, err) < 0) {
        spool_close(&fresh);
        return -1;
    }
    sqlite3_db_config((*s)->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    spool_close(s);
    *s = fresh;
    return 0;
}
