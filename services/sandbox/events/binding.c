#include "binding.h"

#include <stdlib.h>

#include "base/mem.h"

#define FIRST_ID 201

static int failed(struct bindings *b, struct err *err)
{
    return err_code(err, ERR_CONF, sqlite3_errcode(b->db), "data file: %s", sqlite3_errmsg(b->db));
}

static struct binding *append(struct bindings *b, const struct binding *wanted)
{
    if (b->count == b->cap) {
        b->cap = b->cap * 2 + 16;
        b->list = xrealloc(b->list, (size_t)b->cap * sizeof(*b->list));
    }
    struct binding *ret = &b->list[b->count++];
    *ret = *wanted;
    ret->url = xstrdup(wanted->url);
    ret->connector = xstrdup(wanted->connector);
    if (ret->id == 0)
        ret->id = b->next_id;
    if (ret->id >= b->next_id)
        b->next_id = ret->id + 1;
    return ret;
}

static void remove_at(struct bindings *b, int i)
{
    free(b->list[i].url);
    free(b->list[i].connector);
    memmove(&b->list[i], &b->list[i + 1], (size_t)(b->count - i - 1) * sizeof(*b->list));
    b->count--;
}

static void load_row(struct bindings *b, sqlite3_stmt *st)
{
    struct binding one = { .id = sqlite3_column_int(st, 0), .app = true };

    one.code = event_of(str_of((const char *)sqlite3_column_text(st, 1)));
    one.url = (char *)sqlite3_column_text(st, 2);
    one.offline = sqlite3_column_int(st, 3);
    one.connector = (char *)sqlite3_column_text(st, 4);
    one.user = sqlite3_column_int64(st, 5);
    one.min_ms = (uint64_t)sqlite3_column_int64(st, 6);
    if (one.code != EVENT_NONE && one.url != NULL && one.connector != NULL)
        append(b, &one);
}

int bindings_open(struct bindings *ret, struct sqlite3 *db, struct err *err)
{
    sqlite3_stmt *st;
    int code;

    *ret = (struct bindings){ .db = db, .next_id = FIRST_ID };
    if (sqlite3_exec(db,
            "CREATE TABLE IF NOT EXISTS binding (id INTEGER PRIMARY KEY, event TEXT, url TEXT, offline "
            "INTEGER,"
            " connector TEXT, user INTEGER, min_ms INTEGER)",
            NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db,
            "SELECT id, event, url, offline, connector, user, min_ms FROM binding ORDER BY id", -1, &st,
            NULL) != SQLITE_OK)
        return failed(ret, err);
    while ((code = sqlite3_step(st)) == SQLITE_ROW)
        load_row(ret, st);
    sqlite3_finalize(st);
    return code == SQLITE_DONE ? 0 : failed(ret, err);
}

void bindings_close(struct bindings *b)
{
    while (b->count > 0)
        remove_at(b, b->count - 1);
    free(b->list);
    *b = (struct bindings){ 0 };
}

void bindings_add_given(struct bindings *b, const char *url, int code)
{
    append(b,
        &(struct binding){
            .app = code != EVENT_NONE, .code = code, .url = (char *)url, .connector = "", .min_ms = 1000 });
}

void bindings_drop_webhooks(struct bindings *b)
{
    for (int i = b->count; i-- > 0;) {
        if (!b->list[i].app)
            remove_at(b, i);
    }
}

static bool is_same(const struct binding *a, const struct binding *b)
{
    return a->app == b->app && a->offline == b->offline && a->code == b->code &&
           strcmp(a->url, b->url) == 0 && strcmp(a->connector, b->connector) == 0;
}

static int keep(struct bindings *b, const struct binding *one, struct err *err)
{
    sqlite3_stmt *st;

    if (sqlite3_prepare_v2(b->db, "INSERT INTO binding VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", -1, &st, NULL) !=
        SQLITE_OK)
        return failed(b, err);
    sqlite3_bind_int(st, 1, one->id);
    sqlite3_bind_text(st, 2, event_row(one->code)->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 3, one->url, -1, SQLITE_STATIC);
    sqlite3_bind_int(st, 4, one->offline);
    sqlite3_bind_text(st, 5, one->connector, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 6, one->user);
    sqlite3_bind_int64(st, 7, (int64_t)one->min_ms);
    const int code = sqlite3_step(st);
    sqlite3_finalize(st);
    return code == SQLITE_DONE ? 0 : failed(b, err);
}

int bindings_add(struct bindings *b, const struct binding *wanted, bool *ret_there, struct err *err)
{
    *ret_there = false;
    for (int i = 0; i < b->count; i++)
        *ret_there |= is_same(&b->list[i], wanted) && b->list[i].user == wanted->user;
    return *ret_there ? 0 : keep(b, append(b, wanted), err);
}

static int forget(struct bindings *b, int id, struct err *err)
{
    sqlite3_stmt *st;

    if (sqlite3_prepare_v2(b->db, "DELETE FROM binding WHERE id = ?1", -1, &st, NULL) != SQLITE_OK)
        return failed(b, err);
    sqlite3_bind_int(st, 1, id);
    const int code = sqlite3_step(st);
    sqlite3_finalize(st);
    return code == SQLITE_DONE ? 0 : failed(b, err);
}

static bool is_meant(const struct binding *b, const struct binding *wanted)
{
    return b->app == wanted->app && b->offline == wanted->offline &&
           (wanted->code == EVENT_NONE || b->code == wanted->code) &&
           (wanted->url == NULL || strcmp(b->url, wanted->url) == 0) &&
           (wanted->connector == NULL || strcmp(b->connector, wanted->connector) == 0) &&
           (wanted->user == BINDING_ANYBODY || b->user == wanted->user);
}

int bindings_drop(struct bindings *b, const struct binding *wanted, int *ret_count, struct err *err)
{
    *ret_count = 0;
    for (int i = b->count; i-- > 0;) {
        if (!is_meant(&b->list[i], wanted))
            continue;
        if (forget(b, b->list[i].id, err) < 0)
            return -1;
        remove_at(b, i);
        ++*ret_count;
    }
    return 0;
}

int bindings_drop_app(struct bindings *b, int keep_code, int keep_too, struct err *err)
{
    for (int i = b->count; i-- > 0;) {
        if (!b->list[i].app || b->list[i].code == keep_code || b->list[i].code == keep_too)
            continue;
        if (forget(b, b->list[i].id, err) < 0)
            return -1;
        remove_at(b, i);
    }
    return 0;
}

const struct binding *bindings_find(const struct bindings *b, int id)
{
    for (int i = 0; i < b->count; i++) {
        if (b->list[i].id == id)
            return &b->list[i];
    }
    return NULL;
}

bool binding_wants(const struct binding *b, int code)
{
    return b->code == code || (b->code == EVENT_NONE && !event_row(code)->app_only);
}
