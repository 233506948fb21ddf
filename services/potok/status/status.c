/* status.c - `potok status`: the services as they report themselves, portals and last runs as the scheduler
 * tells them; the last runs from the database when nothing runs. */
#include "command.h"

#include "alarm_view.h"
#include "base/clock.h"
#include "base/mem.h"
#include "ask/absence.h"
#include "drift_view.h"
#include "events_line.h"
#include "doctor/explain.h"
#include "freshness.h"
#include "home.h"
#include "last_runs.h"
#include "reading.h"
#include "words/russian.h"
#include "words/say.h"
#include "words/screen.h"
#include "up/service_state.h"
#include "ask/snapshot.h"
#include "ask/status_ask.h"
#include "words/table.h"
#include "sync/view.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { OPTION_JSON };
static const struct option_def OPTIONS[] = {
    { "--json", 0, false, "ответ для программ", "for programs" },
    { NULL, 0, false, NULL, NULL },
};

/* ---- for programs ---- */

static json_t *service_json(const struct service_view *v)
{
    json_t *o = json_pack("{s:s, s:s, s:I, s:s, s:I, s:I, s:I, s:s}", "service", v->service, "instance",
        v->instance, "pid", (json_int_t)v->pid, "state", v->state, "uptime_ms", (json_int_t)v->uptime_ms,
        "rss_bytes", (json_int_t)v->rss_bytes, "lag_ms", (json_int_t)v->lag_ms, "metrics", v->metrics);

    if (v->detail != NULL)
        json_object_set(o, "detail", v->detail);
    return o;
}

static void json_print(const json_t *o)
{
    char *text = json_dumps(o, JSON_COMPACT);

    printf("%s\n", text);
    free(text);
}

static json_t *services_json(const struct ask *a)
{
    json_t *services = json_array();

    for (int i = 0; i < a->count; i++)
        json_array_append_new(services, service_json(&a->services[i]));
    return services;
}

/* Where the table cannot be read, what services say all the same. */
static json_t *alarms_of(const struct ask *a, struct reading *r)
{
    json_t *list = alarm_view_read(r);

    if (list == NULL)
        list = json_array();
    alarm_view_add(list, a);
    return list;
}

/* What the database knows; null: it cannot be read, and "database_error" says why. */
static void read_json(json_t *root, const struct ask *a, struct reading *r)
{
    json_object_set_new(root, "freshness", freshness_json(r));
    json_object_set_new(root, "alarms", alarms_of(a, r));
    json_object_set_new(root, "drift", drift_json(r));
    if (r->err.kind != ERR_NONE)
        json_object_set_new(root, "database_error", json_string(r->err.text));
}

static void status_json(const struct ask *a, struct reading *r)
{
    json_t *root = json_loads(a->body, 0, NULL);

    if (!json_is_object(root)) {
        json_decref(root);
        root = json_object();
    }
    json_object_set_new(root, "running", json_true());
    json_object_set_new(root, "services", services_json(a));
    read_json(root, a, r);
    json_print(root);
    json_decref(root);
}

/* ---- for people ---- */

static void table_show(const struct table *t)
{
    struct buf out;

    buf_init(&out, 1 << 20);
    table_render(t, screen_colour(), &out);
    fwrite(out.p, 1, out.n, stdout);
    buf_fini(&out);
}

/* What services say they cannot do. */
static void troubles_show(const struct ask *a)
{
    char said[2 * ERR_TEXT_SIZE];

    for (int i = 0; i < a->count; i++) {
        const char *text = json_string_value(json_object_get(a->services[i].detail, "trouble"));

        if (text != NULL)
            printf("%s: %s\n", a->services[i].instance, russian_message(text, said, sizeof(said)));
    }
}

/* ", refused since the start 9: bad_token 8, bad_id 1" */
static void refused_show(const json_t *gateway)
{
    const json_int_t refused = json_integer_value(json_object_get(gateway, "refused"));
    const char *mark = ": ", *reason;
    json_t *n;

    if (refused == 0)
        return;
    printf(", %s %lld", say("отвергнуто с запуска", "refused since the start"), (long long)refused);
    json_object_foreach(json_object_get(gateway, "refused_for"), reason, n) {
        printf("%s%s %lld", mark, reason, (long long)json_integer_value(n));
        mark = ", ";
    }
}

/* Where webhooks come in, how many changes wait to become marks, and what was not taken. */
static void webhooks_show(const struct ask *a)
{
    for (int i = 0; i < a->count; i++) {
        const json_t *d = a->services[i].detail;
        const char *listen = json_string_value(json_object_get(d, "listen"));

        if (strcmp(a->services[i].service, "gateway") != 0 || listen == NULL || listen[0] == '\0')
            continue;
        printf("%s: %s/webhook/bitrix, %s %lld", say("вебхуки", "webhooks"), listen,
            say("ждут планировщика", "waiting for the scheduler"),
            (long long)json_integer_value(json_object_get(d, "waiting")));
        refused_show(d);
        if (json_string_value(json_object_get(d, "draining")) != NULL)
            printf(", %s", say("новых не принимает до перезапуска шлюза (potok spool drain)",
                               "takes no new ones until the gateway is restarted (potok spool drain)"));
        printf("\n");
    }
}

static void services_show(const struct ask *a)
{
    const char *heads[] = { say("служба", "service"), say("состояние", "state"), "pid",
        say(">работает", ">up"), say(">память", ">memory"), say(">заминка, мс", ">lag, ms"),
        say("метрики", "metrics") };
    char pid[24], up[SAY_COUNT_SIZE], memory[SAY_COUNT_SIZE], lag[SAY_COUNT_SIZE];
    struct table t;

    table_init(&t, ARRAY_SIZE(heads), heads);
    for (int i = 0; i < a->count; i++) {
        const struct service_view *v = &a->services[i];

        snprintf(pid, sizeof(pid), "%llu", (unsigned long long)v->pid);
        table_add(&t, (const char *[]){ v->instance, service_state_name(service_state(v->state, v->detail)),
                          pid, say_span(v->uptime_ms, up), say_bytes(v->rss_bytes, memory),
                          say_count(v->lag_ms, lag), v->metrics });
    }
    table_show(&t);
    table_fini(&t);
    webhooks_show(a);
    troubles_show(a);
}

/* A portal that answers is not "ok" while what was asked of it failed. */
static const char *portal_state(const struct snapshot *s, const struct portal_view *p)
{
    int failed = 0;

    for (int i = 0; i < s->run_count; i++)
        failed += run_failed(&s->runs[i]) && strcmp(s->runs[i].portal, p->name) == 0;
    if (failed > 0 && strcmp(p->state, "ok") == 0)
        return say("отвечает, но последние синхронизации не удались (см. ниже)",
            "answers, but its last syncs failed (see below)");
    return view_state(p->state);
}

/* "https://new.bitrix24.ru (configured: https://old.bitrix24.ru/rest/1/…)": a portal that was renamed. */
static const char *where_of(const struct portal_view *p, char *ret, size_t size)
{
    const char *scheme = strstr(p->url, "://"), *host = scheme != NULL ? scheme + 3 : p->url;
    size_t n = strcspn(host, "/");

    if (p->host[0] == '\0' || (strlen(p->host) == n && strncmp(p->host, host, n) == 0))
        return p->url;
    snprintf(ret, size, "%.*s%s (%s %s)", (int)(host - p->url), p->url, p->host,
        say("в настройках", "configured:"), p->url);
    return ret;
}

static const char *clock_of(uint64_t wall_ms, char ret[static 40])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;

    strftime(ret, 40, "%H:%M:%S", localtime_r(&seconds, &tm));
    return ret;
}

/* `portals`: of the scheduler's answer, of which the snapshot was read. */
static void events_show(const json_t *portals, int i)
{
    char line[EVENTS_LINE_SIZE];

    if (events_line(
            json_object_get(json_array_get(portals, (size_t)i), "events"), clock_wall_ms(), line)[0] != '\0')
        printf("  %s: %s\n", say("события", "events"), line);
}

static void portals_show(const struct snapshot *s, const json_t *portals)
{
    char hint[160], next[40], where[2 * sizeof(s->portals[0].url)];

    for (int i = 0; i < s->portal_count; i++) {
        const struct portal_view *p = &s->portals[i];

        printf("\n%s %s  %s  %s\n", say("портал", "portal"), p->name, where_of(p, where, sizeof(where)),
            portal_state(s, p));
        if (p->error[0] != '\0')
            printf("  %s\n", p->error);
        if (p->access_error[0] != '\0')
            printf("  %s: %s\n", say("вход приложения не удался", "the application's login came to nothing"),
                p->access_error);
        if (p->try_at_ms > 0)
            printf("  %s %s\n", say("следующая попытка:", "tried next:"), clock_of(p->try_at_ms, next));
        if (explain_hint(p->error, hint, sizeof(hint))[0] != '\0')
            printf("  %s\n", hint);
        if (p->senders[0] != '\0')
            printf("  %s: %s\n", say("ещё спрашивают (запросов)", "others that ask (calls)"), p->senders);
        if (p->paused[0] != '\0')
            printf("  %s: %s\n",
                say("приостановлено (продолжить: potok resume)", "paused (to go on: potok resume)"),
                p->paused);
        printf("  %s %.0f %s %.0f, %.3g/%s", say("запросов в запасе", "requests to spare:"),
            p->burst > p->level ? p->burst - p->level : 0, say("из", "of"), p->burst, p->drain,
            say("с", "s"));
        if (p->operating.limit_s > 0)
            printf(", %s %.0f/%.0f %s", p->operating.method, p->operating.used_s, p->operating.limit_s,
                say("с", "s"));
        printf("\n");
        events_show(portals, i);
    }
}

/* What is raised, before all else. */
static void alarms_show(const struct ask *a, struct reading *r)
{
    json_t *list = alarms_of(a, r);

    alarm_view_show(list, false);
    if (alarm_view_count(list) > 0)
        printf("\n");
    json_decref(list);
}

static int running_show(const struct ask *a, struct reading *r)
{
    struct snapshot *s = xcalloc(1, sizeof(*s));
    json_t *root = json_loads(a->body, 0, NULL);
    struct err err = { 0 };
    int code = EXIT_WELL;

    if (snapshot_read(s, str_of(a->body), &err) < 0) {
        code = command_failed(&err);
    } else {
        unsigned long long waiting = s->marks + s->marks_failing;

        alarms_show(a, r);
        services_show(a);
        portals_show(s, json_object_get(root, "portals"));
        printf("\n");
        last_runs_show(s->runs, s->run_count, true);
        if (waiting > 0)
            printf("%s: %llu\n", say("записей ждут чтения", "records waiting to be read"), waiting);
        freshness_show(r);
        drift_show(r);
    }
    json_decref(root);
    free(s);
    return code;
}

/* ---- nothing runs ---- */

/* Nobody answers here because whoever works is elsewhere. */
static const char *standby_tell(const struct ask *a, char *ret, size_t size)
{
    for (int i = 0; i < a->count; i++) {
        const char *holder = json_string_value(json_object_get(a->services[i].detail, "standby"));

        if (holder == NULL || strcmp(a->services[i].state, "standby") != 0)
            continue;
        snprintf(ret, size, "%s %s; %s %s", a->services[i].instance, say("в резерве", "stands by"),
            say("работает", "the scheduler that works is"), holder);
        return ret;
    }
    return NULL;
}

static int stopped_show(struct ask *a, struct reading *r, bool json)
{
    struct run_view *runs = xcalloc(SNAPSHOT_RUNS_MAX, sizeof(*runs));
    int count = last_runs_read(r, runs, SNAPSHOT_RUNS_MAX);
    char why[800];

    if (standby_tell(a, why, sizeof(why)) == NULL)
        absence_tell_by(r, why, sizeof(why));
    if (json) {
        json_t *root = json_pack("{s:b, s:o, s:o, s:s}", "running", absence_up_pid(r->home) != 0, "services",
            services_json(a), "runs", last_runs_json(runs, count), "error", why);

        read_json(root, a, r);
        json_print(root);
        json_decref(root);
    } else {
        fprintf(stderr, "potok: %s\n", why);
        alarms_show(a, r);
        if (a->count > 0)
            services_show(a);
        last_runs_show(runs, count, false);
        freshness_show(r);
        drift_show(r);
    }
    free(runs);
    return EXIT_FAILED;
}

static int status_run(const struct args *args)
{
    bool json = args->option[OPTION_JSON] != NULL;

    if (args->word_count > 0) {
        struct err odd = { 0 };

        err_set(&odd, ERR_CONF, "%s: %.40s", say("лишнее слово", "one word too many"), args->words[0]);
        return command_misused("status", &odd);
    }
    struct ask *a = xcalloc(1, sizeof(*a));
    struct home home;
    struct reading r;
    struct err err = { 0 };
    int code;

    if (home_load(&home, NULL, &err) < 0) {
        free(a);
        return command_failed(&err);
    }
    reading_init(&r, &home);
    if (ask_all(a, &home, &err) < 0) {
        code = command_failed(&err);
    } else if (a->body == NULL) {
        code = a->err.kind == ERR_TEMP ? stopped_show(a, &r, json) : command_failed(&a->err);
    } else {
        code = EXIT_WELL;
        if (json)
            status_json(a, &r);
        else
            code = running_show(a, &r);
    }
    reading_tell(&r);
    reading_fini(&r);
    ask_fini(a);
    free(a);
    home_free(&home);
    return code;
}

const struct command COMMAND_STATUS = { "status", "",
    "что работает, как порталы, чем кончились синхронизации",
    "what runs, how the portals are, how the last syncs went", OPTIONS, status_run };
