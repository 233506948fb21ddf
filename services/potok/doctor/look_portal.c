/* look_portal.c - asks the portals what a mirror needs to know: six requests each, all of which read. Portals
 * are asked side by side on one loop, the calls of a portal one after another; after an answer that settles
 * everything the rest is not asked. */
#include "facts.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/webhook.h"
#include "proto/entity.h"
#include "run/budget.h"
#include "run/http_client.h"
#include "ask/signed.h"
#include "portal/cmd.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEADLINE_MS = 10000, WAIT_MS = 5000, ANSWER_MAX_BYTES = 4 << 20, COMMANDS_MAX = 50 };

struct asking {
    struct portal_facts *facts;
    const struct config_portal *portal;
    struct http_client *client;
    struct budget *budget;
    const struct seal_keys *keys;
    enum call call;
    uint64_t best_ms; /* the quickest answer that told the time */
};

static void call_next(struct asking *a);

static void copy(char *ret, size_t size, const char *text)
{
    snprintf(ret, size, "%s", text != NULL ? text : "");
}

/* A code may be a number (facts section 2.2). */
static void read_error(const json_t *error, const json_t *description, char code[64], char text[200])
{
    if (json_is_string(error))
        copy(code, 64, json_string_value(error));
    else if (json_is_integer(error) && json_integer_value(error) != 0)
        snprintf(code, 64, "%lld", (long long)json_integer_value(error));
    copy(text, 200, json_string_value(description));
}

/* ---- what the answers hold ---- */

static void read_profile(struct asking *a, const json_t *result)
{
    struct portal_facts *p = a->facts;
    const json_t *id = json_object_get(result, "ID");
    const char *name = json_string_value(json_object_get(result, "NAME"));
    const char *surname = json_string_value(json_object_get(result, "LAST_NAME"));

    p->user_known = id != NULL;
    p->admin = json_is_true(json_object_get(result, "ADMIN"));
    if (json_is_integer(id))
        snprintf(p->user_id, sizeof(p->user_id), "%lld", (long long)json_integer_value(id));
    else
        copy(p->user_id, sizeof(p->user_id), json_string_value(id));
    snprintf(p->user, sizeof(p->user), "%.55s%s%.55s", name != NULL ? name : "",
        name != NULL && surname != NULL ? " " : "", surname != NULL ? surname : "");
    copy(p->user_zone, sizeof(p->user_zone), json_string_value(json_object_get(result, "TIME_ZONE")));
}

static void read_scope(struct asking *a, const json_t *result)
{
    struct portal_facts *p = a->facts;
    const json_t *scope;
    size_t i, n;

    p->scopes_known = json_is_array(result);
    copy(p->scopes, sizeof(p->scopes), " ");
    json_array_foreach(result, i, scope) {
        n = strlen(p->scopes);
        snprintf(p->scopes + n, sizeof(p->scopes) - n, "%s ",
            json_is_string(scope) ? json_string_value(scope) : "?");
    }
}

/* The portal read its clock some time between the question and the answer; the quickest answer tells best. */
static void read_time(struct asking *a, const json_t *result)
{
    struct portal_facts *p = a->facts;
    const struct call_facts *c = &p->calls[a->call];
    const char *text = json_string_value(result);
    int64_t theirs, ours = (int64_t)clock_wall_ms() - (int64_t)c->took_ms / 2;
    int offset = 0;

    if (text == NULL || !clock_parse_iso(text, strlen(text), &theirs, &offset))
        return;
    if (p->clock_known && c->took_ms >= a->best_ms)
        return;
    if (strchr(text, '.') == NULL) /* cut to the second: on average half of one is missing */
        theirs += 500;
    p->clock_known = true;
    p->offset_min = offset;
    p->ahead_ms = ours - theirs;
    a->best_ms = c->took_ms;
}

static void read_lists(struct asking *a, const json_t *result)
{
    struct portal_facts *p = a->facts;

    for (int i = 0; i < p->list_count; i++) {
        struct list_facts *l = &p->lists[i];
        char key[16];

        snprintf(key, sizeof(key), "e%02d", i);
        const json_t *error = json_object_get(json_object_get(result, "result_error"), key);
        const json_t *rows = json_object_get(json_object_get(result, "result"), key);

        l->told = error != NULL || rows != NULL;
        l->refused = error != NULL;
        l->rows = (int)json_array_size(rows);
        read_error(json_object_get(error, "error"), json_object_get(error, "error_description"), l->code,
            l->description);
    }
}

static const struct {
    const char *method;
    void (*read)(struct asking *a, const json_t *result);
} QUESTIONS[CALLS] = {
    [CALL_PROFILE] = { "profile", read_profile },
    [CALL_SCOPE] = { "scope", read_scope },
    [CALL_TIME] = { "server.time", read_time },
    [CALL_TIME_2] = { "server.time", read_time },
    [CALL_TIME_3] = { "server.time", read_time },
    [CALL_LISTS] = { "batch", read_lists },
};

/* ---- calls ---- */

static void on_done(void *ctx, struct http_answer *answer)
{
    struct asking *a = ctx;
    struct call_facts *c = &a->facts->calls[a->call];
    json_t *root = NULL, *error;

    budget_arrived(a->budget, NULL);
    c->status = answer->status;
    c->took_ms = answer->took_ms;
    copy(c->failure, sizeof(c->failure), answer->err.kind != ERR_NONE ? answer->err.text : "");
    url_mask(str_of(answer->location), c->location, sizeof(c->location));
    if (answer->body.n > 0)
        root = json_loadb(answer->body.p, answer->body.n, JSON_DISABLE_EOF_CHECK, NULL);
    c->json = json_is_object(root);
    error = json_object_get(root, "error");
    c->refused = error != NULL;
    read_error(error, json_object_get(root, "error_description"), c->code, c->description);
    if (json_is_number(json_object_get(json_object_get(root, "time"), "operating")))
        a->facts->operating = true;
    if (c->json && !c->refused && c->status == 200)
        QUESTIONS[a->call].read(a, json_object_get(root, "result"));
    json_decref(root);
    if (c->json && c->status < 300 && (!c->refused || a->call != CALL_PROFILE) && a->call + 1 < CALLS) {
        a->call++;
        call_next(a);
    }
}

/* A chain of lists of ids: whether they may be read at all. */
static char *lists_body(const struct portal_facts *p)
{
    json_t *commands = json_object();
    char key[16], command[160];

    for (int i = 0; i < p->list_count && i < COMMANDS_MAX; i++) {
        const struct entity *e = entity_of(str_of(p->lists[i].entity));

        snprintf(key, sizeof(key), "e%02d", i);
        snprintf(command, sizeof(command), "%s.list?select[]=%s&order[%s]=ASC&start=-1", e->method,
            e->id_field, e->id_field);
        json_object_set_new(commands, key, json_string(command));
    }
    json_t *root = json_pack("{s:i, s:o}", "halt", 0, "cmd", commands);
    char *text = json_dumps(root, JSON_COMPACT);

    json_decref(root);
    return text;
}

static void not_asked(struct asking *a, const char *why)
{
    copy(a->facts->calls[a->call].failure, sizeof(a->facts->calls[a->call].failure), why);
    budget_unsent(a->budget);
}

static int post(struct asking *a, const struct budget_go *go, struct err *err)
{
    const char *method = QUESTIONS[a->call].method;
    char *url = signed_url(a->portal, method, go->host, false);
    char *params = a->call == CALL_LISTS ? lists_body(a->facts) : xstrdup("{}");
    struct buf body;
    int result = 0;

    buf_init(&body, strlen(params) + SIGNED_MORE_BYTES);
    if (url == NULL)
        result = err_set(err, ERR_CONF, "portal %s: it cannot be asked at " STR_FMT " by https",
            a->portal->name, STR_ARG(go->host));
    else if (config_portal_is_app(a->portal))
        result = signed_body(a->keys, a->portal, str_of(params), go->sealed, false, &body, err);
    else
        buf_str(&body, params);
    free(params);
    params = xstrdup(buf_cstr(&body));
    seal_wipe(&body);
    if (result == 0 && http_start(a->client,
                           &(struct http_request){ .method = "POST",
                               .url = url,
                               .content_type = "application/json",
                               .body = str_of(params),
                               .free_body = params,
                               .deadline_ms = DEADLINE_MS,
                               .max_bytes = ANSWER_MAX_BYTES,
                               .on_done = on_done,
                               .ctx = a },
                           err) == NULL)
        result = -1;
    if (result < 0)
        seal_free(params);
    seal_free(url);
    return result;
}

/* A few calls that only look: made in the end even while the portal is left in peace. */
static void on_go(void *ctx, const struct budget_go *go)
{
    struct asking *a = ctx;
    struct err err = go->err;

    a->facts->calls[a->call].asked = true;
    a->facts->calls[a->call].unstarted = err.kind == ERR_AUTH && go->alone;
    a->facts->calls[a->call].unconnected = err.kind == ERR_PERM && config_portal_is_app(a->portal);
    if (err.kind != ERR_NONE || post(a, go, &err) < 0)
        not_asked(a, err.text);
}

static void call_next(struct asking *a)
{
    budget_ask(a->budget, "", on_go, a);
}

static void portal_init(struct portal_facts *p, const struct config_portal *portal)
{
    copy(p->name, sizeof(p->name), portal->name);
    url_mask(str_of(config_portal_url(portal)), p->url, sizeof(p->url));
    webhook_identity(config_portal_url(portal), p->identity);
    p->drain_per_s = portal->drain_per_s;
    p->burst = portal->burst;
    if (portal->entity_count == 0)
        for (int i = 0; i < ENTITY_COUNT && i < CONFIG_ENTITIES_MAX; i++)
            p->lists[p->list_count++].entity = ENTITIES[i].plural;
    for (int i = 0; i < portal->entity_count; i++)
        p->lists[p->list_count++].entity = portal->entities[i];
}

static bool is_over(const struct asking *a)
{
    const struct call_facts *c = &a->facts->calls[a->call];

    return c->status != 0 || c->failure[0] != '\0';
}

static void begin(struct asking *a, uv_loop_t *loop, struct bus *bus, const struct home *home)
{
    const struct budget_def def = { .loop = loop,
        .bus = bus,
        .where = home->bus_scheduler,
        .kind = "doctor",
        .portal = a->portal->name,
        .burst = a->portal->burst,
        .drain_per_s = a->portal->drain_per_s,
        .needs_token = config_portal_is_app(a->portal),
        .few = true,
        .most_wait_ms = WAIT_MS };
    struct err err = { 0 };

    a->budget = budget_new(&def, &err);
    if (a->budget != NULL)
        call_next(a);
    else
        copy(a->facts->calls[a->call].failure, sizeof(a->facts->calls[a->call].failure), err.text);
}

static void wait_for(struct asking *askings, int count, uv_loop_t *loop)
{
    for (int i = 0; i < count;)
        if (is_over(&askings[i]))
            i++;
        else
            uv_run(loop, UV_RUN_ONCE);
    for (int i = 0; i < count; i++)
        if (askings[i].budget != NULL)
            budget_end(askings[i].budget);
}

/* An application without access: what the scheduler knows of the last try to give it some. */
static void look_refusal(struct portal_facts *p, const struct home *home)
{
    struct portal_refusal why;

    if (p->calls[CALL_PROFILE].unconnected && portal_refusal(home, p->name, &why))
        snprintf(p->refusal, sizeof(p->refusal), "%s", why.error);
}

void look_portals(struct facts *f, const struct home *home)
{
    const struct config *config = &home->config;
    struct asking *askings = xcalloc((size_t)config->portal_count + 1, sizeof(*askings));
    struct seal_keys keys = { 0 };
    struct err err = { 0 };
    uv_loop_t loop;

    f->portals = xcalloc((size_t)config->portal_count + 1, sizeof(*f->portals));
    f->portal_count = config->portal_count;
    if (seal_keys_read(&keys, home->secret_key, &err) < 0)
        keys = (struct seal_keys){ 0 }; /* what needs one says so */
    curl_global_init(CURL_GLOBAL_ALL);
    uv_loop_init(&loop);
    struct http_client *client = http_client_new(&loop, "potok/" POTOK_VERSION);
    struct bus *bus = bus_new(&loop, home->run_dir, "potok");

    for (int i = 0; i < config->portal_count; i++) {
        portal_init(&f->portals[i], &config->portals[i]);
        askings[i] = (struct asking){ .facts = &f->portals[i],
            .portal = &config->portals[i],
            .client = client,
            .keys = &keys,
            .call = CALL_PROFILE };
        begin(&askings[i], &loop, bus, home);
    }
    wait_for(askings, config->portal_count, &loop);
    for (int i = 0; i < config->portal_count; i++)
        budget_free(&askings[i].budget);
    http_client_free(&client);
    bus_free(&bus);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    curl_global_cleanup();
    seal_keys_wipe(&keys);
    free(askings);
    for (int i = 0; i < f->portal_count; i++)
        look_refusal(&f->portals[i], home);
}

void facts_fini(struct facts *f)
{
    free(f->portals);
    if (f->webhooks_looked)
        webhooks_look_free(&f->webhooks);
    f->portals = NULL;
}
