#include "write_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/links.h"
#include "params.h"
#include "render.h"
#include "data/wire_value.h"
#include "write_comm.h"
#include "write_value.h"

#define VALUE_BYTES (16u << 20)

/* Printed alike, the same: lists and structures too. */
static bool is_same(struct write *x, const struct attr *a, struct str text)
{
    const struct wire wire = { .get = true };
    struct value now, then = { 0 };
    struct buf was, is;

    write_read(x, a, &now);
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

    write_read(x, a, &v);
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
        write_store(x, a, buf_view(&text));
        x->changed = true;
        if (strcmp(a->name, "PHONE") == 0 || strcmp(a->name, "EMAIL") == 0)
            write_put_code(
                x, a->name[0] == 'P' ? "HAS_PHONE" : "HAS_EMAIL", json_array_size(rows) > 0 ? "Y" : "N");
    }
    buf_fini(&text);
    json_decref(rows);
}

static bool may_write(const struct write *x, const struct attr *a)
{
    if (a->place == 0 || a->flags & (ATTR_READ_ONLY | ATTR_LOCKED | ATTR_UNSEEN))
        return false;
    return x->adding || x->how != WRITE_CLASSIC || !(a->flags & ATTR_IMMUTABLE);
}

static void note_stage(struct write *x, const struct attr *a)
{
    struct value v;

    write_read(x, a, &v);
    if (!x->staged && v.kind == VALUE_TEXT)
        x->previous = arena_copy(&x->arena, v.text).p;
    x->staged = true;
}

/* A code that the dictionary does not have; classic methods keep it as it is. */
static bool is_strange(const struct write *x, const struct attr *a, const json_t *given)
{
    char room[40], id[64];

    if (x->how == WRITE_CLASSIC || a->dictionary == NULL || a->flags & ATTR_MULTIPLE ||
        params_is_array(given))
        return false;
    snprintf(id, sizeof(id), STR_FMT, STR_ARG(params_text(given, room)));
    return id[0] != '\0' && write_status(a->dictionary, id) == NULL;
}

static uint32_t file_number(const struct write *x, const struct attr *a)
{
    return 500000 + x->store->crm[x->w].ids[x->n] * 10 + (uint32_t)a->place % 10;
}

static void write_one(struct write *x, const struct attr *a, const json_t *given)
{
    struct buf text;

    if (attr_is_multifield(a)) {
        write_rows(x, a, given);
        return;
    }
    buf_init(&text, VALUE_BYTES);
    (void)write_value(&text, a, given, file_number(x, a)); /* judged before */
    if (!is_same(x, a, buf_view(&text))) {
        x->changed = true;
        if (a->facet == FACET_STAGE && a->dictionary != NULL)
            note_stage(x, a);
        x->refunnelled |= strcmp(a->name, "CATEGORY_ID") == 0;
        write_store(x, a, buf_view(&text));
    }
    buf_fini(&text);
}

/* CONTACT_IDS, COMPANY_IDS: the links of the record, the first of them primary. */
static void write_links(struct write *x, const struct attr *a, const json_t *given)
{
    const enum which target = strcmp(a->type->name, "crm_company") == 0 ? COMPANY : CONTACT;
    struct params_walk walk = { .of = (json_t *)given };
    int64_t ids[100];
    const char *key;
    json_t *one;
    int count = 0;
    char first[32] = "";

    while (count < (int)ARRAY_SIZE(ids) && params_next(&walk, &key, &one)) {
        if (!params_is_array(one) && params_int(one) > 0)
            ids[count++] = params_int(one);
    }
    json_t *rows = links_of_ids(ids, count, target);
    if (!x->broken && links_keep(x->store, x->w, x->n, target, rows, &x->err) < 0)
        x->broken = true;
    json_decref(rows);
    if (count > 0)
        snprintf(first, sizeof(first), "\"%lld\"", (long long)ids[0]);
    if (x->w != COMPANY)
        write_put(x, links_id(target), first);
    x->changed = true;
}

static bool is_links(const struct attr *a)
{
    return a->flags & ATTR_UNSEEN && !(a->flags & ATTR_ITEM) && a->flags & ATTR_MULTIPLE && a->type->link;
}

static void write_sent(struct write *x)
{
    struct params_walk walk = { .of = (json_t *)x->fields };
    const char *key;
    json_t *given;

    while (params_next(&walk, &key, &given)) {
        const struct attr *a = write_attr(x, key);
        if (a != NULL && is_links(a) && params_is_array(given))
            write_links(x, a, given);
        else if (a != NULL && may_write(x, a))
            write_one(x, a, given);
    }
}

/* ---- what is wrong with it, before anything is done ---- */

/* "" clears a multiple field as an empty list does. */
static bool is_no_list(const json_t *given)
{
    char room[40];

    return !params_is_array(given) && params_text(given, room).n > 0;
}

static enum api_error say_no_list(const struct write *x, const json_t *given)
{
    const char *type = json_is_string(given)    ? "string"
                       : json_is_integer(given) ? "integer"
                       : json_is_real(given)    ? "double"
                                                : "boolean";

    return call_refuse(
        x->call, API_NOT_ITERABLE, "Expected iterable value for multiple field, but got `%s` instead", type);
}

static enum api_error judge_one(const struct write *x, const struct attr *a, const json_t *given)
{
    struct buf text;

    buf_init(&text, VALUE_BYTES);
    enum write_verdict verdict = write_value(&text, a, given, 1);
    buf_fini(&text);
    if (verdict == WRITE_UNKNOWN_CURRENCY)
        return API_CURRENCY;
    if (x->how == WRITE_CLASSIC || (verdict == WRITE_FINE && !is_strange(x, a, given)))
        return API_OK;
    return call_refuse(x->call, API_VALUE_NOT_VALID, "Invalid value for field \"%s\"", a->name);
}

/* Contacts and companies are looked at, each in words of its own. */
static enum api_error judge_mails(const struct write *x)
{
    const json_t *mails = write_sent_value(x, "EMAIL");

    if (x->how != WRITE_CLASSIC || (x->w != CONTACT && x->w != COMPANY) || mails == NULL ||
        write_comm_mails_fine(mails))
        return API_OK;
    return x->w == CONTACT ? API_EMAIL : API_EMAIL_COMPANY;
}

static enum api_error judge(const struct write *x)
{
    struct params_walk walk = { .of = (json_t *)x->fields };
    enum api_error e = judge_mails(x);
    const char *key;
    json_t *given;

    while (e == API_OK && params_next(&walk, &key, &given)) {
        const struct attr *a = write_attr(x, key);
        if (a == NULL || attr_is_multifield(a) || !(may_write(x, a) || is_links(a)))
            continue;
        if (x->how != WRITE_CLASSIC && a->flags & ATTR_MULTIPLE && is_no_list(given))
            e = say_no_list(x, given);
        else if (!is_links(a))
            e = judge_one(x, a, given);
    }
    if (e == API_OK && x->how == WRITE_IMPORT)
        e = write_judge_history(x);
    return e;
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

/* Contacts and companies may be imported by the classic methods too. What they say of times that cannot be is
 * told nowhere: they are dropped like other garbage. */
static bool is_imported(const struct write *x)
{
    const json_t *params = params_get(x->call->params, "params");
    const json_t *flag = params_is_array(params) ? params_get(params, "IMPORT") : NULL;
    char room[40];

    return x->how == WRITE_CLASSIC && (x->w == CONTACT || x->w == COMPANY) && flag != NULL &&
           str_case_eq(params_text(flag, room), STR("Y")) && write_judge_history(x) == API_OK;
}

enum api_error write_add(
    struct call *c, enum which w, const json_t *fields, enum write_manner how, uint32_t *ret_n)
{
    struct write x;

    if (!begin(&x, c, w, fields, how))
        return end(&x, API_OK);
    x.adding = true;
    enum api_error e = judge(&x);
    if (e != API_OK)
        return end(&x, e);
    const bool imported = is_imported(&x); /* judged before the record is there */
    if (store_make(x.store, w, true, x.now_s, &x.n, &x.err) < 0) {
        x.broken = true;
        return end(&x, API_OK);
    }
    write_put_defaults(&x);
    write_sent(&x);
    write_put_title(&x);
    write_follow_stage(&x);
    if (how == WRITE_IMPORT || imported)
        write_history(&x);
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
    enum api_error e = judge(&x);
    if (e == API_OK)
        write_sent(&x);
    if (x.changed || (lenient && e == API_OK)) {
        write_put_code(&x, "MODIFY_BY_ID", "1");
        write_put_code(&x, "UPDATED_BY", "1");
    }
    if (x.refunnelled && !x.staged && w == DEAL) { /* it begins anew there */
        char stage[24];
        write_first_stage(&x, stage);
        write_put_code(&x, "STAGE_ID", stage);
        x.staged = true;
    }
    if (x.staged)
        write_follow_stage(&x);
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
