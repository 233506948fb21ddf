/* bus_where.h - names of the bus: ipc files of the run folder and tcp addresses. Inner part of the bus. Any thread. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define BUS_PATH_MAX 107        /* of an ipc path: what struct sockaddr_un holds */

struct bus_place {
    char path[BUS_PATH_MAX + 1];        /* socket file */
    char lock[BUS_PATH_MAX + 1];        /* beside it: held while the binder lives */
};

/* Names of one binder: run/<service>.<number>.<plug>.sock. ERR_CONF when too long for a socket. */
int bus_place(struct bus_place *ret, const char *run_dir, const char *service, const char *number, const char *plug,
    struct err *err) MUST_CHECK;
/* Is `file` the socket of some <service>.<n>.<plug>? service "*" = any. */
bool bus_place_matches(const char *file, const char *service, const char *plug);
/* "tcp://127.0.0.1:7000" and offset 1 -> "tcp://127.0.0.1:7001". ERR_CONF beyond loopback, naming BUS_<SERVICE>. */
int bus_tcp(const char *where, const char *service, int offset, char *ret, size_t size, struct err *err) MUST_CHECK;
