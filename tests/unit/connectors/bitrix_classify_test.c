#include "connectors/bitrix.h"

#include "connectors/bitrix_rule.h"

#include "answers.h"

#include <jansson.h>

#define FOLDER           "tests/fixtures/bitrix/errors/"
#define ANSWER_MAX_BYTES 65536

struct recorded {
    int status;
    char type[64], location[256];
    struct str body;
    char bytes[ANSWER_MAX_BYTES];
};

static void header(const char *head, const char *name, char *ret, size_t size)
{
    const char *at = strstr(head, name);
    size_t n = 0;

    if (at != NULL)
        for (at += strlen(name); *at != '\n' && n + 1 < size; at++)
            ret[n++] = *at;
    ret[n] = '\0';
}

static void load(const char *name, struct recorded *ret)
{
    char path[160];

    snprintf(path, sizeof(path), FOLDER "%s.http", name);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        fail_msg("no recorded answer %s", path);
    size_t n = fread(ret->bytes, 1, sizeof(ret->bytes) - 1, f);
    fclose(f);
    ret->bytes[n] = '\0';
    char *end = strstr(ret->bytes, "\n\n");
    assert_non_null(end);
    *end = '\0';
    CHECK_EQ(sscanf(ret->bytes, "HTTP/1.1 %d", &ret->status), 1);
    header(ret->bytes, "Content-Type: ", ret->type, sizeof(ret->type));
    header(ret->bytes, "Location: ", ret->location, sizeof(ret->location));
    ret->body = str_of(end + 2);
}

/* The error of a recorded answer, found without the connector: of the request, else of its first command. */
static const struct bitrix_rule *rule_of(const struct recorded *r)
{
    json_t *json = json_loadb(r->body.p, r->body.n, 0, NULL), *error = json;
    char code[64] = BITRIX_NO_JSON;
    int status = r->status;

    if (json != NULL && json_object_get(json, "error") == NULL) {
        error = json_object_get(json_object_get(json_object_get(json, "result"), "result_error"), "p00");
        assert_non_null(error);
    }
    json_t *value = json_object_get(error, "error");
    if (json_is_string(value))
        snprintf(code, sizeof(code), "%s", json_string_value(value));
    else if (value != NULL)
        snprintf(code, sizeof(code), "%lld", (long long)json_integer_value(value));
    const char *text = json_string_value(json_object_get(error, "error_description"));
    const struct bitrix_rule *rule = bitrix_rule_of(status, str_of(code), str_of(text));
    CHECK_EQ(bitrix_classify(status, str_of(code), str_of(text)), rule->kind);
    json_decref(json);
    return rule;
}

TEST(each_row_of_the_table_has_a_recorded_answer_that_means_it)
{
    static struct recorded r;
    uint64_t id = 1;
    struct asked asked = asked_ids("ids", &id, 1);

    for (int i = 0; i < BITRIX_RULE_COUNT; i++) {
        const struct bitrix_rule *rule = &BITRIX_RULES[i];
        struct bitrix_answer answer;
        struct err err;

        load(rule->name, &r);
        if (r.status < 300 || r.status > 399) /* of a redirect only the address counts */
            CHECK_STR(rule_of(&r)->name, rule->name);
        CHECK_EQ(read_status(&asked, r.status, r.type, r.location, r.body, &answer, &err), -1);
        if (err.kind != rule->kind)
            print_error("%s: %s: %s\n", rule->name, err_kind_name(err.kind), err.text);
        CHECK_EQ(err.kind, rule->kind);
        CHECK_EQ(err.code, r.status);
        CHECK_EQ(answer.count, 0);
        CHECK(!answer.nonsense);
        CHECK_EQ(answer.retry_ms > 0, rule->kind == ERR_WAIT);
        CHECK_EQ(err.retry_ms, answer.retry_ms);
        if (rule->advice != NULL)
            CHECK_HAS(err.text, rule->advice);
        CHECK(strstr(err.text, "secret") == NULL || strstr(err.text, "secret1234567890") == NULL);
        bitrix_answer_fini(&answer);
    }
    asked_free(&asked);
}

TEST(names_are_unique_and_every_wait_has_a_time)
{
    for (int i = 0; i < BITRIX_RULE_COUNT; i++) {
        CHECK_EQ(BITRIX_RULES[i].kind == ERR_WAIT, BITRIX_RULES[i].wait_ms > 0);
        for (int k = 0; k < i; k++)
            CHECK(strcmp(BITRIX_RULES[i].name, BITRIX_RULES[k].name) != 0);
    }
}

TEST(codes_are_compared_without_case_and_texts_without_the_dot)
{
    static const struct {
        int status;
        const char *code, *text;
        enum err_kind kind;
        enum bitrix_says says;
    } cases[] = {
        { 503, "query_limit_exceeded", "", ERR_WAIT, SAYS_NOTHING },
        { 401, "EXPIRED_TOKEN", "", ERR_AUTH, SAYS_EXPIRED },
        { 503, "Overload_Limit", "", ERR_AUTH, SAYS_NOTHING },
        { 503, "", "", ERR_TEMP, SAYS_NOTHING },
        { 400, "", "Not found.", ERR_PERM, SAYS_ABSENT },
        { 400, "0", " not found ", ERR_PERM, SAYS_ABSENT },
        { 200, "", "Access denied", ERR_AUTH, SAYS_DENIED },
        { 200, "access_denied", "Access denied!", ERR_AUTH, SAYS_DENIED },
        { 200, "ACCESS_DENIED", "REST API is available only on commercial plans", ERR_AUTH, SAYS_NOTHING },
        { 404, "NOT_FOUND", "", ERR_PERM, SAYS_ABSENT },
        { 200, "200040300010", "Access Denied", ERR_TEMP, SAYS_NOTHING },
        { 500, "PORTAL_DELETED", "", ERR_AUTH, SAYS_NOTHING },
        { 504, "", "", ERR_TEMP, SAYS_NOTHING },
        { 400, "ERROR_METHOD_NOT_FOUND", "Method not found!", ERR_CONF, SAYS_NOTHING },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct bitrix_rule *rule =
            bitrix_rule_of(cases[i].status, str_of(cases[i].code), str_of(cases[i].text));
        CHECK_EQ(rule->kind, cases[i].kind);
        CHECK_EQ(rule->says, cases[i].says);
    }
}

/* facts section 2.3, row by row, and the rows of 2.4 that a mirror can meet: what is done about each. */
TEST(each_error_of_the_facts_is_met_as_they_say)
{
    static const struct {
        int status;
        const char *code, *text;
        enum bitrix_act act;
    } facts[] = {
        { 503, "QUERY_LIMIT_EXCEEDED", "Too many requests", ACT_RETRY_AFTER },
        { 429, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit", ACT_RETRY_AFTER },
        { 503, "OVERLOAD_LIMIT", "REST API is blocked due to overload", ACT_STOP },
        { 500, "INTERNAL_SERVER_ERROR", "Internal server error", ACT_RETRY },
        { 500, "ERROR_UNEXPECTED_ANSWER", "Server returned an unexpected response", ACT_RETRY },
        { 500, "PORTAL_DELETED", "Portal was deleted", ACT_STOP },
        { 410, "PORTAL_DELETED", "Portal was deleted", ACT_STOP },
        { 401, "expired_token", "The access token provided has expired.", ACT_REFRESH },
        { 401, "invalid_token", "Unable to get application by token", ACT_REFRESH },
        { 401, "NO_AUTH_FOUND", "Wrong authorization data", ACT_STOP },
        { 401, "INVALID_CREDENTIALS", "Invalid request credentials", ACT_STOP },
        { 403, "INVALID_CREDENTIALS", "Invalid request credentials", ACT_STOP },
        { 401, "authorization_error", "Unable to authorize user", ACT_STOP },
        { 401, "APPLICATION_NOT_FOUND", "Application not found", ACT_STOP },
        { 401, "ERROR_OAUTH", "Application not installed", ACT_STOP },
        { 401, "METHOD_CONFIRM_WAITING", "Waiting for confirmation", ACT_STOP },
        { 403, "METHOD_CONFIRM_DENIED", "denied by user", ACT_STOP },
        { 401, "PAYMENT_REQUIRED", "Subscription has been ended", ACT_STOP },
        { 401, "insufficient_scope", "The request requires higher privileges", ACT_STOP },
        { 403, "insufficient_scope", "", ACT_STOP },
        { 403, "ACCESS_DENIED", "REST API is available only on commercial plans", ACT_STOP },
        { 400, "ACCESS_DENIED", "Access denied! Application context required", ACT_STOP },
        { 403, "user_access_error", "The user does not have access to the application.", ACT_STOP },
        { 403, "WRONG_AUTH_TYPE", "", ACT_STOP },
        { 403, "allowed_only_intranet_user", "Action is allowed only for intranet users", ACT_STOP },
        { 400, "INVALID_REQUEST", "Https required", ACT_TELL },
        { 400, "INVALID_ARG_VALUE", "Invalid filter: field 'F' is not allowed in filter", ACT_ASIDE },
        { 400, "ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded", ACT_ASIDE },
        { 405, "ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage", ACT_ASIDE },
        { 404, "ERROR_METHOD_NOT_FOUND", "Method not found!", ACT_TELL },
        { 400, "ERROR_METHOD_NOT_FOUND", "Method not found!", ACT_TELL },
        { 404, "ERROR_MANIFEST_IS_NOT_AVAILABLE", "Manifest is not available", ACT_ASIDE },
        { 400, "100", "Could not find value for parameter {x}", ACT_ASIDE },
        { 400, "", "Not found", ACT_ASIDE },
        { 400, "", "ID is not defined or invalid.", ACT_ASIDE },
        { 400, "", "Access denied.", ACT_STOP },
        { 400, "", "Parameter 'filter' must be array.", ACT_ASIDE },
        { 400, "", "Failed to get list. General error.", ACT_RETRY },
        { 400, "", "Parameter 'fields' must be an array", ACT_ASIDE },
        { 400, "", "Disk resource exhausted", ACT_RETRY },
        { 400, "", "Exhausted allocated disk resource", ACT_RETRY },
        { 400, "NOT_FOUND", "", ACT_ASIDE },
        { 400, "ERROR_NOT_FOUND", "The entity with ID '5' is not found", ACT_ASIDE },
        { 302, BITRIX_WITHIN, "", ACT_RETRY },
        { 302, "", "", ACT_TELL },
        { 403, BITRIX_NO_JSON, "", ACT_RETRY },
        { 500, BITRIX_NO_JSON, "", ACT_RETRY },
        { 502, BITRIX_NO_JSON, "", ACT_RETRY },
        { 504, BITRIX_NO_JSON, "", ACT_RETRY },
        { 200, BITRIX_NO_JSON, "", ACT_RETRY },
        { 413, BITRIX_NO_JSON, "", ACT_ASIDE },
        { 429, BITRIX_NO_JSON, "", ACT_RETRY_AFTER },
    };

    for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
        const struct bitrix_rule *rule =
            bitrix_rule_of(facts[i].status, str_of(facts[i].code), str_of(facts[i].text));

        if (bitrix_act_of(rule) != facts[i].act)
            print_error("%d %s %s: %s\n", facts[i].status, facts[i].code, facts[i].text, rule->name);
        CHECK_STR(bitrix_act_name(bitrix_act_of(rule)), bitrix_act_name(facts[i].act));
    }
}

TEST(a_whole_request_refused_under_status_200_is_no_command_of_a_batch)
{
    static const struct {
        const char *body, *advice;
    } cases[] = {
        { "{\"error\":\"INVALID_CREDENTIALS\",\"error_description\":\"x\"}", "secret or user id is wrong" },
        { "{\"error\":\"ACCESS_DENIED\",\"error_description\":\"x\"}", "plan or the rights" },
    };
    uint64_t id = 1;
    struct asked asked = asked_ids("ids", &id, 1);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bitrix_answer answer;
        struct err err;

        CHECK_EQ(read_status(&asked, 200, "application/json", "", str_of(cases[i].body), &answer, &err), -1);
        CHECK_EQ(err.kind, ERR_AUTH);
        CHECK_EQ(err.code, 200);
        CHECK_HAS(err.text, cases[i].advice);
        bitrix_answer_fini(&answer);
    }
    asked_free(&asked);
}

TEST(whoever_is_an_application_is_not_told_of_webhooks)
{
    static struct recorded r;
    uint64_t id = 1;
    struct asked asked = asked_ids("ids", &id, 1);
    int told = 0;

    asked.job.token = 7;
    for (int i = 0; i < BITRIX_RULE_COUNT; i++) {
        struct bitrix_answer answer;
        struct err err;

        load(BITRIX_RULES[i].name, &r);
        CHECK_EQ(read_status(&asked, r.status, r.type, r.location, r.body, &answer, &err), -1);
        if (strstr(err.text, "a webhook") != NULL || strstr(err.text, "inbound webhook") != NULL ||
            strstr(err.text, "webhook's") != NULL || strstr(err.text, "USER_ID") != NULL)
            fail_msg("%s: %s", BITRIX_RULES[i].name, err.text);
        CHECK_EQ(bitrix_advice(&BITRIX_RULES[i], true) != NULL, BITRIX_RULES[i].advice != NULL);
        told += strstr(err.text, "potok portal login") != NULL;
        bitrix_answer_fini(&answer);
    }
    CHECK(told >= 8);
    asked_free(&asked);
}

/* Facts 2.4: descriptions are in the portal's language, with a dot or without. */
TEST(gone_and_forbidden_are_known_in_two_languages)
{
    static const char *const gone[] = { "Not found", "Not found.", "NOT FOUND!", "Не найден", "Не найдена.",
        "Не найдено", "НЕ НАЙДЕНО.", " не найдено \n" };
    static const char *const denied[] = { "Access denied", "Access denied.", "ACCESS DENIED!",
        "Доступ запрещен", "Доступ запрещён.", "ДОСТУП ЗАПРЕЩЁН!", "доступ запрещен" };
    static const int statuses[] = { 200, 400, 403 };

    for (size_t s = 0; s < ARRAY_SIZE(statuses); s++) {
        for (size_t i = 0; i < ARRAY_SIZE(gone); i++) {
            CHECK_EQ(bitrix_rule_of(statuses[s], STR(""), str_of(gone[i]))->says, SAYS_ABSENT);
            CHECK_EQ(bitrix_rule_of(statuses[s], STR("0"), str_of(gone[i]))->kind, ERR_PERM);
        }
        for (size_t i = 0; i < ARRAY_SIZE(denied); i++) {
            CHECK_EQ(bitrix_rule_of(statuses[s], STR(""), str_of(denied[i]))->says, SAYS_DENIED);
            CHECK_EQ(bitrix_rule_of(statuses[s], STR(""), str_of(denied[i]))->kind, ERR_AUTH);
        }
    }
}

/* The words among others are believed of one record asked for by its id, where no code says otherwise; to all
 * who ask something else such a text is what any unknown one is. */
TEST(a_text_with_the_words_counts_for_one_record_alone)
{
    static const char *const texts[] = { "Deal is not found", "The entity with ID '5' is not found.",
        "Not found: 5", "Элемент не найден", "Сделка с ID 5 не найдена.", "ЭЛЕМЕНТ НЕ НАЙДЕН",
        "Не найдено<br>" };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        const struct str text = str_of(texts[i]);
        const struct bitrix_rule *in_batch = bitrix_rule_of(200, STR(""), text);
        const struct bitrix_rule *alone = bitrix_rule_of(400, STR("0"), text);

        CHECK(bitrix_is_absent(in_batch) && bitrix_is_absent(alone));
        CHECK_EQ(in_batch->says, SAYS_ABSENT_ALONE);
        CHECK_EQ(in_batch->kind, bitrix_classify(200, STR(""), STR("unknown")));
        CHECK_EQ(alone->kind, bitrix_classify(400, STR(""), STR("unknown")));
        CHECK(!bitrix_is_absent(bitrix_rule_of(200, STR("ERROR_CORE"), text)));
        CHECK(!bitrix_is_absent(bitrix_rule_of(400, STR("ERROR_CORE"), text)));
        CHECK(!bitrix_is_absent(bitrix_rule_of(200, STR("SOMETHING_NEW"), text)));
        CHECK(!bitrix_is_absent(bitrix_rule_of(403, STR(""), text)));
        CHECK(!bitrix_is_absent(bitrix_rule_of(404, STR(""), text)));
        CHECK(!bitrix_is_absent(bitrix_rule_of(500, STR(""), text)));
    }
}

/* "Not found" deletes: what is no record, and what only looks like the words, is not taken for it. */
TEST(no_other_text_says_that_a_record_is_gone)
{
    static const char *const others[] = { "Method not found", "Method not found!", "User not found",
        "Not found in cache", "Portal is not found", "", "Метод не найден", "Пользователь не найден.",
        "Стадия не найдена", "The cannot foundry", "not foundation", "ненайденный", "не найденный",
        "kannot found", "nicht gefunden", "не найдем", "Доступ запрещен", "Access denied" };
    static const char *const open[] = { "Доступ разрешен", "Access denied to the field", "недоступ запрещен",
        "Доступ к приложению запрещен" };

    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        CHECK(!bitrix_is_absent(bitrix_rule_of(200, STR(""), str_of(others[i]))));
        CHECK(!bitrix_is_absent(bitrix_rule_of(400, STR(""), str_of(others[i]))));
    }
    for (size_t i = 0; i < ARRAY_SIZE(open); i++)
        CHECK_EQ(bitrix_rule_of(200, STR(""), str_of(open[i]))->says, SAYS_NOTHING);
}

TEST(a_text_of_any_length_is_looked_through)
{
    char text[4096];

    memset(text, 'x', sizeof(text));
    CHECK_EQ(bitrix_rule_of(200, STR(""), (struct str){ text, sizeof(text) })->says, SAYS_NOTHING);
    memset(text, '.', sizeof(text));
    CHECK_EQ(bitrix_rule_of(200, STR(""), (struct str){ text, sizeof(text) })->says, SAYS_NOTHING);
    CHECK_EQ(bitrix_rule_of(200, STR(""), (struct str){ NULL, 0 })->says, SAYS_NOTHING);
}

TEST_MAIN(CASE(each_row_of_the_table_has_a_recorded_answer_that_means_it),
    CASE(names_are_unique_and_every_wait_has_a_time),
    CASE(codes_are_compared_without_case_and_texts_without_the_dot),
    CASE(each_error_of_the_facts_is_met_as_they_say),
    CASE(a_whole_request_refused_under_status_200_is_no_command_of_a_batch),
    CASE(whoever_is_an_application_is_not_told_of_webhooks),
    CASE(gone_and_forbidden_are_known_in_two_languages),
    CASE(a_text_with_the_words_counts_for_one_record_alone), CASE(no_other_text_says_that_a_record_is_gone),
    CASE(a_text_of_any_length_is_looked_through))
