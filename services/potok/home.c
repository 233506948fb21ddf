#include "home.h"

#include "ask/absence.h"
#include "base/setting.h"
#include "db/db.h"
#include "proto/entity.h"
#include "run/app.h"
#include "words/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct setting SETTINGS[] = { SET_STR(struct home, dir, "POTOK_HOME", "./var",
                                               "folder of the state on this machine"),
    SET_SECRET(struct home, database_url, "DATABASE_URL", "the database; default a file in POTOK_HOME"),
    SET_STR(struct home, bus_scheduler, "BUS_SCHEDULER", "ipc", "where the scheduler is found"),
    SET_SECRET(struct home, secret_key, "POTOK_SECRET_KEY",
        "opens the access tokens of portals that are reached as an application; the scheduler's"),
    SET_MS(struct home, patience_ms, "CONNECT_PATIENCE", "2m", 100, 86400000,
        "`up --once`: how long a portal may be out of reach before that is a failure"),
    SET_MS(struct home, stop_timeout_ms, "STOP_TIMEOUT", "10s", 100, 600000,
        "after SIGTERM, work in hand has this long; the services'"),
    SET_END };

#define HOME_DIR_MAX 200 /* sockets lie in it, and their paths have 107 bytes at most anyway */

static void database_default(struct home *h)
{
    char url[600];
    const char *dir = h->dir;

    while (dir[0] == '.' && dir[1] == '/')
        dir += 2;
    snprintf(url, sizeof(url), "sqlite:///%s%spotok.db", dir, dir[0] == '\0' ? "" : "/");
    free(h->database_url);
    h->database_url = strdup(url);
    h->database_default = true;
}

static int dir_take(struct home *h, struct err *err)
{
    snprintf(h->run_dir, sizeof(h->run_dir), "%s/run", h->dir);
    snprintf(h->log_dir, sizeof(h->log_dir), "%s/log", h->dir);
    if (strlen(h->dir) >= HOME_DIR_MAX)
        return err_set(err, ERR_CONF, "POTOK_HOME: longer than %d bytes", HOME_DIR_MAX);
    return 0;
}

static int settings_take(struct home *h, struct mistakes *all, struct err *err)
{
    if (settings_load_all(SETTINGS, h, config_setting, &h->config, all, err) < 0)
        return -1;
    if (dir_take(h, err) < 0 && mistakes_note(all, err) < 0)
        return -1;
    if (h->database_url == NULL || h->database_url[0] == '\0')
        database_default(h);
    return db_file(h->database_url, &h->database_file, err) < 0 ? mistakes_note(all, err) : 0;
}

static int load(struct home *h, const char *config_path, struct mistakes *all, struct err *err)
{
    const struct config_checks checks = { entity_plural, app_setting_known, entity_names(), all };

    memset(h, 0, sizeof(*h));
    if (config_load(&h->config, config_path, &checks, err) < 0)
        return -1;
    if (settings_take(h, all, err) < 0) {
        home_free(h);
        return -1;
    }
    if (h->database_default)
        setenv("DATABASE_URL", h->database_url, 1);
    if (config_path != NULL)
        setenv("POTOK_CONFIG", config_path, 1);
    return 0;
}

int home_load(struct home *h, const char *config_path, struct err *err)
{
    return load(h, config_path, NULL, err);
}

void home_load_all(struct home *h, const char *config_path, struct mistakes *all)
{
    struct err err;

    if (load(h, config_path, all, &err) < 0)
        mistakes_add(all, &err);
}

int home_has_portal(const struct home *h, struct err *err)
{
    static const char *const none[] = {
        "нет ни одного портала: задайте BITRIX_WEBHOOK_URL или portals: в potok.yaml",
        "there is no portal: set BITRIX_WEBHOOK_URL, or portals: in potok.yaml",
    };
    int pid;

    if (h->config.portal_count > 0)
        return 0;
    pid = absence_up_pid(h);
    if (pid == 0 || pid == (int)getpid()) /* `potok up` asks too, when it holds the home already */
        return err_set(err, ERR_CONF, "%s", say(none[0], none[1]));
    return err_set(err, ERR_CONF, "%s; %s %s", say(none[0], none[1]), h->dir,
        say("занят работающим `potok up` с настройками своего окружения: задайте здесь те же",
            "is in use by a `potok up` with settings of its own environment: set the same here"));
}

void home_free(struct home *h)
{
    settings_free(SETTINGS, h);
    free(h->database_file);
    config_free(&h->config);
}
