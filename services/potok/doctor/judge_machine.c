/* judge_machine.c - configuration, folders, disks, limits, ports and services: is it well, and what is the
 * cure? Pure. */
#include "facts.h"

#include "base/mem.h"
#include "proto/entity.h"
#include "words/say.h"

#include <errno.h>
#include <stdio.h>

#define MB (UINT64_C(1) << 20)

enum {
    FREE_BAD_MB = 64,
    FREE_WARN_MB = 1024,
    FILES_FREE_WARN = 1000,
    FILES_OPEN_BAD = 64,
    FILES_OPEN_WARN = 512,
    MEMORY_WARN_MB = 256
};

/* The check cannot look: there is no configuration to look with. */
static bool unconfigured(const struct facts *f, struct findings *out)
{
    if (f->home != NULL)
        return false;
    finding_add(out, HEALTH_SKIPPED, NULL, NULL, "%s",
        say("не смотрели: настройки неверны", "not checked: the configuration is wrong"));
    return true;
}

void judge_config(const struct facts *f, struct findings *out)
{
    const struct config *c = f->home != NULL ? &f->home->config : NULL;
    int entities = 0;

    if (c == NULL || f->config_error.kind != ERR_NONE) {
        finding_add(out, HEALTH_BAD, NULL,
            say("исправьте и повторите; что действует, покажет `potok config show --origin`",
                "correct it and ask again; `potok config show --origin` tells what holds"),
            "%s", f->config_error.text);
        return;
    }
    for (int i = 0; i < c->portal_count; i++)
        entities += c->portals[i].entity_count == 0 ? ENTITY_COUNT : c->portals[i].entity_count;
    finding_add(out, HEALTH_OK, NULL, NULL, "%s: %d %s, %d %s",
        c->path != NULL ? c->path : say("окружение", "environment"), c->portal_count,
        say_plural((uint64_t)c->portal_count, "портал", "портала", "порталов", "portal", "portals"), entities,
        say_plural((uint64_t)entities, "сущность", "сущности", "сущностей", "entity", "entities"));
}

void judge_environment(const struct facts *f, struct findings *out)
{
    const struct machine_facts *m = &f->machine;

    for (int i = 0; i < m->odd_count; i++) {
        const struct odd_name *odd = &m->odd[i];
        char cure[200];

        if (odd->guess[0] != '\0')
            snprintf(cure, sizeof(cure), say("наверное, это %s", "it is probably meant as %s"), odd->guess);
        else
            snprintf(cure, sizeof(cure), "%s",
                say("уберите её; какие настройки есть, покажет `potok-scheduler --settings` и так же у "
                    "других служб",
                    "take it away; `potok-scheduler --settings` and the other services' show what there is"));
        finding_add(out, HEALTH_WARNING, odd->name, cure, "%s",
            say("такой настройки нет, переменную никто не читает",
                "there is no such setting, nobody reads it"));
    }
    if (m->odd_count == 0)
        finding_add(out, HEALTH_OK, NULL, NULL, "%s",
            say("похожих на настройки незнакомых переменных нет",
                "no variable looks like a mistyped setting"));
}

/* ---- folders ---- */

static void refused_add(const struct place *p, const char *folder, struct findings *out)
{
    char cure[1400];

    if (p->refused == EROFS)
        snprintf(cure, sizeof(cure), "%s",
            say("файловая система только для чтения: перемонтируйте её (mount -o remount,rw) или укажите "
                "другую папку",
                "the file system is read-only: mount it for writing (mount -o remount,rw), or give another "
                "folder"));
    else if (p->refused == ENOSPC || p->refused == EDQUOT)
        snprintf(cure, sizeof(cure), "%s", say("освободите место на диске", "free some space"));
    else if (p->refused == ENOTDIR)
        snprintf(cure, sizeof(cure),
            say("%s — файл, а не папка: укажите другую", "%s is a file: give a folder"), p->path);
    else
        snprintf(cure, sizeof(cure),
            say("дайте права: sudo chown -R $(id -un) %s, или укажите другую папку (%s)",
                "give the right: sudo chown -R $(id -un) %s, or name another folder (%s)"),
            p->path, p->what);
    finding_add(out, HEALTH_BAD, NULL, cure,
        say("%s: в %s нельзя создать файл: %s", "%s: no file can be made in %s: %s"), folder, p->path,
        err_reason(p->refused));
}

static void rights_add(const char *path, unsigned mode, const char *chmod, struct findings *out)
{
    char cure[700];

    if ((mode & 077) == 0)
        return;
    snprintf(cure, sizeof(cure), "chmod %s %s", chmod, path);
    finding_add(out, HEALTH_WARNING, NULL, cure,
        say("%s: права %03o, данные клиентов доступны другим пользователям этой машины",
            "%s: mode %03o, other users of this machine may look at customers' data"),
        path, mode & 0777);
}

void judge_home(const struct facts *f, struct findings *out)
{
    const struct machine_facts *m = &f->machine;
    int before = out->count;

    if (unconfigured(f, out))
        return;
    if (m->home.refused != 0)
        refused_add(&m->home, f->home->dir, out);
    else if (!m->home.there)
        finding_add(out, HEALTH_OK, NULL, NULL,
            say("%s: папки ещё нет, её создаст первый запуск", "%s: not there yet, the first start makes it"),
            f->home->dir);
    else
        rights_add(m->home.path, m->home.mode, "700", out);
    if (m->file_there) {
        rights_add(m->database_file, m->file_mode, "600", out);
        if (!m->file_writable)
            finding_add(out, HEALTH_BAD, NULL,
                say("дайте этому пользователю право записи (chown, chmod u+w)",
                    "give this user the right to write (chown, chmod u+w)"),
                say("%s: базу нельзя изменять", "%s: the database cannot be written"), m->database_file);
    }
    if (m->database_file[0] != '\0' && m->database.refused != 0 &&
        strcmp(m->database.path, m->home.path) != 0)
        refused_add(&m->database, m->database_file, out);
    if (out->count == before)
        finding_add(
            out, HEALTH_OK, NULL, NULL, say("%s: доступна для записи", "%s: can be written"), f->home->dir);
}

static void disk_add(const struct place *p, struct findings *out)
{
    uint64_t free_mb = p->free_bytes / MB;
    char size[SAY_COUNT_SIZE];
    const char *cure = say("освободите место: журналы лежат в log/, копию можно перенести на другой диск",
        "free some space: logs lie in log/, and the mirror may be moved to another disk");

    say_bytes(p->free_bytes, size);
    finding_add(out,
        free_mb < FREE_BAD_MB    ? HEALTH_BAD
        : free_mb < FREE_WARN_MB ? HEALTH_WARNING
                                 : HEALTH_OK,
        p->what, free_mb < FREE_WARN_MB ? cure : NULL, say("%s: свободно %s", "%s: %s free"), p->path, size);
    if (p->files_told && p->files_free < FILES_FREE_WARN)
        finding_add(out, p->files_free < 10 ? HEALTH_BAD : HEALTH_WARNING, p->what,
            say("на диске слишком много мелких файлов: удалите лишние",
                "too many small files lie on this disk: remove some"),
            say("%s: осталось файлов (inode): %llu", "%s: files left (inodes): %llu"), p->path,
            (unsigned long long)p->files_free);
}

void judge_disk(const struct facts *f, struct findings *out)
{
    const struct machine_facts *m = &f->machine;

    if (unconfigured(f, out))
        return;
    disk_add(&m->home, out);
    if (m->database_file[0] != '\0' && strcmp(m->database.path, m->home.path) != 0)
        disk_add(&m->database, out);
}

void judge_file_system(const struct facts *f, struct findings *out)
{
    enum what { NETWORK, LAYER, MEMORY };
    static const struct {
        long kind;
        const char *name;
        enum what what;
    } kinds[] = {
        { 0x6969, "NFS", NETWORK },
        { 0x517B, "SMB", NETWORK },
        { 0xFF534D42L, "CIFS", NETWORK },
        { 0xFE534D42L, "SMB2", NETWORK },
        { 0x01021997, "9p", NETWORK },
        { 0x65735546, "FUSE", NETWORK },
        { 0x00C36400, "Ceph", NETWORK },
        { 0x0BD00BD0, "Lustre", NETWORK },
        { 0x794C7630, "overlay", LAYER },
        { 0x01021994, "tmpfs", MEMORY },
    };
    const struct machine_facts *m = &f->machine;

    if (unconfigured(f, out))
        return;
    if (m->database_file[0] == '\0') {
        finding_add(out, HEALTH_OK, NULL, NULL, "%s",
            say("база не файл, от диска этой машины не зависит", "the database is no file of this machine"));
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (kinds[i].kind != (m->database.kind & 0xFFFFFFFFL))
            continue;
        const char *cure =
            kinds[i].what == NETWORK
                ? say("перенесите базу на локальный диск (DATABASE_URL) или возьмите PostgreSQL: SQLite "
                      "нельзя делить между машинами, сетевые блокировки её портят",
                      "move the database to a local disk (DATABASE_URL), or take PostgreSQL: SQLite must "
                      "never be shared between hosts, locks of the network damage it")
            : kinds[i].what == LAYER
                ? say("подключите том (volume) и положите базу в него: слой контейнера исчезнет вместе с ним",
                      "mount a volume and keep the database in it: a container's layer goes with the "
                      "container")
                : say("положите базу на диск: память не переживёт перезагрузки",
                      "keep the database on a disk: memory does not outlive a restart");

        finding_add(out, HEALTH_WARNING, NULL, cure, say("%s лежит на %s", "%s lies on %s"), m->database_file,
            kinds[i].name);
        return;
    }
    finding_add(out, HEALTH_OK, NULL, NULL, say("%s: локальный диск", "%s: a local disk"), m->database.path);
}

/* ---- limits ---- */

void judge_limits(const struct facts *f, struct findings *out)
{
    const struct machine_facts *m = &f->machine;
    char memory[SAY_COUNT_SIZE];
    int before = out->count;

    if (m->files_most > 0 && m->files_most < FILES_OPEN_WARN)
        finding_add(out, m->files_most < FILES_OPEN_BAD ? HEALTH_BAD : HEALTH_WARNING, NULL,
            say("поднимите предел: ulimit -n 4096, в systemd LimitNOFILE=4096",
                "raise it: ulimit -n 4096, with systemd LimitNOFILE=4096"),
            say("процессу разрешено открыть только %llu файлов", "a process may open %llu files only"),
            (unsigned long long)m->files_most);
    if (m->memory_most_bytes > 0 && m->memory_most_bytes < MEMORY_WARN_MB * MB)
        finding_add(out, HEALTH_WARNING, NULL,
            say("дайте контейнеру хотя бы 256 МБ: службам нужно до 64 МБ каждой",
                "give the container 256 MB at least: the services take up to 64 MB each"),
            say("группе процессов разрешено только %s памяти", "the control group may use %s of memory only"),
            say_bytes(m->memory_most_bytes, memory));
    if (out->count > before)
        return;
    if (m->memory_most_bytes > 0)
        finding_add(out, HEALTH_OK, NULL, NULL, say("файлов %llu, памяти %s", "%llu files, %s of memory"),
            (unsigned long long)m->files_most, say_bytes(m->memory_most_bytes, memory));
    else
        finding_add(out, HEALTH_OK, NULL, NULL,
            say("файлов %llu, память без предела", "%llu files, memory not limited"),
            (unsigned long long)m->files_most);
}

/* ---- services ---- */

void judge_services(const struct facts *f, struct findings *out)
{
    const struct machine_facts *m = &f->machine;

    if (unconfigured(f, out))
        return;
    if (m->up_pid != 0 && m->alive == 0)
        finding_add(out, HEALTH_WARNING, NULL,
            say("подождите минуту; если не помогло: potok logs, затем запустите снова",
                "wait a minute; if that does not help: potok logs, then start it again"),
            say("`potok up` работает (pid %d), а служб нет", "`potok up` runs (pid %d), and no service does"),
            m->up_pid);
    else if (m->up_pid != 0 || m->alive > 0)
        finding_add(out, HEALTH_OK, NULL, NULL, say("работает служб: %d", "services running: %d"), m->alive);
    else
        finding_add(out, HEALTH_OK, NULL, NULL, "%s",
            say("ничего не запущено: potok up", "nothing runs: start it with `potok up`"));
    if (m->stale > 0)
        finding_add(out, HEALTH_OK, NULL, NULL,
            say("остались pid-файлы завершённых служб: %d; они безвредны, следующий запуск их заменит",
                "pid files of services that are gone: %d; harmless, the next start replaces them"),
            m->stale);
}

static void port_add(const struct port *p, struct findings *out)
{
    if (p->state == PORT_WRONG || (p->state == PORT_TAKEN && p->wished))
        finding_add(out, HEALTH_BAD, p->service,
            p->webhooks ? say("укажите в GATEWAY_LISTEN свободный адрес этой машины",
                              "give GATEWAY_LISTEN a free address of this machine")
                        : say("укажите в METRICS_LISTEN свободный адрес этой машины или 127.0.0.1:0",
                              "give METRICS_LISTEN a free address of this machine, or 127.0.0.1:0"),
            "%s: %s", p->webhooks ? "GATEWAY_LISTEN" : "METRICS_LISTEN", p->why);
    else
        finding_add(out, HEALTH_WARNING, p->service,
            say("кто его занял, покажет ss -ltnp; служба возьмёт свободный порт, его назовёт `potok status`",
                "`ss -ltnp` tells who has it; the service takes a free port, `potok status` names it"),
            say("порт %s занят другой программой", "another program has the port %s"), p->address);
}

/* Services of one machine that shall listen at one and the same place. */
static const struct port *share_port(const struct machine_facts *m)
{
    const struct port *first = NULL;

    for (int i = 0; i < m->port_count; i++) {
        const struct port *p = &m->ports[i];
        size_t n = strlen(p->address);

        if (p->webhooks || !p->wished || (n > 2 && strcmp(p->address + n - 2, ":0") == 0))
            continue;
        if (first != NULL)
            return p;
        first = p;
    }
    return NULL;
}

void judge_ports(const struct facts *f, struct findings *out)
{
    const struct machine_facts *m = &f->machine;
    const struct port *shared = share_port(m);
    int before = out->count;

    if (unconfigured(f, out))
        return;
    if (shared != NULL)
        finding_add(out, HEALTH_BAD, NULL,
            say("уберите METRICS_LISTEN (у каждой службы свой порт с 9100) или укажите порт 0",
                "take METRICS_LISTEN away (each service has a port of its own from 9100 on), or give port 0"),
            say("METRICS_LISTEN=%s: все службы этой машины заняли бы один адрес",
                "METRICS_LISTEN=%s: all services of this machine would want one address"),
            shared->address);
    for (int i = 0; i < m->port_count; i++) {
        if (m->ports[i].state == PORT_TAKEN || m->ports[i].state == PORT_WRONG)
            port_add(&m->ports[i], out);
    }
    if (out->count == before)
        finding_add(out, HEALTH_OK, NULL, NULL, "%s",
            say("порты метрик и вебхуков свободны или заняты нашими службами",
                "the ports of metrics and webhooks are free, or our services' own"));
}

void judge_sockets(const struct facts *f, struct findings *out)
{
    if (unconfigured(f, out))
        return;
    if (f->machine.socket_error[0] != '\0')
        finding_add(out, HEALTH_BAD, NULL,
            say("перенесите POTOK_HOME в папку с коротким путём, например /srv/potok",
                "move POTOK_HOME to a shorter path, for instance /srv/potok"),
            "%s", f->machine.socket_error);
    else
        finding_add(out, HEALTH_OK, NULL, NULL, "%s",
            say("пути сокетов не слишком длинны", "the paths of sockets are short enough"));
}
