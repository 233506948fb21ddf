#include "admin.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "json_out.h"
#include "params.h"
#include "truth.h"
#include "wire_value.h"

struct visit {
    struct portal *portal;
    const json_t *params;       /* of the query */
    struct str body;
    const char *rest;           /* of the path after the route: "deals" */
    struct portal_answer *answer;
};

static int64_t now_s(void)
{
    return (int64_t)(clock_wall_ms() / 1000);
}

static void refuse(struct visit *v, int status, const char *text)
{
    buf_clear(&v->answer->body);
    v->answer->status = status;
    buf_str(&v->answer->body, "{\"error\":");
    buf_json(&v->answer->body, str_of(text));
    buf_char(&v->answer->body, '}');
}

static void fine(struct visit *v)
{
    buf_str(&v->answer->body, "{\"ok\":true}");
}

static struct str param(const struct visit *v, const char *name, const char *fallback)
{
    const json_t *found = params_get(v->params, name);

    return found && json_is_string(found) ? (struct str){ json_string_value(found), json_string_length(found) }
                                          : str_of(fallback);
}

static double param_number(const struct visit *v, const char *name, double fallback)
{
    const struct str text = param(v, name, "");

    return text.n > 0 ? strtod(text.p, NULL) : fallback;
}

static bool param_count(const struct visit *v, const char *name, uint64_t fallback, uint64_t *ret)
{
    const struct str text = param(v, name, "");

    *ret = fallback;
    return text.n == 0 || str_u64(text, ret);
}

/* The entity of the path or of entity=; -1 was answered. */
static int visit_which(struct visit *v)
{
    const struct str name = *v->rest != '\0' ? str_of(v->rest) : param(v, "entity", "");
    const int w = which_of(name);

    if (w < 0)
        refuse(v, 400, "entity: deals, contacts, companies or leads");
    return w;
}

static void show_truth(struct visit *v)
{
    const int w = visit_which(v);
    uint64_t after, limit;
    struct record r;

    if (w < 0)
        return;
    if (!param_count(v, "after", 0, &after) || !param_count(v, "limit", UINT64_MAX, &limit)) {
        refuse(v, 400, "after, limit: numbers");
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

static void show_stats(struct visit *v)
{
    struct portal *p = v->portal;
    struct buf *out = &v->answer->body;

    buf_fmt(out, "{\"requests\":%llu,\"refused_503\":%llu,\"refused_429\":%llu,\"bytes\":%llu,\"records_served\":%llu,",
        (unsigned long long)p->stats.requests, (unsigned long long)p->stats.refused_503,
        (unsigned long long)p->stats.refused_429, (unsigned long long)p->stats.bytes,
        (unsigned long long)p->stats.records_served);
    buf_fmt(out, "\"bucket_max\":%.3f,\"changing\":%s,\"changes\":%llu,\"faults\":%d,\"records\":{", p->bucket.greatest,
        change_going(&p->changes, clock_mono_ms()) ? "true" : "false", (unsigned long long)p->store.changes,
        p->faults.count);
    for (int w = 0; w < WHICHES; w++)
        buf_fmt(out, "%s\"%s\":%u", w > 0 ? "," : "", WHICH[w].plural, p->store.crm[w].visible);
    buf_str(out, "},\"by_method\":{");
    for (int i = 0; i < p->operating.count; i++) {
        const struct operating_method *m = &p->operating.methods[i];
        buf_fmt(out, "%s\"%s\":{\"calls\":%llu,\"operating_s\":%.4f}", i > 0 ? "," : "", m->name,
            (unsigned long long)m->calls, m->seconds_ever);
    }
    buf_str(out, "}}");
}

static void reset_stats(struct visit *v)
{
    struct portal *p = v->portal;

    p->stats = (struct portal_stats){ 0 };
    p->bucket.greatest = 0;
    for (int i = 0; i < p->operating.count; i++) {
        p->operating.methods[i].calls = 0;
        p->operating.methods[i].seconds_ever = 0;
    }
    fine(v);
}

static void failed(struct visit *v, const struct err *err)
{
    refuse(v, 500, err->text);
}

static void change(struct visit *v)
{
    const struct str entity = param(v, "entity", "");
    const int kind = change_kind_of(param(v, "kind", "mix"));
    struct change_counts counts;
    struct err err;
    uint64_t count;

    if (kind < 0 || !param_count(v, "count", 1, &count) || count > 1000000) {
        refuse(v, 400, "kind: update, create, delete or mix; count: at most 1000000");
        return;
    }
    const int w = entity.n > 0 ? visit_which(v) : -1;
    if (entity.n > 0 && w < 0)
        return;
    if (change_make(&v->portal->store, w, (enum change_kind)kind, count, now_s(), &counts, &err) < 0)
        failed(v, &err);
    else
        buf_fmt(&v->answer->body, "{\"updated\":%llu,\"created\":%llu,\"deleted\":%llu}",
            (unsigned long long)counts.updated, (unsigned long long)counts.created, (unsigned long long)counts.deleted);
}

static void change_rate(struct visit *v)
{
    const double per_s = param_number(v, "per_s", 0), seconds = param_number(v, "seconds", 0);

    if (per_s < 0 || per_s > 100000 || seconds < 0 || seconds > 86400) {
        refuse(v, 400, "per_s: 0 to 100000; seconds: 0 to 86400");
        return;
    }
    change_start(&v->portal->changes, per_s, seconds, clock_mono_ms());
    fine(v);
}

/* The record of entity= and id=; false was answered. */
static bool visit_record(struct visit *v, int *ret_which, uint32_t *ret_n)
{
    uint64_t id;

    *ret_which = visit_which(v);
    if (*ret_which < 0)
        return false;
    if (param_count(v, "id", 0, &id) && crm_find(&v->portal->store.crm[*ret_which], id, ret_n))
        return true;
    refuse(v, 404, "id: no such record");
    return false;
}

static int set_one(struct visit *v, int w, uint32_t n, const char *name, const json_t *value, bool raw, struct err *err)
{
    struct store *s = &v->portal->store;
    const struct attr *a = attr_find(&s->crm[w].attrs, str_of(name));
    struct value ignored = { 0 };
    struct buf text;

    if (a == NULL || a->flags & ATTR_UNSEEN || a->place == 0)
        return err_set(err, ERR_PERM, "%s: no such field, or none that can be set", name);
    buf_init(&text, 16 << 20);
    json_out_value(&text, value, false);
    int result = -1;
    if (!raw && !wire_value_parse(a, buf_view(&text), &v->portal->arena, &ignored))
        err_set(err, ERR_PERM, "%s: does not fit type %s (raw=1 sets it all the same)", name, a->type_name);
    else
        result = store_set(s, (enum which)w, n, a, buf_view(&text), now_s(), err);
    buf_fini(&text);
    return result;
}

static void set(struct visit *v)
{
    const bool raw = param(v, "raw", "0").p[0] == '1';
    struct store *s = &v->portal->store;
    struct err err = { 0 };
    const char *name;
    json_t *value;
    uint32_t n;
    int w;

    if (!visit_record(v, &w, &n))
        return;
    json_t *fields = json_loadb(v->body.p ? v->body.p : "", v->body.n, 0, NULL);
    if (!json_is_object(fields)) {
        refuse(v, 400, "the body is a JSON object: {\"TITLE\":\"…\"}");
        json_decref(fields);
        return;
    }
    int result = store_begin(s, &err);
    json_object_foreach(fields, name, value) {
        if (result == 0)
            result = set_one(v, w, n, name, value, raw, &err);
    }
    json_decref(fields);
    struct err at_commit;
    if (store_commit(s, &at_commit) < 0)
        failed(v, &at_commit);
    else if (result < 0)
        refuse(v, 400, err.text);
    else
        fine(v);
}

static void hide(struct visit *v)
{
    struct store *s = &v->portal->store;
    const bool hidden = param(v, "hidden", "1").p[0] == '1';
    struct err err;
    uint32_t n;
    int w;

    if (!visit_record(v, &w, &n))
        return;
    const uint8_t flags = (uint8_t)((s->crm[w].flags[n] & ~RECORD_HIDDEN) | (hidden ? RECORD_HIDDEN : 0));
    if (store_begin(s, &err) < 0 || store_flag(s, (enum which)w, n, flags, &err) < 0 || store_commit(s, &err) < 0)
        failed(v, &err);
    else
        fine(v);
}

static bool is_field_name(const char *name)
{
    const size_t n = strlen(name);

    if (n > 50 || n < 8 || strncmp(name, "UF_CRM_", 7) != 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!isupper((unsigned char)name[i]) && !isdigit((unsigned char)name[i]) && name[i] != '_')
            return false;
    }
    return true;
}

static void add_field(struct visit *v)
{
    struct store *s = &v->portal->store;
    const int w = visit_which(v);
    const char *name = NULL, *type = NULL;
    int multiple = 0;
    struct err err;
    const struct attr *a;

    if (w < 0)
        return;
    json_t *body = json_loadb(v->body.p ? v->body.p : "", v->body.n, 0, NULL);
    if (body == NULL || json_unpack(body, "{s:s, s:s, s?b}", "name", &name, "type", &type, "multiple", &multiple) < 0 ||
        !is_field_name(name) || strlen(type) > 64 || attr_find(&s->crm[w].attrs, str_of(name)) != NULL)
        refuse(v, 400, "{\"name\":\"UF_CRM_NEW\",\"type\":\"string\",\"multiple\":false}; a new name of at most 50 "
            "capital letters, digits and _");
    else if (store_begin(s, &err) < 0 || store_add_attr(s, (enum which)w, name, str_of(type), multiple, &a, &err) < 0 ||
        store_commit(s, &err) < 0)
        failed(v, &err);
    else
        fine(v);
    json_decref(body);
}

static void copy_param(const struct visit *v, const char *name, char *ret, size_t size)
{
    snprintf(ret, size, STR_FMT, STR_ARG(param(v, name, "")));
}

static void add_fault(struct visit *v)
{
    struct fault f = { .kind = fault_of(param(v, "kind", "")) };

    if (f.kind == FAULT_NONE || !param_count(v, "times", 1, &f.times) || !param_count(v, "ms", 0, &f.ms)) {
        refuse(v, 400, "kind: see README; times, ms: numbers");
        return;
    }
    copy_param(v, "method", f.method, sizeof(f.method));
    for (char *c = f.method; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    copy_param(v, "to", f.to, sizeof(f.to));
    if (fault_add(&v->portal->faults, &f))
        fine(v);
    else
        refuse(v, 400, "too many faults are waiting: POST faults/clear");
}

static void clear_faults(struct visit *v)
{
    v->portal->faults.count = 0;
    fine(v);
}

static void set_scope(struct visit *v)
{
    char allow[128];

    copy_param(v, "allow", allow, sizeof(allow));
    v->portal->scopes = SCOPE_NONE;
    for (char *word = strtok(allow, ","); word != NULL; word = strtok(NULL, ",")) {
        if (strcmp(word, "crm") == 0)
            v->portal->scopes |= SCOPE_CRM;
        if (strcmp(word, "user") == 0)
            v->portal->scopes |= SCOPE_USER;
    }
    fine(v);
}

static const struct {
    const char *method, *path;      /* a path that ends in '/' takes an entity */
    void (*run)(struct visit *v);
} routes[] = {
    { "GET", "truth/", show_truth },       { "GET", "columns/", show_columns }, { "GET", "deleted/", show_deleted },
    { "GET", "hidden/", show_hidden },     { "GET", "stats", show_stats },      { "POST", "reset-stats", reset_stats },
    { "POST", "change", change },          { "POST", "change/rate", change_rate }, { "POST", "set", set },
    { "POST", "hide", hide },              { "POST", "field", add_field },      { "POST", "fault", add_fault },
    { "POST", "faults/clear", clear_faults }, { "POST", "scope", set_scope },
};

static bool route_takes(const char *route, const char *path, const char **ret_rest)
{
    const size_t n = strlen(route);

    *ret_rest = path + n;
    return route[n - 1] == '/' ? strncmp(path, route, n) == 0 : strcmp(path, route) == 0;
}

static bool is_loopback(const char *remote)
{
    return strncmp(remote, "127.", 4) == 0 || strcmp(remote, "::1") == 0 || strncmp(remote, "::ffff:127.", 11) == 0;
}

void admin_answer(struct portal *p, const struct portal_request *in, struct portal_answer *ret)
{
    const char *path = in->path + strlen("/__admin/");
    json_t *params = json_object();
    struct visit v = { .portal = p, .params = params, .body = in->body, .answer = ret };

    params_add_query(params, in->query);
    refuse(&v, 404, "no such route, or not by this method: see README");
    for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
        if (!route_takes(routes[i].path, path, &v.rest) || strcmp(routes[i].method, in->method) != 0)
            continue;
        buf_clear(&ret->body);
        ret->status = 200;
        if (is_loopback(in->remote))
            routes[i].run(&v);
        else
            refuse(&v, 403, "from this machine only");
        break;
    }
    json_decref(params);
}
