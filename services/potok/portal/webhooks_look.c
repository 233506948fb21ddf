#include "webhooks_look.h"

#include "ask/absence.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/setting.h"
#include "ask/status_ask.h"

#include <stdlib.h>
#include <string.h>

struct settings {
    char *public_url, *token;
    int64_t incremental_s, interval_min;
};
static const struct setting SETTINGS[] = {
    SET_STR(struct settings, public_url, "PUBLIC_URL", "", "where portals reach the gateway"),
    SET_SECRET(struct settings, token, "BITRIX_APPLICATION_TOKEN", "application tokens of webhooks"),
    SET_INT(struct settings, incremental_s, "SYNC_INCREMENTAL_SECONDS", "60", 0, 86400,
        "how often each entity is asked what changed"),
    SET_INT(struct settings, interval_min, "SYNC_DEFAULT_INTERVAL_MINUTES", "30", 0, 525600,
        "how often everything is read anew"),
    SET_END,
};

static int read_settings(struct webhooks_look *l, const struct home *home, struct err *err)
{
    struct settings s = { 0 };

    if (settings_load(SETTINGS, &s, config_setting, (void *)&home->config, err) < 0)
        return -1;
    int result = public_urls_read(&l->urls, s.public_url, err);
    l->token = s.token != NULL && s.token[0] != '\0';
    l->incremental_s = when_incremental_s(&home->config, s.incremental_s, s.interval_min);
    settings_free(SETTINGS, &s);
    return result;
}

/* Who answers at all: where no scheduler runs here, nobody is waited for. */
static void see_instance(void *ctx, const char *instance, int pid)
{
    (void)pid;
    *(bool *)ctx |= strncmp(instance, "scheduler.", 10) == 0;
}

static void ask_services(struct webhooks_look *l, const struct home *home)
{
    struct ask *a = xcalloc(1, sizeof(*a));
    struct err err = { .kind = ERR_NONE };
    bool runs = strcmp(home->bus_scheduler, "ipc") != 0;

    absence_each_alive(home->run_dir, see_instance, &runs);
    if (runs && ask_all(a, home, &err) == 0) {
        json_t *body = a->body != NULL ? json_loads(a->body, 0, NULL) : NULL;

        l->portals = json_incref(json_object_get(body, "portals"));
        json_decref(body);
        for (int i = 0; i < a->count; i++)
            if (strcmp(a->services[i].service, "gateway") == 0)
                json_array_append(l->gateways, a->services[i].detail);
    }
    ask_fini(a);
    free(a);
}

int webhooks_look(struct webhooks_look *ret, const struct home *home, struct err *err)
{
    *ret = (struct webhooks_look){ .now_ms = clock_wall_ms() };
    if (read_settings(ret, home, err) < 0)
        return -1;
    ret->gateways = json_array();
    ask_services(ret, home);
    ret->now_ms = clock_wall_ms();
    return 0;
}

void webhooks_look_free(struct webhooks_look *l)
{
    public_urls_free(&l->urls);
    json_decref(l->portals);
    json_decref(l->gateways);
    *l = (struct webhooks_look){ 0 };
}

struct webhooks_view webhooks_view(const struct webhooks_look *l, const struct home *home, int portal)
{
    const struct config_portal *p = &home->config.portals[portal];
    struct webhooks_view v = { .portal = p,
        .urls = &l->urls,
        .token = l->token,
        .keyed = config_portal_is_app(p) && home->secret_key != NULL && home->secret_key[0] != '\0',
        .incremental_s = l->incremental_s,
        .now_ms = l->now_ms };
    const json_t *o;
    size_t i;

    json_array_foreach(l->portals, i, o) {
        const char *name = json_string_value(json_object_get(o, "name"));

        if (name != NULL && strcmp(name, p->name) == 0)
            v.events = json_object_get(o, "events");
    }
    json_array_foreach(l->gateways, i, o) {
        const json_t *wrong = json_object_get(json_object_get(o, "tokens_wrong"), p->name);
        const int64_t last_ms = json_integer_value(json_object_get(wrong, "last_ms"));

        v.tokens_wrong += json_integer_value(json_object_get(wrong, "count"));
        v.tokens_wrong_ms = last_ms > v.tokens_wrong_ms ? last_ms : v.tokens_wrong_ms;
    }
    return v;
}
