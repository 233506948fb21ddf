#include "run/stopwatch.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "base/log.h"
#include "base/mem.h"

/* Time is counted in ticks of the watch, not by the clock: a process that was stopped (SIGSTOP, a frozen
 * machine) has not been slow. */
#define TICK_MS 100

struct stopwatch {
    uv_thread_t thread;
    uv_loop_t loop;
    uv_async_t moved;
    uv_timer_t tick;
    uv_signal_t signals[2];
    uint64_t work_ms;
    _Atomic(int) phase;
    _Atomic(const char *) doing;
    atomic_uint_least64_t most_ms; /* 0: as the phase says */
    atomic_uint steps;             /* calls that said where it is */
    atomic_bool over;
    bool signalled, told, hurried; /* from here on the thread's */
    unsigned counted;              /* the step that spent_ms is of */
    uint64_t spent_ms;
};

uint64_t stopwatch_patience_ms(enum stopwatch_phase phase, uint64_t work_ms)
{
    uint64_t close_ms = work_ms < STOPWATCH_CLOSE_MS ? work_ms : STOPWATCH_CLOSE_MS;

    if (close_ms < STOPWATCH_START_MS)
        close_ms = STOPWATCH_START_MS;
    switch (phase) {
    case STOPWATCH_STARTING:
        return STOPWATCH_START_MS;
    case STOPWATCH_WORKING:
        return work_ms + close_ms;
    default:
        return close_ms;
    }
}

__attribute__((noreturn)) static void end_process(enum stopwatch_phase phase, const char *doing)
{
    signal(SIGALRM, SIG_DFL);
    alarm(1); /* the log may be what everything waits for */
    if (phase == STOPWATCH_STARTING)
        log_ev(LOG_INFO, "service.stopped", kv_s("while", "starting"));
    else
        log_ev(LOG_WARNING, "service.stop_forced", kv_s("while", doing),
            kv_s("message", "it did not end by itself; what it had not finished is done again"));
    _exit(phase == STOPWATCH_STARTING ? EXIT_SUCCESS : EXIT_FAILURE);
}

static uint64_t patience(const struct stopwatch *w)
{
    enum stopwatch_phase phase = (enum stopwatch_phase)atomic_load(&w->phase);
    uint64_t most_ms = atomic_load(&w->most_ms);

    if (phase == STOPWATCH_WORKING && w->hurried)
        phase = STOPWATCH_CLOSING;
    return most_ms > 0 ? most_ms : stopwatch_patience_ms(phase, w->work_ms);
}

static void on_tick(uv_timer_t *timer)
{
    struct stopwatch *w = timer->data;
    unsigned step = atomic_load(&w->steps);

    if (step != w->counted)
        w->spent_ms = 0;
    w->counted = step;
    w->spent_ms += TICK_MS;
    if (w->spent_ms >= patience(w))
        end_process((enum stopwatch_phase)atomic_load(&w->phase), atomic_load(&w->doing));
}

static void begin(struct stopwatch *w)
{
    if (w->told || atomic_load(&w->over)) /* the timer is on_over()'s then */
        return;
    w->told = true;
    w->counted = atomic_load(&w->steps);
    uv_timer_start(&w->tick, on_tick, TICK_MS, TICK_MS);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct stopwatch *w = handle->data;

    w->signalled = true;
    w->hurried = w->told; /* asked twice: now */
    begin(w);
}

static void on_over(uv_timer_t *timer)
{
    struct stopwatch *w = timer->data;

    uv_close((uv_handle_t *)&w->moved, NULL);
    uv_close((uv_handle_t *)&w->tick, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(w->signals); i++)
        uv_close((uv_handle_t *)&w->signals[i], NULL);
}

static void on_moved(uv_async_t *async)
{
    struct stopwatch *w = async->data;

    if (atomic_load(&w->over)) /* in the next turn: signals are read last in each */
        uv_timer_start(&w->tick, on_over, 0, 0);
    else if (atomic_load(&w->phase) == STOPWATCH_CLOSING)
        begin(w);
}

static void run(void *ctx)
{
    sigset_t all;

    sigfillset(&all); /* as in other threads: handlers run on the main one */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    uv_run(&((struct stopwatch *)ctx)->loop, UV_RUN_DEFAULT);
}

int stopwatch_new(struct stopwatch **ret, uint64_t work_ms, struct err *err)
{
    static const int numbers[] = { SIGTERM, SIGINT };
    struct stopwatch *w = xcalloc(1, sizeof(*w));

    if (uv_loop_init(&w->loop) < 0) {
        free(w);
        return err_set(err, ERR_TEMP, "no descriptors are left for an event loop: see `ulimit -n`");
    }
    w->work_ms = work_ms;
    atomic_init(&w->doing, "starting");
    w->moved.data = w->tick.data = w;
    uv_async_init(&w->loop, &w->moved, on_moved);
    uv_timer_init(&w->loop, &w->tick);
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        w->signals[i].data = w;
        uv_signal_init(&w->loop, &w->signals[i]);
        uv_signal_start(&w->signals[i], on_signal, numbers[i]);
    }
    if (uv_thread_create(&w->thread, run, w) != 0)
        abort(); /* out of memory at the very start */
    *ret = w;
    return 0;
}

static void go_to(struct stopwatch *w, enum stopwatch_phase phase, const char *doing, uint64_t most_ms)
{
    if (w == NULL || (int)phase < atomic_load(&w->phase))
        return;
    atomic_store(&w->most_ms, most_ms);
    atomic_store(&w->doing, doing);
    atomic_store(&w->phase, phase);
    atomic_fetch_add(&w->steps, 1);
    uv_async_send(&w->moved);
}

void stopwatch_phase(struct stopwatch *w, enum stopwatch_phase phase, const char *doing)
{
    go_to(w, phase, doing, 0);
}

void stopwatch_closing(struct stopwatch *w, const char *doing, uint64_t most_ms)
{
    go_to(w, STOPWATCH_CLOSING, doing, most_ms);
}

/* What the handlers noted is read to its end before they go: they were the last of the process, and what
 * comes from here on waits until none is left. */
static bool end_thread(struct stopwatch *w)
{
    sigset_t ours, was;

    sigemptyset(&ours);
    for (size_t i = 0; i < ARRAY_SIZE(w->signals); i++)
        sigaddset(&ours, w->signals[i].signum);
    pthread_sigmask(SIG_BLOCK, &ours, &was);
    atomic_store(&w->over, true);
    uv_async_send(&w->moved);
    uv_thread_join(&w->thread);
    uv_loop_close(&w->loop);
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    return w->signalled;
}

bool stopwatch_free(struct stopwatch **watch)
{
    struct stopwatch *w = *watch;

    if (w == NULL)
        return false;
    *watch = NULL;
    bool signalled = end_thread(w);
    free(w);
    return signalled;
}
