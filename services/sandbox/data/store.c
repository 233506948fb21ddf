#include "store.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "base/mem.h"
#include "field_edit.h"
#include "hash.h"
#include "links.h"
#include "record.h"

enum { ST_BEGIN, ST_COMMIT, ST_META, ST_PATCH, ST_VALUE, ST_FLAG, ST_MADE, ST_FIELD, ST_FORGET, STATEMENTS };

static const char schema[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS made (crm INTEGER, n INTEGER, id INTEGER, PRIMARY KEY (crm, n)) WITHOUT "
    "ROWID;"
    "CREATE TABLE IF NOT EXISTS patch (crm INTEGER, n INTEGER, version BLOB, created_s INTEGER, modified_s "
    "INTEGER,"
    " moved_s INTEGER, PRIMARY KEY (crm, n)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS value (crm INTEGER, n INTEGER, attr TEXT, raw TEXT, PRIMARY KEY (crm, n, "
    "attr))"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS flag (crm INTEGER, n INTEGER, flags INTEGER, PRIMARY KEY (crm, n)) WITHOUT "
    "ROWID;"
    "CREATE TABLE IF NOT EXISTS field_edit (no INTEGER PRIMARY KEY, crm INTEGER, what TEXT, name TEXT, json "
    "TEXT);";

static const char *const statement_text[STATEMENTS] = {
    [ST_BEGIN] = "BEGIN IMMEDIATE",
    [ST_COMMIT] = "COMMIT",
    [ST_META] = "INSERT OR REPLACE INTO meta VALUES (?1, ?2)",
    [ST_PATCH] = "INSERT OR REPLACE INTO patch VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [ST_VALUE] = "INSERT OR REPLACE INTO value VALUES (?1, ?2, ?3, ?4)",
    [ST_FLAG] = "INSERT OR REPLACE INTO flag VALUES (?1, ?2, ?3)",
    [ST_MADE] = "INSERT INTO made VALUES (?1, ?2, ?3)",
    [ST_FIELD] = "INSERT INTO field_edit (crm, what, name, json) VALUES (?1, ?2, ?3, ?4)",
    [ST_FORGET] = "DELETE FROM value WHERE crm = ?1 AND attr = ?2",
};

static int db_error(struct store *s, struct err *err)
{
    return err_code(err, ERR_CONF, sqlite3_errcode(s->db), "data file: %s", sqlite3_errmsg(s->db));
}

static int run(struct store *s, int which, struct err *err)
{
    sqlite3_stmt *st = s->statements[which];
    const int code = sqlite3_step(st);

    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return code == SQLITE_DONE || code == SQLITE_ROW ? 0 : db_error(s, err);
}

/* A file row that names a record or a field this store does not have is of no use: skipped. */
static bool row_place(struct store *s, sqlite3_stmt *st, struct crm **ret, uint32_t *ret_n)
{
    const int64_t w = sqlite3_column_int64(st, 0), n = sqlite3_column_int64(st, 1);

    if (w < 0 || w >= KINDS || n < 0 || n >= s->crm[w].count)
        return false;
    *ret = &s->crm[w];
    *ret_n = (uint32_t)n;
    return true;
}

static void load_made(struct store *s, sqlite3_stmt *st)
{
    const int64_t w = sqlite3_column_int64(st, 0);

    if (w >= 0 && w < KINDS)
        crm_append(&s->crm[w], (uint32_t)sqlite3_column_int64(st, 2));
}

/* It could be done once, so it can be done again. */
static void load_edit(struct store *s, sqlite3_stmt *st)
{
    const int64_t w = sqlite3_column_int64(st, 0);
    const char *what = (const char *)sqlite3_column_text(st, 1),
               *name = (const char *)sqlite3_column_text(st, 2);
    struct err ignored;

    if (w >= 0 && w < KINDS && what != NULL && name != NULL)
        (void)!field_edit(
            &s->crm[w], str_of(what), name, str_of((const char *)sqlite3_column_text(st, 3)), &ignored);
}

static void load_patch(struct store *s, sqlite3_stmt *st)
{
    struct crm *c;
    uint32_t n;

    if (!row_place(s, st, &c, &n))
        return;
    struct patch *p = crm_patch(c, n);
    if (sqlite3_column_bytes(st, 2) == FACETS)
        memcpy(p->version, sqlite3_column_blob(st, 2), FACETS);
    p->created_s = sqlite3_column_int64(st, 3);
    p->modified_s = sqlite3_column_int64(st, 4);
    p->moved_s = sqlite3_column_int64(st, 5);
}

static void load_value(struct store *s, sqlite3_stmt *st)
{
    struct crm *c;
    uint32_t n;

    if (!row_place(s, st, &c, &n))
        return;
    const struct attr *a = attr_find(&c->attrs, str_of((const char *)sqlite3_column_text(st, 2)));
    if (a != NULL)
        patch_set(crm_patch(c, n), a, str_of((const char *)sqlite3_column_text(st, 3)));
}

static void load_flag(struct store *s, sqlite3_stmt *st)
{
    struct crm *c;
    uint32_t n;

    if (row_place(s, st, &c, &n))
        crm_flag(c, n, (uint8_t)sqlite3_column_int(st, 2));
}

static void load_changes(struct store *s, sqlite3_stmt *st)
{
    s->changes = (uint64_t)sqlite3_column_int64(st, 0);
}

static const struct {
    const char *sql;
    void (*row)(struct store *s, sqlite3_stmt *st);
} loads[] = {
    /* in this order: later ones name what earlier ones made */
    { "SELECT crm, n, id FROM made ORDER BY crm, n", load_made },
    { "SELECT crm, what, name, json FROM field_edit ORDER BY no", load_edit },
    { "SELECT crm, n, version, created_s, modified_s, moved_s FROM patch", load_patch },
    { "SELECT crm, n, attr, raw FROM value", load_value },
    { "SELECT crm, n, flags FROM flag", load_flag },
    { "SELECT value FROM meta WHERE name = 'changes'", load_changes },
};

static int load(struct store *s, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(loads); i++) {
        sqlite3_stmt *st;
        int code;
        if (sqlite3_prepare_v2(s->db, loads[i].sql, -1, &st, NULL) != SQLITE_OK)
            return db_error(s, err);
        while ((code = sqlite3_step(st)) == SQLITE_ROW)
            loads[i].row(s, st);
        sqlite3_finalize(st);
        if (code != SQLITE_DONE)
            return db_error(s, err);
    }
    return 0;
}

static int keep_meta(struct store *s, const char *name, int64_t value, struct err *err)
{
    sqlite3_bind_text(s->statements[ST_META], 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s->statements[ST_META], 2, value);
    return run(s, ST_META, err);
}

/* The file belongs to one base: another seed or size would give its changes to other records. */
static int check_meta(struct store *s, const char *name, int64_t value, struct err *err)
{
    sqlite3_stmt *st;
    int64_t kept = value;

    if (sqlite3_prepare_v2(s->db, "SELECT value FROM meta WHERE name = ?1", -1, &st, NULL) != SQLITE_OK)
        return db_error(s, err);
    sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
    const int code = sqlite3_step(st);
    if (code == SQLITE_ROW)
        kept = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    if (code == SQLITE_ROW && kept != value)
        return err_set(err, ERR_CONF,
            "the data file was made with --%s %lld, not %lld: use the same or another file", name,
            (long long)kept, (long long)value);
    return code == SQLITE_DONE ? keep_meta(s, name, value, err) : 0;
}

static int open_file(struct store *s, const struct store_options *o, struct err *err)
{
    if (sqlite3_open(o->path ? o->path : ":memory:", &s->db) != SQLITE_OK)
        return db_error(s, err);
    sqlite3_busy_timeout(s->db, 1000);
    if (sqlite3_exec(s->db, schema, NULL, NULL, NULL) != SQLITE_OK)
        return db_error(s, err);
    for (int i = 0; i < STATEMENTS; i++) {
        if (sqlite3_prepare_v2(s->db, statement_text[i], -1, &s->statements[i], NULL) != SQLITE_OK)
            return db_error(s, err);
    }
    if (check_meta(s, "seed", (int64_t)o->seed, err) < 0)
        return -1;
    for (int w = 0; w < KINDS; w++) {
        if (check_meta(s, WHICH[w].plural, o->counts[w], err) < 0)
            return -1;
    }
    return 0;
}

int store_open(struct store *ret, const struct store_options *o, struct err *err)
{
    struct store s = { .seed = o->seed, .bare_bindings = o->bare_bindings };

    static_assert(ARRAY_SIZE(s.statements) == STATEMENTS, "room for each statement");
    if (open_file(&s, o, err) < 0) {
        store_close(&s);
        return -1;
    }
    for (unsigned w = 0; w < KINDS; w++)
        crm_init(&s.crm[w], w, o->seed, o->counts[w]);
    if (load(&s, err) < 0 || links_load(&s, err) < 0) {
        store_close(&s);
        return -1;
    }
    *ret = s;
    return 0;
}

void store_close(struct store *s)
{
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(s->statements[i]);
    sqlite3_close(s->db);
    veils_lift(&s->veils, s->crm);
    veils_fini(&s->veils);
    for (int w = 0; w < KINDS; w++)
        crm_fini(&s->crm[w]);
    journal_fini(&s->journal);
    json_decref(s->links);
    *s = (struct store){ 0 };
}

int store_begin(struct store *s, struct err *err)
{
    return run(s, ST_BEGIN, err);
}

int store_commit(struct store *s, struct err *err)
{
    return run(s, ST_COMMIT, err);
}

static int keep_patch(struct store *s, enum which w, uint32_t n, const struct patch *p, struct err *err)
{
    sqlite3_stmt *st = s->statements[ST_PATCH];

    sqlite3_bind_int(st, 1, w);
    sqlite3_bind_int64(st, 2, n);
    sqlite3_bind_blob(st, 3, p->version, FACETS, SQLITE_STATIC);
    sqlite3_bind_int64(st, 4, p->created_s);
    sqlite3_bind_int64(st, 5, p->modified_s);
    sqlite3_bind_int64(st, 6, p->moved_s);
    return run(s, ST_PATCH, err);
}

int store_update(struct store *s, enum which w, uint32_t n, unsigned facets, int64_t now_s, struct err *err)
{
    journal_record(&s->journal, &s->crm[w], n, DEED_UPDATE, false);
    struct patch *p = crm_patch(&s->crm[w], n);

    for (unsigned f = 0; f < FACETS; f++)
        p->version[f] = (uint8_t)(p->version[f] + ((facets >> f) & 1));
    p->modified_s = now_s;
    if (facets & (1u << FACET_STAGE))
        p->moved_s = now_s;
    return keep_patch(s, w, n, p, err);
}

int store_set(struct store *s, enum which w, uint32_t n, const struct attr *a, struct str raw, int64_t now_s,
    struct err *err)
{
    sqlite3_stmt *st = s->statements[ST_VALUE];
    const bool funnel = w == DEAL && s->journal.on && strcmp(a->name, "CATEGORY_ID") == 0;
    const int64_t before = funnel ? record_funnel(s, n) : 0;

    journal_record(&s->journal, &s->crm[w], n, DEED_UPDATE, true);
    struct patch *p = crm_patch(&s->crm[w], n);
    patch_set(p, a, raw);
    p->modified_s = now_s;
    if (funnel && record_funnel(s, n) != before)
        journal_moved(&s->journal);
    sqlite3_bind_int(st, 1, w);
    sqlite3_bind_int64(st, 2, n);
    sqlite3_bind_text(st, 3, a->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 4, raw.p, (int)raw.n, SQLITE_STATIC);
    if (run(s, ST_VALUE, err) < 0)
        return -1;
    return keep_patch(s, w, n, p, err);
}

int store_make(struct store *s, enum which w, bool bare, int64_t now_s, uint32_t *ret_n, struct err *err)
{
    struct crm *c = &s->crm[w];
    const uint32_t last = c->count > 0 ? c->ids[c->count - 1] : 0;
    const uint32_t n = crm_append(c, last + 1 + (uint32_t)(hash_two(s->seed, c->count) % 3));
    struct patch *p = crm_patch(c, n);

    journal_record(&s->journal, c, n, DEED_ADD, false);
    p->version[FACET_FIXED] = bare ? PATCH_BARE : 0;
    p->created_s = p->modified_s = p->moved_s = now_s;
    sqlite3_bind_int(s->statements[ST_MADE], 1, w);
    sqlite3_bind_int64(s->statements[ST_MADE], 2, n);
    sqlite3_bind_int64(s->statements[ST_MADE], 3, c->ids[n]);
    if (run(s, ST_MADE, err) < 0 || keep_patch(s, w, n, p, err) < 0)
        return -1;
    *ret_n = n;
    return 0;
}

int store_moved(struct store *s, enum which w, uint32_t n, int64_t now_s, struct err *err)
{
    struct patch *p = crm_patch(&s->crm[w], n);

    p->moved_s = now_s;
    return keep_patch(s, w, n, p, err);
}

int store_date(struct store *s, enum which w, uint32_t n, int64_t created_s, int64_t modified_s,
    int64_t moved_s, struct err *err)
{
    struct patch *p = crm_patch(&s->crm[w], n);

    p->created_s = created_s;
    p->modified_s = modified_s;
    p->moved_s = moved_s;
    return keep_patch(s, w, n, p, err);
}

int store_flag(struct store *s, enum which w, uint32_t n, uint8_t flags, struct err *err)
{
    if (flags & ~s->crm[w].flags[n] & RECORD_DELETED)
        journal_record(&s->journal, &s->crm[w], n, DEED_DELETE, false);
    crm_flag(&s->crm[w], n, flags);
    sqlite3_bind_int(s->statements[ST_FLAG], 1, w);
    sqlite3_bind_int64(s->statements[ST_FLAG], 2, n);
    sqlite3_bind_int(s->statements[ST_FLAG], 3, flags);
    return run(s, ST_FLAG, err);
}

static int forget_values(struct store *s, enum which w, const char *name, struct err *err)
{
    sqlite3_bind_int(s->statements[ST_FORGET], 1, w);
    sqlite3_bind_text(s->statements[ST_FORGET], 2, name, -1, SQLITE_STATIC);
    return run(s, ST_FORGET, err);
}

static enum deed_kind deed_of(struct str what)
{
    if (str_is(what, "add"))
        return DEED_FIELD_ADD;
    if (str_is(what, "delete"))
        return DEED_FIELD_DELETE;
    return str_is(what, "items") ? DEED_FIELD_ITEMS : DEED_FIELD_UPDATE;
}

/* A deleted field's number is asked for before it goes, a new one's once it is there. */
static int edit_field(
    struct store *s, enum which w, struct str what, const char *name, struct str json, struct err *err)
{
    struct attr_list *attrs = &s->crm[w].attrs;
    const struct attr *a = attr_find(attrs, str_of(name));
    int id = a != NULL ? a->user_id : 0;

    veils_forget(&s->veils, w); /* old states may hold values of the field that is about to change */
    if (field_edit(&s->crm[w], what, name, json, err) < 0)
        return -1;
    a = attr_find(attrs, str_of(name));
    if (a != NULL)
        id = a->user_id;
    journal_field(&s->journal, w, (uint32_t)id, name, deed_of(what));
    return 0;
}

int store_edit_field(
    struct store *s, enum which w, struct str what, const char *name, struct str json, struct err *err)
{
    sqlite3_stmt *st = s->statements[ST_FIELD];

    if (edit_field(s, w, what, name, json, err) < 0)
        return -1;
    sqlite3_bind_int(st, 1, w);
    sqlite3_bind_text(st, 2, what.p, (int)what.n, SQLITE_STATIC);
    sqlite3_bind_text(st, 3, name, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 4, json.p, (int)json.n, SQLITE_STATIC);
    if (run(s, ST_FIELD, err) < 0)
        return -1;
    return str_is(what, "delete") ? forget_values(s, w, name, err) : 0;
}

int store_add_attr(struct store *s, enum which w, const char *name, struct str type, bool multiple,
    const struct attr **ret, struct err *err)
{
    char *json =
        xasprintf("{\"type\":\"" STR_FMT "\",\"multiple\":%s}", STR_ARG(type), multiple ? "true" : "false");
    int result = store_edit_field(s, w, STR("add"), name, str_of(json), err);

    free(json);
    *ret = attr_find(&s->crm[w].attrs, str_of(name));
    return result;
}

int store_keep_counter(struct store *s, struct err *err)
{
    return keep_meta(s, "changes", (int64_t)s->changes, err);
}
