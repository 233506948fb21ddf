#include "run/app_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "proto/entity.h"

static const struct setting common[] = {
    SET_STR(struct app_settings, log_level, "LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR"),
    SET_STR(struct app_settings, metrics_listen, "METRICS_LISTEN", NULL,
        "address of /health, /ready and /metrics; default 127.0.0.1 and the service's port, a free port for "
        "further instances"),
    SET_STR(struct app_settings, home, "POTOK_HOME", "./var", "folder of the state on this machine"),
    SET_INT(struct app_settings, instance, "POTOK_INSTANCE", "1", 1, 999,
        "number of this process among its kind"),
    SET_STR(
        struct app_settings, config, "POTOK_CONFIG", NULL, "configuration file; default potok.yaml if there"),
    SET_MS(struct app_settings, stop_timeout_ms, "STOP_TIMEOUT", "10s", 100, 600000,
        "after SIGTERM, work in hand has this long"),
    SET_MS(struct app_settings, status_interval_ms, "STATUS_INTERVAL", "1s", 50, 60000,
        "how often STATUS is sent"),
    SET_END,
};

const struct setting *app_common_settings(void)
{
    return common;
}

bool app_setting_known(const char *name)
{
    static const char *const names[] = {
#define SETTING_NAME(name) #name,
#include "run/settings.def"
#undef SETTING_NAME
    };
    size_t n = strlen(name);

    if (n > 5 && strcmp(name + n - 5, "_FILE") == 0)
        n -= 5;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strncmp(names[i], name, n) == 0 && names[i][n] == '\0')
            return true;
    return false;
}

static void load_log_level(const struct app *app, struct mistakes *all)
{
    const char *told = app->private_->set.log_level;
    enum log_level level = LOG_INFO;
    struct err err;

    if (log_level_of(told, &level) < 0) {
        err_set(&err, ERR_CONF, "LOG_LEVEL: \"%.32s\" is none of DEBUG, INFO, WARNING, ERROR", told);
        mistakes_add(all, &err);
    }
    log_init(app->def->name, level);
}

void app_load(struct app *app, struct mistakes *all)
{
    struct app_private *p = app->private_;
    const struct config_checks checks = { entity_plural, app_setting_known, entity_names(), all };
    struct err err;

    if (config_load(&p->config, NULL, &checks, &err) < 0)
        mistakes_add(all, &err);
    app->config = &p->config;
    if (settings_load_all(common, &p->set, config_setting, &p->config, all, &err) < 0 ||
        settings_load_all(app->def->settings, p->state, config_setting, &p->config, all, &err) < 0)
        mistakes_add(all, &err);
    load_log_level(app, all);
    setenv("POTOK_HOME", p->set.home, 1); /* where the file said it: paths_home() looks at the environment */
    snprintf(app->instance, sizeof(app->instance), "%s.%d", app->def->name, (int)p->set.instance);
}

void app_unload(struct app *app)
{
    struct app_private *p = app->private_;

    settings_free(app->def->settings, p->state);
    settings_free(common, &p->set);
    config_free(&p->config);
}
