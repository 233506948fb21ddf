/* Values go in and come out as they were. */
#include "unit/db/fixture.h"

#include "base/mem.h"

#include <stdlib.h>

struct got {
    enum db_type type;
    int64_t i;
    char *bytes;
    size_t n;
};

static int keep(void *ctx, const struct db_val *row, int columns)
{
    struct got *g = ctx;

    CHECK_EQ(columns, 1);
    g->type = row[0].type;
    g->i = row[0].i;
    g->bytes = xmalloc(row[0].s.n + 1);
    if (row[0].s.n > 0)
        memcpy(g->bytes, row[0].s.p, row[0].s.n);
    g->bytes[row[0].s.n] = '\0';
    g->n = row[0].s.n;
    return 0;
}

static int next_of_one(void *ctx, int64_t *ret_id, struct str *ret_hash, struct db_val *values)
{
    const struct db_val **v = ctx;

    if (*v == NULL)
        return 0;
    *ret_id = 1;
    *ret_hash = STR("0123456789abcdef");
    values[0] = **v;
    *v = NULL;
    return 1;
}

/* The same by the bulk way, over what stands there. */
static void check_upsert(
    struct db *db, const struct db_column *column, struct db_val v, const struct got *same)
{
    const struct db_val *ctx = &v;
    struct db_upsert u = { .table = STR("t"),
        .columns = column,
        .count = 1,
        .stamp = { 2, 2, 0, 0 },
        .next = next_of_one,
        .ctx = &ctx };
    struct got got = { 0 };
    struct err err = { 0 };
    char sql[128];

    CHECK_OK(db_upsert(db, &u, NULL, &err), err);
    snprintf(sql, sizeof(sql), "SELECT %.*s FROM t", (int)column->name.n, column->name.p);
    CHECK_OK(db_run(db, sql, DB_NOARGS, keep, &got, NULL, &err), err);
    CHECK_EQ(got.type, same->type);
    CHECK(got.i == same->i && got.n == same->n && memcmp(got.bytes, same->bytes, got.n) == 0);
    free(got.bytes);
}

/* Writes the value into a column of the mirror of this kind and reads it back. */
static struct got round_trip(enum col_kind kind, struct db_val v)
{
    static struct db *db;
    static const char *const names[COL_KINDS] = { "a_text", "a_int", "a_decimal", "a_bool", "a_date",
        "a_time", "a_json" };
    struct db_column columns[COL_KINDS];
    struct err err = { 0 };
    struct got got = { 0 };
    char sql[128];

    for (int i = 0; i < COL_KINDS; i++)
        columns[i] = (struct db_column){ str_of(names[i]), (enum col_kind)i };
    if (db == NULL) {
        db = test_open("values.db");
        CHECK_OK(db_migrate(db, &err), err);
    }
    CHECK_OK(db_ensure_table(db, STR("t"), columns, COL_KINDS, NULL, &err), err);
    CHECK_OK(db_begin(db, &err), err);
    snprintf(sql, sizeof(sql), "INSERT INTO t (id, _hi, %s) VALUES (1, 1, $1)", names[kind]);
    CHECK_OK(db_run(db, sql, DB_ARGS(v), NULL, NULL, NULL, &err), err);
    snprintf(sql, sizeof(sql), "SELECT %s FROM t", names[kind]);
    CHECK_OK(db_run(db, sql, DB_NOARGS, keep, &got, NULL, &err), err);
    check_upsert(db, &columns[kind], v, &got);
    CHECK(db_is_as_written(db, kind, &v, &(struct db_val){ got.type, got.i, { got.bytes, got.n } }));
    db_rollback(db);
    if (v.type == DB_NULL && got.type == DB_NULL && kind == COL_KINDS - 1)
        db_close(&db); /* the last case of the last test */
    return got;
}

static void check_text(enum col_kind kind, struct db_val v, struct str expected)
{
    struct got got = round_trip(kind, v);

    if (got.type == DB_INT) {
        char number[32];
        snprintf(number, sizeof(number), "%lld", (long long)got.i);
        CHECK_VIEW(expected, number);
    } else if (got.n != expected.n || memcmp(got.bytes, expected.p, got.n) != 0) {
        print_error("\"%s\" came back as \"%s\"\n", expected.p, got.bytes);
        fail();
    }
    free(got.bytes);
}

static struct db_val decimal(const char *text)
{
    struct db_val v = dbv_c(text);

    v.type = DB_DECIMAL;
    return v;
}

TEST(decimals_of_known_difficulty_round_trip)
{
    static const char *const cases[] = { "0", "1", "-1", "0.1", "-0.5", "999.9", "12345678901234.5",
        "123456789012345.6", "0.30000000000000004", "0.1234567890123456789", "9223372036854775807",
        "-9223372036854775808", "9223372036854775808", "18446744073709551616", "100000000000000000000",
        "1000000000000000000000000000000", "10000000000000000000000000000000000000", "0.000001",
        "0.00000000000000000000000000000000000000000001", "123456789.12345", "1.7976931348623157",
        "4503599627370497.5", "0.000000000000001", "999999999999999", "99999999999999.9",
        "999999999999999.9" };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        check_text(COL_DECIMAL, decimal(cases[i]), str_of(cases[i]));
}

TEST(decimals_of_1_to_40_digits_round_trip)
{
    unsigned seed = 42;
    char text[64];

    for (int digits = 1; digits <= 40; digits++) {
        for (int point = 0; point <= digits; point++) { /* digits before the point */
            int n = 0;
            if (rand_r(&seed) % 2)
                text[n++] = '-';
            if (point == 0)
                text[n++] = '0';
            for (int i = 0; i < digits; i++) {
                if (i == point)
                    text[n++] = '.';
                int least = i == 0 || i == digits - 1; /* canonical: no idle zeros at either end */
                text[n++] = (char)('0' + least + rand_r(&seed) % (10 - least));
            }
            text[n] = '\0';
            check_text(COL_DECIMAL, decimal(text), str_of(text));
        }
    }
}

TEST(decimals_that_fit_are_numbers_for_sums)
{
    ONLY_SQLITE();
    struct db *db = test_open("sums.db");
    struct err err = { 0 };
    static const char *const in[] = { "12.5", "100", "0.25" };

    test_write(db, "CREATE TABLE t (v)");
    CHECK_OK(db_begin(db, &err), err);
    for (size_t i = 0; i < ARRAY_SIZE(in); i++)
        CHECK_OK(
            db_run(db, "INSERT INTO t VALUES ($1)", DB_ARGS(decimal(in[i])), NULL, NULL, NULL, &err), err);
    CHECK_OK(db_commit(db, &err), err);
    CHECK_STR(test_rows(db, "SELECT sum(v) FROM t"), "112.75;");
    CHECK_STR(test_rows(db, "SELECT DISTINCT typeof(v) FROM t ORDER BY 1"), "integer;real;");
    db_close(&db);
}

/* What somebody else put there may be equal and yet neither add nor sort like what Potok writes. */
TEST(a_value_in_a_form_that_is_not_ours_is_told)
{
    ONLY_SQLITE();
    static const struct {
        enum col_kind kind;
        const char *want;
        struct db_val have;
        bool is;
    } cases[] = {
        { COL_DECIMAL, "12.5", { DB_DECIMAL, 0, { "12.5", 4 } }, true },
        { COL_DECIMAL, "12.5", { DB_TEXT, 0, { "12.5", 4 } }, false },
        { COL_DECIMAL, "12", { DB_INT, 12, { NULL, 0 } }, true },
        { COL_DECIMAL, "12", { DB_TEXT, 0, { "12", 2 } }, false },
        { COL_DECIMAL, "9223372036854775807", { DB_TEXT, 0, { "9223372036854775807", 19 } }, false },
        { COL_DECIMAL, "9223372036854775808", { DB_TEXT, 0, { "9223372036854775808", 19 } }, true },
        { COL_DECIMAL, "0.30000000000000004", { DB_TEXT, 0, { "0.30000000000000004", 19 } }, true },
        { COL_DECIMAL, "0.30000000000000004", { DB_DECIMAL, 0, { "0.30000000000000004", 19 } }, false },
        { COL_TIME, "2024-08-30T12:29:00Z", { DB_TEXT, 0, { "2024-08-30T12:29:00Z", 20 } }, true },
        { COL_TIME, "2024-08-30T12:29:00Z", { DB_TEXT, 0, { "2024-08-30T12:29:00.000Z", 24 } }, false },
    };
    struct db *db = test_open("forms.db");

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct db_val want = cases[i].kind == COL_DECIMAL ? decimal(cases[i].want) : dbv_c(cases[i].want);

        if (db_is_as_written(db, cases[i].kind, &want, &cases[i].have) != cases[i].is)
            fail_msg("case %zu", i);
    }
    db_close(&db);
}

TEST(integers_round_trip)
{
    static const int64_t cases[] = { 0, 1, -1, INT64_MAX, INT64_MIN, 1LL << 53, (1LL << 53) + 1 };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct got got = round_trip(COL_INT, dbv_i(cases[i]));
        CHECK_EQ(got.type, DB_INT);
        CHECK(got.i == cases[i]);
        free(got.bytes);
    }
}

TEST(texts_round_trip_also_when_they_look_like_numbers)
{
    static const struct {
        enum col_kind kind;
        struct str text;
    } cases[] = {
        { COL_TEXT, { "", 0 } },
        { COL_TEXT, { "007", 3 } },
        { COL_TEXT, { "1e5", 3 } },
        { COL_TEXT, { "a\0b", 3 } },
        { COL_TEXT, { "Привет, \xf0\x9f\x98\x80", 18 } },
        { COL_DATE, { "2024-08-30", 10 } },
        { COL_TIME, { "2024-08-30T12:29:00Z", 20 } },
        { COL_JSON, { "2.50", 4 } },
        { COL_JSON, { "[1,\"2\",{\"a\":1.10}]", 18 } },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (!check_is_postgres() || memchr(cases[i].text.p, '\0', cases[i].text.n) == NULL)
            check_text(cases[i].kind, dbv_s(cases[i].text), cases[i].text);
}

TEST(booleans_are_0_and_1)
{
    check_text(COL_BOOL, dbv_i(0), STR("0"));
    check_text(COL_BOOL, dbv_i(1), STR("1"));
}

TEST(null_is_null_in_every_kind)
{
    for (int kind = 0; kind < COL_KINDS; kind++) {
        struct got got = round_trip((enum col_kind)kind, DBV_NULL);
        CHECK_EQ(got.type, DB_NULL);
        free(got.bytes);
    }
}

TEST_MAIN(CASE(decimals_of_known_difficulty_round_trip), CASE(decimals_of_1_to_40_digits_round_trip),
    CASE(decimals_that_fit_are_numbers_for_sums), CASE(a_value_in_a_form_that_is_not_ours_is_told),
    CASE(integers_round_trip), CASE(texts_round_trip_also_when_they_look_like_numbers),
    CASE(booleans_are_0_and_1), CASE(null_is_null_in_every_kind))
