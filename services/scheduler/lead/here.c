#include "here.h"

#include "run/lock.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void read_boot(char *ret, size_t size)
{
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

    ret[0] = '\0';
    if (f != NULL && fgets(ret, (int)size, f) != NULL)
        ret[strcspn(ret, "\n")] = '\0';
    if (f != NULL)
        fclose(f);
}

static void know_place(const char *run_dir, char *ret, size_t size)
{
    char boot[64];
    struct stat st;

    read_boot(boot, sizeof(boot));
    if (boot[0] == '\0' || stat(run_dir, &st) < 0)
        snprintf(ret, size, "-");
    else
        snprintf(
            ret, size, "%s/%llx/%llu", boot, (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
}

void here_holder(struct holder *ret, const char *instance, const char *run_dir)
{
    snprintf(ret->instance, sizeof(ret->instance), "%s", instance);
    if (gethostname(ret->host, sizeof(ret->host) - 1) < 0)
        snprintf(ret->host, sizeof(ret->host), "localhost");
    ret->pid = (uint64_t)getpid();
    know_place(run_dir, ret->place, sizeof(ret->place));
    uuid7(ret->id);
}

bool here_is_dead(const struct holder *me, const struct holder *other, const char *run_dir)
{
    char path[384];

    if (!holder_is_near(other, me))
        return false;
    if (strcmp(other->instance, me->instance) == 0)
        return true;
    snprintf(path, sizeof(path), "%s/%s.pid", run_dir, other->instance);
    return !lock_is_held(path);
}
