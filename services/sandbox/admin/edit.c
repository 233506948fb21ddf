#include "visit.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "methods/json_out.h"
#include "methods/params.h"
#include "data/wire_value.h"

static int64_t now_s(void)
{
    return (int64_t)(clock_wall_ms() / 1000);
}

static double visit_number(const struct visit *v, const char *name, double fallback)
{
    const struct str text = visit_param(v, name, "");

    return text.n > 0 ? strtod(text.p, NULL) : fallback;
}

static void failed(struct visit *v, const struct err *err)
{
    visit_refuse(v, 500, err->text);
}

void visit_change(struct visit *v)
{
    const struct str entity = visit_param(v, "entity", "");
    const int kind = change_kind_of(visit_param(v, "kind", "mix"));
    struct change_counts counts;
    struct err err;
    uint64_t count;

    if (kind < 0 || !visit_count(v, "count", 1, &count) || count > 1000000) {
        visit_refuse(v, 400, "kind: update, create, delete or mix; count: at most 1000000");
        return;
    }
    const int w = entity.n > 0 ? visit_which(v) : -1;
    if (entity.n > 0 && w < 0)
        return;
    if (change_make(&v->portal->store, w, (enum change_kind)kind, count, now_s(), &counts, &err) < 0)
        failed(v, &err);
    else
        buf_fmt(&v->answer->body, "{\"updated\":%llu,\"created\":%llu,\"deleted\":%llu}",
            (unsigned long long)counts.updated, (unsigned long long)counts.created,
            (unsigned long long)counts.deleted);
}

void visit_change_rate(struct visit *v)
{
    const double per_s = visit_number(v, "per_s", 0), seconds = visit_number(v, "seconds", 0);

    if (per_s < 0 || per_s > 100000 || seconds < 0 || seconds > 86400) {
        visit_refuse(v, 400, "per_s: 0 to 100000; seconds: 0 to 86400");
        return;
    }
    change_start(&v->portal->changes, per_s, seconds, clock_mono_ms());
    visit_fine(v);
}

/* The record of entity= and id=; false was answered. */
static bool visit_record(struct visit *v, int *ret_which, uint32_t *ret_n)
{
    uint64_t id;

    *ret_which = visit_which(v);
    if (*ret_which < 0)
        return false;
    if (visit_count(v, "id", 0, &id) && crm_find(&v->portal->store.crm[*ret_which], id, ret_n))
        return true;
    visit_refuse(v, 404, "id: no such record");
    return false;
}

static int set_one(
    struct visit *v, int w, uint32_t n, const char *name, const json_t *value, bool raw, struct err *err)
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

void visit_set(struct visit *v)
{
    const bool raw = visit_param(v, "raw", "0").p[0] == '1';
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
        visit_refuse(v, 400, "the body is a JSON object: {\"TITLE\":\"…\"}");
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
        visit_refuse(v, 400, err.text);
    else
        visit_fine(v);
}

void visit_hide(struct visit *v)
{
    struct store *s = &v->portal->store;
    const bool hidden = visit_param(v, "hidden", "1").p[0] == '1';
    struct err err;
    uint32_t n;
    int w;

    if (!visit_record(v, &w, &n))
        return;
    const uint8_t flags = (uint8_t)((s->crm[w].flags[n] & ~RECORD_HIDDEN) | (hidden ? RECORD_HIDDEN : 0));
    if (store_begin(s, &err) < 0 || store_flag(s, (enum which)w, n, flags, &err) < 0 ||
        store_commit(s, &err) < 0)
        failed(v, &err);
    else
        visit_fine(v);
}

/* What is done to a field is in the path: field is add, else field/delete and so on. */
static void edit_field(struct visit *v, const char *what)
{
    struct store *s = &v->portal->store;
    const int w = visit_which(v);
    json_t *body = v->body.n > 0 ? json_loadb(v->body.p, v->body.n, 0, NULL) : json_object();
    const struct str param = visit_param(v, "name", "");
    const char *in_body = json_string_value(json_object_get(body, "name"));
    char *name = in_body != NULL ? xstrdup(in_body) : str_dup(param);
    struct err err = { 0 }, at_commit;

    if (w < 0) {
        json_decref(body);
        free(name);
        return;
    }
    int begun = store_begin(s, &err);
    int result = begun < 0 ? -1 : store_edit_field(s, (enum which)w, str_of(what), name, v->body, &err);

    if (begun == 0 && store_commit(s, &at_commit) < 0)
        failed(v, &at_commit);
    else if (result < 0)
        visit_refuse(v, err.kind == ERR_PERM ? 400 : 500, err.text);
    else
        visit_fine(v);
    json_decref(body);
    free(name);
}

void visit_add_field(struct visit *v)
{
    edit_field(v, "add");
}

void visit_delete_field(struct visit *v)
{
    edit_field(v, "delete");
}

void visit_rename_field(struct visit *v)
{
    edit_field(v, "rename");
}

void visit_retype_field(struct visit *v)
{
    edit_field(v, "type");
}

void visit_edit_items(struct visit *v)
{
    edit_field(v, "items");
}
