/* client.c - requests that the client itself makes, recorded: its probe and its pages of records. */
#include "recording.h"

#include "base/json.h"
#include "base/mem.h"
#include "connectors/bitrix.h"
#include "proto/probe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void probe_learn(struct recording *r, const struct probe_entity *from)
{
    struct schema schema;
    struct err err;

    for (int i = 0; i < r->entity_count; i++) {
        struct entity_record *e = &r->entities[i];
        if (!str_is(from->entity, e->of.entity->plural) || from->error.n > 0)
            continue;
        e->least = from->least_id;
        e->total = from->total;
        if (e->least > 0)
            snprintf(e->of.id, sizeof(e->of.id), "%" PRIu64, e->least);
        e->schema = xmalloc(from->schema.n + 1);
        memcpy(e->schema, from->schema.p, from->schema.n);
        e->schema_n = from->schema.n;
        if (schema_decode(&schema, from->schema, &err) < 0)
            continue;
        for (int k = 0; k < schema.count; k++)
            anonymise_field(&r->anon, schema.fields[k].name, schema.fields[k].type);
        schema_free(&schema);
    }
}

/* bitrix_read() changes the text it reads. */
static int read_answer(
    const struct msg_job *job, const struct http_answer *answer, struct bitrix_answer *ret, struct err *err)
{
    char *text = xmalloc(answer->body.n + JSON_PADDING);

    memcpy(text, answer->body.p, answer->body.n);
    memset(text + answer->body.n, 0, JSON_PADDING);
    const int result = bitrix_read(
        job, answer->status, answer->content_type, answer->location, text, answer->body.n, ret, err);
    free(text);
    return result;
}

static void learn(
    struct recording *r, const struct msg_job *job, const struct http_answer *raw, const char *name)
{
    struct bitrix_answer answer = { .count = 0 };
    struct probe probe;
    struct err err = { 0 };

    if (read_answer(job, raw, &answer, &err) < 0) {
        recording_leave_out(r, name, "batch", err.text);
    } else if (probe_decode(&probe, buf_view(&answer.learnt), &err) == 0) {
        for (int i = 0; i < probe.count; i++)
            probe_learn(r, &probe.entities[i]);
        probe_free(&probe);
    }
    bitrix_answer_fini(&answer);
}

/* User fields' types are learnt from the raw answer before it is written: they tell what may stay of it. */
int recording_probe(struct recording *r, const struct record_row *row, struct err *err)
{
    struct http_answer answer;
    struct buf names, body;

    buf_init(&names, 4096);
    buf_init(&body, 1 << 20);
    for (int i = 0; i < r->entity_count; i++)
        buf_fmt(&names, "%s%s", i > 0 ? " " : "", r->entities[i].of.entity->plural);
    const struct msg_job job = { .kind = STR("probe"), .entities = buf_view(&names) };
    int result = bitrix_build(&job, &body, err);
    if (result == 0)
        result = record_ask(&r->ask, "batch", buf_view(&body), false, &answer, err);
    if (result == 0) {
        struct record_exchange x = recording_exchange(row, "batch", buf_view(&body));
        learn(r, &job, &answer, row->name);
        result = recording_keep(r, &x, ANON_TEXT, &answer, err);
        buf_fini(&answer.body);
    }
    buf_fini(&names);
    buf_fini(&body);
    return result;
}

/* One batch of pages from `first` on. *ret_next 0: that was the last of them. */
static int do_pages(struct recording *r, struct entity_record *e, uint64_t first, uint64_t pages,
    uint64_t *ret_next, struct err *err)
{
    const struct msg_job job = { .kind = STR("range"),
        .entity = str_of(e->of.entity->plural),
        .first = first,
        .last = RANGE_OPEN,
        .pages = pages,
        .schema = { e->schema, e->schema_n } };
    struct record_exchange x = { .row = "records",
        .facts = "5, 6.3",
        .why = "records as the client reads them",
        .method = "batch",
        .of_records = true };
    struct http_answer answer;
    struct buf body;

    buf_init(&body, 4 << 20);
    int result = bitrix_build(&job, &body, err);
    x.params = buf_view(&body);
    if (result == 0)
        result = record_ask(&r->ask, x.method, x.params, false, &answer, err);
    if (result == 0) {
        struct bitrix_answer read = { .count = 0 };

        result = recording_keep(r, &x, ANON_TEXT, &answer, err);
        if (result == 0)
            result = read_answer(&job, &answer, &read, err);
        e->records += read.count;
        *ret_next = read.next_first;
        bitrix_answer_fini(&read);
        buf_fini(&answer.body);
    }
    buf_fini(&body);
    return result;
}

void recording_read(struct recording *r, struct entity_record *e)
{
    uint64_t first = e->least, pages = ((uint64_t)r->records + PAGE_SIZE_RECORDS - 1) / PAGE_SIZE_RECORDS;
    struct err err = { 0 };

    e->whole = e->schema != NULL && e->least == 0;
    while (e->schema != NULL && e->least > 0 && pages > 0) {
        const uint64_t now = pages < BATCH_COMMANDS ? pages : BATCH_COMMANDS;
        if (do_pages(r, e, first, now, &first, &err) < 0) {
            recording_leave_out(r, "records", e->of.entity->plural, err.text);
            return;
        }
        e->whole = first == 0;
        pages = e->whole ? 0 : pages - now;
    }
}
