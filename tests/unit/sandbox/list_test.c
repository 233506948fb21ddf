#include "unit/sandbox/ask.h"

static size_t rows(const json_t *answer)
{
    return json_array_size(json_object_get(answer, "result"));
}

static long long number(const json_t *answer, const char *name)
{
    const json_t *v = json_object_get(answer, name);

    return v ? json_integer_value(v) : -1;
}

TEST(pages_have_fifty_rows_next_and_total)
{
    struct portal *p = ask_open();
    static const struct {
        int start;
        size_t rows;
        int next, total;
    } cases[] = { { 0, 50, 50, 120 }, { 50, 50, 100, 120 }, { 100, 20, -1, 120 }, { 120, 0, -1, 120 },
        { 7, 50, 57, 120 }, { 70, 50, -1, 120 }, { -1, 50, -1, 0 } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char body[96];
        snprintf(body, sizeof(body), "{\"order\":{\"ID\":\"ASC\"},\"start\":%d}", cases[i].start);
        json_t *a = ask(p, "crm.deal.list", body);
        CHECK_EQ(rows(a), cases[i].rows);
        CHECK_EQ(number(a, "next"), cases[i].next);
        CHECK_EQ(number(a, "total"), cases[i].total);
        json_decref(a);
    }
    ask_close(p);
}

TEST(a_keyset_walk_meets_every_record_once)
{
    struct portal *p = ask_open();
    uint32_t seen = 0;
    long long last = 0;

    for (;;) {
        char body[128];
        snprintf(
            body, sizeof(body), "{\"ORDER\":{\"ID\":\"asc\"},\"FILTER\":{\">ID\":%lld},\"start\":-1}", last);
        json_t *a = ask(p, "CRM.Deal.LIST.json", body);
        for (size_t i = 0; i < rows(a); i++) {
            CHECK_EQ(ask_row_id(a, i), p->store.crm[DEAL].ids[seen]);
            seen++;
            last = ask_row_id(a, i);
        }
        const size_t count = rows(a);
        json_decref(a);
        if (count < 50)
            break;
    }
    CHECK_EQ(seen, 120);
    ask_close(p);
}

TEST(without_an_order_pages_overlap)
{
    struct portal *p = ask_open();
    json_t *a = ask(p, "crm.deal.list", "{\"start\":0}"), *b = ask(p, "crm.deal.list", "{\"start\":0}");

    CHECK(ask_row_id(a, 0) != ask_row_id(b, 0));
    json_decref(a);
    json_decref(b);
    ask_close(p);
}

static long long total_of(struct portal *p, const char *method, const char *filter)
{
    char body[512];

    snprintf(body, sizeof(body), "{\"filter\":%s,\"order\":{\"ID\":\"ASC\"}}", filter);
    json_t *a = ask(p, method, body);
    const long long total = number(a, "total");
    json_decref(a);
    return total;
}

TEST(filters_select_by_their_operators)
{
    struct portal *p = ask_open();
    const uint32_t *id = p->store.crm[DEAL].ids;
    char text[512];

    snprintf(text, sizeof(text), "{\">=ID\":%u,\"<ID\":%u}", id[10], id[20]);
    CHECK_EQ(total_of(p, "crm.deal.list", text), 10);
    snprintf(text, sizeof(text), "{\">ID\":\"%u\",\"<=ID\":\"%u\"}", id[10], id[20]);
    CHECK_EQ(total_of(p, "crm.deal.list", text), 10);
    snprintf(text, sizeof(text), "{\"@ID\":[%u,\"%u\",%u,999999]}", id[5], id[3], id[5]);
    CHECK_EQ(total_of(p, "crm.deal.list", text), 2);
    snprintf(text, sizeof(text), "{\"ID\":%u}", id[5]);
    CHECK_EQ(total_of(p, "crm.deal.list", text), 1);
    snprintf(text, sizeof(text), "{\"!ID\":[%u,%u]}", id[5], id[6]);
    CHECK_EQ(total_of(p, "crm.deal.list", text), 118);
    snprintf(text, sizeof(text), "{\"@ID\":[%u,%u],\">ID\":%u}", id[5], id[6], id[5]);
    CHECK_EQ(total_of(p, "crm.deal.list", text), 1);
    CHECK_EQ(total_of(p, "crm.deal.list", "{\"<ID\":0}"), 0);
    CHECK_EQ(total_of(p, "crm.deal.list", "{\"@ID\":[]}"), 120);
    ask_close(p);
}

TEST(every_condition_and_its_opposite_make_up_the_whole)
{
    static const struct {
        const char *yes, *no;
    } cases[] = {
        { "{\"CLOSED\":\"Y\"}", "{\"!CLOSED\":\"Y\"}" },
        { "{\"STAGE_SEMANTIC_ID\":[\"S\",\"F\"]}", "{\"!@STAGE_SEMANTIC_ID\":[\"S\",\"F\"]}" },
        { "{\">OPPORTUNITY\":\"100000\"}", "{\"<=OPPORTUNITY\":\"100000\"}" },
        { "{\">=DATE_CREATE\":\"2022-06-01T00:00:00+03:00\"}",
            "{\"<DATE_CREATE\":\"2022-06-01T00:00:00+03:00\"}" },
        { "{\"=COMMENTS\":\"\"}", "{\"!=COMMENTS\":\"\"}" },
        { "{\"COMPANY_ID\":\"\"}", "{\"!COMPANY_ID\":\"\"}" },
        { "{\"CATEGORY_ID\":0}", "{\"!CATEGORY_ID\":0}" },
        { "{\"UF_CRM_FLAG\":\"1\"}", "{\"!UF_CRM_FLAG\":\"1\"}" },
    };
    struct portal *p = ask_open();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const long long yes = total_of(p, "crm.deal.list", cases[i].yes),
                        no = total_of(p, "crm.deal.list", cases[i].no);
        CHECK(yes > 0 && no > 0);
        CHECK_EQ(yes + no, 120);
    }
    ask_close(p);
}

TEST(what_the_portal_does_not_know_is_left_out_silently)
{
    static const char *const filters[] = { "{\"NO_SUCH\":1}", "{\"CONTACT_IDS\":[1]}",
        "{\"%STAGE_ID\":\"NEW\"}", "{\"!%TITLE\":\"a\"}", "[]", "{\"%COMPANY_ID\":\"1\"}" };
    struct portal *p = ask_open();

    for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
        CHECK_EQ(total_of(p, "crm.deal.list", filters[i]), 120);
    CHECK(total_of(p, "crm.lead.list", "{\"!%TITLE\":\"лид\"}") < 40);
    ask_close(p);
}

TEST(like_knows_no_case_and_takes_signs_of_its_own)
{
    struct portal *p = ask_open();
    const long long whole = total_of(p, "crm.lead.list", "{\"%TITLE\":\"ЗАЯВКА С\"}");

    CHECK(whole > 0);
    CHECK_EQ(total_of(p, "crm.lead.list", "{\"%TITLE\":\"заявка с\"}"), whole);
    CHECK_EQ(total_of(p, "crm.lead.list", "{\"=%TITLE\":\"Заявка%\"}"), whole);
    CHECK_EQ(total_of(p, "crm.lead.list", "{\"%=TITLE\":\"%аявка%#%\"}"), whole);
    CHECK_EQ(total_of(p, "crm.lead.list", "{\"=%TITLE\":\"аявка%\"}"), 0);
    ask_close(p);
}

TEST(multifields_are_found_by_exact_value)
{
    struct portal *p = ask_open();
    char filter[256], value[128] = "";

    json_t *a = ask(p, "crm.contact.list",
        "{\"filter\":{\"HAS_EMAIL\":\"Y\"},\"select\":[\"EMAIL\"],\"order\":{\"ID\":\"ASC\"}}");
    json_t *email = json_object_get(json_array_get(json_object_get(a, "result"), 0), "EMAIL");
    snprintf(
        value, sizeof(value), "%s", json_string_value(json_object_get(json_array_get(email, 0), "VALUE")));
    json_decref(a);
    snprintf(filter, sizeof(filter), "{\"EMAIL\":\"%s\"}", value);
    CHECK(total_of(p, "crm.contact.list", filter) >= 1);
    snprintf(filter, sizeof(filter), "{\"EMAIL\":\"%.3s\"}", value);
    CHECK_EQ(total_of(p, "crm.contact.list", filter), 0);
    ask_close(p);
}

static bool row_has(struct portal *p, const char *method, const char *select, const char *field)
{
    char body[256];
    bool found = false;

    snprintf(body, sizeof(body), "{\"order\":{\"ID\":\"ASC\"},\"start\":-1%s%s}",
        *select ? ",\"select\":" : "", select);
    json_t *a = ask(p, method, body);
    for (size_t i = 0; i < rows(a); i++)
        found |= json_object_get(json_array_get(json_object_get(a, "result"), i), field) != NULL;
    json_decref(a);
    return found;
}

TEST(select_masks_leave_out_what_has_to_be_named)
{
    static const struct {
        const char *select, *field;
        bool there;
    } cases[] = {
        { "", "TITLE", true },
        { "", "UF_CRM_INT", true },
        { "", "UF_CRM_INT_M", false },
        { "", "PHONE", false },
        { "[\"*\"]", "NAME", true },
        { "[\"*\"]", "UF_CRM_INT", false },
        { "[\"UF_*\"]", "UF_CRM_INT", true },
        { "[\"UF_*\"]", "UF_CRM_INT_M", false },
        { "[\"UF_*\"]", "NAME", false },
        { "[\"UF_CRM_INT_M\"]", "UF_CRM_INT_M", true },
        { "[\"PHONE\"]", "PHONE", true },
        { "[\"NAME\"]", "ID", true },
        { "[\"NAME\"]", "TITLE", false },
        { "[\"CONTACT_IDS\"]", "CONTACT_IDS", false },
        { "[\"name\"]", "NAME", true },
    };
    struct portal *p = ask_open();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_EQ(row_has(p, "crm.lead.list", cases[i].select, cases[i].field), cases[i].there);
    ask_close(p);
}

TEST(orders_other_than_by_id_sort)
{
    struct portal *p = ask_open();
    json_t *a = ask(p, "crm.deal.list",
        "{\"order\":{\"OPPORTUNITY\":\"DESC\",\"ID\":\"ASC\"},\"select\":[\"OPPORTUNITY\"]}");
    double last = 1e300;

    CHECK_EQ(rows(a), 50);
    for (size_t i = 0; i < rows(a); i++) {
        const json_t *row = json_array_get(json_object_get(a, "result"), i);
        const double now = atof(json_string_value(json_object_get(row, "OPPORTUNITY")));
        CHECK(now <= last);
        last = now;
    }
    json_decref(a);
    a = ask(p, "crm.deal.list", "{\"order\":{\"ID\":\"desc\"},\"start\":-1}");
    CHECK_EQ(ask_row_id(a, 0), p->store.crm[DEAL].ids[119]);
    json_decref(a);
    ask_close(p);
}

TEST(wrong_types_and_ids_are_answered_as_the_portal_does)
{
    static const struct {
        const char *method, *body, *want;
    } cases[] = {
        { "crm.deal.list", "{\"filter\":\"x\"}", "Parameter 'filter' must be array." },
        { "crm.deal.list", "{\"order\":5}", "Parameter 'order' must be array." },
        { "crm.deal.get", "{}", "ID is not defined or invalid." },
        { "crm.deal.get", "{\"id\":-4}", "ID is not defined or invalid." },
        { "crm.deal.get", "{\"ID\":\"99999999\"}", "Not found" },
    };
    struct portal *p = ask_open();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_t *a = ask(p, cases[i].method, cases[i].body);
        CHECK_STR(ask_error(a), cases[i].want);
        CHECK_STR(json_string_value(json_object_get(a, "error")), "");
        json_decref(a);
    }
    ask_close(p);
}

TEST(hidden_and_deleted_records_are_not_listed)
{
    struct portal *p = ask_open();
    char path[96], body[64];
    const uint32_t id = p->store.crm[DEAL].ids[4];

    snprintf(path, sizeof(path), "hide?entity=deals&id=%u", id);
    ask_admin(p, path, NULL);
    snprintf(body, sizeof(body), "{\"id\":%u}", id);
    json_t *a = ask(p, "crm.deal.get", body);
    CHECK_STR(ask_error(a), "Access denied.");
    json_decref(a);
    CHECK_EQ(total_of(p, "crm.deal.list", "{}"), 119);
    ask_admin(p, "change?entity=deals&count=9&kind=delete", NULL);
    CHECK_EQ(total_of(p, "crm.deal.list", "{}"), 110);
    ask_close(p);
}

TEST_MAIN(CASE(pages_have_fifty_rows_next_and_total), CASE(a_keyset_walk_meets_every_record_once),
    CASE(without_an_order_pages_overlap), CASE(filters_select_by_their_operators),
    CASE(every_condition_and_its_opposite_make_up_the_whole),
    CASE(what_the_portal_does_not_know_is_left_out_silently),
    CASE(like_knows_no_case_and_takes_signs_of_its_own), CASE(multifields_are_found_by_exact_value),
    CASE(select_masks_leave_out_what_has_to_be_named), CASE(orders_other_than_by_id_sort),
    CASE(wrong_types_and_ids_are_answered_as_the_portal_does),
    CASE(hidden_and_deleted_records_are_not_listed))
