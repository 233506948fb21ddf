/* json_bench ask|ask PROBE|read PROBE ANSWER SECONDS - the fetcher's reading of an answer, without a portal.
 * ask: prints the body of the request that learns a portal's deals; with its answer: of the one that lists
 * 2,500 of them. read: reads that list's answer again and again for some seconds of CPU, prints the median.
 */
#include "base/mem.h"
#include "connectors/bitrix.h"
#include "proto/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ANSWER_MAX   (64 << 20)
#define PADDING      64 /* base/json.h */
#define ROUNDS_MAX   1000
#define ROUNDS_LEAST 5

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int read_file(const char *path, struct buf *ret, struct err *err)
{
    FILE *f = fopen(path, "rb");
    size_t n;

    if (f == NULL)
        return err_set(err, ERR_PERM, "cannot read %s", path);
    buf_init(ret, ANSWER_MAX);
    while (buf_room(ret, 1 << 16) && (n = fread(ret->p + ret->n, 1, 1 << 16, f)) > 0)
        ret->n += n;
    fclose(f);
    return ret->failed ? err_set(err, ERR_LIMIT, "%s is too big", path) : 0;
}

static struct msg_job probe_job(void)
{
    return (struct msg_job){ .job = 1, .d = 1, .epoch = 1, .kind = STR("probe"), .entities = STR("deals") };
}

static struct msg_job list_job(struct str schema)
{
    return (struct msg_job){ .job = 1,
        .d = 1,
        .epoch = 1,
        .kind = STR("range"),
        .entity = STR("deals"),
        .first = 1,
        .last = RANGE_OPEN,
        .pages = BATCH_COMMANDS,
        .schema = schema };
}

/* A copy of the text, because a reading may repair it in place. */
static int read_answer(
    const struct msg_job *job, const struct buf *text, char *room, struct bitrix_answer *a, struct err *err)
{
    *a = (struct bitrix_answer){ .count = 0 };
    if (bitrix_read(job, 200, "application/json", "", room, text->n, a, err) == 0)
        return 0;
    bitrix_answer_fini(a);
    return -1;
}

static void refill(const struct buf *text, char *room)
{
    memcpy(room, text->p, text->n);
}

static int learn(const char *path, struct buf *ret_schema, struct err *err)
{
    struct msg_job job = probe_job();
    struct bitrix_answer a;
    struct probe probe;
    struct buf text;
    char *room;
    int result = -1;

    if (read_file(path, &text, err) < 0)
        return -1;
    room = xcalloc(text.n + PADDING, 1);
    refill(&text, room);
    if (read_answer(&job, &text, room, &a, err) == 0) {
        if (probe_decode(&probe, buf_view(&a.learnt), err) == 0) {
            buf_init(ret_schema, ANSWER_MAX);
            buf_add(ret_schema, probe.entities[0].schema.p, probe.entities[0].schema.n);
            probe_free(&probe);
            result = 0;
        }
        bitrix_answer_fini(&a);
    }
    free(room);
    buf_fini(&text);
    return result;
}

static int ask(const char *probe, struct err *err)
{
    struct msg_job job = probe_job();
    struct buf body, schema = { NULL, 0, 0, 0, false };
    int result;

    if (probe != NULL) {
        if (learn(probe, &schema, err) < 0)
            return -1;
        job = list_job(buf_view(&schema));
    }
    buf_init(&body, ANSWER_MAX);
    result = bitrix_build(&job, &body, err);
    if (result == 0)
        fwrite(body.p, 1, body.n, stdout);
    buf_fini(&body);
    buf_fini(&schema);
    return result;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static int time_readings(const struct msg_job *job, const struct buf *text, double most, struct err *err)
{
    char *room = xcalloc(text->n + PADDING, 1);
    double took[ROUNDS_MAX], began = cpu_seconds();
    struct bitrix_answer a;
    int n = 0, result = 0;
    uint64_t count = 0;

    while (n < ROUNDS_MAX && (n < ROUNDS_LEAST || cpu_seconds() - began < most)) {
        refill(text, room);
        double from = cpu_seconds();
        result = read_answer(job, text, room, &a, err);
        if (result < 0)
            break;
        took[n++] = cpu_seconds() - from;
        count = a.count;
        bitrix_answer_fini(&a);
    }
    free(room);
    if (result < 0)
        return -1;
    qsort(took, (size_t)n, sizeof(took[0]), by_value);
    printf("{\"bytes\":%zu,\"records\":%llu,\"seconds\":%.9f,\"readings\":%d}\n", text->n,
        (unsigned long long)count, took[n / 2], n);
    return 0;
}

static int read_list(const char *probe, const char *answer, double seconds, struct err *err)
{
    struct msg_job job;
    struct buf schema, text;
    int result;

    if (learn(probe, &schema, err) < 0)
        return -1;
    job = list_job(buf_view(&schema));
    result = read_file(answer, &text, err);
    if (result == 0) {
        result = time_readings(&job, &text, seconds, err);
        buf_fini(&text);
    }
    buf_fini(&schema);
    return result;
}

int main(int argc, char **argv)
{
    struct err err = { 0 };
    int result;

    mem_tune();
    if (argc >= 2 && argc <= 3 && strcmp(argv[1], "ask") == 0)
        result = ask(argv[2], &err);
    else if (argc == 5 && strcmp(argv[1], "read") == 0)
        result = read_list(argv[2], argv[3], atof(argv[4]), &err);
    else
        result = err_set(&err, ERR_CONF, "usage: %s ask [PROBE] | read PROBE ANSWER SECONDS", argv[0]);
    if (result < 0)
        fprintf(stderr, "%s\n", err.text);
    return result < 0 ? 1 : 0;
}
