#include "fit.h"

#include "base/clock.h"
#include "db/widen.h"

#include <inttypes.h>
#include <stdio.h>

#define DIGITS_MAX 1000 /* as the mapper makes them */

static bool all_digits(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n > 0;
}

/* "42", "-1.05": no plus, no idle zeros, no "-0". */
static bool is_decimal(struct str s)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    struct str whole = negative ? (struct str){ s.p + 1, s.n - 1 } : s, fraction = STR("");
    const char *point = whole.n > 0 ? memchr(whole.p, '.', whole.n) : NULL;

    if (s.n == 0 || s.n > DIGITS_MAX + 2)
        return false;
    if (point != NULL) {
        fraction = (struct str){ point + 1, (size_t)(whole.p + whole.n - point) - 1 };
        whole.n = (size_t)(point - whole.p);
        if (!all_digits(fraction) || fraction.p[fraction.n - 1] == '0')
            return false;
    }
    if (!all_digits(whole) || (whole.n > 1 && whole.p[0] == '0'))
        return false;
    return !negative || fraction.n > 0 || whole.p[0] != '0';
}

static bool to_int(const struct db_val *value, struct db_val *ret)
{
    int64_t i;

    if (!is_decimal(value->s) || !str_i64(value->s, &i))
        return false;
    *ret = dbv_i(i);
    return true;
}

static bool to_decimal(const struct db_val *value, struct db_val *ret)
{
    *ret = (struct db_val){ DB_DECIMAL, 0, value->s };
    return is_decimal(value->s);
}

/* In the one spelling that the mapper makes. */
static bool is_instant(struct str s)
{
    int offset_min;
    int64_t ms;

    if ((s.n != 20 && s.n != 24) || s.p[s.n - 1] != 'Z')
        return false;
    if (s.n == 24 && (s.p[19] != '.' || memcmp(s.p + 20, "000", 3) == 0))
        return false;
    return clock_parse_iso(s.p, s.n, &ms, &offset_min);
}

static bool to_time(const struct db_val *value, struct db_val *ret)
{
    *ret = dbv_s(value->s);
    return is_instant(value->s);
}

static bool to_date(const struct db_val *value, struct db_val *ret)
{
    char instant[] = "0000-00-00T00:00:00Z";

    if (value->s.n != 10)
        return false;
    memcpy(instant, value->s.p, 10);
    *ret = dbv_s(value->s);
    return is_instant(str_of(instant));
}

typedef bool narrow(const struct db_val *value, struct db_val *ret);

/* [column][value]: those that fit now and then; what always fits is widened, all others never do. */
static narrow *const NARROW[COL_KINDS][COL_KINDS] = {
    [COL_INT] = { [COL_TEXT] = to_int, [COL_DECIMAL] = to_int },
    [COL_DECIMAL] = { [COL_TEXT] = to_decimal },
    [COL_DATE] = { [COL_TEXT] = to_date },
    [COL_TIME] = { [COL_TEXT] = to_time },
};

bool fit_value(
    enum col_kind from, enum col_kind to, const struct db_val *value, struct buf *made, struct db_val *ret)
{
    struct db_val fits = DBV_NULL;
    bool does;

    if (from == to || value->type == DB_NULL) {
        *ret = *value;
        return true;
    }
    if (col_kind_widens(from, to)) {
        *ret = widen_value(from, to, value, made);
        return true;
    }
    does = NARROW[to][from] != NULL && NARROW[to][from](value, &fits);
    *ret = does ? fits : DBV_NULL;
    return does;
}

void fit_reason(
    enum col_kind field, enum col_kind column, struct str entity, struct str name, char ret[FIT_REASON])
{
    if (col_kind_widens(column, field))
        snprintf(ret, FIT_REASON,
            "the portal's field is now %s, the column is %s: `potok schema widen " STR_FMT " " STR_FMT
            "` changes it",
            col_kind_name(field), col_kind_name(column), STR_ARG(entity), STR_ARG(name));
    else
        snprintf(ret, FIT_REASON,
            "the portal's field is now %s, the column is %s: drop or rename column " STR_FMT
            ", and it is made anew and filled",
            col_kind_name(field), col_kind_name(column), STR_ARG(name));
}

bool value_read(struct wire *w, enum col_kind kind, bool takes_nul, struct db_val *ret)
{
    enum wire_type type = wire_peek(w);

    if (type == WIRE_NIL) {
        wire_nil(w);
        *ret = DBV_NULL;
    } else if (kind == COL_INT && type == WIRE_INT) {
        *ret = dbv_i(wire_i64(w));
    } else if (kind == COL_BOOL && type == WIRE_BOOL) {
        *ret = dbv_i(wire_bool(w));
    } else if (kind != COL_INT && kind != COL_BOOL && type == WIRE_STR) {
        *ret = dbv_s(wire_str(w));
        if (kind == COL_DECIMAL)
            ret->type = DB_DECIMAL;
        if (!takes_nul && ret->s.n > 0 && memchr(ret->s.p, '\0', ret->s.n) != NULL)
            *ret = DBV_NULL; /* the writer: reject_unfit() makes a reject of it */
    } else {
        return false;
    }
    return wire_ok(w);
}
