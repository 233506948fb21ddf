#include "write.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "calendar.h"
#include "dictionary.h"
#include "params.h"
#include "render.h"
#include "wire_value.h"
#include "write_comm.h"
#include "write_value.h"

#define VALUE_BYTES (16u << 20)

/* One record being written, inside a transaction. */
struct write {
    struct call *call;
    struct store *store;
    enum which w;
    uint32_t n;
    const json_t *fields;
    enum write_manner how;
    bool adding;
    bool changed; /* a value that is stored became another */
    bool staged;  /* the stage did */
    int64_t now_s;
    struct arena arena;
    struct err err;
    bool broken; /* err says how */
};

static const struct attr *attr_named(const struct write *x, const char *name)
{
    return attr_find(&x->store->crm[x->w].attrs, str_of(name));
}

static void read_value(struct write *x, const struct attr *a, struct value *ret)
{
    struct record r;

    record_open(&r, x->store, x->w, x->n, &x->arena);
    record_value(&r, a, ret);
}

static void store_value(struct write *x, const struct attr *a, struct str text)
{
    if (!x->broken && store_set(x->store, x->w, x->n, a, text, x->now_s, &x->err) < 0)
        x->broken = true;
}

/* Of the portal's own making. */
static void put(struct write *x, const char *name, const char *json)
{
    const struct attr *a = attr_named(x, name);
    char text[256];

    snprintf(text, sizeof(text), "=%s", json);
    if (a != NULL)
        store_value(x, a, str_of(text));
}

static void put_code(struct write *x, const char *name, const char *code)
{
    char json[128];

    snprintf(json, sizeof(json), "\"%s\"", code);
    put(x, name, json);
}

static void put_time(struct write *x, const char *name, int64_t unix_s)
{
    char json[CALENDAR_ISO + 3] = "\"";

    calendar_iso(unix_s, json + 1);
    json[CALENDAR_ISO + 1] = '"';
    put(x, name, json);
}

static const json_t *sent(const struct write *x, const char *name)
{
    return params_get(x->fields, name);
}

/* Printed alike, the same: lists and structures too. */
static bool is_same(struct write *x, const struct attr *a, struct str text)
{
    const struct wire wire = { .get = true };
    struct value now, then = { 0 };
    struct buf was, is;

    read_value(x, a, &now);
    wire_value_parse(a, (struct str){ text.p + 1, text.n - 1 }, &x->arena, &then);
    if (then.kind == VALUE_LIST || then.kind == VALUE_JSON)
        then.raw = (struct str){ text.p + 1, text.n - 1 };
    buf_init(&was, VALUE_BYTES);
    buf_init(&is, VALUE_BYTES);
    render_value(&was, &wire, a, &now);
    render_value(&is, &wire, a, &then);
    const bool same = now.kind == then.kind && str_eq(buf_view(&was), buf_view(&is));
    buf_fini(&was);
    buf_fini(&is);
    return same;
}

/* ---- what was sent ---- */

static json_t *rows_of(struct write *x, const struct attr *a)
{
    const struct wire wire = { .get = true };
    struct value v;
    struct buf text;

    read_value(x, a, &v);
    buf_init(&text, VALUE_BYTES);
    json_t *rows = render_value(&text, &wire, a, &v) ? json_loads(buf_cstr(&text), 0, NULL) : NULL;
    buf_fini(&text);
    if (json_is_array(rows))
        return rows;
    json_decref(rows);
    return json_array();
}

/* Numbers that no generated row of the record has. */
static int64_t next_row(const struct write *x, const struct attr *a, const json_t *rows)
{
    int64_t next = 100000000 + (int64_t)x->store->crm[x->w].ids[x->n] * 1000 + a->arg * 200;

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const int64_t id = params_int(params_get(json_array_get(rows, i), "ID"));
        if (id >= next)
            next = id + 1;
    }
    return next;
}

static void write_rows(struct write *x, const struct attr *a, const json_t *given)
{
    json_t *rows = rows_of(x, a);
    struct buf text;

    buf_init(&text, VALUE_BYTES);
    if (write_comm(rows, a->name, given, next_row(x, a, rows))) {
        write_comm_out(&text, rows);
        store_value(x, a, buf_view(&text));
        x->changed = true;
        if (strcmp(a->name, "PHONE") == 0 || strcmp(a->name, "EMAIL") == 0)
            put_code(x, a->name[0] == 'P' ? "HAS_PHONE" : "HAS_EMAIL", json_array_size(rows) > 0 ? "Y" : "N");
    }
    buf_fini(&text);
    json_decref(rows);
}

static bool may_write(const struct write *x, const struct attr *a)
{
    if (a->place == 0 || a->flags & (ATTR_READ_ONLY | ATTR_UNSEEN))
        return false;
    return x->adding || x->how == WRITE_ITEM || !(a->flags & ATTR_IMMUTABLE);
}

static enum api_error write_one(struct write *x, const struct attr *a, const json_t *given)
{
    const uint32_t file_id = 500000 + x->store->crm[x->w].ids[x->n] * 10 + (uint32_t)a->place % 10;
    enum api_error e = API_OK;
    struct buf text;

    if (attr_is_multifield(a)) {
        write_rows(x, a, given);
        return API_OK;
    }
    buf_init(&text, VALUE_BYTES);
    const enum write_verdict verdict = write_value(&text, a, given, file_id);
    if (verdict == WRITE_UNKNOWN_CURRENCY) {
        e = API_CURRENCY;
    } else if (verdict == WRITE_NOT_VALID && x->how == WRITE_ITEM) {
        e = API_VALUE_NOT_VALID;
        snprintf(x->call->portal->detail, sizeof(x->call->portal->detail), "Invalid value for field \"%s\"",
            a->name);
    } else if (!is_same(x, a, buf_view(&text))) {
        x->changed = true;
        x->staged |= a->facet == FACET_STAGE && a->dictionary != NULL;
        store_value(x, a, buf_view(&text));
    }
    buf_fini(&text);
    return e;
}

static enum api_error write_sent(struct write *x)
{
    struct params_walk walk = { .of = (json_t *)x->fields };
    enum api_error e = API_OK;
    const char *key;
    json_t *given;

    while (e == API_OK && params_next(&walk, &key, &given)) {
        const struct attr *a = attr_named(x, key);
        if (a != NULL && may_write(x, a))
            e = write_one(x, a, given);
    }
    return e;
}

/* ---- what follows ---- */

static const struct status *status_of(const char *entity, const char *id)
{
    const struct dictionary *d = dictionary_of(entity);
    const char *colon = strchr(id, ':');

    for (int i = 0; d != NULL && i < d->count; i++) {
        if (strcmp(d->list[i].id, colon != NULL ? colon + 1 : id) == 0)
            return &d->list[i];
    }
    return NULL;
}

static void follow_stage(struct write *x)
{
    const bool lead = x->w == LEAD;
    const char *name = lead ? "STATUS_ID" : "STAGE_ID";
    struct value v;

    if (attr_named(x, name) == NULL)
        return;
    read_value(x, attr_named(x, name), &v);
    char *id = str_dup(v.text);
    const struct status *s = status_of(lead ? "STATUS" : "DEAL_STAGE", id);
    const char *semantics = s != NULL && s->semantics != NULL ? s->semantics : "P";
    put_code(x, lead ? "STATUS_SEMANTIC_ID" : "STAGE_SEMANTIC_ID", semantics);
    put_code(x, "CLOSED", *semantics == 'P' ? "N" : "Y");
    put_code(x, "IS_NEW", s != NULL && strcmp(s->id, "NEW") == 0 ? "Y" : "N");
    if (lead && *semantics != 'P')
        put_time(x, "DATE_CLOSED", x->now_s);
    else if (lead)
        put(x, "DATE_CLOSED", "");
    put_code(x, "MOVED_BY_ID", "1");
    if (!x->broken && store_moved(x->store, x->w, x->n, x->now_s, &x->err) < 0)
        x->broken = true;
    free(id);
}

static void put_defaults(struct write *x)
{
    static const struct {
        enum which w;
        const char *name, *json;
    } rows[] = {
#define DEFAULT(which, name, json) { which, #name, json },
#include "write_defaults.def"
#undef DEFAULT
    };
    static const char *const callers[] = { "ASSIGNED_BY_ID", "CREATED_BY_ID", "MODIFY_BY_ID",
        "LAST_ACTIVITY_BY" };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].w == x->w)
            put(x, rows[i].name, rows[i].json);
    }
    for (size_t i = 0; i < ARRAY_SIZE(callers); i++)
        put_code(x, callers[i], "1");
}

static void put_title(struct write *x)
{
    static const char *const words[] = { [DEAL] = "Сделка", [COMPANY] = "Компания", [LEAD] = "Лид" };
    const json_t *title = sent(x, "TITLE");
    char text[64], room[40];

    if (attr_named(x, "TITLE") == NULL || (title != NULL && params_text(title, room).n > 0))
        return;
    const char *word = x->w < ARRAY_SIZE(words) && words[x->w] != NULL ? words[x->w] : "Элемент";
    snprintf(text, sizeof(text), "%s #%u", word, x->store->crm[x->w].ids[x->n]);
    put_code(x, "TITLE", text);
}

/* The first stage of its funnel; today, and a week for it. */
static void put_beginnings(struct write *x)
{
    const int64_t today = (x->now_s + PORTAL_OFFSET_S) / DAY_S;
    char stage[24] = "NEW";

    if (x->w == DEAL) {
        const json_t *category = sent(x, "CATEGORY_ID");
        const int64_t funnel = category != NULL ? params_int(category) : 0;
        if (funnel > 0 && funnel < FUNNELS)
            snprintf(stage, sizeof(stage), "C%d:NEW", (int)funnel);
        put_time(x, "BEGINDATE", today * DAY_S);
        put_time(x, "CLOSEDATE", (today + 7) * DAY_S);
    }
    if (x->w == DEAL || x->w == LEAD)
        put_code(x, x->w == LEAD ? "STATUS_ID" : "STAGE_ID", stage);
}

/* ---- the methods ---- */

static enum api_error end(struct write *x, enum api_error e)
{
    struct err at_commit;

    if (store_commit(x->store, &at_commit) < 0) {
        x->err = at_commit;
        x->broken = true;
    }
    veils_draw(&x->store->veils, x->store->crm, clock_mono_ms());
    arena_fini(&x->arena);
    return x->broken ? call_broken(&x->err) : e;
}

static bool begin(struct write *x, struct call *c, enum which w, const json_t *fields, enum write_manner how)
{
    *x = (struct write){ .call = c,
        .store = &c->portal->store,
        .w = w,
        .fields = fields,
        .how = how,
        .now_s = (int64_t)(clock_wall_ms() / 1000) };
    veils_lift(&x->store->veils, x->store->crm);
    x->broken = store_begin(x->store, &x->err) < 0;
    return !x->broken;
}

/* What is wrong with it before anything is done. */
static enum api_error check(const struct write *x)
{
    const json_t *mails = sent(x, "EMAIL"), *currency = sent(x, "CURRENCY_ID");
    char room[40];

    if (x->w == CONTACT && x->how == WRITE_CLASSIC && x->adding && mails != NULL &&
        !write_comm_mails_fine(mails))
        return API_EMAIL;
    if (currency != NULL && attr_named(x, "CURRENCY_ID") != NULL && params_text(currency, room).n > 0 &&
        !write_currency_known(params_text(currency, room)))
        return API_CURRENCY;
    return API_OK;
}

enum api_error write_add(
    struct call *c, enum which w, const json_t *fields, enum write_manner how, uint32_t *ret_n)
{
    struct write x;

    if (!begin(&x, c, w, fields, how))
        return end(&x, API_OK);
    x.adding = true;
    enum api_error e = check(&x);
    if (e != API_OK)
        return end(&x, e);
    if (store_create_bare(x.store, w, x.now_s, &x.n, &x.err) < 0) {
        x.broken = true;
        return end(&x, API_OK);
    }
    put_defaults(&x);
    put_beginnings(&x);
    e = write_sent(&x);
    put_title(&x);
    follow_stage(&x);
    *ret_n = x.n;
    return end(&x, e);
}

enum api_error write_update(
    struct call *c, enum which w, uint32_t n, const json_t *fields, enum write_manner how)
{
    const bool lenient = how == WRITE_CLASSIC && !portal_has(c->portal, QUIRK_UNCHANGED_SILENT);
    struct write x;

    if (!begin(&x, c, w, fields, how))
        return end(&x, API_OK);
    x.n = n;
    enum api_error e = check(&x);
    if (e == API_OK)
        e = write_sent(&x);
    if (x.changed || (lenient && e == API_OK))
        put_code(&x, "MODIFY_BY_ID", "1");
    if (x.staged)
        follow_stage(&x);
    return end(&x, e);
}

enum api_error write_delete(struct call *c, enum which w, uint32_t n)
{
    struct write x;

    if (!begin(&x, c, w, NULL, WRITE_CLASSIC))
        return end(&x, API_OK);
    x.broken = store_flag(x.store, w, n, x.store->crm[w].flags[n] | RECORD_DELETED, &x.err) < 0;
    return end(&x, API_OK);
}
