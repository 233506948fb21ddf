/* general.c - methods that are about the webhook and its user (facts sections 4.5, 10). */
#include "call.h"

#include "base/clock.h"
#include "calendar.h"
#include "hash.h"
#include "json_out.h"
#include "params.h"
#include "people.h"

#define USERS 24

enum api_error run_profile(struct call *c)
{
    buf_str(c->out,
        "{\"ID\":\"1\",\"ADMIN\":true,\"NAME\":\"Анна\",\"LAST_NAME\":\"Королёва\",\"PERSONAL_GENDER\":\"F\","
        "\"TIME_ZONE\":\"Europe\\/Moscow\"}");
    return API_OK;
}

enum api_error run_scope(struct call *c)
{
    const char *comma = "";

    buf_char(c->out, '[');
    for (unsigned i = 0; scope_name(i) != NULL; i++) {
        if (!(c->portal->scopes >> i & 1))
            continue;
        buf_fmt(c->out, "%s\"%s\"", comma, scope_name(i));
        comma = ",";
    }
    buf_char(c->out, ']');
    return API_OK;
}

/* Of the portal, and so too of the OAuth server: there it tells whether a token is one (facts section 10). */
enum api_error run_app_info(struct call *c)
{
    const struct portal *p = c->portal;
    const char *family = p->bucket.burst >= 250 ? "ent" : "std";

    if (!p->app)
        return portal_has(p, QUIRK_CONTEXT_403) ? API_AUTH_TYPE : API_APP_CONTEXT;
    buf_str(c->out, "{\"ID\":1,\"CODE\":");
    json_out_cstr(c->out, p->application.client_id);
    buf_fmt(c->out,
        ",\"VERSION\":1,\"STATUS\":\"L\",\"INSTALLED\":true,\"PAYMENT_EXPIRED\":\"N\",\"DAYS\":null,"
        "\"LANGUAGE_ID\":\"ru\",\"LICENSE\":\"ru_%s\",\"LICENSE_TYPE\":\"%s\",\"LICENSE_FAMILY\":\"%s\"}",
        family, family, family);
    return API_OK;
}

enum api_error run_server_time(struct call *c)
{
    char text[CALENDAR_ISO];

    calendar_iso((int64_t)(clock_wall_ms() / 1000), text);
    json_out_str(c->out, (struct str){ text, sizeof(text) }, false);
    return API_OK;
}

enum api_error run_methods(struct call *c)
{
    buf_char(c->out, '[');
    for (size_t i = 0; method_at(i) != NULL; i++) {
        if (i > 0)
            buf_char(c->out, ',');
        json_out_cstr(c->out, method_at(i)->name);
    }
    buf_char(c->out, ']');
    return API_OK;
}

static bool method_allowed(const struct portal *p, const struct method *m)
{
    return m != NULL && !(m->scope & ~p->scopes & ~(p->app ? SCOPE_APP : 0u));
}

enum api_error run_method_get(struct call *c)
{
    const json_t *name = params_get(c->params, "name");
    char room[40];

    if (name == NULL)
        return API_NAME_MISSING;
    const struct method *m = method_find(params_text(name, room));
    buf_fmt(c->out, "{\"isExisting\":%s,\"isAvailable\":%s}", m ? "true" : "false",
        method_allowed(c->portal, m) ? "true" : "false");
    return API_OK;
}

/* Times come in three shapes here, one of them an empty object (facts sections 4.5, 11). */
static void out_user(struct buf *out, const struct portal *p, int id)
{
    static const char *const stamps[] = { "{}", "\"24.08.2023 13:19:39\"", "\"2024-08-29 10:30:11\"" };
    struct arena arena = { 0 };
    const uint64_t h = hash_two(p->options.store.seed ^ 0x75736572, (uint64_t)id);
    const struct person who = person_pick(h);

    buf_fmt(out, "{\"ID\":\"%d\",\"ACTIVE\":%s,\"NAME\":", id, id % 11 == 0 ? "false" : "true");
    json_out_cstr(out, who.name);
    buf_str(out, ",\"LAST_NAME\":");
    json_out_str(out, person_surname(&who, &arena), false);
    buf_str(out, ",\"SECOND_NAME\":");
    json_out_cstr(out, person_patronymic(&who));
    buf_fmt(out,
        ",\"EMAIL\":\"%s@example.ru\",\"IS_ONLINE\":\"N\",\"TIMESTAMP_X\":%s,\"LAST_ACTIVITY_DATE\":%s,"
        "\"PERSONAL_GENDER\":\"%s\",\"WORK_POSITION\":\"\",\"UF_DEPARTMENT\":[%d],\"USER_TYPE\":"
        "\"employee\"}",
        person_latin(&who), stamps[h % 3], stamps[(h >> 8) % 3], who.woman ? "F" : "M", id % 5 + 1);
    arena_fini(&arena);
}

/* user.get takes its filter as FILTER or as fields at the top level. */
static int64_t wanted_user(const json_t *params)
{
    const json_t *id = params_get(params, "id"), *filter = params_get(params, "filter");

    if (id == NULL && filter != NULL)
        id = params_get(filter, "id");
    return id ? params_int(id) : 0;
}

enum api_error run_user(struct call *c)
{
    const int64_t wanted = wanted_user(c->params);

    buf_char(c->out, '[');
    for (int id = 1; id <= USERS; id++) {
        if (wanted != 0 && wanted != id)
            continue;
        if (c->total++ > 0)
            buf_char(c->out, ',');
        out_user(c->out, c->portal, id);
    }
    buf_char(c->out, ']');
    c->listed = true;
    c->cost_s = COST_CALL_S;
    return API_OK;
}
