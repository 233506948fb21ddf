/* bus_frames.h - one message as frames of a ZeroMQ socket: [peer] envelope, body, [payload]. Inner part of the bus.
 * Payload and body travel without a copy in both directions. A payload handed over is released by one of the
 * library's own threads: struct frame.release must be safe there (free and zmq_msg_close are). Loop thread only. */
#pragma once

#include "run/bus.h"

/* 0: taken, *m is NULL, or -1 and *m untouched with errno EAGAIN (no room), EHOSTUNREACH (ROUTER: no such peer),
 * EMSGSIZE (a limit of the message is broken: err says which). `to` is NULL but for a ROUTER. */
int bus_frames_send(void *zmq, const struct bus_peer *to, struct msg **m, size_t *ret_bytes, struct err *err);
/* 1: *ret_m is a message; 0: nothing there; -1: garbage, err says why (all its frames are gone). */
int bus_frames_recv(void *zmq, bool router, struct bus_peer *ret_from, struct msg **ret_m, size_t *ret_bytes,
    struct err *err);
