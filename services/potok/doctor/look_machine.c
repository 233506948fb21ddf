/* look_machine.c - what this machine is like: folders, file systems, limits, ports, services. Reads; the one
 * thing it writes is an empty file in POTOK_HOME, removed at once: rights and read-only file systems lie in
 * many ways. */
#include "facts.h"

#include "ask/absence.h"
#include "base/guess.h"
#include "base/mem.h"
#include "up/held.h"
#include "run/app.h"
#include "run/bus_where.h"
#include "run/listen.h"
#include "run/lock.h"
#include "up/services.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

extern char **environ;

/* ---- folders and files ---- */

/* Takes names off the end until the rest is there: a file is made where that allows it. */
static void find_standing(char *path)
{
    struct stat st;

    while (stat(path, &st) < 0) {
        char *slash = strrchr(path, '/');

        if (slash == NULL || slash == path) {
            memcpy(path, slash == NULL ? "." : "/", 2);
            return;
        }
        *slash = '\0';
    }
}

/* 0, or why no file can be made in the folder. */
static int probe_write(const char *folder)
{
    char path[640];
    int fd;

    snprintf(path, sizeof(path), "%s/.potok-doctor-XXXXXX", folder);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return errno;
    close(fd);
    unlink(path);
    return 0;
}

static void look_place(struct place *p, const char *what, const char *folder)
{
    struct stat st;
    struct statvfs fs;
    struct statfs kind;

    p->what = what;
    p->there = stat(folder, &st) == 0;
    snprintf(p->path, sizeof(p->path), "%s", folder);
    find_standing(p->path);
    if (stat(p->path, &st) == 0) {
        p->mode = st.st_mode & 07777;
        p->foreign = st.st_uid != geteuid();
        p->refused = S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
    }
    if (p->refused == 0)
        p->refused = probe_write(p->path);
    if (statvfs(p->path, &fs) == 0) {
        p->free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
        p->files_free = fs.f_favail;
        p->files_told = fs.f_files > 0;
    }
    if (statfs(p->path, &kind) == 0)
        p->kind = (long)kind.f_type;
}

static void folder_of(const char *file, char *ret, size_t size)
{
    const char *slash = strrchr(file, '/');

    if (slash == NULL)
        snprintf(ret, size, ".");
    else
        snprintf(ret, size, "%.*s", slash == file ? 1 : (int)(slash - file), file);
}

static void look_database_file(struct machine_facts *m, const char *file)
{
    char folder[600];
    struct stat st;

    snprintf(m->database_file, sizeof(m->database_file), "%s", file);
    folder_of(file, folder, sizeof(folder));
    look_place(&m->database, "DATABASE_URL", folder);
    m->file_there = stat(file, &st) == 0;
    if (m->file_there) {
        m->file_mode = st.st_mode & 07777;
        m->file_foreign = st.st_uid != geteuid();
        m->file_writable = access(file, W_OK) == 0;
    }
}

/* ---- limits ---- */

/* The number in a file; 0: none, or "max". */
static uint64_t number_in(const char *path)
{
    unsigned long long n = 0;
    FILE *f = fopen(path, "re");

    if (f == NULL)
        return 0;
    if (fscanf(f, "%llu", &n) != 1)
        n = 0;
    fclose(f);
    return n;
}

/* Version 2 has one tree, version 1 one for memory; a container sees its own group at the root. */
static uint64_t memory_limit(void)
{
    static const char *const files[] = { "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes" };
    char line[512], path[640];
    uint64_t least = 0, n;
    FILE *f = fopen("/proc/self/cgroup", "re");

    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "0::/", 4) != 0)
            continue;
        snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.max", line + 3);
        least = number_in(path);
    }
    if (f != NULL)
        fclose(f);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        n = number_in(files[i]);
        if (n > 0 && (least == 0 || n < least))
            least = n;
    }
    return least < (UINT64_C(1) << 60) ? least : 0; /* version 1 says "none" by a huge number */
}

static void look_limits(struct machine_facts *m)
{
    struct rlimit files;

    m->files_most = getrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur : 0;
    m->memory_most_bytes = memory_limit();
}

/* ---- services, sockets, ports ---- */

static void look_services(struct machine_facts *m, const struct home *home)
{
    static const char ending[] = ".pid";
    DIR *dir = opendir(home->run_dir);
    char path[900];

    m->up_pid = absence_up_pid(home);
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        size_t n = strlen(e->d_name);

        if (n < sizeof(ending) || strcmp(e->d_name + n - sizeof(ending) + 1, ending) != 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", home->run_dir, e->d_name);
        if (lock_is_held(path))
            m->alive++;
        else
            m->stale++;
    }
    if (dir != NULL)
        closedir(dir);
}

/* The longest name there can be. */
static void look_sockets(struct machine_facts *m, const struct home *home)
{
    struct bus_place place;
    struct err err = { 0 };

    if (bus_place(&place, home->run_dir, "scheduler", "1", "router", &err) < 0)
        snprintf(m->socket_error, sizeof(m->socket_error), "%s", err.text);
}

/* Is it the address that the running service wrote into the second line of its pid file? */
static bool is_ours(const struct home *home, const char *service, const char *address)
{
    char path[700], line[160] = "";
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s.1.pid", home->run_dir, service);
    f = lock_is_held(path) ? fopen(path, "re") : NULL;
    if (f == NULL)
        return false;
    for (int i = 0; i < 2; i++)
        if (fgets(line, sizeof(line), f) == NULL)
            line[0] = '\0';
    fclose(f);
    line[strcspn(line, "\n")] = '\0';
    return strcmp(line, address) == 0;
}

static void look_port(struct port *p, const struct home *home)
{
    char bound[LISTEN_ADDRESS_SIZE];
    struct err err = { 0 };
    int fd = -1;

    if (!p->webhooks && is_ours(home, p->service, p->address)) {
        p->state = PORT_OURS;
        return;
    }
    if (listen_open(p->address, &fd, bound, &err) == 0) {
        close(fd);
        return;
    }
    p->state = err.code == EADDRINUSE ? PORT_TAKEN : PORT_WRONG;
    snprintf(p->why, sizeof(p->why), "%s", err.text);
}

/* Where webhooks come in: `potok up` holds it as long as it runs. */
static void look_gateway(struct machine_facts *m, const struct home *home)
{
    struct port *p = &m->ports[m->port_count++];
    struct held_wish wish;
    char path[700];

    *p = (struct port){ .webhooks = true, .service = "gateway" };
    if (held_wish(&wish, home, &(struct err){ 0 }) < 0) { /* told with the configuration */
        m->port_count--;
        return;
    }
    snprintf(p->address, sizeof(p->address), "%s", wish.address);
    p->wished = !wish.gives_way;
    snprintf(path, sizeof(path), "%s/gateway.1.pid", home->run_dir);
    if (lock_is_held(path))
        p->state = PORT_OURS;
    else
        look_port(p, home);
}

static void look_ports(struct machine_facts *m, const struct home *home)
{
    static const struct {
        const char *name;
        int port, up;
    } services[] = {
#define SERVICE(name, port, instances, up) { #name, port, up },
#include "services/services.def"
#undef SERVICE
    };
    const char *wished = getenv("METRICS_LISTEN"), *where;

    if (wished == NULL || wished[0] == '\0')
        wished = config_setting((void *)&home->config, "METRICS_LISTEN", &where);
    if (service_is_up("gateway"))
        look_gateway(m, home);
    for (size_t i = 0; i < ARRAY_SIZE(services) && m->port_count < FACTS_PORTS_MAX; i++) {
        if (!services[i].up)
            continue;
        struct port *p = &m->ports[m->port_count++];

        snprintf(p->service, sizeof(p->service), "%s", services[i].name);
        p->wished = wished != NULL && wished[0] != '\0';
        if (p->wished)
            snprintf(p->address, sizeof(p->address), "%s", wished);
        else
            snprintf(p->address, sizeof(p->address), "127.0.0.1:%d", services[i].port);
        look_port(p, home);
    }
}

/* ---- the environment ---- */

/* A name that some program reads, or a value that `NAME_FILE` holds. */
static void look_variable(struct machine_facts *m, const char *entry)
{
    static const char *const ours[] = { "POTOK_", "BITRIX_", "DATABASE_URL", "SYNC_" };
    static const char *const for_tests[] = { "POTOK_BIN", "POTOK_CLOCK_OFFSET_MS", "POTOK_CRASH_AT",
        "POTOK_BUS_FAULTS" };
    char name[64], guess[GUESS_SIZE] = "";
    size_t n = strcspn(entry, "=");
    bool our_beginning = false;

    if (n == 0 || n >= sizeof(name) || m->odd_count == FACTS_ODD_MAX)
        return;
    snprintf(name, sizeof(name), "%.*s", (int)n, entry);
    if (app_setting_known(name))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(for_tests); i++)
        if (strcmp(name, for_tests[i]) == 0)
            return;
    for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
        our_beginning = our_beginning || strncmp(name, ours[i], strlen(ours[i])) == 0;
    if ((n < 7 || !guess_setting(name, app_setting_known, guess)) && !our_beginning)
        return;
    struct odd_name *odd = &m->odd[m->odd_count++];

    snprintf(odd->name, sizeof(odd->name), "%s", name);
    snprintf(odd->guess, sizeof(odd->guess), "%s", guess);
}

void look_machine(struct machine_facts *m, const struct home *home)
{
    *m = (struct machine_facts){ 0 };
    for (char **e = environ; *e != NULL; e++)
        look_variable(m, *e);
    look_limits(m);
    if (home == NULL)
        return;
    look_place(&m->home, "POTOK_HOME", home->dir);
    if (home->database_file != NULL)
        look_database_file(m, home->database_file);
    look_services(m, home);
    look_sockets(m, home);
    look_ports(m, home);
}
