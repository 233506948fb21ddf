#include "run/crash.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int passes;

void crash_point(const char *name)
{
    const char *at = getenv("POTOK_CRASH_AT");
    size_t n = strlen(name);

    if (at == NULL || strncmp(at, name, n) != 0 || (at[n] != '\0' && at[n] != ':'))
        return;
    if (atomic_fetch_add(&passes, 1) + 1 >= (at[n] == ':' ? atoi(at + n + 1) : 1))
        kill(getpid(), SIGKILL);
}
