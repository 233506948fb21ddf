/* fetch.c - one question after another to the portal, as the pipeline asks it, and its records as the
 * pipeline maps them. */
#include "verify.h"

#include "base/clock.h"
#include "base/mem.h"
#include "words/say.h"

#include <stdio.h>
#include <stdlib.h>

#define TRIES_MAX         5
#define WAITS_MAX         30
#define BACK_OFF_MS       1000
#define BODY_BYTES_MAX    ((size_t)16 << 20)
#define OPERATING_MS      240000 /* half of what a method may use in ten minutes: the other half is the sync's */
#define OPERATING_STEP_MS 20000
#define SLICE_BYTES       ((size_t)64 << 20)

/* ---- records as the mapper makes them ---- */

static int by_id(const void *a, const void *b)
{
    const struct verify_record *x = a, *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

static int map_records(struct verify_entity *e, const struct bitrix_answer *a, struct err *err)
{
    struct map *m = &e->map;
    struct wire w;
    int more;

    if (map_begin(m, buf_view(&e->schema), buf_view(&a->records), a->count, err) < 0)
        return -1;
    do
        more = map_step(m, SLICE_BYTES, err);
    while (more > 0);
    if (more < 0)
        return -1;
    e->record_count = (size_t)a->count;
    e->records = xrealloc(e->records, (e->record_count + 1) * sizeof(*e->records));
    wire_init(&w, m->rows.p, m->rows.n);
    for (size_t i = 0; i < e->record_count; i++) {
        struct verify_record *r = &e->records[i];

        (void)wire_array(&w);
        r->id = wire_i64(&w);
        r->hash = (const uint8_t *)wire_bin(&w).p;
        r->values.p = (const char *)w.p;
        for (int k = 0; k < m->shape.column_count; k++)
            wire_skip(&w);
        r->values.n = (size_t)((const char *)w.p - r->values.p);
    }
    qsort(e->records, e->record_count, sizeof(*e->records), by_id);
    return wire_ok(&w) ? 0 : err_set(err, ERR_BUG, "rows that cannot be read back");
}

/* ---- fields that the copy does not know yet ---- */

/* They are left out of the comparison as the pipeline leaves them out, and told. False: it is none of that.
 */
static bool learn_unknown(struct verify_entity *e, const struct bitrix_answer *a)
{
    struct str left = buf_view(&a->unknown);
    struct schema schema;
    struct err ignored;
    int count;

    if (left.n == 0 || schema_decode(&schema, buf_view(&e->schema), &ignored) < 0)
        return false;
    struct field *fields = xcalloc((size_t)schema.count + left.n, sizeof(*fields));

    count = schema.count;
    memcpy(fields, schema.fields, (size_t)schema.count * sizeof(*fields));
    for (size_t at = 0; at < left.n;) {
        const char *end = memchr(left.p + at, ' ', left.n - at);
        struct str name = { left.p + at, (end != NULL ? (size_t)(end - left.p) : left.n) - at };

        at += name.n + 1;
        if (name.n == 0 || schema_find(&schema, name) != NULL)
            continue;
        fields[count++] = (struct field){ name, STR("unknown"), false, HOLD_OUT };
        buf_fmt(&e->unknown, "%s" STR_FMT, e->unknown.n > 0 ? ", " : "", STR_ARG(name));
    }
    bool learnt = count > schema.count;

    buf_clear(&e->schema);
    schema_encode(fields, count, &e->schema);
    free(fields);
    schema_free(&schema);
    return learnt;
}

/* ---- patience ---- */

static void pause_at_least(struct verify *v, uint64_t ms)
{
    uint64_t at = clock_mono_ms() + ms;

    if (v->ask.next_ms < at)
        v->ask.next_ms = at;
}

/* A method that is near its limit is left to the sync until its oldest minute falls out of the window. */
static void spare_operating(struct verify *v, const struct bitrix_answer *a)
{
    for (int i = 0; i < a->operating_count; i++)
        if (a->operating[i].used_ms > OPERATING_MS)
            pause_at_least(v, OPERATING_STEP_MS);
}

struct patience {
    int tries, waits;
};

/* Somebody waits at the terminal: why nothing comes is told at once. The text names the host, never the
 * webhook. */
static void tell_waiting(const struct err *err)
{
    fprintf(stderr, "potok: %s; %s\n", err->text, say("повторяем", "trying again"));
}

/* Whether asking again may help, and when. */
static bool go_on(struct verify *v, struct verify_entity *e, struct msg_job *job,
    const struct bitrix_answer *a, const struct err *err, struct patience *p)
{
    uint64_t wait_ms = a->retry_ms > 0 ? a->retry_ms : err->retry_ms;

    if (learn_unknown(e, a))
        return true;
    if (err->kind == ERR_WAIT && p->waits++ < WAITS_MAX) {
        pause_at_least(v, wait_ms > 0 ? wait_ms : 5 * BACK_OFF_MS);
        tell_waiting(err);
        return true;
    }
    if ((err->kind != ERR_TEMP && err->kind != ERR_LIMIT) || p->tries == TRIES_MAX)
        return false;
    if (err->kind == ERR_LIMIT && job->pages <= 1)
        return false;
    if (job->pages > 1)
        job->pages = v->pages = job->pages / 2;
    pause_at_least(v, wait_ms > 0 ? wait_ms : (uint64_t)BACK_OFF_MS << p->tries);
    p->tries++;
    if (err->kind == ERR_TEMP)
        tell_waiting(err);
    return true;
}

/* Whose operating seconds an answer costs. */
static const char *costs(struct verify_entity *e, const struct msg_job *job)
{
    snprintf(
        e->method, sizeof(e->method), "%s.%s", e->entity->method, str_is(job->kind, "get") ? "get" : "list");
    return e->method;
}

static int ask(struct verify *v, struct verify_entity *e, const struct msg_job *job,
    struct bitrix_answer *ret, struct err *err)
{
    struct http_answer http = { .status = 0 };
    struct buf body;
    int result;

    buf_init(&body, BODY_BYTES_MAX);
    result = bitrix_build(job, &body, err);
    if (result == 0)
        result = record_ask_costly(&v->ask, "batch", buf_view(&body), costs(e, job), &http, err);
    buf_fini(&body);
    if (result < 0)
        return -1;
    result =
        bitrix_read(job, http.status, http.content_type, http.location, http.body.p, http.body.n, ret, err);
    record_told(&v->ask, ret);
    buf_fini(&http.body);
    return result == 0 ? map_records(e, ret, err) : -1;
}

int verify_fetch(struct verify *v, struct verify_entity *e, struct msg_job *job, struct bitrix_answer *ret,
    struct err *err)
{
    struct patience patience = { 0, 0 };

    for (;;) {
        *ret = (struct bitrix_answer){ .count = 0 };
        *err = (struct err){ .kind = ERR_NONE };
        job->schema = buf_view(&e->schema);
        if (ask(v, e, job, ret, err) == 0)
            break;
        if (!go_on(v, e, job, ret, err, &patience)) {
            bitrix_answer_fini(ret);
            return err_wrap(err, "%s", e->entity->plural);
        }
        bitrix_answer_fini(ret);
    }
    spare_operating(v, ret);
    if (ret->partial.kind == ERR_WAIT)
        pause_at_least(v, ret->retry_ms > 0 ? ret->retry_ms : 5 * BACK_OFF_MS);
    if (patience.tries == 0 && v->pages < BATCH_COMMANDS)
        v->pages = 2 * v->pages > BATCH_COMMANDS ? BATCH_COMMANDS : 2 * v->pages;
    return 0;
}
