/* Second forms that concern every method (facts sections 3, 15, 16), each against the first. */
#include "tests/unit/sandbox/ask.h"

static struct portal *open_with(const char *quirk)
{
    struct portal_options o = ask_options();

    o.quirks = quirk != NULL ? quirk_bit(quirk) : 0;
    CHECK(quirk == NULL || o.quirks != 0);
    return ask_open_with(o);
}

TEST(every_switch_has_a_name_of_its_own)
{
    static const char *const names[] = {
#define QUIRK(id, name, about) name,
#include "services/sandbox/quirks.def"
#undef QUIRK
    };
    quirk_set seen = 0;

    CHECK(ARRAY_SIZE(names) <= QUIRKS_MOST);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        CHECK(!(seen & quirk_bit(names[i])));
        seen |= quirk_bit(names[i]);
    }
    CHECK_EQ(quirk_bit("nosuch"), 0);
}

/* Operating seconds of the commands and of the envelope. */
static void batch_times(const char *quirk, double *ret_command, double *ret_envelope)
{
    struct portal *p = open_with(quirk);
    json_t *answer = ask(p, "batch", "{\"cmd\":{\"a\":\"crm.deal.list\",\"b\":\"crm.deal.list\"}}");
    const json_t *times = json_object_get(json_object_get(answer, "result"), "result_time");

    *ret_command = json_number_value(json_object_get(json_object_get(times, "b"), "operating"));
    *ret_envelope = json_number_value(json_object_get(json_object_get(answer, "time"), "operating"));
    json_decref(answer);
    ask_close(p);
}

TEST(either_the_commands_pay_or_the_batch)
{
    double command, envelope;

    batch_times(NULL, &command, &envelope);
    CHECK(command > 0 && envelope == 0);
    batch_times("batch-pays", &command, &envelope);
    CHECK(command == 0 && envelope > 0);
}

TEST(a_refused_request_may_count)
{
    for (int counts = 0; counts < 2; counts++) {
        struct bucket b = { .counts_refused = counts };
        CHECK(bucket_tariff(&b, "1/2"));
        for (int i = 0; i < 10; i++)
            bucket_take(&b, "a", 1000);
        CHECK_EQ(bucket_take(&b, "a", 3000), !counts);
    }
}

static json_t *deals(struct portal *p, const char *more)
{
    char body[200];

    snprintf(body, sizeof(body), "{\"order\":{\"ID\":\"ASC\"},\"select\":[\"TITLE\"]%s}", more);
    return ask(p, "crm.deal.list", body);
}

TEST(an_id_that_is_not_selected_may_be_missing)
{
    for (int strict = 0; strict < 2; strict++) {
        struct portal *p = open_with(strict ? "select-strict" : NULL);
        json_t *answer = deals(p, "");
        const json_t *row = json_array_get(json_object_get(answer, "result"), 0);
        CHECK_EQ(json_object_get(row, "ID") == NULL, strict);
        json_decref(answer);
        ask_close(p);
    }
}

TEST(a_list_that_is_not_counted_may_tell_its_total)
{
    static const struct {
        const char *quirk;
        long long total;
    } cases[] = { { NULL, 0 }, { "total-true", 120 } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct portal *p = open_with(cases[i].quirk);
        json_t *answer = deals(p, ",\"start\":-1");
        CHECK_EQ(json_integer_value(json_object_get(answer, "total")), cases[i].total);
        CHECK_EQ(json_array_size(json_object_get(answer, "result")), 50);
        CHECK(json_object_get(answer, "next") == NULL);
        json_decref(answer);
        ask_close(p);
    }
}

static void refusal(const char *quirk, bool hidden, int status, const char *part)
{
    struct portal *p = open_with(quirk);
    char path[120];
    int got;

    snprintf(path, sizeof(path), "hide?entity=deals&id=%u", p->store.crm[DEAL].ids[0]);
    ask_admin(p, path, NULL);
    snprintf(path, sizeof(path), "/rest/1/%s/crm.deal.get?id=%u", p->secret,
        hidden ? p->store.crm[DEAL].ids[0] : 99999999);
    char *text = ask_raw(p, path, NULL, "", &got);
    CHECK_EQ(got, status);
    CHECK_HAS(text, part);
    free(text);
    ask_close(p);
}

TEST(refusals_have_several_forms)
{
    refusal(NULL, true, 400, "\"error\":\"\",\"error_description\":\"Access denied.\"");
    refusal("denied-403", true, 403, "\"error\":\"ACCESS_DENIED\"");
    refusal(NULL, false, 400, "\"error_description\":\"Not found\"");
    refusal("not-found-dot", false, 400, "\"error_description\":\"Not found.\"");
    refusal("errors-200", false, 200, "\"error\":\"\"");
}

TEST_MAIN(CASE(every_switch_has_a_name_of_its_own), CASE(either_the_commands_pay_or_the_batch),
    CASE(a_refused_request_may_count), CASE(an_id_that_is_not_selected_may_be_missing),
    CASE(a_list_that_is_not_counted_may_tell_its_total), CASE(refusals_have_several_forms))
