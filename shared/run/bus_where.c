#include "run/bus_where.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "run/listen.h"

int bus_place(struct bus_place *ret, const char *run_dir, const char *service, const char *number,
    const char *plug, struct err *err)
{
    char *stem = xasprintf("%s/%s.%s.%s", run_dir, service, number, plug);
    int result = 0;

    if (strlen(stem) + strlen(".sock") > BUS_PATH_MAX) {
        result = err_set(err, ERR_CONF,
            "%s.sock: longer than the %d bytes a socket's path may have: "
            "set POTOK_HOME to a shorter path",
            stem, BUS_PATH_MAX);
    } else {
        snprintf(ret->path, sizeof(ret->path), "%s.sock", stem);
        snprintf(ret->lock, sizeof(ret->lock), "%s.lock", stem);
    }
    free(stem);
    return result;
}

/* Skips `part` at *p; false when something else stands there. */
static bool skip(const char **p, const char *part)
{
    size_t n = strlen(part);
    bool same = strncmp(*p, part, n) == 0;

    if (same)
        *p += n;
    return same;
}

bool bus_place_matches(const char *file, const char *service, const char *plug)
{
    const char *p = file;

    if (strcmp(service, "*") == 0)
        p += strcspn(p, ".");
    else if (!skip(&p, service))
        return false;
    if (!skip(&p, "."))
        return false;
    size_t digits = strspn(p, "0123456789");
    p += digits;
    return digits > 0 && skip(&p, ".") && skip(&p, plug) && strcmp(p, ".sock") == 0;
}

/* The setting that holds the address, for messages. */
static void name_setting(const char *service, char *ret, size_t size)
{
    snprintf(ret, size, "BUS_%s", service);
    for (char *p = ret; *p != '\0'; p++)
        *p = (char)toupper((unsigned char)*p);
}

/* The numeric address of a loopback host; NULL when it is none. */
static const char *loopback(const char *host)
{
    if (strcmp(host, "localhost") == 0)
        return "127.0.0.1";
    bool digits = strncmp(host, "127.", 4) == 0 && host[strspn(host, "0123456789.")] == '\0';
    return digits || strcmp(host, "::1") == 0 ? host : NULL;
}

int bus_tcp(const char *where, const char *service, int offset, char *ret, size_t size, struct err *err)
{
    char setting[64], host[256], port[8];
    uint64_t number = 0;

    name_setting(service, setting, sizeof(setting));
    if (strncmp(where, "tcp://", 6) != 0 ||
        listen_split(where + 6, host, sizeof(host), port, sizeof(port)) < 0 ||
        !str_u64(str_of(port), &number) || number == 0 || number + (uint64_t)offset > 65535)
        return err_set(err, ERR_CONF, "%s: \"%.64s\" is neither ipc nor tcp://HOST:PORT", setting, where);

    const char *address = loopback(host);
    if (address == NULL)
        return err_set(err, ERR_CONF, "%s: tcp beyond loopback is refused: it is not encrypted", setting);
    snprintf(
        ret, size, strchr(address, ':') ? "tcp://[%s]:%d" : "tcp://%s:%d", address, (int)number + offset);
    return 0;
}
