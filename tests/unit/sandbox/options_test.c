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
        { "--events", "127.0.0.1:80", "--events: not a URL" },
        { "--tls-cert", "cert.pem", "both or none" },
        { "--event-drop", "101", "from 0 to 100" },
        { "--scope", "crm,cmr", "--scope crm,cmr" },
        { "--application-token", "12345678901234567890123456789012345678901234567890123456789012345", "64" },
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

TEST(handlers_of_events_may_be_several)
{
    struct options o;
    struct err err = { 0 };
    char *argv[] = { "x", "--events", "http://a/", "--events=http://b/", "--app-events", "https://c/",
        "--lag", "7", "--event-hold", "3", "--application-token", "t" };
    char *many[1 + 2 * (EVENT_URLS_MAX + 1)] = { "x" };

    CHECK_OK(options_parse(&o, ARRAY_SIZE(argv), argv, &err), err);
    CHECK_STR(o.portal.events.webhooks[0], "http://a/");
    CHECK_STR(o.portal.events.webhooks[1], "http://b/");
    CHECK(o.portal.events.webhooks[2] == NULL);
    CHECK_STR(o.portal.events.apps[0], "https://c/");
    CHECK_EQ(o.portal.events.lag_ms, 7);
    CHECK_EQ(o.portal.events.faults.hold, 3);
    CHECK_EQ(o.portal.events.faults.late_ms, 1000);
    CHECK_STR(o.portal.events.application_token, "t");
    options_fini(&o);
    for (int i = 0; i <= EVENT_URLS_MAX; i++) {
        many[1 + i * 2] = "--events";
        many[2 + i * 2] = "http://a/";
    }
    CHECK_EQ(options_parse(&o, ARRAY_SIZE(many), many, &err), -1);
    CHECK_HAS(err.text, "at most 8 times");
    options_fini(&o);
}

TEST_MAIN(CASE(defaults_make_a_small_portal_of_the_standard_tariff),
    CASE(without_a_tariff_there_is_no_operating_limit_unless_given), CASE(wrong_words_are_named),
    CASE(handlers_of_events_may_be_several))
