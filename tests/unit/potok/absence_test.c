#include "services/potok/ask/absence.h"

#include "base/mem.h"
#include "run/lock.h"
#include "services/potok/words/say.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct fixture {
    char dir[32], lock[300];
    struct home home;
    int fd;
};

static void set_up(struct fixture *f, const char *file)
{
    *f = (struct fixture){ .dir = "/tmp/absence.XXXXXX", .fd = -1 };
    CHECK(mkdtemp(f->dir) != NULL);
    f->home.dir = f->dir;
    snprintf(f->home.run_dir, sizeof(f->home.run_dir), "%s", f->dir);
    snprintf(f->lock, sizeof(f->lock), "%s/%s", f->dir, file);
    say_set(LANGUAGE_EN);
}

static void hold(struct fixture *f)
{
    struct err err = { 0 };

    CHECK_OK(lock_take(f->lock, &f->fd, NULL, &err), err);
    CHECK_EQ(pwrite(f->fd, "4711\n", 5, 0), 5);
}

static void tear_down(struct fixture *f)
{
    lock_release(f->lock, &f->fd);
    unlink(f->lock);
    CHECK_EQ(rmdir(f->dir), 0);
}

TEST(nothing_runs_where_nobody_holds_the_lock)
{
    struct fixture f;
    struct err err = { 0 };
    char text[400];

    set_up(&f, "up.lock");
    CHECK_EQ(absence_up_pid(&f.home), 0);
    absence_tell(&f.home, text, sizeof(text));
    CHECK(strstr(text, "has nothing running: start it with `potok up`") != NULL);
    CHECK_OK(absence_may_look(&f.home, &err), err);
    tear_down(&f);
}

TEST(an_up_whose_scheduler_is_silent_is_named)
{
    struct fixture f;
    char text[400];

    set_up(&f, "up.lock");
    hold(&f);
    CHECK_EQ(absence_up_pid(&f.home), 4711);
    absence_tell(&f.home, text, sizeof(text));
    CHECK(strstr(text, "potok up runs (pid 4711), but scheduler.1 has not answered") != NULL);
    tear_down(&f);
}

static void on_instance(void *ctx, const char *instance, int pid)
{
    int *seen = ctx;

    CHECK_STR(instance, "fetcher.2");
    CHECK_EQ(pid, 4711);
    ++*seen;
}

TEST(a_service_is_alive_while_it_holds_its_pid_file)
{
    struct fixture f;
    int seen = 0;
    FILE *left;

    set_up(&f, "fetcher.2.pid");
    left = fopen(f.lock, "w"); /* of one that was killed */
    CHECK(left != NULL);
    fclose(left);
    absence_each_alive(f.dir, on_instance, &seen);
    CHECK_EQ(seen, 0);
    hold(&f);
    absence_each_alive(f.dir, on_instance, &seen);
    CHECK_EQ(seen, 1);
    tear_down(&f);
}

TEST_MAIN(CASE(nothing_runs_where_nobody_holds_the_lock), CASE(an_up_whose_scheduler_is_silent_is_named),
    CASE(a_service_is_alive_while_it_holds_its_pid_file))
