#include "connectors/bitrix.h"

#include "connectors/bitrix_limits.h"
#include "connectors/bitrix_reading.h"
#include "connectors/bitrix_rule.h"
#include "connectors/transcode.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- failures ---- */

/* A method is free again when its oldest minute falls out of the window, by the portal's own clock. */
static uint64_t operating_wait_ms(const struct bitrix_answer *a, const char *method, uint64_t fallback_ms)
{
    for (int i = 0; i < a->operating_count; i++) {
        int64_t reset_ms = (int64_t)a->operating[i].reset_s * 1000;
        if (strcmp(a->operating[i].method, method) != 0 || reset_ms == 0 || a->fetched_ms == 0)
            continue;
        int64_t wait_ms = reset_ms - a->fetched_ms;
        return wait_ms < LIMIT_BLOCKED_LEAST_MS  ? LIMIT_BLOCKED_LEAST_MS
               : wait_ms > LIMIT_BLOCKED_MOST_MS ? LIMIT_BLOCKED_MOST_MS
                                                 : (uint64_t)wait_ms;
    }
    return fallback_ms;
}

int bitrix_refused(
    struct bitrix_reading *r, int command, int status, const struct bitrix_error *e, struct err *err)
{
    bool has_code = e->code[0] != '\0' && e->code[0] != '('; /* those are ours */
    const int told = bitrix_status_of(status, command < 0, str_of(e->code));
    const struct bitrix_rule *rule = bitrix_rule_of(told, str_of(e->code), str_of(e->text));
    const char *advice = bitrix_advice(rule, r->ask.job->token > 0);
    char what[BITRIX_METHOD_SIZE] = "batch";

    if (command >= 0)
        bitrix_ask_method(&r->ask, command, what);
    r->a->whole = command < 0;
    if (has_code)
        snprintf(r->a->code, sizeof(r->a->code), "%s", e->code);
    if (rule->kind == ERR_WAIT) {
        r->a->retry_ms = rule->wait_ms;
        if (strcmp(rule->name, "operation_time_limit") == 0) {
            snprintf(r->a->blocked, sizeof(r->a->blocked), "%s", what);
            r->a->retry_ms = operating_wait_ms(r->a, what, rule->wait_ms);
        }
    }
    if (command < 0)
        snprintf(what, sizeof(what), "HTTP %d", status);
    err_code(err, rule->kind, status, "%s%s%s%s%s%s%s", what, has_code ? " " : "", has_code ? e->code : "",
        e->text[0] ? ": " : "", e->text, advice ? ": " : "", advice ? advice : "");
    if (err != NULL)
        err->retry_ms = (unsigned)r->a->retry_ms;
    return -1;
}

int bitrix_command_refused(struct bitrix_reading *r, int command, struct err *err)
{
    struct bitrix_error e;

    bitrix_error_read(&e, bitrix_part_of(r, PART_ERROR, command));
    return bitrix_refused(r, command, 200, &e, err);
}

/* A renamed portal (facts 1.4), if it names another host. It is not followed here: whoever answers there
 * would be given the secret that the path holds. The host is told, and the scheduler decides. */
static int moved(struct bitrix_reading *r, int status, const char *location, struct err *err)
{
    const char *host = location != NULL ? strstr(location, "://") : NULL;
    struct bitrix_error e = { .text = "the portal answers from another address now" };

    if (location != NULL && location[0] == '/' && location[1] != '/') {
        e = (struct bitrix_error){ .code = BITRIX_WITHIN,
            .text = "the portal sends its callers to another page of its own" };
    } else if (host != NULL && host[3] != '\0' && host[3] != '/') {
        host += 3;
        const char *at = strchr(host, '@');
        size_t n = strcspn(host, "/?#");
        if (at != NULL && at < host + n) /* never a password */
            return bitrix_refused(r, -1, status, &e, err);
        snprintf(e.text, sizeof(e.text), "the portal was renamed to %.*s", (int)(n < 100 ? n : 100), host);
    }
    return bitrix_refused(r, -1, status, &e, err);
}

static int no_json(struct bitrix_reading *r, int status, const char *why, struct err *err)
{
    struct bitrix_error e = { .code = BITRIX_NO_JSON };

    snprintf(e.text, sizeof(e.text), "%.*s", (int)sizeof(e.text) - 1, why);
    return bitrix_refused(r, -1, status, &e, err);
}

/* ---- time ---- */

static void note_operating(struct bitrix_answer *a, const char *method, const struct bitrix_time *t)
{
    int i = 0;

    if (!t->operating_known)
        return;
    while (i < a->operating_count && strcmp(a->operating[i].method, method) != 0)
        i++;
    if (i == (int)ARRAY_SIZE(a->operating))
        return;
    struct bitrix_operating *o = &a->operating[i];
    if (i == a->operating_count) {
        a->operating_count++;
        snprintf(o->method, sizeof(o->method), "%s", method);
    }
    if (t->operating_ms > o->used_ms)
        o->used_ms = t->operating_ms;
    if (t->reset_s > o->reset_s)
        o->reset_s = t->reset_s;
}

/* The first command's: no later than any, should the portal's clock step back between two. */
static void note_start(struct bitrix_answer *a, int64_t start_ms)
{
    if (start_ms > 0 && (a->started_ms == 0 || start_ms < a->started_ms))
        a->started_ms = start_ms;
}

static void read_time(struct bitrix_reading *r, int command, int64_t *latest_ms)
{
    char method[BITRIX_METHOD_SIZE];
    struct bitrix_time t;

    bitrix_time_read(&t, bitrix_part_of(r, PART_TIME, command));
    bitrix_ask_method(&r->ask, command, method);
    note_operating(r->a, method, &t);
    note_start(r->a, t.start_ms);
    if (t.finish_ms > *latest_ms)
        *latest_ms = t.finish_ms;
}

/* Portals bill a batch to its methods or to "batch" (facts 3.2): both are told. */
static void read_times(struct bitrix_reading *r)
{
    struct bitrix_time t;
    int64_t latest_ms = 0;

    if (r->ask.greatest >= 0)
        read_time(r, r->ask.greatest, &latest_ms);
    for (int i = 0; i < r->ask.commands; i++)
        read_time(r, i, &latest_ms);
    bitrix_time_read(&t, r->batch.time);
    note_operating(r->a, "batch", &t);
    note_start(r->a, t.start_ms);
    r->a->fetched_ms = t.finish_ms > 0 ? t.finish_ms : latest_ms;
}

/* ---- the whole ---- */

static int (*const read_kind[JOB_KINDS])(struct bitrix_reading *, struct err *) = {
    [JOB_PROBE] = bitrix_read_probe,
    [JOB_RANGE] = bitrix_read_range,
    [JOB_CHANGED] = bitrix_read_range,
    [JOB_SWEEP] = bitrix_read_range,
    [JOB_IDS] = bitrix_read_ids,
    [JOB_GET] = bitrix_read_get,
    [JOB_CALL] = bitrix_read_calls,
};

static int read_batch(struct bitrix_reading *r, int status, struct err *err)
{
    struct bitrix_error e = { .code = "" };

    read_times(r);
    if (r->batch.error.n > 0) {
        bitrix_error_of(&e, r->batch.error, r->batch.description);
        return bitrix_refused(r, -1, status, &e, err);
    }
    if (status < 200 || status > 299)
        return bitrix_refused(r, -1, status, &e, err);
    if (!r->batch.has_result)
        return bitrix_nonsense(r, err, "neither result nor error");
    if (r->batch.odd)
        return bitrix_nonsense(r, err, "results without the names of their commands");
    if (read_kind[r->ask.kind](r, err) < 0)
        return -1;
    if (r->a->records.failed)
        return err_set(err, ERR_LIMIT, "the records are over %zu bytes", r->a->records.max);
    return 0;
}

/* '<' or nothing: a page of HTML or an empty body. */
static bool is_json_begun(const char *text, size_t n)
{
    size_t i = 0;

    while (i < n && strchr(" \t\r\n", text[i]) != NULL && text[i] != '\0')
        i++;
    return i < n && text[i] != '<';
}

static int read_text(
    struct bitrix_reading *r, int status, const char *content_type, char *text, size_t n, struct err *err)
{
    char why[120];
    struct err inner = { .kind = ERR_NONE };
    struct wire_ends ends;
    struct buf *bytes;
    int result;

    if (!is_json_begun(text, n)) {
        snprintf(why, sizeof(why), "%s (%.40s) in place of JSON", n == 0 ? "an empty body" : "a web page",
            content_type != NULL && content_type[0] != '\0' ? content_type : "type not told");
        return no_json(r, status, why, err);
    }
    bytes = transcode_take_room(LIMIT_TRANSCODED_BYTES);
    if (transcode(text, n, bytes, &ends, &r->a->repaired, &inner) < 0)
        result = inner.kind == ERR_LIMIT ? err_set(err, ERR_LIMIT, "%s", inner.text)
                                         : no_json(r, status, inner.text, err);
    else if (bitrix_batch_read(&r->batch, buf_view(bytes), &ends, &inner) < 0)
        result = bitrix_nonsense(r, err, "%s", inner.text);
    else
        result = read_batch(r, status, err);
    transcode_give_room(bytes);
    return result;
}

int bitrix_read(const struct msg_job *job, int status, const char *content_type, const char *location,
    char *text, size_t n, struct bitrix_answer *a, struct err *err)
{
    struct bitrix_reading r = { .a = a };
    int result;

    buf_init(&a->records, msg_payload_limit(MSG_RECORDS));
    buf_init(&a->learnt, LIMIT_LEARNT_BYTES);
    buf_init(&a->answers, CALL_ANSWERS_BYTES_MAX);
    buf_init(&a->unknown, LIMIT_UNKNOWN_BYTES + 96);
    if (bitrix_ask_init(&r.ask, job, err) < 0)
        return -1;
    if (status >= 300 && status <= 399)
        result = moved(&r, status, location, err);
    else
        result = read_text(&r, status, content_type, text, n, err);
    bitrix_ask_fini(&r.ask);
    return result;
}

void bitrix_answer_fini(struct bitrix_answer *a)
{
    buf_fini(&a->records);
    buf_fini(&a->learnt);
    buf_fini(&a->answers);
    buf_fini(&a->unknown);
    free(a->absent.p);
    free(a->unlisted.p);
    free(a->denied.p);
    free(a->left.p);
    *a = (struct bitrix_answer){ .count = 0 };
}
