#include "services/scheduler/rules/bucket.h"

#include <stdio.h>

#include "support/check.h"

static const struct bucket_tariff STANDARD = { 50, 2 }, ENTERPRISE = { 250, 5 };

TEST(a_bucket_is_the_host_of_an_address)
{
    static const struct {
        const char *url, *host;
    } cases[] = {
        { "https://Portal.Bitrix24.ru/rest/1/s3cr3t/", "portal.bitrix24.ru" },
        { "https://portal.bitrix24.ru:443/rest/7/other/", "portal.bitrix24.ru" },
        { "https://portal.example:8443/rest/1/s/", "portal.example:8443" },
        { "http://127.0.0.1:9/rest/1/s/", "127.0.0.1:9" },
        { "https://portal.example", "portal.example" },
        { "", "" },
    };
    char host[BUCKET_HOST_SIZE];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bucket_host(cases[i].url, host);
        CHECK_STR(host, cases[i].host);
    }
}

TEST(portals_of_one_host_share_a_bucket_and_sources_have_their_own)
{
    struct buckets b = { 0 };
    int a = bucket_of(&b, "a.example", "", STANDARD, 0), c = bucket_of(&b, "c.example", "", STANDARD, 0),
        far = bucket_of(&b, "a.example", "198.51.100.7", STANDARD, 0);

    CHECK_EQ(bucket_of(&b, "a.example", "", STANDARD, 0), a);
    CHECK_EQ(bucket_find(&b, "a.example", "198.51.100.7"), far);
    CHECK_EQ(bucket_find(&b, "c.example", "198.51.100.7"), -1);
    CHECK(a != c && a != far && c != far);
    for (int i = 0; i < 3; i++)
        pace_take(&b.list[far].pace, 0);
    CHECK(buckets_level(&b, "a.example", 0) == 3);
    CHECK(buckets_level(&b, "c.example", 0) == 0);
    buckets_fini(&b);
}

TEST(the_smallest_tariff_said_for_a_host_holds)
{
    struct buckets b = { 0 };
    int i = bucket_of(&b, "a.example", "", ENTERPRISE, 0);

    CHECK_EQ(b.list[i].pace.room, 244);
    bucket_of(&b, "a.example", "", STANDARD, 0);
    CHECK_EQ(b.list[i].pace.room, 47);
    CHECK_EQ(b.list[i].pace.drain_per_s, 2);
    bucket_of(&b, "a.example", "", ENTERPRISE, 0);
    CHECK_EQ(b.list[i].pace.room, 47);
    CHECK_EQ(b.list[bucket_of(&b, "a.example", "far", ENTERPRISE, 0)].pace.room, 47);
    buckets_fini(&b);
}

TEST(what_the_sharers_saved_is_taken_up_the_fullest_first_or_last)
{
    struct buckets b = { 0 };
    int i = bucket_of(&b, "a.example", "", STANDARD, 1000);

    bucket_restore(&b, i, 20, 500000, 501000, 1000); /* within the grace: in full */
    bucket_restore(&b, i, 40, 490000, 501000, 1000); /* older: 40 - 9 s * 2 */
    CHECK(pace_level(&b.list[i].pace, 1000) == 22);
    bucket_restore(&b, i, 5, 501000, 501000, 1000);
    CHECK(pace_level(&b.list[i].pace, 1000) == 22);
    int far = bucket_of(&b, "a.example", "far", STANDARD, 3000); /* whose it was is not known */
    CHECK(pace_level(&b.list[far].pace, 3000) == 18);
    buckets_fini(&b);
}

TEST(calls_are_covered_by_a_saved_level_for_a_moment)
{
    struct buckets b = { 0 };
    int a = bucket_of(&b, "a.example", "", STANDARD, 0), c = bucket_of(&b, "c.example", "", STANDARD, 0);

    CHECK(!bucket_covered(&b.list[a], 0));
    buckets_cover(&b, "a.example", 100);
    CHECK(bucket_covered(&b.list[a], 100 + BUCKET_COVER_MS - 1));
    CHECK(!bucket_covered(&b.list[a], 100 + BUCKET_COVER_MS));
    CHECK(!bucket_covered(&b.list[c], 100));
    b.list[a].covered = 0;
    CHECK(!bucket_covered(&b.list[a], 100));
    buckets_fini(&b);
}

TEST(many_sources_are_limited_and_idle_ones_make_room)
{
    struct buckets b = { 0 };
    int first = bucket_of(&b, "a.example", "", STANDARD, 0);
    char source[32];

    for (int i = 1; i < BUCKETS_MAX; i++) {
        snprintf(source, sizeof(source), "source %d", i);
        pace_take(&b.list[bucket_of(&b, "a.example", source, STANDARD, 0)].pace, 0);
    }
    CHECK_EQ(bucket_of(&b, "a.example", "one more", STANDARD, 0), first);
    pace_arrived(&b.list[9].pace, 0);
    CHECK_EQ(bucket_of(&b, "a.example", "one more", STANDARD, 400), first);
    CHECK_EQ(bucket_of(&b, "a.example", "one more", STANDARD, 1000), 9);
    buckets_fini(&b);
}

TEST_MAIN(CASE(a_bucket_is_the_host_of_an_address),
    CASE(portals_of_one_host_share_a_bucket_and_sources_have_their_own),
    CASE(the_smallest_tariff_said_for_a_host_holds),
    CASE(what_the_sharers_saved_is_taken_up_the_fullest_first_or_last),
    CASE(calls_are_covered_by_a_saved_level_for_a_moment),
    CASE(many_sources_are_limited_and_idle_ones_make_room))
