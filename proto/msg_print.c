#include "proto/msg_def.h"

#include <assert.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/mem.h"
#include "proto/wire.h"

#define PRINT_BIN_MAX 4096

static void print_bin(struct str s, struct buf *out)
{
    struct buf json;
    struct wire w;

    buf_init(&json, PRINT_BIN_MAX);
    wire_init(&w, s.p, s.n);
    wire_json(&w, &json);
    if (wire_done(&w) && !json.failed)
        buf_add(out, json.p, json.n);
    else
        buf_fmt(out, "{\"bytes\":%zu}", s.n);
    buf_fini(&json);
}

static void print_value(const struct field_def *f, const void *at, struct buf *out)
{
    const struct ids *ids = at;

    switch (f->type) {
    case FIELD_U64:
        buf_fmt(out, "%" PRIu64, *(const uint64_t *)at);
        break;
    case FIELD_I64:
        buf_fmt(out, "%" PRId64, *(const int64_t *)at);
        break;
    case FIELD_STR:
        buf_json(out, msg_field_size(f, at) > 0 ? *(const struct str *)at : STR(""));
        break;
    case FIELD_BIN:
        print_bin(*(const struct str *)at, out);
        break;
    case FIELD_IDS:
        buf_char(out, '[');
        for (size_t i = 0; i < ids->n; i++)
            buf_fmt(out, "%s%" PRIu64, i > 0 ? "," : "", ids->p[i]);
        buf_char(out, ']');
        break;
    }
}

void msg_print(const struct msg *m, struct buf *out)
{
    const struct message_def *def = msg_def(m->type);
    char sent[CLOCK_ISO_SIZE];
    const char *comma = "";

    assert(def != NULL);
    clock_iso(m->sent_ms, sent);
    buf_fmt(out, "{\"type\":\"%s\",\"version\":%u,\"correlation_id\":\"%s\",\"sent\":\"%s\",\"body\":{",
        def->name, m->version, m->correlation, sent);
    for (size_t i = 0; i < def->field_count; i++) {
        const struct field_def *f = &def->fields[i];
        const void *at = msg_field_at(def, f, m);
        if (f->need == OPT && msg_field_size(f, at) == 0)
            continue;
        buf_fmt(out, "%s\"%s\":", comma, f->name);
        print_value(f, at, out);
        comma = ",";
    }
    buf_char(out, '}');
    if (def->payload_limit > 0)
        buf_fmt(out, ",\"payload\":{\"bytes\":%zu}", m->payload.n);
    buf_char(out, '}');
}

static void markdown_fields(const struct message_def *def, struct buf *out)
{
    buf_fmt(
        out, "\n### %s (`proto/%s.def`)\n\n| field | type | need | limit | since |\n", def->name, def->file);
    buf_str(out, "| --- | --- | --- | ---: | ---: |\n");
    for (size_t i = 0; i < def->field_count; i++) {
        const struct field_def *f = &def->fields[i];
        buf_fmt(out, "| `%s` | %s | %s | ", f->name, msg_field_types[f->type],
            f->need == REQ ? "required" : "optional");
        if (f->limit > 0)
            buf_fmt(out, "%u", f->limit);
        buf_fmt(out, " | %u |\n", f->since);
    }
}

void msg_markdown(struct buf *out)
{
    buf_str(out, "| no. | message | version | way | payload limit | says |\n");
    buf_str(out, "| ---: | --- | ---: | --- | ---: | --- |\n");
    for (size_t i = 0; i < MSG_TYPE_END; i++) {
        const struct message_def *def = msg_def(i);
        if (def == NULL)
            continue;
        buf_fmt(out, "| %zu | %s | %u | %s → %s | ", i, def->name, def->version, def->sender, def->reader);
        if (def->payload_limit > 0)
            buf_fmt(out, "%zu", def->payload_limit);
        buf_fmt(out, " | %s |\n", def->about);
    }
    for (size_t i = 0; i < MSG_TYPE_END; i++)
        if (msg_def(i) != NULL)
            markdown_fields(msg_def(i), out);
}
