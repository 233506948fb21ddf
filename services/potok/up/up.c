/* up.c - `potok up`: everything that must be right before a service is started. */
#include "up.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/paths.h"
#include "command.h"
#include "db/db.h"
#include "portal/identity.h"
#include "run/lock.h"
#include "words/say.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DATABASE_AGAIN_MS 500

enum { OPTION_ONCE };
static const struct option_def OPTIONS[] = {
    { "--once", 0, false, "один раз синхронизировать всё, показать итог и выйти",
        "sync everything once, show the outcome and exit" },
    { NULL, 0, false, NULL, NULL },
};

struct runs_known { /* before the services start */
    uint64_t greatest;
    uint64_t over; /* all up to this one */
};

static int runs_look(struct db *db, struct runs_known *ret, struct err *err)
{
    int64_t greatest, open;

    if (db_get_i64(db, "SELECT max(id) FROM potok_run", DB_NOARGS, 0, &greatest, err) < 0 ||
        db_get_i64(db, "SELECT min(id) FROM potok_run WHERE state IN ('probing', 'open')", DB_NOARGS,
            greatest + 1, &open, err) < 0)
        return -1;
    *ret = (struct runs_known){ (uint64_t)greatest, (uint64_t)open - 1 };
    return 0;
}

/* Opens the database and brings its system tables up to date: whatever is wrong with it is told here, once.
 */
static int database_check(const struct home *h, struct runs_known *ret_runs, struct err *err)
{
    char masked[512];
    struct db *db = NULL;
    int result;

    url_mask(str_of(h->database_url), masked, sizeof(masked));
    if (db_open(&db, h->database_url, err) < 0)
        return err_wrap(err, "DATABASE_URL %s", masked);
    result = db_migrate(db, err);
    if (result == 0 && identity_check(h, db, err) < 0) {
        db_close(&db);
        return -1; /* its text is about portals */
    }
    if (result == 0)
        result = runs_look(db, ret_runs, err);
    db_close(&db);
    return result < 0 ? err_wrap(err, "DATABASE_URL %s", masked) : 0;
}

/* Everything that is wrong is told before anything is started. */
static int all_check(const struct home *h, struct runs_known *ret_runs, struct err *err)
{
    if (services_check(&h->config, err) < 0 || home_has_portal(h, err) < 0)
        return -1;
    return database_check(h, ret_runs, err);
}

/* A database that does not answer yet comes up with the machine, often after us: it is waited for, by a
 * single sync only as long as CONNECT_PATIENCE. Nothing runs yet, so Ctrl-C simply ends. */
static int all_wait(const struct home *h, bool once, struct runs_known *ret_runs, struct err *err)
{
    uint64_t until_ms = clock_mono_ms() + (uint64_t)h->patience_ms;

    for (bool told = false; all_check(h, ret_runs, err) < 0; told = true) {
        if (err->kind != ERR_TEMP || (once && clock_mono_ms() >= until_ms))
            return -1;
        if (!told)
            fprintf(stderr, "potok: %s\npotok: %s\n", err->text,
                say("жду базу данных; Ctrl-C - прекратить", "waiting for the database; Ctrl-C to give up"));
        *err = (struct err){ 0 };
        poll(NULL, 0, DATABASE_AGAIN_MS);
    }
    return 0;
}

/* One `up` for each POTOK_HOME. */
static int home_lock(const struct home *h, char *path, size_t size, int *ret_fd, struct err *err)
{
    struct err why = { 0 };
    char pid[32];
    int holder = 0, n;

    if (paths_make(h->dir, "run/up.lock", path, size, err) < 0)
        return -1;
    if (lock_take(path, ret_fd, &holder, &why) == 0) {
        n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
        return ftruncate(*ret_fd, 0) < 0 || write(*ret_fd, pid, (size_t)n) != n
                   ? err_code(err, ERR_CONF, errno, "%s: %s", path, strerror(errno))
                   : 0;
    }
    if (why.code != EWOULDBLOCK) {
        *err = why;
        return -1;
    }
    return err_set(err, ERR_CONF, "%s %s (pid %d)", h->dir,
        say("уже занят: там работает другой `potok up`", "is taken: another `potok up` runs there"), holder);
}

/* What the supervisor itself has to report goes beside the logs of its services; people read standard output.
 * Gives the descriptor of the true standard error, or -1. */
static int log_redirect(const struct home *h)
{
    char path[640];
    int saved = -1, fd;
    struct err err;

    if (paths_make(h->dir, "log/potok.log", path, sizeof(path), &err) < 0)
        return -1;
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    fflush(stderr);
    saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    dup2(fd, STDERR_FILENO);
    close(fd);
    log_init("potok", LOG_INFO);
    return saved;
}

static void log_restore(int saved)
{
    if (saved < 0)
        return;
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
}

static int locked_run(const struct home *h, bool once, const struct runs_known *runs)
{
    struct up *u = xcalloc(1, sizeof(*u));
    int saved = log_redirect(h), code;

    u->home = h;
    u->once = once;
    u->runs_before = runs->greatest;
    u->runs_since = runs->over;
    if (once) { /* the one sync is asked for */
        setenv("SYNC_DEFAULT_INTERVAL_MINUTES", "0", 1);
        setenv("SYNC_INCREMENTAL_SECONDS", "0", 1);
        setenv("SYNC_SWEEP_MINUTES", "0", 1);
    }
    code = up_live(u);
    log_restore(saved);
    if (u->failure[0] != '\0')
        fprintf(stderr, "potok: %s\n", u->failure);
    free(u);
    return code;
}

static void on_signal(int number)
{
    _exit(128 + number);
}

/* Nothing runs yet. The first process of a container is sent no signal that it has no handler for. */
static void signals_end_us(void)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction action = { .sa_handler = on_signal };

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        sigaction(numbers[i], &action, NULL);
}

static int home_run(const struct home *h, bool once)
{
    char path[640];
    struct err err = { 0 };
    struct runs_known runs = { 0, 0 };
    int fd = -1, code;

    signals_end_us();
    if (home_lock(h, path, sizeof(path), &fd, &err) < 0)
        return command_failed(&err);
    code = all_wait(h, once, &runs, &err) < 0 ? command_failed(&err) : locked_run(h, once, &runs);
    lock_release(path, &fd);
    return code;
}

static int up_run(const struct args *args)
{
    struct home home;
    struct err err = { 0 };
    int code;

    if (args->word_count > 0) {
        err_set(&err, ERR_CONF, "%s: %.40s", say("лишнее слово", "unexpected word"), args->words[0]);
        return command_misused("up", &err);
    }
    if (home_load(&home, NULL, &err) < 0)
        return command_failed(&err);
    code = home_run(&home, args->option[OPTION_ONCE] != NULL);
    home_free(&home);
    return code;
}

const struct command COMMAND_UP = { "up", "[--once]", "запустить все службы на этой машине и следить за ними",
    "start all services on this machine and look after them", OPTIONS, up_run };
