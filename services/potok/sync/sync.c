/* sync.c - `potok sync`: asks the running scheduler for a full sync, and watches it. */
#include "command.h"

#include "base/clock.h"
#include "base/mem.h"
#include "ask/absence.h"
#include "ask/control.h"
#include "home.h"
#include "ask/question.h"
#include "words/say.h"
#include "words/screen.h"
#include "deletions.h"
#include "ids.h"
#include "view.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TICK_MS        250
#define TICK_QUICK_MS  50 /* at first: a small sync is over at once, and a script waits for it */
#define QUICK_FOR_MS   1000
#define LINES_EVERY_MS 5000
#define SILENCE_MS     30000 /* a killed scheduler is back by then */

enum { OPTION_FULL, OPTION_ID, OPTION_DELETIONS, OPTION_WAIT, OPTION_PORTAL, OPTION_JSON };
static const struct option_def OPTIONS[] = {
    { "--full", 0, false, "перечитать всё (в этой версии так всегда)",
        "read everything (always so in this version)" },
    { "--id", 0, true, "только эти записи: --id 42,43", "these records only: --id 42,43" },
    { "--deletions", 0, false, "только найти удалённое: номера всех записей, без ожидания",
        "only find what was deleted: the ids of all records; does not wait" },
    { "--wait", 'w', false, "ждать конца, код выхода 1 при неудаче",
        "wait for the end; exit code 1 when something failed" },
    { "--portal", 0, true, "только этот портал", "this portal only" },
    { "--json", 0, false, "ответ для программ: по строке JSON на запуск",
        "for programs: a line of JSON for each run" },
    { NULL, 0, false, NULL, NULL },
};

struct sync {
    uv_loop_t loop;
    uv_timer_t tick;
    uv_signal_t sigint;
    struct bus *bus;
    struct control control;
    struct screen screen;
    struct view view;
    struct snapshot fresh;
    struct run_set wanted;
    bool json, left; /* left: Ctrl-C; the sync goes on */
    uint64_t began_ms, lines_ms, answered_ms;
    char trouble[1024]; /* told last: why nothing moves */
    char *body;         /* the latest answer */
    struct err err;
    int exit_code;
};

static void body_keep(struct sync *s, struct str body)
{
    free(s->body);
    s->body = str_dup(body);
}

/* The runs of the latest answer that were asked for, a line of JSON each. */
static void runs_print_json(const struct sync *s)
{
    json_t *root = json_loads(s->body, 0, NULL), *run;
    size_t i;

    json_array_foreach(json_object_get(root, "runs"), i, run) {
        if (!run_set_has(&s->wanted, (uint64_t)json_integer_value(json_object_get(run, "id"))))
            continue;
        char *line = json_dumps(run, JSON_COMPACT);

        printf("%s\n", line);
        free(line);
    }
    json_decref(root);
    fflush(stdout);
}

static void runs_print(const struct sync *s)
{
    json_t *root = json_loads(s->body, 0, NULL), *run;
    size_t i;

    json_array_foreach(json_object_get(root, "runs"), i, run)
        printf("%s %s/%s: %s %lld\n", say("начата синхронизация", "sync started,"),
            json_string_value(json_object_get(run, "portal")),
            json_string_value(json_object_get(run, "entity")), say("запуск", "run"),
            (long long)json_integer_value(json_object_get(run, "id")));
    json_decref(root);
}

/* ---- watching ---- */

static void finish(struct sync *s, uint64_t failing)
{
    struct buf out;

    buf_init(&out, 1 << 20);
    screen_erase(&s->screen);
    if (s->json) {
        runs_print_json(s);
    } else {
        view_summary(&s->view, &s->wanted, screen_colour(), &out);
        screen_print(&s->screen, buf_cstr(&out));
        if (failing > 0)
            printf("%s: %llu\n",
                say("записей, которые не удалось проверить", "records that could not be looked up"),
                (unsigned long long)failing);
    }
    buf_fini(&out);
    s->exit_code = view_failed_count(&s->view, &s->wanted) > 0 || failing > 0 ? EXIT_FAILED : EXIT_WELL;
    uv_stop(&s->loop);
}

/* Once, and when it changes. The bars tell of portals by themselves. */
static void troubles_tell(struct sync *s, bool silent)
{
    char text[sizeof(s->trouble)];
    struct buf out;

    buf_init(&out, 65536);
    if (silent)
        buf_fmt(&out, "scheduler.1: %s\n", say("не отвечает дольше 3 с", "no answer for over 3 s"));
    else if (!s->screen.live)
        view_troubles(&s->view, &out);
    snprintf(text, sizeof(text), "%s", buf_cstr(&out));
    buf_fini(&out);
    if (s->json || strcmp(text, s->trouble) == 0)
        return;
    screen_print(&s->screen, text[0] != '\0' ? text : say("дальше без помех\n", "going on again\n"));
    memcpy(s->trouble, text, sizeof(text));
}

static void draw(struct sync *s, uint64_t now_ms)
{
    struct buf out;

    buf_init(&out, 1 << 20);
    if (s->json) {
        ; /* programs wait for the end */
    } else if (s->screen.live) {
        view_block(&s->view, &s->wanted, screen_colour(), &out);
        screen_block(&s->screen, buf_view(&out));
    } else if (now_ms - s->lines_ms >= LINES_EVERY_MS) {
        s->lines_ms = now_ms;
        view_lines(&s->view, &s->wanted, &out);
        screen_print(&s->screen, buf_cstr(&out));
    }
    buf_fini(&out);
}

static void go_on(struct sync *s, uint64_t now_ms)
{
    troubles_tell(s, false);
    draw(s, now_ms);
}

static void give_up(struct sync *s, const char *why)
{
    err_set(&s->err, ERR_TEMP, "%s", why);
    s->exit_code = EXIT_FAILED;
    uv_stop(&s->loop);
}

/* What lists left out is not asked for any more. */
static void stopped(struct sync *s, uint64_t failing, uint64_t marks)
{
    finish(s, failing);
    err_set(&s->err, ERR_AUTH, "%s %s; %s: %llu", say("портал остановлен:", "the portal is stopped:"),
        view_stopped(&s->view, &s->wanted)->error,
        say("ещё не проверено записей", "records not looked up yet"), (unsigned long long)marks);
    s->exit_code = EXIT_FAILED;
}

static void on_state(void *ctx, int status, struct str body, const struct err *err)
{
    struct sync *s = ctx;
    uint64_t now_ms = clock_mono_ms(), failing, marks;
    struct err ignored;

    if (status < 0 || snapshot_read(&s->fresh, body, &ignored) < 0) {
        troubles_tell(s, now_ms - s->answered_ms >= CONTROL_TIMEOUT_MS);
        if (now_ms - s->answered_ms < SILENCE_MS)
            return;
        give_up(s, say("планировщик перестал отвечать; синхронизация продолжится, когда он вернётся",
                       "the scheduler stopped answering; the sync goes on when it is back"));
        return;
    }
    s->answered_ms = now_ms;
    body_keep(s, body);
    view_seen(&s->view, &s->fresh, now_ms);
    view_follow(&s->view, &s->wanted);
    marks = view_marks(&s->view, &s->wanted, &failing);
    if (view_all_ended(&s->view, &s->wanted) && (marks == 0 || view_failed_count(&s->view, &s->wanted) > 0))
        finish(s, failing);
    else if (view_stopped(&s->view, &s->wanted) != NULL)
        stopped(s, failing, marks);
    else if (view_unconnected(&s->view, &s->wanted) != NULL)
        give_up(s, view_unconnected(&s->view, &s->wanted)->error);
    else
        go_on(s, now_ms);
}

static void on_tick(uv_timer_t *timer)
{
    struct sync *s = timer->data;
    char since[48];

    if (clock_mono_ms() - s->began_ms > QUICK_FOR_MS)
        uv_timer_set_repeat(timer, TICK_MS);
    if (control_busy(&s->control))
        return;
    snprintf(since, sizeof(since), "{\"since\":%llu}", (unsigned long long)run_set_since(&s->wanted));
    control_ask(&s->control, "status", since, CONTROL_TIMEOUT_MS, on_state, s);
}

static void on_sigint(uv_signal_t *handle, int signum)
{
    struct sync *s = handle->data;

    s->left = true;
    s->exit_code = EXIT_FAILED;
    uv_stop(&s->loop);
}

static int watch_open(struct sync *s, const struct home *home, struct err *err)
{
    s->bus = bus_new(&s->loop, home->run_dir, "potok");
    if (control_open(&s->control, &s->loop, s->bus, home->bus_scheduler, err) < 0)
        return -1;
    uv_signal_init(&s->loop, &s->sigint);
    uv_timer_init(&s->loop, &s->tick);
    s->sigint.data = s->tick.data = s;
    uv_signal_start(&s->sigint, on_sigint, SIGINT);
    uv_timer_start(&s->tick, on_tick, 0, TICK_QUICK_MS);
    return 0;
}

static int watch(struct sync *s, const struct home *home, struct err *err)
{
    uv_loop_init(&s->loop);
    screen_init(&s->screen);
    s->began_ms = s->lines_ms = s->answered_ms = clock_mono_ms();
    if (watch_open(s, home, err) < 0) {
        bus_free(&s->bus);
        return -1;
    }
    uv_run(&s->loop, UV_RUN_DEFAULT);
    control_close(&s->control);
    bus_free(&s->bus);
    uv_close((uv_handle_t *)&s->sigint, NULL);
    uv_close((uv_handle_t *)&s->tick, NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    uv_loop_close(&s->loop);
    bus_shutdown();
    screen_keep(&s->screen);
    if (s->left)
        fprintf(stderr, "%s\n",
            say("Синхронизация идёт дальше без нас; `potok status` покажет её.",
                "The sync goes on by itself; `potok status` shows it."));
    if (s->err.text[0] != '\0')
        fprintf(stderr, "potok: %s\n", s->err.text);
    return 0;
}

static void error_print_json(const char *text)
{
    json_t *o = json_pack("{s:s}", "error", text);
    char *line = json_dumps(o, JSON_COMPACT);

    printf("%s\n", line);
    free(line);
    json_decref(o);
}

static int not_running(const struct sync *s, const struct home *home, const struct err *err)
{
    char why[800];

    snprintf(why, sizeof(why), "%s", err->text);
    if (err->kind == ERR_TEMP)
        absence_tell(home, why, sizeof(why));
    if (s->json)
        error_print_json(why);
    if (err->kind != ERR_TEMP)
        return command_failed(err);
    fprintf(stderr, "potok: %s\n", why);
    return EXIT_FAILED;
}

static int ask(struct sync *s, const struct home *home, const char *question, bool wait)
{
    struct err err = { 0 };

    if (absence_may_look(home, &err) < 0 ||
        control_call(home->run_dir, home->bus_scheduler, "sync", question, &s->body, &err) < 0)
        return not_running(s, home, &err);
    run_set_take(&s->wanted, str_of(s->body));
    if (!wait) {
        if (s->json)
            runs_print_json(s);
        else
            runs_print(s);
        return EXIT_WELL;
    }
    return watch(s, home, &err) < 0 ? command_failed(&err) : s->exit_code;
}

static int sync_run(const struct args *args)
{
    struct sync *s;
    struct home home;
    struct err err = { 0 };
    const char *ids = args->option[OPTION_ID];
    char *question = question_of(args, args->option[OPTION_PORTAL], ids, &err);
    bool json = args->option[OPTION_JSON] != NULL,
         wait = args->option[OPTION_WAIT] != NULL || (isatty(STDOUT_FILENO) && !json);
    int code;

    if (question != NULL && args->option[OPTION_DELETIONS] != NULL &&
        (ids != NULL || args->option[OPTION_WAIT] != NULL || args->option[OPTION_FULL] != NULL)) {
        err_set(&err, ERR_CONF, "%s",
            say("--deletions не сочетается с --id, --wait и --full",
                "--deletions does not go with --id, --wait and --full"));
        free(question);
        question = NULL;
    }
    if (question == NULL)
        return command_misused("sync", &err);
    if (home_load(&home, NULL, &err) < 0) {
        free(question);
        return command_failed(&err);
    }
    s = xcalloc(1, sizeof(*s));
    s->json = json;
    if (args->option[OPTION_DELETIONS] != NULL)
        code = sync_deletions(&home, question, json);
    else
        code = ids != NULL ? sync_ids(&home, question, wait, json) : ask(s, &home, question, wait);
    free(s->body);
    free(s);
    free(question);
    home_free(&home);
    return code;
}

const struct command COMMAND_SYNC = { "sync", "[ENTITY…]", "перечитать портал (без слов: всё зеркало)",
    "read the portal again (without words: the whole mirror)", OPTIONS, sync_run };
