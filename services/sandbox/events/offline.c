#include "offline.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/calendar.h"
#include "data/hash.h"
#include "methods/json_out.h"
#include "methods/params.h"

/* An object is its type and number: item 4 of one type is not item 4 of another. */
static const char schema[] = "CREATE TABLE IF NOT EXISTS offline_line (id INTEGER PRIMARY KEY AUTOINCREMENT, "
                             "connector TEXT, event TEXT,"
                             " type INTEGER, object INTEGER, members TEXT, message TEXT, at_s INTEGER, "
                             "process TEXT NOT NULL DEFAULT '',"
                             " error INTEGER NOT NULL DEFAULT 0, reserved_s INTEGER, UNIQUE (connector, "
                             "event, type, object, process))";

static int failed(struct offline *o, struct err *err)
{
    return err_code(err, ERR_CONF, sqlite3_errcode(o->db), "data file: %s", sqlite3_errmsg(o->db));
}

int offline_open(struct offline *ret, struct sqlite3 *db, uint64_t seed, struct err *err)
{
    *ret = (struct offline){ .db = db, .seed = seed };
    if (sqlite3_exec(db, schema, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db,
            "INSERT INTO offline_line (connector, event, type, object, members, message, at_s)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (connector, event, type, object, process)"
            " DO UPDATE SET at_s = excluded.at_s, members = excluded.members",
            -1, &ret->put, NULL) != SQLITE_OK)
        return failed(ret, err);
    return 0;
}

void offline_close(struct offline *o)
{
    sqlite3_finalize(o->put);
    *o = (struct offline){ 0 };
}

static void make_token(uint64_t a, uint64_t b, char ret[static OFFLINE_PROCESS])
{
    snprintf(ret, OFFLINE_PROCESS, "%016llx%016llx", (unsigned long long)hash_two(a, b),
        (unsigned long long)hash_two(b, a + 1));
}

static uint64_t hash_text(const char *s)
{
    uint64_t h = 0;

    while (*s != '\0')
        h = hash_two(h, (unsigned char)*s++);
    return h;
}

int offline_put(struct offline *o, const struct offline_line *line, int64_t now_s, struct err *err)
{
    const struct event_about *about = line->about;
    char message[OFFLINE_PROCESS];

    make_token(hash_two(hash_text(line->event), (uint64_t)about->type_id), about->id, message);
    sqlite3_bind_text(o->put, 1, line->connector, -1, SQLITE_STATIC);
    sqlite3_bind_text(o->put, 2, line->event, -1, SQLITE_STATIC);
    sqlite3_bind_int(o->put, 3, about->type_id);
    sqlite3_bind_int64(o->put, 4, (int64_t)about->id);
    sqlite3_bind_text(o->put, 5, about->json != NULL ? about->json : "", -1, SQLITE_STATIC);
    sqlite3_bind_text(o->put, 6, message, -1, SQLITE_STATIC);
    sqlite3_bind_int64(o->put, 7, now_s);
    const int code = sqlite3_step(o->put);
    sqlite3_reset(o->put);
    return code == SQLITE_DONE ? 0 : failed(o, err);
}

uint64_t offline_count(struct offline *o)
{
    sqlite3_stmt *st;
    uint64_t count = 0;

    if (sqlite3_prepare_v2(o->db, "SELECT count(*) FROM offline_line", -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        count = (uint64_t)sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return count;
}

/* ---- a question as SQL ---- */

static const struct column {
    const char *name, *sql;
    bool number, time;
} columns[] = {
    { "ID", "id", true, false },
    { "TIMESTAMP_X", "at_s", true, true },
    { "EVENT_NAME", "event", false, false },
    { "MESSAGE_ID", "message", false, false },
    { "PROCESS_ID", "process", false, false },
    { "ERROR", "error", true, false },
};

#define VALUES_MOST 5000
struct question {
    struct buf sql;
    struct {
        const struct column *column;
        const json_t *value;
    } values[VALUES_MOST];
    int count;
};

static const struct column *column_of(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        if (strcasecmp(name, columns[i].name) == 0)
            return &columns[i];
    }
    return NULL;
}

static void ask_value(struct question *q, const struct column *c, const json_t *value)
{
    if (q->count == VALUES_MOST) {
        q->sql.failed = true;
        return;
    }
    q->values[q->count].column = c;
    q->values[q->count++].value = value;
    buf_fmt(&q->sql, "?%d", q->count);
}

/* A list is "one of them", whatever the operator; "!" of a list: none of them. One value alone is a list of
 * one. */
static void ask_list(struct question *q, const struct column *c, json_t *list, bool none)
{
    struct params_walk walk = { .of = list };
    const char *key, *comma = "";
    json_t *value;

    buf_fmt(&q->sql, " AND %s %sIN (", c->sql, none ? "NOT " : "");
    if (!params_is_array(list))
        ask_value(q, c, list);
    while (params_next(&walk, &key, &value)) {
        buf_str(&q->sql, comma);
        ask_value(q, c, value);
        comma = ", ";
    }
    buf_char(&q->sql, ')');
}

static void ask_filter(struct question *q, const json_t *filter)
{
    static const struct {
        const char *text, *sql;
    } operators[] = { { ">=", ">=" }, { "<=", "<=" }, { "!=", "<>" }, { ">", ">" }, { "<", "<" },
        { "!", "<>" }, { "=", "=" }, { "@", "=" }, { "", "=" } };
    struct params_walk walk = { .of = (json_t *)filter };
    const char *key;
    json_t *value;

    while (json_is_object(filter) && params_next(&walk, &key, &value)) {
        size_t op = 0;
        while (strncmp(key, operators[op].text, strlen(operators[op].text)) != 0)
            op++;
        const struct column *c = column_of(key + strlen(operators[op].text));
        if (c == NULL)
            continue;
        if (params_is_array(value)) {
            ask_list(q, c, value, strcmp(operators[op].sql, "<>") == 0);
            continue;
        }
        buf_fmt(&q->sql, " AND %s %s ", c->sql, operators[op].sql);
        ask_value(q, c, value);
    }
}

static void ask_order(struct question *q, const json_t *order, const char *fallback)
{
    struct params_walk walk = { .of = (json_t *)order };
    const char *key, *comma = " ORDER BY ";
    char room[40];
    json_t *value;

    while (json_is_object(order) && params_next(&walk, &key, &value)) {
        const struct column *c = column_of(key);
        if (c == NULL)
            continue;
        buf_fmt(&q->sql, "%s%s%s", comma, c->sql,
            str_case_eq(params_text(value, room), STR("desc")) ? " DESC" : "");
        comma = ", ";
    }
    buf_fmt(&q->sql, "%s%s", comma, fallback);
}

static void bind_value(sqlite3_stmt *st, int at, const struct column *c, const json_t *value)
{
    char room[40];
    const struct str text = params_text(value, room);
    int64_t unix_s, days;

    if (c->time && calendar_parse(text, &unix_s, &days))
        sqlite3_bind_int64(st, at, unix_s);
    else if (c->number)
        sqlite3_bind_int64(st, at, params_int(value));
    else
        sqlite3_bind_text(st, at, text.p, (int)text.n, SQLITE_TRANSIENT);
}

static sqlite3_stmt *prepare(struct offline *o, struct question *q, struct err *err)
{
    sqlite3_stmt *st = NULL;

    if (q->sql.failed)
        err_set(err, ERR_LIMIT, "more than %d values", VALUES_MOST);
    else if (sqlite3_prepare_v2(o->db, buf_cstr(&q->sql), -1, &st, NULL) != SQLITE_OK)
        failed(o, err);
    for (int i = 0; st != NULL && i < q->count; i++)
        bind_value(st, i + 1, q->values[i].column, q->values[i].value);
    buf_fini(&q->sql);
    return st;
}

static int finish(struct offline *o, sqlite3_stmt *st, struct err *err)
{
    if (st == NULL)
        return -1;
    const int code = sqlite3_step(st);
    sqlite3_finalize(st);
    return code == SQLITE_DONE ? 0 : failed(o, err);
}

/* "ONCRMDEAL" of "ONCRMDEALUPDATE". */
static int stem_of(const char *event)
{
    static const char *const ends[] = { "ADD", "UPDATE", "DELETE", "MOVETOCATEGORY" };
    const size_t n = strlen(event);

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        const size_t end = strlen(ends[i]);
        if (n > end && strcmp(event + n - end, ends[i]) == 0)
            return (int)(n - end);
    }
    return (int)n;
}

int offline_merge(struct offline *o, const struct offline_line *line, struct err *err)
{
    sqlite3_stmt *st;

    if (sqlite3_prepare_v2(o->db,
            "DELETE FROM offline_line WHERE connector = ?1 AND object = ?2 AND process = '' AND event <> ?3"
            " AND type = ?5 AND event IN (?4 || 'ADD', ?4 || 'UPDATE', ?4 || 'DELETE', ?4 || "
            "'MOVETOCATEGORY')",
            -1, &st, NULL) != SQLITE_OK)
        return failed(o, err);
    sqlite3_bind_text(st, 1, line->connector, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 2, (int64_t)line->about->id);
    sqlite3_bind_text(st, 3, line->event, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 4, line->event, stem_of(line->event), SQLITE_STATIC);
    sqlite3_bind_int(st, 5, line->about->type_id);
    return finish(o, st, err);
}

/* The texts are a JSON tree of their own: a question holds views of them. */
static json_t *text_of(const char *s)
{
    return json_string_nocheck(s);
}

static void begin(struct question *q, const char *sql)
{
    q->count = 0;
    buf_init(&q->sql, 1 << 20);
    buf_str(&q->sql, sql);
}

/* ---- what is done ---- */

static int drop_old(struct offline *o, int64_t now_s, struct err *err)
{
    sqlite3_stmt *st;

    if (sqlite3_prepare_v2(o->db, "DELETE FROM offline_line WHERE reserved_s < ?1", -1, &st, NULL) !=
        SQLITE_OK)
        return failed(o, err);
    sqlite3_bind_int64(st, 1, now_s - OFFLINE_KEEP_S);
    return finish(o, st, err);
}

/* Of failed lines of one object from several reservations one is left. */
int offline_reserve(struct offline *o, const struct offline_ask *ask, int64_t now_s,
    char ret_process[static OFFLINE_PROCESS], struct err *err)
{
    struct question q;
    json_t *process, *connector = text_of(ask->connector);

    if (drop_old(o, now_s, err) < 0) {
        json_decref(connector);
        return -1;
    }
    make_token(hash_two(o->seed, (uint64_t)now_s), o->serial++, ret_process);
    process = text_of(ret_process);
    begin(&q, "UPDATE OR REPLACE offline_line SET process = ");
    ask_value(&q, column_of("PROCESS_ID"), process);
    buf_fmt(&q.sql,
        ", reserved_s = %lld WHERE id IN (SELECT id FROM offline_line WHERE error = %d%s AND connector = ",
        (long long)now_s, ask->error, ask->error ? "" : " AND process = ''");
    ask_value(&q, column_of("PROCESS_ID"), connector);
    ask_filter(&q, ask->filter);
    ask_order(&q, ask->order, "at_s, id");
    buf_fmt(&q.sql, " LIMIT %lld)", (long long)ask->limit);
    const int result = finish(o, prepare(o, &q, err), err);
    json_decref(process);
    json_decref(connector);
    return result;
}

static void out_line(struct buf *out, sqlite3_stmt *st, bool whole, bool data_false)
{
    char time[CALENDAR_ISO];

    calendar_iso(sqlite3_column_int64(st, 1), time);
    buf_fmt(out,
        "{\"ID\":\"%lld\",\"TIMESTAMP_X\":\"%.*s\",\"EVENT_NAME\":", (long long)sqlite3_column_int64(st, 0),
        CALENDAR_ISO, time);
    json_out_cstr(out, (const char *)sqlite3_column_text(st, 2));
    if (data_false || sqlite3_column_int64(st, 3) == 0)
        buf_str(out, ",\"EVENT_DATA\":false");
    else
        buf_fmt(out, ",\"EVENT_DATA\":{\"FIELDS\":{\"ID\":%lld%s}}", (long long)sqlite3_column_int64(st, 3),
            (const char *)sqlite3_column_text(st, 7));
    buf_fmt(
        out, ",\"EVENT_ADDITIONAL\":false,\"MESSAGE_ID\":\"%s\"", (const char *)sqlite3_column_text(st, 4));
    if (whole)
        buf_fmt(out, ",\"PROCESS_ID\":\"%s\",\"ERROR\":\"%d\"", (const char *)sqlite3_column_text(st, 5),
            sqlite3_column_int(st, 6));
    buf_char(out, '}');
}

int offline_print(struct offline *o, const struct offline_ask *ask, const char *process, bool whole,
    struct buf *out, uint64_t *ret_total, struct err *err)
{
    json_t *which = text_of(process ? process : ""), *connector = text_of(ask->connector);
    struct question q;
    int code = SQLITE_DONE;
    int64_t row = 0;

    begin(&q, "SELECT id, at_s, event, object, message, process, error, members FROM offline_line WHERE "
              "connector = ");
    ask_value(&q, column_of("PROCESS_ID"), connector);
    if (process != NULL) {
        buf_fmt(&q.sql, " AND error = %d AND process = ", ask->error);
        ask_value(&q, column_of("PROCESS_ID"), which);
    }
    ask_filter(&q, ask->filter);
    ask_order(&q, ask->order, whole ? "id" : "at_s, id");
    sqlite3_stmt *st = prepare(o, &q, err);
    buf_char(out, '[');
    for (; st != NULL && (code = sqlite3_step(st)) == SQLITE_ROW; row++) {
        if (row < ask->start || row - ask->start >= ask->limit)
            continue;
        if (row > ask->start)
            buf_char(out, ',');
        out_line(out, st, whole, ask->data_false);
    }
    buf_char(out, ']');
    if (code != SQLITE_DONE)
        failed(o, err);
    sqlite3_finalize(st);
    json_decref(which);
    json_decref(connector);
    *ret_total = (uint64_t)row;
    return st != NULL && code == SQLITE_DONE ? 0 : -1;
}

/* A reservation is known by its number alone: the pages of these methods have no auth_connector. */
static int change_lines(
    struct offline *o, const char *sql, const struct offline_lines *which, struct err *err)
{
    json_t *process = text_of(which->process);
    struct question q;

    begin(&q, sql);
    buf_str(&q.sql, " WHERE process = ");
    ask_value(&q, column_of("PROCESS_ID"), process);
    if (which->ids != NULL)
        ask_list(&q, column_of("ID"), (json_t *)which->ids, false);
    else if (which->messages != NULL)
        ask_list(&q, column_of("MESSAGE_ID"), (json_t *)which->messages, false);
    const int result = finish(o, prepare(o, &q, err), err);
    json_decref(process);
    return result;
}

int offline_clear(struct offline *o, const struct offline_lines *which, struct err *err)
{
    return change_lines(o, "DELETE FROM offline_line", which, err);
}

int offline_fail(struct offline *o, const struct offline_lines *which, struct err *err)
{
    return change_lines(o, "UPDATE offline_line SET error = 1", which, err);
}
