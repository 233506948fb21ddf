/* The test starts itself as the services (main() below): they pause until a signal ends them, which a deaf
 * one does not hear. */
#include "services/potok/up/supervise.h"

#include "base/clock.h"
#include "support/check.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHILDREN        4
#define STOP_TIMEOUT_MS 3000

/* ---- a child that the system lets wait before it has become its program ---- */

static useconds_t late_us; /* of forks from now on */

static void child_is_late(void)
{
    usleep(late_us);
}

/* ---- the supervisor ---- */

struct scene {
    uv_loop_t loop;
    uv_signal_t terminated;
    int terminations; /* SIGTERM that this process got */
    uv_timer_t act, deadline;
    struct supervise s;
    bool gone, late;
    int told_late;
    char program[700];
};

static void on_terminated(uv_signal_t *handle, int number)
{
    ((struct scene *)handle->data)->terminations++;
}

static void on_all_gone(void *ctx)
{
    struct scene *x = ctx;

    x->gone = true;
    uv_stop(&x->loop);
}

static void on_late(void *ctx, const struct child *child)
{
    ((struct scene *)ctx)->told_late++;
}

static void on_deadline(uv_timer_t *timer)
{
    struct scene *x = timer->data;

    x->late = true;
    uv_stop(&x->loop);
}

static void on_act(uv_timer_t *timer)
{
    supervise_stop(&((struct scene *)timer->data)->s);
}

/* Stopped as soon as its log says that it does not hear; killed soon after. */
static void on_look(uv_timer_t *timer)
{
    struct scene *x = timer->data;
    struct stat st;

    if (stat(x->s.list[0].log, &st) < 0 || st.st_size == 0)
        return;
    uv_timer_stop(timer);
    supervise_stop(&x->s);
    CHECK(x->s.kill_at_ms >= clock_mono_ms() + STOP_TIMEOUT_MS + SUPERVISE_MORE_MS - 1000);
    x->s.kill_at_ms = clock_mono_ms() + 200;
}

/* The program stands where services do: beside this one. */
static void program_make(struct scene *x, char *service, size_t size)
{
    char self[512];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    self[n > 0 ? n : 0] = '\0';
    snprintf(service, size, "supervised.%d", (int)getpid());
    snprintf(
        x->program, sizeof(x->program), "%.*s/potok-%s", (int)(strrchr(self, '/') - self), self, service);
    CHECK_EQ(symlink(self, x->program), 0);
}

static void begin(struct scene *x, const char *mode, char *service, size_t size)
{
    const struct supervise_events events = { .on_late = on_late, .on_all_gone = on_all_gone, .ctx = x };

    *x = (struct scene){ .gone = false };
    program_make(x, service, size);
    setenv("POTOK_TEST_SERVICE", mode, 1);
    CHECK_EQ(uv_loop_init(&x->loop), 0);
    x->terminated.data = x->act.data = x->deadline.data = x;
    uv_signal_init(&x->loop, &x->terminated);
    uv_signal_start(&x->terminated, on_terminated, SIGTERM);
    uv_timer_init(&x->loop, &x->act);
    uv_timer_init(&x->loop, &x->deadline);
    supervise_init(&x->s, &x->loop, check_folder(), STOP_TIMEOUT_MS, &events);
}

static void end(struct scene *x)
{
    supervise_close(&x->s);
    uv_close((uv_handle_t *)&x->terminated, NULL);
    uv_close((uv_handle_t *)&x->act, NULL);
    uv_close((uv_handle_t *)&x->deadline, NULL);
    uv_run(&x->loop, UV_RUN_DEFAULT);
    uv_loop_close(&x->loop);
    unlink(x->program);
}

TEST(a_stop_before_they_are_programs_ends_them_and_is_not_heard_by_us)
{
    char service[64];
    struct scene x;
    struct err err = { 0 };

    begin(&x, "plain", service, sizeof(service));
    CHECK_OK(supervise_add(&x.s, service, CHILDREN, &err), err);
    late_us = 300000;
    supervise_start(&x.s);
    late_us = 0;
    uv_timer_start(&x.act, on_act, 50, 0);
    uv_timer_start(&x.deadline, on_deadline, 10000, 0);
    uint64_t began_ms = clock_mono_ms();
    uv_run(&x.loop, UV_RUN_DEFAULT);
    CHECK(x.gone);
    CHECK(!x.late);
    CHECK_EQ(x.terminations, 0); /* nobody meant us */
    CHECK(clock_mono_ms() - began_ms < 5000);
    end(&x);
}

TEST(one_that_does_not_end_in_time_is_told_and_killed)
{
    char service[64];
    struct scene x;
    struct err err = { 0 };

    begin(&x, "deaf", service, sizeof(service));
    CHECK_OK(supervise_add(&x.s, service, 1, &err), err);
    supervise_start(&x.s);
    uv_timer_start(&x.act, on_look, 20, 20);
    uv_timer_start(&x.deadline, on_deadline, 10000, 0);
    uv_run(&x.loop, UV_RUN_DEFAULT);
    CHECK(x.gone);
    CHECK(!x.late);
    CHECK_EQ(x.told_late, 1);
    end(&x);
}

__attribute__((noreturn)) static void serve(const char *mode)
{
    if (strcmp(mode, "deaf") == 0) {
        signal(SIGTERM, SIG_IGN);
        fprintf(stderr, "deaf\n");
    }
    for (;;)
        pause();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_stop_before_they_are_programs_ends_them_and_is_not_heard_by_us),
        CASE(one_that_does_not_end_in_time_is_told_and_killed),
    };

    if (getenv("POTOK_TEST_SERVICE") != NULL)
        serve(getenv("POTOK_TEST_SERVICE"));
    pthread_atfork(NULL, NULL, child_is_late);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
