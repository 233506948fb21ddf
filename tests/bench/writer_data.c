#include "bench/writer_data.h"

#include "base/clock.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    enum col_kind kind;
    int count;
    const char *stem, *type; /* of the field's name; as the portal describes it */
} GROUPS[] = {
    { COL_TEXT, 30, "TEXT", "string" },
    { COL_DECIMAL, 8, "AMOUNT", "double" },
    { COL_INT, 8, "NUMBER", "integer" },
    { COL_TIME, 8, "TIME", "datetime" },
    { COL_BOOL, 6, "FLAG", "boolean" },
};

static const char *const WORDS[] = { "contract", "of", "delivery", "for", "the", "northern", "branch", "call",
    "back", "after", "lunch", "invoice", "sent", "twice", "waiting", "payment", "договор", "поставка", "счёт",
    "перезвонить", "ООО", "Ромашка", "по", "телефону", "12.5%", "(new)", "№7", "urgent", "warehouse", "B2B" };

static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static const char *type_of(enum col_kind kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(GROUPS); i++)
        if (GROUPS[i].kind == kind)
            return GROUPS[i].type;
    return "string";
}

void data_init(struct data *d)
{
    struct field fields[DATA_COLUMNS + 1] = { { STR("ID"), STR("integer"), false, HOLD_NOT } };
    int at = 0;

    *d = (struct data){ .rows = 0 };
    for (size_t g = 0; g < ARRAY_SIZE(GROUPS); g++)
        for (int i = 0; i < GROUPS[g].count; i++, at++) {
            struct data_column *c = &d->columns[at];
            c->kind = GROUPS[g].kind;
            snprintf(c->field, sizeof(c->field), "UF_%s_%02d", GROUPS[g].stem, i);
            char name[129];
            col_name(str_of(c->field), name);
            snprintf(c->column, sizeof(c->column), "%.15s", name);
            fields[at + 1] = (struct field){ str_of(c->field), str_of(type_of(c->kind)), false, HOLD_NOT };
        }
    buf_init(&d->schema, 1 << 20);
    schema_encode(fields, DATA_COLUMNS + 1, &d->schema);
    map_init(&d->map);
}

void data_fini(struct data *d)
{
    map_fini(&d->map);
    buf_fini(&d->schema);
}

uint64_t data_id(uint64_t number)
{
    return 3 * number + 1 + mix(number) % 3;
}

static struct str keep(struct data_row *r, size_t n)
{
    struct str s = { r->bytes + r->used, n };

    r->used += n;
    return s;
}

static struct str make_text(struct data_row *r, uint64_t seed)
{
    size_t want = 10 + seed % 60, n = 0;
    char *to = r->bytes + r->used;

    while (n < want)
        n += (size_t)sprintf(to + n, "%s%s", n > 0 ? " " : "", WORDS[(seed = mix(seed)) % ARRAY_SIZE(WORDS)]);
    return keep(r, n);
}

static struct str make_integer(struct data_row *r, uint64_t seed, int64_t *ret)
{
    *ret = (int64_t)(seed % 1000000000);
    return keep(r, (size_t)sprintf(r->bytes + r->used, "%" PRId64, *ret));
}

/* Two places behind the point; the last is never 0, so it is written in one way only. */
static struct str make_decimal(struct data_row *r, uint64_t seed, double *ret)
{
    size_t n = (size_t)sprintf(r->bytes + r->used, "%" PRIu64 ".%" PRIu64 "%" PRIu64, seed % 10000000,
        seed / 7 % 10, 1 + seed / 11 % 9);

    *ret = strtod(r->bytes + r->used, NULL);
    return keep(r, n);
}

static struct str make_time(struct data_row *r, uint64_t seed)
{
    char iso[CLOCK_ISO_SIZE];

    clock_iso(1600000000000 + seed % 150000000 * 1000, iso);
    memcpy(r->bytes + r->used, iso, 19);
    r->bytes[r->used + 19] = 'Z';
    return keep(r, 20);
}

static void make_value(struct data_row *r, struct data_value *v, uint64_t seed)
{
    switch (v->kind) {
    case COL_DECIMAL:
        v->text = make_decimal(r, seed, &v->real);
        return;
    case COL_INT:
        v->text = make_integer(r, seed, &v->number);
        return;
    case COL_TIME:
        v->text = make_time(r, seed);
        return;
    case COL_BOOL:
        v->number = seed % 2;
        v->text = str_of(v->number != 0 ? "t" : "f");
        return;
    default:
        v->text = make_text(r, seed);
    }
}

/* In version 1 every tenth row has another text, amount and, of every other one, integer. */
static bool differs(uint64_t number, int column)
{
    uint64_t seed = mix(number ^ 0xc0ffee);

    if (seed % 10 != 0)
        return false;
    return column == (int)(seed / 10 % 30) || column == (int)(30 + seed / 300 % 8) ||
           (seed / 2400 % 2 == 0 && column == (int)(38 + seed / 4800 % 8));
}

void data_row(struct data *d, uint64_t number, int version, struct data_row *ret)
{
    ret->id = data_id(number);
    ret->used = 0;
    for (int i = 0; i < DATA_COLUMNS; i++) {
        bool other = version > 0 && differs(number, i);
        ret->values[i].kind = d->columns[i].kind;
        make_value(ret, &ret->values[i], mix(mix(number) ^ (uint64_t)i << 8 ^ (other ? 1 : 0)));
        d->text_bytes += ret->values[i].text.n;
    }
    d->rows++;
}

/* As the fetcher hands on what a portal prints: every value is a string. */
static void put_record(const struct data *d, const struct data_row *r, struct buf *out)
{
    char id[24];

    wire_put_map(out, DATA_COLUMNS + 1);
    wire_put_str(out, STR("ID"));
    snprintf(id, sizeof(id), "%" PRIu64, r->id);
    wire_put_str(out, str_of(id));
    for (int i = 0; i < DATA_COLUMNS; i++) {
        const struct data_value *v = &r->values[i];
        char zoned[26];
        wire_put_str(out, str_of(d->columns[i].field));
        if (v->kind == COL_TIME) {
            snprintf(zoned, sizeof(zoned), "%.19s+00:00", v->text.p);
            wire_put_str(out, str_of(zoned));
        } else if (v->kind == COL_BOOL) {
            wire_put_str(out, str_of(v->number != 0 ? "Y" : "N"));
        } else {
            wire_put_str(out, v->text);
        }
    }
}

static int map_all(struct data *d, const struct buf *records, uint64_t count, struct err *err)
{
    int more = map_begin(&d->map, buf_view(&d->schema), buf_view(records), count, err) < 0 ? -1 : 1;

    while (more > 0)
        more = map_step(&d->map, 1 << 20, err);
    if (more == 0 && (d->map.stats.rows != count || d->map.stats.rejects > 0))
        return err_set(err, ERR_BUG, "the mapper made other rows of the bench's records");
    return more;
}

struct msg *data_message(struct data *d, uint64_t first, uint64_t count, int version, struct err *err)
{
    struct msg *m = NULL;
    struct data_row row;
    struct buf records;

    buf_init(&records, 1 << 28);
    for (uint64_t i = 0; i < count; i++) {
        data_row(d, first + i, version, &row);
        put_record(d, &row, &records);
    }
    if (map_all(d, &records, count, err) == 0) {
        m = msg_new(MSG_ROWS);
        m->rows = (struct msg_rows){ .epoch = 1,
            .portal = STR("main"),
            .kind = STR("range"),
            .entity = STR("deals"),
            .table = STR("crm_deals"),
            .fetched_ms = 1700000000000,
            .columns = buf_view(&d->map.shape.encoded),
            .count = count };
        msg_take_payload(m, &d->map.rows);
    }
    buf_fini(&records);
    return m;
}

int data_ensure(struct data *d, struct db *db, struct err *err)
{
    struct db_column columns[DATA_COLUMNS];

    for (int i = 0; i < DATA_COLUMNS; i++)
        columns[i] = (struct db_column){ str_of(d->columns[i].column), d->columns[i].kind };
    return db_ensure_table(db, STR("crm_deals"), columns, DATA_COLUMNS, NULL, err);
}
