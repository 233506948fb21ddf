/* app_private.h - the inside of struct app, shared by app.c (life), app_settings.c, app_options.c and app_health.c (what
 * others see of it). Loop thread only. */
#pragma once

#include "run/app.h"
#include "run/bus.h"
#include "run/http_server.h"

struct app_settings {           /* app_common_settings() */
    char *log_level;
    char *metrics_listen;
    char *home;
    char *config;
    int64_t instance;
    int64_t stop_timeout_ms;
    int64_t status_interval_ms;
};

struct app_private {
    struct app_settings set;
    void *state;                /* the service's */
    struct config config;
    struct http_server *server;
    struct bus_plug *status;
    struct stopwatch *stopwatch;
    uv_loop_t loop;
    uv_signal_t signals[2];
    uv_timer_t stop_timer, status_timer;
    uv_prepare_t turn;
    bool started;               /* start() has succeeded */
    int exit_code;
    bool again;                 /* when all is down: from the beginning */
    char pid_path[384];
    int pid_fd;
    uint64_t started_ms;        /* monotonic */
    uint64_t turn_ns, idle_ns;  /* at the end of the last turn: the clock, and time spent waiting until then */
    uint64_t lag_ns;            /* longest turn since the last STATUS */
    uint64_t rss_bytes, trimmed_bytes;
    uint64_t trimmed_ms;
};

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };       /* exit codes */

/* --- app_settings.c --- */

/* Configuration and settings, the service's too; fills app->config and app->instance, turns the log on. What is wrong is in
 * `all`, and in place of it stand defaults. */
void app_load(struct app *app, struct mistakes *all);
void app_unload(struct app *app);

/* --- app_options.c --- */

/* An option was given: its exit code; none: -1. */
int app_option(struct app *app, int argc, char **argv);
/* The ERROR line has said it; a person at a terminal gets it in plain words too; a log file does not. */
void app_complain_at_terminal(struct app *app, const struct err *err);

/* --- app_health.c --- */

/* /health, /ready and /metrics on METRICS_LISTEN; fills app->metrics_address. */
int app_health_serve(struct app *app, struct err *err) MUST_CHECK;
/* STATUS on the bus, memory, length of the loop's turns. */
int app_health_start(struct app *app, struct err *err) MUST_CHECK;
void app_health_status(struct app *app);    /* STATUS now */
void app_health_stop(struct app *app);
