/* up.h - `potok up`: the services of this machine, supervised, and the syncs they do, shown. One loop, one
 * thread: everything here is on it. */
#pragma once

#include "ask/control.h"
#include "held.h"
#include "home.h"
#include "words/screen.h"
#include "services.h"
#include "supervise.h"
#include "sync/view.h"

enum up_phase {
    UP_STARTING,                /* until the scheduler answers (and, with --once, has begun a sync) */
    UP_RUNNING,
    UP_STOPPING,
};

struct up {
    const struct home *home;
    bool once;
    uint64_t runs_before;       /* greatest run there was before the start, or shown and over since */
    uint64_t runs_since;        /* of the runs after this one the scheduler is asked: those before it were over */
    enum up_phase phase;
    int exit_code;
    char failure[1600];         /* told on standard error at the very end; "" = none */
    uint64_t started_ms;

    uv_loop_t loop;
    uv_timer_t tick;
    uv_signal_t signals[3];
    struct bus *bus;
    struct bus_plug *statuses;
    struct control control;
    struct supervise supervise;
    int listen_fd;              /* the gateway's socket; 0 = no gateway */
    char listen_address[LISTEN_ADDRESS_SIZE];

    struct screen screen;
    struct snapshot fresh;      /* the answer being read: too large for a stack */
    struct view view;
    struct run_set wanted;      /* runs on show: with --once those that must end */
    uint64_t since_ms;          /* wall clock: runs that ended later are ours to show */
    bool told_ready, told_steps;
    bool failed;                /* the last runs on show did not all go well */
    char trouble[4096], told_trouble[4096];     /* what keeps it from going on: seen last, told last */
    uint64_t trouble_ms;        /* since when it is the same */
    uint64_t answered_ms;       /* when the scheduler last answered */
    uint64_t ready_ms;
    uint64_t lines_ms;          /* when plain progress was printed last */
    uint64_t reached_ms;        /* when every portal was last known to be within reach */
};

/* live.c: runs to the end; exit code. */
int up_live(struct up *u);
void up_stop(struct up *u, int exit_code);
void up_fail(struct up *u, int exit_code, const char *format, ...) __attribute__((format(printf, 3, 4)));  /* and why */

/* follow.c: asks the scheduler, unless it is being asked. */
void up_follow(struct up *u);

/* show.c */
void up_tell_plan(struct up *u);        /* from where to where */
void up_draw(struct up *u, uint64_t now_ms);
void up_summary(struct up *u);
void up_tell_steps(struct up *u);       /* what to try now */
void up_tell_staying(struct up *u);     /* once the first sync is over */
