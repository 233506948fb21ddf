/* config_cmd.c - `potok config check [FILE]`, `potok config show` and `potok config moved PORTAL`. */
#include "command.h"

#include "base/log.h"
#include "base/mem.h"
#include "home.h"
#include "portal/identity.h"
#include "proto/entity.h"
#include "words/say.h"
#include "up/services.h"
#include "words/table.h"

#include <stdio.h>
#include <stdlib.h>

enum { OPTION_ORIGIN };
static const struct option_def OPTIONS[] = {
    { "--origin", 0, false, "откуда взято каждое значение (config show)",
        "where each value comes from (config show)" },
    { NULL, 0, false, NULL, NULL },
};

static int entity_total(const struct config *c)
{
    int n = 0;

    for (int i = 0; i < c->portal_count; i++)
        n += c->portals[i].entity_count == 0 ? ENTITY_COUNT : c->portals[i].entity_count;
    return n;
}

/* What is wrong in the words of services, for them to be told by: they find it again. */
static void hear_ours(const char *file, struct mistakes *ret)
{
    const char *(*const words)(const char *) = err_translate;
    struct home home;

    err_translate = NULL;
    home_load_all(&home, file, ret);
    home_free(&home);
    err_translate = words;
}

static void find_all(const char *file, struct home *home, struct mistakes *all)
{
    struct mistakes heard = { 0 };
    struct err err;

    hear_ours(file, &heard);
    home_load_all(home, file, all);
    services_check_all(&home->config, &heard, all);
    if (!home->config.wrong && home_has_portal(home, &err) < 0)
        mistakes_add(all, &err);
    mistakes_free(&heard);
}

static int tell_all(const struct mistakes *all)
{
    for (int i = 0; i < all->count; i++)
        (void)command_failed(&all->list[i]);
    if (all->count > 1)
        fprintf(stderr, "potok: %s: %d\n", say("ошибок в конфигурации", "mistakes in the configuration"),
            all->count);
    return EXIT_FAILED;
}

static void tell_right(const struct home *home)
{
    int portals = home->config.portal_count, entities = entity_total(&home->config);

    printf("%s: %s, %d %s, %d %s\n",
        home->config.path == NULL ? say("окружение", "environment") : home->config.path, say("верно", "ok"),
        portals, say_plural((uint64_t)portals, "портал", "портала", "порталов", "portal", "portals"),
        entities, say_plural((uint64_t)entities, "сущность", "сущности", "сущностей", "entity", "entities"));
}

static int check(const char *file)
{
    struct mistakes all = { 0 };
    struct home home;
    int code = EXIT_WELL;

    find_all(file, &home, &all);
    if (all.count > 0)
        code = tell_all(&all);
    else
        tell_right(&home);
    mistakes_free(&all);
    home_free(&home);
    return code;
}

/* where "": nobody gave it. */
static void row_add(struct table *t, const char *name, const char *value, const char *where)
{
    if (where[0] == '\0')
        where = say("по умолчанию", "default");
    else if (strcmp(where, "environment") == 0)
        where = say("окружение", "environment");
    table_add(t, (const char *[]){ name, value, where });
}

/* Where a setting comes from, in the order in which settings are looked for. */
static const char *origin_of(const struct home *h, const char *name)
{
    char file_name[80];
    const char *where = "";

    snprintf(file_name, sizeof(file_name), "%s_FILE", name);
    for (int i = 0; i < 2; i++) {
        const char *value = getenv(i == 0 ? name : file_name);

        if (value != NULL && value[0] != '\0')
            return "environment";
    }
    config_setting((void *)&h->config, name, &where);
    return where;
}

static void portal_rows(struct table *t, const struct config_portal *p)
{
    char name[64], value[512];
    struct buf entities;

    snprintf(name, sizeof(name), "portals.%s.%s", p->name, p->url != NULL ? "url" : "app.address");
    url_mask(str_of(config_portal_url(p)), value, sizeof(value));
    row_add(t, name, value, p->where);
    if (config_portal_is_app(p)) {
        snprintf(name, sizeof(name), "portals.%s.app.client_id", p->name);
        row_add(t, name, p->app.client_id, p->where);
        snprintf(name, sizeof(name), "portals.%s.app.oauth", p->name);
        row_add(t, name, p->app.oauth, strcmp(p->app.oauth, CONFIG_OAUTH_DEFAULT) == 0 ? "" : p->where);
    }
    snprintf(name, sizeof(name), "portals.%s.tariff", p->name);
    snprintf(value, sizeof(value), "%u/%u", p->drain_per_s, p->burst);
    row_add(t, name, value, p->tariff_where);
    snprintf(name, sizeof(name), "portals.%s.entities", p->name);
    buf_init(&entities, 65536);
    for (int i = 0; i < p->entity_count; i++)
        buf_fmt(&entities, "%s%s%s%s%s", i > 0 ? " " : "", p->entities[i],
            p->entity_drift[i] != DRIFT_UNSET ? " (drift " : "", drift_name(p->entity_drift[i]),
            p->entity_drift[i] != DRIFT_UNSET ? ")" : "");
    for (int i = 0; p->entity_count == 0 && i < ENTITY_COUNT; i++)
        buf_fmt(&entities, "%s%s", i > 0 ? " " : "", ENTITIES[i].plural);
    row_add(t, name, buf_cstr(&entities), p->entities_where);
    buf_fini(&entities);
    snprintf(name, sizeof(name), "portals.%s.prefix", p->name);
    row_add(t, name, p->prefix, p->prefix_where);
    snprintf(name, sizeof(name), "portals.%s.drift", p->name);
    row_add(t, name, drift_name(p->drift == DRIFT_UNSET ? DRIFT_EVOLVE : p->drift), p->drift_where);
    snprintf(name, sizeof(name), "portals.%s.events", p->name);
    row_add(t, name, events_way_name(p->events == EVENTS_UNSET ? EVENTS_ONLINE : p->events), p->events_where);
    if (p->when.told) {
        snprintf(name, sizeof(name), "portals.%s.%s", p->name, p->when.by_cron ? "schedule" : "interval");
        row_add(t, name, p->when.text, p->where);
    }
}

/* Has a row of its own. */
static bool setting_shown(const char *name)
{
    return strcmp(name, "POTOK_HOME") == 0 || strcmp(name, "DATABASE_URL") == 0;
}

/* By its name: rather one too many. */
static bool is_secret(const char *name)
{
    static const char *const parts[] = { "SECRET", "URL", "TOKEN", "KEY", "PASSWORD" };

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (strstr(name, parts[i]) != NULL)
            return true;
    return false;
}

static int show(const char *file, bool origin)
{
    const char *heads[] = { say("настройка", "setting"), say("значение", "value"), say("откуда", "from") };
    struct home home;
    struct table t;
    struct err err = { 0 };
    struct buf out;
    char url[512];

    if (home_load(&home, file, &err) < 0)
        return command_failed(&err);
    table_init(&t, origin ? 3 : 2, heads);
    row_add(&t, "POTOK_HOME", home.dir, origin_of(&home, "POTOK_HOME"));
    url_mask(str_of(home.database_url), url, sizeof(url));
    row_add(&t, "DATABASE_URL", url, home.database_default ? "" : origin_of(&home, "DATABASE_URL"));
    for (int i = 0; i < home.config.portal_count; i++)
        portal_rows(&t, &home.config.portals[i]);
    for (int i = 0; i < home.config.pair_count; i++) {
        const struct config_pair *pair = &home.config.pairs[i];
        bool hidden = is_secret(pair->name);

        if (setting_shown(pair->name))
            continue;
        const char *given = getenv(pair->name); /* the environment wins over the file */
        const char *value = given != NULL && given[0] != '\0' ? given : pair->value;

        row_add(&t, pair->name, hidden ? say("(скрыто)", "(masked)") : value, origin_of(&home, pair->name));
    }
    buf_init(&out, 1 << 20);
    table_render(&t, false, &out);
    fwrite(out.p, 1, out.n, stdout);
    buf_fini(&out);
    table_fini(&t);
    home_free(&home);
    return EXIT_WELL;
}

static int config_run(const struct args *args)
{
    const char *file = args->word_count > 1 ? args->words[1] : NULL;
    struct err err = { 0 };

    if (args->word_count >= 1 && args->word_count <= 2) {
        if (str_is(str_of(args->words[0]), "check"))
            return check(file);
        if (str_is(str_of(args->words[0]), "show"))
            return show(file, args->option[OPTION_ORIGIN] != NULL);
        if (str_is(str_of(args->words[0]), "moved") && args->word_count == 2)
            return identity_moved(args->words[1]);
    }
    err_set(&err, ERR_CONF, "%s",
        say("нужно: check, show или moved ПОРТАЛ", "it wants check, show or moved PORTAL"));
    return command_misused("config", &err);
}

const struct command COMMAND_CONFIG = { "config", "check|show [FILE] | moved PORTAL",
    "проверить настройки, показать их; moved: у портала новый адрес, сам он прежний",
    "check the configuration, show it; moved: the portal has a new address and is the same", OPTIONS,
    config_run };
