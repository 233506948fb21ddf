#include "proto/msg.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "proto/wire.h"

#define MAGIC "PTK1"
#define ENVELOPE_MAX 128
#define BODY_MAX ((size_t)32 << 20)     /* above every body that its fields' limits allow, and newer ones */
#define SENT_MAX_MS 253402300800000u    /* year 10000: what a printed time can say */
#define NAME_LIMIT 128                  /* a STR up to this limit is a name or an address: no NUL inside */
#define PRINT_BIN_MAX 4096

enum field_type { FIELD_U64, FIELD_I64, FIELD_STR, FIELD_BIN, FIELD_IDS };
enum field_need { OPT, REQ };

struct field_def {
    const char *name;
    enum field_type type;
    size_t offset;          /* in the struct of its message */
    enum field_need need;
    uint32_t limit;         /* bytes of STR and BIN, count of IDS; 0 for numbers */
    unsigned since;         /* version that brought it */
};

#define FIELD(type, name, need, limit, since) \
    { #name, FIELD_##type, offsetof(struct OWNER, name), need, limit, since },
#define OWNER msg_ready
static const struct field_def ready_fields[] = {
#include "proto/ready.def"
};
#undef OWNER
#define OWNER msg_job
static const struct field_def job_fields[] = {
#include "proto/job.def"
};
#undef OWNER
#define OWNER msg_report
static const struct field_def report_fields[] = {
#include "proto/report.def"
};
#undef OWNER
#define OWNER msg_records
static const struct field_def records_fields[] = {
#include "proto/records.def"
};
#undef OWNER
#define OWNER msg_rows
static const struct field_def rows_fields[] = {
#include "proto/rows.def"
};
#undef OWNER
#define OWNER msg_done
static const struct field_def done_fields[] = {
#include "proto/done.def"
};
#undef OWNER
#define OWNER msg_status
static const struct field_def status_fields[] = {
#include "proto/status.def"
};
#undef OWNER
#define OWNER msg_control
static const struct field_def control_fields[] = {
#include "proto/control.def"
};
#undef OWNER
#define OWNER msg_control_reply
static const struct field_def control_reply_fields[] = {
#include "proto/control_reply.def"
};
#undef OWNER
#undef FIELD

struct message_def {
    const char *name;       /* NULL: the number is not used */
    const char *file;
    unsigned version;
    const char *sender, *reader, *about;
    size_t payload_limit;
    size_t offset;          /* of its struct in struct msg */
    const struct field_def *fields;
    size_t field_count;
};

static const struct message_def messages[] = {
#define MESSAGE(NAME, name, number, version, sender, reader, payload_limit, about) \
    [number] = { #NAME, #name, version, sender, reader, about, payload_limit, offsetof(struct msg, name), \
        name##_fields, ARRAY_SIZE(name##_fields) },
#include "proto/messages.def"
#undef MESSAGE
};

/* decode_body() remembers what it saw in 64 bits. */
#define MESSAGE(NAME, name, ...) static_assert(ARRAY_SIZE(name##_fields) <= 64, "too many fields");
#include "proto/messages.def"
#undef MESSAGE

static const char *const field_type_names[] = { "U64", "I64", "STR", "BIN", "IDS" };

static const struct message_def *def_of(uint64_t type)
{
    return type < ARRAY_SIZE(messages) && messages[type].name != NULL ? &messages[type] : NULL;
}

const char *msg_name(enum msg_type type)
{
    const struct message_def *def = def_of(type);

    return def != NULL ? def->name : NULL;
}

enum msg_type msg_type_of(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
        if (messages[i].name != NULL && strcmp(messages[i].name, name) == 0)
            return (enum msg_type)i;
    return MSG_NONE;
}

size_t msg_payload_limit(enum msg_type type)
{
    const struct message_def *def = def_of(type);

    return def != NULL ? def->payload_limit : 0;
}

/* ---- life ---- */

struct msg *msg_new(enum msg_type type)
{
    struct msg *m = xcalloc(1, sizeof(*m));
    const struct message_def *def = def_of(type);

    assert(def != NULL);
    m->type = type;
    m->version = def->version;
    m->sent_ms = clock_wall_ms();
    uuid7(m->correlation);
    return m;
}

static void frame_fini(struct frame *f)
{
    if (f->release != NULL)
        f->release(f->owner);
    *f = (struct frame){ 0 };
}

void msg_free(struct msg **m)
{
    if (m == NULL || *m == NULL)
        return;
    frame_fini(&(*m)->body);
    frame_fini(&(*m)->payload);
    for (int i = 0; i < (*m)->array_count; i++)
        free((*m)->arrays[i]);
    free(*m);
    *m = NULL;
}

void msg_take_payload(struct msg *m, struct buf *b)
{
    frame_fini(&m->payload);
    m->payload = (struct frame){ .p = b->p, .n = b->n, .release = free, .owner = b->p };
    buf_init(b, b->max);
}

/* ---- encoding ---- */

static const void *field_at(const struct message_def *def, const struct field_def *f, const struct msg *m)
{
    return (const char *)m + def->offset + f->offset;
}

/* Length or count; for numbers 0 or 1. */
static size_t field_size(const struct field_def *f, const void *at)
{
    switch (f->type) {
    case FIELD_U64: case FIELD_I64:
        return *(const uint64_t *)at != 0;
    case FIELD_STR: case FIELD_BIN:
        return ((const struct str *)at)->n;
    case FIELD_IDS:
        return ((const struct ids *)at)->n;
    }
    return 0;
}

static bool is_number(const struct field_def *f)
{
    return f->type == FIELD_U64 || f->type == FIELD_I64;
}

static bool has_nul_in_name(const struct field_def *f, const void *at)
{
    const struct str *s = at;

    return f->type == FIELD_STR && f->limit <= NAME_LIMIT && s->n > 0 && memchr(s->p, 0, s->n) != NULL;
}

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
    size_t size = field_size(f, at);

    if (is_number(f))
        return 0;
    if (size > f->limit)
        return err_set(
            err, ERR_BUG, "%s.%s: %zu is over the limit of %u", def->name, f->name, size, f->limit);
    if (has_nul_in_name(f, at))
        return err_set(err, ERR_BUG, "%s.%s: a NUL byte in a name", def->name, f->name);
    return 0;
}

static int encode_body(const struct message_def *def, const struct msg *m, struct buf *out, struct err *err)
{
    uint32_t count = 0;

    for (size_t i = 0; i < def->field_count; i++) {
        const struct field_def *f = &def->fields[i];
        if (check_value(def, f, field_at(def, f, m), err) < 0)
            return -1;
        count += f->need == REQ || field_size(f, field_at(def, f, m)) > 0;
    }
    wire_put_map(out, count);
    for (size_t i = 0; i < def->field_count; i++) {
        const struct field_def *f = &def->fields[i];
        const void *at = field_at(def, f, m);
        if (f->need == OPT && field_size(f, at) == 0)
            continue;
        wire_put_str(out, str_of(f->name));
        encode_value(f, at, out);
    }
    return 0;
}

static void encode_envelope(const struct message_def *def, const struct msg *m, struct buf *out)
{
    wire_put_array(out, 5);
    wire_put_str(out, STR(MAGIC));
    wire_put_u64(out, m->type);
    wire_put_u64(out, def->version);
    wire_put_str(out, str_of(m->correlation));
    wire_put_u64(out, m->sent_ms);
}

int msg_encode(const struct msg *m, struct buf *envelope, struct buf *body, struct err *err)
{
    const struct message_def *def = def_of(m->type);
    size_t envelope_before = envelope->n, body_before = body->n;

    if (def == NULL)
        return err_set(err, ERR_BUG, "message of unknown type %d", m->type);
    if (m->payload.n > def->payload_limit)
        return err_set(err, ERR_BUG, "%s: payload of %zu bytes is over the limit of %zu", def->name,
            m->payload.n, def->payload_limit);
    if (encode_body(def, m, body, err) < 0)
        return -1;
    encode_envelope(def, m, envelope);
    if (body->failed || envelope->failed || body->n - body_before > BODY_MAX) {
        body->n = body_before;
        envelope->n = envelope_before;
        return err_set(err, ERR_BUG, "%s: the body does not fit its buffer", def->name);
    }
    return 0;
}

/* ---- decoding ---- */

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
    if (wire_array(&w) != 5 || !str_is(wire_str(&w), MAGIC))
        return err_set(err, ERR_PERM, "envelope: does not begin with \"" MAGIC "\"");

    uint64_t type = wire_u64(&w), version = wire_u64(&w);
    struct str correlation = wire_str(&w);
    uint64_t sent_ms = wire_u64(&w);
    if (!wire_done(&w))
        return err_set(err, ERR_PERM, "envelope: malformed");
    if (def_of(type) == NULL)
        return err_set(err, ERR_PERM, "envelope: type %" PRIu64 " is not known", type);
    if (version == 0 || version > UINT16_MAX)
        return err_set(err, ERR_PERM, "%s: version %" PRIu64 " cannot be", def_of(type)->name, version);
    if (!is_uuid(correlation))
        return err_set(err, ERR_PERM, "%s: the correlation id is no UUID", def_of(type)->name);
    if (sent_ms > SENT_MAX_MS)
        return err_set(err, ERR_PERM, "%s: sent in the year 10000", def_of(type)->name);
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
            err, ERR_PERM, "%s.%s: not a well-formed %s", def->name, f->name, field_type_names[f->type]);
    if (f->type != FIELD_IDS)
        size = field_size(f, at);
    if (!is_number(f) && size > f->limit)
        return err_set(
            err, ERR_PERM, "%s.%s: %zu is over the limit of %u", def->name, f->name, size, f->limit);
    if (has_nul_in_name(f, at))
        return err_set(err, ERR_PERM, "%s.%s: a NUL byte in a name", def->name, f->name);
    return 0;
}

/* Index of the field; field_count: unknown here (a newer sender's). Senders keep the order: begin at `from`. */
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
    const struct message_def *def = def_of(m->type);
    uint64_t seen = 0;
    size_t next = 0;
    struct wire w;

    if (bytes.n > BODY_MAX)
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

    if (decode_envelope(m, envelope, err) < 0 || check_payload(def_of(m->type), payload, err) < 0 ||
        decode_body(m, (struct str){ body->p, body->n }, err) < 0) {
        msg_free(&m);       /* it owns its arrays, not yet the frames */
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

/* ---- for people ---- */

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
        buf_json(out, field_size(f, at) > 0 ? *(const struct str *)at : STR(""));
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
    const struct message_def *def = def_of(m->type);
    char sent[CLOCK_ISO_SIZE];
    const char *comma = "";

    assert(def != NULL);
    clock_iso(m->sent_ms, sent);
    buf_fmt(out, "{\"type\":\"%s\",\"version\":%u,\"correlation_id\":\"%s\",\"sent\":\"%s\",\"body\":{",
        def->name, m->version, m->correlation, sent);
    for (size_t i = 0; i < def->field_count; i++) {
        const struct field_def *f = &def->fields[i];
        const void *at = field_at(def, f, m);
        if (f->need == OPT && field_size(f, at) == 0)
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
        buf_fmt(out, "| `%s` | %s | %s | ", f->name, field_type_names[f->type],
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
    for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
        const struct message_def *def = &messages[i];
        if (def->name == NULL)
            continue;
        buf_fmt(out, "| %zu | %s | %u | %s → %s | ", i, def->name, def->version, def->sender, def->reader);
        if (def->payload_limit > 0)
            buf_fmt(out, "%zu", def->payload_limit);
        buf_fmt(out, " | %s |\n", def->about);
    }
    for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
        if (messages[i].name != NULL)
            markdown_fields(&messages[i], out);
}
