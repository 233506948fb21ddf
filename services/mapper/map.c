#include "map.h"

#include "base/mem.h"
#include "proto/msg.h"

#include <stdlib.h>

#define REJECTS_MAX    (16777216)        /* limit of ROWS.rejects */
#define REJECTS_PLENTY (REJECTS_MAX / 2) /* from here on values are told in short */
#define SHORT_VALUE    256
#define RECORD_MAX     67108864 /* made text of one record */

void map_init(struct map *m)
{
    *m = (struct map){ .shape.id_field = SHAPE_NONE };
    convert_init(&m->convert, RECORD_MAX);
    row_hash_init(&m->hash, RECORD_MAX);
    buf_init(&m->rows, msg_payload_limit(MSG_ROWS));
    buf_init(&m->rejects, REJECTS_MAX);
}

static void shape_drop(struct map *m)
{
    shape_fini(&m->shape);
    free(m->values);
    free(m->seen);
    free(m->next);
    free(m->rejected);
    m->values = NULL;
    m->seen = NULL;
    m->next = NULL;
    m->rejected = NULL;
}

void map_fini(struct map *m)
{
    shape_drop(m);
    convert_fini(&m->convert);
    row_hash_fini(&m->hash);
    buf_fini(&m->rows);
    buf_fini(&m->rejects);
}

static int shape_take(struct map *m, struct str schema, struct err *err)
{
    if (shape_is(&m->shape, schema))
        return 0;
    shape_drop(m);
    if (shape_init(&m->shape, schema, err) < 0) {
        shape_fini(&m->shape);
        return -1;
    }
    size_t fields = (size_t)m->shape.schema.count + 1; /* the last is the start of a record */

    m->values = xcalloc((size_t)m->shape.column_count + 1, sizeof(*m->values));
    m->seen = xcalloc(fields, sizeof(*m->seen));
    m->next = xcalloc(fields, sizeof(*m->next));
    m->rejected = xcalloc(fields, sizeof(*m->rejected));
    return 0;
}

int map_begin(struct map *m, struct str schema, struct str payload, uint64_t count, struct err *err)
{
    if (count > payload.n)
        return err_set(
            err, ERR_PERM, "%zu bytes cannot hold %llu records", payload.n, (unsigned long long)count);
    if (shape_take(m, schema, err) < 0)
        return err_wrap(err, "schema");
    memset(m->seen, 0, ((size_t)m->shape.schema.count + 1) * sizeof(*m->seen));
    wire_init(&m->in, payload.p, payload.n);
    m->record = 0;
    m->count = count;
    m->stats = (struct map_stats){ .rows = 0 };
    buf_fini(&m->rows); /* the last message took its memory along */
    buf_init(&m->rows, msg_payload_limit(MSG_ROWS));
    buf_room(&m->rows, payload.n / 2); /* keys go, hashes come */
    buf_clear(&m->rejects);
    return 0;
}

/* The field called `key`, or -1. Looks first where the last record had it. */
static int field_of(struct map *m, struct str key, int before)
{
    const struct schema *s = &m->shape.schema;
    int guess = m->next[before];

    if (guess < s->count && str_eq(s->fields[guess].name, key))
        return guess;
    const struct field *f = schema_find(s, key);

    if (f == NULL)
        return -1;
    m->next[before] = (int)(f - s->fields);
    return m->next[before];
}

static int64_t id_read(struct wire *w)
{
    int64_t id = 0;

    switch (wire_peek(w)) {
    case WIRE_INT:
        id = wire_i64(w);
        break;
    case WIRE_STR:
        if (!str_i64(wire_str(w), &id))
            id = 0;
        break;
    default:
        wire_skip(w);
        break;
    }
    return id;
}

static void reject(struct map *m, int field, const uint8_t *from, const char *reason)
{
    struct str raw = { (const char *)from, (size_t)(m->in.p - from) };

    m->rejected[m->rejected_count++] = (struct map_reject){ field, raw, reason };
}

static void field_read(struct map *m, int field)
{
    const struct shape_field *f = &m->shape.fields[field];
    struct value *value = &m->values[f->column];
    struct value *currency = f->currency == SHAPE_NONE ? NULL : &m->values[f->currency];
    const uint8_t *from = m->in.p;
    const char *reason = convert_value(&m->convert, f->rule, &m->in, value, currency);

    if (reason != NULL)
        reject(m, field, from, reason);
}

/* A field without a column. Set aside, it is told with each value; an empty text says no more than a NULL. */
static void held_read(struct map *m, int field)
{
    struct value values[2] = { { .type = VALUE_NULL } };
    const uint8_t *from = m->in.p;

    if (m->shape.schema.fields[field].hold == HOLD_OUT) {
        wire_skip(&m->in);
        return;
    }
    const char *reason =
        convert_value(&m->convert, m->shape.fields[field].rule, &m->in, &values[0], &values[1]);
    const bool empty = values[0].type == VALUE_NULL ||
                       (values[0].type == VALUE_TEXT && value_text(&m->convert, &values[0]).n == 0);

    if (reason != NULL || !empty)
        reject(m, field, from, MAP_QUARANTINE);
}

/* Reads one record into values and rejected. Returns its id; 0 or less: it has none. */
static int64_t record_read(struct map *m)
{
    uint32_t members = wire_map(&m->in);
    int before = m->shape.schema.count;
    int64_t id = 0;

    convert_clear(&m->convert);
    memset(m->values, 0, (size_t)m->shape.column_count * sizeof(*m->values));
    m->rejected_count = 0;
    for (uint32_t i = 0; i < members && wire_ok(&m->in); i++) {
        struct str key = wire_str(&m->in);
        const bool is_id = str_eq(key, STR("ID"));
        int field = field_of(m, key, before);

        before = field < 0 ? before : field;
        if (is_id)
            id = id_read(&m->in);
        else if (field < 0 || m->seen[field] == m->record + 1)
            wire_skip(&m->in); /* not described, or told twice: the first one counts */
        else if (m->shape.fields[field].column == SHAPE_NONE)
            held_read(m, field);
        else
            field_read(m, field);
        if (field >= 0)
            m->seen[field] = m->record + 1;
        else if (!is_id)
            m->stats.unknown++;
    }
    return id;
}

/* Cuts at most `most` bytes off the front without splitting a character. */
static struct str text_cut(struct str s, size_t most)
{
    if (s.n <= most)
        return s;
    while (most > 0 && ((unsigned char)s.p[most] & 0xc0) == 0x80)
        most--;
    return (struct str){ s.p, most };
}

static void reject_write(struct map *m, int64_t id, const struct map_reject *r)
{
    size_t most = m->rejects.n < REJECTS_PLENTY ? MAP_REJECT_VALUE_MAX : SHORT_VALUE;
    struct wire w;
    struct buf text;
    struct str value;

    wire_init(&w, r->raw.p, r->raw.n);
    buf_init(&text, RECORD_MAX);
    if (wire_peek(&w) == WIRE_STR) {
        value = wire_str(&w);
    } else {
        wire_json(&w, &text);
        value = buf_view(&text);
    }
    wire_put_array(&m->rejects, 4);
    wire_put_i64(&m->rejects, id);
    wire_put_str(&m->rejects, m->shape.schema.fields[r->field].name);
    wire_put_str(&m->rejects, text_cut(value, most));
    wire_put_str(&m->rejects, str_of(r->reason));
    buf_fini(&text);
}

static void rejects_write(struct map *m, int64_t id)
{
    if (m->rejected_count == 0)
        return;
    if (m->rejects.n == 0)
        wire_open_array(&m->rejects);
    for (int i = 0; i < m->rejected_count; i++)
        reject_write(m, id, &m->rejected[i]);
    m->stats.rejects += (uint64_t)m->rejected_count;
}

static int hash_make(struct map *m, uint8_t ret[static ROW_HASH_BYTES])
{
    row_hash_begin(&m->hash);
    for (int i = 0; i < m->shape.column_count; i++) {
        const struct value *v = &m->values[i];

        if (v->type == VALUE_TEXT)
            row_hash_add(&m->hash, m->shape.columns[i].prefix, value_text(&m->convert, v));
        else if (v->type != VALUE_NULL)
            row_hash_add_i64(&m->hash, m->shape.columns[i].prefix, v->i);
    }
    return row_hash_end(&m->hash, ret);
}

static void value_write(struct map *m, const struct value *v)
{
    switch (v->type) {
    case VALUE_NULL:
        wire_put_nil(&m->rows);
        break;
    case VALUE_TEXT:
        wire_put_str(&m->rows, value_text(&m->convert, v));
        break;
    case VALUE_INT:
        wire_put_i64(&m->rows, v->i);
        break;
    case VALUE_BOOL:
        wire_put_bool(&m->rows, v->i != 0);
        break;
    }
}

static int record_map(struct map *m, struct err *err)
{
    uint8_t hash[ROW_HASH_BYTES];
    int64_t id = record_read(m);

    if (!wire_ok(&m->in))
        return err_set(err, ERR_PERM, "record %llu: not a record", (unsigned long long)m->record);
    if (id <= 0)
        return err_set(err, ERR_PERM, "record %llu: no positive ID", (unsigned long long)m->record);
    if (m->convert.scratch.failed || hash_make(m, hash) < 0)
        return err_set(err, ERR_LIMIT, "record %lld: larger than a message may be", (long long)id);
    wire_put_array(&m->rows, (uint32_t)m->shape.column_count + 2);
    wire_put_i64(&m->rows, id);
    wire_put_bin(&m->rows, hash, sizeof(hash));
    for (int i = 0; i < m->shape.column_count; i++)
        value_write(m, &m->values[i]);
    rejects_write(m, id);
    if (m->rows.failed || m->rejects.failed)
        return err_set(
            err, ERR_LIMIT, "record %lld: the rows are larger than a message may be", (long long)id);
    m->record++;
    m->stats.rows++;
    return 0;
}

int map_step(struct map *m, size_t slice_bytes, struct err *err)
{
    size_t until = m->rows.n + slice_bytes;

    while (m->record < m->count && m->rows.n < until) {
        if (record_map(m, err) < 0)
            return -1;
    }
    if (m->record < m->count)
        return 1;
    if (!wire_done(&m->in))
        return err_set(err, ERR_PERM, "bytes are left after the last record");
    if (m->rejects.n > 0)
        wire_close(&m->rejects, 0, (uint32_t)m->stats.rejects);
    return 0;
}
