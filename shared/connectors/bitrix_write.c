#include "connectors/bitrix_write.h"

#include "base/mem.h"

#include <inttypes.h>
#include <jansson.h>

/* The margin: a connection of http_request.once drops what the peer did not acknowledge for ten seconds,
 * though its process be killed; the rest is for timers that fire late and clocks that run apart. The lag is
 * ours: the facts give no figure for how late a list may show a record. */
const struct write_pace WRITE_PACE = { .limit_ms = 60000,
    .margin_ms = 15000,
    .lag_ms = 10000,
    .pause_ms = 1000,
    .pause_most_ms = 300000,
    .attempts_most = 10 };

/* looks: how often in a row it must not be found before it is sent again. None: sent twice it is the same as
 * once. Two: it is searched for in a list, which may be late; a get, or a list of a few subscriptions, is
 * not, and if it were, the portal would refuse the second sending of these. */
static const struct {
    const char *name;
    uint32_t looks;
} kinds[WRITE_KINDS] = {
    [WRITE_ADD] = { "add", 2 },
    [WRITE_ROWS] = { "rows", 2 },
    [WRITE_UPDATE] = { "update", 0 },
    [WRITE_DELETE] = { "delete", 1 },
    [WRITE_BIND] = { "bind", 1 },
    [WRITE_UNBIND] = { "unbind", 1 },
};

const char *write_kind_name(enum write_kind kind)
{
    return kinds[kind].name;
}

void bitrix_write_init(struct bitrix_write *w, enum write_kind kind)
{
    *w = (struct bitrix_write){ .kind = kind, .due_ms = INT64_MIN };
}

static enum write_act act_of(const struct bitrix_write *w)
{
    static const enum write_act acts[WRITE_STATES] = {
        [WRITE_READY] = WRITE_DO_SEND,
        [WRITE_SENDING] = WRITE_DO_WAIT,
        [WRITE_UNSURE] = WRITE_DO_LOOK,
        [WRITE_DONE] = WRITE_DO_NOTHING,
        [WRITE_FAILED] = WRITE_DO_TELL,
    };

    return w->state == WRITE_UNSURE && kinds[w->kind].looks == 0 ? WRITE_DO_SEND : acts[w->state];
}

struct write_step bitrix_write_next(const struct bitrix_write *w, int64_t now_ms)
{
    const bool waits = w->state == WRITE_READY || w->state == WRITE_UNSURE;

    if (w->state == WRITE_SENDING)
        return (struct write_step){ WRITE_DO_WAIT, INT64_MAX };
    if (waits && now_ms < w->due_ms)
        return (struct write_step){ WRITE_DO_WAIT, w->due_ms };
    return (struct write_step){ act_of(w), now_ms };
}

bool bitrix_write_rests(const struct bitrix_write *w, int64_t now_ms)
{
    const bool may_land = w->state == WRITE_UNSURE || w->state == WRITE_FAILED;

    return w->state != WRITE_SENDING && (!may_land || w->misses > 0 || now_ms >= w->due_ms);
}

/* ---- what happens ---- */

static int64_t pause_of(const struct write_pace *pace, uint32_t times, uint64_t wish_ms)
{
    int64_t ms = pace->pause_ms;

    for (uint32_t i = 1; i < times && ms < pace->pause_most_ms; i++)
        ms *= 2;
    if (ms > pace->pause_most_ms)
        ms = pace->pause_most_ms;
    return wish_ms <= INT32_MAX && (int64_t)wish_ms > ms ? (int64_t)wish_ms : ms;
}

static void fail(struct bitrix_write *w, bool unsure)
{
    w->state = WRITE_FAILED;
    w->unsure = unsure;
}

/* Of one that failed it may still land until due_ms. */
static void become_unsure(struct bitrix_write *w, const struct write_pace *pace, int64_t now_ms)
{
    w->state = WRITE_UNSURE;
    w->vain = w->misses = 0;
    w->due_ms = now_ms + pace->limit_ms + pace->margin_ms;
    if (kinds[w->kind].looks > 0 || w->attempts < pace->attempts_most)
        return;
    if (w->err.kind == ERR_NONE)
        err_set(&w->err, ERR_TEMP, "what became of it is not known");
    fail(w, true);
}

static void be_done(struct bitrix_write *w, uint64_t id)
{
    w->state = WRITE_DONE;
    w->id = id;
    w->err = (struct err){ .kind = ERR_NONE };
}

void bitrix_write_sent(struct bitrix_write *w)
{
    w->state = WRITE_SENDING;
    w->attempts += w->attempts < UINT32_MAX;
    w->refused = false;
}

void bitrix_write_answered(
    struct bitrix_write *w, const struct write_pace *pace, const struct write_heard *heard, int64_t now_ms)
{
    if (w->state != WRITE_SENDING)
        return;
    if (heard->verdict != WRITE_WAS_DONE)
        w->err = heard->err;
    switch (heard->verdict) {
    case WRITE_WAS_DONE:
        be_done(w, heard->id);
        break;
    case WRITE_WAS_NOT:
        w->attempts--; /* that was none */
        w->state = WRITE_READY;
        w->due_ms = now_ms + pause_of(pace, ++w->vain, heard->retry_ms);
        break;
    case WRITE_WAS_REFUSED:
        fail(w, w->attempts > 1 && kinds[w->kind].looks == 0); /* an earlier one was never looked for */
        break;
    case WRITE_SAID_NO:
    case WRITE_WAS_LOST:
        become_unsure(w, pace, now_ms);
        w->refused = heard->verdict == WRITE_SAID_NO;
        if (w->refused && kinds[w->kind].looks == 0)
            fail(w, true);
        break;
    }
}

static void missed(
    struct bitrix_write *w, const struct write_pace *pace, const struct write_found *found, int64_t now_ms)
{
    w->vain = 0;
    if (++w->misses < kinds[w->kind].looks) {
        w->due_ms = now_ms + pace->lag_ms;
        return;
    }
    if (found->partial) {
        if (!w->refused)
            w->err = found->err;
        fail(w, true);
        return;
    } /* it is certain: the last sending had no effect, and will have none */
    if (w->refused || w->attempts >= pace->attempts_most) {
        fail(w, false);
        return;
    }
    w->state = WRITE_READY;
    w->due_ms = now_ms;
}

void bitrix_write_looked(
    struct bitrix_write *w, const struct write_pace *pace, const struct write_found *found, int64_t now_ms)
{
    if (w->state != WRITE_UNSURE)
        return;
    switch (found->seen) {
    case WRITE_SEEN:
        be_done(w, found->id);
        memcpy(w->twins, found->twins, sizeof(w->twins));
        w->twin_count = found->twin_count;
        break;
    case WRITE_SEEN_NOT:
        missed(w, pace, found, now_ms);
        break;
    case WRITE_NOT_LOOKED:
        if (!w->refused) /* those words are what a person wants to read in the end */
            w->err = found->err;
        w->due_ms = now_ms + pause_of(pace, ++w->vain, found->retry_ms);
        break;
    case WRITE_UNSEEABLE:
        w->err = found->err;
        fail(w, true);
        break;
    }
}

void bitrix_write_resumed(struct bitrix_write *w, const struct write_pace *pace, int64_t now_ms)
{
    const bool lost = w->state == WRITE_FAILED && w->unsure && kinds[w->kind].looks == 0;

    w->due_ms = now_ms;
    if (lost)
        w->due_ms += pace->limit_ms + pace->margin_ms;
    else if (w->state == WRITE_SENDING || w->state == WRITE_UNSURE)
        become_unsure(w, pace, now_ms);
}

/* ---- kept ---- */

static const char *const state_names[WRITE_STATES] = {
    [WRITE_READY] = "ready",
    [WRITE_SENDING] = "sending",
    [WRITE_UNSURE] = "unsure",
    [WRITE_DONE] = "done",
    [WRITE_FAILED] = "failed",
};

void bitrix_write_encode(const struct bitrix_write *w, struct buf *out)
{
    buf_fmt(out, "{\"kind\":\"%s\",\"state\":\"%s\",\"attempts\":%u", kinds[w->kind].name,
        state_names[w->state], w->attempts);
    if (w->refused)
        buf_str(out, ",\"refused\":true");
    if (w->unsure)
        buf_str(out, ",\"unsure\":true");
    if (w->id > 0)
        buf_fmt(out, ",\"id\":%" PRIu64, w->id);
    for (uint32_t i = 0; i < w->twin_count; i++)
        buf_fmt(out, "%s%" PRIu64, i == 0 ? ",\"twins\":[" : ",", w->twins[i]);
    if (w->twin_count > 0)
        buf_char(out, ']');
    if (w->err.kind != ERR_NONE) {
        buf_fmt(out, ",\"error_kind\":\"%s\",\"error\":", err_kind_name(w->err.kind));
        buf_json(out, str_of(w->err.text));
    }
    buf_char(out, '}');
}

static bool is_named(const json_t *value, const char *name)
{
    return json_is_string(value) && strcmp(json_string_value(value), name) == 0;
}

static bool id_of(const json_t *value, uint64_t *ret)
{
    *ret = (uint64_t)json_integer_value(value);
    return json_is_integer(value) && json_integer_value(value) > 0;
}

static bool read_names(const json_t *j, struct bitrix_write *w)
{
    int kind = 0, state = 0;

    while (kind < WRITE_KINDS && !is_named(json_object_get(j, "kind"), kinds[kind].name))
        kind++;
    while (state < WRITE_STATES && !is_named(json_object_get(j, "state"), state_names[state]))
        state++;
    w->kind = (enum write_kind)kind;
    w->state = (enum write_state)state;
    return kind < WRITE_KINDS && state < WRITE_STATES;
}

static bool read_ids(const json_t *j, struct bitrix_write *w)
{
    const json_t *id = json_object_get(j, "id"), *twins = json_object_get(j, "twins");
    const size_t n = json_array_size(twins);

    if ((id != NULL && !id_of(id, &w->id)) || (twins != NULL && n == 0) || n > WRITE_TWINS_MAX)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!id_of(json_array_get(twins, i), &w->twins[w->twin_count++]))
            return false;
    return true;
}

static bool read_rest(const json_t *j, struct bitrix_write *w)
{
    const json_t *attempts = json_object_get(j, "attempts");
    const char *kind = json_string_value(json_object_get(j, "error_kind")),
               *text = json_string_value(json_object_get(j, "error"));

    if (!json_is_integer(attempts) || json_integer_value(attempts) < 0 ||
        json_integer_value(attempts) > UINT32_MAX)
        return false;
    w->attempts = (uint32_t)json_integer_value(attempts);
    w->refused = json_is_true(json_object_get(j, "refused"));
    w->unsure = json_is_true(json_object_get(j, "unsure"));
    if (kind != NULL && text != NULL)
        err_set(&w->err, err_kind_of(kind, strlen(kind)), "%s", text);
    return w->attempts > 0 || w->state == WRITE_READY || w->state == WRITE_FAILED;
}

int bitrix_write_decode(struct bitrix_write *ret, struct str bytes, struct err *err)
{
    json_t *j = json_loadb(bytes.p, bytes.n, JSON_REJECT_DUPLICATES, NULL);
    struct bitrix_write w = { .due_ms = INT64_MIN };
    const bool sound = json_is_object(j) && read_names(j, &w) && read_ids(j, &w) && read_rest(j, &w);

    json_decref(j);
    if (!sound)
        return err_set(
            err, ERR_PERM, "no state of a write: %.60s", bytes.n > 0 ? "it reads otherwise" : "it is empty");
    *ret = w;
    return 0;
}
