#include "unit/sandbox/ask.h"

static void check_answer(struct portal *p, const char *format, int status, const char *part)
{
    char path[256];
    int got;

    snprintf(path, sizeof(path), "%s", format);
    char *text = ask_raw(p, path, NULL, "", &got);
    CHECK_EQ(got, status);
    CHECK_HAS(text, part);
    free(text);
}

/* "/rest/1/SECRET/" + rest */
static void check_method(struct portal *p, const char *rest, int status, const char *part)
{
    char path[256];

    snprintf(path, sizeof(path), "/rest/1/%s/%s", p->secret, rest);
    check_answer(p, path, status, part);
}

TEST(routes_are_taken_as_the_portal_takes_them)
{
    struct portal *p = ask_open();
    char path[128];

    check_method(p, "profile", 200, "\"result\":{\"ID\":\"1\"");
    check_method(p, "Profile.json", 200, "\"time\":{\"start\":");
    check_method(p, "profile/", 200, "\"operating_reset_at\":");
    check_method(p, "profile.xml", 200, "<response><result><ID>1</ID>");
    check_method(p, "no.such.method", 404, "ERROR_METHOD_NOT_FOUND");
    check_answer(p, "/rest/1/wrongwrongwrong1/profile", 401, "INVALID_CREDENTIALS");
    check_answer(p, "/rest/profile", 401, "NO_AUTH_FOUND");
    check_answer(p, "/rest/nothing", 404, "Method not found!");
    snprintf(path, sizeof(path), "/rest/%s/crm.deal.list", p->secret);
    check_answer(p, path, 404, "Method not found!");
    snprintf(path, sizeof(path), "/rest/2/%s/profile", p->secret);
    check_answer(p, path, 401, "INVALID_CREDENTIALS");
    check_answer(p, "/", 404, "<html>");
    check_answer(p, "/rest/", 404, "Method not found!");
    check_answer(
        p, "/rest//profile", 401, "NO_AUTH_FOUND"); /* a client that joins ".../rest/" and "/profile" */
    ask_close(p);
}

TEST(the_other_methods_answer)
{
    struct portal *p = ask_open();

    check_method(p, "scope", 200, "[\"crm\",\"user\"]");
    check_method(p, "server.time", 200, "+03:00\"");
    check_method(p, "methods", 200, "\"crm.deal.list\"");
    check_method(p, "method.get?name=crm.deal.list", 200, "{\"isExisting\":true,\"isAvailable\":true}");
    check_method(p, "method.get", 200, "{\"isExisting\":false,\"isAvailable\":false}");
    check_method(p, "user.get?ID=3", 200, "\"total\":1");
    check_method(p, "crm.status.list?filter[ENTITY_ID]=SOURCE", 200, "\"ENTITY_ID\":\"SOURCE\"");
    check_method(p, "crm.status.list?filter[ENTITY_ID]=DEAL_STAGE_1", 200, "\"STATUS_ID\":\"C1:NEW\"");
    check_method(p, "crm.category.list?entityTypeId=2", 200, "{\"categories\":[{\"id\":0,");
    check_method(p, "crm.category.list?entityTypeId=77", 400, "NOT_FOUND");
    check_method(p, "crm.category.list?entityTypeId=1", 400, "ENTITY_TYPE_NOT_SUPPORTED");
    check_method(p, "crm.category.list", 400, "\"100\"");
    check_method(p, "crm.category.list?entityTypeId=3", 200, "{\"categories\":[]}");
    check_method(p, "crm.deal.fields", 200, "\"STAGE_ID\":{\"type\":\"crm_status\",\"isRequired\":false");
    check_method(p, "crm.contact.fields", 200, "\"PHONE\":{\"type\":\"crm_multifield\"");
    check_method(p, "crm.deal.fields", 200, "\"items\":[{\"ID\":\"");
    check_method(
        p, "crm.deal.userfield.list?filter[USER_TYPE_ID]=money&filter[MULTIPLE]=N", 200, "\"total\":1");
    check_method(p, "crm.deal.userfield.list?filter[LANG]=ru", 200, "\"EDIT_FORM_LABEL\"");
    ask_close(p);
}

TEST(a_missing_scope_is_told_alone_and_in_a_batch)
{
    struct portal *p = ask_open();

    ask_admin(p, "scope?allow=user", NULL);
    check_method(p, "crm.deal.list", 401, "insufficient_scope");
    check_method(p, "user.get", 200, "\"result\"");
    check_method(p, "batch?cmd[a]=crm.deal.fields", 200,
        "\"result_error\":{\"a\":{\"error\":\"insufficient_scope\",\"error_description\":\"\"}}");
    ask_admin(p, "scope?allow=", NULL);
    check_method(p, "scope", 200, "\"result\":[]");
    ask_admin(p, "scope?allow=crm,user", NULL);
    check_method(p, "crm.deal.list?select[]=ID", 200, "\"next\":50");
    ask_close(p);
}

TEST(the_request_limit_refuses_and_is_counted)
{
    struct portal_options o = ask_options();
    o.tariff = "2/5";
    struct portal *p = ask_open_with(o);

    for (int i = 0; i < 6; i++)
        check_method(p, "profile", 200, "result");
    for (int i = 0; i < 4; i++) {
        char path[64];
        int status;
        snprintf(path, sizeof(path), "/rest/1/%s/profile", p->secret);
        char *text = ask_raw(p, path, NULL, "", &status);
        CHECK(status == 503 || status == 200); /* a second may have passed */
        free(text);
    }
    CHECK(p->stats.refused_503 >= 2);
    CHECK_EQ(p->stats.requests, 10);
    check_answer(p, "/__admin/stats", 200, "\"bucket_max\":6");
    ask_close(p);
}

static struct portal_answer struck(struct portal *p, const char *fault, const char *method)
{
    struct portal_answer a;
    char path[128];

    snprintf(path, sizeof(path), "fault?kind=%s&times=1&method=%s", fault, method);
    ask_admin(p, path, NULL);
    snprintf(path, sizeof(path), "/rest/1/%s/%s", p->secret, method);
    portal_answer(p,
        &(struct portal_request){ .method = "GET",
            .path = path,
            .query = STR("start=-1"),
            .body = STR(""),
            .content_type = "",
            .remote = "127.0.0.1" },
        &a);
    return a;
}

TEST(faults_strike_once_and_look_like_the_real_thing)
{
    static const struct {
        const char *fault;
        int status;
        enum portal_how how;
        uint64_t delay_ms;
        const char *part;
    } cases[] = {
        { "html502", 502, HOW_REPLY, 0, "502 Bad Gateway" },
        { "html504", 504, HOW_REPLY, 0, "504 Gateway Time-out" },
        { "html500", 500, HOW_REPLY, 0, "500 Internal Server Error" },
        { "html403", 403, HOW_REPLY, 0, "403 Forbidden" },
        { "expired401", 401, HOW_REPLY, 0, "expired_token" },
        { "general400", 400, HOW_REPLY, 0,
            "\"error\":\"\",\"error_description\":\"Failed to get list. General error.\"" },
        { "html200", 200, HOW_REPLY, 0, "<html>" },
        { "truncated", 200, HOW_CUT, 0, "{\"result\":[{" },
        { "reset", 200, HOW_CUT, 0, "" },
        { "hang", 504, HOW_REPLY, 60000, "504" },
        { "error200", 200, HOW_REPLY, 0, "{\"error\":\"INTERNAL_SERVER_ERROR\"" },
        { "limit503", 503, HOW_REPLY, 0, "QUERY_LIMIT_EXCEEDED" },
        { "limit429", 429, HOW_REPLY, 0, "OPERATION_TIME_LIMIT" },
        { "redirect302", 302, HOW_REPLY, 0, "" },
        { "scope401", 401, HOW_REPLY, 0, "insufficient_scope" },
        { "auth401", 401, HOW_REPLY, 0, "INVALID_CREDENTIALS" },
        { "overload", 503, HOW_REPLY, 0, "OVERLOAD_LIMIT" },
        { "unexpected500", 500, HOW_REPLY, 0, "ERROR_UNEXPECTED_ANSWER" },
        { "payment401", 401, HOW_REPLY, 0, "PAYMENT_REQUIRED" },
        { "tariff403", 403, HOW_REPLY, 0, "REST API is available only on commercial plans" },
        { "rights403", 403, HOW_REPLY, 0, "INVALID_CREDENTIALS" },
        { "inactive401", 401, HOW_REPLY, 0, "authorization_error" },
        { "intranet403", 403, HOW_REPLY, 0, "allowed_only_intranet_user" },
        { "deleted500", 500, HOW_REPLY, 0, "PORTAL_DELETED" },
        { "zero400", 400, HOW_REPLY, 0, "{\"error\":0," },
        { "wide400", 400, HOW_REPLY, 0, "{\"error\":200040300010," },
        { "text400", 400, HOW_REPLY, 0, "{\"error\":\"Invalid parameters.\"," },
        { "badutf8", 200, HOW_REPLY, 0, "\xD0(" },
        { "emptybody", 200, HOW_REPLY, 0, "" },
        { "latency", 200, HOW_REPLY, 0, "{\"result\":[{" },
        { "command", 500, HOW_REPLY, 0, "INTERNAL_SERVER_ERROR" },
    };
    struct portal *p = ask_open();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct portal_answer a = struck(p, cases[i].fault, "crm.deal.list");
        CHECK_EQ(a.status, cases[i].status);
        CHECK_EQ(a.how, cases[i].how);
        CHECK_EQ(a.delay_ms, cases[i].delay_ms);
        CHECK_HAS(buf_cstr(&a.body), cases[i].part);
        buf_fini(&a.body);
        check_method(p, "crm.deal.list?start=-1", 200, "{\"result\":[{");
    }
    struct portal_answer a = struck(p, "redirect302", "profile");
    CHECK_HAS(a.headers, "Location: https://renamed.example/rest/1/");
    buf_fini(&a.body);
    ask_close(p);
}

TEST(a_fault_waits_for_its_method_and_can_be_cleared)
{
    struct portal *p = ask_open();

    ask_admin(p, "fault?kind=html502&times=2&method=Batch", NULL);
    check_method(p, "profile", 200, "result");
    check_method(p, "batch?cmd[a]=profile", 502, "502");
    ask_admin(p, "faults/clear", NULL);
    check_method(p, "batch?cmd[a]=profile", 200, "result");
    ask_admin(p, "fault?kind=limit429&times=1&method=crm.deal.list", NULL);
    check_method(p, "batch?cmd[a]=crm.deal.list&cmd[b]=crm.deal.list", 200,
        "\"result_error\":{\"a\":{\"error\":\"OPERATION_TIME_LIMIT\"");
    ask_close(p);
}

TEST(admin_refuses_nonsense_and_strangers)
{
    static const struct {
        const char *path, *body;
        int status;
    } cases[] = {
        { "/__admin/truth/orders", NULL, 400 },
        { "/__admin/nothing", NULL, 404 },
        { "/__admin/change", NULL, 404 },
        { "/__admin/change?kind=burn", "{}", 400 },
        { "/__admin/change?entity=x", "{}", 400 },
        { "/__admin/set?entity=deals&id=999999", "{}", 404 },
        { "/__admin/field?entity=deals", "{}", 400 },
        { "/__admin/field?entity=deals", "{\"name\":\"TITLE\",\"type\":\"string\"}", 400 },
        { "/__admin/field?entity=deals", "{\"name\":\"UF_CRM_INT\",\"type\":\"string\"}", 400 },
        { "/__admin/field/delete?entity=deals&name=TITLE", "{}", 400 },
        { "/__admin/field/delete?entity=deals&name=UF_CRM_NONE", "{}", 400 },
        { "/__admin/field/rename?entity=deals&name=UF_CRM_INT", "{}", 400 },
        { "/__admin/field/type?entity=deals&name=UF_CRM_INT", "{\"type\":7}", 400 },
        { "/__admin/field/items?entity=deals&name=UF_CRM_INT", "{\"add\":[\"x\"]}", 400 },
        { "/__admin/field/items?entity=deals&name=UF_CRM_ENUM_M", "{\"delete\":[\"7\"]}", 400 },
        { "/__admin/field/items?entity=deals&name=UF_CRM_ENUM_M", "not JSON", 400 },
        { "/__admin/field/burn?entity=deals&name=UF_CRM_INT", "{}", 404 },
        { "/__admin/fault?kind=quake", "{}", 400 },
        { "/__admin/change/rate?per_s=-1", "{}", 400 },
        { "/__admin/truth/deals?after=x", NULL, 400 },
    };
    struct portal *p = ask_open();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int status;
        char *text = ask_raw(p, cases[i].path, cases[i].body, "", &status);
        CHECK_EQ(status, cases[i].status);
        CHECK_HAS(text, "{\"error\":");
        free(text);
    }
    struct portal_answer a;
    portal_answer(p,
        &(struct portal_request){ .method = "GET",
            .path = "/__admin/stats",
            .query = STR(""),
            .body = STR(""),
            .content_type = "",
            .remote = "192.0.2.7" },
        &a);
    CHECK_EQ(a.status, 403);
    buf_fini(&a.body);
    ask_close(p);
}

TEST(a_new_field_is_described_and_filled_for_some)
{
    struct portal *p = ask_open();

    ask_admin(p, "field?entity=deals", "{\"name\":\"UF_CRM_LATE\",\"type\":\"integer\",\"multiple\":false}");
    check_method(p, "crm.deal.fields", 200, "\"UF_CRM_LATE\":{\"type\":\"integer\"");
    check_method(p, "crm.deal.userfield.list", 200, "\"FIELD_NAME\":\"UF_CRM_LATE\"");
    check_method(p, "crm.deal.list?order[ID]=ASC&start=-1", 200, "\"UF_CRM_LATE\":\"");
    check_answer(p, "/__admin/truth/deals", 200, "\"uf_crm_late\":");
    ask_close(p);
}

static void check_lacks(struct portal *p, const char *path, const char *text)
{
    char *answer = ask_raw(p, path, NULL, "", NULL);

    if (strstr(answer, text) != NULL)
        print_error("%s has %s\n", path, text);
    CHECK(strstr(answer, text) == NULL);
    free(answer);
}

TEST(descriptions_and_truth_follow_what_people_do_to_a_field)
{
    struct portal *p = ask_open();
    char path[128];

    snprintf(path, sizeof(path), "/rest/1/%s/crm.deal.fields", p->secret);
    ask_admin(p, "field?entity=deals", "{\"name\":\"UF_CRM_X\",\"type\":\"enumeration\",\"fill\":100}");
    ask_admin(p, "field/rename?entity=deals&name=UF_CRM_X", "{\"label\":\"Канал \\\"А\\\"\"}");
    check_method(p, "crm.deal.fields", 200, "\"formLabel\":\"Канал \\u0022А\\u0022\"");
    check_method(p, "crm.deal.userfield.list?filter[LANG]=ru", 200, "\"LIST_COLUMN_LABEL\":\"Канал");
    ask_admin(p, "field/items?entity=deals&name=UF_CRM_X", "{\"add\":[\"Сайт\"]}");
    check_method(p, "crm.deal.fields", 200, "\"VALUE\":\"Сайт\"}");
    check_method(p, "crm.deal.userfield.list", 200, "\"VALUE\":\"Сайт\",\"DEF\"");
    ask_admin(p, "field/type?entity=deals&name=UF_CRM_X", "{\"type\":\"double\",\"multiple\":true}");
    check_method(p, "crm.deal.fields", 200,
        "\"UF_CRM_X\":{\"type\":\"double\",\"isRequired\":false,\"isReadOnly\":false,"
        "\"isImmutable\":false,\"isMultiple\":true");
    check_answer(p, "/__admin/columns/deals", 200, "\"uf_crm_x\":\"json\"");
    check_lacks(p, path, "Сайт");
    ask_admin(p, "field/delete?entity=deals&name=UF_CRM_X", "{}");
    check_lacks(p, path, "UF_CRM_X");
    check_lacks(p, "/__admin/columns/deals", "uf_crm_x");
    check_lacks(p, "/__admin/truth/deals", "uf_crm_x");
    ask_admin(p, "field?entity=deals", "{\"name\":\"UF_CRM_X\",\"type\":\"string\",\"fill\":0}");
    ask_close(p);
}

TEST(bodies_that_are_no_parameters_are_refused)
{
    struct portal *p = ask_open();
    char path[64];
    int status;

    snprintf(path, sizeof(path), "/rest/1/%s/profile", p->secret);
    char *text = ask_raw(p, path, "{\"a\":", "application/json", &status);
    CHECK_EQ(status, 400);
    CHECK_HAS(text, "{\"error\":\"ERROR_CORE\""); /* INVALID_REQUEST is about https (facts section 2.3) */
    free(text);
    free(ask_raw(p, path, "--x", "multipart/form-data; boundary=x", &status));
    CHECK_EQ(status, 400);
    free(ask_raw(p, path, "a=1", "application/x-www-form-urlencoded", &status));
    CHECK_EQ(status, 200);
    free(ask_raw(p, path, "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--\r\n",
        "multipart/form-data; boundary=b", &status));
    CHECK_EQ(status, 200);
    ask_close(p);
}

TEST(what_a_body_is_its_content_type_says)
{
    static const struct {
        const char *type, *part;
    } cases[] = {
        { "application/json", "\"total\":1" },
        { "application/json; charset=utf-8", "\"total\":1" },
        { "application/x-www-form-urlencoded", "\"total\":120" }, /* a parameter of a strange name */
        { "", "\"total\":120" },
    };
    struct portal *p = ask_open();
    char path[64], body[64];

    snprintf(path, sizeof(path), "/rest/1/%s/crm.deal.list", p->secret);
    snprintf(body, sizeof(body), "{\"filter\":{\"ID\":%u}}", p->store.crm[DEAL].ids[0]);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *text = ask_raw(p, path, body, cases[i].type, NULL);
        CHECK_HAS(text, cases[i].part);
        free(text);
    }
    ask_close(p);
}

static int status_at(struct portal *p, enum portal_door door, const char *path)
{
    struct portal_answer answer;

    portal_answer(p,
        &(struct portal_request){ .method = "GET",
            .path = path,
            .query = STR("client_id=local.1&client_secret=secret&grant_type=refresh_token&refresh_token=x"),
            .body = STR(""),
            .content_type = "",
            .remote = "127.0.0.1",
            .door = door },
        &answer);
    buf_fini(&answer.body);
    return answer.status;
}

/* A client that takes the one for the other learns it here (facts section 10). */
TEST(the_portal_authorizes_and_its_oauth_server_gives_tokens)
{
    struct portal_options o = ask_options();
    o.application.client = "local.1:secret";
    o.application.redirect = "http://127.0.0.1:9/";
    struct portal *p = ask_open_with(o);

    CHECK_EQ(status_at(p, DOOR_PORTAL, "/oauth/authorize/"), 302);
    CHECK_EQ(status_at(p, DOOR_OAUTH, "/oauth/authorize/"), 404);
    CHECK_EQ(status_at(p, DOOR_OAUTH, "/oauth/token/"), 400);
    CHECK_EQ(status_at(p, DOOR_PORTAL, "/oauth/token/"), 404);
    portal_rename(p, true);
    CHECK_EQ(status_at(p, DOOR_RENAMED, "/oauth/authorize/"), 302);
    CHECK_EQ(status_at(p, DOOR_RENAMED, "/oauth/token/"), 404);
    ask_close(p);
}

TEST_MAIN(CASE(routes_are_taken_as_the_portal_takes_them), CASE(the_other_methods_answer),
    CASE(a_missing_scope_is_told_alone_and_in_a_batch), CASE(the_request_limit_refuses_and_is_counted),
    CASE(faults_strike_once_and_look_like_the_real_thing),
    CASE(a_fault_waits_for_its_method_and_can_be_cleared), CASE(admin_refuses_nonsense_and_strangers),
    CASE(a_new_field_is_described_and_filled_for_some),
    CASE(descriptions_and_truth_follow_what_people_do_to_a_field),
    CASE(bodies_that_are_no_parameters_are_refused), CASE(what_a_body_is_its_content_type_says),
    CASE(the_portal_authorizes_and_its_oauth_server_gives_tokens))
