/* judge_database.c - is the database there, may we write it, is it of our version and a copy of these
 * portals? Pure, but for the one call that looks. */
#include "facts.h"

#include "base/log.h"
#include "base/mem.h"
#include "words/say.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void look_database(struct facts *f)
{
    f->database_looked = true;
    f->database_error = (struct err){ .kind = ERR_NONE };
    if (db_look(&f->database, f->home->database_url, f->deep, &f->database_error) == 0)
        f->database_error.kind = ERR_NONE;
}

/* Nothing is known of it; the first check of the database says why. */
static bool skipped(const struct facts *f, struct findings *out)
{
    if (f->database_looked && f->database_error.kind == ERR_NONE)
        return false;
    finding_add(out, HEALTH_SKIPPED, NULL, NULL, "%s",
        f->database_looked
            ? say("не смотрели: с базой не поработать", "not checked: the database cannot be used")
            : say("не смотрели: настройки неверны", "not checked: the configuration is wrong"));
    return true;
}

static bool is_sqlite(const struct facts *f)
{
    return strcmp(f->database.engine, "sqlite") == 0;
}

/* The session that lifts it must not be read-only itself. */
static const char *writable_cure(const struct db_look *d, char *ret, size_t size)
{
    snprintf(ret, size,
        say("разрешите запись от имени владельца: PGOPTIONS='-c default_transaction_read_only=off' psql -d "
            "\"%s\" -c 'ALTER "
            "DATABASE \"%s\" SET default_transaction_read_only = off' (если это задано роли: ALTER ROLE "
            "\"%s\" …)",
            "allow writing, as the owner: PGOPTIONS='-c default_transaction_read_only=off' psql -d \"%s\" -c "
            "'ALTER "
            "DATABASE \"%s\" SET default_transaction_read_only = off' (where the role has it: ALTER ROLE "
            "\"%s\" …)"),
        d->name, d->name, d->user);
    return ret;
}

void judge_database(const struct facts *f, struct findings *out)
{
    const struct db_look *d = &f->database;
    char size[SAY_COUNT_SIZE], url[400], cure[600];

    if (!f->database_looked) {
        skipped(f, out);
        return;
    }
    url_mask(str_of(f->home->database_url), url, sizeof(url));
    bool named = strncmp(f->database_error.text, url, strlen(url)) == 0;

    if (f->database_error.kind != ERR_NONE)
        finding_add(out, HEALTH_BAD, NULL, NULL, "%s%s%s", named ? "" : url, named ? "" : ": ",
            f->database_error.text);
    else if (!d->there)
        finding_add(out, HEALTH_OK, NULL, NULL,
            say("%s: базы ещё нет, её создаст первый запуск", "%s: not there yet, the first start makes it"),
            url);
    else if (d->standby || d->read_only)
        finding_add(out, HEALTH_BAD, NULL,
            d->standby ? say("укажите в DATABASE_URL адрес основного сервера",
                             "give DATABASE_URL the address of the primary")
                       : writable_cure(d, cure, sizeof(cure)),
            say("%s: сервер только для чтения", "%s: the server is read-only"), url);
    else
        finding_add(out, HEALTH_OK, NULL, NULL, "%s: %s %s%s, %s", url,
            is_sqlite(f) ? "SQLite" : "PostgreSQL", d->version, d->wal ? ", WAL" : "",
            say_bytes((uint64_t)d->bytes, size));
}

void judge_database_rights(const struct facts *f, struct findings *out)
{
    const struct db_look *d = &f->database;
    char grant[400];
    int before = out->count;

    if (skipped(f, out))
        return;
    if (!is_sqlite(f) && !d->may_temporary) {
        snprintf(grant, sizeof(grant), "GRANT TEMPORARY ON DATABASE \"%s\" TO \"%s\"", d->name, d->user);
        finding_add(out, HEALTH_BAD, NULL, grant,
            say("%s не может создавать временные таблицы", "%s may make no temporary tables"), d->user);
    }
    if (!is_sqlite(f) && !d->may_create) {
        snprintf(grant, sizeof(grant), "GRANT USAGE, CREATE ON SCHEMA \"%s\" TO \"%s\"", d->schema, d->user);
        finding_add(out, d->tables == 0 ? HEALTH_BAD : HEALTH_WARNING, NULL, grant,
            d->tables == 0
                ? say("%s не может создавать таблицы в схеме %s", "%s may make no tables in the schema %s")
                : say("%s не может создавать таблицы в схеме %s: новая сущность остановит запуск",
                      "%s may make no tables in the schema %s: a new entity would stop the start"),
            d->user, d->schema);
    }
    if (d->denied[0] != '\0')
        finding_add(out, HEALTH_BAD, NULL, NULL, "%s", d->denied);
    if (out->count == before)
        finding_add(out, HEALTH_OK, NULL, NULL, "%s",
            is_sqlite(f) ? say("файл базы наш", "the file is ours")
                         : say("прав достаточно", "there are enough"));
}

void judge_tables(const struct facts *f, struct findings *out)
{
    const struct db_look *d = &f->database;

    if (skipped(f, out))
        return;
    if (!d->there || d->tables == 0)
        finding_add(out, HEALTH_OK, NULL, NULL, "%s",
            say("таблиц «Потока» ещё нет, их создаст первый запуск",
                "no tables of Potok yet, the first start makes them"));
    else if (d->tables > d->tables_known)
        finding_add(out, HEALTH_BAD, NULL,
            say("запустите новую версию или укажите другой DATABASE_URL",
                "run the newer program, or give another DATABASE_URL"),
            say("таблицы сделаны более новым «Потоком» (версия %" PRId64 ", эта программа знает %" PRId64 ")",
                "the tables are of a newer Potok (version %" PRId64 ", this program knows %" PRId64 ")"),
            d->tables, d->tables_known);
    else if (d->tables < d->tables_known)
        finding_add(out, HEALTH_OK, NULL, NULL,
            say("таблицы версии %" PRId64 "; следующий запуск доведёт их до %" PRId64,
                "tables of version %" PRId64 "; the next start brings them to %" PRId64),
            d->tables, d->tables_known);
    else
        finding_add(out, HEALTH_OK, NULL, NULL, say("версия %" PRId64, "version %" PRId64), d->tables);
}

static const char *identity_of(const struct db_look *d, const char *portal)
{
    for (int i = 0; i < d->lease_count; i++)
        if (strcmp(d->leases[i].portal, portal) == 0)
            return d->leases[i].identity;
    return "";
}

void judge_identity(const struct facts *f, struct findings *out)
{
    int before = out->count;

    if (skipped(f, out))
        return;
    for (int i = 0; i < f->portal_count; i++) {
        const struct portal_facts *p = &f->portals[i];
        const char *was = identity_of(&f->database, p->name);
        char cure[500];

        if (was[0] == '\0' || strcmp(was, p->identity) == 0)
            continue;
        snprintf(cure, sizeof(cure),
            say("если это тот же портал с новым адресом: potok config moved %s; если другой — дайте ему "
                "другой DATABASE_URL "
                "или другое имя и prefix",
                "where it is the same portal with a new address: potok config moved %s; else give it another "
                "DATABASE_URL, "
                "or another name and prefix"),
            p->name);
        finding_add(out, HEALTH_BAD, p->name, cure,
            say("в базе копия портала %s, а настроен %s",
                "the database is a copy of %s, and %s is configured"),
            was, p->identity);
    }
    if (out->count == before)
        finding_add(out, HEALTH_OK, NULL, NULL, "%s",
            say("база не занята другим порталом", "the database is no other portal's"));
}

void judge_damage(const struct facts *f, struct findings *out)
{
    const struct db_look *d = &f->database;

    if (!f->deep || skipped(f, out) || !d->there || !is_sqlite(f))
        return;
    if (d->damage[0] != '\0')
        finding_add(out, HEALTH_BAD, NULL,
            say("остановите «Поток» и восстановите базу из копии, или спасите что осталось: sqlite3 ФАЙЛ "
                ".recover",
                "stop Potok and restore a backup, or save what is left: sqlite3 FILE .recover"),
            say("файл базы повреждён: %s", "the database file is damaged: %s"), d->damage);
    else
        finding_add(out, HEALTH_OK, NULL, NULL, "%s", say("файл базы цел", "the database file is whole"));
}
