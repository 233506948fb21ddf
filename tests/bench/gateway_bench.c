/* What the bench of the gateway needs beside wrk: the disk's own limits, events at a steady rate, a full
 * spool.
 *
 *   bench_gateway sync FILE SECONDS            one writer: 600 bytes and a sync, again and again
 *   bench_gateway group FILE SECONDS CLIENTS   the limit of a group commit: all clients' events, one sync
 *   bench_gateway load HOST PORT RATE SECONDS KEPT FIRST TOKEN
 *                                              RATE events a second whatever the answers do (gateway_load.c)
 *   bench_gateway spool FILE EVENTS            makes a spool that is full
 * Each prints a line of JSON. */
#include "gateway_load.h"

#include "base/mem.h"
#include "services/gateway/spool.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EVENT_BYTES 600
#define FILE_BYTES  (16 << 20) /* written beforehand, used round and round: a file that grows syncs slower */
#define SYNCS_MOST  1000000

static double seconds_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int die(const char *what)
{
    perror(what);
    return 1;
}

static int open_written(const char *path, const char *bytes)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    for (size_t n = 0; fd >= 0 && n < FILE_BYTES; n += 1 << 16)
        if (write(fd, bytes, 1 << 16) != 1 << 16)
            return -1;
    return fd >= 0 && fsync(fd) == 0 ? fd : -1;
}

/* Syncs of `events` events each; p50 and p99 of what one takes. */
static int run_syncs(const char *path, double seconds, size_t events)
{
    static char bytes[1 << 16];
    double *took = xcalloc(SYNCS_MOST, sizeof(*took)), began, end;
    size_t n = 0, block = events * EVENT_BYTES;
    off_t at = 0;
    int fd;

    memset(bytes, 'e', sizeof(bytes));
    if (block > sizeof(bytes) || (fd = open_written(path, bytes)) < 0)
        return die(path);
    began = end = seconds_now();
    while (end - began < seconds && n < SYNCS_MOST) {
        double start = end;

        if (pwrite(fd, bytes, block, at) != (ssize_t)block || fdatasync(fd) != 0)
            return die(path);
        at = at + 2 * (off_t)block < FILE_BYTES ? at + (off_t)block : 0;
        end = seconds_now();
        took[n++] = end - start;
    }
    load_sort(took, n);
    printf("{\"events_s\": %.1f, \"p50_ms\": %.4f, \"p99_ms\": %.4f}\n", (double)(n * events) / (end - began),
        load_share(took, n, 0.5) * 1e3, load_share(took, n, 0.99) * 1e3);
    free(took);
    close(fd);
    return 0;
}

static int fill(struct spool *s, uint64_t events, struct err *err)
{
    struct spool_row row = {
        .kind = CHANGE_KIND_SET, .portal = "main", .entity = "deals", .event = "ONCRMDEALUPDATE", .at_ms = 1
    };
    bool is_new;

    if (spool_begin(s, err) < 0)
        return -1;
    for (row.id = 1; row.id <= events; row.id++)
        if (spool_add(s, &row, &is_new, err) < 0)
            return -1;
    return spool_commit(s, err);
}

static int make_spool(const char *path, uint64_t events)
{
    struct err err = { 0 };
    struct spool *s;
    int64_t saved;

    if (spool_open(&s, path, 1, &saved, &err) < 0 || fill(s, events, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    spool_close(&s);
    printf("{\"events\": %llu}\n", (unsigned long long)events);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "sync") == 0 && argc == 4)
        return run_syncs(argv[2], atof(argv[3]), 1);
    if (strcmp(what, "group") == 0 && argc == 5)
        return run_syncs(argv[2], atof(argv[3]), (size_t)atoi(argv[4]));
    if (strcmp(what, "spool") == 0 && argc == 4)
        return make_spool(argv[2], strtoull(argv[3], NULL, 10));
    if (strcmp(what, "load") == 0 && argc == 9)
        return load_run(&(struct load){ .host = argv[2],
            .port = atoi(argv[3]),
            .rate = atof(argv[4]),
            .seconds = atof(argv[5]),
            .kept = atoi(argv[6]) != 0,
            .first = strtoull(argv[7], NULL, 10),
            .token = argv[8] });
    fprintf(stderr, "usage: bench_gateway sync|group|load|spool ...\n");
    return 2;
}
