/* slow_sync.c - an ordinary disk on a machine whose disk is a cache: preloaded into a program, it makes every
 * fsync and fdatasync take $SLOW_SYNC_US microseconds longer. */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int (*real_fsync)(int), (*real_fdatasync)(int);
static long longer_us;

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("SLOW_SYNC_US");

    longer_us = text != NULL ? atol(text) : 0;
    *(void **)&real_fsync = dlsym(RTLD_NEXT, "fsync");
    *(void **)&real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
}

static void sleep_longer(void)
{
    struct timespec t = { longer_us / 1000000, longer_us % 1000000 * 1000 };

    nanosleep(&t, NULL);
}

int fsync(int fd)
{
    sleep_longer();
    return real_fsync(fd);
}

int fdatasync(int fd)
{
    sleep_longer();
    return real_fdatasync(fd);
}
