#include "run/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 20, PAUSE_MS = 5 };

static int holder_of(int fd)
{
    char line[16] = "";

    if (pread(fd, line, sizeof(line) - 1, 0) <= 0)
        return 0;
    return atoi(line);
}

/* The former holder removes its file on release: a lock on a removed file protects nothing. */
static bool is_still_at(int fd, const char *path)
{
    struct stat held, there;

    return fstat(fd, &held) == 0 && stat(path, &there) == 0 && held.st_ino == there.st_ino &&
           held.st_dev == there.st_dev;
}

/* 1 = taken, 0 = held by another or removed meanwhile, -1 = the file cannot be opened. */
static int try_take(const char *path, int *ret_fd, int *ret_holder)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_still_at(fd, path)) {
        *ret_fd = fd;
        return 1;
    }
    *ret_holder = holder_of(fd);
    close(fd);
    return 0;
}

static int refuse_full(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    int n = slash != NULL && slash > path ? (int)(slash - path) : 1;

    return err_code(err, ERR_CONF, errno,
        "%s: no space is left there: free some (`df -h %.*s` and `df -i %.*s` tell how much there is)", path,
        n, slash != NULL ? path : ".", n, slash != NULL ? path : ".");
}

int lock_take(const char *path, int *ret_fd, int *ret_holder, struct err *err)
{
    int holder = 0;

    for (int i = 0; i < TRIES; i++) {
        int taken = try_take(path, ret_fd, &holder);
        if (taken > 0)
            return 0;
        if (taken < 0 && (errno == ENOSPC || errno == EDQUOT))
            return refuse_full(path, err);
        if (taken < 0)
            return err_code(err, ERR_CONF, errno, "%s: %s", path, strerror(errno));
        nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL);
    }
    if (ret_holder != NULL)
        *ret_holder = holder;
    return err_code(err, ERR_CONF, EWOULDBLOCK, "%s: held by another process", path);
}

void lock_release(const char *path, int *fd)
{
    if (*fd < 0)
        return;
    unlink(path);
    close(*fd);
    *fd = -1;
}

bool lock_is_held(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool held;

    if (fd < 0)
        return false;
    held = flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
    close(fd);
    return held;
}
