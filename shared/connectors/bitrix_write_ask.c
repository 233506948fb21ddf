#include "connectors/bitrix_write_ask.h"

#include "proto/entity.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define SMART_LEAST 128 /* entityTypeId of smart processes: from here on */

int bitrix_write_names(const struct write_task *t, struct write_names *ret, struct err *err)
{
    for (int i = 0; i < ENTITY_COUNT; i++) {
        if (ENTITIES[i].type_id != t->type_id)
            continue;
        *ret = t->by_item
                   ? (struct write_names){ "crm.item", "originatorId", "originId", "id", true }
                   : (struct write_names){ ENTITIES[i].method, "ORIGINATOR_ID", "ORIGIN_ID", "ID", false };
        return 0;
    }
    if (t->type_id < SMART_LEAST)
        return err_set(err, ERR_PERM, "entityTypeId %d: a record of it could not be found again", t->type_id);
    *ret = (struct write_names){ "crm.item", NULL, "xmlId", "id", true };
    return 0;
}

void bitrix_write_origin(
    const struct write_task *t, const struct write_names *names, char ret[static WRITE_ORIGIN_SIZE])
{
    if (names->originator != NULL)
        snprintf(ret, WRITE_ORIGIN_SIZE, STR_FMT, STR_ARG(t->origin));
    else
        snprintf(ret, WRITE_ORIGIN_SIZE, STR_FMT "/" STR_FMT, STR_ARG(t->originator), STR_ARG(t->origin));
}

/* ---- a call ---- */

static int call_of(
    const char *stem, const char *verb, json_t *params, struct buf *room, struct call *ret, struct err *err)
{
    const size_t at = room->n;
    char *text = json_dumps(params, JSON_COMPACT);
    size_t n;

    json_decref(params);
    if (text == NULL)
        return err_set(err, ERR_PERM, "%s.%s: its parameters are no text", stem, verb);
    n = strlen(text);
    buf_room(room, n + 128); /* both views in one piece; the room moves when another call is appended */
    buf_fmt(room, "%s.%s", stem, verb);
    *ret = (struct call){ .method = { NULL, room->n - at }, .params = { NULL, n } };
    buf_add(room, text, n);
    free(text);
    if (room->failed)
        return err_set(err, ERR_PERM, "%s.%s: over %zu bytes", stem, verb, room->max);
    ret->method.p = room->p + at;
    ret->params.p = ret->method.p + ret->method.n;
    return 0;
}

static json_t *text_of(struct str s)
{
    return json_stringn(s.n > 0 ? s.p : "", s.n);
}

static json_t *record_of(const struct write_task *t, const struct write_names *names)
{
    json_t *j = json_object();

    if (names->item)
        json_object_set_new(j, "entityTypeId", json_integer(t->type_id));
    if (t->id > 0)
        json_object_set_new(j, "id", json_integer((json_int_t)t->id));
    return j;
}

static int fields_of(const struct write_task *t, json_t **ret, struct err *err)
{
    json_t *fields =
        json_loadb(t->fields.n > 0 ? t->fields.p : "", t->fields.n, JSON_REJECT_DUPLICATES, NULL);

    if (!json_is_object(fields)) {
        json_decref(fields);
        return err_set(err, ERR_PERM, "%s: its fields are no JSON object", write_kind_name(t->kind));
    }
    *ret = fields;
    return 0;
}

/* ---- rows of multifields ---- */

static const char *const multifields[] = { "PHONE", "EMAIL", "WEB", "IM", "LINK" };
static const int with_multifields[] = { 1, 3, 4 }; /* leads, contacts, companies (facts 6.2) */

static bool has_multifields(const struct write_task *t)
{
    for (size_t i = 0; i < ARRAY_SIZE(with_multifields); i++)
        if (with_multifields[i] == t->type_id)
            return !t->by_item;
    return false;
}

static bool is_multifield(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(multifields); i++)
        if (strcmp(multifields[i], name) == 0)
            return true;
    return false;
}

struct str bitrix_write_trimmed(const char *value)
{
    size_t n;

    value += strspn(value, " \t\r\n\v\f");
    n = strlen(value);
    while (n > 0 && strchr(" \t\r\n\v\f", value[n - 1]) != NULL)
        n--;
    return (struct str){ value, n };
}

/* An ID would change a row that is there, DELETE or an empty VALUE take it away (facts 8). */
static bool is_new_row(const json_t *row)
{
    const char *value = json_string_value(json_object_get(row, "VALUE"));

    return value != NULL && bitrix_write_trimmed(value).n > 0 && json_object_get(row, "ID") == NULL &&
           json_object_get(row, "DELETE") == NULL;
}

static bool are_new_rows(const json_t *rows)
{
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
        if (!is_new_row(row))
            return false;
    return json_array_size(rows) > 0;
}

json_t *bitrix_write_rows(const struct write_task *t, struct err *err)
{
    json_t *fields = NULL, *rows;
    const char *name;

    if (!has_multifields(t)) {
        err_set(err, ERR_PERM, "rows: entityTypeId %d%s has no multifields of this form", t->type_id,
            t->by_item ? " of crm.item.*" : "");
        return NULL;
    }
    if (fields_of(t, &fields, err) < 0)
        return NULL;
    bool sound = json_object_size(fields) > 0;
    json_object_foreach(fields, name, rows)
        sound = sound && is_multifield(name) && are_new_rows(rows);
    if (sound)
        return fields;
    json_decref(fields);
    err_set(err, ERR_PERM, "rows: by a VALUE that is text each is found again, and these are not all such");
    return NULL;
}

static int check_rows(const struct write_task *t, struct err *err)
{
    json_t *rows = bitrix_write_rows(t, err);

    json_decref(rows);
    return rows == NULL ? -1 : 0;
}

/* ---- records ---- */

static int check_record(const struct write_task *t, const struct write_names *names, struct err *err)
{
    const size_t origin = t->originator.n + 1 + t->origin.n;

    if (t->kind == WRITE_ADD && (t->originator.n == 0 || t->origin.n == 0 || origin >= WRITE_ORIGIN_SIZE))
        return err_set(err, ERR_PERM, "add: without an origin of 3 to %d bytes it could not be found again",
            WRITE_ORIGIN_SIZE - 1);
    if (t->kind != WRITE_ADD && (t->id == 0 || t->id > INT64_MAX))
        return err_set(err, ERR_PERM, "%s: of no record", write_kind_name(t->kind));
    return t->kind == WRITE_ROWS ? check_rows(t, err) : 0;
}

static int add_origin(
    const struct write_task *t, const struct write_names *names, json_t *fields, struct err *err)
{
    char origin[WRITE_ORIGIN_SIZE];
    int result = 0;

    bitrix_write_origin(t, names, origin);
    if (names->originator != NULL)
        result |= json_object_set_new(fields, names->originator, text_of(t->originator));
    result |= json_object_set_new(fields, names->origin, json_string(origin));
    return result == 0 ? 0 : err_set(err, ERR_PERM, "add: its origin is no UTF-8");
}

static int call_record(const struct write_task *t, struct buf *room, struct call *ret, struct err *err)
{
    static const char *const verbs[WRITE_KINDS] = {
        [WRITE_ADD] = "add", [WRITE_ROWS] = "update", [WRITE_UPDATE] = "update", [WRITE_DELETE] = "delete"
    };
    struct write_names names = { 0 };
    json_t *params, *fields = NULL;

    if (bitrix_write_names(t, &names, err) < 0 || check_record(t, &names, err) < 0)
        return -1;
    if (t->kind != WRITE_DELETE && fields_of(t, &fields, err) < 0)
        return -1;
    if (t->kind == WRITE_ADD && add_origin(t, &names, fields, err) < 0) {
        json_decref(fields);
        return -1;
    }
    params = record_of(t, &names);
    if (fields != NULL)
        json_object_set_new(params, "fields", fields);
    return call_of(names.stem, verbs[t->kind], params, room, ret, err);
}

/* The origin is asked for as well: of a filter that a portal does not know the classic methods make nothing
 * and show whatever there is (facts 4.2). */
static json_t *search_of(const struct write_task *t, const struct write_names *names)
{
    json_t *j = record_of(t, names), *filter = json_object(),
           *select = json_pack("[s, s]", names->id, names->origin);
    char key[40], origin[WRITE_ORIGIN_SIZE];

    bitrix_write_origin(t, names, origin);
    snprintf(key, sizeof(key), "=%s", names->origin);
    json_object_set_new(filter, key, json_string(origin));
    if (names->originator != NULL) {
        snprintf(key, sizeof(key), "=%s", names->originator);
        json_object_set_new(filter, key, text_of(t->originator));
        json_array_append_new(select, json_string(names->originator));
    }
    json_object_set_new(j, "filter", filter);
    json_object_set_new(j, "select", select);
    json_object_set_new(j, "order", json_pack("{s:s}", names->id, "ASC"));
    json_object_set_new(j, "start", json_integer(-1));
    return j;
}

static int look_record(const struct write_task *t, struct buf *room, struct call *ret, struct err *err)
{
    struct write_names names = { 0 };

    if (bitrix_write_names(t, &names, err) < 0 || check_record(t, &names, err) < 0)
        return -1;
    if (t->kind == WRITE_ADD)
        return call_of(names.stem, "list", search_of(t, &names), room, ret, err);
    return call_of(names.stem, "get", record_of(t, &names), room, ret, err);
}

/* ---- subscriptions ---- */

static int call_event(const struct write_task *t, struct buf *room, struct call *ret, struct err *err)
{
    json_t *params = json_object();

    json_object_set_new(params, "event", text_of(t->event));
    if (t->offline)
        json_object_set_new(params, "event_type", json_string("offline"));
    else
        json_object_set_new(params, "handler", text_of(t->handler));
    if (t->offline && t->connector.n > 0)
        json_object_set_new(params, "auth_connector", text_of(t->connector));
    return call_of("event", write_kind_name(t->kind), params, room, ret, err);
}

static int look_event(const struct write_task *t, struct buf *room, struct call *ret, struct err *err)
{
    (void)t;
    return call_of("event", "get", json_object(), room, ret, err);
}

static bool is_event(enum write_kind kind)
{
    return kind == WRITE_BIND || kind == WRITE_UNBIND;
}

int bitrix_write_call(const struct write_task *t, struct buf *room, struct call *ret, struct err *err)
{
    return (is_event(t->kind) ? call_event : call_record)(t, room, ret, err);
}

int bitrix_write_look(const struct write_task *t, struct buf *room, struct call *ret, struct err *err)
{
    if (t->kind == WRITE_UPDATE)
        return err_set(err, ERR_PERM, "an update is not looked for: sent twice it is the same");
    return (is_event(t->kind) ? look_event : look_record)(t, room, ret, err);
}
