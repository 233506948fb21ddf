#include "connectors/bitrix_write_answer.h"

#include <stdio.h>

/* A list; PHP writes one that lost some of its rows as an object. A new reference; NULL: neither. */
static json_t *list_of(const json_t *value)
{
    json_t *list, *row;
    const char *key;
    uint64_t number;

    if (json_is_array(value))
        return json_incref((json_t *)value);
    if (json_object_size(value) == 0)
        return NULL;
    list = json_array();
    json_object_foreach((json_t *)value, key, row) {
        if (!str_u64(str_of(key), &number)) {
            json_decref(list);
            return NULL;
        }
        json_array_append(list, row);
    }
    return list;
}

/* A row of the origin that was asked for; else of another one, *ret_near: of one that differs in letters'
 * case alone, which a portal's filter may take for the same. */
static bool is_own(
    const struct write_task *t, const struct write_names *names, const json_t *row, bool *ret_near)
{
    char origin[WRITE_ORIGIN_SIZE], originator[WRITE_ORIGIN_SIZE];
    const char *is = json_string_value(json_object_get(row, names->origin)), *by = "";

    bitrix_write_origin(t, names, origin);
    snprintf(originator, sizeof(originator), STR_FMT, STR_ARG(t->originator));
    if (names->originator != NULL)
        by = json_string_value(json_object_get(row, names->originator));
    else
        originator[0] = '\0';
    *ret_near = is != NULL && by != NULL && strcasecmp(is, origin) == 0 && strcasecmp(by, originator) == 0;
    return *ret_near && strcmp(is, origin) == 0 && strcmp(by, originator) == 0;
}

static void keep_id(struct write_found *f, uint64_t id)
{
    uint64_t other = id;

    if (f->seen == WRITE_SEEN_NOT) {
        f->id = id;
        f->seen = WRITE_SEEN;
        return;
    }
    if (id < f->id) {
        other = f->id;
        f->id = id;
    }
    if (f->twin_count < WRITE_TWINS_MAX)
        f->twins[f->twin_count++] = other;
}

/* Rows that nobody asked for: the portal made nothing of the filter, and what it left out nobody knows. */
static void find_row(
    const struct write_task *t, const struct write_names *names, const json_t *row, struct write_found *ret)
{
    const uint64_t id = bitrix_said_id(json_object_get(row, names->id));
    bool near;

    if (ret->seen == WRITE_UNSEEABLE)
        return;
    if (is_own(t, names, row, &near) && id > 0) {
        keep_id(ret, id);
    } else if (!near || id == 0) {
        ret->seen = WRITE_UNSEEABLE;
        err_set(&ret->err, ERR_PERM, "the portal shows records of another origin than was asked for");
    }
}

static void find_added(const struct write_task *t, const json_t *result, struct write_found *ret)
{
    struct write_names names = { 0 };
    const json_t *row;
    json_t *rows;
    size_t i;

    if (bitrix_write_names(t, &names, &ret->err) < 0) {
        ret->seen = WRITE_UNSEEABLE;
        return;
    }
    rows = list_of(names.item ? json_object_get(result, "items") : result);
    if (rows == NULL)
        err_set(&ret->err, ERR_TEMP, "the portal answered no list");
    else
        ret->seen = WRITE_SEEN_NOT;
    json_array_foreach(rows, i, row)
        find_row(t, &names, row, ret);
    json_decref(rows);
    if (ret->seen == WRITE_SEEN_NOT && !t->sees_all) {
        ret->partial = true;
        err_set(&ret->err, ERR_PERM,
            "it is not shown to a user who may not see all records: look whether it is there");
    }
}

/* Phones are compared by their digits: a portal may keep them in a form of its own. */
static bool same_value(const char *field, const char *a, const char *b)
{
    if (strcmp(field, "PHONE") != 0 || strpbrk(b, "0123456789") == NULL)
        return str_eq(bitrix_write_trimmed(a), bitrix_write_trimmed(b));
    while (*a != '\0' || *b != '\0') {
        while (*a != '\0' && (*a < '0' || *a > '9'))
            a++;
        while (*b != '\0' && (*b < '0' || *b > '9'))
            b++;
        if (*a != *b)
            return false;
        a += *a != '\0';
        b += *b != '\0';
    }
    return true;
}

static bool has_row(const char *field, const json_t *rows, const json_t *wanted)
{
    const char *value = json_string_value(json_object_get(wanted, "VALUE"));
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row) {
        const char *is = json_string_value(json_object_get(row, "VALUE"));
        if (value != NULL && is != NULL && same_value(field, is, value))
            return true;
    }
    return false;
}

/* One request wrote all of them or none. */
static void find_rows(const struct write_task *t, const json_t *result, struct write_found *ret)
{
    json_t *fields = bitrix_write_rows(t, &ret->err), *rows, *row;
    const char *field;
    size_t i;

    if (fields == NULL) {
        ret->seen = WRITE_UNSEEABLE;
        return;
    }
    ret->seen = json_object_size(result) > 0 ? WRITE_SEEN : WRITE_NOT_LOOKED;
    json_object_foreach(fields, field, rows)
        json_array_foreach(rows, i, row)
            if (ret->seen == WRITE_SEEN && !has_row(field, json_object_get(result, field), row))
                ret->seen = WRITE_SEEN_NOT;
    json_decref(fields);
    if (ret->seen == WRITE_NOT_LOOKED)
        err_set(&ret->err, ERR_TEMP, "the portal answered no record");
}

/* It is still there. */
static void find_deleted(const struct write_task *t, const json_t *result, struct write_found *ret)
{
    (void)t;
    if (json_object_size(result) > 0)
        ret->seen = WRITE_SEEN_NOT;
    else
        err_set(&ret->err, ERR_TEMP, "the portal answered no record");
}

static bool is_text(const json_t *of, const char *key, struct str wanted)
{
    const char *text = json_string_value(json_object_get(of, key));

    return text != NULL && str_eq(str_of(text), wanted);
}

/* An offline entry may not tell its connector (facts 9.1): then it counts. */
static bool is_subscription(const struct write_task *t, const json_t *entry)
{
    const char *event = json_string_value(json_object_get(entry, "event"));
    const bool offline = bitrix_said_flag(json_object_get(entry, "offline"));

    if (event == NULL || offline != t->offline || !str_case_eq(str_of(event), t->event))
        return false;
    if (!offline)
        return is_text(entry, "handler", t->handler);
    for (int i = 0; i < 2; i++) {
        const char *key = i == 0 ? "connector_id" : "auth_connector";
        const char *told = json_string_value(json_object_get(entry, key));
        if (told != NULL && told[0] != '\0')
            return is_text(entry, key, t->connector);
    }
    return true;
}

static void find_event(const struct write_task *t, const json_t *result, struct write_found *ret)
{
    const bool wanted = t->kind == WRITE_BIND;
    json_t *list = list_of(result);
    const json_t *entry;
    bool there = false;
    size_t i;

    json_array_foreach(list, i, entry)
        there |= is_subscription(t, entry);
    if (list == NULL)
        err_set(&ret->err, ERR_TEMP, "event.get: no list of subscriptions");
    else
        ret->seen = there == wanted ? WRITE_SEEN : WRITE_SEEN_NOT;
    json_decref(list);
}

void bitrix_write_find(const struct write_task *t, const struct bitrix_said *said, struct write_found *ret)
{
    static void (*const find[WRITE_KINDS])(
        const struct write_task *, const json_t *, struct write_found *) = {
        [WRITE_ADD] = find_added,
        [WRITE_ROWS] = find_rows,
        [WRITE_UPDATE] = NULL,
        [WRITE_DELETE] = find_deleted,
        [WRITE_BIND] = find_event,
        [WRITE_UNBIND] = find_event,
    };
    struct write_heard heard;

    *ret = (struct write_found){ .seen = WRITE_NOT_LOOKED };
    if (said->result != NULL && find[t->kind] != NULL) {
        find[t->kind](t, said->result, ret);
        return;
    }
    bitrix_write_hear(t, said, &heard);
    if (t->kind == WRITE_DELETE && heard.verdict == WRITE_WAS_DONE) { /* "not found" */
        ret->seen = WRITE_SEEN;
        return;
    }
    ret->err = heard.err;
    ret->retry_ms = heard.retry_ms;
    if (heard.verdict == WRITE_WAS_REFUSED || (heard.verdict == WRITE_SAID_NO && heard.err.kind == ERR_PERM))
        ret->seen = WRITE_UNSEEABLE;
}
