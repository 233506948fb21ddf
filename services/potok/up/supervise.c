#include "supervise.h"

#include "base/clock.h"
#include "base/mem.h"
#include "logs/last_words.h"
#include "words/russian.h"
#include "service_state.h"
#include "services.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG_ROTATE_BYTES (10 * 1024 * 1024)
#define TICK_MS          50
#define OWN_VARIABLES    3

extern char **environ;

static void on_tick(uv_timer_t *timer);
static void on_sigchld(uv_signal_t *handle, int signum);

void supervise_init(struct supervise *s, uv_loop_t *loop, const char *log_dir, uint64_t stop_timeout_ms,
    const struct supervise_events *events)
{
    memset(s, 0, sizeof(*s));
    s->loop = loop;
    s->events = *events;
    s->log_dir = log_dir;
    s->stop_timeout_ms = stop_timeout_ms;
    uv_signal_init(loop, &s->sigchld);
    uv_timer_init(loop, &s->timer);
    s->sigchld.data = s->timer.data = s;
    uv_signal_start(&s->sigchld, on_sigchld, SIGCHLD);
    uv_timer_start(&s->timer, on_tick, TICK_MS, TICK_MS);
}

int supervise_add(struct supervise *s, const char *service, int instances, struct err *err)
{
    char program[700];

    service_program(service, program, sizeof(program));
    if (access(program, X_OK) < 0)
        return err_code(err, ERR_CONF, errno, "%s: %s", program, strerror(errno));
    for (int i = 1; i <= instances; i++) {
        if (s->count == CHILDREN_MAX)
            return err_set(err, ERR_CONF, "more than %d services", CHILDREN_MAX);
        struct child *child = &s->list[s->count++];

        child->service = service;
        child->number = i;
        snprintf(child->instance, sizeof(child->instance), "%s.%d", service, i);
        snprintf(child->log, sizeof(child->log), "%s/%s.%d.log", s->log_dir, service, i);
    }
    return 0;
}

/* Opens the log for appending; a large one of earlier lives is put aside first. */
static int log_open(struct child *child)
{
    char old[704];
    struct stat st;
    int fd;

    if (child->starts == 0 && stat(child->log, &st) == 0 && st.st_size > LOG_ROTATE_BYTES) {
        snprintf(old, sizeof(old), "%s.1", child->log);
        rename(child->log, old);
    }
    fd = open(child->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    child->log_from = fstat(fd, &st) == 0 ? st.st_size : 0;
    return fd;
}

static bool is_own(const char *variable)
{
    static const char *const own[] = { "POTOK_INSTANCE=", "LISTEN_FDS=", "LISTEN_PID=" };

    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        if (strncmp(variable, own[i], strlen(own[i])) == 0)
            return true;
    return false;
}

/* The environment with what is this child's own first: OWN_VARIABLES strings of the caller's, as is the
 * array. */
static char **environment_for(const struct child *child)
{
    size_t n = 0, kept = OWN_VARIABLES;
    char **env;

    while (environ[n] != NULL)
        n++;
    env = xcalloc(n + OWN_VARIABLES + 1, sizeof(*env));
    for (size_t i = 0; i < n; i++) {
        if (!is_own(environ[i]))
            env[kept++] = environ[i];
    }
    env[0] = xasprintf("POTOK_INSTANCE=%d", child->number);
    env[1] = xasprintf("LISTEN_FDS=%d", child->listen_fd > 0);
    env[2] = xasprintf("LISTEN_PID=%20s", ""); /* the child writes its number there */
    return env;
}

static void environment_free(char **env)
{
    for (int i = 0; i < OWN_VARIABLES; i++)
        free(env[i]);
    free(env);
}

/* After fork(): no library call that allocates. */
static void write_pid(char *variable)
{
    char *end = variable + strlen(variable), *digits = strchr(variable, '=') + 1, *p = end;

    for (pid_t pid = getpid(); pid > 0; pid /= 10)
        *--p = (char)('0' + pid % 10);
    memmove(digits, p, (size_t)(end - p) + 1);
}

/* Every signal is held back from before fork() until the child has none of our handlers left. libuv's
 * handler, run by the child, would tell our loop through the pipe they share of a signal that we never got,
 * and a child that is killed in it keeps libuv's lock for ever: we would stand still at the next signal. */
static pid_t fork_quietly(void)
{
    sigset_t all, was;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &was);
    pid_t pid = fork();
    if (pid != 0)
        pthread_sigmask(SIG_SETMASK, &was, NULL);
    return pid;
}

/* In the child: what came meanwhile takes effect here. */
static void signals_let_go(void)
{
    sigset_t none;

    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
}

/* In the child: only calls that are allowed after fork() of a process with threads. */
__attribute__((noreturn)) static void child_become(
    const char *program, char *const *env, int log_fd, int listen_fd, pid_t parent)
{
    char *argv[] = { (char *)program, NULL };

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
    dup2(log_fd, STDOUT_FILENO);
    dup2(log_fd, STDERR_FILENO);
    int null = open("/dev/null", O_RDONLY);

    if (null >= 0)
        dup2(null, STDIN_FILENO);
    if (listen_fd > 0) {
        dup2(listen_fd, STDERR_FILENO + 1); /* the first one handed over */
        fcntl(STDERR_FILENO + 1, F_SETFD, 0);
        write_pid(env[2]);
    }
    close_range(STDERR_FILENO + (listen_fd > 0 ? 2 : 1), ~0U, 0);
    signals_let_go();
    execve(program, argv, env);
    _exit(127);
}

static void child_start(struct supervise *s, struct child *child)
{
    char program[700];
    char **env = environment_for(child);
    int log_fd = log_open(child);
    pid_t parent = getpid();

    service_program(child->service, program, sizeof(program));
    child->start_at_ms = 0;
    child->state[0] = '\0';
    restart_started(&child->restart, clock_mono_ms());
    pid_t pid = fork_quietly();

    if (pid == 0)
        child_become(program, env, log_fd, child->listen_fd, parent);
    if (pid > 0) {
        setpgid(pid, pid); /* here too: whoever comes first */
        child->pid = pid;
        child->starts++;
    } else {
        child->start_at_ms = clock_mono_ms() + RESTART_MOST_MS; /* no memory or no process to be had */
    }
    close(log_fd);
    environment_free(env);
}

void supervise_hold(struct supervise *s, const char *service, int listen_fd)
{
    for (int i = 0; i < s->count; i++)
        if (strcmp(s->list[i].service, service) == 0)
            s->list[i].listen_fd = listen_fd;
}

void supervise_start(struct supervise *s)
{
    for (int i = 0; i < s->count; i++)
        child_start(s, &s->list[i]);
}

static int alive_count(const struct supervise *s)
{
    int n = 0;

    for (int i = 0; i < s->count; i++)
        n += s->list[i].pid > 0;
    return n;
}

static void all_gone_check(struct supervise *s)
{
    if (!s->stopping || s->events.on_all_gone == NULL || alive_count(s) > 0)
        return;
    void (*on_all_gone)(void *ctx) = s->events.on_all_gone;

    s->events.on_all_gone = NULL;
    on_all_gone(s->events.ctx);
}

static void child_ended(struct supervise *s, struct child *child, int status)
{
    uint64_t now_ms = clock_mono_ms(), delay_ms = 0;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

    child->pid = 0;
    child->holder[0] = child->trouble[0] = '\0';
    child->state[0] = '\0';
    if (s->stopping)
        return;
    enum restart_verdict verdict = restart_exited(&child->restart, now_ms, code, &delay_ms);

    if (verdict == RESTART_AGAIN)
        child->start_at_ms = now_ms + delay_ms;
    s->events.on_exit(s->events.ctx, child, status, verdict, delay_ms);
}

static void on_sigchld(uv_signal_t *handle, int signum)
{
    struct supervise *s = handle->data;
    int status;

    for (int i = 0; i < s->count; i++) {
        struct child *child = &s->list[i];

        if (child->pid > 0 && waitpid(child->pid, &status, WNOHANG) == child->pid)
            child_ended(s, child, status);
    }
    all_gone_check(s);
}

static void kill_the_late(struct supervise *s)
{
    for (int i = 0; i < s->count && !s->killed; i++) {
        if (s->list[i].pid > 0 && s->events.on_late != NULL)
            s->events.on_late(s->events.ctx, &s->list[i]);
    }
    supervise_kill(s);
}

static void on_tick(uv_timer_t *timer)
{
    struct supervise *s = timer->data;
    uint64_t now_ms = clock_mono_ms();

    if (s->stopping) {
        if (now_ms >= s->kill_at_ms)
            kill_the_late(s);
        all_gone_check(s);
        return;
    }
    for (int i = 0; i < s->count; i++) {
        if (s->list[i].start_at_ms != 0 && now_ms >= s->list[i].start_at_ms)
            child_start(s, &s->list[i]);
    }
}

static void state_take(struct child *child, struct str state, struct str detail)
{
    char said[sizeof(child->state)];
    json_t *root = detail.n > 0 ? json_loadb(detail.p, detail.n, 0, NULL) : NULL;
    const char *text = json_string_value(json_object_get(root, "trouble"));
    const char *holder = json_string_value(json_object_get(root, "standby"));

    snprintf(child->holder, sizeof(child->holder), "%s", holder == NULL ? "" : holder);
    snprintf(child->trouble, sizeof(child->trouble), "%s", text == NULL ? "" : text);
    russian_in_place(child->trouble, sizeof(child->trouble));
    snprintf(said, sizeof(said), STR_FMT, STR_ARG(state));
    snprintf(child->state, sizeof(child->state), "%s", service_state(said, root));
    json_decref(root);
}

static bool is_up(struct str state)
{
    return str_is(state, "ready") || str_is(state, "busy") || str_is(state, "standby");
}

void supervise_status(struct supervise *s, const struct msg_status *m)
{
    for (int i = 0; i < s->count; i++) {
        struct child *child = &s->list[i];

        if (!str_is(m->instance, child->instance) || child->pid <= 0 || m->pid != (uint64_t)child->pid)
            continue;
        child->uptime_ms = m->uptime_ms;
        child->rss_bytes = m->rss_bytes;
        state_take(child, m->state, m->detail);
        if (child->restart.ready || !is_up(m->state))
            continue;
        restart_ready(&child->restart);
        s->events.on_ready(s->events.ctx, child);
    }
}

static void signal_all(struct supervise *s, int signum)
{
    for (int i = s->count - 1; i >= 0; i--) {
        if (s->list[i].pid > 0)
            kill(s->list[i].pid, signum);
    }
}

void supervise_stop(struct supervise *s)
{
    if (s->stopping)
        return;
    s->stopping = true;
    s->kill_at_ms = clock_mono_ms() + s->stop_timeout_ms + SUPERVISE_MORE_MS;
    signal_all(s, SIGTERM); /* nothing is gone: on_tick() tells, never from inside this call */
}

void supervise_kill(struct supervise *s)
{
    s->killed = true;
    signal_all(s, SIGKILL);
}

void supervise_close(struct supervise *s)
{
    if (s->loop == NULL)
        return;
    uv_close((uv_handle_t *)&s->sigchld, NULL);
    uv_close((uv_handle_t *)&s->timer, NULL);
    s->loop = NULL;
}

int supervise_ready_count(const struct supervise *s)
{
    int n = 0;

    for (int i = 0; i < s->count; i++)
        n += s->list[i].pid > 0 && s->list[i].restart.ready;
    return n;
}

const char *supervise_stands_by(const struct supervise *s)
{
    const char *holder = NULL;

    for (int i = 0; i < s->count; i++) {
        const struct child *c = &s->list[i];

        if (strcmp(c->service, "scheduler") != 0)
            continue;
        if (c->holder[0] == '\0')
            return NULL;
        holder = c->holder;
    }
    return holder;
}

void supervise_last_words(const struct child *child, char *ret, size_t size)
{
    char text[32768];
    struct stat st;
    off_t from = child->log_from;
    ssize_t n = 0;
    int fd = open(child->log, O_RDONLY | O_CLOEXEC);

    if (fd >= 0 && fstat(fd, &st) == 0) {
        if (st.st_size - from > (off_t)sizeof(text))
            from = st.st_size - (off_t)sizeof(text);
        n = pread(fd, text, sizeof(text), from);
    }
    if (fd >= 0)
        close(fd);
    last_words((struct str){ text, n > 0 ? (size_t)n : 0 }, ret, size);
}
