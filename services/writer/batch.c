#include "batch.h"

#include "base/mem.h"
#include "proto/wire.h"

#include <inttypes.h>
#include <stdlib.h>

#define REJECT_VALUE_MAX (64 << 10)
#define REJECT_BYTES_MIN 5 /* as msgpack: the array of four, a small id, three empty texts */

static int by_id(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    return x->id < y->id ? -1 : x->id > y->id;
}

static int by_id_and_field(const void *a, const void *b)
{
    const struct reject *x = a, *y = b;
    size_t n = x->field.n < y->field.n ? x->field.n : y->field.n;
    int order;

    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    order = n > 0 ? memcmp(x->field.p, y->field.p, n) : 0;
    return order != 0 ? order : (x->field.n > y->field.n) - (x->field.n < y->field.n);
}

struct entry *batch_find(const struct batch *b, uint64_t id)
{
    struct entry key = { .id = id };

    return b->count > 0 ? bsearch(&key, b->entries, b->count, sizeof(key), by_id) : NULL;
}

bool batch_rejects(const struct batch *b, uint64_t id, struct str field)
{
    struct reject key = { .id = id, .field = field };

    return b->reject_count > 0 &&
           bsearch(&key, b->rejects, b->reject_count, sizeof(key), by_id_and_field) != NULL;
}

/* Which lists a kind of job may carry: only a get says "not there". */
static int check_lists(const struct batch *b, struct err *err)
{
    const struct msg_rows *r = b->rows;

    if (job_kind_learns(b->kind))
        return err_set(err, ERR_PERM, "a job of kind %s has no rows", job_kind_name(b->kind));
    if (b->kind != JOB_GET && (r->absent.n > 0 || r->denied.n > 0))
        return err_set(
            err, ERR_PERM, "a job of kind %s cannot say that a record is gone", job_kind_name(b->kind));
    if (b->kind != JOB_IDS && r->unlisted.n > 0)
        return err_set(err, ERR_PERM, "a job of kind %s leaves no ids out", job_kind_name(b->kind));
    if (r->count + r->absent.n > BATCH_IDS_MAX)
        return err_set(err, ERR_PERM, "%" PRIu64 " rows in one message, at most %d", r->count, BATCH_IDS_MAX);
    return 0;
}

/* Ranges touch without gap: what is left begins behind what was read. */
static int check_range(const struct batch *b, struct err *err)
{
    const struct msg_rows *r = b->rows;

    if (!b->walks)
        return r->next_first == 0 ? 0 : err_set(err, ERR_PERM, "only a range goes on");
    if (r->first == 0 || r->first > r->last || r->last > RANGE_OPEN)
        return err_set(err, ERR_PERM, "not a range: %" PRIu64 "..%" PRIu64, r->first, r->last);
    if (r->next_first != 0 &&
        (r->next_first != r->last + 1 || r->next_last < r->next_first || r->next_last > RANGE_OPEN))
        return err_set(err, ERR_PERM,
            "the rest %" PRIu64 "..%" PRIu64 " does not follow the range %" PRIu64 "..%" PRIu64,
            r->next_first, r->next_last, r->first, r->last);
    return 0;
}

static int read_row(struct wire *w, int columns, struct entry *e, struct err *err)
{
    uint32_t values = wire_array(w);
    const uint8_t *from;

    e->there = true;
    e->id = wire_u64(w);
    e->hash = wire_bin(w);
    from = w->p;
    for (int i = 0; i < columns && wire_ok(w); i++)
        wire_skip(w);
    if (!wire_ok(w) || values != (uint32_t)columns + 2 || e->hash.n != HASH_BYTES)
        return err_set(err, ERR_PERM, "not a row [id, hash, %d values]", columns);
    e->values = (struct str){ (const char *)from, (size_t)(w->p - from) };
    return 0;
}

static int read_rows(struct batch *b, const struct frame *payload, struct err *err)
{
    struct wire w;

    wire_init(&w, payload->p, payload->n);
    for (uint64_t i = 0; i < b->rows->count; i++) {
        if (read_row(&w, b->columns.count, &b->entries[b->count], err) < 0)
            return err_wrap(err, "row %" PRIu64 " of %" PRIu64, i + 1, b->rows->count);
        b->count++;
    }
    if (!wire_done(&w))
        return err_set(err, ERR_PERM, "bytes are left after row %" PRIu64, b->rows->count);
    return 0;
}

static int check_ids(const struct batch *b, struct err *err)
{
    uint64_t least = b->walks ? b->rows->first : 1, most = b->walks ? b->rows->last : RANGE_OPEN;

    for (size_t i = 0; i < b->count; i++) {
        uint64_t id = b->entries[i].id;
        if (i > 0 && id == b->entries[i - 1].id)
            return err_set(err, ERR_PERM, "id twice: %" PRIu64, id);
        if (id < least || id > most)
            return err_set(err, ERR_PERM, "id %" PRIu64 " is outside %" PRIu64 "..%" PRIu64, id, least, most);
    }
    return 0;
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static int find_in(const uint64_t *asked, size_t n, uint64_t id, struct err *err)
{
    if (bsearch(&id, asked, n, sizeof(*asked), compare_u64) == NULL)
        return err_set(err, ERR_PERM, "id %" PRIu64 " was not asked for", id);
    return 0;
}

static int find_all(const struct batch *b, const uint64_t *asked, size_t n, struct err *err)
{
    const struct ids *others[] = { &b->rows->unlisted, &b->rows->denied };

    for (size_t i = 0; i < b->count; i++)
        if (find_in(asked, n, b->entries[i].id, err) < 0)
            return -1;
    for (size_t k = 0; k < ARRAY_SIZE(others); k++)
        for (size_t i = 0; i < others[k]->n; i++)
            if (find_in(asked, n, others[k]->p[i], err) < 0)
                return -1;
    return 0;
}

static int check_asked(const struct batch *b, struct err *err)
{
    struct ids ids = b->rows->asked;
    uint64_t *asked;
    int result;

    if (b->walks)
        return 0;
    if (ids.n == 0)
        return err_set(err, ERR_PERM, "rows by id, but no id was asked for");
    asked = xmalloc(ids.n * sizeof(*asked));
    memcpy(asked, ids.p, ids.n * sizeof(*asked));
    qsort(asked, ids.n, sizeof(*asked), compare_u64);
    result = find_all(b, asked, ids.n, err);
    free(asked);
    return result;
}

static int read_rejects(struct batch *b, struct err *err)
{
    struct str bytes = b->rows->rejects;
    struct wire w;
    uint32_t n;

    if (bytes.n == 0)
        return 0;
    wire_init(&w, bytes.p, bytes.n);
    n = wire_array(&w);
    if (n > bytes.n / REJECT_BYTES_MIN)
        return err_set(err, ERR_PERM, "rejects: not an array of [id, field, value, reason]");
    b->rejects = xcalloc(n > 0 ? n : 1, sizeof(*b->rejects));
    for (uint32_t i = 0; i < n && wire_ok(&w); i++) {
        struct reject *r = &b->rejects[i];
        if (wire_array(&w) != 4)
            wire_fail(&w);
        r->id = wire_u64(&w);
        r->field = wire_str(&w);
        r->value = wire_str(&w);
        r->reason = wire_str(&w);
    }
    if (!wire_done(&w))
        return err_set(err, ERR_PERM, "rejects: not an array of [id, field, value, reason]");
    b->reject_count = n;
    qsort(b->rejects, n, sizeof(*b->rejects), by_id_and_field);
    return 0;
}

static int read_entries(struct batch *b, const struct msg *m, struct err *err)
{
    const struct ids *absent = &b->rows->absent;

    b->entries = xcalloc(b->rows->count + absent->n + 1, sizeof(*b->entries));
    if (read_rows(b, &m->payload, err) < 0)
        return -1;
    for (size_t i = 0; i < absent->n; i++)
        b->entries[b->count++] = (struct entry){ .id = absent->p[i] };
    qsort(b->entries, b->count, sizeof(*b->entries), by_id);
    if (check_ids(b, err) < 0 || check_asked(b, err) < 0)
        return -1;
    return read_rejects(b, err);
}

int batch_read(struct batch *ret, const struct msg *m, struct err *err)
{
    struct batch b = { .rows = &m->rows };

    if (job_kind_of(m->rows.kind, &b.kind) < 0)
        return err_set(err, ERR_PERM, "unknown kind of job \"" STR_FMT "\"", STR_ARG(m->rows.kind));
    b.whole_range = job_kind_whole(b.kind);
    b.walks = job_kind_walks(b.kind);
    if (check_lists(&b, err) < 0 || check_range(&b, err) < 0 ||
        columns_decode(&b.columns, m->rows.columns, err) < 0)
        return -1;
    if (read_entries(&b, m, err) < 0) {
        batch_fini(&b);
        return -1;
    }
    *ret = b;
    return 0;
}

static bool has_nul(struct str s)
{
    return s.n > 0 && memchr(s.p, '\0', s.n) != NULL;
}

/* A copy that shows U+0000 as the picture of it. */
static struct str keep_shown(struct batch *b, struct str s)
{
    static const char picture[] = "\xe2\x90\x80";
    char *copy = xmalloc(3 * s.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '\0') {
            copy[n++] = s.p[i];
            continue;
        }
        for (size_t k = 0; k < 3; k++)
            copy[n++] = picture[k];
    }
    b->copies = xrealloc(b->copies, (b->copy_count + 1) * sizeof(*b->copies));
    b->copies[b->copy_count++] = copy;
    return (struct str){ copy, n };
}

/* At most so many bytes, and no character in two. */
static struct str cut(struct str s, size_t most)
{
    if (s.n <= most)
        return s;
    while (most > 0 && ((uint8_t)s.p[most] & 0xc0) == 0x80)
        most--;
    return (struct str){ s.p, most };
}

void batch_reject(struct batch *b, uint64_t id, struct str field, struct str value, struct str reason)
{
    b->rejects = xrealloc(b->rejects, (b->reject_count + 1) * sizeof(*b->rejects));
    b->rejects[b->reject_count++] = (struct reject){ .id = id,
        .field = field,
        .value = keep_shown(b, cut(value, REJECT_VALUE_MAX)),
        .reason = keep_shown(b, reason) };
}

void batch_sort_rejects(struct batch *b)
{
    if (b->reject_count > 0)
        qsort(b->rejects, b->reject_count, sizeof(*b->rejects), by_id_and_field);
}

void batch_without_nul(struct batch *b)
{
    for (size_t i = 0; i < b->reject_count; i++) {
        struct str *texts[] = { &b->rejects[i].field, &b->rejects[i].value, &b->rejects[i].reason };
        for (size_t k = 0; k < ARRAY_SIZE(texts); k++)
            if (has_nul(*texts[k]))
                *texts[k] = keep_shown(b, *texts[k]);
    }
    batch_sort_rejects(b);
}

void batch_fini(struct batch *b)
{
    for (size_t i = 0; i < b->copy_count; i++)
        free(b->copies[i]);
    free(b->copies);
    free(b->entries);
    free(b->rejects);
    columns_free(&b->columns);
    *b = (struct batch){ 0 };
}
