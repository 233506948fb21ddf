#include "spool_drain.h"

#include "base/clock.h"
#include "run/lock.h"
#include "up/services.h"
#include "services/gateway/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 100

struct drain {
    char lock[700],
        done[700]; /* run/gateway.1.pid, run/gateway.1.drained: made by the gateway when nothing is left */
    pid_t pid;
    bool ours; /* started here */
    bool ended;
};

static int waiting(const char *path, uint64_t *ret, struct err *err)
{
    struct spool_stats stats = { 0 };
    struct spool *spool;
    int result = spool_open_read(&spool, path, err);

    if (result == 0) {
        result = spool_stats(spool, &stats, err);
        spool_close(&spool);
    }
    *ret = stats.waiting;
    return result;
}

static pid_t holder_of(const char *lock)
{
    FILE *f = fopen(lock, "re");
    int pid = 0;

    if (f == NULL)
        return 0;
    if (fscanf(f, "%d", &pid) != 1)
        pid = 0;
    fclose(f);
    return pid;
}

/* Its log goes to the terminal: a person waits for it. */
static int start(struct drain *d, const char *instance, struct err *err)
{
    const char *number = strrchr(instance, '.');
    char program[700];

    service_program("gateway", program, sizeof(program));
    d->pid = fork();
    if (d->pid < 0)
        return err_code(err, ERR_TEMP, errno, "%s: %s", program, strerror(errno));
    if (d->pid == 0) {
        int null = open("/dev/null", O_RDONLY);

        if (null >= 0)
            dup2(null, STDIN_FILENO);
        dup2(STDERR_FILENO, STDOUT_FILENO);
        setenv("POTOK_INSTANCE", number != NULL ? number + 1 : "1", 1);
        setenv("GATEWAY_DRAIN", "true", 1);
        execl(program, program, (char *)NULL);
        _exit(127);
    }
    d->ours = true;
    return 0;
}

static int begin(struct drain *d, const char *instance, struct err *err)
{
    unlink(d->done);
    if (!lock_is_held(d->lock))
        return start(d, instance, err);
    d->pid = holder_of(d->lock);
    if (d->pid <= 0 || kill(d->pid, SIGUSR1) < 0)
        return err_set(err, ERR_TEMP, "%s runs, and cannot be told to drain its spool", instance);
    return 0;
}

/* Drained, or gone. */
static bool is_over(struct drain *d)
{
    if (d->ours)
        return d->ended = waitpid(d->pid, NULL, WNOHANG) == d->pid;
    return access(d->done, F_OK) == 0 || !lock_is_held(d->lock);
}

static void end(struct drain *d)
{
    if (!d->ours || d->ended)
        return;
    kill(d->pid, SIGTERM);
    waitpid(d->pid, NULL, 0);
}

int spool_drain(const struct home *home, const char *instance, const char *path, uint64_t timeout_ms,
    uint64_t *ret_left, struct err *err)
{
    uint64_t until_ms = clock_mono_ms() + timeout_ms;
    struct drain d = { 0 };

    snprintf(d.lock, sizeof(d.lock), "%s/%s.pid", home->run_dir, instance);
    snprintf(d.done, sizeof(d.done), "%s/%s.drained", home->run_dir, instance);
    if (waiting(path, ret_left, err) < 0)
        return -1;
    if (*ret_left == 0 && !lock_is_held(d.lock))
        return 0;
    if (begin(&d, instance, err) < 0)
        return -1;
    while (!is_over(&d) && clock_mono_ms() < until_ms)
        nanosleep(&(struct timespec){ 0, LOOK_MS * 1000000 }, NULL);
    end(&d);
    return waiting(path, ret_left, err);
}
