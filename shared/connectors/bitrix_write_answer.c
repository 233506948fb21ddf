#include "connectors/bitrix_write_answer.h"

#include "connectors/bitrix_limits.h"
#include "connectors/bitrix_rule.h"
#include "connectors/transcode.h"

#include "proto/wire.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- the envelope ---- */

json_t *bitrix_said_json(char *text, size_t n)
{
    struct buf *bytes = transcode_take_room(LIMIT_TRANSCODED_BYTES);
    struct wire_ends ends;
    uint64_t repaired = 0;
    json_t *j = NULL;
    struct buf clean;
    struct wire w;

    buf_init(&clean, LIMIT_TRANSCODED_BYTES);
    if (n > 0 && transcode(text, n, bytes, &ends, &repaired, NULL) == 0) {
        wire_init(&w, bytes->p, bytes->n);
        wire_json(&w, &clean);
        if (!clean.failed && clean.n > 0)
            j = json_loadb(clean.p, clean.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    }
    buf_fini(&clean);
    transcode_give_room(bytes);
    return j;
}

struct bitrix_said bitrix_said_nothing(bool sent, const struct err *err)
{
    struct bitrix_said s = { .sent = sent, .code = BITRIX_NO_JSON };

    snprintf(s.text, sizeof(s.text), "%.190s", err->text);
    return s;
}

static void scalar_copy(const json_t *value, char *ret, size_t size)
{
    if (json_is_string(value))
        snprintf(ret, size, "%s", json_string_value(value));
    else if (json_is_integer(value))
        snprintf(ret, size, "%lld", (long long)json_integer_value(value));
}

/* {"error":…,"error_description":…}, or v3's {"error":{"code":…,"message":…}}. */
static void read_error(struct bitrix_said *s, const json_t *of)
{
    const json_t *error = json_object_get(of, "error"), *text = json_object_get(of, "error_description");

    s->is_error = true;
    if (json_is_object(error)) {
        text = json_object_get(error, "message");
        error = json_object_get(error, "code");
    }
    s->code[0] = s->text[0] = '\0';
    scalar_copy(error, s->code, sizeof(s->code));
    scalar_copy(text, s->text, sizeof(s->text));
}

static void read_command(struct bitrix_said *s, const json_t *result, const char *key, bool halt)
{
    const json_t *errors = json_object_get(result, "result_error"), *error = json_object_get(errors, key);

    s->result = json_object_get(json_object_get(result, "result"), key);
    if (error != NULL && s->result != NULL) /* of two answers neither is better */
        s->result = NULL;
    else if (error != NULL)
        read_error(s, error);
    else if (s->result == NULL)
        s->skipped = halt && json_object_size(errors) > 0;
}

struct bitrix_said bitrix_said(int status, const json_t *body, const char *key, bool halt)
{
    struct bitrix_said s = { .status = status, .sent = true, .code = BITRIX_NO_JSON };
    const json_t *error = json_object_get(body, "error"), *result = json_object_get(body, "result");
    const bool redirects = status >= 300 && status <= 399;

    snprintf(s.text, sizeof(s.text), "%s", body == NULL ? "no JSON" : "neither result nor error");
    if (redirects) {
        s.code[0] = '\0';
        snprintf(s.text, sizeof(s.text), "the portal answers from another address now");
    } else if (error != NULL && !json_is_null(error)) {
        read_error(&s, body);
    } else if (status < 200 || status > 299) {
        return s;
    } else if (key == NULL) {
        s.result = result;
    } else {
        read_command(&s, result, key, halt);
    }
    return s;
}

/* ---- what became of a write ---- */

static bool has_code(const struct bitrix_said *s, const char *code)
{
    return strcasecmp(s->code, code) == 0;
}

/* An error in JSON with a status below 500 is a portal's considered word: what ran into trouble half-way is
 * said by these two codes, by 5xx, or by no JSON at all. */
static bool is_considered(const struct bitrix_said *s)
{
    return s->is_error && s->status < 500 && !has_code(s, "INTERNAL_SERVER_ERROR") &&
           !has_code(s, "ERROR_UNEXPECTED_ANSWER");
}

static enum write_verdict verdict_of(const struct bitrix_said *s, const struct bitrix_rule *rule)
{
    if (!s->is_error && s->code[0] != '\0') /* a page: a proxy's, or of a portal that broke down at it */
        return WRITE_WAS_LOST;
    switch (rule->kind) {
    case ERR_WAIT:
    case ERR_CONF:
        return WRITE_WAS_NOT;
    case ERR_AUTH:
        return rule->says == SAYS_DENIED ? WRITE_WAS_REFUSED : WRITE_WAS_NOT;
    case ERR_PERM:
    case ERR_LIMIT:
        return WRITE_WAS_REFUSED;
    default:
        return is_considered(s) ? WRITE_SAID_NO : WRITE_WAS_LOST;
    }
}

/* Refusals that say that the effect is there already. */
static bool is_done_before(
    const struct write_task *t, const struct bitrix_said *s, const struct bitrix_rule *rule)
{
    if (!s->is_error)
        return false;
    if (t->kind == WRITE_DELETE)
        return rule->says == SAYS_ABSENT;
    return t->kind == WRITE_BIND && strcasestr(s->text, "already binded") != NULL;
}

static uint64_t number_of(const json_t *value)
{
    uint64_t id = 0;

    if (json_is_integer(value) && json_integer_value(value) > 0)
        return (uint64_t)json_integer_value(value);
    if (json_is_string(value) && str_u64(str_of(json_string_value(value)), &id))
        return id;
    return 0;
}

static uint64_t added_id(const struct write_task *t, const json_t *result)
{
    struct write_names names = { 0 };

    if (bitrix_write_names(t, &names, NULL) < 0)
        return 0;
    return number_of(names.item ? json_object_get(json_object_get(result, "item"), names.id) : result);
}

static void set_err(struct err *err, const struct bitrix_said *s, const struct bitrix_rule *rule)
{
    const bool own = s->code[0] == '(';

    err_code(err, rule->kind, s->status, "HTTP %d%s%s: %s%s%s", s->status, s->code[0] && !own ? " " : "",
        own ? "" : s->code, s->text, rule->advice ? ": " : "", rule->advice ? rule->advice : "");
    if (s->status == 0)
        err_set(err, ERR_TEMP, "%s", s->text);
}

void bitrix_write_hear(const struct write_task *t, const struct bitrix_said *said, struct write_heard *ret)
{
    const struct bitrix_rule *rule = bitrix_rule_of(said->status, str_of(said->code), str_of(said->text));

    *ret = (struct write_heard){ .verdict = WRITE_WAS_LOST };
    if (said->result != NULL) {
        ret->id = t->kind == WRITE_ADD ? added_id(t, said->result) : 0;
        if (t->kind != WRITE_ADD || ret->id > 0)
            ret->verdict = WRITE_WAS_DONE;
        else
            err_set(&ret->err, ERR_TEMP, "the portal answered without the id of what it added");
        return;
    }
    ret->retry_ms = rule->kind == ERR_WAIT && said->is_error ? rule->wait_ms : 0;
    if (said->retry_ms > ret->retry_ms)
        ret->retry_ms = said->retry_ms;
    if (is_done_before(t, said, rule)) {
        ret->verdict = WRITE_WAS_DONE;
        return;
    }
    set_err(&ret->err, said, rule);
    if (said->status == 0 || said->skipped)
        ret->verdict = said->sent && !said->skipped ? WRITE_WAS_LOST : WRITE_WAS_NOT;
    else
        ret->verdict = verdict_of(said, rule);
}

/* ---- what a look found ---- */

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
    const uint64_t id = number_of(json_object_get(row, names->id));
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
}

/* Phones are compared by their digits: a portal may keep them in a form of its own. */
static bool same_value(const char *field, const char *a, const char *b)
{
    const bool digits = strcmp(field, "PHONE") == 0 && strpbrk(b, "0123456789") != NULL;

    while (*a != '\0' || *b != '\0') {
        while (digits && *a != '\0' && (*a < '0' || *a > '9'))
            a++;
        while (digits && *b != '\0' && (*b < '0' || *b > '9'))
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
    json_t *fields = json_loadb(t->fields.p, t->fields.n, 0, NULL), *rows, *row;
    const char *field;
    size_t i;

    ret->seen = json_is_object(result) ? WRITE_SEEN : WRITE_NOT_LOOKED;
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
    (void)result;
    ret->seen = WRITE_SEEN_NOT;
}

/* 1, "1", true, "Y" */
static bool flag_of(const json_t *value)
{
    const char *text = json_string_value(value);

    return json_is_true(value) || json_integer_value(value) != 0 ||
           (text != NULL && (strcmp(text, "1") == 0 || strcasecmp(text, "Y") == 0));
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
    const bool offline = flag_of(json_object_get(entry, "offline"));

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
    if (heard.verdict == WRITE_WAS_REFUSED)
        ret->seen = WRITE_UNSEEABLE;
}
