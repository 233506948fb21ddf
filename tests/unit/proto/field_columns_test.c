#include "proto/field_columns.h"

#include <stdlib.h>

#include "base/mem.h"
#include "support/check.h"

TEST(columns_are_told_as_the_mapper_fills_them)
{
    static const struct {
        struct field field;
        const char *name, *currency;
    } cases[] = {
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
    struct field fields[ARRAY_SIZE(cases)];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        fields[i] = cases[i].field;
    struct field_column *columns = field_columns(fields, ARRAY_SIZE(cases));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CHECK_STR(columns[i].name, cases[i].name);
        CHECK_STR(columns[i].currency, cases[i].currency);
    }
    free(columns);
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

TEST_MAIN(CASE(columns_are_told_as_the_mapper_fills_them), CASE(a_held_field_has_no_column_and_takes_no_name))
