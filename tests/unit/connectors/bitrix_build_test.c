#include "connectors/bitrix.h"

#include "answers.h"

#include <ctype.h>
#include <jansson.h>

/* The batch of a job as JSON; the caller decrefs. */
static json_t *build(const struct asked *asked)
{
    struct err err = { .kind = ERR_NONE };
    json_error_t wrong;
    struct buf body;

    buf_init(&body, 4 << 20);
    CHECK_OK(bitrix_build(&asked->job, &body, &err), err);
    json_t *json = json_loads(buf_cstr(&body), 0, &wrong);
    assert_non_null(json);
    buf_fini(&body);
    return json;
}

/* One pass of percent-decoding, which is what the portal does. */
static const char *command(json_t *json, const char *key)
{
    static char text[8192];
    const char *p = json_string_value(json_object_get(json_object_get(json, "cmd"), key));
    size_t n = 0;

    assert_non_null(p);
    for (; *p != '\0' && n + 1 < sizeof(text); p++) {
        CHECK(isalnum((unsigned char)*p) || strchr("-._~%?&=", *p) != NULL);
        if (*p == '%') {
            char hex[3] = { p[1], p[2], '\0' };
            text[n++] = (char)strtol(hex, NULL, 16);
            p += 2;
        } else {
            text[n++] = *p;
        }
    }
    text[n] = '\0';
    return text;
}

static size_t commands(json_t *json)
{
    return json_object_size(json_object_get(json, "cmd"));
}

TEST(what_is_left_out_is_not_asked_for_by_name)
{
    static const struct field fields[] = { { STR("ID"), STR("integer"), false, HOLD_NOT },
        { STR("PHONE"), STR("crm_multifield"), true, HOLD_OUT },
        { STR("UF_A"), STR("string"), true, HOLD_NOT }, { STR("UF_B"), STR("string"), true, HOLD_OUT },
        { STR("UF_C"), STR("string"), true, HOLD_ASIDE } };
    struct asked a = asked_range(1, 90, 1);
    struct buf schema;

    buf_init(&schema, 4096);
    schema_encode(fields, ARRAY_SIZE(fields), &schema);
    a.job.schema = buf_view(&schema);
    json_t *json = build(&a);
    CHECK_STR(command(json, "p00"), "crm.deal.list?order[ID]=ASC&filter[>ID]=0&filter[<=ID]=90&select[]=*"
                                    "&select[]=UF_*&select[]=UF_A&select[]=UF_C&start=-1");
    json_decref(json);
    buf_fini(&schema);
    asked_free(&a);
}

TEST(a_range_is_a_chain_of_pages_that_halts)
{
    struct asked a = asked_range(101, 9000, 3);
    json_t *json = build(&a);

    CHECK_EQ(json_integer_value(json_object_get(json, "halt")), 1);
    CHECK_EQ(commands(json), 4);
    CHECK_STR(json_object_iter_key(json_object_iter(json_object_get(json, "cmd"))), "p49");
    CHECK_STR(command(json, "p49"),
        "crm.deal.list?order[ID]=DESC&filter[>ID]=100&filter[<=ID]=9000&select[]=ID&start=-1");
    CHECK_STR(command(json, "p00"), "crm.deal.list?order[ID]=ASC&filter[>ID]=100&filter[<=ID]=9000&select[]=*"
                                    "&select[]=UF_*&select[]=PHONE&select[]=UF_CRM_LIST&start=-1");
    CHECK_STR(command(json, "p02"),
        "crm.deal.list?order[ID]=ASC&filter[>ID]=$result[p01][49][ID]&filter[<=ID]=9000"
        "&select[]=*&select[]=UF_*&select[]=PHONE&select[]=UF_CRM_LIST&start=-1");
    json_decref(json);
    asked_free(&a);
}

TEST(commands_come_in_order_and_none_has_a_number_for_a_key)
{
    struct asked a = asked_range(1, RANGE_OPEN, 50);
    json_t *json = build(&a), *value;
    const char *key;
    int i = 0;

    json_object_foreach(json_object_get(json, "cmd"), key, value) {
        char expected[16];
        snprintf(expected, sizeof(expected), "p%02d", i++);
        CHECK_STR(key, expected);
    }
    CHECK_EQ(i, 50);
    json_decref(json);
    asked_free(&a);
}

TEST(an_open_range_has_no_upper_bound)
{
    struct asked a = asked_range(1, RANGE_OPEN, 1);
    json_t *json = build(&a);

    CHECK_STR(command(json, "p00"), "crm.deal.list?order[ID]=ASC&filter[>ID]=0&select[]=*&select[]=UF_*"
                                    "&select[]=PHONE&select[]=UF_CRM_LIST&start=-1");
    CHECK_STR(command(json, "p49"), "crm.deal.list?order[ID]=DESC&filter[>ID]=0&select[]=ID&start=-1");
    json_decref(json);
    asked_free(&a);
}

TEST(what_changed_is_a_range_with_a_time_and_its_offset)
{
    struct asked a = asked_changed(1, RANGE_OPEN, 2);
    json_t *json = build(&a);
    const char *raw = json_string_value(json_object_get(json_object_get(json, "cmd"), "p00"));

    CHECK_EQ(json_integer_value(json_object_get(json, "halt")), 1);
    CHECK_EQ(commands(json), 3);
    CHECK_HAS(raw, "=2026-11-21T02%3A37%3A00%2B00%3A00&"); /* a '+' would be a blank */
    CHECK_STR(command(json, "p49"), "crm.deal.list?order[ID]=DESC&filter[>ID]=0&filter[>=DATE_MODIFY]="
                                    "2026-11-21T02:37:00+00:00&select[]=ID&start=-1");
    CHECK_STR(command(json, "p01"),
        "crm.deal.list?order[ID]=ASC&filter[>ID]=$result[p00][49][ID]&filter[>=DATE_MODIFY]="
        "2026-11-21T02:37:00+00:00&select[]=*&select[]=UF_*&select[]=PHONE&select[]=UF_CRM_LIST&start=-1");
    json_decref(json);
    asked_free(&a);
}

TEST(a_sweep_asks_for_ids_alone)
{
    struct asked a = asked_range(101, RANGE_OPEN, 50);

    a.job.kind = STR("sweep");
    json_t *json = build(&a);
    CHECK_EQ(commands(json), 50);
    CHECK_STR(command(json, "p00"), "crm.deal.list?order[ID]=ASC&filter[>ID]=100&select[]=ID&start=-1");
    CHECK_STR(command(json, "p49"),
        "crm.deal.list?order[ID]=ASC&filter[>ID]=$result[p48][49][ID]&select[]=ID&start=-1");
    json_decref(json);
    asked_free(&a);
}

TEST(what_changed_since_no_time_is_no_question)
{
    static const int64_t times[] = { 0, -1, INT64_MIN, INT64_MAX };
    struct asked a = asked_changed(1, RANGE_OPEN, 1);

    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        struct err err = { .kind = ERR_NONE };
        struct buf body;

        buf_init(&body, 4 << 20);
        a.job.since = times[i];
        CHECK_EQ(bitrix_build(&a.job, &body, &err), -1);
        CHECK_EQ(err.kind, ERR_PERM);
        buf_fini(&body);
    }
    asked_free(&a);
}

TEST(ids_go_fifty_a_command_and_do_not_halt)
{
    uint64_t ids[51];
    for (int i = 0; i < 51; i++)
        ids[i] = 10 + (uint64_t)i * 2;
    struct asked a = asked_ids("ids", ids, 51);
    json_t *json = build(&a);

    CHECK_EQ(json_integer_value(json_object_get(json, "halt")), 0);
    CHECK_EQ(commands(json), 2);
    CHECK_HAS(command(json, "p00"), "crm.deal.list?order[ID]=ASC&filter[@ID][]=10&filter[@ID][]=12&");
    CHECK_HAS(command(json, "p00"), "filter[@ID][]=108&select[]=*");
    CHECK_HAS(command(json, "p01"), "order[ID]=ASC&filter[@ID][]=110&select[]=*&select[]=UF_*");
    CHECK_HAS(command(json, "p01"), "&start=-1");
    json_decref(json);
    asked_free(&a);
}

TEST(a_get_is_one_command_an_id)
{
    uint64_t ids[] = { 4, 9 };
    struct asked a = asked_ids("get", ids, 2);
    a.job.entity = STR("contacts");
    json_t *json = build(&a);

    CHECK_EQ(commands(json), 2);
    CHECK_EQ(json_integer_value(json_object_get(json, "halt")), 0);
    CHECK_STR(command(json, "p01"), "crm.contact.get?id=9");
    json_decref(json);
    asked_free(&a);
}

TEST(a_probe_asks_five_things_of_each_entity)
{
    struct asked a = asked_new("probe");
    a.job.entities = STR("deals  leads");
    json_t *json = build(&a);

    CHECK_EQ(commands(json), 10);
    CHECK_EQ(json_integer_value(json_object_get(json, "halt")), 0);
    CHECK_STR(command(json, "p00"), "crm.deal.fields");
    CHECK_STR(command(json, "p01"), "crm.deal.userfield.list");
    CHECK_STR(command(json, "p02"), "crm.deal.list?order[ID]=ASC&select[]=ID&start=-1");
    CHECK_STR(command(json, "p03"), "crm.deal.list?order[ID]=DESC&select[]=ID&start=-1");
    CHECK_STR(command(json, "p04"), "crm.deal.list?order[ID]=ASC&select[]=ID&start=0");
    CHECK_STR(command(json, "p05"), "crm.lead.fields");
    CHECK_STR(command(json, "p09"), "crm.lead.list?order[ID]=ASC&select[]=ID&start=0");
    json_decref(json);
    asked_free(&a);
}

TEST(the_largest_jobs_fit_one_call)
{
    static uint64_t ids[2500];
    for (int i = 0; i < 2500; i++)
        ids[i] = 1000000 + (uint64_t)i;
    struct asked a = asked_ids("ids", ids, 2500), b = asked_ids("get", ids, 50);
    json_t *json = build(&a);

    CHECK_EQ(commands(json), 50);
    json_decref(json);
    json = build(&b);
    CHECK_EQ(commands(json), 50);
    json_decref(json);
    asked_free(&a);
    asked_free(&b);
}

static uint64_t falling[] = { 5, 5 }, zero[] = { 0 }, many[51];

TEST(jobs_that_make_no_sense_are_refused_for_good)
{
    struct asked cases[] = {
        asked_new("dream"),
        asked_range(1, 10, 0),
        asked_range(1, 10, 51),
        asked_range(11, 10, 1),
        asked_range(1, RANGE_OPEN + 1, 1),
        asked_ids("ids", falling, 2),
        asked_ids("ids", zero, 1),
        asked_ids("ids", NULL, 0),
        asked_ids("get", many, 51),
        asked_range(1, 10, 1),
        asked_range(1, 10, 1),
        asked_new("probe"),
        asked_new("probe"),
    };
    size_t n = ARRAY_SIZE(cases);
    cases[n - 4].job.entity = STR("unicorns");
    cases[n - 3].job.schema = STR("\xc1");
    cases[n - 2].job.entities = STR("deals unicorns");
    cases[n - 1].job.entities = STR("deals deals deals deals deals deals deals deals deals deals deals");

    for (int i = 0; i < 51; i++)
        many[i] = 1 + (uint64_t)i;
    for (size_t i = 0; i < n; i++) {
        struct err err = { .kind = ERR_NONE };
        struct buf body;
        buf_init(&body, 1 << 20);
        CHECK_EQ(bitrix_build(&cases[i].job, &body, &err), -1);
        CHECK_EQ(err.kind, ERR_PERM);
        buf_fini(&body);
        asked_free(&cases[i]);
    }
}

TEST(a_body_over_its_limit_is_told)
{
    struct asked a = asked_range(1, RANGE_OPEN, 50);
    struct err err = { .kind = ERR_NONE };
    struct buf body;

    buf_init(&body, 100);
    CHECK_EQ(bitrix_build(&a.job, &body, &err), -1);
    CHECK_EQ(err.kind, ERR_LIMIT);
    buf_fini(&body);
    asked_free(&a);
}

TEST_MAIN(CASE(what_is_left_out_is_not_asked_for_by_name), CASE(a_range_is_a_chain_of_pages_that_halts),
    CASE(commands_come_in_order_and_none_has_a_number_for_a_key), CASE(an_open_range_has_no_upper_bound),
    CASE(what_changed_is_a_range_with_a_time_and_its_offset), CASE(what_changed_since_no_time_is_no_question),
    CASE(a_sweep_asks_for_ids_alone), CASE(ids_go_fifty_a_command_and_do_not_halt),
    CASE(a_get_is_one_command_an_id), CASE(a_probe_asks_five_things_of_each_entity),
    CASE(the_largest_jobs_fit_one_call), CASE(jobs_that_make_no_sense_are_refused_for_good),
    CASE(a_body_over_its_limit_is_told))
