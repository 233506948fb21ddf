/* The test starts itself as the service (main() below) and talks to it as the world does: arguments,
 * environment, signals, HTTP, the bus. */
#include "run/app.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "run/bus.h"
#include "run/http_client.h"
#include "run/http_server.h"
#include "run/lock.h"
#include "support/check.h"
#include "turn.h"

/* --- the service --- */

struct service {
    char *mode;
    int64_t number;
    struct app *app;
    uv_timer_t timer;
};

static const struct setting settings[] = {
    SET_STR(struct service, mode, "BUS_MAPPER", "plain", "what to play"),
    SET_INT(struct service, number, "JOBS_UNFINISHED", "8", 1, 100, "a number"),
    SET_END,
};

/* As in a call that does not come back. */
static void stand_still(void)
{
    printf("stands still\n");
    fflush(stdout);
    for (;;)
        pause();
}

static void on_timer(uv_timer_t *timer)
{
    struct service *s = timer->data;

    if (strcmp(s->mode, "fails later") == 0)
        app_fail(s->app, &(struct err){ .kind = ERR_TEMP, .text = "the database went away" });
    else if (s->app->stopping && strcmp(s->mode, "slow stop") == 0)
        app_quit(s->app);
    else if (strcmp(s->mode, "busy for ever") == 0)
        stand_still();
    else if (strcmp(s->mode, "begins anew") == 0)
        app_again(s->app);
}

static int start(struct app *app, void *state, struct err *err)
{
    struct service *s = state;

    s->app = app;
    s->timer.data = s;
    uv_timer_init(app->loop, &s->timer);
    if (strcmp(s->mode, "fails") == 0)
        return err_set(err, ERR_TEMP, "no database");
    if (strcmp(s->mode, "misconfigured") == 0)
        return err_set(err, ERR_CONF, "no portal");
    if (strcmp(s->mode, "starts for ever") == 0)
        stand_still();
    uv_timer_start(&s->timer, on_timer, 100, 100);
    return 0;
}

static void stop_soon(void *state)
{
}

static void stop(void *state)
{
    struct service *s = state;

    if (strcmp(s->mode, "stops for ever") == 0)
        stand_still();
    if (strcmp(s->mode, "begins anew") == 0) {
        printf("on its way\n");
        fflush(stdout);
        usleep(500000);
    }
    uv_close((uv_handle_t *)&s->timer, NULL);
}

static bool is_ready(void *state, struct buf *why_not)
{
    struct service *s = state;

    if (strcmp(s->mode, "unready") != 0)
        return true;
    buf_str(why_not, "waits for \"somebody\"");
    return false;
}

static bool is_busy(void *state)
{
    return strcmp(((struct service *)state)->mode, "busy") == 0;
}

static void detail(void *state, json_t *into)
{
    json_object_set_new(into, "number", json_integer(((struct service *)state)->number));
}

static int serve(int argc, char **argv)
{
    struct app_def def = { .name = "mapper",
        .about = "plays a service",
        .settings = settings,
        .state_size = sizeof(struct service),
        .start = start,
        .stop = stop,
        .ready = is_ready,
        .busy = is_busy,
        .detail = detail };
    const char *mode = getenv("BUS_MAPPER");

    if (mode != NULL && (strcmp(mode, "slow stop") == 0 || strcmp(mode, "stuck") == 0))
        def.stop_soon = stop_soon;
    return app_main(argc, argv, &def);
}

/* --- starting it --- */

struct child {
    pid_t pid;
    char home[128];
    char log[160];
};

/* `settings`: "NAME=value" ending in NULL. The folder is made when home is "". */
static void spawn(struct child *c, const char *argument, const char *const *environment)
{
    static int number;

    if (c->home[0] == '\0')
        snprintf(c->home, sizeof(c->home), "%s/home%d", check_folder(), number);
    snprintf(c->log, sizeof(c->log), "%s/log%d", check_folder(), number++);
    fflush(NULL);
    c->pid = fork();
    if (c->pid != 0)
        return;

    int fd = open(c->log, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    dup2(fd, 1);
    dup2(fd, 2);
    setenv("POTOK_HOME", c->home, 1);
    setenv("POTOK_TEST_SERVICE", "1", 1);
    setenv("STATUS_INTERVAL", "50ms", 1);
    for (; environment != NULL && *environment != NULL; environment++)
        putenv((char *)*environment);
    execl("/proc/self/exe", "potok-mapper", argument, (char *)NULL);
    _exit(99);
}

static int wait_for_exit(struct child *c)
{
    int status;

    for (int i = 0; i < 2000; i++) {
        if (waitpid(c->pid, &status, WNOHANG) == c->pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
        usleep(5000);
    }
    kill(c->pid, SIGKILL);
    waitpid(c->pid, &status, 0);
    return -1;
}

static const char *read_file(const char *path)
{
    static char text[65536];
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

    text[n > 0 ? n : 0] = '\0';
    if (fd >= 0)
        close(fd);
    return text;
}

static void wait_for_line(struct child *c, const char *part)
{
    for (int i = 0; i < 2000 && strstr(read_file(c->log), part) == NULL; i++)
        usleep(5000);
    CHECK_HAS(read_file(c->log), part);
}

static int run(struct child *c, const char *argument, const char *const *environment)
{
    spawn(c, argument, environment);
    return wait_for_exit(c);
}

/* --- asking it --- */

struct page {
    int count;
    int status;
    char text[16384];
};

static void on_done(void *ctx, struct http_answer *a)
{
    struct page *page = ctx;

    page->count++;
    page->status = a->status;
    snprintf(page->text, sizeof(page->text), "%.*s", (int)a->body.n, a->body.p);
}

static struct page get(const char *address, const char *path)
{
    uv_loop_t loop;
    char url[256];
    struct page page = { 0 };
    struct err err = { 0 };

    uv_loop_init(&loop);
    struct http_client *client = http_client_new(&loop, "test");
    snprintf(url, sizeof(url), "http://%s%s", address, path);
    CHECK(http_start(client,
              &(struct http_request){ .method = "GET",
                  .url = url,
                  .deadline_ms = 5000,
                  .max_bytes = 1 << 20,
                  .on_done = on_done,
                  .ctx = &page },
              &err) != NULL);
    turn_until(&loop, &page.count, 1);
    http_client_free(&client);
    turn_end(&loop);
    return page;
}

static const char *pid_file(const struct child *c)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/run/mapper.1.pid", c->home);
    return path;
}

/* The second line of the pid file. */
static const char *address_of(const struct child *c)
{
    static char address[128];
    int pid = 0;

    CHECK_EQ(sscanf(read_file(pid_file(c)), "%d\n%127s", &pid, address), 2);
    CHECK_EQ(pid, c->pid);
    return address;
}

/* --- tests --- */

TEST(it_serves_health_ready_and_metrics_and_stops_cleanly)
{
    struct child c = { 0 };

    spawn(&c, NULL, NULL);
    wait_for_line(&c, "service.ready");
    struct page page = get(address_of(&c), "/health");
    CHECK_EQ(page.status, 200);
    CHECK_HAS(page.text, "\"ok\"");
    page = get(address_of(&c), "/ready");
    CHECK_EQ(page.status, 200);
    page = get(address_of(&c), "/metrics");
    CHECK_EQ(page.status, 200);
    CHECK_HAS(page.text, "potok_loop_lag_seconds_bucket");
    CHECK_HAS(page.text, "process_resident_memory_bytes");
    CHECK_HAS(page.text, "potok_up{service=\"mapper\"");
    page = get(address_of(&c), "/other");
    CHECK_EQ(page.status, 404);
    CHECK_HAS(page.text, "/metrics");
    CHECK(lock_is_held(pid_file(&c)));

    kill(c.pid, SIGTERM);
    CHECK_EQ(wait_for_exit(&c), 0);
    CHECK_HAS(read_file(c.log), "service.starting");
    CHECK_HAS(read_file(c.log), "SIGTERM");
    CHECK_HAS(read_file(c.log), "service.stopped");
    CHECK_EQ(access(pid_file(&c), F_OK), -1);
}

TEST(not_ready_says_why)
{
    struct child c = { 0 };

    spawn(&c, NULL, (const char *[]){ "BUS_MAPPER=unready", NULL });
    wait_for_line(&c, "service.ready");
    struct page page = get(address_of(&c), "/ready");
    CHECK_EQ(page.status, 503);
    CHECK_HAS(page.text, "waits for \\\"somebody\\\"");
    kill(c.pid, SIGINT);
    CHECK_EQ(wait_for_exit(&c), 0);
    CHECK_HAS(read_file(c.log), "SIGINT");
}

TEST(the_same_instance_does_not_run_twice)
{
    struct child c = { 0 }, second = { 0 };

    spawn(&c, NULL, NULL);
    wait_for_line(&c, "service.ready");
    strcpy(second.home, c.home);
    CHECK_EQ(run(&second, NULL, NULL), 2);
    CHECK_HAS(read_file(second.log), "mapper.1 already runs here");
    CHECK_EQ(run(&second, NULL, (const char *[]){ "POTOK_INSTANCE=2", "BUS_MAPPER=fails", NULL }), 1);
    CHECK_HAS(read_file(second.log), "no database");
    CHECK_EQ(access(pid_file(&c), F_OK), 0);
    kill(c.pid, SIGTERM);
    CHECK_EQ(wait_for_exit(&c), 0);
}

TEST(a_killed_one_does_not_keep_the_next_from_starting)
{
    struct child c = { 0 };

    spawn(&c, NULL, NULL);
    wait_for_line(&c, "service.ready");
    kill(c.pid, SIGKILL);
    CHECK_EQ(wait_for_exit(&c), 1000 + SIGKILL);
    CHECK_EQ(access(pid_file(&c), F_OK), 0);
    spawn(&c, NULL, NULL);
    wait_for_line(&c, "service.ready");
    kill(c.pid, SIGTERM);
    CHECK_EQ(wait_for_exit(&c), 0);
}

TEST(a_metrics_address_in_use_is_named)
{
    struct child c = { 0 };
    struct err err = { 0 };
    uv_loop_t loop;
    char environment[160], address[128];

    uv_loop_init(&loop);
    struct http_server *server =
        http_server_new(&loop, &(struct http_server_def){ .listen = "127.0.0.1:0" }, &err);
    snprintf(address, sizeof(address), "%s", http_server_address(server));
    snprintf(environment, sizeof(environment), "METRICS_LISTEN=%s", address);
    CHECK_EQ(run(&c, NULL, (const char *[]){ environment, NULL }), 2);
    CHECK_HAS(read_file(c.log), "METRICS_LISTEN");
    CHECK_HAS(read_file(c.log), address);
    CHECK_HAS(read_file(c.log), "service.failed");
    http_server_free(&server);
    turn_end(&loop);
}

TEST(exit_codes_tell_failure_from_misuse)
{
    static const struct {
        const char *argument;
        const char *setting;
        int code;
        const char *said;
    } cases[] = {
        { NULL, "BUS_MAPPER=fails", 1, "no database" },
        { NULL, "BUS_MAPPER=misconfigured", 2, "no portal" },
        { NULL, "BUS_MAPPER=fails later", 1, "the database went away" },
        { NULL, "JOBS_UNFINISHED=101", 2, "JOBS_UNFINISHED" },
        { NULL, "LOG_LEVEL=LOUD", 2, "LOG_LEVEL" },
        { NULL, "METRICS_LISTEN=here", 2, "METRICS_LISTEN" },
        { "--check", "JOBS_UNFINISHED=101", 2, "JOBS_UNFINISHED" },
        { "--check", "JOBS_UNFINISHED=100", 0, "JOBS_UNFINISHED=100" },
        { "--help", NULL, 0, "JOBS_UNFINISHED" },
        { "--help", NULL, 0, "METRICS_LISTEN" },
        { "--version", NULL, 0, POTOK_VERSION },
        { "--settings", NULL, 0, "STOP_TIMEOUT" },
        { "--fast", NULL, 2, "--fast" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct child c = { 0 };
        int code = run(&c, cases[i].argument, (const char *[]){ cases[i].setting, NULL });
        if (code != cases[i].code)
            print_error("case %zu: %s\n", i, read_file(c.log));
        CHECK_EQ(code, cases[i].code);
        CHECK_HAS(read_file(c.log), cases[i].said);
    }
}

TEST(a_home_too_deep_for_sockets_is_refused_with_advice)
{
    struct child c = { 0 };

    snprintf(c.home, sizeof(c.home), "%s/%080d", check_folder(), 1);
    CHECK_EQ(run(&c, NULL, NULL), 2);
    CHECK_HAS(read_file(c.log), "POTOK_HOME");
}

TEST(work_in_hand_is_finished_before_the_end)
{
    struct child c = { 0 };

    spawn(&c, NULL, (const char *[]){ "BUS_MAPPER=slow stop", NULL });
    wait_for_line(&c, "service.ready");
    kill(c.pid, SIGTERM);
    CHECK_EQ(wait_for_exit(&c), 0);
    CHECK(strstr(read_file(c.log), "service.stop_timeout") == NULL);
}

TEST(a_stop_that_takes_too_long_is_cut)
{
    struct child c = { 0 };

    spawn(&c, NULL, (const char *[]){ "BUS_MAPPER=stuck", "STOP_TIMEOUT=200ms", NULL });
    wait_for_line(&c, "service.ready");
    kill(c.pid, SIGTERM);
    CHECK_EQ(wait_for_exit(&c), 0);
    CHECK_HAS(read_file(c.log), "service.stop_timeout");
}

TEST(a_second_signal_ends_a_slow_stop)
{
    struct child c = { 0 };

    spawn(&c, NULL, (const char *[]){ "BUS_MAPPER=stuck", NULL });
    wait_for_line(&c, "service.ready");
    kill(c.pid, SIGTERM);
    wait_for_line(&c, "service.stopping");
    kill(c.pid, SIGTERM);
    CHECK_EQ(wait_for_exit(&c), 0);
    CHECK(strstr(read_file(c.log), "service.stop_timeout") == NULL);
}

TEST(whatever_it_stands_still_in_it_ends_when_told_to)
{
    static const struct {
        const char *mode, *told_when;
        int code;
        const char *said, *in;
    } cases[] = {
        { "BUS_MAPPER=starts for ever", "stands still", 0, "service.stopped", "\"while\":\"starting\"" },
        { "BUS_MAPPER=busy for ever", "stands still", 1, "service.stop_forced", "\"while\":\"working\"" },
        { "BUS_MAPPER=stops for ever", "service.ready", 1, "service.stop_forced", "\"while\":\"stopping\"" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct child c = { 0 };

        spawn(&c, NULL, (const char *[]){ cases[i].mode, "STOP_TIMEOUT=100ms", NULL });
        wait_for_line(&c, cases[i].told_when);
        kill(c.pid, SIGTERM);
        CHECK_EQ(wait_for_exit(&c), cases[i].code);
        CHECK_HAS(read_file(c.log), cases[i].said);
        CHECK_HAS(read_file(c.log), cases[i].in);
    }
}

TEST(a_signal_while_it_begins_anew_ends_it)
{
    struct child c = { 0 };

    spawn(&c, NULL, (const char *[]){ "BUS_MAPPER=begins anew", NULL });
    wait_for_line(&c, "on its way");
    kill(c.pid, SIGTERM);
    CHECK_EQ(wait_for_exit(&c), 0);
    CHECK_HAS(read_file(c.log), "service.stopped");
}

struct status {
    int count;
    char instance[64], state[16], detail[64], metrics[128];
    uint64_t pid, rss_bytes;
};

static void on_status(void *ctx, struct bus_plug *plug, struct bus_peer from, struct msg **m)
{
    struct status *s = ctx;
    const struct msg_status *got = &(*m)->status;

    if (str_is(got->state, "starting") || got->rss_bytes == 0)
        return;
    snprintf(s->instance, sizeof(s->instance), STR_FMT, STR_ARG(got->instance));
    snprintf(s->state, sizeof(s->state), STR_FMT, STR_ARG(got->state));
    snprintf(s->detail, sizeof(s->detail), STR_FMT, STR_ARG(got->detail));
    snprintf(s->metrics, sizeof(s->metrics), STR_FMT, STR_ARG(got->metrics));
    s->pid = got->pid;
    s->count++;
}

TEST(status_is_published_on_the_bus)
{
    struct child c = { 0 };
    struct status status = { 0 };
    struct err err = { 0 };
    uv_loop_t loop;
    char run_dir[160];

    spawn(&c, NULL, (const char *[]){ "BUS_MAPPER=busy", "JOBS_UNFINISHED=7", NULL });
    wait_for_line(&c, "service.ready");
    snprintf(run_dir, sizeof(run_dir), "%s/run", c.home);
    uv_loop_init(&loop);
    struct bus *bus = bus_new(&loop, run_dir, "test.1");
    struct bus_plug *plug = bus_open(bus,
        &(struct bus_def){ .kind = BUS_SUB_CONNECT,
            .service = "mapper",
            .plug = "status",
            .where = "ipc",
            .on_msg = on_status,
            .ctx = &status },
        &err);
    CHECK(plug != NULL);
    turn_until(&loop, &status.count, 2);
    bus_free(&bus);
    turn_end(&loop);
    CHECK_STR(status.instance, "mapper.1");
    CHECK_STR(status.state, "busy");
    CHECK_STR(status.detail, "{\"number\":7}");
    CHECK_STR(status.metrics, address_of(&c));
    CHECK_EQ(status.pid, c.pid);
    kill(c.pid, SIGTERM);
    CHECK_EQ(wait_for_exit(&c), 0);
}

TEST(a_setting_is_known_by_its_name_and_its_file)
{
    static const struct {
        const char *name;
        bool known;
    } cases[] = {
        { "LOG_LEVEL", true },
        { "BITRIX_WEBHOOK_URL_FILE", true },
        { "SYNC_DEFAULT_INTERVAL_MINUTES", true },
        { "LOG_LEVE", false },
        { "LOG_LEVELS", false },
        { "_FILE", false },
        { "", false },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_EQ(app_setting_known(cases[i].name), cases[i].known);
    for (const struct setting *s = app_common_settings(); s->type != SETTING_END; s++)
        CHECK(app_setting_known(s->name));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(it_serves_health_ready_and_metrics_and_stops_cleanly),
        CASE(not_ready_says_why),
        CASE(the_same_instance_does_not_run_twice),
        CASE(a_killed_one_does_not_keep_the_next_from_starting),
        CASE(a_metrics_address_in_use_is_named),
        CASE(exit_codes_tell_failure_from_misuse),
        CASE(a_home_too_deep_for_sockets_is_refused_with_advice),
        CASE(work_in_hand_is_finished_before_the_end),
        CASE(a_stop_that_takes_too_long_is_cut),
        CASE(a_second_signal_ends_a_slow_stop),
        CASE(whatever_it_stands_still_in_it_ends_when_told_to),
        CASE(a_signal_while_it_begins_anew_ends_it),
        CASE(status_is_published_on_the_bus),
        CASE(a_setting_is_known_by_its_name_and_its_file),
    };

    if (getenv("POTOK_TEST_SERVICE") != NULL)
        return serve(argc, argv);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    bus_shutdown();
    return failed;
}
