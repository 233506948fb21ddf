/* `potok portal list|login|logout`. */
#include "cmd.h"

#include "ask/absence.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/setting.h"
#include "base/webhook.h"
#include "command.h"
#include "ask/control.h"
#include "words/say.h"
#include "words/table.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const struct option_def OPTIONS[] = {
    [PORTAL_CODE] = { "--code", 0, true, "login: адрес, на котором остановился браузер",
        "login: the address at which the browser ended" },
    [PORTAL_AS_JSON] = { "--json", 0, false, "list: для программ", "list: for programs" },
    { NULL, 0, false, NULL, NULL },
};

struct key_setting {
    char *secret_key;
};
static const struct setting SETTINGS[] = {
    SET_SECRET(struct key_setting, secret_key, "POTOK_SECRET_KEY", "seals what is brought to the scheduler"),
    SET_END,
};

static int read_key(struct portal_cmd *c, struct err *err)
{
    struct key_setting k = { NULL };
    int result;

    if (settings_load(SETTINGS, &k, config_setting, &c->home.config, err) < 0)
        return -1;
    result = seal_keys_read(&c->keys, k.secret_key, err);
    settings_free(SETTINGS, &k);
    if (result == 0 && c->keys.n == 0)
        result = err_set(err, ERR_CONF,
            "portal %s is reached as an application, and its tokens are kept sealed: set POTOK_SECRET_KEY, "
            "the same "
            "for scheduler, fetchers and gateway (make one: head -c 32 /dev/urandom | base64)",
            c->portal->name);
    return result;
}

/* The one that is named; without a name the only application there is. */
static int choose_portal(struct portal_cmd *c, struct err *err)
{
    const struct config *config = &c->home.config;
    int apps = 0;

    if (c->args->word_count > 2)
        return err_set(err, ERR_CONF, "%s", say("нужен один портал", "it wants one portal"));
    if (c->args->word_count == 2) {
        c->portal = config_portal(config, str_of(c->args->words[1]));
        if (c->portal == NULL)
            return err_set(err, ERR_CONF, "%s \"%.40s\"",
                say("в настройках нет портала", "no portal is configured as"), c->args->words[1]);
    }
    for (int i = 0; i < config->portal_count && c->args->word_count < 2; i++)
        if (config_portal_is_app(&config->portals[i]) && apps++ == 0)
            c->portal = &config->portals[i];
    if (apps > 1)
        return err_set(err, ERR_CONF, "%s",
            say("приложений несколько: назовите портал", "there are several applications: name the portal"));
    if (c->portal == NULL || !config_portal_is_app(c->portal))
        return err_set(err, ERR_CONF, "%s",
            say("этот портал подключён вебхуком; приложению нужны BITRIX_DOMAIN, BITRIX_CLIENT_ID и "
                "BITRIX_CLIENT_SECRET, или app: в potok.yaml",
                "this portal is reached by a webhook; an application wants BITRIX_DOMAIN, BITRIX_CLIENT_ID "
                "and "
                "BITRIX_CLIENT_SECRET, or app: in potok.yaml"));
    return read_key(c, err);
}

/* ---- to the scheduler ---- */

#define BRING_MS 40000 /* a code is exchanged meanwhile */

int portal_bring(struct portal_cmd *c, const struct access *given, struct err *err)
{
    char purpose[80], *args, *body = NULL;
    struct buf plain, sealed, text;
    json_t *root;
    int result;

    snprintf(purpose, sizeof(purpose), "access:%s", c->portal->name);
    buf_init(&plain, 1 << 15);
    buf_init(&sealed, 1 << 16);
    buf_init(&text, 1 << 17);
    access_encode(given, &plain);
    result = seal(&c->keys, str_of(purpose), buf_view(&plain), &sealed, err);
    if (result == 0) {
        seal_text(buf_view(&sealed), &text);
        root = json_pack("{s:s, s:s}", "portal", c->portal->name, "sealed", buf_cstr(&text));
        args = json_dumps(root, JSON_COMPACT);
        json_decref(root);
        result =
            control_call_within(c->home.run_dir, c->home.bus_scheduler, "access", args, BRING_MS, &body, err);
        free(args);
        free(body);
    }
    seal_wipe(&plain);
    buf_fini(&sealed);
    buf_fini(&text);
    return result;
}

static int logout(struct portal_cmd *c, struct err *err)
{
    struct access given = { .kind = ACCESS_REMOVED };
    int result;

    access_set(&given.by, STR("operator"));
    result = portal_bring(c, &given, err);
    access_free(&given);
    if (result == 0)
        printf("%s: %s\n", c->portal->name,
            say("токены забыты; таблицы остаются как есть",
                "the tokens are forgotten; the tables stay as they are"));
    return result;
}

/* ---- list ---- */

static const char *state_of(const struct config_portal *p, const struct portal_look *x, bool json)
{
    if (!config_portal_is_app(p))
        return json ? "webhook" : say("вебхук", "webhook");
    if (x->error[0] != '\0')
        return json ? "lost" : say("доступа нет", "no access");
    if (!x->sealed)
        return json ? "none" : say("не подключён", "not connected");
    return json ? "good" : say("подключён", "connected");
}

static void row_add(struct table *t, const struct config_portal *p, const struct portal_look *x)
{
    char host[WEBHOOK_HOST_SIZE], when[SAY_COUNT_SIZE];

    webhook_host(p->address, host);
    table_add(t, (const char *[]){ p->name,
                     config_portal_is_app(p) ? say("приложение", "application") : say("вебхук", "webhook"),
                     x->host[0] != '\0' ? x->host : host, x->member, state_of(p, x, false),
                     say_time((uint64_t)x->at_ms, SAY_MINUTE, when) });
}

/* `why` NULL: nobody tried to connect it in vain. */
static json_t *row_json(
    const struct config_portal *p, const struct portal_look *x, const struct portal_refusal *why)
{
    char host[WEBHOOK_HOST_SIZE];

    webhook_host(p->address, host);
    return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s, s:I, s:s?, s:I, s:s?, s:s?}", "name", p->name, "kind",
        config_portal_is_app(p) ? "application" : "webhook", "configured", host, "host",
        x->host[0] != '\0' ? x->host : NULL, "member_id", x->member[0] != '\0' ? x->member : NULL, "state",
        state_of(p, x, true), "number", (json_int_t)x->number, "scope", x->scope[0] != '\0' ? x->scope : NULL,
        "at_ms", (json_int_t)x->at_ms, "error", x->error[0] != '\0' ? x->error : NULL, "login_error",
        why != NULL ? why->error : NULL);
}

static void print_json(json_t *portals)
{
    json_t *root = json_pack("{s:o}", "portals", portals);
    char *text = json_dumps(root, JSON_COMPACT);

    printf("%s\n", text);
    free(text);
    json_decref(root);
}

static int list(struct portal_cmd *c, struct err *err)
{
    const char *heads[] = { say("портал", "portal"), say("подключение", "reached by"), say("адрес", "host"),
        "member_id", say("доступ", "access"), say("с", "since") };
    const struct config *config = &c->home.config;
    json_t *portals = json_array();
    struct table t;
    struct buf out, refusals;

    buf_init(&refusals, 1 << 20);
    table_init(&t, 6, heads);
    for (int i = 0; i < config->portal_count; i++) {
        const struct config_portal *p = &config->portals[i];
        struct portal_look x = { .number = 0 };
        struct portal_refusal why;
        bool refused = config_portal_is_app(p) && portal_refusal(&c->home, p->name, &why);

        if (portal_look(&c->home, p->name, &x, NULL) < 0)
            x.number = 0; /* no database yet: nothing is known but the configuration */
        row_add(&t, p, &x);
        json_array_append_new(portals, row_json(p, &x, refused ? &why : NULL));
        if (refused)
            buf_fmt(&refusals, "%s: %s: %s\n", p->name,
                say("вход приложения не удался", "the application's login came to nothing"), why.error);
    }
    if (c->args->option[PORTAL_AS_JSON] != NULL) {
        print_json(portals);
    } else {
        json_decref(portals);
        buf_init(&out, 1 << 20);
        table_render(&t, false, &out);
        buf_add(&out, refusals.p, refusals.n);
        fwrite(out.p, 1, out.n, stdout);
        buf_fini(&out);
    }
    table_fini(&t);
    buf_fini(&refusals);
    return home_has_portal(&c->home, err);
}

/* ---- the command ---- */

static int work(struct portal_cmd *c, struct err *err)
{
    const char *word = c->args->word_count > 0 ? c->args->words[0] : "list";

    if (strcmp(word, "list") == 0)
        return list(c, err);
    if (strcmp(word, "login") != 0 && strcmp(word, "logout") != 0)
        return err_set(err, ERR_CONF, "%s",
            say("нужно: list, login [ПОРТАЛ] или logout [ПОРТАЛ]",
                "it wants list, login [PORTAL] or logout [PORTAL]"));
    if (choose_portal(c, err) < 0)
        return -1;
    return strcmp(word, "login") == 0 ? portal_login(c, err) : logout(c, err);
}

static int portal_run(const struct args *args)
{
    struct portal_cmd c = { .args = args };
    struct err err = { 0 };
    int result;

    if (home_load(&c.home, NULL, &err) < 0)
        return command_failed(&err);
    result = work(&c, &err);
    seal_keys_wipe(&c.keys);
    home_free(&c.home);
    return result < 0 ? command_failed(&err) : EXIT_WELL;
}

const struct command COMMAND_PORTAL = { "portal", "[list] | login [PORTAL] | logout [PORTAL]",
    "порталы и доступ к ним; подключить приложение (OAuth 2.0), забыть его токены",
    "portals and how they are reached; connect an application (OAuth 2.0), forget its tokens", OPTIONS,
    portal_run };
