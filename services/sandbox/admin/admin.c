#include "admin.h"

#include <ctype.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "methods/params.h"
#include "limits/trouble.h"
#include "data/truth.h"
#include "visit.h"

void visit_refuse(struct visit *v, int status, const char *text)
{
    buf_clear(&v->answer->body);
    v->answer->status = status;
    buf_str(&v->answer->body, "{\"error\":");
    buf_json(&v->answer->body, str_of(text));
    buf_char(&v->answer->body, '}');
}

void visit_fine(struct visit *v)
{
    buf_str(&v->answer->body, "{\"ok\":true}");
}

struct str visit_param(const struct visit *v, const char *name, const char *fallback)
{
    const json_t *found = params_get(v->params, name);

    return json_is_string(found) ? (struct str){ json_string_value(found), json_string_length(found) }
                                 : str_of(fallback);
}

bool visit_count(const struct visit *v, const char *name, uint64_t fallback, uint64_t *ret)
{
    const struct str text = visit_param(v, name, "");

    *ret = fallback;
    return text.n == 0 || str_u64(text, ret);
}

/* The entity of the path or of entity=; -1 was answered. */
int visit_which(struct visit *v)
{
    const struct str name = *v->rest != '\0' ? str_of(v->rest) : visit_param(v, "entity", "");
    const int w = which_of(name);

    if (w < 0)
        visit_refuse(v, 400, "entity: deals, contacts, companies, leads, quotes, invoices or items");
    return w;
}

static void show_truth(struct visit *v)
{
    const int w = visit_which(v);
    uint64_t after, limit;
    struct record r;

    if (w < 0)
        return;
    if (!visit_count(v, "after", 0, &after) || !visit_count(v, "limit", UINT64_MAX, &limit)) {
        visit_refuse(v, 400, "after, limit: numbers");
        return;
    }
    const struct crm *c = &v->portal->store.crm[w];
    v->answer->content_type = "application/x-ndjson; charset=utf-8";
    for (uint32_t n = crm_lower_bound(c, after + 1); n < c->count && limit > 0; n++) {
        if (c->flags[n] != 0)
            continue;
        record_open(&r, &v->portal->store, (enum which)w, n, &v->portal->arena);
        truth_record(&v->answer->body, &r);
        buf_char(&v->answer->body, '\n');
        arena_reset(&v->portal->arena);
        limit--;
    }
}

static void show_columns(struct visit *v)
{
    const int w = visit_which(v);

    if (w >= 0)
        truth_columns(&v->answer->body, &v->portal->store.crm[w].attrs);
}

static void show_flagged(struct visit *v, uint8_t flag)
{
    const int w = visit_which(v);

    if (w < 0)
        return;
    const struct crm *c = &v->portal->store.crm[w];
    v->answer->content_type = "application/x-ndjson; charset=utf-8";
    for (uint32_t n = 0; n < c->count; n++) {
        if (c->flags[n] & flag)
            buf_fmt(&v->answer->body, "{\"id\":%u}\n", c->ids[n]);
    }
}

static void show_deleted(struct visit *v)
{
    show_flagged(v, RECORD_DELETED);
}

static void show_hidden(struct visit *v)
{
    show_flagged(v, RECORD_HIDDEN);
}

/* Of all credentials together. */
static void show_methods(struct buf *out, const struct operating *o)
{
    const char *comma = "";

    for (int i = 0; i < o->count; i++) {
        const struct operating_method *m = &o->methods[i];
        uint64_t calls = 0;
        double seconds = 0;
        bool shown = false;
        for (int k = 0; k < o->count; k++) {
            if (strcmp(o->methods[k].name, m->name) != 0)
                continue;
            shown |= k < i;
            calls += o->methods[k].calls;
            seconds += o->methods[k].seconds_ever;
        }
        if (shown)
            continue;
        buf_fmt(out, "%s\"%s\":{\"calls\":%llu,\"operating_s\":%.4f}", comma, m->name,
            (unsigned long long)calls, seconds);
        comma = ",";
    }
}

static void show_stats(struct visit *v)
{
    struct portal *p = v->portal;
    struct buf *out = &v->answer->body;

    buf_fmt(out,
        "{\"requests\":%llu,\"refused_503\":%llu,\"refused_429\":%llu,\"bytes\":%llu,\"records_served\":%"
        "llu,",
        (unsigned long long)p->stats.requests, (unsigned long long)p->stats.refused_503,
        (unsigned long long)p->stats.refused_429, (unsigned long long)p->stats.bytes,
        (unsigned long long)p->stats.records_served);
    buf_fmt(out,
        "\"bucket_max\":%.3f,\"changing\":%s,\"changes\":%llu,\"faults\":%d,\"landing\":%d,\"records\":{",
        p->bucket.greatest, change_going(&p->changes, clock_mono_ms()) ? "true" : "false",
        (unsigned long long)p->store.changes, p->faults.count, p->landings.count);
    for (int w = 0; w < WHICHES; w++)
        buf_fmt(out, "%s\"%s\":%u", w > 0 ? "," : "", WHICH[w].plural, p->store.crm[w].visible);
    buf_str(out, "},\"by_method\":{");
    show_methods(out, &p->operating);
    buf_str(out, "},\"events\":");
    visit_out_event_stats(out, p);
    buf_char(out, '}');
}

static void reset_stats(struct visit *v)
{
    struct portal *p = v->portal;

    p->stats = (struct portal_stats){ 0 };
    p->application.stats = (struct app_stats){ 0 };
    p->events.outbox.stats = (struct event_stats){ .sent = p->events.outbox.going };
    p->bucket.greatest = 0;
    for (int i = 0; i < p->operating.count; i++) {
        p->operating.methods[i].calls = 0;
        p->operating.methods[i].seconds_ever = 0;
    }
    visit_fine(v);
}

static void copy_param(const struct visit *v, const char *name, char *ret, size_t size)
{
    snprintf(ret, size, STR_FMT, STR_ARG(visit_param(v, name, "")));
}

static void add_fault(struct visit *v)
{
    struct fault f = { .kind = fault_of(visit_param(v, "kind", "")) };
    const bool late = f.kind == FAULT_LATE;

    f.as = fault_of(visit_param(v, "as", late ? "reset" : "command"));
    if (f.kind == FAULT_NONE || !trouble_shows(f.as) || (late && f.as == FAULT_TRUNCATED) ||
        !visit_count(v, "times", 1, &f.times) || !visit_count(v, "ms", late ? 1000 : 0, &f.ms)) {
        visit_refuse(v, 400, "kind, as: see README; times, ms: numbers");
        return;
    }
    copy_param(v, "method", f.method, sizeof(f.method));
    for (char *c = f.method; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    copy_param(v, "to", f.to, sizeof(f.to));
    if (late && strncmp(f.method, "oauth.", 6) == 0) {
        visit_refuse(v, 400, "late: of methods alone");
        return;
    }
    if (fault_add(&v->portal->faults, &f))
        visit_fine(v);
    else
        visit_refuse(v, 400, "too many faults are waiting: POST faults/clear");
}

static void clear_faults(struct visit *v)
{
    v->portal->faults.count = 0;
    visit_fine(v);
}

static void set_scope(struct visit *v)
{
    bool unknown;

    portal_set_scopes(v->portal, scope_parse(visit_param(v, "allow", ""), &unknown));
    visit_fine(v);
}

static const struct {
    const char *method, *path; /* a path that ends in '/' takes an entity */
    void (*run)(struct visit *v);
} routes[] = {
    { "GET", "truth/", show_truth },
    { "GET", "columns/", show_columns },
    { "GET", "deleted/", show_deleted },
    { "GET", "hidden/", show_hidden },
    { "GET", "stats", show_stats },
    { "POST", "reset-stats", reset_stats },
    { "POST", "change", visit_change },
    { "POST", "change/rate", visit_change_rate },
    { "POST", "set", visit_set },
    { "POST", "hide", visit_hide },
    { "POST", "field", visit_add_field },
    { "POST", "field/delete", visit_delete_field },
    { "POST", "field/rename", visit_rename_field },
    { "POST", "field/type", visit_retype_field },
    { "POST", "field/items", visit_edit_items },
    { "POST", "fault", add_fault },
    { "POST", "faults/clear", clear_faults },
    { "POST", "scope", set_scope },
    { "GET", "events", visit_show_events },
    { "POST", "events/handler", visit_add_handler },
    { "POST", "events/handlers/clear", visit_drop_handlers },
    { "POST", "events/faults", visit_event_faults },
    { "POST", "events/release", visit_release_events },
    { "POST", "lag", visit_lag },
    { "GET", "app", visit_show_app },
    { "POST", "app/install", visit_install },
    { "POST", "app/update", visit_update_app },
    { "POST", "app/uninstall", visit_uninstall },
    { "POST", "app/state", visit_app_state },
    { "POST", "app/expire", visit_expire },
    { "POST", "app/revoke", visit_revoke },
    { "POST", "app/open", visit_open_app },
    { "POST", "robot", visit_run_robot },
    { "POST", "rename", visit_rename },
    { "POST", "overload", visit_overload },
};

static bool route_takes(const char *route, const char *path, const char **ret_rest)
{
    const size_t n = strlen(route);

    *ret_rest = path + n;
    return route[n - 1] == '/' ? strncmp(path, route, n) == 0 : strcmp(path, route) == 0;
}

static bool is_loopback(const char *remote)
{
    return strncmp(remote, "127.", 4) == 0 || strcmp(remote, "::1") == 0 ||
           strncmp(remote, "::ffff:127.", 11) == 0;
}

void admin_answer(struct portal *p, const struct portal_request *in, struct portal_answer *ret)
{
    const char *path = in->path + strlen("/__admin/");
    json_t *params = json_object();
    struct visit v = { .portal = p, .params = params, .body = in->body, .answer = ret };

    params_add_query(params, in->query);
    visit_refuse(&v, 404, "no such route, or not by this method: see README");
    for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
        if (!route_takes(routes[i].path, path, &v.rest) || strcmp(routes[i].method, in->method) != 0)
            continue;
        buf_clear(&ret->body);
        ret->status = 200;
        copy_param(&v, "auth_connector", p->events.connector, sizeof(p->events.connector));
        if (is_loopback(in->remote))
            routes[i].run(&v);
        else
            visit_refuse(&v, 403, "from this machine only");
        break;
    }
    json_decref(params);
}
