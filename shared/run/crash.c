#include "run/crash.h"

#include <fcntl.h>
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

/* What stands in the file of that name; nothing: "". */
static const char *read_words(const char *path, char *words, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, words, size - 1) : -1;

    if (fd >= 0)
        close(fd);
    words[n > 0 ? n : 0] = '\0';
    return words;
}

void crash_pass(enum crash point)
{
    const char *setting = getenv("POTOK_CRASH_AT");
    char words[256];

    if (setting == NULL)
        return;
    int pass = wanted(*setting == '/' ? read_words(setting, words, sizeof(words)) : setting, names[point]);
    if (pass == 0 || atomic_fetch_add(&passes[point], 1) + 1 < pass)
        return;
    if (*setting == '/')
        unlink(setting);
    kill(getpid(), SIGKILL);
}
