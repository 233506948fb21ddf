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

/* Nobody may read one of them: it is not shown, and counts or not. */
TEST(a_total_may_tell_of_what_is_not_shown)
{
    static const char *const orders[] = { "{\"ID\":\"ASC\"}", "{\"TITLE\":\"ASC\"}", "{}" };

    for (int counts = 0; counts < 2; counts++) {
        struct portal *p = open_with(counts ? "total-hidden" : NULL);
        const unsigned id = p->store.crm[DEAL].ids[3];
        char text[200];

        snprintf(text, sizeof(text), "hide?entity=deals&id=%u", id);
        ask_admin(p, text, NULL);
        for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
            snprintf(text, sizeof(text), "{\"order\":%s,\"filter\":{\"<=ID\":%u}}", orders[i], id);
            json_t *answer = ask(p, "crm.deal.list", text);
            CHECK_EQ(json_array_size(json_object_get(answer, "result")), 3);
            CHECK_EQ(json_integer_value(json_object_get(answer, "total")), 3 + counts);
            json_decref(answer);
        }
        json_t *items = ask(p, "crm.item.list", "{\"entityTypeId\":2}");
        CHECK_EQ(json_integer_value(json_object_get(items, "total")), 119 + counts);
        json_decref(items);
        json_t *uncounted = deals(p, ",\"start\":-1");
        CHECK_EQ(json_integer_value(json_object_get(uncounted, "total")), 0);
        json_decref(uncounted);
        ask_close(p);
    }
}

/* Whether all values of the field, in lists of deals, look so. */
static void bindings(const char *quirk, const char *field, const char *letters)
{
    struct portal *p = open_with(quirk);
    char body[100];
    size_t i, k, found = 0;
    const json_t *row, *one;

    snprintf(body, sizeof(body), "{\"select\":[\"%s\"]}", field);
    json_t *answer = ask(p, "crm.deal.list", body);
    json_array_foreach(json_object_get(answer, "result"), i, row) {
        const json_t *value = json_object_get(row, field);
        json_t *list = json_is_array(value) ? json_incref((json_t *)value) : json_pack("[O?]", value);
        json_array_foreach(list, k, one) {
            const char *text = json_is_string(one) ? json_string_value(one) : "";
            const size_t n = strcspn(text, "_");
            if (text[0] == '\0')
                continue;
            found++;
            if (letters == NULL) {
                CHECK_EQ(strspn(text, "0123456789"), strlen(text));
                continue;
            }
            char with_blanks[40];
            snprintf(with_blanks, sizeof(with_blanks), " %.*s ", (int)n, text);
            CHECK(strstr(letters, with_blanks) != NULL);
        }
        json_decref(list);
    }
    CHECK(found > 0);
    json_decref(answer);
    ask_close(p);
}

TEST(a_field_bound_to_one_type_may_do_without_its_letter)
{
    static const char ONE[] = "\"UF_CRM_BINDING\"", WITH_TYPES[] = "\"DYNAMIC_156\":\"Y\"";

    bindings(NULL, "UF_CRM_BINDING", " C ");
    bindings("binding-bare", "UF_CRM_BINDING", NULL);
    bindings(NULL, "UF_CRM_BINDING_M", " C CO D L T9c ");
    bindings("binding-bare", "UF_CRM_BINDING_M", " C CO D L T9c ");
    struct portal *p = open_with(NULL);
    char path[100], *text;
    snprintf(path, sizeof(path), "/rest/1/%s/crm.deal.userfield.list", p->secret);
    text = ask_raw(p, path, NULL, "", NULL);
    CHECK(strstr(text, WITH_TYPES) != NULL && strstr(strstr(text, ONE), "\"LEAD\":\"N\"") != NULL);
    free(text);
    ask_close(p);
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
    refusal("classic-localized", false, 400, "\"error\":\"\",\"error_description\":\"Элемент не найден\"");
    refusal("classic-localized", true, 400, "\"error\":\"\",\"error_description\":\"Доступ запрещен.\"");
    refusal("errors-200", false, 200, "\"error\":\"\"");
}

TEST_MAIN(CASE(a_total_may_tell_of_what_is_not_shown),
    CASE(a_field_bound_to_one_type_may_do_without_its_letter), CASE(every_switch_has_a_name_of_its_own),
    CASE(either_the_commands_pay_or_the_batch), CASE(a_refused_request_may_count),
    CASE(an_id_that_is_not_selected_may_be_missing), CASE(a_list_that_is_not_counted_may_tell_its_total),
    CASE(refusals_have_several_forms))
