#include "proto/field_columns.h"

#include <stdlib.h>

#include "base/mem.h"
#include "support/check.h"

struct named {
    struct field field;
    const char *name, *currency;
};

static void check_names(const struct named *cases, int count)
{
    struct field *fields = xcalloc((size_t)count, sizeof(*fields));

    for (int i = 0; i < count; i++)
        fields[i] = cases[i].field;
    struct field_column *columns = field_columns(fields, count);
    for (int i = 0; i < count; i++) {
        CHECK_STR(columns[i].name, cases[i].name);
        CHECK_STR(columns[i].currency, cases[i].currency);
    }
    free(columns);
    free(fields);
}

TEST(columns_are_told_as_the_mapper_fills_them)
{
    static const struct named cases[] = {
        /* by name, as a schema is */
        { { STR("A-B"), STR("string"), false, HOLD_NOT }, "a_b", "" },
        { { STR("A.B"), STR("string"), false, HOLD_NOT }, "a_b_2", "" },
        { { STR("A_B"), STR("string"), false, HOLD_NOT }, "a_b_3", "" },
        { { STR("ID"), STR("integer"), false, HOLD_NOT }, "", "" },
        { { STR("Id"), STR("integer"), false, HOLD_NOT }, "id_2", "" },
        { { STR("PRICE"), STR("money"), false, HOLD_NOT }, "price", "price_currency_2" },
        { { STR("PRICES"), STR("money"), true, HOLD_NOT }, "prices", "" },
        { { STR("PRICE_CURRENCY"), STR("string"), false, HOLD_NOT }, "price_currency", "" },
    };

    check_names(cases, ARRAY_SIZE(cases));
}

/* A field that nobody has accepted yet must not move the columns of others. */
TEST(a_held_field_has_no_column_and_takes_no_name)
{
    static const struct field fields[] = {
        { STR("PRICE"), STR("money"), false, HOLD_NOT },
        { STR("PRICE_CURRENCY"), STR("string"), false, HOLD_OUT },
        { STR("X"), STR("money"), false, HOLD_ASIDE },
    };
    struct field_column *columns = field_columns(fields, 3);

    CHECK_STR(columns[0].currency, "price_currency");
    CHECK_STR(columns[1].name, "");
    CHECK_STR(columns[2].name, "");
    CHECK_STR(columns[2].currency, "");
    free(columns);
}

#define TEN(s) s s s s s s s s s s

/* One field with a name that a database refuses would keep its whole entity out. */
TEST(every_name_is_one_that_each_database_takes)
{
    static const struct named cases[] = {
        { { STR("CTID"), STR("string"), false, HOLD_NOT }, "ctid_2", "" },
        { { STR("UF_" TEN("x") TEN("x") TEN("x") TEN("x") TEN("x") "12345678901"), STR("string"), false,
              HOLD_NOT },
            "uf_" TEN("x") TEN("x") TEN("x") TEN("x") TEN("x") "1234567890", "" },
        { { STR("UF_" TEN("x") TEN("x") TEN("x") TEN("x") TEN("x") "12345678902"), STR("string"), false,
              HOLD_NOT },
            "uf_" TEN("x") TEN("x") TEN("x") TEN("x") TEN("x") "12345678_2", "" },
        { { STR("UF_" TEN("x") TEN("x") TEN("x") TEN("x") TEN("y")), STR("money"), false, HOLD_NOT },
            "uf_" TEN("x") TEN("x") TEN("x") TEN("x") TEN("y"),
            "uf_" TEN("x") TEN("x") TEN("x") TEN("x") TEN("y") "_currency" },
        { { STR("UF_" TEN("x") TEN("x") TEN("x") TEN("x") TEN("z") "12345"), STR("money"), false, HOLD_NOT },
            "uf_" TEN("x") TEN("x") TEN("x") TEN("x") TEN("z") "12345",
            "uf_" TEN("x") TEN("x") TEN("x") TEN("x") TEN("z") "1_currency" },
        { { STR("XMAX"), STR("string"), false, HOLD_NOT }, "xmax_2", "" },
        { { STR("tableoid"), STR("string"), false, HOLD_NOT }, "tableoid_2", "" },
    };

    check_names(cases, ARRAY_SIZE(cases));
    free(field_columns(&cases[0].field, 0));
}

TEST_MAIN(CASE(columns_are_told_as_the_mapper_fills_them), CASE(a_held_field_has_no_column_and_takes_no_name),
    CASE(every_name_is_one_that_each_database_takes))
