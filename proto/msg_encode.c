#include "proto/msg_def.h"

#include "proto/wire.h"

static void encode_value(const struct field_def *f, const void *at, struct buf *out)
{
    const struct str *s = at;
    const struct ids *ids = at;

    switch (f->type) {
    case FIELD_U64:
        wire_put_u64(out, *(const uint64_t *)at);
        break;
    case FIELD_I64:
        wire_put_i64(out, *(const int64_t *)at);
        break;
    case FIELD_STR:
        wire_put_str(out, *s);
        break;
    case FIELD_BIN:
        wire_put_bin(out, s->p, s->n);
        break;
    case FIELD_IDS:
        wire_put_array(out, (uint32_t)ids->n);
        for (size_t i = 0; i < ids->n; i++)
            wire_put_u64(out, ids->p[i]);
        break;
    }
}

static int check_value(
    const struct message_def *def, const struct field_def *f, const void *at, struct err *err)
{
    size_t size = msg_field_size(f, at);

    if (msg_field_is_number(f))
        return 0;
    if (size > f->limit)
        return err_set(
            err, ERR_BUG, "%s.%s: %zu is over the limit of %u", def->name, f->name, size, f->limit);
    if (msg_field_has_nul(f, at))
        return err_set(err, ERR_BUG, "%s.%s: a NUL byte in a name", def->name, f->name);
    return 0;
}

static int encode_body(const struct message_def *def, const struct msg *m, struct buf *out, struct err *err)
{
    uint32_t count = 0;

    for (size_t i = 0; i < def->field_count; i++) {
        const struct field_def *f = &def->fields[i];
        if (check_value(def, f, msg_field_at(def, f, m), err) < 0)
            return -1;
        count += f->need == REQ || msg_field_size(f, msg_field_at(def, f, m)) > 0;
    }
    wire_put_map(out, count);
    for (size_t i = 0; i < def->field_count; i++) {
        const struct field_def *f = &def->fields[i];
        const void *at = msg_field_at(def, f, m);
        if (f->need == OPT && msg_field_size(f, at) == 0)
            continue;
        wire_put_str(out, str_of(f->name));
        encode_value(f, at, out);
    }
    return 0;
}

static void encode_envelope(const struct message_def *def, const struct msg *m, struct buf *out)
{
    wire_put_array(out, 5);
    wire_put_str(out, STR(MSG_MAGIC));
    wire_put_u64(out, m->type);
    wire_put_u64(out, def->version);
    wire_put_str(out, str_of(m->correlation));
    wire_put_u64(out, m->sent_ms);
}

int msg_encode(const struct msg *m, struct buf *envelope, struct buf *body, struct err *err)
{
    const struct message_def *def = msg_def(m->type);
    size_t envelope_before = envelope->n, body_before = body->n;

    if (def == NULL)
        return err_set(err, ERR_BUG, "message of unknown type %d", m->type);
    if (m->payload.n > def->payload_limit)
        return err_set(err, ERR_BUG, "%s: payload of %zu bytes is over the limit of %zu", def->name,
            m->payload.n, def->payload_limit);
    if (encode_body(def, m, body, err) < 0)
        return -1;
    encode_envelope(def, m, envelope);
    if (body->failed || envelope->failed || body->n - body_before > MSG_BODY_MAX) {
        body->n = body_before;
        envelope->n = envelope_before;
        return err_set(err, ERR_BUG, "%s: the body does not fit its buffer", def->name);
    }
    return 0;
}
