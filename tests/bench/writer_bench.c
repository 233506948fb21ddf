/* bench_writer URL|FOLDER ROWS ROUNDS - the writer's path beside the limit of its engine. A round: the rows
 * are new, a tenth of them changed, nothing changed. In each the writer and the limit take turns every
 * SEGMENT rows, so that what else the machine does hits both. Messages are made beforehand, by the mapper's
 * code; timed is what the writer does with one: decode, look, write, commit. Prints a line of JSON for each
 * step of each round. */
#include "base/clock.h"
#include "base/mem.h"
#include "bench/writer_check.h"
#include "bench/writer_data.h"
#include "bench/writer_limit.h"
#include "services/writer/apply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SEGMENT          10000
#define SEGMENT_MESSAGES (SEGMENT / (BATCH_COMMANDS * PAGE_SIZE_RECORDS))
#define SCHEMA           "potok_bench"

struct cost {
    double seconds, server_cpu, client_cpu; /* seconds each */
    int64_t wal;                            /* bytes; all of the server's while it ran */
};

struct bench {
    const char *base; /* the server's address; NULL: SQLite */
    char url[512], limit_url[512];
    uint64_t rows;
    struct data data;
    struct db *db, *control; /* the writer's; everybody else's */
    struct limit *limit;
    int pid;          /* of the writer's server process; 0: none */
    int64_t run, job; /* of the step; the job that comes next */
    struct msg *messages[SEGMENT_MESSAGES];
    char truth[2][CHECK_SIZE];
};

static const struct step {
    const char *name;
    int version;
} STEPS[] = { { "new", 0 }, { "changed", 1 }, { "same", 1 } };

/* ---- measuring ---- */

static double seconds_of(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds of CPU a process has used. */
static double cpu_of(int pid)
{
    unsigned long long ns = 0;
    char path[64];
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
    f = pid > 0 ? fopen(path, "r") : NULL;
    if (f != NULL && fscanf(f, "%llu", &ns) != 1)
        ns = 0;
    if (f != NULL)
        fclose(f);
    return (double)ns / 1e9;
}

static int64_t wal_of(struct bench *b)
{
    struct err err = { 0 };
    int64_t ret = 0;

    if (b->base != NULL &&
        db_get_i64(b->control, "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint", DB_NOARGS, 0,
            &ret, &err) < 0)
        fprintf(stderr, "%s\n", err.text);
    return ret;
}

static void start(struct bench *b, int pid, struct cost *c)
{
    c->wal -= wal_of(b);
    c->server_cpu -= cpu_of(pid);
    c->client_cpu -= seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    c->seconds -= seconds_of(CLOCK_MONOTONIC);
}

static void stop(struct bench *b, int pid, struct cost *c)
{
    c->seconds += seconds_of(CLOCK_MONOTONIC);
    c->client_cpu += seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    c->server_cpu += cpu_of(pid);
    c->wal += wal_of(b);
}

/* ---- what the scheduler would do ---- */

static int say(struct bench *b, const char *sql, int64_t *ret, struct err *err)
{
    if (db_begin(b->control, err) < 0)
        return -1;
    if (db_get_i64(b->control, sql, DB_NOARGS, 0, ret, err) < 0) {
        db_rollback(b->control);
        return -1;
    }
    return db_commit(b->control, err);
}

static int begin_run(struct bench *b, struct err *err)
{
    char sql[320];

    if (say(b,
            "INSERT INTO potok_run (portal, entity, kind, state, started_ms) VALUES ('main', 'deals', "
            "'full', 'open', 0) "
            "RETURNING id",
            &b->run, err) < 0)
        return -1;
    snprintf(sql, sizeof(sql),
        "INSERT INTO potok_job (run, portal, entity, kind, first, last, state) VALUES (%" PRId64
        ", 'main', 'deals', 'range', 1, %" PRIu64 ", 'open') RETURNING id",
        b->run, RANGE_OPEN);
    return say(b, sql, &b->job, err);
}

/* A new number, and the job says that it is under way with it. */
static int dispatch(struct bench *b, int64_t *ret_d, struct err *err)
{
    char sql[120];
    int64_t none;

    if (say(b, "UPDATE potok_lease SET tick = tick + 1 WHERE portal = 'main' RETURNING tick", ret_d, err) < 0)
        return -1;
    snprintf(sql, sizeof(sql), "UPDATE potok_job SET d = %" PRId64 " WHERE id = %" PRId64 " RETURNING d",
        *ret_d, b->job);
    return say(b, sql, &none, err);
}

/* ---- the writer ---- */

static int prepare_messages(struct bench *b, uint64_t first, uint64_t count, int version, struct err *err)
{
    for (uint64_t i = 0; i * DATA_MESSAGE_ROWS < count; i++) {
        uint64_t left = count - i * DATA_MESSAGE_ROWS;
        b->messages[i] = data_message(&b->data, first + i * DATA_MESSAGE_ROWS,
            left < DATA_MESSAGE_ROWS ? left : DATA_MESSAGE_ROWS, version, err);
        if (b->messages[i] == NULL)
            return -1;
    }
    return 0;
}

/* The bytes as they come from the bus become a message, the message a transaction. */
static int write_bytes(struct bench *b, struct str envelope, struct frame *body, struct frame *payload,
    uint64_t *ret_next, struct err *err)
{
    struct apply apply;
    struct msg *m = NULL;
    int result;

    if (msg_decode(&m, envelope, body, payload, err) < 0)
        return -1;
    result = apply_begin(&apply, b->db, m, err);
    if (result == 0)
        result = apply_end(&apply, err);
    if (result == 0 && apply.refused)
        result = err_set(err, ERR_BUG, "refused: %s", apply.why);
    *ret_next = apply.next_job;
    msg_free(&m);
    return result;
}

/* As the fetcher bounds the range: from behind the last message to the last id of this one, or to the end. */
static void set_range(struct bench *b, struct msg *m, uint64_t first, int64_t d)
{
    uint64_t next = first + m->rows.count;

    m->rows.job = (uint64_t)b->job;
    m->rows.d = (uint64_t)d;
    m->rows.run = (uint64_t)b->run;
    m->rows.first = first == 0 ? 1 : data_id(first - 1) + 1;
    m->rows.last = next == b->rows ? RANGE_OPEN : data_id(next - 1);
    m->rows.next_first = next == b->rows ? 0 : m->rows.last + 1;
    m->rows.next_last = next == b->rows ? 0 : RANGE_OPEN;
}

static int write_message(struct bench *b, struct msg *m, uint64_t first, struct cost *cost, struct err *err)
{
    struct buf envelope, body;
    struct frame frame;
    uint64_t next = 0;
    int64_t d;
    int result = -1;

    buf_init(&envelope, 1 << 20);
    buf_init(&body, 1 << 26);
    if (dispatch(b, &d, err) == 0) {
        set_range(b, m, first, d);
        result = msg_encode(m, &envelope, &body, err);
    }
    if (result == 0) {
        frame = (struct frame){ body.p, body.n, free, body.p };
        body.p = NULL;
        start(b, b->pid, cost);
        result = write_bytes(b, buf_view(&envelope), &frame, &m->payload, &next, err);
        stop(b, b->pid, cost);
    }
    b->job = (int64_t)next;
    buf_fini(&body);
    buf_fini(&envelope);
    return result;
}

static int write_messages(struct bench *b, uint64_t first, struct cost *cost, struct err *err)
{
    int result = 0;

    for (int i = 0; i < SEGMENT_MESSAGES && b->messages[i] != NULL; i++) {
        uint64_t count = b->messages[i]->rows.count;
        if (result == 0)
            result = write_message(b, b->messages[i], first, cost, err);
        msg_free(&b->messages[i]);
        first += count;
    }
    return result;
}

static int write_limit(struct bench *b, struct cost *cost, struct err *err)
{
    int pid = limit_pid(b->limit), result;

    start(b, pid, cost);
    result = limit_write(b->limit, err);
    stop(b, pid, cost);
    return result;
}

/* ---- a step ---- */

static int take_turns(struct bench *b, int version, struct cost *writer, struct cost *limit, struct err *err)
{
    for (uint64_t first = 0; first < b->rows; first += SEGMENT) {
        uint64_t count = b->rows - first < SEGMENT ? b->rows - first : SEGMENT;
        bool limit_first = first / SEGMENT % 2 == 0;

        if (limit_prepare(b->limit, &b->data, first, count, version, err) < 0 ||
            prepare_messages(b, first, count, version, err) < 0)
            return -1;
        if ((limit_first && write_limit(b, limit, err) < 0) || write_messages(b, first, writer, err) < 0 ||
            (!limit_first && write_limit(b, limit, err) < 0))
            return -1;
    }
    return 0;
}

static int check(struct bench *b, int version, struct err *err)
{
    static const char *const tables[] = { "bare", "crm_deals WHERE _deleted_at IS NULL" };
    char print[CHECK_SIZE];

    if (b->base == NULL)
        return check_files(b->url + strlen("sqlite:///"), b->limit_url, &b->data, err);
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        if (check_print(b->limit_url, &b->data, tables[i], print, err) < 0)
            return -1;
        if (strcmp(print, b->truth[version]) != 0)
            return err_set(
                err, ERR_BUG, "%s does not hold the data: %s, not %s", tables[i], print, b->truth[version]);
    }
    return 0;
}

static int check_run(struct bench *b, const struct step *step, struct err *err)
{
    int64_t written, state;
    char sql[160];

    snprintf(sql, sizeof(sql),
        "SELECT CASE WHEN state = 'done' THEN 1 ELSE 0 END FROM potok_run WHERE id = %" PRId64, b->run);
    if (db_get_i64(b->control, sql, DB_NOARGS, 0, &state, err) < 0)
        return -1;
    snprintf(sql, sizeof(sql), "SELECT written FROM potok_run WHERE id = %" PRId64, b->run);
    if (db_get_i64(b->control, sql, DB_NOARGS, 0, &written, err) < 0)
        return -1;
    bool as_meant = strcmp(step->name, "new") == 0 ? (uint64_t)written == b->rows
                    : strcmp(step->name, "same") == 0
                        ? written == 0
                        : (uint64_t)written > b->rows / 12 && (uint64_t)written < b->rows / 8;
    if (state == 1 && as_meant)
        return 0;
    return err_set(err, ERR_BUG, "the run wrote %" PRId64 " rows, or did not end", written);
}

static void report(const struct bench *b, int round, const char *step, const char *who, const struct cost *c)
{
    double rows = (double)b->rows;

    printf("{\"engine\":\"%s\",\"round\":%d,\"step\":\"%s\",\"who\":\"%s\",\"rows\":%" PRIu64
           ",\"rows_s\":%.0f,\"client_us\":%.2f,\"server_us\":%.2f,\"wal\":%.1f}\n",
        b->base != NULL ? "postgresql" : "sqlite", round, step, who, b->rows, rows / c->seconds,
        1e6 * c->client_cpu / rows, 1e6 * c->server_cpu / rows, (double)c->wal / rows);
    fflush(stdout);
}

static int run_step(struct bench *b, int round, const struct step *step, struct err *err)
{
    struct cost writer = { 0 }, limit = { 0 };

    if (begin_run(b, err) < 0 || limit_empty(b->limit, err) < 0)
        return -1;
    if (take_turns(b, step->version, &writer, &limit, err) < 0 || check_run(b, step, err) < 0 ||
        check(b, step->version, err) < 0)
        return -1;
    report(b, round, step->name, "writer", &writer);
    report(b, round, step->name, "limit", &limit);
    return 0;
}

/* ---- a round ---- */

/* A schema of the bench's own, or two files; nothing in them. */
static int make_place(struct bench *b, const char *folder, struct err *err)
{
    static const char *const suffixes[] = { "", "-wal", "-shm", ".turn" };
    char path[600];

    if (b->base != NULL)
        return limit_script(b->base,
            "SET client_min_messages = error; DROP SCHEMA IF EXISTS " SCHEMA
            " CASCADE; CREATE SCHEMA " SCHEMA,
            err);
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        snprintf(path, sizeof(path), "%s/mirror.db%s", folder, suffixes[i]);
        unlink(path);
        snprintf(path, sizeof(path), "%s/bare.db%s", folder, suffixes[i]);
        unlink(path);
    }
    return 0;
}

static int make_table(struct bench *b, struct err *err)
{
    int64_t none;

    if (data_ensure(&b->data, b->db, err) < 0)
        return -1;
    if (say(b,
            "INSERT INTO potok_lease (portal, tick, epoch, bucket, bucket_ms) VALUES ('main', 1, 1, 0, 0) "
            "RETURNING 1",
            &none, err) < 0)
        return -1;
    return say(b,
        "INSERT INTO potok_entity (portal, entity, tbl) VALUES ('main', 'deals', 'crm_deals') RETURNING 1",
        &none, err);
}

static int open_all(struct bench *b, struct err *err)
{
    int64_t pid = 0;

    if (db_open(&b->db, b->url, err) < 0 || db_open(&b->control, b->url, err) < 0 ||
        db_migrate(b->control, err) < 0)
        return -1;
    if (b->base != NULL && db_get_i64(b->db, "SELECT pg_backend_pid()", DB_NOARGS, 0, &pid, err) < 0)
        return -1;
    b->pid = (int)pid;
    b->limit = limit_open(b->limit_url, &b->data, err);
    return b->limit != NULL ? make_table(b, err) : -1;
}

static void close_all(struct bench *b)
{
    for (int i = 0; i < SEGMENT_MESSAGES; i++)
        msg_free(&b->messages[i]);
    limit_close(&b->limit);
    db_close(&b->control);
    db_close(&b->db);
}

static int run_round(struct bench *b, const char *folder, int round, struct err *err)
{
    int result = make_place(b, folder, err);

    if (result == 0)
        result = open_all(b, err);
    for (size_t i = 0; i < ARRAY_SIZE(STEPS) && result == 0; i++)
        if (run_step(b, round, &STEPS[i], err) < 0)
            result = err_wrap(err, "%s", STEPS[i].name);
    close_all(b);
    return result;
}

static int make_truth(struct bench *b, struct err *err)
{
    if (b->base == NULL)
        return 0;
    for (int version = 0; version < 2; version++)
        if (check_truth(b->base, &b->data, b->rows, version, b->truth[version], err) < 0)
            return -1;
    return 0;
}

static void name_places(struct bench *b, const char *where)
{
    if (b->base != NULL) {
        snprintf(b->url, sizeof(b->url), "%s?options=-csearch_path%%3D" SCHEMA, where);
        snprintf(b->limit_url, sizeof(b->limit_url), "%s", b->url);
    } else {
        snprintf(b->url, sizeof(b->url), "sqlite:///%s/mirror.db", where);
        snprintf(b->limit_url, sizeof(b->limit_url), "%s/bare.db", where);
    }
}

int main(int argc, char **argv)
{
    struct err err = { 0 };
    struct bench b = { .base = NULL };
    int result = 0;

    if (argc != 4) {
        fprintf(stderr, "usage: %s postgresql://…|FOLDER ROWS ROUNDS\n", argv[0]);
        return 2;
    }
    mem_tune();
    b.base = strncmp(argv[1], "postgresql://", 13) == 0 ? argv[1] : NULL;
    b.rows = strtoull(argv[2], NULL, 10);
    name_places(&b, argv[1]);
    data_init(&b.data);
    result = make_truth(&b, &err);
    for (int round = 1; round <= atoi(argv[3]) && result == 0; round++)
        result = run_round(&b, argv[1], round, &err);
    if (result < 0)
        fprintf(stderr, "%s\n", err.text);
    fprintf(stderr, "a row has %.0f bytes as text\n", (double)b.data.text_bytes / (double)b.data.rows);
    data_fini(&b.data);
    return result < 0 ? 1 : 0;
}
