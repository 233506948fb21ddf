/* gateway_load.h - events at a steady rate, whatever the answers do. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load {
    const char *host, *token;
    int port;
    double rate, seconds;   /* events a second, for so long */
    bool kept;              /* connections are kept; else each event has its own, as a portal's */
    uint64_t first;         /* id of the first event; each has the next */
};

/* Prints a line of JSON: sent, ok, failed, p50_ms and p99_ms of the answers since the moment each event was due. */
int load_run(const struct load *l);

void load_sort(double *values, size_t n);
double load_share(const double *sorted, size_t n, double share);
