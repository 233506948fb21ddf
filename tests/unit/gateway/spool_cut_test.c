/* Power cuts at every write and every sync of a spool: what was answered is there, nothing else is. */
#include "services/gateway/spool.h"

#include "base/mem.h"
#include "services/gateway/spool_private.h"
#include "support/check.h"
#include "support/cut_vfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVENTS_MAX 600
#define LIVES      4
#define ROUNDS     14 /* commits of a life */
#define SEEDS      3

enum fate { NEVER, TRIED, KEPT, FORGETTING, FORGOTTEN };

struct story {                  /* what the sender and the scheduler know */
    enum fate fate[EVENTS_MAX]; /* by id */
    uint64_t seq[EVENTS_MAX];
    int commit[EVENTS_MAX]; /* those of one stand or fall together */
    uint64_t next_id, last, acked;
    int commits;
    uint64_t random;
    char path[200];
};

static uint64_t any(struct story *t, uint64_t n)
{
    t->random = t->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (t->random >> 33) % n;
}

/* ---- a life ---- */

static int add_some(struct story *t, struct spool *s, struct err *err)
{
    uint64_t first = t->next_id, n = 1 + any(t, 6);
    struct spool_row row = {
        .kind = CHANGE_KIND_SET, .portal = "main", .entity = "deals", .event = "ONCRMDEALUPDATE", .at_ms = 7
    };
    bool is_new;

    t->commits++;
    for (uint64_t id = first; id < first + n; id++) {
        row.id = id;
        t->fate[id] = TRIED;
        t->commit[id] = t->commits;
        t->next_id = id + 1;
        if (spool_add(s, &row, &is_new, err) < 0)
            return -1;
        t->seq[id] = row.seq;
    }
    return 0;
}

static int hand_on(struct story *t, struct spool *s, struct err *err)
{
    static struct spool_row rows[CHANGES_MAX];
    int count, damaged;

    if (spool_take(s, t->acked, rows, 1 + (int)any(t, 10), &count, &damaged, err) < 0)
        return -1;
    CHECK_EQ(damaged, 0);
    if (count == 0)
        return 0;
    t->acked = rows[count - 1].seq;
    for (uint64_t id = 1; id < t->next_id; id++)
        if (t->fate[id] == KEPT && t->seq[id] <= t->acked)
            t->fate[id] = FORGETTING;
    return spool_forget(s, t->acked, err);
}

/* A failure is a cut; the transaction under way may be there or not. */
static int one_commit(struct story *t, struct spool *s, struct err *err)
{
    uint64_t first = t->next_id;

    if (spool_begin(s, err) < 0)
        return -1;
    if (add_some(t, s, err) < 0 || (any(t, 3) == 0 && hand_on(t, s, err) < 0)) {
        spool_rollback(s);
        return -1;
    }
    if (spool_commit(s, err) < 0)
        return -1;
    for (uint64_t id = first; id < t->next_id; id++)
        t->fate[id] = t->fate[id] == TRIED ? KEPT : t->fate[id];
    for (uint64_t id = 1; id < t->next_id; id++)
        t->fate[id] = t->fate[id] == FORGETTING || (t->fate[id] == KEPT && t->seq[id] <= t->acked)
                          ? FORGOTTEN
                          : t->fate[id];
    t->last = spool_last(s);
    return 0;
}

static void live(struct story *t)
{
    struct spool *s = NULL;
    struct err err;
    int64_t saved;

    if (spool_open(&s, t->path, 1000, &saved, &err) < 0) {
        CHECK(cut_vfs_is_cut());
        return;
    }
    CHECK(saved == -1);
    sqlite3_exec(s->db, "PRAGMA wal_autocheckpoint = 12", NULL, NULL, NULL);
    for (int i = 0; i < ROUNDS; i++)
        if (one_commit(t, s, &err) < 0) {
            CHECK(cut_vfs_is_cut());
            break;
        }
    spool_close(&s);
}

/* ---- what is left ---- */

struct found {
    struct story *t;
    bool there[EVENTS_MAX];
};

static int on_row(void *ctx, const struct spool_row *row, bool sound)
{
    struct found *f = ctx;

    CHECK(sound);
    CHECK(row->id > 0 && row->id < f->t->next_id);
    CHECK(f->t->fate[row->id] != NEVER);
    CHECK(!f->there[row->id]);
    if (f->t->seq[row->id] != 0)
        CHECK_EQ(row->seq, f->t->seq[row->id]);
    f->there[row->id] = true;
    f->t->seq[row->id] = row->seq;
    return 0;
}

static void look(struct story *t)
{
    struct found f = { .t = t };
    struct spool *s;
    struct err err;
    int64_t saved;

    CHECK_OK(spool_open(&s, t->path, 2000, &saved, &err), err);
    CHECK(saved == -1); /* a cut damages nothing */
    CHECK_OK(spool_check(s, &err), err);
    CHECK_OK(spool_each(s, on_row, &f, &err), err);
    CHECK(spool_last(s) >= t->last);
    for (uint64_t id = 1; id < t->next_id; id++) {
        if (t->fate[id] == KEPT)
            CHECK(f.there[id]);
        if (t->fate[id] == FORGOTTEN)
            CHECK(!f.there[id]);
        if (t->fate[id] == TRIED && id > 1 && t->commit[id] == t->commit[id - 1] && t->fate[id - 1] == TRIED)
            CHECK_EQ(f.there[id], f.there[id - 1]);
    }
    for (uint64_t id = 1; id < t->next_id; id++)
        t->fate[id] = f.there[id] ? KEPT : t->fate[id] == NEVER ? NEVER : FORGOTTEN;
    t->acked = 0;
    t->last = spool_last(s);
    spool_close(&s);
}

static unsigned story(uint64_t seed, unsigned at)
{
    struct story *t = xcalloc(1, sizeof(*t));
    char file[300];
    unsigned steps;

    t->next_id = 1;
    t->random = seed;
    snprintf(t->path, sizeof(t->path), "%s/cut.db", check_folder());
    for (int i = 0; i < 3; i++) {
        snprintf(file, sizeof(file), "%s%s", t->path, (const char *[]){ "", "-wal", "-shm" }[i]);
        unlink(file);
    }
    cut_vfs_begin(seed + at, at);
    live(t);
    steps = cut_vfs_steps();
    for (int life = 1; life < LIVES && at > 0; life++) {
        cut_vfs_power_on(0);
        look(t);
        cut_vfs_power_on(1 + at * 7 % 60); /* from here it may go any way */
        live(t);
    }
    free(t);
    return steps;
}

TEST(what_was_answered_survives_a_cut_at_any_write_or_sync)
{
    cut_vfs_install();
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        unsigned steps = story(seed, 0);

        CHECK(steps > 60);
        for (unsigned at = 1; at <= steps; at++)
            story(seed, at);
    }
    cut_vfs_remove();
}

/* ---- a disk that changes what it holds ---- */

#define ROT_EVENTS 240
#define ROT_ROUNDS 150

static void fill(const char *path)
{
    struct spool_row row = {
        .kind = CHANGE_KIND_SET, .portal = "main", .entity = "deals", .event = "ONCRMDEALUPDATE", .at_ms = 7
    };
    struct spool *s;
    struct err err;
    int64_t saved;
    bool is_new;

    CHECK_OK(spool_open(&s, path, 1000, &saved, &err), err);
    CHECK_OK(spool_begin(s, &err), err);
    for (row.id = 1; row.id <= ROT_EVENTS; row.id++)
        CHECK_OK(spool_add(s, &row, &is_new, &err), err);
    CHECK_OK(spool_commit(s, &err), err);
    spool_close(&s);
}

static void spoil(const char *path, uint64_t random)
{
    FILE *f = fopen(path, "r+b");
    long at;
    int byte;

    CHECK(f != NULL && fseek(f, 0, SEEK_END) == 0);
    at = (long)(random % (uint64_t)ftell(f));
    CHECK(fseek(f, at, SEEK_SET) == 0);
    byte = fgetc(f);
    CHECK(fseek(f, at, SEEK_SET) == 0);
    fputc(byte ^ 1 << (random >> 40) % 8, f);
    CHECK_EQ(fclose(f), 0);
}

static void check_rows(const struct spool_row *rows, int count, bool there[ROT_EVENTS + 1])
{
    for (int i = 0; i < count; i++) {
        CHECK(rows[i].id >= 1 && rows[i].id <= ROT_EVENTS);
        CHECK_STR(rows[i].portal, "main");
        CHECK_STR(rows[i].entity, "deals");
        CHECK_EQ(rows[i].kind, CHANGE_KIND_SET);
        CHECK(!there[rows[i].id]);
        there[rows[i].id] = true;
    }
}

/* As the keeper does it: what SQLite cannot read any more is repaired, once. */
static int take_all(struct spool **s, bool there[ROT_EVENTS + 1], bool *told, struct err *err)
{
    static struct spool_row rows[CHANGES_MAX];
    int count = 0, damaged = 0, result = spool_begin(*s, err);
    int64_t saved;

    if (result == 0)
        result = spool_take(*s, 0, rows, CHANGES_MAX, &count, &damaged, err);
    if (result == 0)
        result = spool_commit(*s, err);
    if (result < 0 && err->kind == ERR_PERM && !*told) {
        *told = true;
        return spool_repair(s, 3000, &saved, err) < 0 ? -1 : take_all(s, there, told, err);
    }
    if (result < 0)
        return -1;
    *told |= damaged > 0;
    check_rows(rows, count, there);
    return 0;
}

static void one_rot(const char *path, uint64_t random)
{
    bool there[ROT_EVENTS + 1] = { false }, told;
    struct spool *s = NULL;
    struct err err = { 0 };
    int64_t saved;
    int missing = 0;

    spoil(path, random);
    CHECK_OK(spool_open(&s, path, 2000, &saved, &err), err);
    told = saved >= 0;
    CHECK_OK(take_all(&s, there, &told, &err), err);
    for (int id = 1; id <= ROT_EVENTS; id++)
        missing += !there[id];
    CHECK(missing == 0 || told);
    spool_close(&s);
}

TEST(what_a_disk_spoils_is_set_aside_and_told_and_never_handed_on)
{
    char path[200], command[300];
    uint64_t random = 42;

    snprintf(path, sizeof(path), "%s/rot.db", check_folder());
    snprintf(command, sizeof(command), "rm -f %s*", path);
    for (int i = 0; i < ROT_ROUNDS; i++) {
        fill(path);
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        one_rot(path, random);
        CHECK_EQ(system(command), 0);
    }
}

TEST_MAIN(CASE(what_was_answered_survives_a_cut_at_any_write_or_sync),
    CASE(what_a_disk_spoils_is_set_aside_and_told_and_never_handed_on))
