#include "item_render.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/calendar.h"
#include "item_name.h"
#include "json_out.h"
#include "data/links.h"
#include "params.h"

static const struct {
    enum which w;
    const char *name, *field, *type;
} extras[] = {
#define ITEM_EXTRA(which, name, field, type) { which, name, field, type },
#include "item_extras.def"
#undef ITEM_EXTRA
};

#define EXTRA_TYPE (UINT64_C(1) << 63) /* entityTypeId */

/* The bit of a row is its place among those of its entity. */
uint64_t item_extra(enum which w, struct str name)
{
    uint64_t bit = 1;

    for (size_t i = 0; i < ARRAY_SIZE(extras); i++) {
        if (extras[i].w == w && str_is(name, extras[i].name))
            return bit;
        bit <<= extras[i].w == w;
    }
    return str_is(name, "entityTypeId") ? EXTRA_TYPE : 0;
}

static void out_key(struct buf *out, const char *name)
{
    if (out->p[out->n - 1] != '{')
        buf_char(out, ',');
    json_out_cstr(out, name);
    buf_char(out, ':');
}

/* A float of PHP: what a double holds of the digits. */
static void out_number(struct buf *out, struct str digits)
{
    char text[512];

    if (digits.n >= sizeof(text)) {
        buf_char(out, '0');
        return;
    }
    memcpy(text, digits.p, digits.n);
    text[digits.n] = '\0';
    buf_f64(out, strtod(text, NULL));
}

static void out_file(struct buf *out, const struct item_wire *w, int64_t id)
{
    const char *s = w->tls ? "s" : "";
    char url[256];

    snprintf(url, sizeof(url),
        "http%s://%.120s/bitrix/services/main/ajax.php?action=crm.controller.item.getFile&fileId=%lld", s,
        w->address, (long long)id);
    buf_fmt(out, "{\"id\":%lld,\"url\":", (long long)id);
    json_out_cstr(out, url);
    buf_str(out, ",\"urlMachine\":");
    snprintf(url, sizeof(url), "http%s://%.120s/rest/1/crm.controller.item.getFile/?token=crm%%7C%lld", s,
        w->address, (long long)id);
    json_out_cstr(out, url);
    buf_char(out, '}');
}

static bool is_enumeration(const struct attr *a)
{
    return strcmp(a->type_name, "enumeration") == 0;
}

/* What a user field holds as a number of something else. */
static bool is_reference(const struct attr *a)
{
    return a->flags & ATTR_USER && (is_enumeration(a) || strcmp(a->type_name, "employee") == 0 ||
                                       strncmp(a->type_name, "iblock_", 7) == 0);
}

static void out_empty(struct buf *out, const struct item_wire *w, const struct attr *a)
{
    const char *type = a->type->name;
    const bool link = strcmp(type, "crm_company") == 0 || strcmp(type, "crm_contact") == 0 ||
                      strcmp(a->name, "WEBFORM_ID") == 0;
    const bool zero = (link && !w->null_links) || strcmp(type, "crm_category") == 0;
    const bool text = w->texts && is_reference(a);

    if (a->flags & ATTR_MULTIPLE)
        buf_str(out, "[]");
    else
        buf_str(out, zero || text ? "0" : "null");
}

/* Written through the API or by hand: as it stands there, but for files. */
static void out_json(struct buf *out, const struct item_wire *w, const struct attr *a, struct str raw)
{
    json_t *j = strcmp(a->type->name, "file") == 0 ? json_loadb(raw.p, raw.n, JSON_DECODE_ANY, NULL) : NULL;
    const json_t *id = json_is_object(j) ? params_get(j, "id") : NULL;

    if (id != NULL)
        out_file(out, w, params_int(id));
    else
        json_out_raw(out, raw.p, raw.n);
    json_decref(j);
}

static void out_one(
    struct buf *out, const struct item_wire *w, const struct attr *a, const struct value *v, bool in_list)
{
    switch (v->kind) {
    case VALUE_TEXT:
        if (is_enumeration(a) && v->text.n > 0 && !w->texts)
            out_number(out, v->text);
        else
            json_out_str(out, v->text, w->ascii);
        break;
    case VALUE_INT:
        if (w->texts && is_reference(a))
            buf_fmt(out, "\"%lld\"", (long long)v->i);
        else
            json_out_int(out, v->i);
        break;
    case VALUE_DECIMAL:
        out_number(out, v->text);
        break;
    case VALUE_BOOL:
        buf_str(out, v->i ? "\"Y\"" : "\"N\"");
        break;
    case VALUE_DATE:
        json_out_iso(out, v->i * DAY_S - (in_list || w->local_midnight ? PORTAL_OFFSET_S : 0));
        break;
    case VALUE_TIME:
        json_out_iso(out, v->i);
        break;
    case VALUE_MONEY:
        buf_fmt(out, "\"" STR_FMT "|" STR_FMT "\"", STR_ARG(v->text), STR_ARG(v->extra));
        break;
    case VALUE_FILE:
        out_file(out, w, v->i);
        break;
    case VALUE_JSON:
        out_json(out, w, a, v->raw);
        break;
    default:
        out_empty(out, w, a);
    }
}

static void out_value(struct buf *out, const struct item_wire *w, const struct attr *a, const struct value *v)
{
    if (v->kind == VALUE_TEXT && v->text.n == 0 && a->flags & ATTR_USER) {
        out_empty(out, w, a);
    } else if (v->kind == VALUE_NULL && v->raw.n > 0) {
        json_out_raw(out, v->raw.p, v->raw.n); /* set by hand, and of no type that it should have */
    } else if (v->kind == VALUE_LIST) {
        buf_char(out, '[');
        for (int i = 0; i < v->count; i++) {
            if (i > 0)
                buf_char(out, ',');
            out_one(out, w, a, &v->items[i], true);
        }
        buf_char(out, ']');
    } else {
        out_one(out, w, a, v, false);
    }
}

static void out_unseen(struct buf *out, const struct record *r)
{
    const enum which target = r->crm->which == CONTACT ? COMPANY : CONTACT;
    json_t *rows = links_rows(r->store, r->crm->which, r->n, target);

    buf_char(out, '[');
    for (size_t i = 0; i < json_array_size(rows); i++)
        buf_fmt(out, "%s%lld", i > 0 ? "," : "",
            (long long)json_integer_value(json_object_get(json_array_get(rows, i), links_id(target))));
    buf_char(out, ']');
    json_decref(rows);
}

/* ---- phones and the like ---- */

struct comm {
    int64_t id;
    struct str value, kind;
};

static bool comm_of(const struct value *v, json_t **ret_tree, struct comm *ret)
{
    *ret_tree = NULL;
    if (v->kind == VALUE_COMM) {
        *ret = (struct comm){ v->i, v->text, v->extra };
        return true;
    }
    json_t *j = v->kind == VALUE_JSON ? json_loadb(v->raw.p, v->raw.n, 0, NULL) : NULL;
    if (!json_is_object(j)) {
        json_decref(j);
        return false;
    }
    *ret_tree = j;
    const json_t *id = json_object_get(j, "ID");
    *ret = (struct comm){ id != NULL ? params_int(id) : 0,
        str_of(json_string_value(json_object_get(j, "VALUE"))),
        str_of(json_string_value(json_object_get(j, "VALUE_TYPE"))) };
    return true;
}

static void out_comm(struct buf *out, const struct item_wire *w, const struct attr *a, const struct value *v)
{
    json_t *tree;
    struct comm c;

    if (!comm_of(v, &tree, &c))
        return;
    if (out->p[out->n - 1] == '}')
        buf_char(out, ',');
    buf_fmt(out, "{\"id\":%lld,\"valueType\":", (long long)c.id);
    json_out_str(out, c.kind, false);
    buf_str(out, ",\"value\":");
    json_out_str(out, c.value, w->ascii);
    buf_str(out, ",\"typeId\":");
    json_out_cstr(out, a->name);
    buf_char(out, '}');
    json_decref(tree);
}

static void out_fm(struct buf *out, const struct item_wire *w, const struct record *r)
{
    bool any = false;

    for (int i = 0; i < r->crm->attrs.count; i++) {
        const struct attr *a = r->crm->attrs.list[i];
        struct value v;
        if (!attr_is_multifield(a))
            continue;
        if (!any) {
            out_key(out, "fm");
            buf_char(out, '[');
            any = true;
        }
        record_value(r, a, &v);
        for (int k = 0; v.kind == VALUE_LIST && k < v.count; k++)
            out_comm(out, w, a, &v.items[k]);
    }
    if (any)
        buf_char(out, ']');
}

static void out_first(
    struct buf *out, const struct item_wire *w, const struct record *r, const char *field, const char *type)
{
    const struct attr *a = field != NULL ? attr_find(&r->crm->attrs, str_of(field)) : NULL;
    /* None is an empty text, but for two messengers of old. */
    const bool is_number = a != NULL && attr_is_multifield(a) &&
                           (type == NULL || (strcmp(type, "SKYPE") != 0 && strcmp(type, "ICQ") != 0));
    struct value v = { 0 };

    if (a != NULL)
        record_value(r, a, &v);
    for (int k = 0; v.kind == VALUE_LIST && k < v.count; k++) {
        json_t *tree;
        struct comm c;
        const bool found = comm_of(&v.items[k], &tree, &c) && (type == NULL || str_is(c.kind, type));
        if (found)
            json_out_str(out, c.value, w->ascii);
        json_decref(tree);
        if (found)
            return;
    }
    if (v.kind == VALUE_TEXT)
        json_out_str(out, v.text, w->ascii);
    else
        buf_str(out, is_number ? "\"\"" : "null");
}

static void out_extras(
    struct buf *out, const struct item_wire *w, const struct record *r, const struct item_select *s)
{
    uint64_t bit = 1;

    for (size_t i = 0; i < ARRAY_SIZE(extras); i++) {
        const bool mine = extras[i].w == r->crm->which, shown = mine && (s->all || s->extras & bit);
        bit <<= mine;
        if (!shown)
            continue;
        out_key(out, extras[i].name);
        out_first(out, w, r, extras[i].field, extras[i].type);
    }
    if (s->all)
        out_fm(out, w, r);
    if (s->all || s->extras & EXTRA_TYPE) {
        out_key(out, "entityTypeId");
        json_out_int(out, WHICH[r->crm->which].type_id);
    }
}

/* Of the members that are always null one has a value in classic methods (facts section 6.2). */
static bool is_disabled(const struct attr *a)
{
    return strcmp(a->name, "ADDRESS") == 0;
}

static void out_attr(struct buf *out, const struct item_wire *w, const struct record *r, const struct attr *a)
{
    char name[ITEM_NAME_MAX];
    struct value v;

    if (attr_is_multifield(a) || a->flags & (ATTR_HOLLOW | ATTR_CLASSIC))
        return;
    out_key(out, item_name(&r->crm->attrs, a, w->original, name));
    if (is_disabled(a)) {
        buf_str(out, "null");
    } else if (a->flags & ATTR_UNSEEN && !(a->flags & ATTR_ITEM)) {
        out_unseen(out, r);
    } else {
        record_value(r, a, &v);
        out_value(out, w, a, &v);
    }
}

void item_render(
    struct buf *out, const struct item_wire *w, const struct record *r, const struct item_select *s)
{
    buf_char(out, '{');
    for (int i = 0; s->all && i < r->crm->attrs.count; i++)
        out_attr(out, w, r, r->crm->attrs.list[i]);
    for (int i = 0; !s->all && i < s->count; i++)
        out_attr(out, w, r, s->attrs[i]);
    out_extras(out, w, r, s);
    buf_char(out, '}');
}
