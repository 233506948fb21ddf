#include "run/stopwatch.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/check.h"

/* ---- a thread that comes late: while it is held, what happens is seen by it all at once afterwards ---- */

static pthread_t main_thread;
static atomic_bool held;

/* libuv's. The watch's thread looks every millisecond instead of waiting. */
int epoll_pwait(int fd, struct epoll_event *events, int most, int timeout_ms, const sigset_t *mask)
{
    int (*real)(int, struct epoll_event *, int, int, const sigset_t *) = dlsym(RTLD_NEXT, "epoll_pwait");
    uint64_t began_ms = clock_mono_ms();

    if (pthread_equal(pthread_self(), main_thread))
        return real(fd, events, most, timeout_ms, mask);
    for (;;) {
        int n = atomic_load(&held) ? 0 : real(fd, events, most, 0, mask);

        if (n != 0 || (timeout_ms >= 0 && clock_mono_ms() - began_ms >= (uint64_t)timeout_ms))
            return n;
        usleep(1000);
    }
}

static void *let_go(void *ctx)
{
    usleep(50000); /* stopwatch_free() waits by now */
    atomic_store(&held, false);
    return NULL;
}

TEST(closing_has_as_long_as_work_but_a_second_at_least_and_five_at_most)
{
    static const struct {
        enum stopwatch_phase phase;
        uint64_t work_ms, patience_ms;
    } cases[] = {
        { STOPWATCH_STARTING, 100, 1000 },
        { STOPWATCH_STARTING, 600000, 1000 },
        { STOPWATCH_WORKING, 10000, 15000 },
        { STOPWATCH_WORKING, 600000, 605000 },
        { STOPWATCH_WORKING, 2000, 4000 },
        { STOPWATCH_WORKING, 100, 1100 },
        { STOPWATCH_CLOSING, 10000, 5000 },
        { STOPWATCH_CLOSING, 2000, 2000 },
        { STOPWATCH_CLOSING, 100, 1000 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_EQ(stopwatch_patience_ms(cases[i].phase, cases[i].work_ms), cases[i].patience_ms);
}

/* However the thread's turn falls between the signal and the end. */
TEST(a_signal_at_the_very_end_is_not_lost_and_holds_nothing_up)
{
    uint64_t began_ms = clock_mono_ms();
    struct err err = { 0 };

    for (int i = 0; i < 300; i++) {
        struct stopwatch *w = NULL;

        CHECK_OK(stopwatch_new(&w, 10000, &err), err);
        if (i % 2 == 0)
            kill(getpid(), SIGTERM);
        if (i % 3 == 0)
            stopwatch_phase(w, STOPWATCH_CLOSING, "closing");
        CHECK_EQ(stopwatch_free(&w), i % 2 == 0);
    }
    CHECK(clock_mono_ms() - began_ms < 5000);
}

TEST(a_signal_and_the_end_that_a_late_thread_sees_at_once)
{
    for (int signals = 0; signals < 3; signals++) {
        struct stopwatch *w = NULL;
        struct err err = { 0 };
        pthread_t helper;

        main_thread = pthread_self();
        CHECK_OK(stopwatch_new(&w, 100, &err), err);
        stopwatch_phase(w, STOPWATCH_WORKING, "working"); /* one that goes on ends the test with 1 */
        usleep(20000);
        atomic_store(&held, true);
        usleep(20000); /* the look under way is over */
        for (int i = 0; i < signals; i++)
            kill(getpid(), SIGTERM);
        uint64_t began_ms = clock_mono_ms();
        CHECK_EQ(pthread_create(&helper, NULL, let_go, NULL), 0);
        CHECK_EQ(stopwatch_free(&w), signals > 0);
        CHECK(clock_mono_ms() - began_ms < 900);
        pthread_join(helper, NULL);
    }
}

/* How long a process lives that works on for ever and is told to end so often. */
static uint64_t life_ms(int signals)
{
    uint64_t began_ms = clock_mono_ms();
    pid_t child = fork();
    int status = -1;

    if (child == 0) {
        struct stopwatch *w = NULL;
        struct err err = { 0 };

        main_thread = pthread_self();
        if (stopwatch_new(&w, 1000, &err) < 0)
            _exit(7);
        stopwatch_phase(w, STOPWATCH_WORKING, "working");
        for (int i = 0; i < signals; i++)
            kill(getpid(), SIGTERM);
        for (;;)
            pause();
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    return clock_mono_ms() - began_ms;
}

TEST(who_is_told_twice_has_no_time_for_its_work)
{
    uint64_t once_ms = life_ms(1), twice_ms = life_ms(2);

    CHECK(once_ms >= 1900);
    CHECK(twice_ms >= 900);
    CHECK(twice_ms < once_ms - 500);
}

TEST_MAIN(CASE(closing_has_as_long_as_work_but_a_second_at_least_and_five_at_most),
    CASE(a_signal_at_the_very_end_is_not_lost_and_holds_nothing_up),
    CASE(a_signal_and_the_end_that_a_late_thread_sees_at_once),
    CASE(who_is_told_twice_has_no_time_for_its_work))
