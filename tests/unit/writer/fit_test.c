/* A value of one kind into a column of another: exactly or not at all. */
#include "support/check.h"

#include "base/mem.h"
#include "db/widen.h"
#include "services/writer/fit.h"

#include <stdio.h>

/* A value of its kind, written as text. */
static struct db_val value_of(enum col_kind kind, const char *text)
{
    struct db_val v = dbv_c(text);
    int64_t i = 0;

    if (kind == COL_BOOL)
        return dbv_i(strcmp(text, "true") == 0);
    if (kind == COL_INT) {
        CHECK(str_i64(str_of(text), &i));
        return dbv_i(i);
    }
    if (kind == COL_DECIMAL)
        v.type = DB_DECIMAL;
    return v;
}

static bool equal(const struct db_val *a, const struct db_val *b)
{
    return a->type == b->type && a->i == b->i && (a->type == DB_INT || str_eq(a->s, b->s));
}

#define NO NULL

static const struct {
    enum col_kind from, to;
    const char *value, *expected;
} written[] = {
    { COL_TEXT, COL_TEXT, "0042268", "0042268" },
    { COL_TEXT, COL_TEXT, "", "" },
    /* text takes everything */
    { COL_INT, COL_TEXT, "-9223372036854775808", "-9223372036854775808" },
    { COL_INT, COL_TEXT, "0", "0" },
    { COL_DECIMAL, COL_TEXT, "12345678901234567.89", "12345678901234567.89" },
    { COL_BOOL, COL_TEXT, "true", "true" },
    { COL_BOOL, COL_TEXT, "false", "false" },
    { COL_DATE, COL_TEXT, "2024-08-30", "2024-08-30" },
    { COL_TIME, COL_TEXT, "2024-08-30T12:29:00Z", "2024-08-30T12:29:00Z" },
    { COL_JSON, COL_TEXT, "[1,\"a\"]", "[1,\"a\"]" },
    /* an integer takes what prints as one */
    { COL_TEXT, COL_INT, "42", "42" },
    { COL_TEXT, COL_INT, "-42", "-42" },
    { COL_TEXT, COL_INT, "0", "0" },
    { COL_TEXT, COL_INT, "9223372036854775807", "9223372036854775807" },
    { COL_TEXT, COL_INT, "9223372036854775808", NO },
    { COL_TEXT, COL_INT, "0042268", NO },
    { COL_TEXT, COL_INT, "+42", NO },
    { COL_TEXT, COL_INT, "-0", NO },
    { COL_TEXT, COL_INT, "1.0", NO },
    { COL_TEXT, COL_INT, " 42", NO },
    { COL_TEXT, COL_INT, "", NO },
    { COL_TEXT, COL_INT, "D_42", NO },
    { COL_DECIMAL, COL_INT, "42", "42" },
    { COL_DECIMAL, COL_INT, "-1", "-1" },
    { COL_DECIMAL, COL_INT, "42.5", NO },
    { COL_DECIMAL, COL_INT, "100000000000000000000", NO },
    { COL_BOOL, COL_INT, "true", NO },
    { COL_DATE, COL_INT, "2024-08-30", NO },
    { COL_TIME, COL_INT, "2024-08-30T12:29:00Z", NO },
    { COL_JSON, COL_INT, "42", NO },
    /* a decimal takes integers, and text that is one in its only spelling */
    { COL_INT, COL_DECIMAL, "42", "42" },
    { COL_INT, COL_DECIMAL, "-9223372036854775808", "-9223372036854775808" },
    { COL_TEXT, COL_DECIMAL, "12345678901234567.89", "12345678901234567.89" },
    { COL_TEXT, COL_DECIMAL, "-0.05", "-0.05" },
    { COL_TEXT, COL_DECIMAL, "0", "0" },
    { COL_TEXT, COL_DECIMAL, "12.50", NO },
    { COL_TEXT, COL_DECIMAL, "12.", NO },
    { COL_TEXT, COL_DECIMAL, ".5", NO },
    { COL_TEXT, COL_DECIMAL, "-", NO },
    { COL_TEXT, COL_DECIMAL, "-0", NO },
    { COL_TEXT, COL_DECIMAL, "007.5", NO },
    { COL_TEXT, COL_DECIMAL, "1e3", NO },
    { COL_TEXT, COL_DECIMAL, "1.2.3", NO },
    { COL_TEXT, COL_DECIMAL, "300|EUR", NO },
    { COL_TEXT, COL_DECIMAL, "", NO },
    { COL_BOOL, COL_DECIMAL, "true", NO },
    { COL_JSON, COL_DECIMAL, "1.5", NO },
    /* a boolean takes nothing else */
    { COL_TEXT, COL_BOOL, "Y", NO },
    { COL_TEXT, COL_BOOL, "true", NO },
    { COL_INT, COL_BOOL, "1", NO },
    { COL_DECIMAL, COL_BOOL, "1", NO },
    { COL_JSON, COL_BOOL, "true", NO },
    /* dates and instants */
    { COL_TEXT, COL_DATE, "2024-08-30", "2024-08-30" },
    { COL_TEXT, COL_DATE, "2024-02-30", NO },
    { COL_TEXT, COL_DATE, "0000-01-01", NO },
    { COL_TEXT, COL_DATE, "2024-8-30", NO },
    { COL_TEXT, COL_DATE, "30.08.2024", NO },
    { COL_TEXT, COL_DATE, "2024-08-30T12:29:00Z", NO },
    { COL_TIME, COL_DATE, "2024-08-30T00:00:00Z", NO },
    { COL_DATE, COL_TIME, "2024-08-30", NO },
    { COL_TEXT, COL_TIME, "2024-08-30T12:29:00Z", "2024-08-30T12:29:00Z" },
    { COL_TEXT, COL_TIME, "2024-08-30T12:29:00.250Z", "2024-08-30T12:29:00.250Z" },
    { COL_TEXT, COL_TIME, "2024-08-30T12:29:00.000Z", NO },
    { COL_TEXT, COL_TIME, "2024-08-30T12:29:00+00:00", NO },
    { COL_TEXT, COL_TIME, "2024-08-30T12:29:00z", NO },
    { COL_TEXT, COL_TIME, "2024-08-30 12:29:00Z", NO },
    { COL_TEXT, COL_TIME, "2024-13-30T12:29:00Z", NO },
    { COL_INT, COL_TIME, "1725020940", NO },
    /* JSON takes scalars as such */
    { COL_TEXT, COL_JSON, "a \"b\"\n", "\"a \\\"b\\\"\\n\"" },
    { COL_TEXT, COL_JSON, "", "\"\"" },
    { COL_INT, COL_JSON, "-7", "-7" },
    { COL_DECIMAL, COL_JSON, "0.1", "0.1" },
    { COL_BOOL, COL_JSON, "true", "true" },
    { COL_DATE, COL_JSON, "2024-08-30", "\"2024-08-30\"" },
    { COL_TIME, COL_JSON, "2024-08-30T12:29:00Z", "\"2024-08-30T12:29:00Z\"" },
};

TEST(a_value_is_written_as_it_is_or_not_at_all)
{
    for (size_t i = 0; i < ARRAY_SIZE(written); i++) {
        struct db_val value = value_of(written[i].from, written[i].value), got = dbv_i(77), expected;
        struct buf made;
        buf_init(&made, 10000);
        buf_room(&made, WIDEN_ROOM(&value));
        bool fits = fit_value(written[i].from, written[i].to, &value, &made, &got);
        expected = written[i].expected == NO ? DBV_NULL : value_of(written[i].to, written[i].expected);
        if (fits != (written[i].expected != NO) || !equal(&got, &expected))
            print_error("%s \"%s\" into %s\n", col_kind_name(written[i].from), written[i].value,
                col_kind_name(written[i].to));
        CHECK_EQ(fits, written[i].expected != NO);
        CHECK(equal(&got, &expected));
        CHECK(!made.failed);
        buf_fini(&made);
    }
}

TEST(nothing_fits_everywhere)
{
    struct buf made;

    buf_init(&made, 100);
    for (int from = 0; from < COL_KINDS; from++)
        for (int to = 0; to < COL_KINDS; to++) {
            struct db_val nothing = DBV_NULL, got = dbv_i(1);
            CHECK(fit_value((enum col_kind)from, (enum col_kind)to, &nothing, &made, &got));
            CHECK_EQ(got.type, DB_NULL);
        }
    CHECK_EQ(made.n, 0);
    buf_fini(&made);
}

/* What a column can be widened to takes each of its values: a record is rejected before, and fits afterwards.
 */
TEST(what_widens_always_fits)
{
    static const char *const values[COL_KINDS] = { "x", "1", "1.5", "true", "2024-08-30",
        "2024-08-30T12:29:00Z", "[]" };
    struct buf made;

    buf_init(&made, 1000);
    for (int from = 0; from < COL_KINDS; from++)
        for (int to = 0; to < COL_KINDS; to++) {
            struct db_val value = value_of((enum col_kind)from, values[from]), got;
            CHECK_EQ(col_kind_widens((enum col_kind)from, (enum col_kind)to),
                from != to && (to == COL_TEXT || to == COL_JSON || (from == COL_INT && to == COL_DECIMAL)));
            buf_clear(&made);
            buf_room(&made, WIDEN_ROOM(&value));
            CHECK_EQ(fit_value((enum col_kind)from, (enum col_kind)to, &value, &made, &got),
                from == to || col_kind_widens((enum col_kind)from, (enum col_kind)to));
        }
    buf_fini(&made);
}

TEST(the_reason_says_what_to_do)
{
    char reason[FIT_REASON];

    fit_reason(COL_TEXT, COL_INT, STR("deals"), STR("uf_crm_x"), reason);
    CHECK_STR(reason,
        "the portal's field is now text, the column is int: `potok schema widen deals uf_crm_x` changes it");
    fit_reason(COL_TIME, COL_DATE, STR("deals"), STR("begindate"), reason);
    CHECK_STR(reason,
        "the portal's field is now time, the column is date: drop or rename column begindate, and it "
        "is made anew and filled");
}

TEST_MAIN(CASE(a_value_is_written_as_it_is_or_not_at_all), CASE(nothing_fits_everywhere),
    CASE(what_widens_always_fits), CASE(the_reason_says_what_to_do))
