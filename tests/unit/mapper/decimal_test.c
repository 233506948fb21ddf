#include "services/mapper/decimal.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdio.h>

static const struct {
    const char *in, *out; /* NULL: not a number */
} CASES[] = {
    { "0", "0" },
    { "00", "0" },
    { "-0", "0" },
    { "+0", "0" },
    { "0.0", "0" },
    { "-0.000", "0" },
    { ".0", "0" },
    { "0.", "0" },
    { "0e5", "0" },
    { "0e999999999999", "0" },
    { "-0e-999999999999", "0" },
    { "1", "1" },
    { "+1", "1" },
    { "-1", "-1" },
    { "007", "7" },
    { "-007", "-7" },
    { "10", "10" },
    { "100", "100" },
    { "1.", "1" },
    { ".5", "0.5" },
    { "-.5", "-0.5" },
    { "0.5", "0.5" },
    { "00.50", "0.5" },
    { "1.10", "1.1" },
    { "1.01", "1.01" },
    { "1000000.00", "1000000" },
    { "999.90", "999.9" },
    { "-12.50", "-12.5" },
    { "0.001", "0.001" },
    { "0.0010", "0.001" },
    { "123456789012345678901234567890.123456789", "123456789012345678901234567890.123456789" },
    { "1e3", "1000" },
    { "1E3", "1000" },
    { "1e+3", "1000" },
    { "1e-3", "0.001" },
    { "1.5e3", "1500" },
    { "1.5e1", "15" },
    { "1.5e0", "1.5" },
    { "1.5e-1", "0.15" },
    { "15e-1", "1.5" },
    { "15e-2", "0.15" },
    { "150e-1", "15" },
    { "1500e-2", "15" },
    { "-2.50E-2", "-0.025" },
    { "1.0E+25", "10000000000000000000000000" },
    { "0.00012e4", "1.2" },
    { "0.00012e3", "0.12" },
    { "12.34e1", "123.4" },
    { "12.34e2", "1234" },
    { "12.34e3", "12340" },
    { "012.340e-003", "0.01234" },
    { "", NULL },
    { " ", NULL },
    { " 1", NULL },
    { "1 ", NULL },
    { "1 000", NULL },
    { "1,5", NULL },
    { "-", NULL },
    { "+", NULL },
    { ".", NULL },
    { "-.", NULL },
    { "e3", NULL },
    { ".e3", NULL },
    { "1e", NULL },
    { "1e+", NULL },
    { "1e3.5", NULL },
    { "1e3e3", NULL },
    { "1.2.3", NULL },
    { "--1", NULL },
    { "+-1", NULL },
    { "1-", NULL },
    { "NaN", NULL },
    { "inf", NULL },
    { "0x10", NULL },
    { "12a", NULL },
    { "\xd9\xa1", NULL },
};

TEST(numbers_have_one_spelling)
{
    char got[DECIMAL_SIZE];

    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        int n = decimal_canon(str_of(CASES[i].in), got);

        if (CASES[i].out == NULL && n != DECIMAL_NOT_A_NUMBER)
            print_error("\"%s\" was taken for the number %s\n", CASES[i].in, got);
        if (CASES[i].out == NULL) {
            CHECK_EQ(n, DECIMAL_NOT_A_NUMBER);
            continue;
        }
        if (n < 0)
            print_error("\"%s\" was refused\n", CASES[i].in);
        CHECK_EQ(n, (int)strlen(CASES[i].out));
        CHECK_STR(got, CASES[i].out);
    }
}

TEST(a_spelling_stays_as_it_is)
{
    char once[DECIMAL_SIZE], twice[DECIMAL_SIZE];

    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        if (CASES[i].out == NULL)
            continue;
        int n = decimal_canon(str_of(CASES[i].in), once);

        CHECK_EQ(decimal_canon((struct str){ once, (size_t)n }, twice), n);
        CHECK_STR(twice, once);
    }
}

/* Every way to write a digit or two with a point and an exponent, against the arithmetic of the C library. */
TEST(small_numbers_agree_with_arithmetic)
{
    char in[64], got[DECIMAL_SIZE], want[64];

    for (int value = -120; value <= 120; value++) {
        for (int exponent = -3; exponent <= 3; exponent++) {
            snprintf(in, sizeof(in), "%de%d", value, exponent);
            CHECK(decimal_canon(str_of(in), got) > 0);
            double number = value;

            for (int i = 0; i < exponent; i++)
                number *= 10;
            for (int i = 0; i > exponent; i--)
                number /= 10;
            snprintf(want, sizeof(want), "%.10g", number);
            CHECK_STR(got, strcmp(want, "-0") == 0 ? "0" : want);
        }
    }
}

TEST(a_thousand_digits_fit_and_no_more)
{
    char in[DECIMAL_DIGITS_MAX + 8], got[DECIMAL_SIZE];

    memset(in, '7', sizeof(in));
    CHECK_EQ(decimal_canon((struct str){ in, DECIMAL_DIGITS_MAX }, got), DECIMAL_DIGITS_MAX);
    CHECK_EQ(decimal_canon((struct str){ in, DECIMAL_DIGITS_MAX + 1 }, got), DECIMAL_TOO_LONG);
    in[0] = '-';
    in[1] = '.';
    CHECK_EQ(decimal_canon((struct str){ in, DECIMAL_DIGITS_MAX + 2 }, got), DECIMAL_DIGITS_MAX + 3);
    CHECK_EQ(decimal_canon(STR("1e999"), got), 1000);
    CHECK_EQ(decimal_canon(STR("1e1000"), got), DECIMAL_TOO_LONG);
    CHECK_EQ(decimal_canon(STR("1e-1000"), got), 1002);
    CHECK_EQ(decimal_canon(STR("1e-1001"), got), DECIMAL_TOO_LONG);
    CHECK_EQ(decimal_canon(STR("1e99999999999999999999999999"), got), DECIMAL_TOO_LONG);
    CHECK_EQ(decimal_canon(STR("1e-99999999999999999999999999"), got), DECIMAL_TOO_LONG);
}

TEST_MAIN(CASE(numbers_have_one_spelling), CASE(a_spelling_stays_as_it_is),
    CASE(small_numbers_agree_with_arithmetic), CASE(a_thousand_digits_fit_and_no_more))
