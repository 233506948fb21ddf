/* What a probe learns: the portal's own description of its fields, the bounds of the ids and how many there
 * are. */
#include "connectors/bitrix_reading.h"

#include "connectors/bitrix_labels.h"
#include "connectors/bitrix_rule.h"

#include "base/mem.h"
#include "proto/probe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME_MAX_BYTES 128
#define TYPE_MAX_BYTES 64
#define LABELS_MAX     (512u << 10) /* of one entity: all of them fit into REPORT.learnt */

/* ---- fields ---- */

/* Of two descriptions of one field the first wins (schema_encode). */
struct descriptions {
    struct field *list;
    int count, room;
};

static void describe(struct descriptions *d, struct field field)
{
    if (field.name.n == 0 || field.name.n > NAME_MAX_BYTES || field.type.n == 0 ||
        field.type.n > TYPE_MAX_BYTES || memchr(field.name.p, '\0', field.name.n) != NULL)
        return; /* should a record show such a field, it is refused there */
    if (d->count == d->room) {
        d->room = d->room ? d->room * 2 : 128;
        d->list = xrealloc(d->list, (size_t)d->room * sizeof(*d->list));
    }
    d->list[d->count++] = field;
}

static struct str word(struct wire *w)
{
    if (wire_peek(w) == WIRE_STR)
        return wire_str(w);
    wire_skip(w);
    return (struct str){ "", 0 };
}

/* {"type": "crm_status", "isMultiple": false, ...}, whose name is the key (facts 6.1) */
static struct field field_of(struct wire *w, struct str name)
{
    struct field f = { .name = name };

    if (wire_peek(w) != WIRE_MAP) {
        wire_skip(w);
        return f;
    }
    for (uint32_t n = wire_map(w); n > 0 && wire_ok(w); n--) {
        struct str key = wire_str(w);
        if (str_is(key, "type"))
            f.type = word(w);
        else if (str_is(key, "isMultiple"))
            f.multiple = bitrix_flag(w);
        else
            wire_skip(w);
    }
    if (f.type.n == 0)
        f.type = STR("unknown");
    /* Phones and addresses are lists of values even where the portal does not say so. */
    f.multiple |= str_is(f.type, "crm_multifield");
    return f;
}

/* {"FIELD_NAME": "UF_CRM_1", "USER_TYPE_ID": "string", "MULTIPLE": "N", ...} (facts 6.4) */
static struct field user_field_of(struct wire *w)
{
    struct field f = { .name = { "", 0 } };

    if (wire_peek(w) != WIRE_MAP) {
        wire_skip(w);
        return f;
    }
    for (uint32_t n = wire_map(w); n > 0 && wire_ok(w); n--) {
        struct str key = wire_str(w);
        if (str_is(key, "FIELD_NAME"))
            f.name = word(w);
        else if (str_is(key, "USER_TYPE_ID"))
            f.type = word(w);
        else if (str_is(key, "MULTIPLE"))
            f.multiple = bitrix_flag(w);
        else
            wire_skip(w);
    }
    return f;
}

static void read_fields(struct descriptions *d, struct str raw)
{
    struct wire w;

    wire_init(&w, raw.p, raw.n);
    if (wire_peek(&w) != WIRE_MAP)
        return;
    for (uint32_t n = wire_map(&w); n > 0 && wire_ok(&w) && d->count <= 2 * SCHEMA_FIELDS_MAX; n--) {
        struct str name = wire_str(&w);
        describe(d, field_of(&w, name));
    }
}

/* The list of user fields knows better than the fields, and may know one that they hide. */
static void read_user_fields(struct descriptions *d, struct str raw)
{
    struct wire w;

    wire_init(&w, raw.p, raw.n);
    if (wire_peek(&w) != WIRE_ARRAY)
        return;
    for (uint32_t n = wire_array(&w); n > 0 && wire_ok(&w) && d->count <= SCHEMA_FIELDS_MAX; n--)
        describe(d, user_field_of(&w));
}

/* ---- one entity ---- */

struct learnt {
    struct probe_entity entities[PROBE_ENTITIES_MAX];
    struct buf schemas[PROBE_ENTITIES_MAX], labels[PROBE_ENTITIES_MAX];
    struct err errors[PROBE_ENTITIES_MAX];
};

static int entity_fails(struct learnt *l, int i)
{
    l->entities[i].error = str_of(l->errors[i].text);
    l->entities[i].error_kind = str_of(err_kind_name(l->errors[i].kind));
    return 1;
}

static int learn_schema(struct bitrix_reading *r, struct learnt *l, int i)
{
    int first = i * PROBE_COMMANDS;
    struct descriptions d = { .list = NULL };

    read_user_fields(&d, bitrix_part_of(r, PART_RESULT, first + PROBE_USERFIELDS));
    int user_fields = d.count;
    read_fields(&d, bitrix_part_of(r, PART_RESULT, first + PROBE_FIELDS));
    bool none = d.count == user_fields;
    describe(&d, (struct field){ str_of(r->ask.entities[i]->id_field), STR("integer"), false, HOLD_NOT });
    schema_encode(d.list, d.count, &l->schemas[i]);
    free(d.list);
    if (none) {
        err_set(&l->errors[i], ERR_AUTH,
            "%s.fields describes no field: give the webhook's owner the right to read",
            r->ask.entities[i]->method);
        return entity_fails(l, i);
    }
    struct wire w;
    wire_init(&w, l->schemas[i].p, l->schemas[i].n);
    if (l->schemas[i].failed || wire_array(&w) > SCHEMA_FIELDS_MAX) {
        err_set(&l->errors[i], ERR_PERM, "more than %d fields cannot be mirrored", SCHEMA_FIELDS_MAX);
        return entity_fails(l, i);
    }
    l->entities[i].schema = buf_view(&l->schemas[i]);
    bitrix_labels(bitrix_part_of(r, PART_RESULT, first + PROBE_FIELDS),
        bitrix_part_of(r, PART_RESULT, first + PROBE_USERFIELDS), &l->labels[i]);
    l->entities[i].labels = buf_view(&l->labels[i]);
    return 0;
}

/* The id of the first record of a list, 0 when it is empty; *rows is how many there are. */
static int first_id(struct bitrix_reading *r, int command, uint64_t *ret, uint32_t *rows, struct err *err)
{
    struct str raw = bitrix_part_of(r, PART_RESULT, command);
    struct wire w;

    wire_init(&w, raw.p, raw.n);
    if (wire_peek(&w) != WIRE_ARRAY)
        return bitrix_nonsense(r, err, "a list that is no array");
    *ret = 0;
    *rows = wire_array(&w);
    if (*rows == 0)
        return 0;
    if (wire_peek(&w) != WIRE_MAP || !wire_find(&w, bitrix_ask_entity(&r->ask, command)->id_field) ||
        !bitrix_u64(&w, ret) || *ret == 0 || *ret >= RANGE_OPEN)
        return bitrix_nonsense(r, err, "a record without an id");
    return 0;
}

static int learn_bounds(struct bitrix_reading *r, struct learnt *l, int i, struct err *err)
{
    struct probe_entity *e = &l->entities[i];
    int first = i * PROBE_COMMANDS;
    struct str total = bitrix_part_of(r, PART_TOTAL, first + PROBE_COUNT);
    uint64_t counted;
    uint32_t rows;
    struct wire w;

    if (first_id(r, first + PROBE_FIRST, &e->least_id, &rows, err) < 0 ||
        first_id(r, first + PROBE_LAST, &e->most_id, &rows, err) < 0 ||
        first_id(r, first + PROBE_COUNT, &counted, &rows, err) < 0)
        return -1;
    if (e->least_id == 0 || e->most_id == 0) /* the only record came or went between the commands */
        e->least_id = e->most_id = e->least_id + e->most_id;
    if (e->least_id > e->most_id)
        return bitrix_nonsense(r, err, "first id %" PRIu64 ", last id %" PRIu64, e->least_id, e->most_id);
    wire_init(&w, total.p, total.n);
    if (total.n == 0 || !bitrix_u64(&w, &e->total))
        e->total = 0;
    if (e->total < rows) /* some lists do not count (facts section 16) */
        e->total = rows < PAGE_SIZE_RECORDS ? rows : e->most_id - e->least_id + 1;
    return 0;
}

/* 0: all five commands have a result; 1: the entity cannot be read, or not now; -1: the answer is nonsense,
 * or the portal is to be stopped. What passes fails the entity alone: the others are learnt all the same. A
 * portal may keep the list of user fields to administrators: the fields do without it. */
static int check_commands(struct bitrix_reading *r, struct learnt *l, int i, struct err *err)
{
    for (int what = 0; what < PROBE_COMMANDS; what++) {
        int command = i * PROBE_COMMANDS + what;
        struct str error = bitrix_part_of(r, PART_ERROR, command);
        struct bitrix_error e;

        if (error.n == 0 && bitrix_part_of(r, PART_RESULT, command).n == 0)
            return bitrix_nonsense(r, err, "neither result nor error of command %d", command);
        if (error.n == 0)
            continue;
        bitrix_error_read(&e, error);
        const struct bitrix_rule *rule = bitrix_rule_of(200, str_of(e.code), str_of(e.text));
        bool expired =
            rule->says == SAYS_EXPIRED; /* in the middle of the batch: the whole job waits for a new one */
        bool of_entity =
            !expired && (rule->says != SAYS_NOTHING || rule->kind == ERR_PERM || rule->kind == ERR_CONF);
        bool passes = rule->kind == ERR_TEMP || rule->kind == ERR_WAIT;
        if (!of_entity && !passes)
            return bitrix_refused(r, command, 200, &e, err);
        if (what == PROBE_USERFIELDS && !passes)
            continue;
        (void)bitrix_refused(r, command, 200, &e, &l->errors[i]);
        return entity_fails(l, i);
    }
    return 0;
}

static int learn_entity(struct bitrix_reading *r, struct learnt *l, int i, struct err *err)
{
    l->entities[i].entity = str_of(r->ask.entities[i]->plural);
    int result = check_commands(r, l, i, err);
    if (result == 0)
        result = learn_schema(r, l, i);
    if (result == 0)
        result = learn_bounds(r, l, i, err);
    return result < 0 ? -1 : 0;
}

/* How fields are called is worth less than the fields. */
static void encode(struct probe *probe, struct buf *out)
{
    probe_encode(probe, out);
    if (!out->failed)
        return;
    buf_clear(out);
    for (int i = 0; i < probe->count; i++)
        probe->entities[i].labels = STR("");
    probe_encode(probe, out);
}

int bitrix_read_probe(struct bitrix_reading *r, struct err *err)
{
    struct learnt *l = xcalloc(1, sizeof(*l));
    struct probe probe = { l->entities, r->ask.entity_count, r->a->fetched_ms };
    int result = 0;

    for (int i = 0; i < probe.count; i++) {
        buf_init(&l->schemas[i], (size_t)1 << 20);
        buf_init(&l->labels[i], LABELS_MAX);
    }
    for (int i = 0; i < probe.count && result == 0; i++)
        result = learn_entity(r, l, i, err);
    if (result == 0)
        encode(&probe, &r->a->learnt);
    for (int i = 0; i < probe.count; i++) {
        buf_fini(&l->schemas[i]);
        buf_fini(&l->labels[i]);
    }
    free(l);
    if (result == 0 && r->a->learnt.failed)
        return err_set(err, ERR_LIMIT, "the descriptions are over %zu bytes", r->a->learnt.max);
    return result;
}
