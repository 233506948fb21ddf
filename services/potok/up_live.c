#include "up.h"

#include "base/clock.h"
#include "base/log.h"
#include "command.h"
#include "say.h"

#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

#define TICK_MS          250
#define LINES_EVERY_MS   5000 /* progress where there is no terminal */
#define SILENT_MS        3000 /* no answer for so long is told */
#define TROUBLE_TOLD_MS  1000
#define QUIET_MS         2000  /* ready, and no sync has begun: there is none to wait for */
#define ANSWER_WITHIN_MS 60000 /* the scheduler, after the start */

static void up_stop(struct up *u, int exit_code)
{
    if (u->phase == UP_STOPPING)
        return;
    u->phase = UP_STOPPING;
    u->exit_code = exit_code;
    supervise_stop(&u->supervise);
}

__attribute__((format(printf, 3, 4))) static void up_fail(
    struct up *u, int exit_code, const char *format, ...)
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
        screen_printf(&u->screen, "%s: %s\n", child->instance, say("готов", "ready"));
    if (u->told_ready || supervise_ready_count(&u->supervise) < u->supervise.count)
        return;
    u->told_ready = true;
    u->ready_ms = clock_mono_ms();
    screen_printf(&u->screen, "%s: %d\n", say("Служб работает", "Services running"), u->supervise.count);
}

static void exit_describe(int status, char *ret, size_t size)
{
    if (WIFSIGNALED(status))
        snprintf(
            ret, size, "%s %d (%s)", say("сигнал", "signal"), WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(ret, size, "%s %d", say("код", "exit code"), WEXITSTATUS(status));
}

static void on_exit_of(
    void *ctx, const struct child *child, int status, enum restart_verdict verdict, uint64_t delay_ms)
{
    struct up *u = ctx;
    char how[64], words[400];

    exit_describe(status, how, sizeof(how));
    supervise_last_words(child, words, sizeof(words));
    if (verdict != RESTART_CONF) /* that one has said it itself */
        log_ev(verdict == RESTART_AGAIN ? LOG_WARNING : LOG_ERROR, "service.died",
            kv_s("instance", child->instance), kv_s("how", how), kv_s("last", words),
            kv_u("delay_ms", delay_ms));
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

/* ---- what is shown ---- */

/* A path as a shell takes it. */
static void shell_word(const char *path, struct buf *out)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./+:,@%";

    if (path[strspn(path, plain)] == '\0') {
        buf_str(out, path);
        return;
    }
    buf_char(out, '\'');
    for (const char *p = path; *p != '\0'; p++) {
        if (*p == '\'')
            buf_str(out, "'\\''");
        else
            buf_char(out, *p);
    }
    buf_char(out, '\'');
}

static void next_steps(struct up *u)
{
    const char *path = u->home->database_file;
    const struct run_view *r = u->view.now.run_count > 0 ? &u->view.now.runs[0] : NULL;
    struct buf out;

    for (int i = 0; i < u->view.now.run_count; i++) {
        if (str_is(str_of(u->view.now.runs[i].entity), "deals"))
            r = &u->view.now.runs[i];
    }
    if (path == NULL || r == NULL || r->table[0] == '\0')
        return;
    buf_init(&out, 65536);
    buf_fmt(&out, "%s:\n  sqlite3 ", say("Попробуйте", "Try"));
    shell_word(path, &out);
    if (str_is(str_of(r->entity), "deals"))
        buf_fmt(&out,
            " \"SELECT stage_id, currency_id, count(*), printf('%%.2f', sum(opportunity)) FROM %s "
            "WHERE _deleted_at IS NULL GROUP BY 1, 2\"\n",
            r->table);
    else
        buf_fmt(&out, " \"SELECT count(*) FROM %s WHERE _deleted_at IS NULL\"\n", r->table);
    screen_print(&u->screen, buf_cstr(&out));
    buf_fini(&out);
}

static void summary_show(struct up *u)
{
    struct buf out;

    buf_init(&out, 1 << 20);
    view_summary(&u->view, &u->wanted, screen_colour(), &out);
    screen_printf(&u->screen, "\n");
    screen_print(&u->screen, buf_cstr(&out));
    buf_fini(&out);
}

static void staying_tell(struct up *u)
{
    if (u->failed) {
        screen_printf(&u->screen, "%s\n",
            say("Не всё зеркалируется. Исправьте, затем: potok sync. Ctrl-C остановит всё.",
                "Not everything is mirrored. Put it right, then: potok sync. Ctrl-C stops everything."));
        return;
    }
    u->told_steps = true;
    next_steps(u);
    screen_printf(&u->screen, "  potok status\n  potok logs -f\n%s\n",
        say("Зеркало работает; Ctrl-C остановит всё.", "The mirror is up; Ctrl-C stops everything."));
}

static const char *state_word(const struct child *c)
{
    static const struct {
        const char *state, *ru, *en;
    } words[] = { { "starting", "запускается", "starting" }, { "ready", "готов", "ready" },
        { "busy", "занят", "busy" }, { "stopping", "завершается", "stopping" } };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(c->state, words[i].state) == 0)
            return say(words[i].ru, words[i].en);
    }
    return c->pid == 0 ? say("ждёт запуска", "waits") : "…";
}

static void services_block(const struct up *u, struct buf *out)
{
    for (int i = 0; i < u->supervise.count; i++) {
        const struct child *c = &u->supervise.list[i];

        buf_fmt(out, "%s%s %s", i > 0 ? "   " : "  ", c->instance, state_word(c));
    }
    buf_char(out, '\n');
}

/* Why nothing moves: services that do not answer or say they cannot, portals that are not well. */
static void troubles_collect(struct up *u, uint64_t now_ms)
{
    uint64_t silent_ms = now_ms - u->answered_ms;
    struct buf out;

    buf_init(&out, 65536);
    if (u->told_ready && silent_ms > SILENT_MS)
        buf_fmt(&out, "scheduler.1: %s\n", say("не отвечает дольше 3 с", "no answer for over 3 s"));
    for (int i = 0; i < u->supervise.count; i++) {
        if (u->supervise.list[i].trouble[0] != '\0')
            buf_fmt(&out, "%s: %s\n", u->supervise.list[i].instance, u->supervise.list[i].trouble);
    }
    view_troubles(&u->view, &out);
    if (strncmp(u->trouble, buf_cstr(&out), sizeof(u->trouble) - 1) != 0) {
        snprintf(u->trouble, sizeof(u->trouble), "%s", buf_cstr(&out));
        u->trouble_ms = now_ms;
    }
    buf_fini(&out);
}

/* Once, and when it changes; what comes and goes within a second is nobody's business. */
static void troubles_tell(struct up *u, uint64_t now_ms)
{
    if (now_ms - u->trouble_ms < TROUBLE_TOLD_MS || strcmp(u->trouble, u->told_trouble) == 0)
        return;
    screen_print(
        &u->screen, u->trouble[0] != '\0' ? u->trouble : say("дальше без помех\n", "going on again\n"));
    memcpy(u->told_trouble, u->trouble, sizeof(u->trouble));
}

static void draw(struct up *u, uint64_t now_ms)
{
    struct buf out;

    troubles_collect(u, now_ms);
    troubles_tell(u, now_ms);
    buf_init(&out, 1 << 20);
    if (u->screen.live) {
        services_block(u, &out);
        view_block(&u->view, &u->wanted, screen_colour(), &out);
        screen_block(&u->screen, buf_view(&out));
    } else if (now_ms - u->lines_ms >= LINES_EVERY_MS) {
        u->lines_ms = now_ms;
        view_lines(&u->view, &u->wanted, &out);
        screen_print(&u->screen, buf_cstr(&out));
    }
    buf_fini(&out);
}

/* What is about to happen: from where to where. */
static void plan_tell(struct up *u)
{
    char url[512];

    for (int i = 0; i < u->home->config.portal_count; i++) {
        url_mask(str_of(u->home->config.portals[i].url), url, sizeof(url));
        screen_printf(
            &u->screen, "%s %s: %s\n", say("Портал", "Portal"), u->home->config.portals[i].name, url);
    }
    url_mask(str_of(u->home->database_url), url, sizeof(url));
    screen_printf(&u->screen, "%s: %s\n", say("База данных", "Database"), url);
}

/* ---- the sync ---- */

static void runs_take(struct up *u, struct str body)
{
    run_set_take(&u->wanted, body);
    u->phase = UP_RUNNING;
    u->reached_ms = clock_mono_ms();
}

static void on_sync(void *ctx, int status, struct str body, const struct err *err)
{
    struct up *u = ctx;

    if (u->phase == UP_STOPPING)
        return;
    if (status == 0) {
        runs_take(u, body);
        if (u->wanted.count == 0)
            up_fail(u, EXIT_FAILED, "%s", say("нечего зеркалировать", "there is nothing to mirror"));
    } else if (err->kind != ERR_TEMP) {
        up_fail(u, EXIT_FAILED, "%s", err->text);
    }
}

/* Ours to show: begun by these services, or left open by those before them. */
static bool is_ours(const struct up *u, const struct run_view *r)
{
    return !u->once && (r->id > u->runs_before || !run_ended(r) || r->finished_ms > u->since_ms);
}

/* A run of ours that is not on show yet is shown, whatever it came to meanwhile; one that ended is told once.
 * Failures are told together, and not here when the summary follows at once. */
static void runs_follow(struct up *u)
{
    struct run_set failed = { .count = 0 };
    char name[120];
    struct buf out;

    buf_init(&out, 65536);
    for (int i = 0; i < u->view.now.run_count; i++) {
        const struct run_view *r = &u->view.now.runs[i];

        if (is_ours(u, r) && !run_set_has(&u->wanted, r->id)) {
            run_set_add(&u->wanted, r->id);
            buf_fmt(&out, "%s: %s\n", view_name(&u->view, r, name, sizeof(name)),
                say("синхронизация началась", "the sync has begun"));
        }
        if (!run_set_has(&u->wanted, r->id) || !run_ended(r) || !view_tell_once(&u->view, r->id))
            continue;
        if (run_failed(r) && r->read == 0)
            run_set_add(&failed, r->id);
        else
            view_ended(&u->view, r, &out);
    }
    if (!view_all_ended(&u->view, &u->wanted))
        view_failures(&u->view, &failed, &out);
    if (out.n > 0)
        screen_print(&u->screen, buf_cstr(&out));
    buf_fini(&out);
}

/* Not --once: when all that was on show has ended, the table is shown and the slate is clean. */
static void runs_settle(struct up *u, uint64_t now_ms)
{
    bool quiet = u->told_ready && now_ms - u->ready_ms > QUIET_MS && u->wanted.count == 0 && !u->failed;

    if (view_all_ended(&u->view, &u->wanted)) {
        summary_show(u);
        u->failed = view_failed_count(&u->view, &u->wanted) > 0;
        for (int i = 0; i < u->wanted.count; i++) {
            const struct run_view *r = snapshot_run(&u->view.now, u->wanted.ids[i]);

            if (r->id > u->runs_before)
                u->runs_before = r->id;
            if (r->finished_ms > u->since_ms)
                u->since_ms = r->finished_ms;
        }
        u->wanted.count = 0;
        quiet = true;
    }
    if (quiet && !u->told_steps)
        staying_tell(u);
}

/* No run on show is past its first questions. */
static bool only_probing(const struct up *u)
{
    for (int i = 0; i < u->view.now.run_count; i++) {
        const struct run_view *r = &u->view.now.runs[i];

        if (run_set_has(&u->wanted, r->id) && !run_ended(r) && strcmp(r->state, "probing") != 0)
            return false;
    }
    return true;
}

/* What keeps the sync from going on, or NULL while it goes: a portal in trouble, or one whose fields nobody
 * could learn yet. */
static const char *trouble(const struct up *u)
{
    bool stuck = only_probing(u);

    for (int i = 0; i < u->view.now.portal_count; i++) {
        const struct portal_view *p = &u->view.now.portals[i];

        if (p->error[0] != '\0' && (stuck || strcmp(p->state, "ok") != 0))
            return p->error;
    }
    return stuck ? say("описание полей не получено; см. `potok logs scheduler`",
                       "it did not describe its fields; see `potok logs scheduler`")
                 : NULL;
}

static void portals_watch(struct up *u, uint64_t now_ms)
{
    const char *why = trouble(u);

    if (why == NULL)
        u->reached_ms = now_ms;
    else if (now_ms - u->reached_ms >= (uint64_t)u->home->patience_ms)
        up_fail(u, EXIT_FAILED, "%s: %s", say("портал недоступен", "the portal is out of reach"), why);
}

static void once_settle(struct up *u, uint64_t now_ms)
{
    uint64_t failing, marks = view_marks(&u->view, &u->wanted, &failing);

    if (!view_all_ended(&u->view, &u->wanted)) {
        portals_watch(u, now_ms);
        return;
    }
    if (marks > 0 && view_failed_count(&u->view, &u->wanted) == 0)
        return; /* what lists left out is asked for one by one */
    summary_show(u);
    if (view_failed_count(&u->view, &u->wanted) == 0)
        next_steps(u);
    if (view_failed_count(&u->view, &u->wanted) > 0)
        up_fail(u, EXIT_FAILED, "%s", say("не всё удалось, см. выше", "not everything went well, see above"));
    else if (failing > 0)
        up_fail(u, EXIT_FAILED, "%s: %llu",
            say("записей, которые не удалось проверить", "records that could not be looked up"),
            (unsigned long long)failing);
    else
        up_stop(u, EXIT_WELL);
}

static void on_state(void *ctx, int status, struct str body, const struct err *err)
{
    struct up *u = ctx;
    struct snapshot *now = &u->fresh;
    struct err ignored;
    uint64_t now_ms = clock_mono_ms();

    if (u->phase == UP_STOPPING || status < 0 || snapshot_read(now, body, &ignored) < 0)
        return; /* asked again at the next tick */
    u->answered_ms = now_ms;
    view_seen(&u->view, now, now_ms);
    u->phase = UP_RUNNING;
    runs_follow(u);
    if (u->once)
        once_settle(u, now_ms);
    else
        runs_settle(u, now_ms);
}

static void on_tick(uv_timer_t *timer)
{
    struct up *u = timer->data;
    uint64_t now_ms = clock_mono_ms();

    if (u->phase == UP_STOPPING) {
        screen_erase(&u->screen);
        return;
    }
    if (!control_busy(&u->control)) {
        if (u->once && u->phase == UP_STARTING)
            control_ask(&u->control, "sync", "{}", CONTROL_TIMEOUT_MS, on_sync, u);
        else
            control_ask(&u->control, "status", "{}", CONTROL_TIMEOUT_MS, on_state, u);
    }
    if (u->phase == UP_STARTING && now_ms - u->started_ms > ANSWER_WITHIN_MS)
        up_fail(u, EXIT_FAILED, "%s %s/scheduler.1.log",
            say("планировщик не отвечает; журнал:", "the scheduler does not answer; its log:"),
            u->home->log_dir);
    draw(u, now_ms);
}

/* ---- life ---- */

static int services_add(struct up *u, struct err *err)
{
    for (int i = 0; i < SERVICE_COUNT; i++) {
        int instances;

        if (!SERVICES[i].up)
            continue;
        if (service_instances(&SERVICES[i], &u->home->config, &instances, err) < 0 ||
            supervise_add(&u->supervise, SERVICES[i].name, instances, err) < 0)
            return -1;
    }
    return 0;
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
    const struct supervise_events events = { on_ready, on_exit_of, on_all_gone, u };

    supervise_init(&u->supervise, &u->loop, u->home->log_dir, &events);
    for (int i = 0; i < 3; i++) {
        uv_signal_init(&u->loop, &u->signals[i]);
        u->signals[i].data = u;
        uv_signal_start(&u->signals[i], on_signal, numbers[i]);
    }
    uv_timer_init(&u->loop, &u->tick);
    u->tick.data = u;
    uv_timer_start(&u->tick, on_tick, TICK_MS, TICK_MS);
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
        plan_tell(u);
        u->since_ms = clock_wall_ms();
        supervise_start(&u->supervise);
        uv_run(&u->loop, UV_RUN_DEFAULT);
    }
    screen_erase(&u->screen);
    handles_close(u);
    return u->exit_code;
}
