#include "links.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "record.h"
#include "store.h"

static int failed(struct store *s, struct err *err)
{
    return err_code(err, ERR_CONF, sqlite3_errcode(s->db), "data file: %s", sqlite3_errmsg(s->db));
}

static void make_key(
    const struct store *s, enum which owner, uint32_t n, enum which target, char ret[static 40])
{
    snprintf(ret, 40, "%d:%u:%d", owner, s->crm[owner].ids[n], target);
}

const char *links_id(enum which target)
{
    return target == COMPANY ? "COMPANY_ID" : "CONTACT_ID";
}

int64_t links_primary(const json_t *rows, enum which target)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        if (strcmp(json_string_value(json_object_get(row, "IS_PRIMARY")), "Y") == 0)
            return json_integer_value(json_object_get(row, links_id(target)));
    }
    return 0;
}

static void add_row(json_t *rows, enum which target, int64_t id)
{
    json_array_append_new(rows, json_pack("{s:I, s:i, s:i, s:s}", links_id(target), (json_int_t)id, "SORT",
                                    10, "ROLE_ID", 0, "IS_PRIMARY", "Y"));
}

static int64_t link_of(const struct store *s, enum which w, uint32_t n, const char *name)
{
    const struct attr *a = attr_find(&s->crm[w].attrs, str_of(name));
    struct arena arena = { 0 };
    struct record r;
    struct value v = { 0 };

    record_open(&r, s, w, n, &arena);
    if (a != NULL)
        record_value(&r, a, &v);
    arena_fini(&arena);
    return v.kind == VALUE_INT ? v.i : 0;
}

/* Each of them has this company for its first: several rows are primary, as has been seen on a portal (facts
 * section 8). */
static void add_members(const struct store *s, json_t *rows, uint32_t company)
{
    const struct crm *c = &s->crm[CONTACT];

    for (uint32_t n = 0; n < c->count; n++) {
        if (c->flags[n] == 0 && link_of(s, CONTACT, n, "COMPANY_ID") == company)
            add_row(rows, CONTACT, c->ids[n]);
    }
}

void links_set_primary(json_t *rows, enum which target, int64_t id)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        const bool is = json_integer_value(json_object_get(row, links_id(target))) == id;
        json_object_set_new(row, "IS_PRIMARY", json_string(is ? "Y" : "N"));
    }
}

json_t *links_of_ids(const int64_t *ids, int count, enum which target)
{
    json_t *rows = json_array();

    for (int i = 0; i < count; i++)
        json_array_append_new(
            rows, json_pack("{s:I, s:i, s:i, s:s}", links_id(target), (json_int_t)ids[i], "SORT",
                      (i + 1) * 10, "ROLE_ID", 0, "IS_PRIMARY", i == 0 ? "Y" : "N"));
    return rows;
}

/* The record names another first one since: it is that. */
static json_t *follow_record(json_t *rows, enum which target, int64_t id)
{
    bool there = id == 0;

    if (id == links_primary(rows, target))
        return rows;
    if (id == 0)
        json_array_clear(rows);
    for (size_t i = 0; i < json_array_size(rows); i++)
        there |= json_integer_value(json_object_get(json_array_get(rows, i), links_id(target))) == id;
    if (!there)
        add_row(rows, target, id);
    links_set_primary(rows, target, id);
    return rows;
}

json_t *links_rows(const struct store *s, enum which owner, uint32_t n, enum which target)
{
    char key[40];

    make_key(s, owner, n, target, key);
    const json_t *kept = json_object_get(s->links, key);
    if (kept != NULL && owner == COMPANY)
        return json_deep_copy(kept);
    if (kept != NULL)
        return follow_record(json_deep_copy(kept), target, link_of(s, owner, n, links_id(target)));
    json_t *rows = json_array();
    if (owner == COMPANY) {
        add_members(s, rows, s->crm[COMPANY].ids[n]);
    } else {
        const int64_t id = link_of(s, owner, n, links_id(target));
        if (id > 0)
            add_row(rows, target, id);
    }
    return rows;
}

int links_keep(
    struct store *s, enum which owner, uint32_t n, enum which target, json_t *rows, struct err *err)
{
    char key[40], *text = json_dumps(rows, JSON_COMPACT);
    sqlite3_stmt *st;

    make_key(s, owner, n, target, key);
    json_object_set(s->links, key, rows);
    int code = sqlite3_prepare_v2(s->db, "INSERT OR REPLACE INTO link VALUES (?1, ?2)", -1, &st, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
        sqlite3_bind_text(st, 2, text, -1, SQLITE_STATIC);
        code = sqlite3_step(st);
        sqlite3_finalize(st);
    }
    free(text);
    return code == SQLITE_DONE ? 0 : failed(s, err);
}

int links_load(struct store *s, struct err *err)
{
    sqlite3_stmt *st;
    int code;

    s->links = json_object();
    if (sqlite3_exec(s->db, "CREATE TABLE IF NOT EXISTS link (key TEXT PRIMARY KEY, rows TEXT) WITHOUT ROWID",
            NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(s->db, "SELECT key, rows FROM link", -1, &st, NULL) != SQLITE_OK)
        return failed(s, err);
    while ((code = sqlite3_step(st)) == SQLITE_ROW)
        json_object_set_new(s->links, (const char *)sqlite3_column_text(st, 0),
            json_loads((const char *)sqlite3_column_text(st, 1), 0, NULL));
    sqlite3_finalize(st);
    return code == SQLITE_DONE ? 0 : failed(s, err);
}
