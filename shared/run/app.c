#include "run/app.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/paths.h"
#include "run/app_private.h"
#include "run/lock.h"
#include "run/stopwatch.h"

enum { CLOSE_TIMEOUT_MS = 3000 };

/* --- the pid file --- */

static int take_pid_file(struct app *app, struct err *err)
{
    struct app_private *p = app->private_;
    int holder = 0;

    if (paths_make(p->set.home, "run/", app->run_dir, sizeof(app->run_dir), err) < 0)
        return -1;
    app->run_dir[strlen(app->run_dir) - 1] = '\0';
    snprintf(p->pid_path, sizeof(p->pid_path), "%s/%s.pid", app->run_dir, app->instance);
    if (lock_take(p->pid_path, &p->pid_fd, &holder, err) == 0)
        return 0;
    if (err->code != EWOULDBLOCK)
        return -1;
    return err_set(err, ERR_CONF,
        "%s already runs here (pid %d): stop it, or give this one another POTOK_INSTANCE", app->instance,
        holder);
}

static int write_pid_file(struct app *app, struct err *err)
{
    struct app_private *p = app->private_;
    char text[160];
    int n = snprintf(text, sizeof(text), "%d\n%s\n", (int)getpid(), app->metrics_address);

    if (ftruncate(p->pid_fd, 0) < 0 || pwrite(p->pid_fd, text, (size_t)n, 0) != n)
        return err_code(err, ERR_CONF, errno, "%s: %s", p->pid_path, strerror(errno));
    return 0;
}

/* --- life --- */

void app_closing(struct app *app, const char *doing, uint64_t most_ms)
{
    if (app->private_ != NULL)
        stopwatch_closing(app->private_->stopwatch, doing, most_ms);
}

uint64_t app_stop_ms(const struct app *app)
{
    return (app->private_ != NULL ? (uint64_t)app->private_->set.stop_timeout_ms : 0) + STOPWATCH_CLOSE_MS;
}

void app_quit(struct app *app)
{
    app->stopping = true;
    app_closing(app, "stopping", 0);
    uv_stop(app->loop);
}

void app_again(struct app *app)
{
    app->private_->again = true;
    app_quit(app);
}

static int exit_code_of(const struct err *err)
{
    return err->kind == ERR_CONF ? EXIT_USAGE : EXIT_FAILED;
}

void app_fail(struct app *app, const struct err *err)
{
    log_ev(LOG_ERROR, "service.failed", kv_err(err));
    if (app->private_->exit_code == 0)
        app->private_->exit_code = exit_code_of(err);
    app_quit(app);
}

static void on_stop_timeout(uv_timer_t *timer)
{
    struct app *app = timer->data;

    log_ev(LOG_WARNING, "service.stop_timeout", kv_i("timeout_ms", app->private_->set.stop_timeout_ms));
    app_quit(app);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct app *app = handle->data;
    struct app_private *p = app->private_;

    p->again = false;
    if (app->stopping) { /* asked twice: now */
        app_quit(app);
        return;
    }
    log_ev(LOG_INFO, "service.stopping", kv_s("signal", number == SIGINT ? "SIGINT" : "SIGTERM"));
    app->stopping = true;
    app_health_status(app);
    if (app->def->stop_soon == NULL) {
        app_quit(app);
        return;
    }
    uv_timer_start(&p->stop_timer, on_stop_timeout, (uint64_t)p->set.stop_timeout_ms, 0);
    app->def->stop_soon(p->state);
}

static void watch_signals(struct app *app)
{
    static const int numbers[] = { SIGTERM, SIGINT };
    struct app_private *p = app->private_;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* ulimit -f: a write that fails, as on a full disk, not the end of a service */
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        p->signals[i].data = app;
        uv_signal_init(app->loop, &p->signals[i]);
        uv_signal_start(&p->signals[i], on_signal, numbers[i]);
    }
    p->stop_timer.data = app;
    uv_timer_init(app->loop, &p->stop_timer);
}

static int bring_up(struct app *app, struct err *err)
{
    struct app_private *p = app->private_;

    watch_signals(app);
    if (stopwatch_new(&p->stopwatch, (uint64_t)p->set.stop_timeout_ms, err) < 0 ||
        take_pid_file(app, err) < 0 || app_health_serve(app, err) < 0 || write_pid_file(app, err) < 0)
        return -1;
    app->bus = bus_new(app->loop, app->run_dir, app->instance);
    if (app_health_start(app, err) < 0)
        return -1;
    if (app->def->start(app, p->state, err) < 0) {
        stopwatch_phase(p->stopwatch, STOPWATCH_CLOSING, "stopping");
        app->def->stop(p->state);
        return -1;
    }
    p->started = true;
    stopwatch_phase(p->stopwatch, STOPWATCH_WORKING, "working");
    return 0;
}

static void on_close_timeout(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static void name_handle(uv_handle_t *handle, void *ctx)
{
    const char *type = uv_handle_type_name(handle->type);

    if (!uv_is_closing(handle))
        log_ev(LOG_WARNING, "service.handle_left", kv_s("type", type ? type : "unknown"));
}

/* Turns the loop until every handle is closed; one left open is a bug, told and not waited for. */
static void wind_down(struct app *app)
{
    uv_timer_t timer = { 0 };
    bool late = false;

    timer.data = &late;
    uv_timer_init(app->loop, &timer);
    uv_timer_start(&timer, on_close_timeout, CLOSE_TIMEOUT_MS, 0);
    uv_unref((uv_handle_t *)&timer);
    while (!late && uv_run(app->loop, UV_RUN_ONCE) != 0)
        ;
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(app->loop, UV_RUN_NOWAIT);
    if (uv_loop_close(app->loop) != 0)
        uv_walk(app->loop, name_handle, NULL);
}

static void take_down(struct app *app)
{
    struct app_private *p = app->private_;

    stopwatch_phase(p->stopwatch, STOPWATCH_CLOSING, "stopping");
    if (p->started)
        app->def->stop(p->state);
    stopwatch_phase(p->stopwatch, STOPWATCH_CLOSING, "closing handles");
    app_health_stop(app);
    bus_free(&app->bus);
    for (size_t i = 0; i < ARRAY_SIZE(p->signals); i++)
        uv_close((uv_handle_t *)&p->signals[i], NULL);
    uv_close((uv_handle_t *)&p->stop_timer, NULL);
    wind_down(app);
    stopwatch_phase(p->stopwatch, STOPWATCH_CLOSING, "closing the bus");
    bus_shutdown();
    if (stopwatch_free(&p->stopwatch))
        p->again = false; /* our own loop may have been closed before it was heard there */
    lock_release(p->pid_path, &p->pid_fd);
}

/* Exit code. The pieces are up while uv_run() runs and down when this returns. */
static int live(struct app *app)
{
    struct app_private *p = app->private_;
    struct err err = { 0 };

    app->loop = &p->loop;
    uv_loop_init(app->loop);
    uv_loop_configure(app->loop, UV_METRICS_IDLE_TIME);
    log_ev(LOG_INFO, "service.starting", kv_s("version", POTOK_VERSION), kv_i("pid", getpid()),
        kv_s("instance", app->instance));
    if (bring_up(app, &err) == 0) {
        log_ev(LOG_INFO, "service.ready", kv_s("instance", app->instance),
            kv_s("metrics", app->metrics_address));
        uv_run(app->loop, UV_RUN_DEFAULT);
    } else {
        app_complain_at_terminal(app, &err);
        app_fail(app, &err);
    }
    take_down(app);
    if (p->exit_code == 0)
        log_ev(LOG_INFO, "service.stopped", kv_s("instance", app->instance));
    return p->exit_code;
}

/* The first ends it; all are told, for one is mended as fast as three. */
static int refuse(struct app *app, const struct mistakes *all)
{
    for (int i = 0; i < all->count; i++) {
        log_ev(LOG_ERROR, i == 0 ? "service.failed" : "config.wrong", kv_err(&all->list[i]));
        app_complain_at_terminal(app, &all->list[i]);
    }
    return EXIT_USAGE;
}

int app_main(int argc, char **argv, const struct app_def *def)
{
    struct app_private private_ = { .pid_fd = -1, .started_ms = clock_mono_ms() };
    struct app app = { .def = def, .private_ = &private_ };
    struct mistakes all = { 0 };

    mem_tune();
    umask(077); /* what is kept of people is its owner's alone */
    log_init(def->name, LOG_INFO);
    private_.state = xcalloc(1, def->state_size);
    int code = app_option(&app, argc, argv);
    if (code < 0) {
        curl_global_init(CURL_GLOBAL_ALL);
        app_load(&app, &all);
        code = all.count == 0 ? live(&app) : refuse(&app, &all);
        mistakes_free(&all);
        app_unload(&app);
        curl_global_cleanup();
    }
    free(private_.state);
    if (private_.again && code == 0) {
        execv("/proc/self/exe", argv);
        log_ev(LOG_ERROR, "service.failed", kv_s("error", strerror(errno)));
        code = EXIT_FAILED;
    }
    return code;
}
