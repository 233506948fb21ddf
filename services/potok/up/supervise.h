/* supervise.h - the services of this machine as children: started, watched, started again, ended together.
 * A child has a process group of its own (the terminal's Ctrl-C does not reach it), dies with its parent, and writes
 * its log to a file by itself. Loop thread only; takes SIGCHLD of the process. */
#pragma once

#include "base/err.h"
#include "proto/msg.h"
#include "restart.h"

#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

#define CHILDREN_MAX 128
#define SUPERVISE_MORE_MS 8000      /* beyond STOP_TIMEOUT: a service that can still do so ends itself within 5 s of it */

struct child {
    const char *service;
    char instance[64];          /* "fetcher.1" */
    int number;
    pid_t pid;                  /* 0: not running */
    int listen_fd;              /* handed to it by the socket activation protocol; 0 = none */
    struct restart restart;
    uint64_t start_at_ms;       /* 0: not waiting for a start */
    unsigned starts;
    char log[700];
    off_t log_from;             /* where the lines of this life begin */
    char state[17];             /* of its latest STATUS (service_state.h); "" before */
    uint64_t uptime_ms, rss_bytes;
    char holder[256];           /* of a standby: who does its work; "" = it does */
    char trouble[ERR_TEXT_SIZE]; /* what its latest STATUS says it cannot do; "" = nothing */
};

struct supervise_events {
    void (*on_ready)(void *ctx, const struct child *child);
    /* verdict RESTART_AGAIN: started again by itself after delay_ms; else it stays down and the owner decides. */
    void (*on_exit)(void *ctx, const struct child *child, int wait_status, enum restart_verdict verdict,
        uint64_t delay_ms);
    void (*on_late)(void *ctx, const struct child *child);  /* it did not end in time, and is killed now */
    void (*on_all_gone)(void *ctx);     /* once, after supervise_stop() */
    void *ctx;
};

struct supervise {
    uv_loop_t *loop;
    uv_signal_t sigchld;
    uv_timer_t timer;
    const char *log_dir;        /* the caller's */
    struct child list[CHILDREN_MAX];
    int count;
    struct supervise_events events;
    uint64_t stop_timeout_ms;
    bool stopping, killed;
    uint64_t kill_at_ms;
};

/* The environment of the children is this process's; stop_timeout_ms: the STOP_TIMEOUT that they have from it. */
void supervise_init(struct supervise *s, uv_loop_t *loop, const char *log_dir, uint64_t stop_timeout_ms,
    const struct supervise_events *events);
/* ERR_CONF: the service's program is not beside this one. */
int supervise_add(struct supervise *s, const char *service, int instances, struct err *err) MUST_CHECK;
/* A listening socket for the instances of a service: the caller keeps it open as long as they run. */
void supervise_hold(struct supervise *s, const char *service, int listen_fd);
void supervise_start(struct supervise *s);
void supervise_status(struct supervise *s, const struct msg_status *m);     /* a STATUS came */
void supervise_stop(struct supervise *s);       /* SIGTERM in reverse order; SIGKILL SUPERVISE_MORE_MS after STOP_TIMEOUT */
void supervise_kill(struct supervise *s);       /* SIGKILL now */
void supervise_close(struct supervise *s);      /* its handles; the struct lives until the loop's next turn */
int supervise_ready_count(const struct supervise *s);
/* The schedulers here stand by for one elsewhere, who is named; NULL: one of them works, or may yet. */
const char *supervise_stands_by(const struct supervise *s);
/* What its log said last in this life, for people: the latest ERROR line's text, else its last line. */
void supervise_last_words(const struct child *child, char *ret, size_t size);
