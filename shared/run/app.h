/* app.h - the skeleton of every service: arguments, settings, log, one libuv loop, health and metrics over HTTP,
 * STATUS once a second, a clean stop on SIGTERM or SIGINT. A service is a settings table and two functions.
 *
 * app_main() runs: mem_tune, parse arguments (--help, --check, --version, --settings = the README table),
 * config_load, settings_load, log_init, run/<service>.<n>.pid, metrics server, start(), "service.ready" logged,
 * uv_run, stop(), "service.stopped". Exit 0: clean; 1: failure; 2: bad usage or configuration (ERR_CONF), told by
 * an ERROR log line, and in plain words where standard error is a terminal.
 * SIGTERM: `stopping` is set, stop_soon() (optional) is called once; the service calls app_quit() when its work in
 * hand is done (at the latest after STOP_TIMEOUT, 10 s, it is called for it). Without stop_soon: at once.
 * Loop thread only. */
#pragma once

#include "base/config.h"
#include "base/err.h"
#include "base/setting.h"

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

struct app;

struct app_def {
    const char *name;                   /* "fetcher": in services.def */
    const char *about;                  /* one line for --help */
    int metrics_port;                   /* of services.def: METRICS_LISTEN is 127.0.0.1:<port> where nothing else is
                                           said; 0, taken, and further instances: a free port */
    const struct setting *settings;     /* the service's own; the common ones (app_common_settings) are added */
    size_t state_size;                  /* zeroed state; settings are filled into it before start() */
    /* Optional, of --check: the forms of settings, and the files they name; start() finds the same. `all` has what was wrong
     * so far: settings are held against each other only when nothing was, lest what follows from a mistake is told as one. */
    void (*check)(const struct config *config, void *state, struct mistakes *all);
    int (*start)(struct app *app, void *state, struct err *err);
    void (*stop_soon)(void *state);     /* optional: no new work; call app_quit() when idle */
    void (*stop)(void *state);          /* close handles and sockets; also after a failed start() */
    bool (*ready)(void *state, struct buf *why_not);    /* optional: for /ready and STATUS */
    bool (*standby)(void *state);       /* optional: it waits for another instance's work: STATUS says standby */
    bool (*busy)(void *state);          /* optional: STATUS says busy */
    void (*detail)(void *state, json_t *into);          /* optional: own figures of STATUS */
};

struct app {
    uv_loop_t *loop;
    const struct app_def *def;
    struct config *config;      /* potok.yaml and BITRIX_*; read-only */
    char instance[64];          /* "fetcher.1": POTOK_INSTANCE, default 1 */
    char run_dir[256];          /* POTOK_HOME/run */
    char metrics_address[128];  /* as bound */
    struct bus *bus;            /* bus.h; opened before start() */
    bool stopping;
    struct app_private *private_;
};

int app_main(int argc, char **argv, const struct app_def *def);
void app_quit(struct app *app);     /* the loop ends, stop() is called, the loop turns until all handles are closed */
/* Of stop(): what is done next, a literal, and how long that may take; 0: as long as STOP_TIMEOUT, but 5 s at most. Whatever stands
 * still for longer is not waited for: the process ends. */
void app_closing(struct app *app, const char *doing, uint64_t most_ms);
/* STOP_TIMEOUT and the most that closing takes: a stop that lasts no longer in all ends before `potok up` loses patience. */
uint64_t app_stop_ms(const struct app *app);
/* Logs ERROR "service.failed" and ends the process with exit 1 (ERR_CONF: 2) through the normal stop. */
void app_fail(struct app *app, const struct err *err);
/* Stops as on SIGTERM, and then begins anew as if just started: the same process, pid and arguments, nothing remembered. A
 * SIGTERM that comes meanwhile ends it. */
void app_again(struct app *app);
const struct setting *app_common_settings(void);
/* Is this setting known to any program (settings.def)? Also "NAME_FILE" of a known NAME. */
bool app_setting_known(const char *name);
