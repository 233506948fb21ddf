#include "connectors/bitrix.h"

#include "answers.h"

#include "proto/labels.h"
#include "proto/probe.h"

#define FIELDS \
    "{\"ID\":{\"type\":\"integer\",\"isMultiple\":false,\"isReadOnly\":true},\"TITLE\":{\"type\":" \
    "\"string\",\"isMultiple\":" \
    "false,\"settings\":{\"a\":[1,{}]}},\"PHONE\":{\"type\":\"crm_multifield\",\"isMultiple\":false}," \
    "\"CONTACT_IDS\":{\"type\":\"crm_contact\",\"isMultiple\":true},\"UF_CRM_A\":{\"type\":\"string\"," \
    "\"isMultiple\":false}," \
    "\"ODD\":[],\"UF_CRM_B\":{\"type\":\"enumeration\",\"isMultiple\":true,\"items\":[{\"ID\":\"1\"," \
    "\"VALUE\":\"x\"}]}}"
#define USER_FIELDS \
    "[{\"ID\":\"1\",\"FIELD_NAME\":\"UF_CRM_A\",\"USER_TYPE_ID\":\"money\",\"MULTIPLE\":\"Y\",\"SETTINGS\":" \
    "{}}," \
    "{\"FIELD_NAME\":\"UF_CRM_C\",\"USER_TYPE_ID\":\"date\",\"MULTIPLE\":\"N\"},{\"FIELD_NAME\":\"UF_CRM_" \
    "B\"}]"
#define RESULTS(first, last, counted) \
    "\"p00\":" FIELDS ",\"p01\":" USER_FIELDS ",\"p02\":" first ",\"p03\":" last ",\"p04\":" counted
#define ANSWER(results, errors, totals) \
    "{\"result\":{\"result\":{" results "},\"result_error\":" errors ",\"result_total\":" totals \
    ",\"result_time\":{\"p00\":{\"operating\":0.5},\"p02\":{\"operating\":1},\"p03\":{\"operating\":\"2." \
    "5\"}}}," \
    "\"time\":{\"date_finish\":\"2026-05-14T11:26:33+03:00\"}}"

static struct asked one_entity(void)
{
    struct asked a = asked_new("probe");

    a.job.entities = STR("deals");
    a.job.entity = STR("");
    a.job.schema = STR("");
    return a;
}

/* The first entity of what was learnt; views live as long as the answer. */
static struct probe_entity learnt(const struct bitrix_answer *answer, int64_t *ret_server_ms)
{
    struct err err = { .kind = ERR_NONE };
    struct probe probe;

    CHECK_OK(probe_decode(&probe, buf_view(&answer->learnt), &err), err);
    CHECK_EQ(probe.count, 1);
    struct probe_entity first = probe.entities[0];
    if (ret_server_ms != NULL)
        *ret_server_ms = probe.server_ms;
    probe_free(&probe);
    return first;
}

TEST(a_probe_learns_fields_bounds_and_count)
{
    struct asked a = one_entity();
    struct bitrix_answer answer;
    struct err err;
    int64_t server_ms;

    CHECK_OK(
        read_text(&a,
            ANSWER(RESULTS("[{\"ID\":\"3\"},{\"ID\":\"4\"}]", "[{\"ID\":90},{\"ID\":89}]", "[{\"ID\":3}]"),
                "[]", "{\"p02\":0,\"p03\":0,\"p04\":77}"),
            &answer, &err),
        err);
    struct probe_entity e = learnt(&answer, &server_ms);
    CHECK_VIEW(e.entity, "deals");
    CHECK_VIEW(e.error, "");
    CHECK_EQ(e.least_id, 3);
    CHECK_EQ(e.most_id, 90);
    CHECK_EQ(e.total, 77);
    CHECK_EQ(server_ms, 1778747193000);
    CHECK_EQ(answer.operating_count, 2);
    CHECK_STR(answer.operating[1].method, "crm.deal.list");
    CHECK_EQ(answer.operating[1].used_ms, 2500);
    bitrix_answer_fini(&answer);
    asked_free(&a);
}

TEST(user_fields_know_better_than_fields)
{
    static const struct field expected[] = {
        { STR("CONTACT_IDS"), STR("crm_contact"), true, HOLD_NOT },
        { STR("ID"), STR("integer"), false, HOLD_NOT },
        { STR("PHONE"), STR("crm_multifield"), true, HOLD_NOT },
        { STR("TITLE"), STR("string"), false, HOLD_NOT },
        { STR("UF_CRM_A"), STR("money"), true, HOLD_NOT },
        { STR("UF_CRM_B"), STR("enumeration"), true, HOLD_NOT },
        { STR("UF_CRM_C"), STR("date"), false, HOLD_NOT },
    };
    struct asked a = one_entity();
    struct bitrix_answer answer;
    struct schema schema;
    struct err err;

    CHECK_OK(read_text(&a, ANSWER(RESULTS("[]", "[]", "[]"), "[]", "{\"p04\":0}"), &answer, &err), err);
    CHECK_OK(schema_decode(&schema, learnt(&answer, NULL).schema, &err), err);
    CHECK_EQ(schema.count, ARRAY_SIZE(expected));
    for (int i = 0; i < schema.count; i++) {
        CHECK(str_eq(schema.fields[i].name, expected[i].name));
        CHECK(str_eq(schema.fields[i].type, expected[i].type));
        CHECK_EQ(schema.fields[i].multiple, expected[i].multiple);
    }
    schema_free(&schema);
    bitrix_answer_fini(&answer);
    asked_free(&a);
}

/* Facts 6.1, 6.4: the label of the form, of the list, else the title; never the code again. */
TEST(titles_and_items_come_beside_the_schema)
{
    static const struct {
        const char *name, *title, *items;
    } expected[] = {
        { "OPPORTUNITY", "Сумма", "" },
        { "TITLE", "", "" },
        { "UF_A", "Источник \"A\"", "[[\"5\",\"Нет\"],[\"47\",\"Да \\\"x\\\"\"],[\"101\",\"Опт\"]]" },
        { "UF_B", "Список", "[]" },
        { "UF_C", "Форма", "[[\"7\",\"семь\"]]" },
        { "UF_D", "Из списка", "" },
    };
    static const char answer_text[] =
        ANSWER("\"p00\":{\"ID\":{\"type\":\"integer\"},\"TITLE\":{\"type\":\"string\",\"title\":\"TITLE\"},"
               "\"OPPORTUNITY\":{\"type\":\"double\",\"title\":\"Сумма\"},"
               "\"UF_A\":{\"type\":\"enumeration\",\"title\":\"UF_A\",\"formLabel\":\"Источник "
               "\\\"A\\\"\",\"items\":["
               "{\"ID\":\"101\",\"VALUE\":\"Опт\"},{\"VALUE\":\"Да "
               "\\\"x\\\"\",\"ID\":\"47\"},{\"ID\":5,\"VALUE\":\"Нет\"},"
               "{\"VALUE\":\"no id\"},[]]},"
               "\"UF_B\":{\"items\":[],\"type\":\"enumeration\",\"formLabel\":\"\",\"listLabel\":\"Список\","
               "\"filterLabel\":null},"
               "\"UF_C\":{\"type\":\"enumeration\",\"formLabel\":\"Другая\"},\"UF_D\":{\"type\":\"string\","
               "\"items\":[{\"ID\":1}]}},"
               "\"p01\":[{\"FIELD_NAME\":\"UF_C\",\"USER_TYPE_ID\":\"enumeration\",\"EDIT_FORM_LABEL\":"
               "\"Форма\",\"LIST\":"
               "[{\"ID\":\"7\",\"VALUE\":\"семь\",\"SORT\":\"10\"}]},{\"FIELD_NAME\":\"UF_D\",\"USER_TYPE_"
               "ID\":\"string\","
               "\"EDIT_FORM_LABEL\":{\"ru\":\"x\"},\"LIST_COLUMN_LABEL\":\"Из "
               "списка\"}],\"p02\":[],\"p03\":[],\"p04\":[]",
            "[]", "[]");
    struct asked a = one_entity();
    struct bitrix_answer answer;
    struct labels labels;
    struct err err;

    CHECK_OK(read_text(&a, answer_text, &answer, &err), err);
    CHECK_OK(labels_decode(&labels, learnt(&answer, NULL).labels, &err), err);
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        const struct label *l = labels_find(&labels, str_of(expected[i].name));
        CHECK(l != NULL);
        CHECK_VIEW(l->title, expected[i].title);
        CHECK_VIEW(l->items, expected[i].items);
    }
    labels_free(&labels);
    bitrix_answer_fini(&answer);
    asked_free(&a);
}

/* 40 enumerations of 3,000 items each: more than fits, so the titles stay and the fields too. */
TEST(labels_stay_within_their_bounds)
{
    struct asked a = one_entity();
    struct bitrix_answer answer;
    struct labels labels;
    struct err err;
    struct buf b;

    for (int fields = 1; fields <= 80; fields += 79) {
        buf_init(&b, 64 << 20);
        buf_str(&b, "{\"result\":{\"result\":{\"p01\":[],\"p02\":[],\"p03\":[],\"p04\":[],\"p00\":{");
        for (int i = 0; i < fields; i++) {
            buf_fmt(&b, "%s\"UF_%02d\":{\"type\":\"enumeration\",\"formLabel\":\"", i > 0 ? "," : "", i);
            for (int k = 0; k < 200; k++)
                buf_str(&b, "Ы");
            buf_str(&b, "\",\"items\":[");
            for (int k = 0; k < 3000; k++)
                buf_fmt(&b, "%s{\"ID\":%d,\"VALUE\":\"item %d\"}", k > 0 ? "," : "", k + 1, k);
            buf_str(&b, "]}");
        }
        buf_str(&b, "}}}}");
        CHECK_OK(read_text(&a, buf_cstr(&b), &answer, &err), err);
        CHECK_OK(labels_decode(&labels, learnt(&answer, NULL).labels, &err), err);
        const struct label *l = labels_find(&labels, STR("UF_00"));
        CHECK_EQ(l->title.n, 254);
        CHECK(fields == 1 ? l->items.n > LABEL_ITEMS_MAX - 200 && l->items.n <= LABEL_ITEMS_MAX
                          : l->items.n == 0);
        CHECK(fields > 1 || memmem(l->items.p, l->items.n, " more\"]]", 8) != NULL);
        labels_free(&labels);
        bitrix_answer_fini(&answer);
        buf_fini(&b);
    }
    asked_free(&a);
}

TEST(counts_that_portals_do_not_give_are_estimated)
{
    static const struct {
        const char *text;
        uint64_t least, most, total;
    } cases[] = {
        { ANSWER(RESULTS("[]", "[]", "[]"), "[]", "[]"), 0, 0, 0 },
        { ANSWER(RESULTS("[{\"ID\":5}]", "[{\"ID\":5}]", "[{\"ID\":5}]"), "[]", "[]"), 5, 5, 1 },
        { ANSWER(RESULTS("[{\"ID\":5}]", "[{\"ID\":9}]", "[{\"ID\":5},{\"ID\":9}]"), "[]", "{\"p04\":\"0\"}"),
            5, 9, 2 },
        { ANSWER(RESULTS("[]", "[{\"ID\":9}]", "[]"), "[]", "{\"p04\":\"many\"}"), 9, 9, 0 },
        { ANSWER(RESULTS("[{\"ID\":5}]", "[]", "[]"), "[]", "{\"p04\":1}"), 5, 5, 1 },
    };
    struct asked a = one_entity();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bitrix_answer answer;
        struct err err;
        CHECK_OK(read_text(&a, cases[i].text, &answer, &err), err);
        struct probe_entity e = learnt(&answer, NULL);
        CHECK_EQ(e.least_id, cases[i].least);
        CHECK_EQ(e.most_id, cases[i].most);
        CHECK_EQ(e.total, cases[i].total);
        bitrix_answer_fini(&answer);
    }
    asked_free(&a);
}

TEST(an_entity_that_may_not_be_read_says_why_and_leaves_the_others)
{
    struct asked a = asked_new("probe");
    struct bitrix_answer answer;
    struct probe probe;
    struct err err;

    a.job.entities = STR("leads deals");
    CHECK_OK(read_text(&a,
                 "{\"result\":{\"result\":{\"p05\":" FIELDS ",\"p07\":[{\"ID\":1}],\"p08\":[{\"ID\":2}],"
                 "\"p09\":[{\"ID\":1},{\"ID\":2}],\"p00\":{\"ID\":{\"type\":\"integer\"}},\"p01\":[],\"p03\":"
                 "[],\"p04\":[]},"
                 "\"result_error\":{\"p02\":{\"error\":\"\",\"error_description\":\"Access denied.\"},"
                 "\"p06\":{\"error\":\"\",\"error_description\":\"Access denied.\"}}}}",
                 &answer, &err),
        err);
    CHECK_OK(probe_decode(&probe, buf_view(&answer.learnt), &err), err);
    CHECK_EQ(probe.count, 2);
    CHECK_VIEW(probe.entities[0].entity, "leads");
    CHECK_VIEW(probe.entities[0].error_kind, "auth");
    CHECK(probe.entities[0].error.n > 20);
    CHECK_VIEW(probe.entities[1].entity, "deals");
    CHECK_VIEW(
        probe.entities[1].error, ""); /* without the list of its user fields it can be read all the same */
    CHECK_EQ(probe.entities[1].total, 2);
    probe_free(&probe);
    bitrix_answer_fini(&answer);
    asked_free(&a);
}

TEST(what_passes_by_itself_fails_its_entity_alone)
{
    static const struct {
        const char *command, *error, *kind, *blocked;
    } cases[] = {
        { "p01", "OPERATION_TIME_LIMIT", "wait", "crm.lead.userfield.list" },
        { "p02", "OPERATION_TIME_LIMIT", "wait", "crm.lead.list" },
        { "p04", "QUERY_LIMIT_EXCEEDED", "wait", "" },
        { "p00", "INTERNAL_SERVER_ERROR", "temp", "" },
        { "p03", "INTERNAL_SERVER_ERROR", "temp", "" },
    };
    struct asked a = asked_new("probe");

    a.job.entities = STR("leads deals");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bitrix_answer answer;
        struct probe probe;
        struct err err;
        struct buf b;

        buf_init(&b, 1 << 20);
        buf_str(&b, "{\"result\":{\"result\":{\"p05\":" FIELDS ",\"p06\":[],\"p07\":[{\"ID\":1}],"
                    "\"p08\":[{\"ID\":2}],\"p09\":[{\"ID\":1},{\"ID\":2}]");
        for (int c = 0; c < 5; c++)
            if (cases[i].command[2] != '0' + c)
                buf_fmt(&b, ",\"p0%d\":[]", c);
        buf_fmt(&b, "},\"result_error\":{\"%s\":{\"error\":\"%s\"}}}}", cases[i].command, cases[i].error);
        CHECK_OK(read_text(&a, buf_cstr(&b), &answer, &err), err);
        CHECK_OK(probe_decode(&probe, buf_view(&answer.learnt), &err), err);
        CHECK_EQ(probe.count, 2);
        CHECK_VIEW(probe.entities[0].error_kind, cases[i].kind);
        CHECK(probe.entities[0].error.n > 0);
        CHECK_VIEW(probe.entities[1].error, "");
        CHECK_EQ(probe.entities[1].most_id, 2);
        CHECK_STR(answer.blocked, cases[i].blocked);
        CHECK(str_is(probe.entities[0].error_kind, "temp") || answer.retry_ms > 0);
        probe_free(&probe);
        bitrix_answer_fini(&answer);
        buf_fini(&b);
    }
    asked_free(&a);
}

TEST(an_entity_without_fields_cannot_be_read)
{
    struct asked a = one_entity();
    struct bitrix_answer answer;
    struct err err;

    CHECK_OK(read_text(&a, ANSWER("\"p00\":[],\"p01\":[],\"p02\":[],\"p03\":[],\"p04\":[]", "[]", "[]"),
                 &answer, &err),
        err);
    CHECK_VIEW(learnt(&answer, NULL).error_kind, "auth");
    bitrix_answer_fini(&answer);
    asked_free(&a);
}

TEST(what_concerns_the_whole_portal_fails_the_probe)
{
    static const struct {
        const char *text;
        enum err_kind kind;
    } cases[] = {
        { ANSWER(
              "\"p00\":{}", "{\"p01\":{\"error\":\"insufficient_scope\",\"error_description\":\"\"}}", "[]"),
            ERR_AUTH },
        { ANSWER("\"p00\":{}", "{\"p01\":{\"error\":\"expired_token\",\"error_description\":\"\"}}", "[]"),
            ERR_AUTH },
        { ANSWER("\"p00\":{}", "[]", "[]"), ERR_TEMP },
        { ANSWER(RESULTS("{}", "[]", "[]"), "[]", "[]"), ERR_TEMP },
        { ANSWER(RESULTS("[[]]", "[]", "[]"), "[]", "[]"), ERR_TEMP },
        { ANSWER(RESULTS("[{\"ID\":9}]", "[{\"ID\":8}]", "[]"), "[]", "[]"), ERR_TEMP },
    };
    struct asked a = one_entity();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bitrix_answer answer;
        struct err err;
        CHECK_EQ(read_text(&a, cases[i].text, &answer, &err), -1);
        CHECK_EQ(err.kind, cases[i].kind);
        CHECK_EQ(answer.learnt.n, 0);
        bitrix_answer_fini(&answer);
    }
    asked_free(&a);
}

TEST(too_many_fields_are_told)
{
    struct asked a = one_entity();
    struct bitrix_answer answer;
    struct err err;
    struct buf b;

    buf_init(&b, 8 << 20);
    buf_str(&b, "{\"result\":{\"result\":{\"p01\":[],\"p02\":[],\"p03\":[],\"p04\":[],\"p00\":{");
    for (int i = 0; i <= SCHEMA_FIELDS_MAX; i++)
        buf_fmt(&b, "%s\"UF_CRM_%d\":{\"type\":\"string\"}", i > 0 ? "," : "", i);
    buf_str(&b, "}}}}");
    CHECK_OK(read_text(&a, buf_cstr(&b), &answer, &err), err);
    CHECK_VIEW(learnt(&answer, NULL).error_kind, "perm");
    buf_fini(&b);
    bitrix_answer_fini(&answer);
    asked_free(&a);
}

TEST_MAIN(CASE(a_probe_learns_fields_bounds_and_count), CASE(user_fields_know_better_than_fields),
    CASE(titles_and_items_come_beside_the_schema), CASE(labels_stay_within_their_bounds),
    CASE(counts_that_portals_do_not_give_are_estimated),
    CASE(an_entity_that_may_not_be_read_says_why_and_leaves_the_others),
    CASE(what_passes_by_itself_fails_its_entity_alone), CASE(an_entity_without_fields_cannot_be_read),
    CASE(what_concerns_the_whole_portal_fails_the_probe), CASE(too_many_fields_are_told))
