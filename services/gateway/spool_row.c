/* Rows of the spool: kept, told from duplicates, taken, forgotten. */
#include "spool_private.h"

#include "base/mem.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUM_BYTES   8
#define SEALED_MOST 16 /* of what applications were given, in one EVENT: each is kilobytes */

/* ---- a row ---- */

struct line { /* of the fields of a row, a blank between two */
    char p[400];
    size_t n;
};

static void put_text(struct line *l, const char *text)
{
    size_t n = strlen(text);

    if (l->n > 0)
        l->p[l->n++] = ' ';
    memcpy(l->p + l->n, text, n);
    l->n += n;
}

static void put_number(struct line *l, uint64_t n)
{
    char text[21], *p = text + sizeof(text) - 1;

    *p = '\0';
    do
        *--p = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    put_text(l, p);
}

/* What of a row must be as it was written. A key of zeros: the sum guards against disks, not people. */
static void sum_of(const struct spool_row *r, uint8_t ret[SUM_BYTES])
{
    static const uint8_t key[crypto_shorthash_KEYBYTES];
    struct line l;

    l.n = 0;
    put_number(&l, r->seq);
    put_number(&l, r->at_ms);
    put_text(&l, r->portal);
    put_text(&l, r->entity);
    put_number(&l, r->id);
    put_number(&l, r->kind);
    put_text(&l, r->event);
    crypto_shorthash(ret, (const unsigned char *)l.p, l.n, key);
}

static void copy_text(char *to, size_t size, sqlite3_stmt *q, int column)
{
    const unsigned char *text = sqlite3_column_text(q, column);

    snprintf(to, size, "%s", text != NULL ? (const char *)text : "");
}

/* What the scheduler could do nothing with, it must not get. */
static bool is_sound(const struct spool_row *r)
{
    return change_sound(&(struct change){ .seq = r->seq,
        .portal = str_of(r->portal),
        .entity = str_of(r->entity),
        .id = r->id,
        .kind = r->kind });
}

/* Of SPOOL_TAKE's columns. False: it is not what was written. */
bool spool_read_row(sqlite3_stmt *q, struct spool_row *r)
{
    uint8_t sum[SUM_BYTES];
    int64_t kind = sqlite3_column_int64(q, 5);

    r->seq = (uint64_t)sqlite3_column_int64(q, 0);
    r->at_ms = (uint64_t)sqlite3_column_int64(q, 1);
    copy_text(r->portal, sizeof(r->portal), q, 2);
    copy_text(r->entity, sizeof(r->entity), q, 3);
    r->id = (uint64_t)sqlite3_column_int64(q, 4);
    r->kind = kind >= 0 && kind < CHANGE_KINDS ? (enum change_kind)kind : CHANGE_KIND_SET;
    copy_text(r->event, sizeof(r->event), q, 6);
    sum_of(r, sum);
    return kind == (int64_t)r->kind && is_sound(r) && sqlite3_column_bytes(q, 7) == SUM_BYTES &&
           memcmp(sqlite3_column_blob(q, 7), sum, SUM_BYTES) == 0;
}

/* ---- what an application was given ---- */

void spool_read_sealed(sqlite3 *db, struct spool_row *r)
{
    sqlite3_stmt *q = NULL;

    r->sealed = NULL;
    r->sealed_n = 0;
    if (sqlite3_prepare_v2(db, "SELECT sealed FROM access WHERE seq = ?1", -1, &q, NULL) != SQLITE_OK)
        return;
    sqlite3_bind_int64(q, 1, (int64_t)r->seq);
    if (sqlite3_step(q) == SQLITE_ROW && sqlite3_column_bytes(q, 0) > 0) {
        r->sealed_n = (size_t)sqlite3_column_bytes(q, 0);
        r->sealed = xmalloc(r->sealed_n);
        memcpy(r->sealed, sqlite3_column_blob(q, 0), r->sealed_n);
    }
    sqlite3_finalize(q);
}

bool spool_has_sealed(struct spool *s, const struct spool_row *r)
{
    sqlite3_stmt *q = NULL;
    bool has = false;

    if (sqlite3_prepare_v2(s->db, "SELECT 1 FROM access WHERE sealed = ?1", -1, &q, NULL) == SQLITE_OK) {
        sqlite3_bind_blob(q, 1, r->sealed, (int)r->sealed_n, SQLITE_STATIC);
        has = sqlite3_step(q) == SQLITE_ROW;
    }
    sqlite3_finalize(q);
    return has;
}

void spool_rows_fini(struct spool_row *rows, int count)
{
    for (int i = 0; i < count; i++) {
        if (rows[i].kind != CHANGE_KIND_ACCESS)
            continue;
        free(rows[i].sealed);
        rows[i].sealed = NULL;
    }
}

static int add_sealed(struct spool *s, const struct spool_row *row, struct err *err)
{
    sqlite3_stmt *q = spool_statement(s, SPOOL_ADD_SEALED);

    if (row->sealed == NULL)
        return 0; /* saved from a damaged file without it: the scheduler tells that it is lost */
    sqlite3_bind_int64(q, 1, (int64_t)row->seq);
    sqlite3_bind_blob(q, 2, row->sealed, (int)row->sealed_n, SQLITE_STATIC);
    return spool_run(s, SPOOL_ADD_SEALED, "keeping what an application was given", err);
}

/* ---- duplicates ---- */

static uint64_t key_of(const struct spool *s, const struct spool_row *r)
{
    struct line l;
    uint8_t hash[SUM_BYTES];
    uint64_t key;

    l.n = 0;
    put_text(&l, r->portal);
    put_text(&l, r->entity);
    put_number(&l, r->id);
    put_number(&l, r->kind);
    crypto_shorthash(hash, (const unsigned char *)l.p, l.n, s->hash_key);
    memcpy(&key, hash, sizeof(key));
    return key != 0 ? key : 1;
}

/* Where the key stands or would stand. */
static struct spool_waiting *waiting_at(struct spool *s, uint64_t key)
{
    size_t i = key % (2 * SPOOL_WAITING_MOST);

    while (s->waiting[i].key != 0 && s->waiting[i].key != key)
        i = (i + 1) % (2 * SPOOL_WAITING_MOST);
    return &s->waiting[i];
}

void spool_forget_waiting(struct spool *s)
{
    if (s->waiting_count > 0)
        memset(s->waiting, 0, 2 * SPOOL_WAITING_MOST * sizeof(*s->waiting));
    s->waiting_count = 0;
}

static void waiting_put(struct spool *s, struct spool_waiting *at, uint64_t key, uint64_t seq)
{
    if (at->key == 0) {
        if (s->waiting_count == SPOOL_WAITING_MOST)
            return;
        s->waiting_count++;
    }
    *at = (struct spool_waiting){ key, seq };
}

int spool_add(struct spool *s, struct spool_row *row, bool *ret_new, struct err *err)
{
    uint64_t key = key_of(s, row);
    struct spool_waiting *at = waiting_at(s, key);
    sqlite3_stmt *q = spool_statement(s, SPOOL_ADD);
    uint8_t sum[SUM_BYTES];

    if (at->key != 0 && at->seq > s->handed && row->kind != CHANGE_KIND_ACCESS) {
        row->seq = at->seq;
        *ret_new = false;
        return 0;
    }
    row->seq = s->last + 1;
    sum_of(row, sum);
    sqlite3_bind_int64(q, 1, (int64_t)row->seq);
    sqlite3_bind_int64(q, 2, (int64_t)row->at_ms);
    sqlite3_bind_text(q, 3, row->portal, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 4, row->entity, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 5, (int64_t)row->id);
    sqlite3_bind_int64(q, 6, row->kind);
    sqlite3_bind_text(q, 7, row->event, -1, SQLITE_STATIC);
    sqlite3_bind_blob(q, 8, sum, sizeof(sum), SQLITE_STATIC);
    if (spool_run(s, SPOOL_ADD, "keeping an event", err) < 0 ||
        (row->kind == CHANGE_KIND_ACCESS && add_sealed(s, row, err) < 0))
        return -1;
    s->last = row->seq;
    waiting_put(s, at, key, row->seq);
    *ret_new = true;
    return 0;
}

int spool_add_odd(struct spool *s, uint64_t at_ms, const char *event, const char *domain, struct err *err)
{
    sqlite3_stmt *q = spool_statement(s, SPOOL_ADD_ODD);

    sqlite3_bind_int64(q, 1, (int64_t)at_ms);
    sqlite3_bind_text(q, 2, event, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 3, domain, -1, SQLITE_STATIC);
    if (spool_run(s, SPOOL_ADD_ODD, "keeping an event", err) < 0)
        return -1;
    sqlite3_bind_int64(spool_statement(s, SPOOL_CUT_ODD), 1, SPOOL_ODD_MAX);
    return spool_run(s, SPOOL_CUT_ODD, "forgetting old events", err);
}

/* ---- handing on ---- */

/* The greatest number given is known from the rows, as long as they are there. */
static int keep_last(struct spool *s, struct err *err)
{
    sqlite3_bind_int64(spool_statement(s, SPOOL_KEEP_LAST), 1, (int64_t)s->last);
    return spool_run(s, SPOOL_KEEP_LAST, "keeping the greatest number", err);
}

static int set_aside(struct spool *s, uint64_t seq, struct err *err)
{
    sqlite3_bind_int64(spool_statement(s, SPOOL_SET_ASIDE), 1, (int64_t)seq);
    sqlite3_bind_int64(spool_statement(s, SPOOL_DROP), 1, (int64_t)seq);
    if (keep_last(s, err) < 0 || spool_run(s, SPOOL_SET_ASIDE, "setting a damaged row aside", err) < 0)
        return -1;
    return spool_run(s, SPOOL_DROP, "setting a damaged row aside", err);
}

static int take(struct spool *s, uint64_t after, struct spool_row *rows, int most, int *ret_count,
    uint64_t *ret_bad, struct err *err)
{
    sqlite3_stmt *q = spool_statement(s, SPOOL_TAKE);
    int code, sealed = 0;

    *ret_count = 0;
    *ret_bad = 0;
    sqlite3_bind_int64(q, 1, (int64_t)after);
    sqlite3_bind_int64(q, 2, most);
    while ((code = sqlite3_step(q)) == SQLITE_ROW) {
        if (!spool_read_row(q, &rows[*ret_count])) {
            *ret_bad = rows[*ret_count].seq;
            break;
        }
        if (rows[*ret_count].kind == CHANGE_KIND_ACCESS) {
            spool_read_sealed(s->db, &rows[*ret_count]);
            if (++sealed == SEALED_MOST) {
                ++*ret_count;
                break;
            }
        }
        ++*ret_count;
    }
    sqlite3_reset(q);
    return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : spool_fail(s, "reading events", err);
}

int spool_take(struct spool *s, uint64_t after, struct spool_row *rows, int most, int *ret_count,
    int *ret_damaged, struct err *err)
{
    uint64_t bad, before = 0;

    *ret_damaged = 0;
    for (;; before = bad) {
        if (take(s, after, rows, most, ret_count, &bad, err) < 0)
            return -1;
        if (bad == 0)
            break;
        if (bad == before) /* a walk finds it and its number does not: the file itself is damaged */
            return err_set(err, ERR_PERM, "spool %s: a damaged row cannot be set aside", s->path);
        if (set_aside(s, bad, err) < 0)
            return -1;
        ++*ret_damaged;
    }
    if (*ret_count > 0 && rows[*ret_count - 1].seq > s->handed)
        s->handed = rows[*ret_count - 1].seq;
    if (s->handed >= s->last)
        spool_forget_waiting(s);
    return 0;
}

int spool_forget(struct spool *s, uint64_t last, struct err *err)
{
    sqlite3_bind_int64(spool_statement(s, SPOOL_FORGET), 1, (int64_t)last);
    sqlite3_bind_int64(spool_statement(s, SPOOL_FORGET_SEALED), 1, (int64_t)last);
    if (keep_last(s, err) < 0 || spool_run(s, SPOOL_FORGET_SEALED, "forgetting events", err) < 0)
        return -1;
    return spool_run(s, SPOOL_FORGET, "forgetting events", err);
}
