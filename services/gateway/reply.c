#include "reply.h"

#include "base/clock.h"

static const char *status_of(enum reason reason)
{
    if (reason == REASON_TAKEN || reason == REASON_APP)
        return "success";
    if (reason == REASON_DUPLICATE)
        return "duplicate";
    return reason_status(reason) < 400 ? "skipped" : "error";
}

static void put_word(const char *name, const char *value, struct buf *out)
{
    buf_str(out, name);
    buf_char(out, '"');
    buf_str(out, value);
    buf_char(out, '"');
}

/* target_deal_id is what a flow makes of the deal later on; nobody waits for it here. */
static void put_item(
    const struct intake *i, enum reason reason, uint64_t id, const char *when, struct buf *out)
{
    put_word("{\"status\":", status_of(reason), out);
    put_word(",\"reason\":", reason_name(reason), out);
    if (i->deals) {
        buf_str(out, ",\"source_deal_id\":");
        if (id > 0)
            buf_i64(out, (int64_t)id);
        else
            buf_str(out, "null");
        buf_str(out, ",\"target_deal_id\":null");
    }
    if (reason_status(reason) >= 400) {
        buf_str(out, ",\"message\":");
        buf_json(out, str_of(reason_text(reason)));
    }
    put_word(",\"timestamp\":", when, out);
    buf_char(out, '}');
}

enum reason reply_reason(const struct intake *i)
{
    return reason_status(i->reason) >= 400 || i->count == 0 ? i->reason : i->items[0].reason;
}

bool reply_is_plain(const struct intake *i)
{
    return !i->deals && !i->many;
}

void reply_body(const struct intake *i, uint64_t wall_ms, struct buf *out)
{
    char when[CLOCK_ISO_SIZE];

    clock_iso(wall_ms, when);
    if (reason_status(i->reason) >= 400 || i->count == 0) {
        put_item(i, i->reason, 0, when, out);
    } else if (!i->many) {
        put_item(i, i->items[0].reason, i->items[0].id, when, out);
    } else {
        for (int k = 0; k < i->count; k++) {
            buf_char(out, k == 0 ? '[' : ',');
            put_item(i, i->items[k].reason, i->items[k].id, when, out);
        }
        buf_char(out, ']');
    }
    buf_char(out, '\n');
}

const char *reply_headers(enum reason reason)
{
    switch (reason_status(reason)) {
    case 401: /* RFC 6750, 3 */
        return reason == REASON_NO_TOKEN ? "WWW-Authenticate: Bearer"
                                         : "WWW-Authenticate: Bearer error=\"invalid_token\"";
    case 405:
        return "Allow: POST";
    case 429:
        return "Retry-After: 60";
    case 503:
        return "Retry-After: 5";
    default:
        return NULL;
    }
}
