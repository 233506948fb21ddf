/* Values in and out of PostgreSQL, exactly. In: the server's binary form, which COPY and arguments share.
 * Out: text. */
#include "db/postgres.h"

#include "base/clock.h"

#include <stdlib.h>

#define EPOCH_DAYS  10957 /* 2000-01-01, where PostgreSQL counts from */
#define EPOCH_MS    (EPOCH_DAYS * INT64_C(86400000))
#define DIGITS_MAX  2000
#define NUMERIC_NEG 0x4000

const Oid PG_OIDS[COL_KINDS] = {
    [COL_TEXT] = PG_TEXT,
    [COL_INT] = PG_INT8,
    [COL_DECIMAL] = PG_NUMERIC,
    [COL_BOOL] = PG_BOOL,
    [COL_DATE] = PG_DATE,
    [COL_TIME] = PG_TIMESTAMPTZ,
    [COL_JSON] = PG_JSON,
};

/* ---- out ---- */

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* "\x00ff" */
static struct db_val read_bytes(char *text, int length)
{
    size_t n = length > 2 ? (size_t)(length - 2) / 2 : 0;

    for (size_t i = 0; i < n; i++)
        text[i] = (char)(hex_digit(text[2 + 2 * i]) << 4 | hex_digit(text[3 + 2 * i]));
    return dbv_b((struct str){ text, n });
}

/* "2024-08-30 12:29:00.5+00" (the session is in UTC) to "2024-08-30T12:29:00.5Z". */
static struct db_val read_instant(char *text, int length)
{
    if (length > 13 && text[10] == ' ' && memcmp(text + length - 3, "+00", 3) == 0) {
        text[10] = 'T';
        text[length - 3] = 'Z';
        length -= 2;
    }
    return dbv_s((struct str){ text, (size_t)length });
}

struct db_val pg_read(Oid type, char *text, int length)
{
    switch (type) {
    case PG_BOOL:
        return dbv_i(text[0] == 't');
    case PG_INT2:
    case PG_INT4:
    case PG_INT8:
    case PG_OID:
        return dbv_i(strtoll(text, NULL, 10));
    case PG_BYTEA:
        return read_bytes(text, length);
    case PG_FLOAT4:
    case PG_FLOAT8:
    case PG_NUMERIC:
        return (struct db_val){ DB_DECIMAL, 0, { text, (size_t)length } };
    case PG_TIMESTAMPTZ:
        return read_instant(text, length);
    default:
        return dbv_s((struct str){ text, (size_t)length });
    }
}

/* ---- in ---- */

static void put_big_endian(struct buf *out, uint64_t value, int bytes)
{
    uint8_t b[8];

    for (int i = 0; i < bytes; i++)
        b[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
    buf_add(out, b, (size_t)bytes);
}

void pg_put_i16(struct buf *out, int16_t i)
{
    put_big_endian(out, (uint16_t)i, 2);
}

void pg_put_i32(struct buf *out, int32_t i)
{
    put_big_endian(out, (uint32_t)i, 4);
}

void pg_put_i64(struct buf *out, int64_t i)
{
    pg_put_i32(out, 8);
    put_big_endian(out, (uint64_t)i, 8);
}

void pg_put_bytes(struct buf *out, struct str bytes)
{
    pg_put_i32(out, (int32_t)bytes.n);
    if (bytes.n > 0)
        buf_add(out, bytes.p, bytes.n);
}

void pg_put_instant(struct buf *out, int64_t wall_ms)
{
    pg_put_i64(out, (wall_ms - EPOCH_MS) * 1000);
}

static int unfit(struct str text, const char *what, struct err *err)
{
    return err_set(err, ERR_PERM, "not %s: \"%.*s\"", what, (int)(text.n < 40 ? text.n : 40), text.p);
}

static int put_text(struct buf *out, struct str text, struct err *err)
{
    if (text.n > 0 && memchr(text.p, '\0', text.n) != NULL)
        return err_set(err, ERR_PERM, "PostgreSQL keeps no text with the character U+0000");
    pg_put_bytes(out, text);
    return 0;
}

static int put_date(struct buf *out, struct str text, struct err *err)
{
    char iso[] = "0000-00-00T00:00:00Z";
    int64_t ms;
    int offset;

    if (text.n != 10)
        return unfit(text, "a date", err);
    memcpy(iso, text.p, 10);
    if (!clock_parse_iso(iso, 20, &ms, &offset))
        return unfit(text, "a date", err);
    pg_put_i32(out, 4);
    pg_put_i32(out, (int32_t)((ms - EPOCH_MS) / 86400000)); /* a whole number of days */
    return 0;
}

static int put_time(struct buf *out, struct str text, struct err *err)
{
    int64_t ms;
    int offset;

    if (!clock_parse_iso(text.p, text.n, &ms, &offset))
        return unfit(text, "an instant", err);
    pg_put_instant(out, ms);
    return 0;
}

struct digits { /* of a decimal, without the point */
    struct str whole, fraction;
    bool negative;
};

static bool all_digits(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

static bool read_digits(struct str s, struct digits *ret)
{
    const char *point;

    ret->negative = s.n > 0 && s.p[0] == '-';
    if (ret->negative)
        s = (struct str){ s.p + 1, s.n - 1 };
    if (s.n == 0 || s.n > DIGITS_MAX)
        return false;
    point = memchr(s.p, '.', s.n);
    ret->whole = (struct str){ s.p, point != NULL ? (size_t)(point - s.p) : s.n };
    ret->fraction =
        point != NULL ? (struct str){ point + 1, s.n - ret->whole.n - 1 } : (struct str){ s.p, 0 };
    return all_digits(ret->whole) && all_digits(ret->fraction) && ret->whole.n + ret->fraction.n > 0;
}

/* Groups of four digits, aligned at the point. */
static int group_digits(const struct digits *d, int16_t groups[], int *ret_whole)
{
    int whole = ((int)d->whole.n + 3) / 4, fraction = ((int)d->fraction.n + 3) / 4;
    int lead = whole * 4 - (int)d->whole.n;

    memset(groups, 0, (size_t)(whole + fraction) * sizeof(*groups));
    for (int i = 0; i < (whole + fraction) * 4; i++) {
        int at = i - lead, behind = i - whole * 4, digit = 0;
        if (behind < 0)
            digit = at >= 0 ? d->whole.p[at] - '0' : 0;
        else if (behind < (int)d->fraction.n)
            digit = d->fraction.p[behind] - '0';
        groups[i / 4] = (int16_t)(groups[i / 4] * 10 + digit);
    }
    *ret_whole = whole;
    return whole + fraction;
}

static int put_decimal(struct buf *out, struct str text, struct err *err)
{
    int16_t groups[DIGITS_MAX / 4 + 4];
    struct digits d;
    int whole, count, first = 0;

    if (!read_digits(text, &d))
        return unfit(text, "a decimal", err);
    count = group_digits(&d, groups, &whole);
    while (first < count && groups[first] == 0)
        first++;
    while (count > first && groups[count - 1] == 0)
        count--;
    bool zero = first == count;
    pg_put_i32(out, 8 + 2 * (count - first));
    pg_put_i16(out, (int16_t)(count - first));
    pg_put_i16(out, (int16_t)(zero ? 0 : whole - 1 - first));
    pg_put_i16(out, !zero && d.negative ? NUMERIC_NEG : 0);
    pg_put_i16(out, (int16_t)d.fraction.n);
    for (int i = first; i < count; i++)
        pg_put_i16(out, groups[i]);
    return 0;
}

static int put_number(struct buf *out, enum col_kind kind, int64_t i)
{
    uint8_t byte = i != 0;

    if (kind == COL_INT) {
        pg_put_i64(out, i);
        return 0;
    }
    pg_put_i32(out, 1);
    buf_add(out, &byte, 1);
    return 0;
}

int pg_put(struct buf *out, enum col_kind kind, const struct db_val *v, struct err *err)
{
    bool number = kind == COL_INT || kind == COL_BOOL;

    if (v->type == DB_NULL) {
        pg_put_i32(out, -1);
        return 0;
    }
    if (number != (v->type == DB_INT))
        return err_set(err, ERR_BUG, "a value that is not of kind %s", col_kind_name(kind));
    switch (kind) {
    case COL_INT:
    case COL_BOOL:
        return put_number(out, kind, v->i);
    case COL_DECIMAL:
        return put_decimal(out, v->s, err);
    case COL_DATE:
        return put_date(out, v->s, err);
    case COL_TIME:
        return put_time(out, v->s, err);
    default:
        return put_text(out, v->s, err);
    }
}
