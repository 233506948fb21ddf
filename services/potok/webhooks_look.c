#include "webhooks_look.h"

#include "absence.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/setting.h"
#include "control.h"

#include <stdlib.h>
#include <string.h>

#define ANSWER_MS 1500

struct settings {
    char *public_url, *token;
    int64_t incremental_s;
};
static const struct setting SETTINGS[] = {
    SET_STR(struct settings, public_url, "PUBLIC_URL", "", "where portals reach the gateway"),
    SET_SECRET(struct settings, token, "BITRIX_APPLICATION_TOKEN", "application tokens of webhooks"),
    SET_INT(struct settings, incremental_s, "SYNC_INCREMENTAL_SECONDS", "60", 0, 86400,
        "how often each entity is asked what changed"),
    SET_END,
};

static int read_settings(struct webhooks_look *l, const struct home *home, struct err *err)
{
    struct settings s = { 0 };

    if (settings_load(SETTINGS, &s, config_setting, (void *)&home->config, err) < 0)
        return -1;
    int result = public_urls_read(&l->urls, s.public_url, err);
    l->token = s.token != NULL && s.token[0] != '\0';
    l->incremental_s = s.incremental_s;
    settings_free(SETTINGS, &s);
    return result;
}

static void see_instance(void *ctx, const char *instance, int pid)
{
    (void)pid;
    *(bool *)ctx |= strncmp(instance, "scheduler.", 10) == 0;
}

/* Nobody is waited for who does not run. */
static json_t *ask_scheduler(const struct home *home)
{
    json_t *body = NULL, *portals = NULL;
    struct err err = { .kind = ERR_NONE };
    bool runs = strcmp(home->bus_scheduler, "ipc") != 0;
    char *text = NULL;

    absence_each_alive(home->run_dir, see_instance, &runs);
    if (!runs ||
        control_call_within(home->run_dir, home->bus_scheduler, "status", "", ANSWER_MS, &text, &err) < 0)
        return NULL;
    body = json_loads(text, 0, NULL);
    portals = json_incref(json_object_get(body, "portals"));
    json_decref(body);
    free(text);
    return portals;
}

int webhooks_look(struct webhooks_look *ret, const struct home *home, struct err *err)
{
    *ret = (struct webhooks_look){ .now_ms = clock_wall_ms() };
    if (read_settings(ret, home, err) < 0)
        return -1;
    ret->portals = ask_scheduler(home);
    return 0;
}

void webhooks_look_free(struct webhooks_look *l)
{
    public_urls_free(&l->urls);
    json_decref(l->portals);
    *l = (struct webhooks_look){ 0 };
}

struct webhooks_view webhooks_view(const struct webhooks_look *l, const struct home *home, int portal)
{
    const struct config_portal *p = &home->config.portals[portal];
    struct webhooks_view v = { .portal = p,
        .urls = &l->urls,
        .token = l->token,
        .incremental_s = l->incremental_s,
        .now_ms = l->now_ms };
    const json_t *o;
    size_t i;

    json_array_foreach(l->portals, i, o) {
        const char *name = json_string_value(json_object_get(o, "name"));

        if (name != NULL && strcmp(name, p->name) == 0)
            v.events = json_object_get(o, "events");
    }
    return v;
}
