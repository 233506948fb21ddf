#include "compare.h"

#include "services/writer/fit.h"

#include <stdio.h>

/* ---- what should be there ---- */

int verify_want(
    const struct verify_column *c, struct wire *w, bool takes_nul, struct buf *made, struct db_val *ret)
{
    struct db_val value;

    if (!value_read(w, c->field, takes_nul, &value))
        return -1;
    (void)fit_value(c->field, c->column, &value, made, ret); /* what does not fit is NULL, and a reject */
    return 0;
}

/* ---- whether it is ---- */

struct number { /* views; idle zeros left out */
    bool negative;
    struct str whole, fraction;
};

static bool all_digits(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

static bool read_number(struct str s, struct number *ret)
{
    const char *point;

    ret->negative = s.n > 0 && s.p[0] == '-';
    if (ret->negative)
        s = (struct str){ s.p + 1, s.n - 1 };
    point = s.n > 0 ? memchr(s.p, '.', s.n) : NULL;
    ret->whole = (struct str){ s.p, point != NULL ? (size_t)(point - s.p) : s.n };
    ret->fraction = point != NULL ? (struct str){ point + 1, s.n - ret->whole.n - 1 } : STR("");
    if (ret->whole.n == 0 || !all_digits(ret->whole) || !all_digits(ret->fraction))
        return false;
    while (ret->whole.n > 0 && ret->whole.p[0] == '0')
        ret->whole = (struct str){ ret->whole.p + 1, ret->whole.n - 1 };
    while (ret->fraction.n > 0 && ret->fraction.p[ret->fraction.n - 1] == '0')
        ret->fraction.n--;
    if (ret->whole.n == 0 && ret->fraction.n == 0)
        ret->negative = false;
    return true;
}

static struct str text_of(const struct db_val *v, char number[static 24])
{
    if (v->type != DB_INT)
        return v->s;
    return (struct str){ number, (size_t)snprintf(number, 24, "%lld", (long long)v->i) };
}

static bool same_number(const struct db_val *want, const struct db_val *have)
{
    char want_text[24], have_text[24];
    struct number a, b;
    struct str w = text_of(want, want_text), h = text_of(have, have_text);

    if (!read_number(w, &a) || !read_number(h, &b))
        return str_eq(w, h);
    return a.negative == b.negative && str_eq(a.whole, b.whole) && str_eq(a.fraction, b.fraction);
}

/* "12:29:00.500Z" and "12:29:00.5Z" are one instant; every other spelling is another value. */
static struct str instant_without_zeros(struct str s)
{
    size_t n = s.n;

    if (n < 21 || s.p[n - 1] != 'Z' || s.p[19] != '.')
        return (struct str){ s.p, n > 0 && s.p[n - 1] == 'Z' ? n - 1 : n };
    n--;
    while (n > 20 && s.p[n - 1] == '0')
        n--;
    return (struct str){ s.p, n == 20 ? 19 : n };
}

static bool same_instant(struct str want, struct str have)
{
    bool both = want.n > 0 && have.n > 0 && want.p[want.n - 1] == 'Z' && have.p[have.n - 1] == 'Z';

    return both ? str_eq(instant_without_zeros(want), instant_without_zeros(have)) : str_eq(want, have);
}

bool verify_same(enum col_kind column, const struct db_val *want, const struct db_val *have)
{
    if (want->type == DB_NULL || have->type == DB_NULL)
        return want->type == have->type;
    if (have->type == DB_BLOB)
        return false;
    switch (column) {
    case COL_INT:
    case COL_DECIMAL:
        return same_number(want, have);
    case COL_BOOL:
        return want->type == have->type && want->i == have->i;
    case COL_TIME:
        return have->type == DB_TEXT && same_instant(want->s, have->s);
    default:
        return have->type == DB_TEXT && want->type == DB_TEXT && str_eq(want->s, have->s);
    }
}

/* ---- for people ---- */

static bool is_inside(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t common(struct str a, struct str b)
{
    size_t n = 0;

    while (n < a.n && n < b.n && a.p[n] == b.p[n])
        n++;
    while (n > 0 && n < a.n && is_inside(a.p[n]))
        n--;
    return n;
}

void verify_show(const struct db_val *value, const struct db_val *other, struct buf *out)
{
    char mine[24], theirs[24];
    struct str s = text_of(value, mine), o = text_of(other, theirs);
    size_t from = 0, to = s.n;

    if (value->type == DB_NULL) {
        buf_str(out, "NULL");
        return;
    }
    if (s.n > VERIFY_SHOWN) {
        from = common(s, o);
        from = from > VERIFY_SHOWN / 4 ? from - VERIFY_SHOWN / 4 : 0;
        to = s.n - from > VERIFY_SHOWN ? from + VERIFY_SHOWN : s.n;
        while (from > 0 && is_inside(s.p[from]))
            from--;
        while (to < s.n && is_inside(s.p[to]))
            to--;
    }
    if (value->type == DB_INT || value->type == DB_DECIMAL) {
        buf_add(out, s.p + from, to - from);
        return;
    }
    buf_str(out, from > 0 ? "…" : "");
    buf_json(out, (struct str){ s.p + from, to - from });
    buf_str(out, to < s.n ? "…" : "");
}

static uint64_t mix(uint64_t h, const void *p, size_t n)
{
    const uint8_t *b = p;

    for (size_t i = 0; i < n; i++)
        h = (h ^ b[i]) * 1099511628211u;
    return h;
}

uint64_t verify_fingerprint(const struct db_val *row, int columns)
{
    uint64_t h = 14695981039346656037u;

    for (int i = 0; i < columns; i++) {
        int type = (int)row[i].type;

        h = mix(h, &type, sizeof(type));
        if (row[i].type == DB_INT)
            h = mix(h, &row[i].i, sizeof(row[i].i));
        else if (row[i].type != DB_NULL)
            h = mix(mix(h, &row[i].s.n, sizeof(row[i].s.n)), row[i].s.p, row[i].s.n);
    }
    return h;
}
