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
        { 401, "EXPIRED_TOKEN", "", ERR_AUTH, SAYS_NOTHING },
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

/* "Not found" deletes: no other text may be taken for it. */
TEST(only_the_whole_words_not_found_say_that_a_record_is_gone)
{
    static const char *const others[] = { "Method not found", "Method not found!", "User not found",
        "Not found in cache", "Portal is not found", "" };

    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        CHECK_EQ(bitrix_rule_of(200, STR(""), str_of(others[i]))->says, SAYS_NOTHING);
}

TEST_MAIN(CASE(each_row_of_the_table_has_a_recorded_answer_that_means_it),
    CASE(names_are_unique_and_every_wait_has_a_time),
    CASE(codes_are_compared_without_case_and_texts_without_the_dot),
    CASE(only_the_whole_words_not_found_say_that_a_record_is_gone))
