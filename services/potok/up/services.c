#include "services.h"

#include "base/mem.h"
#include "base/str.h"
#include "words/russian.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAID_MAX   65536 /* of what one service says */
#define EXIT_WRONG 2     /* its exit code where the configuration is */

const struct service SERVICES[] = {
#define SERVICE(name, port, instances, up) { #name, instances, up },
#include "services/services.def"
#undef SERVICE
};
const int SERVICE_COUNT = ARRAY_SIZE(SERVICES);

bool service_is_up(const char *name)
{
    for (int i = 0; i < SERVICE_COUNT; i++)
        if (strcmp(SERVICES[i].name, name) == 0)
            return SERVICES[i].up > 0;
    return false;
}

int service_instances(const struct service *s, const struct config *config, int *ret, struct err *err)
{
    char name[64];
    const char *value, *where = "environment";
    int64_t n;

    snprintf(name, sizeof(name), "%sS", s->name);
    for (char *p = name; *p != '\0'; p++)
        *p = (char)toupper((unsigned char)*p);
    value = getenv(name);
    if ((value == NULL || value[0] == '\0') && config != NULL)
        value = config_setting((struct config *)config, name, &where);
    if (value == NULL || value[0] == '\0') {
        *ret = s->instances;
        return 0;
    }
    if (!str_i64(str_of(value), &n) || n < 1 || n > INSTANCES_MAX)
        return err_set(err, ERR_CONF, "%s: \"%.32s\" from %s is not a number from 1 to %d", name, value,
            err_tr(where), INSTANCES_MAX);
    *ret = (int)n;
    return 0;
}

void service_program(const char *name, char *ret, size_t size)
{
    char self[512];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    self[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(self, '/');

    snprintf(ret, size, "%.*s/potok-%s", slash == NULL ? 0 : (int)(slash - self), self, name);
}

/* Runs "program --check" and takes what it says on standard error. Its exit code, or -1. */
static int check_run(const char *program, char *ret, size_t size)
{
    int ends[2], status = -1;
    size_t n = 0;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        execl(program, program, "--check", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    for (ssize_t got; n + 1 < size && (got = read(ends[0], ret + n, size - 1 - n)) > 0;)
        n += (size_t)got;
    ret[n] = '\0';
    close(ends[0]);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What "program --check" finds wrong; false: nothing, or it is not there. */
static bool service_complains(const struct service *s, char *said, size_t size)
{
    char program[640];

    service_program(s->name, program, sizeof(program));
    return access(program, X_OK) == 0 && check_run(program, said, size) == EXIT_WRONG;
}

/* Of "potok-fetcher: what is wrong\n…" the next line without the program's name; *said is behind it. NULL:
 * none. */
static const char *next_words(char **said, const char *service)
{
    char prefix[64], *line = *said;
    int n = snprintf(prefix, sizeof(prefix), "potok-%s: ", service);

    if (line[0] == '\0')
        return NULL;
    *said += strcspn(line, "\n");
    if (**said != '\0')
        *(*said)++ = '\0';
    return strncmp(line, prefix, (size_t)n) == 0 ? line + n : line;
}

int services_check(const struct config *config, struct err *err)
{
    char said[SAID_MAX], russian_said[2 * ERR_TEXT_SIZE];
    int instances;

    for (int i = 0; i < SERVICE_COUNT; i++) {
        if (!SERVICES[i].up)
            continue;
        if (service_instances(&SERVICES[i], config, &instances, err) < 0)
            return -1;
        if (!service_complains(&SERVICES[i], said, sizeof(said)))
            continue;
        char *rest = said;
        const char *words = next_words(&rest, SERVICES[i].name);

        return err_set(err, ERR_CONF, "%s",
            russian_message(words != NULL ? words : "", russian_said, sizeof(russian_said)));
    }
    return 0;
}

static void add_words(const char *words, struct mistakes *heard, struct mistakes *all)
{
    char said[2 * ERR_TEXT_SIZE];
    struct err err;

    if (mistakes_has(heard, words))
        return;
    err_set(&err, ERR_CONF, "%s", words);
    mistakes_add(heard, &err);
    err_set(&err, ERR_CONF, "%s", russian_message(words, said, sizeof(said)));
    mistakes_add(all, &err);
}

void services_check_all(const struct config *config, struct mistakes *heard, struct mistakes *all)
{
    char *said = xmalloc(SAID_MAX);
    struct err err;
    int instances;

    for (int i = 0; i < SERVICE_COUNT; i++) {
        if (!SERVICES[i].up)
            continue;
        if (service_instances(&SERVICES[i], config, &instances, &err) < 0)
            mistakes_add(all, &err);
        if (!service_complains(&SERVICES[i], said, SAID_MAX))
            continue;
        char *rest = said;

        for (const char *words; (words = next_words(&rest, SERVICES[i].name)) != NULL;)
            add_words(words, heard, all);
    }
    free(said);
}
