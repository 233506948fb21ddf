/* live.c - the life of `potok up`: services are started, looked after and stopped; a tick asks and draws.
 */
#include "up.h"

#include "base/clock.h"
#include "base/log.h"
#include "command.h"
#include "held.h"
#include "words/russian.h"
#include "words/say.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_MS          250
#define TICK_ONCE_MS     100   /* a script waits for the end */
#define ANSWER_WITHIN_MS 60000 /* the scheduler, after the start */

void up_stop(struct up *u, int exit_code)
{
    if (u->phase == UP_STOPPING)
        return;
    u->phase = UP_STOPPING;
    u->exit_code = exit_code;
    supervise_stop(&u->supervise);
}

void up_fail(struct up *u, int exit_code, const char *format, ...)
{
    va_list args;

    if (u->phase == UP_STOPPING)
        return;
    va_start(args, format);
    vsnprintf(u->failure, sizeof(u->failure), format, args);
    va_end(args);
    up_stop(u, exit_code);
}

/* ---- services ---- */

static void on_ready(void *ctx, const struct child *child)
{
    struct up *u = ctx;

    if (child->starts > 1 || !u->screen.live)
        screen_printf(&u->screen, "%s: %s\n", child->instance,
            child->holder[0] != '\0' ? say("в резерве", "standby") : say("готов", "ready"));
    if (u->told_ready || supervise_ready_count(&u->supervise) < u->supervise.count)
        return;
    u->told_ready = true;
    u->ready_ms = clock_mono_ms();
    screen_printf(&u->screen, "%s: %d\n", say("Служб работает", "Services running"), u->supervise.count);
}

/* `signal`, `code`: the words for them. */
static void exit_describe(int status, const char *signal, const char *code, char *ret, size_t size)
{
    if (WIFSIGNALED(status))
        snprintf(ret, size, "%s %d (%s)", signal, WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(ret, size, "%s %d", code, WEXITSTATUS(status));
}

static void on_exit_of(
    void *ctx, const struct child *child, int status, enum restart_verdict verdict, uint64_t delay_ms)
{
    struct up *u = ctx;
    char how[64], words[ERR_TEXT_SIZE];

    exit_describe(status, "signal", "exit code", how, sizeof(how)); /* in the log, whoever reads it */
    supervise_last_words(child, words, sizeof(words));
    if (verdict != RESTART_CONF) /* that one has said it itself */
        log_ev(verdict == RESTART_AGAIN ? LOG_WARNING : LOG_ERROR, "service.died",
            kv_s("instance", child->instance), kv_s("how", how), kv_s("last", words),
            kv_u("delay_ms", delay_ms));
    exit_describe(status, say("сигнал", "signal"), say("код", "exit code"), how, sizeof(how));
    russian_in_place(words, sizeof(words));
    if (verdict == RESTART_CONF) {
        up_fail(u, EXIT_USAGE, "%s: %s", child->instance, words);
    } else if (verdict == RESTART_GIVE_UP) {
        up_fail(u, EXIT_FAILED, "%s %s %d %s: %s\n%s %s", child->instance,
            say("так и не поднялся,", "never got ready,"), RESTART_EXITS, say("попыток", "attempts"), words,
            say("журнал:", "its log:"), child->log);
    } else {
        screen_printf(&u->screen, "%s: %s, %s %.1f %s\n", child->instance, how,
            say("новый запуск через", "starting again in"), (double)delay_ms / 1000, say("с", "s"));
    }
}

static void on_late(void *ctx, const struct child *child)
{
    struct up *u = ctx;

    log_ev(LOG_WARNING, "service.killed", kv_s("instance", child->instance),
        kv_u("after_ms", u->supervise.stop_timeout_ms + SUPERVISE_MORE_MS));
    screen_printf(&u->screen, "%s: %s\n", child->instance,
        say("не завершился вовремя, прекращён принудительно; недоделанное будет сделано заново",
            "did not end in time and was killed; what it had not finished is done again"));
}

static void on_all_gone(void *ctx)
{
    struct up *u = ctx;

    uv_stop(&u->loop);
}

static void on_status(void *ctx, struct bus_plug *plug, struct bus_peer from, struct msg **m)
{
    struct up *u = ctx;

    if ((*m)->type == MSG_STATUS)
        supervise_status(&u->supervise, &(*m)->status);
}

static void on_signal(uv_signal_t *handle, int signum)
{
    struct up *u = handle->data;

    if (u->phase == UP_STOPPING) { /* asked twice: now */
        supervise_kill(&u->supervise);
        return;
    }
    screen_printf(&u->screen, "%s\n",
        say("Останавливаю службы… (ещё раз Ctrl-C: немедленно)",
            "Stopping the services… (Ctrl-C again: at once)"));
    if (u->once)
        up_fail(u, EXIT_FAILED, "%s",
            say("прервано; начатое продолжится при следующем запуске",
                "interrupted; the next start goes on where this one was"));
    else
        up_stop(u, EXIT_WELL);
}

/* A standby does not answer: whoever works does. */
static void standby_watch(struct up *u, uint64_t now_ms)
{
    const char *holder = supervise_stands_by(&u->supervise);

    if (holder == NULL)
        return;
    u->started_ms = now_ms;
    if (u->once && u->told_ready)
        up_fail(u, EXIT_FAILED, "%s: %s",
            say("другой планировщик уже работает с этой базой данных",
                "another scheduler works on this database"),
            holder);
}

static void on_tick(uv_timer_t *timer)
{
    struct up *u = timer->data;
    uint64_t now_ms = clock_mono_ms();

    if (u->phase == UP_STOPPING) {
        screen_erase(&u->screen);
        return;
    }
    up_follow(u);
    standby_watch(u, now_ms);
    if (u->phase == UP_STARTING && now_ms - u->started_ms > ANSWER_WITHIN_MS)
        up_fail(u, EXIT_FAILED, "%s %s/scheduler.1.log",
            say("планировщик не отвечает; журнал:", "the scheduler does not answer; its log:"),
            u->home->log_dir);
    up_draw(u, now_ms);
}

/* ---- life ---- */

static int socket_hold(struct up *u, struct err *err)
{
    if (u->once || !service_is_up("gateway"))
        return 0;
    if (held_open(u->home, &u->listen_fd, u->listen_address, err) < 0)
        return -1;
    supervise_hold(&u->supervise, "gateway", u->listen_fd);
    return 0;
}

static int services_add(struct up *u, struct err *err)
{
    for (int i = 0; i < SERVICE_COUNT; i++) {
        int instances;

        if (SERVICES[i].up == 0 || (u->once && SERVICES[i].up > 1))
            continue;
        if (service_instances(&SERVICES[i], &u->home->config, &instances, err) < 0 ||
            supervise_add(&u->supervise, SERVICES[i].name, instances, err) < 0)
            return -1;
    }
    return socket_hold(u, err);
}

static int bus_start(struct up *u, struct err *err)
{
    struct bus_def statuses = { .kind = BUS_SUB_CONNECT,
        .service = "*",
        .plug = "status",
        .where = "ipc",
        .on_msg = on_status,
        .ctx = u };

    u->bus = bus_new(&u->loop, u->home->run_dir, "potok");
    u->statuses = bus_open(u->bus, &statuses, err);
    if (u->statuses == NULL)
        return -1;
    return control_open(&u->control, &u->loop, u->bus, u->home->bus_scheduler, err);
}

static void handles_start(struct up *u)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
    const struct supervise_events events = { on_ready, on_exit_of, on_late, on_all_gone, u };
    const uint64_t tick_ms = u->once ? TICK_ONCE_MS : TICK_MS;

    supervise_init(&u->supervise, &u->loop, u->home->log_dir, (uint64_t)u->home->stop_timeout_ms, &events);
    for (int i = 0; i < 3; i++) {
        uv_signal_init(&u->loop, &u->signals[i]);
        u->signals[i].data = u;
        uv_signal_start(&u->signals[i], on_signal, numbers[i]);
    }
    uv_timer_init(&u->loop, &u->tick);
    u->tick.data = u;
    uv_timer_start(&u->tick, on_tick, tick_ms, tick_ms);
}

static void handles_close(struct up *u)
{
    control_close(&u->control);
    bus_close(&u->statuses);
    bus_free(&u->bus);
    supervise_close(&u->supervise);
    for (int i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&u->signals[i], NULL);
    uv_close((uv_handle_t *)&u->tick, NULL);
    uv_run(&u->loop, UV_RUN_DEFAULT);
    uv_loop_close(&u->loop);
    bus_shutdown();
}

int up_live(struct up *u)
{
    struct err err = { 0 };

    uv_loop_init(&u->loop);
    screen_init(&u->screen);
    handles_start(u);
    u->started_ms = u->lines_ms = u->answered_ms = clock_mono_ms();
    if (bus_start(u, &err) < 0 || services_add(u, &err) < 0) {
        snprintf(u->failure, sizeof(u->failure), "%s", err.text);
        u->exit_code = err.kind == ERR_CONF ? EXIT_USAGE : EXIT_FAILED;
    } else {
        up_tell_plan(u);
        u->since_ms = clock_wall_ms();
        supervise_start(&u->supervise);
        uv_run(&u->loop, UV_RUN_DEFAULT);
    }
    screen_erase(&u->screen);
    handles_close(u);
    if (u->listen_fd > 0)
        close(u->listen_fd);
    return u->exit_code;
}
