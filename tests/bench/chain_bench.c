/* bench_chain DATABASE_URL WEBHOOK_URL - the parts of the chain one after another in one process, each alone:
 * calls the portal as the fetcher does, reads the answers, maps the records, and writes the rows of each
 * message as the writer does. Prints a line of JSON: the seconds and CPU seconds of each part. What the
 * writer does in its seconds is the speed that the whole chain is held against: the same rows into the same
 * database. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/json.h"
#include "bench/chain_job.h"
#include "connectors/bitrix.h"
#include "proto/probe.h"
#include "services/mapper/map.h"
#include "services/writer/apply.h"

#include <curl/curl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ANSWER_MOST ((size_t)64 << 20)

enum part { CALLING, READING, MAPPING, WRITING, PARTS_COUNT };

static const char *const NAMES[] = { "call", "read", "map", "write" };

struct chain {
    CURL *curl;
    const char *webhook;
    struct db *db, *control;
    struct map map;
    struct buf schema;
    struct chain_job job;
    double seconds[PARTS_COUNT], cpu[PARTS_COUNT];
    uint64_t rows, messages;
};

static double seconds_of(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void start(struct chain *c, enum part part)
{
    c->cpu[part] -= seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    c->seconds[part] -= seconds_of(CLOCK_MONOTONIC);
}

static void stop(struct chain *c, enum part part)
{
    c->seconds[part] += seconds_of(CLOCK_MONOTONIC);
    c->cpu[part] += seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

/* ---- the portal ---- */

static size_t on_bytes(char *p, size_t size, size_t n, void *into)
{
    struct buf *b = into;

    buf_add(b, p, size * n);
    return b->failed ? 0 : size * n;
}

static int call(struct chain *c, const struct buf *request, struct buf *answer, struct err *err)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    char *url = xasprintf("%s%s", c->webhook, BITRIX_BATCH);

    curl_easy_setopt(c->curl, CURLOPT_URL, url);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE, (long)request->n);
    curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, request->p);
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, answer);
    start(c, CALLING);
    CURLcode code = curl_easy_perform(c->curl);
    stop(c, CALLING);
    curl_slist_free_all(headers);
    free(url);
    return code == CURLE_OK ? 0 : err_set(err, ERR_TEMP, "the portal: %s", curl_easy_strerror(code));
}

static int ask(struct chain *c, const struct msg_job *job, struct bitrix_answer *a, struct err *err)
{
    struct buf request, answer;
    int result;

    buf_init(&request, ANSWER_MOST);
    buf_init(&answer, ANSWER_MOST);
    result = bitrix_build(job, &request, err);
    if (result == 0)
        result = call(c, &request, &answer, err);
    if (result == 0 && !buf_room(&answer, JSON_PADDING))
        result = err_set(err, ERR_LIMIT, "an answer is too big");
    start(c, READING);
    if (result == 0)
        result = bitrix_read(job, 200, "application/json", "", answer.p, answer.n, a, err);
    stop(c, READING);
    buf_fini(&request);
    buf_fini(&answer);
    return result;
}

static int learn(struct chain *c, struct err *err)
{
    const struct msg_job job = { .portal = STR("main"), .kind = STR("probe"), .entities = STR("deals") };
    struct bitrix_answer a = { .count = 0 };
    struct probe probe = { .count = 0 };
    int result = ask(c, &job, &a, err);

    if (result == 0)
        result = probe_decode(&probe, buf_view(&a.learnt), err);
    if (result == 0 && probe.count == 1)
        buf_add(&c->schema, probe.entities[0].schema.p, probe.entities[0].schema.n);
    probe_free(&probe);
    bitrix_answer_fini(&a);
    return result;
}

/* ---- a message ---- */

static int map_all(struct chain *c, const struct bitrix_answer *a, struct err *err)
{
    start(c, MAPPING);
    int more = map_begin(&c->map, buf_view(&c->schema), buf_view(&a->records), a->count, err) < 0 ? -1 : 1;

    while (more > 0)
        more = map_step(&c->map, (size_t)1 << 20, err);
    stop(c, MAPPING);
    return more;
}

static struct msg *rows_new(struct chain *c, const struct bitrix_answer *a)
{
    struct msg *m = msg_new(MSG_ROWS);

    m->rows = (struct msg_rows){ .job = c->job.id,
        .d = c->job.d,
        .epoch = 1,
        .run = c->job.run,
        .portal = STR("main"),
        .kind = STR("range"),
        .entity = STR("deals"),
        .table = STR("crm_deals"),
        .first = c->job.first,
        .last = a->covered_last,
        .next_first = a->next_first,
        .next_last = a->next_first > 0 ? RANGE_OPEN : 0,
        .fetched_ms = a->fetched_ms,
        .columns = buf_view(&c->map.shape.encoded),
        .count = c->map.stats.rows,
        .rejects = buf_view(&c->map.rejects) };
    msg_take_payload(m, &c->map.rows);
    return m;
}

/* The bytes as they come from the bus become a message, the message a transaction. */
static int write_bytes(
    struct chain *c, struct buf *envelope, struct frame *body, struct frame *payload, struct err *err)
{
    struct apply apply;
    struct msg *m = NULL;

    start(c, WRITING);
    int result = msg_decode(&m, buf_view(envelope), body, payload, err);
    if (result == 0)
        result = apply_begin(&apply, c->db, m, err);
    if (result == 0)
        result = apply_end(&apply, err);
    stop(c, WRITING);
    if (result == 0 && apply.refused)
        result = err_set(err, ERR_BUG, "refused: %s", apply.why);
    c->job.id = apply.next_job;
    msg_free(&m);
    return result;
}

static int write_message(struct chain *c, struct msg *m, struct err *err)
{
    struct buf envelope, body;
    struct frame frame = { NULL, 0, NULL, NULL };

    buf_init(&envelope, (size_t)1 << 20);
    buf_init(&body, ANSWER_MOST);
    int result = msg_encode(m, &envelope, &body, err);
    if (result == 0) {
        frame = (struct frame){ body.p, body.n, free, body.p };
        body.p = NULL;
        result = write_bytes(c, &envelope, &frame, &m->payload, err);
    }
    buf_fini(&envelope);
    buf_fini(&body);
    return result;
}

/* One job: what a call brings, written. */
static int one(struct chain *c, struct err *err)
{
    struct msg_job job = { .portal = STR("main"),
        .kind = STR("range"),
        .entity = STR("deals"),
        .table = STR("crm_deals"),
        .schema = buf_view(&c->schema),
        .first = c->job.first,
        .last = RANGE_OPEN,
        .pages = BATCH_COMMANDS - 1 };
    struct bitrix_answer a = { .count = 0 };
    int result = ask(c, &job, &a, err);

    if (result == 0)
        result = map_all(c, &a, err);
    if (result == 0)
        result = chain_job_dispatch(c->control, &c->job, err);
    if (result == 0) {
        struct msg *m = rows_new(c, &a);
        result = write_message(c, m, err);
        msg_free(&m);
    }
    c->rows += a.count;
    c->messages++;
    c->job.first = a.next_first;
    bitrix_answer_fini(&a);
    return result;
}

static int run(struct chain *c, const char *url, struct err *err)
{
    if (db_open(&c->db, url, err) < 0 || db_open(&c->control, url, err) < 0 ||
        db_migrate(c->control, err) < 0 || chain_job_begin(c->control, &c->job, err) < 0 || learn(c, err) < 0)
        return -1;
    c->job.first = 1;
    while (c->job.first > 0)
        if (one(c, err) < 0)
            return -1;
    return c->job.id == 0 ? 0 : err_set(err, ERR_BUG, "the run did not end");
}

static void report(const struct chain *c)
{
    printf("{\"rows\":%llu,\"messages\":%llu", (unsigned long long)c->rows, (unsigned long long)c->messages);
    for (int i = 0; i < PARTS_COUNT; i++)
        printf(",\"%s_s\":%.4f,\"%s_cpu\":%.4f", NAMES[i], c->seconds[i], NAMES[i], c->cpu[i]);
    printf("}\n");
}

int main(int argc, char **argv)
{
    struct err err = { 0 };
    struct chain c = { .webhook = argc == 3 ? argv[2] : NULL };

    if (argc != 3 || sodium_init() < 0) {
        fprintf(stderr, "usage: bench_chain DATABASE_URL WEBHOOK_URL\n");
        return 2;
    }
    c.curl = curl_easy_init();
    map_init(&c.map);
    buf_init(&c.schema, (size_t)1 << 20);
    int result = run(&c, argv[1], &err);
    if (result == 0)
        report(&c);
    else
        fprintf(stderr, "bench_chain: %s\n", err.text);
    buf_fini(&c.schema);
    map_fini(&c.map);
    db_close(&c.control);
    db_close(&c.db);
    curl_easy_cleanup(c.curl);
    return result == 0 ? 0 : 1;
}
