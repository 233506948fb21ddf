#include "run/lock.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"

static const char *path(const char *name)
{
    static char ret[128];

    snprintf(ret, sizeof(ret), "%s/%s", check_folder(), name);
    return ret;
}

TEST(a_lock_is_held_until_released)
{
    struct err err = { 0 };
    const char *p = path("a.lock");
    int fd = -1;

    CHECK(!lock_is_held(p));
    CHECK_OK(lock_take(p, &fd, NULL, &err), err);
    CHECK(lock_is_held(p));
    lock_release(p, &fd);
    CHECK_EQ(fd, -1);
    CHECK(!lock_is_held(p));
    CHECK_EQ(access(p, F_OK), -1);
    lock_release(p, &fd); /* harmless */
}

TEST(a_second_taker_is_told_who_holds_it)
{
    struct err err = { 0 };
    const char *p = path("b.lock");
    int fd = -1, other = 77, holder = 0;

    CHECK_OK(lock_take(p, &fd, NULL, &err), err);
    CHECK_EQ(dprintf(fd, "4242\nmore\n"), 10);
    CHECK_EQ(lock_take(p, &other, &holder, &err), -1);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_EQ(holder, 4242);
    CHECK_EQ(other, 77); /* outputs untouched on failure */
    CHECK(lock_is_held(p));
    lock_release(p, &fd);
}

TEST(the_lock_of_a_killed_process_is_free)
{
    struct err err = { 0 };
    const char *p = path("c.lock");
    int fd = -1, status, ready[2];
    char byte;

    CHECK_EQ(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (lock_take(p, &fd, NULL, &err) == 0 && write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    CHECK_EQ(read(ready[0], &byte, 1), 1);
    CHECK(lock_is_held(p));
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    CHECK(!lock_is_held(p));
    CHECK_EQ(access(p, F_OK), 0);
    CHECK_OK(lock_take(p, &fd, NULL, &err), err);
    lock_release(p, &fd);
    close(ready[0]);
    close(ready[1]);
}

TEST(a_file_that_cannot_be_made_is_named)
{
    struct err err = { 0 };
    const char *p = path("missing/d.lock");
    int fd = -1;

    CHECK_EQ(lock_take(p, &fd, NULL, &err), -1);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_HAS(err.text, "missing/d.lock");
}

TEST_MAIN(CASE(a_lock_is_held_until_released), CASE(a_second_taker_is_told_who_holds_it),
    CASE(the_lock_of_a_killed_process_is_free), CASE(a_file_that_cannot_be_made_is_named))
