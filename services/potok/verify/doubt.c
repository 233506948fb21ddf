/* doubt.c - what was not equal once is looked at again, record and row by their id: portal and copy
 * change while they are compared. A difference counts when neither of them changed from one look to the next
 * and no mark says that the record is to be read anyway. */
#include "verify.h"

#include "base/clock.h"
#include "base/mem.h"
#include "db/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BETWEEN_LOOKS_MS 3000 /* an event's way into the table is shorter, its second look included */
#define CHUNK            500  /* ids of one statement */
#define IDS_OF_LIST      2500
#define IDS_OF_GET       50

struct look { /* at some doubts, ascending */
    struct verify *v;
    struct verify_entity *e;
    struct doubt **list;
    size_t count;
    bool *marked, *denied, *unread;
    struct verify_record *records; /* what the portal shows of them, copied */
    uint8_t *hashes;
    size_t record_count;
    char **texts; /* values of the records */
};

/* ---- the portal's side ---- */

static size_t place_of(const struct look *l, int64_t id)
{
    size_t low = 0, high = l->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (l->list[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < l->count && l->list[low]->id == id ? low : l->count;
}

static void flag(const struct look *l, const struct ids *ids, bool *flags)
{
    for (size_t i = 0; i < ids->n; i++) {
        size_t at = place_of(l, (int64_t)ids->p[i]);

        if (at < l->count)
            flags[at] = true;
    }
}

/* The next answer takes the map's rows: what this one showed is kept apart. */
static void keep_records(struct look *l)
{
    const struct verify_entity *e = l->e;

    for (size_t i = 0; i < e->record_count && l->record_count < l->count; i++) {
        struct verify_record *to = &l->records[l->record_count];
        uint8_t *hash = l->hashes + l->record_count * ROW_HASH_BYTES;

        memcpy(hash, e->records[i].hash, ROW_HASH_BYTES);
        l->texts[l->record_count] = str_dup(e->records[i].values);
        *to = (struct verify_record){ e->records[i].id, hash,
            { l->texts[l->record_count], e->records[i].values.n } };
        l->record_count++;
    }
}

static int ask(struct look *l, const char *kind, struct ids ids, struct ids *ret_unlisted, struct err *err)
{
    struct msg_job job = { .kind = str_of(kind), .entity = str_of(l->e->entity->plural), .ids = ids };
    struct bitrix_answer answer;

    if (verify_fetch(l->v, l->e, &job, &answer, err) < 0)
        return -1;
    keep_records(l);
    flag(l, &answer.denied, l->denied);
    flag(l, &answer.left, l->unread);
    if (ret_unlisted != NULL) {
        *ret_unlisted = answer.unlisted;
        answer.unlisted = (struct ids){ NULL, 0 };
    }
    bitrix_answer_fini(&answer);
    return 0;
}

/* A list that leaves an id out is not the portal's word: it is asked for by itself. */
static int ask_all(struct look *l, struct err *err)
{
    struct ids ids = { xcalloc(l->count + 1, sizeof(*ids.p)), 0 }, unlisted = { NULL, 0 };
    int result = 0;

    for (size_t i = 0; i < l->count; i++)
        if (l->list[i]->id > 0)
            ids.p[ids.n++] = (uint64_t)l->list[i]->id;
    if (ids.n > 0)
        result = ask(l, "ids", ids, &unlisted, err);
    for (size_t at = 0; at < unlisted.n && result == 0; at += IDS_OF_GET) {
        struct ids some = { unlisted.p + at, unlisted.n - at < IDS_OF_GET ? unlisted.n - at : IDS_OF_GET };

        result = ask(l, "get", some, NULL, err);
    }
    free(ids.p);
    free(unlisted.p);
    return result;
}

/* ---- the database's side ---- */

void verify_where_ids(struct doubt *const *list, size_t from, size_t to, struct buf *out)
{
    buf_str(out, "id IN (");
    for (size_t i = from; i < to; i++)
        buf_fmt(out, "%s%lld", i > from ? "," : "", (long long)list[i]->id);
    buf_char(out, ')');
}

static int on_mark(void *ctx, const struct db_val *row, int columns)
{
    const struct look *l = ctx;
    size_t at = place_of(l, row[0].i);

    (void)columns;
    if (at < l->count)
        l->marked[at] = true;
    return 0;
}

static int ask_marks(struct look *l, const char *where, struct err *err)
{
    char *sql = xasprintf("SELECT id FROM potok_mark WHERE portal = $1 AND entity = $2 AND %s", where);
    int result = db_run(l->v->db, sql, DB_ARGS(dbv_c(l->v->portal->name), dbv_c(l->e->entity->plural)),
        on_mark, l, NULL, err);

    free(sql);
    return result;
}

/* ---- what follows ---- */

static void list_difference(struct look *l, const struct doubt *d, bool altered)
{
    static const char *const words[] = { "", "missing", "extra", "different" };
    struct verify_entity *e = l->e;

    if (json_array_size(e->list) >= VERIFY_LISTED)
        return;
    json_t *o = json_pack("{s:I, s:s}", "id", (json_int_t)d->id, "what", words[d->what]);

    if (d->what == VERIFY_DIFFERENT) {
        json_object_set_new(o, "altered_here", json_boolean(altered));
        json_object_set_new(o, "fields", json_copy(l->v->detail));
    }
    json_array_append_new(e->list, o);
}

static void judge(struct look *l, size_t at, const struct verify_result *r)
{
    struct doubt *d = l->list[at];
    static const uint8_t none[ROW_HASH_BYTES];
    const uint8_t *record = r->record != NULL ? r->record->hash : none;
    bool stable =
        d->looked && d->what == r->what && d->row == r->row && memcmp(d->record, record, ROW_HASH_BYTES) == 0;

    if (l->unread[at])
        return;
    if (l->denied[at]) {
        d->state = DOUBT_DENIED;
        return;
    }
    if (r->what == VERIFY_EQUAL) {
        d->state = DOUBT_NONE;
        return;
    }
    d->what = r->what;
    d->row = r->row;
    memcpy(d->record, record, ROW_HASH_BYTES);
    d->looked = true;
    if (stable && !l->marked[at]) {
        d->state = DOUBT_CONFIRMED;
        list_difference(l, d, r->hash_same);
    }
}

struct judged {
    struct look *l;
    bool *seen;
};

static void on_looked(void *ctx, const struct verify_result *r)
{
    struct judged *j = ctx;
    size_t at = place_of(j->l, r->id);

    if (at == j->l->count)
        return;
    j->seen[at] = true;
    judge(j->l, at, r);
}

/* Marks first: one is cleared with the row it was for. */
static int look_rows(struct look *l, size_t from, size_t to, bool *seen, struct err *err)
{
    struct verify_entity *e = l->e;
    struct judged judged = { l, seen };
    struct verify_record *records = e->records;
    size_t record_count = e->record_count, first = 0, last;
    struct buf where;
    int result;

    while (first < l->record_count && l->records[first].id < l->list[from]->id)
        first++;
    for (last = first; last < l->record_count && l->records[last].id <= l->list[to - 1]->id; last++)
        ;
    buf_init(&where, 1 << 20);
    verify_where_ids(l->list, from, to, &where);
    e->records = l->records + first;
    e->record_count = last - first;
    result = ask_marks(l, buf_cstr(&where), err);
    if (result == 0)
        result = verify_rows(l->v, e, buf_cstr(&where), DB_NOARGS, on_looked, &judged, err);
    e->records = records;
    e->record_count = record_count;
    buf_fini(&where);
    return result;
}

static int by_id(const void *a, const void *b)
{
    const struct verify_record *x = a, *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

static int look_both(struct look *l, struct err *err)
{
    bool *seen = xcalloc(l->count + 1, sizeof(*seen));
    int result = ask_all(l, err);

    qsort(l->records, l->record_count, sizeof(*l->records), by_id);
    for (size_t from = 0; from < l->count && result == 0; from += CHUNK)
        result = look_rows(l, from, l->count - from < CHUNK ? l->count : from + CHUNK, seen, err);
    for (size_t i = 0; i < l->count && result == 0; i++) /* neither record nor row: nothing to tell */
        if (!seen[i])
            judge(l, i, &(struct verify_result){ .id = l->list[i]->id });
    free(seen);
    return result;
}

static int look_at(
    struct verify *v, struct verify_entity *e, struct doubt **list, size_t count, struct err *err)
{
    struct look l = { .v = v, .e = e, .list = list, .count = count };
    int result;

    l.marked = xcalloc(count, sizeof(*l.marked));
    l.denied = xcalloc(count, sizeof(*l.denied));
    l.unread = xcalloc(count, sizeof(*l.unread));
    l.records = xcalloc(count, sizeof(*l.records));
    l.hashes = xcalloc(count, ROW_HASH_BYTES);
    l.texts = xcalloc(count, sizeof(*l.texts));
    v->detail = json_array();
    result = look_both(&l, err);
    json_decref(v->detail);
    v->detail = NULL;
    for (size_t i = 0; i < l.record_count; i++)
        free(l.texts[i]);
    free(l.texts);
    free(l.hashes);
    free(l.records);
    free(l.unread);
    free(l.denied);
    free(l.marked);
    return result;
}

/* Records may be so large that fewer fit into one answer. */
static int look_in_parts(
    struct verify *v, struct verify_entity *e, struct doubt **list, size_t count, struct err *err)
{
    size_t most = IDS_OF_LIST;

    for (size_t at = 0; at < count;) {
        size_t n = count - at < most ? count - at : most;

        if (look_at(v, e, list + at, n, err) == 0)
            at += n;
        else if (err->kind == ERR_LIMIT && n > IDS_OF_GET)
            most = n / 2;
        else
            return -1;
    }
    return 0;
}

static size_t open_doubts(const struct verify_entity *e, struct doubt **ret)
{
    size_t n = 0;

    for (size_t i = 0; i < e->doubt_count; i++)
        if (e->doubts[i].state == DOUBT_OPEN)
            ret[n++] = &e->doubts[i];
    return n;
}

static void pause_until(uint64_t at_ms)
{
    uint64_t now_ms = clock_mono_ms();

    if (now_ms < at_ms)
        usleep((useconds_t)(at_ms - now_ms) * 1000);
}

static void count(struct verify_entity *e)
{
    e->missing = e->extra = e->different = e->moving = e->denied = 0;
    for (size_t i = 0; i < e->doubt_count; i++) {
        const struct doubt *d = &e->doubts[i];
        bool confirmed = d->state == DOUBT_CONFIRMED;

        e->missing += confirmed && d->what == VERIFY_MISSING;
        e->extra += confirmed && d->what == VERIFY_EXTRA;
        e->different += confirmed && d->what == VERIFY_DIFFERENT;
        e->moving += d->state == DOUBT_OPEN;
        e->denied += d->state == DOUBT_DENIED;
    }
}

int verify_settle(struct verify *v, struct verify_entity *e, int rounds, struct err *err)
{
    struct doubt **open = xcalloc(e->doubt_count + 1, sizeof(*open));
    uint64_t next_ms = 0;
    int result = 0;

    for (int round = 0; round < rounds && result == 0; round++) {
        size_t n = open_doubts(e, open);

        if (n == 0)
            break;
        pause_until(next_ms);
        next_ms = clock_mono_ms() + BETWEEN_LOOKS_MS;
        result = look_in_parts(v, e, open, n, err);
    }
    free(open);
    count(e);
    return result;
}
