#include "absence.h"

#include "command.h"
#include "run/lock.h"
#include "words/say.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int pid_in(const char *path)
{
    FILE *f = fopen(path, "re");
    int pid = 0;

    if (f == NULL || fscanf(f, "%d", &pid) != 1)
        pid = 0;
    if (f != NULL)
        fclose(f);
    return pid;
}

int absence_up_pid(const struct home *home)
{
    char path[640];
    int pid;

    snprintf(path, sizeof(path), "%s/up.lock", home->run_dir);
    if (!lock_is_held(path))
        return 0;
    pid = pid_in(path);
    return pid > 0 ? pid : -1;
}

/* ---- who works instead ---- */

struct holder_seen {
    char instance[64], host[128]; /* "": nobody */
    int pid;
    char here[64]; /* a scheduler of this home that lives and is not the one */
    bool near;     /* the one lives here */
    char our_host[128];
};

static int on_holder(void *ctx, const struct db_val *row, int columns)
{
    struct holder_seen *h = ctx;
    char text[448];

    snprintf(text, sizeof(text), STR_FMT, row[0].type == DB_TEXT ? (int)row[0].s.n : 0, row[0].s.p);
    if (sscanf(text, "%63s %127s %d", h->instance, h->host, &h->pid) != 3)
        h->instance[0] = '\0';
    return 1;
}

static void on_alive(void *ctx, const char *instance, int pid)
{
    struct holder_seen *h = ctx;

    if (strncmp(instance, "scheduler.", 10) != 0)
        return;
    if (pid == h->pid && strcmp(instance, h->instance) == 0 && strcmp(h->host, h->our_host) == 0)
        h->near = true; /* in containers all have the same pid */
    else if (h->here[0] == '\0')
        snprintf(h->here, sizeof(h->here), "%.63s", instance);
}

/* A scheduler lives here, and another one has the lease: it is no fault that it is silent. */
static bool stands_by(struct reading *r, char *ret, size_t size)
{
    const struct home *home = r->home;
    struct holder_seen h = { .instance = "" };

    absence_each_alive(home->run_dir, on_alive, &h);
    if (h.here[0] == '\0' || gethostname(h.our_host, sizeof(h.our_host) - 1) < 0)
        return false;
    h.here[0] = '\0';
    if (reading_run(r, "SELECT holder FROM potok_lease WHERE holder IS NOT NULL", DB_NOARGS, on_holder, &h) <
        0)
        h.instance[0] = '\0';
    if (h.instance[0] == '\0')
        return false;
    absence_each_alive(home->run_dir, on_alive, &h);
    if (h.near || h.here[0] == '\0')
        return false;
    snprintf(ret, size, "%s %s; %s %s %s %s (pid %d): %s", h.here, say("в резерве", "stands by"),
        say("работает", "the scheduler that works is"), h.instance, say("на", "on"), h.host, h.pid,
        say("дайте команду там", "give the command there"));
    return true;
}

void absence_tell(const struct home *home, char *ret, size_t size)
{
    struct reading r;

    reading_init(&r, home);
    absence_tell_by(&r, ret, size);
    reading_fini(&r);
}

void absence_tell_by(struct reading *r, char *ret, size_t size)
{
    const struct home *home = r->home;
    int pid = absence_up_pid(home);

    if (stands_by(r, ret, size))
        return;
    if (pid == 0)
        snprintf(ret, size, "%s%s %s", say("в ", ""), home->dir,
            say("ничего не запущено: potok up", "has nothing running: start it with `potok up`"));
    else
        snprintf(ret, size, "%s (pid %d), %s", say("potok up работает", "potok up runs"), pid > 0 ? pid : 0,
            say("но scheduler.1 не отвечает уже 3 с; журнал: potok logs scheduler",
                "but scheduler.1 has not answered for 3 s; its log: potok logs scheduler"));
}

void absence_each_alive(
    const char *run_dir, void (*on_instance)(void *ctx, const char *instance, int pid), void *ctx)
{
    static const char ending[] = ".pid";
    DIR *dir = opendir(run_dir);
    char path[900], instance[256];

    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        size_t n = strlen(e->d_name), tail = sizeof(ending) - 1;

        if (n <= tail || strcmp(e->d_name + n - tail, ending) != 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", run_dir, e->d_name);
        snprintf(instance, sizeof(instance), "%.*s", (int)(n - tail), e->d_name);
        if (lock_is_held(path))
            on_instance(ctx, instance, pid_in(path));
    }
    if (dir != NULL)
        closedir(dir);
}

static bool is_forbidden(const char *path, int mode)
{
    return access(path, mode) < 0 && errno == EACCES;
}

int absence_may_look(const struct home *home, struct err *err)
{
    char lock[640];

    snprintf(lock, sizeof(lock), "%s/up.lock", home->run_dir);
    if (!is_forbidden(home->run_dir, R_OK | X_OK) && !is_forbidden(lock, R_OK))
        return 0;
    return err_set(err, ERR_CONF, "%s %s", say("нет прав на чтение", "no right to read"), home->run_dir);
}

int absence_failed(const struct home *home, const struct err *err)
{
    char why[800];

    if (err->kind != ERR_TEMP)
        return command_failed(err);
    snprintf(why, sizeof(why), "%s", err->text);
    absence_tell(home, why, sizeof(why));
    fprintf(stderr, "potok: %s\n", why);
    return EXIT_FAILED;
}
