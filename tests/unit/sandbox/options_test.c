#include "services/sandbox/options.h"

#include "base/mem.h"
#include "support/check.h"

static int parse(struct options *o, struct err *err, const char *a, const char *b)
{
    char *argv[] = { "potok-sandbox", (char *)a, (char *)b, NULL };

    return options_parse(o, b ? 3 : a ? 2 : 1, argv, err);
}

TEST(defaults_make_a_small_portal_of_the_standard_tariff)
{
    struct options o;
    struct err err;

    CHECK_OK(parse(&o, &err, NULL, NULL), err);
    CHECK_STR(o.portal.tariff, "standard");
    CHECK_EQ(o.portal.store.counts[DEAL], 3000);
    CHECK_EQ(o.portal.operating_window_ms, 600000);
    CHECK(o.portal.operating_limit_s == 480);
    options_fini(&o);
}

TEST(without_a_tariff_there_is_no_operating_limit_unless_given)
{
    struct options o;
    struct err err;
    char *argv[] = { "x", "--tariff=off", "--operating-limit", "20" };

    CHECK_OK(parse(&o, &err, "--tariff", "off"), err);
    CHECK(o.portal.operating_limit_s == 0);
    options_fini(&o);
    CHECK_OK(options_parse(&o, 4, argv, &err), err);
    CHECK(o.portal.operating_limit_s == 20);
    options_fini(&o);
}

TEST(wrong_words_are_named)
{
    static const struct {
        const char *a, *b, *part;
    } cases[] = {
        { "--deals", "many", "--deals many" },
        { "--port", "70000", "65535" },
        { "--deal", "5", "--deal" },
        { "deals", "5", "deals" },
        { "--seed", NULL, "missing" },
        { "--quirk", "odd", "--quirk odd" },
        { "--operating-cost", "x", "--operating-cost x" },
        { "--deals", "-5", "-5" },
        { "--operating-window", "0.1", "1 second" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct options o;
        struct err err = { 0 };
        CHECK_EQ(parse(&o, &err, cases[i].a, cases[i].b), -1);
        CHECK_EQ(err.kind, ERR_CONF);
        CHECK_HAS(err.text, cases[i].part);
        options_fini(&o);
    }
}

TEST_MAIN(CASE(defaults_make_a_small_portal_of_the_standard_tariff),
    CASE(without_a_tariff_there_is_no_operating_limit_unless_given), CASE(wrong_words_are_named))
