#include "run/app.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/paths.h"
#include "proto/entity.h"
#include "run/app_private.h"
#include "run/lock.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, TEXT_MAX_BYTES = 1 << 20, CLOSE_TIMEOUT_MS = 10000 };

static const struct setting common[] = {
    SET_STR(struct app_settings, log_level, "LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR"),
    SET_STR(struct app_settings, metrics_listen, "METRICS_LISTEN", NULL,
        "address of /health, /ready and /metrics; default 127.0.0.1 and the service's port, a free port for "
        "further instances"),
    SET_STR(struct app_settings, home, "POTOK_HOME", "./var", "folder of the state on this machine"),
    SET_INT(struct app_settings, instance, "POTOK_INSTANCE", "1", 1, 999,
        "number of this process among its kind"),
    SET_STR(
        struct app_settings, config, "POTOK_CONFIG", NULL, "configuration file; default potok.yaml if there"),
    SET_MS(struct app_settings, stop_timeout_ms, "STOP_TIMEOUT", "10s", 100, 600000,
        "after SIGTERM, work in hand has this long"),
    SET_MS(struct app_settings, status_interval_ms, "STATUS_INTERVAL", "1s", 50, 60000,
        "how often STATUS is sent"),
    SET_END,
};

const struct setting *app_common_settings(void)
{
    return common;
}

bool app_setting_known(const char *name)
{
    static const char *const names[] = {
#define SETTING_NAME(name) #name,
#include "run/settings.def"
#undef SETTING_NAME
    };
    size_t n = strlen(name);

    if (n > 5 && strcmp(name + n - 5, "_FILE") == 0)
        n -= 5;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strncmp(names[i], name, n) == 0 && names[i][n] == '\0')
            return true;
    return false;
}

/* --- configuration --- */

static int load(struct app *app, struct err *err)
{
    struct app_private *p = app->private_;
    const struct config_checks checks = { entity_plural, app_setting_known, entity_names() };
    enum log_level level;

    if (config_load(&p->config, NULL, &checks, err) < 0)
        return -1;
    app->config = &p->config;
    if (settings_load(common, &p->set, config_setting, &p->config, err) < 0 ||
        settings_load(app->def->settings, p->state, config_setting, &p->config, err) < 0)
        return -1;
    if (log_level_of(p->set.log_level, &level) < 0)
        return err_set(
            err, ERR_CONF, "LOG_LEVEL: \"%.32s\" is none of DEBUG, INFO, WARNING, ERROR", p->set.log_level);
    log_init(app->def->name, level);
    setenv("POTOK_HOME", p->set.home, 1); /* where the file said it: paths_home() looks at the environment */
    snprintf(app->instance, sizeof(app->instance), "%s.%d", app->def->name, (int)p->set.instance);
    return 0;
}

static void unload(struct app *app)
{
    struct app_private *p = app->private_;

    settings_free(app->def->settings, p->state);
    settings_free(common, &p->set);
    config_free(&p->config);
}

/* --- arguments --- */

static void put(const struct buf *b)
{
    if (b->n > 0)
        fwrite(b->p, 1, b->n, stdout);
}

static int show_help(struct app *app, struct buf *out)
{
    buf_fmt(out, "potok-%s - %s\n\nusage: potok-%s [--help | --version | --check | --settings]\n\n",
        app->def->name, app->def->about ? app->def->about : "", app->def->name);
    buf_str(out, "  --check     read the configuration, show it (secrets masked) and exit: 0 good, 2 not\n"
                 "  --settings  the table of settings, in Markdown\n\n"
                 "Settings come from the environment, NAME_FILE, or settings: in potok.yaml:\n\n");
    settings_help(app->def->settings, out);
    settings_help(common, out);
    return 0;
}

static int show_version(struct app *app, struct buf *out)
{
    buf_fmt(out, "potok-%s %s\n", app->def->name, POTOK_VERSION);
    return 0;
}

static int show_settings(struct app *app, struct buf *out)
{
    settings_markdown(app->def->settings, out);
    settings_markdown(common, out);
    return 0;
}

static void complain(struct app *app, const struct err *err)
{
    fprintf(stderr, "potok-%s: %s\n", app->def->name, err->text);
}

/* The ERROR line has said it; a person at a terminal gets it in plain words too; a log file does not. */
static void complain_at_terminal(struct app *app, const struct err *err)
{
    if (isatty(STDERR_FILENO))
        complain(app, err);
}

static int show_check(struct app *app, struct buf *out)
{
    struct err err = { 0 };
    int result = load(app, &err);

    if (result == 0 && app->def->check != NULL)
        result = app->def->check(app->config, app->private_->state, &err);
    if (result == 0) {
        settings_dump(app->def->settings, app->private_->state, out);
        settings_dump(common, &app->private_->set, out);
    } else {
        complain(app, &err);
    }
    unload(app);
    return result < 0 ? EXIT_USAGE : 0;
}

static const struct {
    const char *name;
    int (*show)(struct app *app, struct buf *out); /* gives the exit code */
} options[] = {
    { "--help", show_help },
    { "--version", show_version },
    { "--settings", show_settings },
    { "--check", show_check },
};

/* An option was given: its exit code; none: -1. */
static int run_option(struct app *app, int argc, char **argv)
{
    struct buf out;
    int code = EXIT_USAGE;

    if (argc < 2)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(options) && argc == 2; i++) {
        if (strcmp(argv[1], options[i].name) != 0)
            continue;
        buf_init(&out, TEXT_MAX_BYTES);
        code = options[i].show(app, &out);
        put(&out);
        buf_fini(&out);
        return code;
    }
    fprintf(stderr, "potok-%s: unknown argument: %s (see --help)\n", app->def->name, argv[argc == 2 ? 1 : 2]);
    return code;
}

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

void app_quit(struct app *app)
{
    app->stopping = true;
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
    if (take_pid_file(app, err) < 0 || app_health_serve(app, err) < 0 || write_pid_file(app, err) < 0)
        return -1;
    app->bus = bus_new(app->loop, app->run_dir, app->instance);
    if (app_health_start(app, err) < 0)
        return -1;
    if (app->def->start(app, p->state, err) < 0) {
        app->def->stop(p->state);
        return -1;
    }
    p->started = true;
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

    if (p->started)
        app->def->stop(p->state);
    app_health_stop(app);
    bus_free(&app->bus);
    for (size_t i = 0; i < ARRAY_SIZE(p->signals); i++)
        uv_close((uv_handle_t *)&p->signals[i], NULL);
    uv_close((uv_handle_t *)&p->stop_timer, NULL);
    wind_down(app);
    bus_shutdown();
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
        complain_at_terminal(app, &err);
        app_fail(app, &err);
    }
    take_down(app);
    if (p->exit_code == 0)
        log_ev(LOG_INFO, "service.stopped", kv_s("instance", app->instance));
    return p->exit_code;
}

int app_main(int argc, char **argv, const struct app_def *def)
{
    struct app_private private_ = { .pid_fd = -1, .started_ms = clock_mono_ms() };
    struct app app = { .def = def, .private_ = &private_ };
    struct err err = { 0 };

    mem_tune();
    umask(077); /* what is kept of people is its owner's alone */
    log_init(def->name, LOG_INFO);
    private_.state = xcalloc(1, def->state_size);
    int code = run_option(&app, argc, argv);
    if (code < 0) {
        curl_global_init(CURL_GLOBAL_ALL);
        if (load(&app, &err) == 0) {
            code = live(&app);
        } else {
            log_ev(LOG_ERROR, "service.failed", kv_err(&err));
            complain_at_terminal(&app, &err);
            code = EXIT_USAGE;
        }
        unload(&app);
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
