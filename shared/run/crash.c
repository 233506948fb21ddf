#include "run/crash.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const names[CRASH_POINTS] = {
#define CRASH(NAME, name, told) [CRASH_##NAME] = name,
#include "run/crash.def"
#undef CRASH
};
static atomic_int passes[CRASH_POINTS];

/* The pass at which to die there; 0: never. */
static int wanted(const char *at, const char *name)
{
    size_t n = strlen(name);

    for (; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, n) != 0)
            continue;
        if (at[n] == ':')
            return atoi(at + n + 1);
        if (at[n] == '\0' || at[n] == ',')
            return 1;
    }
    return 0;
}

void crash_pass(enum crash point)
{
    const char *at = getenv("POTOK_CRASH_AT");
    int pass = at != NULL ? wanted(at, names[point]) : 0;

    if (pass > 0 && atomic_fetch_add(&passes[point], 1) + 1 >= pass)
        kill(getpid(), SIGKILL);
}
