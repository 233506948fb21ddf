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
static void read_error(struct bitrix_said *s, const json_t *of, bool whole)
{
    const json_t *error = json_object_get(of, "error"), *text = json_object_get(of, "error_description");

    s->is_error = true;
    s->whole = whole;
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
        read_error(s, error, false);
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
        read_error(&s, body, true);
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

/* By its status alone, or by words that mean something else than the record that is written: that tells
 * nothing of how far the portal came. But the status of who is not let in, and that of limits, come before
 * execution. */
static bool is_unexplained(const struct bitrix_said *s, const struct bitrix_rule *rule)
{
    return s->is_error && (rule->code == NULL || rule->says == SAYS_ABSENT_ALONE) && s->status != 401 &&
           s->status != 429;
}

static enum write_verdict verdict_of(const struct bitrix_said *s, const struct bitrix_rule *rule)
{
    if (!s->is_error && s->code[0] != '\0') /* a page: a proxy's, or of a portal that broke down at it */
        return WRITE_WAS_LOST;
    switch (is_unexplained(s, rule) ? ERR_TEMP : rule->kind) {
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
        return bitrix_is_absent(rule) || rule->says == SAYS_ABSENT_DELETED;
    return t->kind == WRITE_BIND && strcasestr(s->text, "already binded") != NULL;
}

uint64_t bitrix_said_id(const json_t *value)
{
    uint64_t id = 0;

    if (json_is_integer(value) && json_integer_value(value) > 0)
        return (uint64_t)json_integer_value(value);
    if (json_is_string(value) && str_u64(str_of(json_string_value(value)), &id))
        return id;
    return 0;
}

bool bitrix_said_flag(const json_t *value)
{
    const char *text = json_string_value(value);

    return json_is_true(value) || json_integer_value(value) != 0 ||
           (text != NULL && (strcmp(text, "1") == 0 || strcasecmp(text, "Y") == 0));
}

static uint64_t added_id(const struct write_task *t, const json_t *result)
{
    struct write_names names = { 0 };

    if (bitrix_write_names(t, &names, NULL) < 0)
        return 0;
    return bitrix_said_id(names.item ? json_object_get(json_object_get(result, "item"), names.id) : result);
}

static void set_err(struct err *err, const struct bitrix_said *s, const struct bitrix_rule *rule)
{
    const bool own = s->code[0] == '(';

    err_code(err, rule->kind, s->status, "HTTP %d%s%s: %s%s%s", s->status, s->code[0] && !own ? " " : "",
        own ? "" : s->code, s->text, rule->advice ? ": " : "", rule->advice ? rule->advice : "");
    if (s->status == 0)
        err_set(err, ERR_TEMP, "%s", s->text);
}

/* Updates and bindings answer true or an object, deletions true or [] (facts 8, 9.1): false is a no that
 * nobody explains, and null, 0 or "" is no answer. */
static bool affirms(const json_t *result)
{
    if (json_is_string(result))
        return json_string_length(result) > 0;
    if (json_is_integer(result))
        return json_integer_value(result) != 0;
    return !json_is_null(result) && !json_is_false(result);
}

static void hear_result(const struct write_task *t, const json_t *result, struct write_heard *ret)
{
    ret->id = t->kind == WRITE_ADD ? added_id(t, result) : 0;
    if (t->kind == WRITE_ADD ? ret->id > 0 : affirms(result)) {
        ret->verdict = WRITE_WAS_DONE;
    } else if (json_is_false(result)) {
        ret->verdict = WRITE_SAID_NO;
        err_set(&ret->err, ERR_TEMP, "the portal answered false, and not why");
    } else {
        err_set(&ret->err, ERR_TEMP, "the portal answered without %s",
            t->kind == WRITE_ADD ? "the id of what it added" : "a yes or a no");
    }
}

void bitrix_write_hear(const struct write_task *t, const struct bitrix_said *said, struct write_heard *ret)
{
    const struct str code = str_of(said->code);
    const struct bitrix_rule *rule =
        bitrix_rule_of(bitrix_status_of(said->status, said->whole, code), code, str_of(said->text));

    *ret = (struct write_heard){ .verdict = WRITE_WAS_LOST };
    if (said->result != NULL) {
        hear_result(t, said->result, ret);
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

/* ---- who looks ---- */

bool bitrix_profile_sees_all(const struct bitrix_said *said)
{
    return bitrix_said_flag(json_object_get(said->result, "ADMIN"));
}
