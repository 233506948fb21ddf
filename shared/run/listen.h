/* listen.h - sockets that listen on "host:port" or a unix path. Own code instead of the libraries', so that an error names
 * the address and the cause. Any thread. */
#pragma once

#include "base/err.h"

#include <stddef.h>

#define LISTEN_ADDRESS_SIZE 128

/* "127.0.0.1:8080", "[::1]:8080", "localhost:0"; port 0 = chosen free. *ret_fd is non-blocking and closed on exec;
 * the caller closes it. ret_address says what was bound, numeric. ERR_CONF: not an address, not of this machine,
 * in use (all name the address). */
int listen_open(const char *address, int *ret_fd, char ret_address[static LISTEN_ADDRESS_SIZE], struct err *err)
    MUST_CHECK;
/* What a listening socket is bound to, numeric. */
void listen_name(int fd, char ret_address[static LISTEN_ADDRESS_SIZE]);
/* The one socket handed over by the socket activation protocol (LISTEN_FDS, LISTEN_PID: systemd, potok up); 0 = none.
 * Non-blocking and closed on exec. The variables are removed: no child takes it for its own. */
int listen_inherited(void);
/* Splits "host:port" ("[v6]:port") into its parts; -1 when it is not of that form. */
int listen_split(const char *address, char *ret_host, size_t host_size, char *ret_port, size_t port_size);
/* A unix socket listening at `path` (a stale file there is replaced; removing it afterwards is the caller's). */
int listen_unix(const char *path, int *ret_fd, struct err *err) MUST_CHECK;
