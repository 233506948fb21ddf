#include "reply.h"

#include "base/clock.h"

#include <inttypes.h>

static const char *status_of(enum reason reason)
{
    if (reason == REASON_TAKEN || reason == REASON_APP)
        return "success";
    if (reason == REASON_DUPLICATE)
        return "duplicate";
    return reason_status(reason) < 400 ? "skipped" : "error";
}

/* target_deal_id is what a flow makes of the deal later on; nobody waits for it here. */
static void put_item(
    const struct intake *i, enum reason reason, uint64_t id, const char *when, struct buf *out)
{
    buf_fmt(out, "{\"status\":\"%s\",\"reason\":\"%s\"", status_of(reason), reason_name(reason));
    if (i->deals && id > 0)
        buf_fmt(out, ",\"source_deal_id\":%" PRIu64 ",\"target_deal_id\":null", id);
    else if (i->deals)
        buf_str(out, ",\"source_deal_id\":null,\"target_deal_id\":null");
    if (reason_status(reason) >= 400) {
        buf_str(out, ",\"message\":");
        buf_json(out, str_of(reason_text(reason)));
    }
    buf_fmt(out, ",\"timestamp\":\"%s\"}", when);
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
    case 401:
        return "WWW-Authenticate: Bearer";
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
