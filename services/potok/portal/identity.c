#include "identity.h"

#include "base/webhook.h"
#include "command.h"
#include "db/identity.h"
#include "proto/entity.h"
#include "words/say.h"

#include <stdio.h>

#define TABLE_SIZE 64

static int portal_check(const struct config_portal *p, struct db *db, struct err *err)
{
    char names[CONFIG_ENTITIES_MAX][TABLE_SIZE], host[WEBHOOK_IDENTITY_SIZE];
    struct str tables[CONFIG_ENTITIES_MAX];
    int count = p->entity_count > 0 ? p->entity_count : ENTITY_COUNT;

    webhook_identity(config_portal_url(p), host);
    for (int i = 0; i < count; i++) {
        snprintf(names[i], TABLE_SIZE, "%s%s", p->prefix,
            p->entity_count > 0 ? p->entities[i] : ENTITIES[i].plural);
        tables[i] = str_of(names[i]);
    }
    struct db_identity who = { str_of(p->name), str_of(host), tables, count };

    return db_identity_check(db, &who, err);
}

int identity_check(const struct home *h, struct db *db, struct err *err)
{
    for (int i = 0; i < h->config.portal_count; i++)
        if (portal_check(&h->config.portals[i], db, err) < 0)
            return -1;
    return 0;
}

/* ---- `potok config moved` ---- */

static int on_host(void *ctx, const struct db_val *row, int columns)
{
    snprintf(ctx, WEBHOOK_IDENTITY_SIZE, STR_FMT, row[0].type == DB_TEXT ? (int)row[0].s.n : 0, row[0].s.p);
    return 1;
}

static int host_replace(struct db *db, const char *portal, const char *host, struct err *err)
{
    int64_t changes;

    if (db_begin(db, err) < 0)
        return -1;
    if (db_run(db, "UPDATE potok_lease SET identity = $2, host = NULL WHERE portal = $1",
            DB_ARGS(dbv_c(portal), dbv_c(host)), NULL, NULL, &changes, err) < 0) {
        db_rollback(db);
        return -1;
    }
    return db_commit(db, err);
}

static const char *plainly(const char *was, const char *host, bool elsewhere)
{
    if (elsewhere && strcmp(was, host) == 0)
        return say("портал снова спрашивают по адресу из настроек, со следующего запуска планировщика",
            "the portal is asked at its configured address again, from the scheduler's next start on");
    return say("адрес тот же, менять нечего", "the address is the same: nothing to change");
}

static int moved(const struct home *h, const struct config_portal *p, struct err *err)
{
    char was[WEBHOOK_IDENTITY_SIZE] = "", host[WEBHOOK_IDENTITY_SIZE];
    int64_t elsewhere = 0;
    struct db *db = NULL;
    int result;

    webhook_identity(config_portal_url(p), host);
    if (db_open(&db, h->database_url, err) < 0)
        return -1;
    result = db_migrate(db, err);
    if (result == 0)
        result = db_run(db, "SELECT identity FROM potok_lease WHERE portal = $1", DB_ARGS(dbv_c(p->name)),
            on_host, was, NULL, err);
    if (result == 0 && strcmp(was, "localhost") == 0 && strcmp(host, was) != 0)
        result = err_set(err, ERR_CONF, "%s: %s", p->name,
            say("в таблицах копия песочницы этой машины, она не могла переехать: нужен другой DATABASE_URL",
                "the tables are a copy of a sandbox on this machine, which cannot have moved: give another "
                "DATABASE_URL"));
    if (result == 0)
        result = db_get_i64(db, "SELECT count(*) FROM potok_lease WHERE portal = $1 AND host IS NOT NULL",
            DB_ARGS(dbv_c(p->name)), 0, &elsewhere, err);
    if (result == 0 && was[0] != '\0' && (strcmp(was, host) != 0 || elsewhere > 0))
        result = host_replace(db, p->name, host, err);
    db_close(&db);
    if (result < 0)
        return -1;
    if (was[0] == '\0' || strcmp(was, host) == 0)
        printf("%s: %s\n", p->name, plainly(was, host, elsewhere > 0));
    else
        printf("%s: %s -> %s; %s\n", p->name, was, host,
            say("таблицы остаются копией этого портала", "the tables go on as this portal's copy"));
    return 0;
}

int identity_moved(const char *portal)
{
    struct home home;
    struct err err = { 0 };
    const struct config_portal *p;
    int result;

    if (home_load(&home, NULL, &err) < 0)
        return command_failed(&err);
    p = config_portal(&home.config, str_of(portal));
    result = p != NULL ? moved(&home, p, &err)
                       : err_set(&err, ERR_CONF, "%s \"%.40s\"",
                             say("в настройках нет портала", "no portal is configured as"), portal);
    home_free(&home);
    return result < 0 ? command_failed(&err) : EXIT_WELL;
}
