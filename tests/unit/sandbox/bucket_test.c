#include "services/sandbox/limits/bucket.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdio.h>

static struct bucket of_tariff(const char *tariff)
{
    struct bucket b = { 0 };

    CHECK(bucket_tariff(&b, tariff));
    return b;
}

static int passes(struct bucket *b, const char *remote, uint64_t now_ms, int tries)
{
    int passed = 0;

    for (int i = 0; i < tries; i++)
        passed += bucket_take(b, remote, now_ms);
    return passed;
}

TEST(the_burst_is_one_more_than_the_threshold_read_literally)
{
    struct bucket b = of_tariff("standard");

    CHECK_EQ(passes(&b, "a", 5000, 100), 51);
    CHECK(b.greatest == 51);
}

TEST(it_leaks_once_a_second_and_not_between)
{
    struct bucket b = of_tariff("2/5");

    CHECK_EQ(passes(&b, "a", 5100, 20), 6);
    CHECK_EQ(passes(&b, "a", 5999, 20), 0);
    CHECK_EQ(passes(&b, "a", 6000, 20), 2);
    CHECK_EQ(passes(&b, "a", 6999, 20), 0);
    CHECK_EQ(passes(&b, "a", 60000, 20), 6);
}

TEST(refused_requests_do_not_count)
{
    struct bucket b = of_tariff("2/5");

    passes(&b, "a", 1000, 1000);
    CHECK_EQ(passes(&b, "a", 2000, 1000), 2);
}

TEST(each_address_has_its_own)
{
    struct bucket b = of_tariff("2/5");

    CHECK_EQ(passes(&b, "a", 1000, 20), 6);
    CHECK_EQ(passes(&b, "b", 1000, 20), 6);
    for (int i = 0; i < 1000; i++) { /* more sources than are remembered */
        char remote[16];
        snprintf(remote, sizeof(remote), "10.0.%d.%d", i / 250, i % 250);
        CHECK(bucket_take(&b, remote, 2000));
    }
}

TEST(the_second_forms_are_options)
{
    struct bucket strict = of_tariff("2/5"), continuous = of_tariff("2/5");

    strict.strict = true;
    CHECK_EQ(passes(&strict, "a", 1000, 20), 5);
    continuous.continuous = true;
    CHECK_EQ(passes(&continuous, "a", 1000, 20), 6);
    CHECK_EQ(passes(&continuous, "a", 1500, 20), 1);
}

TEST(tariffs_are_read)
{
    static const struct {
        const char *text;
        bool good;
        double drain, burst;
    } cases[] = { { "standard", true, 2, 50 }, { "enterprise", true, 5, 250 }, { "off", true, 0, 0 },
        { "7/30", true, 7, 30 }, { "7", false, 0, 0 }, { "7/30x", false, 0, 0 }, { "0/5", false, 0, 0 },
        { "", false, 0, 0 } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bucket b = { 0 };
        CHECK_EQ(bucket_tariff(&b, cases[i].text), cases[i].good);
        CHECK(b.drain_per_s == cases[i].drain && b.burst == cases[i].burst);
    }
    struct bucket off = of_tariff("off");
    CHECK_EQ(passes(&off, "a", 1000, 500), 500);
}

TEST_MAIN(CASE(the_burst_is_one_more_than_the_threshold_read_literally),
    CASE(it_leaks_once_a_second_and_not_between), CASE(refused_requests_do_not_count),
    CASE(each_address_has_its_own), CASE(the_second_forms_are_options), CASE(tariffs_are_read))
