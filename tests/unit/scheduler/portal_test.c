#include "services/scheduler/rules/portal.h"

#include "support/check.h"

static struct config_portal config(int entities)
{
    static char deals[] = "deals", leads[] = "leads";

    return (struct config_portal){ .name = "main",
        .url = "https://p.bitrix24.ru/rest/1/secret/",
        .drain_per_s = 2,
        .burst = 50,
        .prefix = "crm_",
        .entity_count = entities,
        .entities = { deals, leads } };
}

static struct portal opened(const struct config_portal *c)
{
    struct portal p;

    portal_init(&p, c, 480000);
    portal_add_mirrors(&p);
    return p;
}

TEST(all_entities_are_mirrored_unless_some_are_named)
{
    struct config_portal some = config(2), all = config(0);
    struct portal p = opened(&some);

    CHECK_EQ(p.mirror_count, 2);
    CHECK_STR(p.mirrors[1].table, "crm_leads");
    CHECK_EQ(portal_mirror(&p, STR("lead")), 1);
    CHECK_EQ(portal_mirror(&p, STR("contacts")), -1);
    portal_fini(&p);
    p = opened(&all);
    CHECK_EQ(p.mirror_count, ENTITY_COUNT);
    portal_fini(&p);
}

TEST(the_secret_of_the_address_is_not_remembered)
{
    struct config_portal c = config(1);
    struct portal p = opened(&c);

    CHECK(strstr(p.url, "secret") == NULL);
    CHECK_HAS(p.url, "p.bitrix24.ru");
    portal_fini(&p);
}

TEST(a_stopped_portal_stays_stopped_until_it_is_wanted_again)
{
    struct config_portal c = config(1);
    struct portal p = opened(&c);

    portal_stop(&p, "wrong secret");
    portal_pause(&p, 1000, "busy", 0);
    portal_good(&p);
    CHECK_EQ(portal_state_at(&p, 99999), PORTAL_STOPPED);
    CHECK_STR(p.error, "wrong secret");
    portal_resume(&p);
    CHECK_EQ(portal_state_at(&p, 99999), PORTAL_OK);
    CHECK_STR(p.error, "");
    portal_fini(&p);
}

TEST(a_portal_that_waits_for_its_access_is_asked_nothing_and_fails_nothing)
{
    struct config_portal c = config(1);
    struct portal p = opened(&c);

    CHECK(!portal_is_shut(&p));
    portal_wait_access(&p, "connect it");
    portal_pause(&p, 1000, "busy", 0);
    CHECK_STR(portal_state_name(portal_state_at(&p, 0)), "unconnected");
    CHECK(portal_is_shut(&p));
    CHECK_STR(p.error, "connect it");
    portal_resume(&p);
    CHECK(!portal_is_shut(&p));
    CHECK_EQ(portal_state_at(&p, 99999), PORTAL_OK);
    portal_fini(&p);
}

TEST(a_pause_ends_with_the_next_good_answer)
{
    struct config_portal c = config(1);
    struct portal p = opened(&c);

    portal_pause(&p, 1000, "HTTP 503", 100);
    CHECK_EQ(portal_state_at(&p, 100), PORTAL_WAITING);
    CHECK_EQ(p.pause_ms, 1100);
    portal_good(&p);
    CHECK_EQ(portal_state_at(&p, 2000), PORTAL_OK);
    portal_fini(&p);
}

TEST(calls_that_fail_in_a_row_make_a_portal_unwell_once)
{
    struct config_portal c = config(1);
    struct portal p = opened(&c);
    int told = 0;

    for (int i = 0; i < 20; i++)
        told += portal_bad(&p, "no connection", 1000);
    CHECK_EQ(told, 1);
    CHECK(portal_is_unwell(&p));
    CHECK(p.pause_ms > 1000 && p.pause_ms <= 1000 + PORTAL_UNWELL_PAUSE_MS);
    portal_good(&p);
    CHECK(!portal_is_unwell(&p));
    portal_fini(&p);
}

TEST(the_operating_seconds_of_a_job_are_its_methods)
{
    struct config_portal c = config(1);
    struct portal p = opened(&c);
    char method[64];

    CHECK_STR(portal_method(&p.mirrors[0], JOB_RANGE, method), "crm.deal.list");
    CHECK_STR(portal_method(&p.mirrors[0], JOB_IDS, method), "crm.deal.list");
    CHECK_STR(portal_method(&p.mirrors[0], JOB_GET, method), "crm.deal.get");
    CHECK(portal_method(&p.mirrors[0], JOB_PROBE, method) == NULL);
    portal_fini(&p);
}

TEST(unknown_fields_are_gathered_once_each)
{
    struct config_portal c = config(1);
    struct portal p = opened(&c);
    struct mirror *m = &p.mirrors[0];

    mirror_unknown(m, STR("UF_A UF_AB"));
    mirror_unknown(m, STR(" UF_B UF_A  UF_AB "));
    CHECK_STR(m->unknown, "UF_A UF_AB UF_B");
    portal_fini(&p);
}

TEST(the_size_of_a_record_is_a_mean_over_many)
{
    struct config_portal c = config(1);
    struct portal p = opened(&c);
    struct mirror *m = &p.mirrors[0];

    mirror_saw(m, 0, 500);
    CHECK_EQ(m->record_bytes, 0);
    mirror_saw(m, 2500, 2500 * 1999);
    CHECK_EQ(m->record_bytes, 2000);
    mirror_saw(m, 1, 60000); /* the end of a range: one record, and what any answer has around them */
    CHECK(m->record_bytes < 2030);
    for (int i = 0; i < 40; i++)
        mirror_saw(m, 2500, 2500 * 3999);
    CHECK(m->record_bytes > 3900 && m->record_bytes <= 4000); /* what was long ago does not count */
    portal_fini(&p);
}

TEST(a_list_fails_when_no_single_record_can_be_the_reason)
{
    struct mirror one = { .entity = NULL }, all = { .entity = NULL };

    for (int n = 0; n < 100; n++)
        CHECK(!mirror_range_failed(&one, n < 50 ? 1 + (uint64_t)n : 50, 50)); /* always around record 50 */
    for (int n = 1; n < MIRROR_LIST_FAILS; n++)
        CHECK(!mirror_range_failed(&all, n % 2 ? 1 : 51, n % 2 ? 50 : 100));
    mirror_range_done(&all); /* it answers something */
    for (int n = 1; n < MIRROR_LIST_FAILS; n++)
        CHECK(!mirror_range_failed(&all, n % 2 ? 1 : 51, n % 2 ? 50 : 100));
    CHECK(mirror_range_failed(&all, 1, 50));
}

TEST(what_a_probe_waits_for_is_known_until_it_is_answered)
{
    struct mirror m = { .probe_fails = 0 };

    mirror_probe_failed(&m, "first");
    mirror_probe_failed(&m, "second");
    CHECK_EQ(m.probe_fails, 2);
    CHECK_STR(m.probe_error, "second");
    mirror_probe_anew(&m);
    CHECK_EQ(m.probe_fails, 0);
    CHECK_STR(m.probe_error, "");
}

TEST_MAIN(CASE(what_a_probe_waits_for_is_known_until_it_is_answered),
    CASE(a_list_fails_when_no_single_record_can_be_the_reason),
    CASE(all_entities_are_mirrored_unless_some_are_named), CASE(the_secret_of_the_address_is_not_remembered),
    CASE(a_stopped_portal_stays_stopped_until_it_is_wanted_again),
    CASE(a_portal_that_waits_for_its_access_is_asked_nothing_and_fails_nothing),
    CASE(a_pause_ends_with_the_next_good_answer), CASE(calls_that_fail_in_a_row_make_a_portal_unwell_once),
    CASE(the_operating_seconds_of_a_job_are_its_methods), CASE(unknown_fields_are_gathered_once_each),
    CASE(the_size_of_a_record_is_a_mean_over_many))
