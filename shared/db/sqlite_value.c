/* Values in and out of SQLite, exactly. A decimal's column has no declared type, so what is bound is what is
 * kept: an integer, a double where the double prints as the same decimal again, otherwise the text itself.
 * The process keeps LC_NUMERIC at "C": the point is a point. */
#include "db/sqlite.h"

#include <stdio.h>
#include <stdlib.h>

#define PLAIN_EXPONENT_MAX \
    30 /* greater and smaller numbers stay text: a double prints to SQLITE_FLOAT_TEXT */

/* "-1.2345e+02" to "-123.45": digits of %e, written out without an exponent and without idle zeros. */
static void write_plain(const char *e_form, char ret[SQLITE_FLOAT_TEXT])
{
    char digits[24] = { 0 };
    int count = 0, exponent = atoi(strchr(e_form, 'e') + 1);
    char *out = ret;

    for (const char *p = e_form; *p != 'e'; p++)
        if (*p >= '0' && *p <= '9')
            digits[count++] = *p;
    while (count > 1 && digits[count - 1] == '0')
        count--;
    if (*e_form == '-')
        *out++ = '-';
    if (exponent < 0) {
        *out++ = '0';
        *out++ = '.';
        for (int i = exponent + 1; i < 0; i++)
            *out++ = '0';
    }
    for (int i = 0; i < count || i <= exponent; i++) {
        if (i == exponent + 1 && exponent >= 0)
            *out++ = '.';
        *out++ = i < count ? digits[i] : '0';
    }
    *out = '\0';
}

/* The shortest of 15 to 17 digits that is the double again. */
void sqlite_float_text(double d, char ret[SQLITE_FLOAT_TEXT])
{
    char e_form[40];

    if (d == 0) {
        memcpy(ret, "0", 2);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(e_form, sizeof(e_form), "%.*e", digits - 1, d);
        if (strtod(e_form, NULL) == d)
            break;
    }
    const char *e = strchr(e_form, 'e');
    if (e == NULL || abs(atoi(e + 1)) > PLAIN_EXPONENT_MAX) /* inf, or far away: no column of ours holds it */
        snprintf(ret, SQLITE_FLOAT_TEXT, "%s", e_form);
    else
        write_plain(e_form, ret);
}

bool sqlite_decimal_is_float(struct str decimal, double *ret)
{
    char text[SQLITE_FLOAT_TEXT], again[SQLITE_FLOAT_TEXT];
    int digits = 0;

    if (decimal.n == 0 || decimal.n >= sizeof(text))
        return false;
    for (size_t i = 0; i < decimal.n; i++)
        digits += decimal.p[i] >= '0' && decimal.p[i] <= '9' && (digits > 0 || decimal.p[i] != '0');
    memcpy(text, decimal.p, decimal.n);
    text[decimal.n] = '\0';
    while (digits > 15 && text[strlen(text) - 1] == '0' && strchr(text, '.') == NULL) {
        text[strlen(text) - 1] = '\0'; /* zeros before the point are not significant */
        digits--;
    }
    if (digits > 15)
        return false;
    memcpy(text, decimal.p, decimal.n);

    double d = strtod(text, NULL);
    sqlite_float_text(d, again);
    if (strlen(again) != decimal.n || memcmp(again, decimal.p, decimal.n) != 0)
        return false;
    *ret = d;
    return true;
}

#define DIGITS_SURE 15 /* of a decimal whose nearest double prints as it again */

/* The usual decimal: written in the one canonical way, with so few digits that both its digits as a number
 * and the power of ten are exact doubles. One division is then rounded as a reading of the text would be.
 * False: look closer. */
static bool read_plain(struct str s, int64_t *ret_digits, int *ret_places)
{
    size_t at = s.n > 0 && s.p[0] == '-', first = at, point = s.n;
    int64_t digits = 0;

    if (s.n == at || s.n - at > DIGITS_SURE + 1)
        return false;
    for (; at < s.n; at++) {
        if (s.p[at] == '.' && point == s.n && at > first)
            point = at;
        else if (s.p[at] >= '0' && s.p[at] <= '9')
            digits = digits * 10 + (s.p[at] - '0');
        else
            return false;
    }
    if ((s.p[first] == '0' && point != first + 1 && s.n != first + 1) ||
        (point == s.n && s.n - first > DIGITS_SURE))
        return false; /* "007"; sixteen digits without a point */
    if (point < s.n && (point + 1 == s.n || s.p[s.n - 1] == '0'))
        return false; /* "1.", "1.50" */
    if (first > 0 && digits == 0)
        return false; /* "-0" */
    *ret_digits = first > 0 ? -digits : digits;
    *ret_places = point < s.n ? (int)(s.n - point - 1) : 0;
    return true;
}

/* As an integer, printed the same again. */
static bool read_integer(struct str s, int64_t *ret)
{
    char text[24];

    if (!str_i64(s, ret))
        return false;
    int n = snprintf(text, sizeof(text), "%lld", (long long)*ret);
    return (size_t)n == s.n && memcmp(text, s.p, s.n) == 0;
}

static int bind_decimal(sqlite3_stmt *stmt, int index, struct str s)
{
    static const double tens[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13,
        1e14, 1e15 };
    int64_t i;
    int places;
    double d;

    if (read_plain(s, &i, &places))
        return places == 0 ? sqlite3_bind_int64(stmt, index, i)
                           : sqlite3_bind_double(stmt, index, (double)i / tens[places]);
    if (read_integer(s, &i))
        return sqlite3_bind_int64(stmt, index, i);
    if (sqlite_decimal_is_float(s, &d))
        return sqlite3_bind_double(stmt, index, d);
    return sqlite3_bind_text64(stmt, index, s.p, s.n, SQLITE_STATIC, SQLITE_UTF8);
}

/* bind_decimal() would keep it as text. */
static bool stays_text(struct str s)
{
    int64_t i;
    int places;
    double d;

    return !read_plain(s, &i, &places) && !read_integer(s, &i) && !sqlite_decimal_is_float(s, &d);
}

/* A column of decimals takes whatever is put there, and one of instants any text. */
bool sqlite_is_as_written(enum col_kind kind, const struct db_val *want, const struct db_val *have)
{
    if (want->type == DB_NULL || have->type == DB_NULL)
        return true;
    if (kind == COL_DECIMAL)
        return (have->type == DB_TEXT) == stays_text(want->s);
    return kind != COL_TIME || str_eq(want->s, have->s);
}

int sqlite_bind(sqlite3_stmt *stmt, int index, const struct db_val *v)
{
    const char *p = v->s.p != NULL ? v->s.p : ""; /* a NULL pointer would bind NULL */

    switch (v->type) {
    case DB_NULL:
        return sqlite3_bind_null(stmt, index);
    case DB_INT:
        return sqlite3_bind_int64(stmt, index, v->i);
    case DB_TEXT:
        return sqlite3_bind_text64(stmt, index, p, v->s.n, SQLITE_STATIC, SQLITE_UTF8);
    case DB_BLOB:
        return sqlite3_bind_blob64(stmt, index, p, v->s.n, SQLITE_STATIC);
    case DB_DECIMAL:
        return bind_decimal(stmt, index, v->s);
    }
    return SQLITE_MISUSE;
}
