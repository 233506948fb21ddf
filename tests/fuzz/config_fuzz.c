/* Bytes of a configuration file. What is accepted must keep the promises of config.h. */
#include "base/config.h"

#include "base/mem.h"
#include "support/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *plural_of(struct str name)
{
    return str_is(name, "deal") || str_is(name, "deals") ? "deals" : str_is(name, "leads") ? "leads" : NULL;
}

static bool is_setting(const char *name)
{
    return strcmp(name, "JOB_DEADLINE") == 0;
}

static void check_portal(const struct config_portal *p)
{
    size_t n = p->url ? strlen(p->url) : 0;

    if (p->url) {
        EXPECT(n > 0 && p->url[n - 1] == '/' && strstr(p->url, "/rest/"));
        EXPECT(strncasecmp(p->url, "https://", 8) == 0 || strncasecmp(p->url, "http://", 7) == 0);
    }
    EXPECT((p->url != NULL) != config_portal_is_app(p));
    EXPECT(strncmp(p->address, "https://", 8) == 0 || strncmp(p->address, "http://", 7) == 0);
    EXPECT(p->url || (p->app.client_secret[0] && p->app.oauth[0]));
    EXPECT(p->drain_per_s >= 1 && p->burst >= p->drain_per_s + 2);
    EXPECT(p->name[0] && p->prefix[0] && strlen(p->name) <= 32 && strlen(p->prefix) <= 31);
    EXPECT(p->entity_count >= 0 && p->entity_count <= CONFIG_ENTITIES_MAX);
}

static void load(const char *path)
{
    static const struct config_checks checks = { plural_of, is_setting, NULL, NULL };
    struct config c;
    struct err err = { 0 };

    if (config_load(&c, path, &checks, &err) < 0) {
        EXPECT(err.kind == ERR_CONF && err.text[0] && !strchr(err.text, '\n'));
        return;
    }
    for (int i = 0; i < c.portal_count; i++)
        check_portal(&c.portals[i]);
    config_free(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];

    /* "url_file" would open whatever this machine has under a random name */
    if (size > 20000 || (size > 0 && memmem(data, size, "_file", 5)))
        return 0;

    int fd = memfd_create("config", MFD_CLOEXEC);
    EXPECT(fd >= 0);
    EXPECT(write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    load(path);
    close(fd);
    return 0;
}
