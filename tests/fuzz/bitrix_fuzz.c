/* bitrix_fuzz.c - any bytes as the answer to a job: the first byte picks the kind of job and the status, the
 * rest is the body. What comes back as read must keep the promises that the writer relies on. */
#include "base/json.h"
#include "base/mem.h"
#include "connectors/bitrix.h"
#include "proto/probe.h"
#include "proto/wire.h"
#include "support/fuzz.h"

#include <stdlib.h>

static const uint16_t statuses[] = { 200, 200, 200, 200, 302, 401, 429, 503 };

static void promise(bool kept)
{
    if (!kept)
        abort();
}

/* The records are `count` maps with an id each, ascending and inside what was asked. */
static void check_records(const struct msg_job *job, const struct bitrix_answer *a)
{
    uint64_t last = 0, count = 0;
    struct wire w;

    wire_init(&w, a->records.p, a->records.n);
    while (wire_ok(&w) && !wire_done(&w)) {
        struct wire look = w;
        uint64_t id = 0;
        promise(wire_peek(&w) == WIRE_MAP && wire_find(&look, "ID"));
        if (wire_peek(&look) == WIRE_STR)
            promise(str_u64(wire_str(&look), &id));
        else
            id = wire_u64(&look);
        promise(wire_ok(&look) && id > last);
        if (str_is(job->kind, "range"))
            promise(id >= job->first && id <= job->last && id <= a->covered_last);
        last = id;
        count++;
        wire_skip(&w);
    }
    promise(wire_ok(&w) && count == a->count);
}

static void check_answer(const struct msg_job *job, const struct bitrix_answer *a)
{
    check_records(job, a);
    promise(a->unknown.n == 0);
    if (str_is(job->kind, "range")) {
        promise(a->next_first == 0 ? a->covered_last == job->last : a->next_first == a->covered_last + 1);
    } else if (str_is(job->kind, "probe")) {
        struct err err;
        struct probe probe;
        promise(probe_decode(&probe, buf_view(&a->learnt), &err) == 0);
        probe_free(&probe);
    } else {
        promise(a->count + a->absent.n + a->denied.n + a->unlisted.n + a->left.n == job->ids.n);
        promise(a->left.n < job->ids.n && (a->left.n == 0) == (a->partial.kind == ERR_NONE));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct field fields[] = { { STR("ID"), STR("integer"), false, HOLD_NOT },
        { STR("TITLE"), STR("string"), false, HOLD_NOT } };
    uint64_t ids[] = { 1, 2, 5, 9 };
    struct msg_job job = { .job = 1,
        .d = 1,
        .portal = STR("main"),
        .entity = STR("deals"),
        .entities = STR("deals"),
        .first = 1,
        .last = 200,
        .pages = 3,
        .ids = { ids, ARRAY_SIZE(ids) } };
    struct bitrix_answer answer = { .count = 0 };
    struct err err = { .kind = ERR_NONE };
    struct buf schema;

    if (size == 0)
        return 0;
    buf_init(&schema, 4096);
    schema_encode(fields, ARRAY_SIZE(fields), &schema);
    job.schema = buf_view(&schema);
    job.kind = str_of(job_kind_name((enum job_kind)(data[0] & 3)));
    int status = statuses[data[0] >> 2 & 7];
    char *text = xcalloc(1, size - 1 + JSON_PADDING);
    memcpy(text, data + 1, size - 1);
    int result = bitrix_read(
        &job, status, "application/json", "https://new.example/rest/1/x/", text, size - 1, &answer, &err);
    promise(result == 0 ? err.kind == ERR_NONE : err.kind != ERR_NONE && err.kind != ERR_BUG);
    if (result == 0)
        check_answer(&job, &answer);
    bitrix_answer_fini(&answer);
    buf_fini(&schema);
    free(text);
    return 0;
}
