/* up.h - `potok up`: the services of this machine, supervised, and the syncs they do, shown. One loop, one
 * thread: everything here is on it. */
#pragma once

#include "control.h"
#include "home.h"
#include "screen.h"
#include "services.h"
#include "supervise.h"
#include "view.h"

enum up_phase {
    UP_STARTING,                /* until the scheduler answers (and, with --once, has begun a sync) */
    UP_RUNNING,
    UP_STOPPING,
};

struct up {
    const struct home *home;
    bool once;
    uint64_t runs_before;       /* greatest run there was before the start, or shown and over since */
    enum up_phase phase;
    int exit_code;
    char failure[800];          /* told on standard error at the very end; "" = none */
    uint64_t started_ms;

    uv_loop_t loop;
    uv_timer_t tick;
    uv_signal_t signals[3];
    struct bus *bus;
    struct bus_plug *statuses;
    struct control control;
    struct supervise supervise;

    struct screen screen;
    struct snapshot fresh;      /* the answer being read: too large for a stack */
    struct view view;
    struct run_set wanted;      /* runs on show: with --once those that must end */
    uint64_t since_ms;          /* wall clock: runs that ended later are ours to show */
    bool told_ready, told_steps;
    bool failed;                /* the last runs on show did not all go well */
    char trouble[1024], told_trouble[1024];     /* what keeps it from going on: seen last, told last */
    uint64_t trouble_ms;        /* since when it is the same */
    uint64_t answered_ms;       /* when the scheduler last answered */
    uint64_t ready_ms;
    uint64_t lines_ms;          /* when plain progress was printed last */
    uint64_t reached_ms;        /* when every portal was last known to be within reach */
};

/* Runs to the end; exit code. */
int up_live(struct up *u);
