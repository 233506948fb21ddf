#include "services/potok/verify/compare.h"

#include "support/check.h"

#include <stdio.h>

static struct db_val decimal(const char *s)
{
    return (struct db_val){ DB_DECIMAL, 0, str_of(s) };
}

TEST(the_same_value_in_another_spelling_of_the_engine_is_the_same)
{
    const struct {
        enum col_kind column;
        struct db_val want, have;
        bool same;
    } cases[] = {
        { COL_TEXT, dbv_c("a"), dbv_c("a"), true },
        { COL_TEXT, dbv_c(""), DBV_NULL, false },
        { COL_TEXT, DBV_NULL, dbv_c(""), false },
        { COL_TEXT, DBV_NULL, DBV_NULL, true },
        { COL_TEXT, dbv_c("a"), dbv_c("a "), false },
        { COL_TEXT, dbv_c("1"), dbv_b(STR("1")), false },
        { COL_INT, dbv_i(5), dbv_i(5), true },
        { COL_INT, dbv_i(5), dbv_i(-5), false },
        { COL_INT, dbv_i(5), dbv_c("five"), false },
        { COL_INT, dbv_i(INT64_MIN), dbv_i(INT64_MIN), true },
        { COL_DECIMAL, decimal("12.5"), decimal("12.50"), true },
        { COL_DECIMAL, decimal("12"), dbv_i(12), true },
        { COL_DECIMAL, decimal("0"), decimal("-0.00"), true },
        { COL_DECIMAL, decimal("12.5"), decimal("12.51"), false },
        { COL_DECIMAL, decimal("12.5"), decimal("-12.5"), false },
        { COL_DECIMAL, decimal("0.5"), dbv_c(".5"), false },
        { COL_DECIMAL, decimal("9007199254740993.1"), dbv_c("9007199254740993.1"), true },
        { COL_DECIMAL, decimal("10"), decimal("1"), false },
        { COL_DECIMAL, decimal("10"), dbv_c("1e1"), false },
        { COL_BOOL, dbv_i(1), dbv_i(1), true },
        { COL_BOOL, dbv_i(0), DBV_NULL, false },
        { COL_BOOL, dbv_i(1), dbv_c("1"), false },
        { COL_DATE, dbv_c("2024-08-30"), dbv_c("2024-08-30"), true },
        { COL_DATE, dbv_c("2024-08-30"), dbv_c("2024-8-30"), false },
        { COL_TIME, dbv_c("2024-08-30T12:29:00Z"), dbv_c("2024-08-30T12:29:00Z"), true },
        { COL_TIME, dbv_c("2024-08-30T12:29:00.500Z"), dbv_c("2024-08-30T12:29:00.5Z"), true },
        { COL_TIME, dbv_c("2024-08-30T12:29:00.500Z"), dbv_c("2024-08-30T12:29:00.5001Z"), false },
        { COL_TIME, dbv_c("2024-08-30T12:29:00Z"), dbv_c("2024-08-30T12:29:00.000Z"), true },
        { COL_TIME, dbv_c("2024-08-30T12:29:00Z"), dbv_c("2024-08-30T12:29:00"), false },
        { COL_TIME, dbv_c("2024-08-30T12:29:00Z"), dbv_c("Z"), false },
        { COL_TIME, dbv_c("2024-08-30T12:29:00Z"), dbv_c(""), false },
        { COL_JSON, dbv_c("[1]"), dbv_c("[1]"), true },
        { COL_JSON, dbv_c("[1]"), dbv_c("[1, 2]"), false },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (verify_same(cases[i].column, &cases[i].want, &cases[i].have) != cases[i].same)
            fail_msg("case %zu", i);
}

/* ---- what should be there ---- */

static struct db_val want(struct verify_column c, bool takes_nul, void (*put)(struct buf *),
    struct buf *bytes, struct buf *made, int *ret)
{
    struct db_val value = DBV_NULL;
    struct wire w;

    buf_clear(bytes);
    buf_clear(made);
    buf_room(made, 4096);
    put(bytes);
    wire_init(&w, bytes->p, bytes->n);
    *ret = verify_want(&c, &w, takes_nul, made, &value);
    return value;
}

static void put_nil(struct buf *b)
{
    wire_put_nil(b);
}

static void put_42(struct buf *b)
{
    wire_put_i64(b, 42);
}

static void put_text(struct buf *b)
{
    wire_put_str(b, STR("0042"));
}

static void put_nul(struct buf *b)
{
    wire_put_str(b, STR("a\0b"));
}

TEST(what_a_column_cannot_hold_should_be_null_in_it)
{
    const struct {
        enum col_kind field, column;
        bool takes_nul;
        void (*put)(struct buf *);
        int result;
        struct db_val value;
    } cases[] = {
        { COL_INT, COL_INT, true, put_42, 0, dbv_i(42) },
        { COL_INT, COL_TEXT, true, put_42, 0, dbv_c("42") },
        { COL_TEXT, COL_INT, true, put_text, 0, DBV_NULL },
        { COL_TEXT, COL_TEXT, true, put_text, 0, dbv_c("0042") },
        { COL_TEXT, COL_TEXT, true, put_nul, 0, dbv_s(STR("a\0b")) },
        { COL_TEXT, COL_TEXT, false, put_nul, 0, DBV_NULL },
        { COL_DECIMAL, COL_INT, true, put_nil, 0, DBV_NULL },
        { COL_INT, COL_INT, true, put_text, -1, DBV_NULL },
        { COL_TEXT, COL_TEXT, true, put_42, -1, DBV_NULL },
    };
    struct buf bytes, made;

    buf_init(&bytes, 4096);
    buf_init(&made, 8192);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct verify_column c = { STR("x"), cases[i].field, cases[i].column, true };
        int result;
        struct db_val value = want(c, cases[i].takes_nul, cases[i].put, &bytes, &made, &result);

        if (result != cases[i].result || !verify_same(cases[i].column, &cases[i].value, &value))
            fail_msg("case %zu", i);
    }
    buf_fini(&bytes);
    buf_fini(&made);
}

/* ---- for people ---- */

static void check_shown(struct db_val value, struct db_val other, const char *expected)
{
    struct buf out;

    buf_init(&out, 4096);
    verify_show(&value, &other, &out);
    CHECK_STR(buf_cstr(&out), expected);
    buf_fini(&out);
}

TEST(values_are_shown_on_one_line_and_long_ones_where_they_differ)
{
    char a[600], b[600], expected[200];

    check_shown(DBV_NULL, dbv_c("x"), "NULL");
    check_shown(dbv_i(-7), DBV_NULL, "-7");
    check_shown(decimal("1.5"), DBV_NULL, "1.5");
    check_shown(dbv_c("two\nlines \"so\""), DBV_NULL, "\"two\\nlines \\\"so\\\"\"");
    memset(a, 'x', 599);
    a[599] = '\0';
    memcpy(b, a, 600);
    b[400] = 'y';
    snprintf(expected, sizeof(expected), "…\"%.20sy%.59s\"…", a, a);
    check_shown(dbv_c(b), dbv_c(a), expected);
    for (int i = 0; i < 299; i++)
        memcpy(a + 2 * i, "ж", 2);
    a[598] = '\0';
    snprintf(expected, sizeof(expected), "\"%.80s\"…", a);
    check_shown(dbv_c(a), DBV_NULL, expected);
}

TEST(a_fingerprint_tells_any_change_of_a_row)
{
    struct db_val row[] = { dbv_i(1), dbv_c("a"), DBV_NULL };
    uint64_t before = verify_fingerprint(row, 3);

    CHECK_EQ(before, verify_fingerprint(row, 3));
    row[2] = dbv_c("");
    CHECK(before != verify_fingerprint(row, 3));
    row[2] = DBV_NULL;
    row[1] = dbv_b(STR("a"));
    CHECK(before != verify_fingerprint(row, 3));
    row[1] = dbv_c("a");
    row[0] = dbv_i(2);
    CHECK(before != verify_fingerprint(row, 3));
}

TEST_MAIN(CASE(the_same_value_in_another_spelling_of_the_engine_is_the_same),
    CASE(what_a_column_cannot_hold_should_be_null_in_it),
    CASE(values_are_shown_on_one_line_and_long_ones_where_they_differ),
    CASE(a_fingerprint_tells_any_change_of_a_row))
