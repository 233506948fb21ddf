#include "proto/msg_def.h"

#include <assert.h>
#include <inttypes.h>

#include "base/mem.h"
#include "proto/wire.h"

#define ENVELOPE_MAX 128
#define SENT_MAX_MS  253402300800000u /* year 10000: what a printed time can say */

static bool is_uuid(struct str s)
{
    if (s.n != UUID_SIZE - 1)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? s.p[i] != '-' : strchr("0123456789abcdef", s.p[i]) == NULL || s.p[i] == '\0')
            return false;
    }
    return true;
}

static int decode_envelope(struct msg *m, struct str bytes, struct err *err)
{
    struct wire w;

    if (bytes.n > ENVELOPE_MAX)
        return err_set(err, ERR_PERM, "envelope: %zu bytes are over the limit of %d", bytes.n, ENVELOPE_MAX);
    wire_init(&w, bytes.p, bytes.n);
    if (wire_array(&w) != 5 || !str_is(wire_str(&w), MSG_MAGIC))
        return err_set(err, ERR_PERM, "envelope: does not begin with \"" MSG_MAGIC "\"");

    uint64_t type = wire_u64(&w), version = wire_u64(&w);
    struct str correlation = wire_str(&w);
    uint64_t sent_ms = wire_u64(&w);
    if (!wire_done(&w))
        return err_set(err, ERR_PERM, "envelope: malformed");
    if (msg_def(type) == NULL)
        return err_set(err, ERR_PERM, "envelope: type %" PRIu64 " is not known", type);
    if (version == 0 || version > UINT16_MAX)
        return err_set(err, ERR_PERM, "%s: version %" PRIu64 " cannot be", msg_def(type)->name, version);
    if (!is_uuid(correlation))
        return err_set(err, ERR_PERM, "%s: the correlation id is no UUID", msg_def(type)->name);
    if (sent_ms > SENT_MAX_MS)
        return err_set(err, ERR_PERM, "%s: sent in the year 10000", msg_def(type)->name);
    m->type = (enum msg_type)type;
    m->version = (unsigned)version;
    m->sent_ms = sent_ms;
    memcpy(m->correlation, correlation.p, correlation.n);
    return 0;
}

/* The array belongs to m as soon as it is allocated. count <= bytes left in the frame (wire_array). */
static void decode_ids(struct msg *m, uint32_t count, struct wire *w, struct ids *ret)
{
    ret->n = count;
    if (count == 0)
        return;
    ret->p = xmalloc(count * sizeof(*ret->p));
    assert(m->array_count < (int)ARRAY_SIZE(m->arrays));
    m->arrays[m->array_count++] = ret->p;
    for (uint32_t i = 0; i < count; i++)
        ret->p[i] = wire_u64(w);
}

static int decode_value(
    struct msg *m, const struct message_def *def, const struct field_def *f, struct wire *w, struct err *err)
{
    void *at = (char *)m + def->offset + f->offset;
    size_t size = 0;

    switch (f->type) {
    case FIELD_U64:
        *(uint64_t *)at = wire_u64(w);
        break;
    case FIELD_I64:
        *(int64_t *)at = wire_i64(w);
        break;
    case FIELD_STR:
        *(struct str *)at = wire_str(w);
        break;
    case FIELD_BIN:
        *(struct str *)at = wire_bin(w);
        break;
    case FIELD_IDS:
        size = wire_array(w);
        if (size <= f->limit)
            decode_ids(m, (uint32_t)size, w, at);
        break;
    }
    if (!wire_ok(w))
        return err_set(
            err, ERR_PERM, "%s.%s: not a well-formed %s", def->name, f->name, msg_field_types[f->type]);
    if (f->type != FIELD_IDS)
        size = msg_field_size(f, at);
    if (!msg_field_is_number(f) && size > f->limit)
        return err_set(
            err, ERR_PERM, "%s.%s: %zu is over the limit of %u", def->name, f->name, size, f->limit);
    if (msg_field_has_nul(f, at))
        return err_set(err, ERR_PERM, "%s.%s: a NUL byte in a name", def->name, f->name);
    return 0;
}

/* Index of the field; field_count: unknown here (a newer sender's). Senders keep the order: begin at `from`.
 */
static size_t find_field(const struct message_def *def, struct str key, size_t from)
{
    for (size_t n = 0; n < def->field_count; n++) {
        size_t i = (from + n) % def->field_count;
        if (str_is(key, def->fields[i].name))
            return i;
    }
    return def->field_count;
}

static int check_required(const struct message_def *def, uint64_t seen, struct err *err)
{
    for (size_t i = 0; i < def->field_count; i++)
        if (def->fields[i].need == REQ && (seen & (UINT64_C(1) << i)) == 0)
            return err_set(err, ERR_PERM, "%s.%s: missing", def->name, def->fields[i].name);
    return 0;
}

static int decode_body(struct msg *m, struct str bytes, struct err *err)
{
    const struct message_def *def = msg_def(m->type);
    uint64_t seen = 0;
    size_t next = 0;
    struct wire w;

    if (bytes.n > MSG_BODY_MAX)
        return err_set(err, ERR_PERM, "%s: body of %zu bytes is over the limit", def->name, bytes.n);
    wire_init(&w, bytes.p, bytes.n);
    for (uint32_t count = wire_map(&w); count > 0; count--) {
        size_t i = find_field(def, wire_str(&w), next);
        if (!wire_ok(&w))
            return err_set(err, ERR_PERM, "%s: a key is no string", def->name);
        if (i == def->field_count) {
            wire_skip(&w);
            continue;
        }
        if (seen & (UINT64_C(1) << i))
            return err_set(err, ERR_PERM, "%s.%s: twice", def->name, def->fields[i].name);
        seen |= UINT64_C(1) << i;
        next = i + 1;
        if (decode_value(m, def, &def->fields[i], &w, err) < 0)
            return -1;
    }
    if (!wire_done(&w))
        return err_set(err, ERR_PERM, "%s: %s", def->name,
            wire_ok(&w) ? "bytes after the body" : "the body is no map or is cut");
    return check_required(def, seen, err);
}

static int check_payload(const struct message_def *def, const struct frame *payload, struct err *err)
{
    if (def->payload_limit > 0 && payload == NULL)
        return err_set(err, ERR_PERM, "%s: its payload is missing", def->name);
    if (payload != NULL && payload->n > def->payload_limit)
        return err_set(err, ERR_PERM, "%s: payload of %zu bytes is over the limit of %zu", def->name,
            payload->n, def->payload_limit);
    return 0;
}

int msg_decode(
    struct msg **ret, struct str envelope, struct frame *body, struct frame *payload, struct err *err)
{
    struct msg *m = xcalloc(1, sizeof(*m));

    if (decode_envelope(m, envelope, err) < 0 || check_payload(msg_def(m->type), payload, err) < 0 ||
        decode_body(m, (struct str){ body->p, body->n }, err) < 0) {
        msg_free(&m); /* it owns its arrays, not yet the frames */
        return -1;
    }
    m->body = *body;
    *body = (struct frame){ 0 };
    if (payload != NULL) {
        m->payload = *payload;
        *payload = (struct frame){ 0 };
    }
    *ret = m;
    return 0;
}
