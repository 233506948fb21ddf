#include "connectors/bitrix_write_answer.h"

#include "base/json.h"
#include "base/mem.h"
#include "support/check.h"

#define ADD \
    { \
        .kind = WRITE_ADD, .type_id = 2, .sees_all = true, .originator = STR("potok"), .origin = STR("A:7"), \
        .fields = STR("{}") \
    }
static const struct write_task DEAL = ADD;
static const struct write_task SMART = { .kind = WRITE_ADD,
    .type_id = 128,
    .sees_all = true,
    .originator = STR("potok"),
    .origin = STR("A:7"),
    .fields = STR("{}") };
static const struct write_task GONE = { .kind = WRITE_DELETE, .type_id = 2, .id = 9 };
static const struct write_task ROWS = { .kind = WRITE_ROWS,
    .type_id = 3,
    .id = 9,
    .fields = STR("{\"PHONE\":[{\"VALUE\":\"+7 (999) 12\"}],\"EMAIL\":[{\"VALUE\":\"a@b.c\"}]}") };
static const struct write_task SPACED = { .kind = WRITE_ROWS,
    .type_id = 3,
    .id = 9,
    .fields = STR("{\"PHONE\":[{\"VALUE\":\"call me \"}],\"EMAIL\":[{\"VALUE\":\" a@b.c \"}]}") };
static const struct write_task NUMBER = {
    .kind = WRITE_ROWS, .type_id = 3, .id = 9, .fields = STR("{\"PHONE\":[{\"VALUE\":799912}]}")
};
static const struct write_task NOTHING = { .kind = WRITE_ROWS, .type_id = 3, .id = 9, .fields = STR("{}") };
static const struct write_task UPDATE = {
    .kind = WRITE_UPDATE, .type_id = 2, .id = 9, .fields = STR("{\"TITLE\":\"x\"}")
};
static const struct write_task BIND = {
    .kind = WRITE_BIND, .event = STR("ONCRMDEALADD"), .handler = STR("https://a/b")
};
static const struct write_task UNBIND = {
    .kind = WRITE_UNBIND, .event = STR("ONCRMDEALADD"), .handler = STR("https://a/b")
};
static const struct write_task QUEUE = {
    .kind = WRITE_BIND, .event = STR("ONCRMDEALADD"), .offline = true, .connector = STR("potok")
};

static json_t *json_of(const char *text)
{
    char room[4096 + JSON_PADDING] = { 0 };
    const size_t n = strlen(text);

    CHECK(n <= 4096);
    memcpy(room, text, n);
    return bitrix_said_json(room, n);
}

/* text: "" is no JSON. */
static void hear(const struct write_task *t, int status, const char *text, const char *key, bool halt,
    struct write_heard *heard, struct write_found *found)
{
    json_t *body = json_of(text);
    struct bitrix_said said = bitrix_said(status, body, key, halt);

    bitrix_write_hear(t, &said, heard);
    bitrix_write_find(t, &said, found);
    json_decref(body);
}

#define ERROR(code, text) "{\"error\":\"" code "\",\"error_description\":\"" text "\"}"

TEST(an_answer_says_done_or_certainly_not_or_nothing)
{
    static const struct {
        const struct write_task *task;
        int status;
        const char *text;
        enum write_verdict verdict;
        enum err_kind kind;
    } cases[] = {
        { &DEAL, 200, "{\"result\":41,\"time\":{}}", WRITE_WAS_DONE, ERR_NONE },
        { &DEAL, 200, "{\"result\":\"41\"}", WRITE_WAS_DONE, ERR_NONE },
        { &SMART, 200, "{\"result\":{\"item\":{\"id\":41}}}", WRITE_WAS_DONE, ERR_NONE },
        { &GONE, 200, "{\"result\":true}", WRITE_WAS_DONE, ERR_NONE },
        { &UNBIND, 200, "{\"result\":{\"count\":0}}", WRITE_WAS_DONE, ERR_NONE },
        /* executed, and its id is not told */
        { &DEAL, 200, "{\"result\":true}", WRITE_WAS_LOST, ERR_TEMP },
        { &SMART, 200, "{\"result\":{\"item\":[]}}", WRITE_WAS_LOST, ERR_TEMP },
        /* neither yes nor no */
        { &GONE, 200, "{\"result\":[]}", WRITE_WAS_DONE, ERR_NONE },
        { &UPDATE, 200, "{\"result\":{\"item\":{\"id\":9}}}", WRITE_WAS_DONE, ERR_NONE },
        { &UPDATE, 200, "{\"result\":null}", WRITE_WAS_LOST, ERR_TEMP },
        { &GONE, 200, "{\"result\":null}", WRITE_WAS_LOST, ERR_TEMP },
        { &BIND, 200, "{\"result\":0}", WRITE_WAS_LOST, ERR_TEMP },
        { &BIND, 200, "{\"result\":\"\"}", WRITE_WAS_LOST, ERR_TEMP },
        { &UPDATE, 200, "{\"result\":false}", WRITE_SAID_NO, ERR_TEMP },
        { &GONE, 200, "{\"result\":false}", WRITE_SAID_NO, ERR_TEMP },
        { &BIND, 200, "{\"result\":false}", WRITE_SAID_NO, ERR_TEMP },
        { &DEAL, 200, "{\"result\":false}", WRITE_SAID_NO, ERR_TEMP },
        /* refused before execution */
        { &DEAL, 503, ERROR("QUERY_LIMIT_EXCEEDED", "Too many requests"), WRITE_WAS_NOT, ERR_WAIT },
        { &DEAL, 429, ERROR("OPERATION_TIME_LIMIT", "Method is blocked"), WRITE_WAS_NOT, ERR_WAIT },
        { &DEAL, 503, ERROR("OVERLOAD_LIMIT", ""), WRITE_WAS_NOT, ERR_AUTH },
        { &DEAL, 401, ERROR("expired_token", "The access token provided has expired."), WRITE_WAS_NOT,
            ERR_AUTH },
        { &DEAL, 401, ERROR("INVALID_CREDENTIALS", ""), WRITE_WAS_NOT, ERR_AUTH },
        { &DEAL, 401, ERROR("insufficient_scope", ""), WRITE_WAS_NOT, ERR_AUTH },
        { &DEAL, 404, ERROR("ERROR_METHOD_NOT_FOUND", "Method not found!"), WRITE_WAS_NOT, ERR_CONF },
        { &DEAL, 302, "", WRITE_WAS_NOT, ERR_CONF },
        { &DEAL, 401, ERROR("SOMETHING_NEW", "?"), WRITE_WAS_NOT, ERR_AUTH },
        { &DEAL, 429, ERROR("SOMETHING_NEW", "?"), WRITE_WAS_NOT, ERR_WAIT },
        /* as a whole, under the status of older portals */
        { &DEAL, 200, ERROR("INVALID_CREDENTIALS", ""), WRITE_WAS_NOT, ERR_AUTH },
        { &DEAL, 200, ERROR("ACCESS_DENIED", ""), WRITE_WAS_NOT, ERR_AUTH },
        { &DEAL, 200, ERROR("", "Access denied."), WRITE_WAS_REFUSED, ERR_AUTH },
        /* refused for good */
        { &DEAL, 400, ERROR("", "Access denied."), WRITE_WAS_REFUSED, ERR_AUTH },
        { &DEAL, 400, ERROR("", "Parameter 'fields' must be array."), WRITE_WAS_REFUSED, ERR_PERM },
        { &UPDATE, 400, ERROR("", "Parameter 'fields' must be an array"), WRITE_WAS_REFUSED, ERR_PERM },
        { &SMART, 400, ERROR("CRM_FIELD_ERROR_REQUIRED", "The field is required"), WRITE_WAS_REFUSED,
            ERR_PERM },
        { &ROWS, 400, ERROR("", "Not found"), WRITE_WAS_REFUSED, ERR_PERM },
        /* the effect is there already */
        { &GONE, 400, ERROR("", "Not found"), WRITE_WAS_DONE, ERR_NONE },
        { &GONE, 400, ERROR("NOT_FOUND", "Элемент не найден"), WRITE_WAS_DONE, ERR_NONE },
        { &GONE, 400, ERROR("", "Не найдено."), WRITE_WAS_DONE, ERR_NONE },
        { &GONE, 400, ERROR("", "Сделка не найдена"), WRITE_WAS_DONE, ERR_NONE },
        { &GONE, 400, ERROR("", "Deal is not found"), WRITE_WAS_DONE, ERR_NONE },
        { &GONE, 400, ERROR("", "Company is not found"), WRITE_WAS_DONE, ERR_NONE },
        { &GONE, 400, ERROR("ERROR_CORE", "Element not found"), WRITE_WAS_DONE, ERR_NONE },
        { &GONE, 200, ERROR("ERROR_CORE", "Элемент не найден."), WRITE_WAS_DONE, ERR_NONE },
        { &GONE, 400, ERROR("ERROR_CORE", "Element not found in the index"), WRITE_SAID_NO, ERR_TEMP },
        { &UPDATE, 400, ERROR("ERROR_CORE", "Element not found"), WRITE_SAID_NO, ERR_TEMP },
        { &GONE, 400, ERROR("", "Стадия не найдена"), WRITE_SAID_NO, ERR_PERM },
        { &GONE, 400, ERROR("", "Доступ запрещен"), WRITE_WAS_REFUSED, ERR_AUTH },
        { &BIND, 400, ERROR("ERROR_CORE", "Unable to set event handler: Handler already binded"),
            WRITE_WAS_DONE, ERR_NONE },
        /* a no that may have come after the commit */
        { &DEAL, 400, ERROR("ERROR_CORE", "The field contains an invalid address"), WRITE_SAID_NO, ERR_TEMP },
        { &DEAL, 200, ERROR("SOMETHING_NEW", "?"), WRITE_SAID_NO, ERR_TEMP },
        { &DEAL, 400, ERROR("", "Стадия не найдена"), WRITE_SAID_NO, ERR_PERM },
        { &DEAL, 400, ERROR("", "Контакт не найден"), WRITE_SAID_NO, ERR_PERM },
        { &DEAL, 200, ERROR("", "Контакт не найден"), WRITE_SAID_NO, ERR_TEMP },
        { &DEAL, 400, ERROR("BIZPROC_START_FAILED", "the robot failed"), WRITE_SAID_NO, ERR_PERM },
        { &DEAL, 403, ERROR("SOMETHING_NEW", "?"), WRITE_SAID_NO, ERR_AUTH },
        { &DEAL, 404, ERROR("SOMETHING_NEW", "?"), WRITE_SAID_NO, ERR_CONF },
        { &DEAL, 413, ERROR("SOMETHING_NEW", "?"), WRITE_SAID_NO, ERR_LIMIT },
        /* nobody knows */
        { &DEAL, 500, ERROR("INTERNAL_SERVER_ERROR", "Internal server error"), WRITE_WAS_LOST, ERR_TEMP },
        { &DEAL, 200, ERROR("INTERNAL_SERVER_ERROR", "Internal server error"), WRITE_WAS_LOST, ERR_TEMP },
        { &DEAL, 500, ERROR("ERROR_UNEXPECTED_ANSWER", ""), WRITE_WAS_LOST, ERR_TEMP },
        { &DEAL, 500, ERROR("SOMETHING_NEW", "?"), WRITE_WAS_LOST, ERR_TEMP },
        { &DEAL, 200, "", WRITE_WAS_LOST, ERR_TEMP },
        { &DEAL, 403, "", WRITE_WAS_LOST, ERR_TEMP },
        { &DEAL, 404, "", WRITE_WAS_LOST, ERR_CONF },
        { &DEAL, 502, "", WRITE_WAS_LOST, ERR_TEMP },
        { &DEAL, 504, "", WRITE_WAS_LOST, ERR_TEMP },
        { &DEAL, 200, "{\"time\":{}}", WRITE_WAS_LOST, ERR_TEMP },
        { &DEAL, 200, "[1]", WRITE_WAS_LOST, ERR_TEMP },
        { &DEAL, 500, "{\"result\":41}", WRITE_WAS_LOST, ERR_TEMP },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct write_heard h;
        struct write_found f;

        hear(cases[i].task, cases[i].status, cases[i].text, NULL, false, &h, &f);
        if (h.verdict != cases[i].verdict)
            print_error("%d %s: %d %s %s\n", cases[i].status, cases[i].text, h.verdict,
                err_kind_name(h.err.kind), h.err.text);
        CHECK_EQ(h.verdict, cases[i].verdict);
        if (h.verdict != WRITE_WAS_DONE)
            CHECK_EQ(h.err.kind, cases[i].kind);
        if (cases[i].task->kind == WRITE_ADD && h.verdict == WRITE_WAS_DONE)
            CHECK_EQ(h.id, 41);
    }
}

TEST(a_call_without_an_answer_is_unknown_once_a_byte_may_have_left)
{
    struct write_heard h;
    struct err err;

    err_set(&err, ERR_TEMP, "portal.example: cut");
    for (int sent = 0; sent < 2; sent++) {
        struct bitrix_said said = bitrix_said_nothing(sent, &err);

        bitrix_write_hear(&DEAL, &said, &h);
        CHECK_EQ(h.verdict, sent ? WRITE_WAS_LOST : WRITE_WAS_NOT);
        CHECK_STR(h.err.text, "portal.example: cut");
        CHECK_EQ(h.err.kind, ERR_TEMP);
    }
}

TEST(commands_of_a_batch_have_fates_of_their_own)
{
    static const char partly[] = "{\"result\":{\"result\":{\"a\":41},\"result_error\":{\"b\":" ERROR(
        "", "Access denied.") ",\"c\":" ERROR("OPERATION_TIME_LIMIT",
        "") ",\"d\":" ERROR("INTERNAL_SERVER_ERROR", "") ",\"e\":" ERROR("expired_token",
        "") ",\"f\":" ERROR("", "Неверное значение") ",\"h\":" ERROR("BIZPROC_START_FAILED",
        "") ",\"i\":" ERROR("INVALID_CREDENTIALS", "") "}}}";
    static const struct {
        const char *text, *key;
        bool halt;
        enum write_verdict verdict;
    } cases[] = {
        { partly, "a", false, WRITE_WAS_DONE },
        { partly, "b", false, WRITE_WAS_REFUSED },
        { partly, "c", false, WRITE_WAS_NOT },
        { partly, "d", false, WRITE_WAS_LOST },
        { partly, "e", false, WRITE_WAS_NOT },
        { partly, "f", false, WRITE_SAID_NO },
        { partly, "h", false, WRITE_SAID_NO },
        { partly, "i", false, WRITE_WAS_REFUSED },
        { partly, "g", false, WRITE_WAS_LOST },
        { partly, "g", true, WRITE_WAS_NOT },
        { "{\"result\":{\"result\":{\"a\":41},\"result_error\":[]}}", "g", true, WRITE_WAS_LOST },
        { "{\"result\":{\"result\":{\"a\":41},\"result_error\":{\"a\":" ERROR("", "Not found") "}}}", "a",
            false, WRITE_WAS_LOST },
        { ERROR("QUERY_LIMIT_EXCEEDED", ""), "a", false, WRITE_WAS_NOT },
        { ERROR("INTERNAL_SERVER_ERROR", ""), "a", false, WRITE_WAS_LOST },
        { ERROR("INVALID_CREDENTIALS", ""), "a", false, WRITE_WAS_NOT },
        { "", "a", false, WRITE_WAS_LOST },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct write_heard h;
        struct write_found f;

        hear(&DEAL, 200, cases[i].text, cases[i].key, cases[i].halt, &h, &f);
        if (h.verdict != cases[i].verdict)
            print_error("%s of %s: %d\n", cases[i].key, cases[i].text, h.verdict);
        CHECK_EQ(h.verdict, cases[i].verdict);
    }
}

#define ROW(id, by, is) "{\"ID\":\"" id "\",\"ORIGINATOR_ID\":\"" by "\",\"ORIGIN_ID\":\"" is "\"}"

TEST(a_look_finds_the_effect_or_says_that_it_is_not_there)
{
    static const struct {
        const struct write_task *task;
        int status;
        const char *text;
        enum write_seen seen;
        uint64_t id, twin;
    } cases[] = {
        { &DEAL, 200, "{\"result\":[]}", WRITE_SEEN_NOT, 0, 0 },
        { &DEAL, 200, "{\"result\":[" ROW("41", "potok", "A:7") "]}", WRITE_SEEN, 41, 0 },
        { &DEAL, 200, "{\"result\":[" ROW("50", "potok", "A:7") "," ROW("41", "potok", "A:7") "]}",
            WRITE_SEEN, 41, 50 },
        { &DEAL, 200, "{\"result\":[" ROW("41", "potok", "A:7") "," ROW("50", "potok", "A:7") "]}",
            WRITE_SEEN, 41, 50 },
        /* filters of databases take both for the same */
        { &DEAL, 200, "{\"result\":[" ROW("40", "Potok", "a:7") "," ROW("41", "potok", "A:7") "]}",
            WRITE_SEEN, 41, 0 },
        { &DEAL, 200, "{\"result\":[" ROW("40", "potok", "a:7") "]}", WRITE_SEEN_NOT, 0, 0 },
        /* and this portal made nothing of the filter */
        { &DEAL, 200, "{\"result\":[" ROW("41", "potok", "A:7") "," ROW("42", "", "") "]}", WRITE_UNSEEABLE,
            0, 0 },
        { &DEAL, 200, "{\"result\":[{\"ID\":\"3\"}]}", WRITE_UNSEEABLE, 0, 0 },
        { &DEAL, 200, "{\"result\":{\"3\":" ROW("41", "potok", "A:7") "}}", WRITE_SEEN, 41, 0 }, /* of PHP */
        { &DEAL, 200, "{\"result\":{}}", WRITE_NOT_LOOKED, 0, 0 },
        { &DEAL, 200, "{\"result\":{\"x\":" ROW("41", "potok", "A:7") "}}", WRITE_NOT_LOOKED, 0, 0 },
        { &DEAL, 502, "", WRITE_NOT_LOOKED, 0, 0 },
        { &DEAL, 503, ERROR("QUERY_LIMIT_EXCEEDED", ""), WRITE_NOT_LOOKED, 0, 0 },
        { &DEAL, 401, ERROR("expired_token", ""), WRITE_NOT_LOOKED, 0, 0 },
        { &DEAL, 400, ERROR("", "Not found"), WRITE_UNSEEABLE, 0, 0 },
        { &SMART, 200, "{\"result\":{\"items\":[{\"id\":41,\"xmlId\":\"potok/A:7\"}]}}", WRITE_SEEN, 41, 0 },
        { &SMART, 200, "{\"result\":{\"items\":[]}}", WRITE_SEEN_NOT, 0, 0 },
        { &SMART, 400, ERROR("INVALID_ARG_VALUE", "Invalid filter"), WRITE_UNSEEABLE, 0, 0 },
        { &GONE, 400, ERROR("", "Not found"), WRITE_SEEN, 0, 0 },
        { &GONE, 400, ERROR("", "Сделка не найдена."), WRITE_SEEN, 0, 0 },
        { &DEAL, 400, ERROR("", "Тип не найден"), WRITE_UNSEEABLE, 0, 0 },
        { &GONE, 200, "{\"result\":{\"ID\":\"9\"}}", WRITE_SEEN_NOT, 0, 0 },
        { &GONE, 400, ERROR("", "Access denied."), WRITE_UNSEEABLE, 0, 0 },
        { &GONE, 400, ERROR("SOMETHING_NEW", ""), WRITE_UNSEEABLE, 0, 0 },
        { &GONE, 400, ERROR("ERROR_CORE", ""), WRITE_NOT_LOOKED, 0, 0 },
        { &GONE, 403, ERROR("SOMETHING_NEW", ""), WRITE_NOT_LOOKED, 0, 0 },
        { &GONE, 200, "{\"result\":null}", WRITE_NOT_LOOKED, 0, 0 },
        { &GONE, 200, "{\"result\":[]}", WRITE_NOT_LOOKED, 0, 0 },
        { &ROWS, 200,
            "{\"result\":{\"PHONE\":[{\"VALUE\":\"7\"},{\"VALUE\":\"799912\"}],\"EMAIL\":[{\"VALUE\":\"a@b."
            "c\"}]}}",
            WRITE_SEEN, 0, 0 },
        { &ROWS, 200, "{\"result\":{\"PHONE\":[{\"VALUE\":\"799912\"}]}}", WRITE_SEEN_NOT, 0, 0 },
        { &ROWS, 200, "{\"result\":{\"PHONE\":[{\"VALUE\":\"799912\"}],\"EMAIL\":[{\"VALUE\":\"a@b.d\"}]}}",
            WRITE_SEEN_NOT, 0, 0 },
        { &ROWS, 400, ERROR("", "Not found"), WRITE_UNSEEABLE, 0, 0 },
        { &ROWS, 200, "{\"result\":[]}", WRITE_NOT_LOOKED, 0, 0 },
        { &SPACED, 200,
            "{\"result\":{\"PHONE\":[{\"VALUE\":\"call me\"}],\"EMAIL\":[{\"VALUE\":\"a@b.c\"}]}}",
            WRITE_SEEN, 0, 0 },
        { &SPACED, 200,
            "{\"result\":{\"PHONE\":[{\"VALUE\":\" call me\"}],\"EMAIL\":[{\"VALUE\":\"a@b.c\\t\"}]}}",
            WRITE_SEEN, 0, 0 },
        { &SPACED, 200, "{\"result\":{\"PHONE\":[{\"VALUE\":\"callme\"}],\"EMAIL\":[{\"VALUE\":\"a@b.c\"}]}}",
            WRITE_SEEN_NOT, 0, 0 },
        { &NUMBER, 200, "{\"result\":{\"PHONE\":[{\"VALUE\":\"799912\"}]}}", WRITE_UNSEEABLE, 0, 0 },
        { &NOTHING, 200, "{\"result\":{\"ID\":\"9\"}}", WRITE_UNSEEABLE, 0, 0 },
        { &BIND, 200, "{\"result\":[]}", WRITE_SEEN_NOT, 0, 0 },
        { &BIND, 200, "{\"result\":[{\"event\":\"OnCrmDealAdd\",\"handler\":\"https://a/b\",\"offline\":0}]}",
            WRITE_SEEN, 0, 0 },
        { &BIND, 200,
            "{\"result\":[{\"event\":\"ONCRMDEALADD\",\"handler\":\"https://a/c\",\"offline\":\"0\"}]}",
            WRITE_SEEN_NOT, 0, 0 },
        { &BIND, 200, "{\"result\":[{\"event\":\"ONCRMDEALADD\",\"offline\":1}]}", WRITE_SEEN_NOT, 0, 0 },
        { &UNBIND, 200, "{\"result\":[{\"event\":\"ONCRMDEALADD\",\"handler\":\"https://a/b\"}]}",
            WRITE_SEEN_NOT, 0, 0 },
        { &UNBIND, 200, "{\"result\":[]}", WRITE_SEEN, 0, 0 },
        { &QUEUE, 200, "{\"result\":[{\"event\":\"ONCRMDEALADD\",\"offline\":1}]}", WRITE_SEEN, 0, 0 },
        { &QUEUE, 200, "{\"result\":[{\"event\":\"ONCRMDEALADD\",\"offline\":\"Y\",\"connector_id\":\"x\"}]}",
            WRITE_SEEN_NOT, 0, 0 },
        { &QUEUE, 200, "{\"result\":true}", WRITE_NOT_LOOKED, 0, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct write_heard h;
        struct write_found f;

        hear(cases[i].task, cases[i].status, cases[i].text, NULL, false, &h, &f);
        if (f.seen != cases[i].seen)
            print_error("%d %s: %d %s\n", cases[i].status, cases[i].text, f.seen, f.err.text);
        CHECK_EQ(f.seen, cases[i].seen);
        CHECK_EQ(f.twin_count, cases[i].twin > 0);
        if (f.seen == WRITE_SEEN)
            CHECK_EQ(f.id, cases[i].id);
        if (cases[i].twin > 0)
            CHECK_EQ(f.twins[0], cases[i].twin);
        CHECK_EQ(f.err.kind == ERR_NONE, f.seen == WRITE_SEEN || f.seen == WRITE_SEEN_NOT);
    }
}

/* What a look does not show may be hidden from whoever looks. */
TEST(an_add_not_seen_by_who_sees_not_all_is_not_known_to_be_missing)
{
    static const char *const texts[] = { "{\"result\":[]}", "{\"result\":[" ROW("40", "potok", "a:7") "]}",
        "{\"result\":[" ROW("41", "potok", "A:7") "]}" };
    struct write_task blind = DEAL;

    blind.sees_all = false;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct write_heard h;
        struct write_found f;

        hear(&blind, 200, texts[i], NULL, false, &h, &f);
        CHECK_EQ(f.seen, i == 2 ? WRITE_SEEN : WRITE_SEEN_NOT);
        CHECK_EQ(f.partial, i != 2);
        CHECK_EQ(f.err.kind, i == 2 ? ERR_NONE : ERR_PERM);
        hear(&DEAL, 200, texts[i], NULL, false, &h, &f);
        CHECK(!f.partial);
    }
}

TEST(an_administrator_sees_all)
{
    static const struct {
        int status;
        const char *text;
        bool sees_all;
    } cases[] = {
        { 200, "{\"result\":{\"ID\":\"1\",\"ADMIN\":true}}", true },
        { 200, "{\"result\":{\"ID\":\"1\",\"ADMIN\":\"Y\"}}", true },
        { 200, "{\"result\":{\"ID\":\"1\",\"ADMIN\":false}}", false },
        { 200, "{\"result\":{\"ID\":\"1\"}}", false },
        { 200, "{\"result\":[]}", false },
        { 401, ERROR("expired_token", ""), false },
        { 502, "", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_t *body = json_of(cases[i].text);
        const struct bitrix_said said = bitrix_said(cases[i].status, body, NULL, false);

        CHECK_EQ(bitrix_profile_sees_all(&said), cases[i].sees_all);
        json_decref(body);
    }
}

TEST(a_bad_letter_makes_no_record_invisible)
{
    static const char *const cases[] = { "{\"result\":{\"ID\":\"9\",\"TITLE\":\"\xD0(\"}}",
        "{\"result\":{\"ID\":\"9\",\"TITLE\":\"\\ud800\"}}",
        "{\"result\":{\"ID\":\"9\",\"TITLE\":\"\\u0000\"}}",
        "{\"result\":{\"ID\":\"9\",\"SUM\":123456789012345678901234567890.5}}" };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct write_heard h;
        struct write_found f;

        hear(&GONE, 200, cases[i], NULL, false, &h, &f);
        CHECK_EQ(f.seen, WRITE_SEEN_NOT);
    }
    CHECK(json_of("<html>") == NULL);
    CHECK(json_of("{\"result\":[{\"ID\":\"4") == NULL);
    CHECK(json_of("") == NULL);
}

TEST(the_longer_pause_is_heeded)
{
    json_t *body = json_loads(ERROR("OPERATION_TIME_LIMIT", ""), 0, NULL);
    struct bitrix_said said = bitrix_said(429, body, NULL, false);
    struct write_heard h;

    bitrix_write_hear(&DEAL, &said, &h);
    CHECK_EQ(h.retry_ms, 60000);
    said.retry_ms = 90000;
    bitrix_write_hear(&DEAL, &said, &h);
    CHECK_EQ(h.retry_ms, 90000);
    json_decref(body);
}

TEST_MAIN(CASE(an_answer_says_done_or_certainly_not_or_nothing),
    CASE(a_call_without_an_answer_is_unknown_once_a_byte_may_have_left),
    CASE(commands_of_a_batch_have_fates_of_their_own),
    CASE(a_look_finds_the_effect_or_says_that_it_is_not_there),
    CASE(an_add_not_seen_by_who_sees_not_all_is_not_known_to_be_missing), CASE(an_administrator_sees_all),
    CASE(a_bad_letter_makes_no_record_invisible), CASE(the_longer_pause_is_heeded))
