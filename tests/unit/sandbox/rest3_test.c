/* REST 3.0 beside the classic methods (facts section 13; the vendor's pages). */
#include "tests/unit/sandbox/ask.h"

static struct portal *open_all(void)
{
    struct portal_options o = ask_options();

    o.scopes = SCOPE_ALL;
    o.events.app = 1;
    return ask_open_with(o);
}

static json_t *ask3(struct portal *p, const char *method, const char *body)
{
    char path[300];

    snprintf(path, sizeof(path), "/rest/api/1/%s/%s", p->secret, method);
    return ask_path(p, path, body);
}

/* A member of the result, as JSON. */
static void gives(
    struct portal *p, const char *method, const char *body, const char *name, const char *expected)
{
    json_t *result = ask_done(ask3(p, method, body));

    ask_has(result, name, expected);
    json_decref(result);
}

static void refuses(
    struct portal *p, const char *method, const char *body, const char *code, const char *message)
{
    json_t *answer = ask3(p, method, body);
    const json_t *error = json_object_get(answer, "error");
    char whole[120];

    snprintf(whole, sizeof(whole), "BITRIX_REST_V3_EXCEPTION_%s", code);
    CHECK_STR(json_string_value(json_object_get(error, "code")), whole);
    CHECK_HAS(json_string_value(json_object_get(error, "message")), message);
    CHECK(json_object_get(answer, "result") == NULL);
    json_decref(answer);
}

/* A task that is there, as the classic method tells it. */
static json_t *classic_task(struct portal *p, int n)
{
    json_t *result = ask_done(ask(p, "tasks.task.list", "{\"order\":{\"ID\":\"asc\"}}"));
    json_t *task = json_incref(json_array_get(json_object_get(result, "tasks"), (size_t)n));

    json_decref(result);
    return task;
}

TEST(one_task_is_the_classic_ones_with_numbers_and_words)
{
    static const char *const same[] = { "title", "description", "deadline" };
    struct portal *p = open_all();
    json_t *task = classic_task(p, 3);
    char body[200];

    snprintf(body, sizeof(body), "{\"id\":%s}", json_string_value(json_object_get(task, "id")));
    json_t *result = ask_done(ask3(p, "tasks.task.get", body)), *item = json_object_get(result, "item");
    ask_has(item, "id", json_string_value(json_object_get(task, "id")));
    CHECK(json_is_integer(json_object_get(item, "responsibleId")));
    CHECK(json_is_string(json_object_get(item, "status")));
    for (size_t i = 0; i < ARRAY_SIZE(same); i++)
        CHECK(json_equal(json_object_get(item, same[i]), json_object_get(task, same[i])));
    CHECK(
        json_object_get(item, "responsible") == NULL); /* related objects come only where they are selected */
    json_decref(result);
    json_decref(task);
    ask_close(p);
}

TEST(fields_of_related_objects_are_selected_with_a_dot)
{
    struct portal *p = open_all();
    json_t *task = classic_task(p, 0);
    const char *id = json_string_value(json_object_get(task, "id"));
    char body[200];

    snprintf(body, sizeof(body), "{\"id\":%s,\"select\":[\"id\",\"nosuch\",\"creator.email\"]}", id);
    json_t *result = ask_done(ask3(p, "tasks.task.get", body)), *item = json_object_get(result, "item");
    CHECK_EQ(json_object_size(item), 2);
    ask_has(item, "creator", "{\"email\":\"mail@example.ru\"}");
    json_decref(result);
    snprintf(body, sizeof(body), "{\"id\":%s,\"select\":[\"creator.stageId\"]}", id);
    refuses(p, "tasks.task.get", body, "UNKNOWNDTOPROPERTYEXCEPTION",
        "Unknown field `stageId` for entity `UserDto`");
    json_decref(task);
    ask_close(p);
}

TEST(lists_are_filtered_by_triples_ordered_and_paged)
{
    static const struct {
        const char *body, *items;
    } cases[] = {
        { "{\"filter\":[[\"id\",\"in\",[15,16,17]],[\"id\",\"<\",17]]}", "[{\"id\":15},{\"id\":16}]" },
        { "{\"filter\":[[\"id\",[15,16]]]}", "[{\"id\":15},{\"id\":16}]" },
        { "{\"filter\":[[\"id\",16]]}", "[{\"id\":16}]" },
        { "{\"filter\":[[\"id\",\"between\",[15,16]]],\"order\":{\"id\":\"desc\"}}",
            "[{\"id\":16},{\"id\":15}]" },
        { "{\"filter\":[{\"logic\":\"or\",\"conditions\":[[\"id\",\"=\",15],[\"id\",\">=\",298]]},[\"id\",\"!"
          "=\",299]]}",
            "[{\"id\":15},{\"id\":300}]" },
        { "{\"filter\":[[\"id\",\"<=\",20],[\"id\",\">\",14]],\"pagination\":{\"page\":2,\"limit\":2}}",
            "[{\"id\":17},{\"id\":18}]" },
        { "{\"filter\":[[\"id\",[15]]],\"pagination\":{\"offset\":1}}", "[]" },
    };
    struct portal *p = open_all();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        gives(p, "tasks.task.list", cases[i].body, "items", cases[i].items);
    json_t *result = ask_done(ask3(p, "tasks.task.list", NULL));
    CHECK_EQ(json_array_size(json_object_get(result, "items")), 50);
    json_decref(result);
    ask_close(p);
}

TEST(refusals_have_a_form_of_their_own)
{
    static const struct {
        const char *method, *body, *code, *message;
    } cases[] = {
        { "tasks.task.get", "{}", "VALIDATION_REQUESTVALIDATIONEXCEPTION",
            "Error validating request object" },
        { "tasks.task.get", "{\"id\":\"5\"}", "VALIDATION_REQUESTVALIDATIONEXCEPTION", "Error validating" },
        { "tasks.task.get", "{\"id\":99999}", "ENTITYNOTFOUNDEXCEPTION",
            "Record with ID = `99999` not found" },
        { "tasks.task.get?id=15", NULL, "VALIDATION_REQUESTVALIDATIONEXCEPTION", "Error validating" },
        { "tasks.task.list", "{\"filter\":[[\"nosuch\",5]]}", "UNKNOWNDTOPROPERTYEXCEPTION",
            "Unknown field `nosuch`" },
        { "tasks.task.list", "{\"filter\":[[\"id\",\"%\",5]]}", "UNKNOWNFILTEROPERATOREXCEPTION", "`%`" },
        { "tasks.task.list", "{\"filter\":[[\"title\",\"x\"]]}", "VALIDATION_REQUESTVALIDATIONEXCEPTION",
            "Error" },
        { "tasks.task.list", "{\"filter\":[[\"id\",\"=\",\"x\"]]}", "VALIDATION_REQUESTVALIDATIONEXCEPTION",
            "Error" },
        { "tasks.task.list", "{\"order\":{\"id\":\"up\"}}", "INVALIDORDEREXCEPTION", "`id`" },
        { "tasks.task.list", "{\"pagination\":{\"limit\":\"abc\"}}", "INVALIDPAGINATIONEXCEPTION",
            "{\"limit\":\"abc\"}" },
        { "tasks.task.list", "{\"pagination\":{\"limit\":0}}", "INVALIDPAGINATIONEXCEPTION", "limit" },
        { "batch", "{\"cmd\":{\"a\":\"tasks.task.get?id=15\"}}", "INVALIDSELECTEXCEPTION", "select" },
        { "tasks.task.get", "{\"id\":", "INVALIDJSONEXCEPTION", "JSON" },
    };
    struct portal *p = open_all();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        refuses(p, cases[i].method, cases[i].body, cases[i].code, cases[i].message);
    json_t *answer = ask3(p, "tasks.task.get", "{}");
    ask_has(json_object_get(answer, "error"), "validation",
        "[{\"message\":\"Required field `id` is not specified\",\"field\":\"id\"}]");
    json_decref(answer);
    portal_set_scopes(p, SCOPE_CRM);
    refuses(p, "tasks.task.get", "{\"id\":15}", "INSUFFICIENTSCOPEEXCEPTION", "higher privileges");
    ask_close(p);
}

TEST(a_batch_is_a_list_and_all_or_nothing)
{
    struct portal *p = open_all();
    json_t *result = ask_done(ask3(p, "batch",
        "[{\"method\":\"tasks.task.get\",\"query\":{\"id\":15,\"select\":[\"id\"]}},"
        "{\"method\":\"tasks.task.list\",\"query\":{\"filter\":[[\"id\",[16]]]}}]"));

    ask_has(json_array_get(result, 0), "item", "{\"id\":15}");
    ask_has(json_array_get(result, 1), "items", "[{\"id\":16}]");
    json_decref(result);
    result = ask_done(ask3(
        p, "batch", "{\"0\":{\"method\":\"tasks.task.get\",\"query\":{\"id\":15,\"select\":[\"id\"]}}}"));
    ask_has(json_array_get(result, 0), "item", "{\"id\":15}");
    json_decref(result);
    refuses(p, "batch", "[]", "INVALIDSELECTEXCEPTION", "select");
    refuses(p, "batch",
        "[{\"method\":\"tasks.task.get\",\"query\":{\"id\":15}},{\"method\":\"tasks.task.get\",\"query\":{}}"
        "]",
        "VALIDATION_REQUESTVALIDATIONEXCEPTION", "Error");
    ask_close(p);
}

TEST(the_token_stands_in_the_body)
{
    struct portal *p = open_all();
    char body[200];

    snprintf(body, sizeof(body), "{\"id\":15,\"auth\":\"%s\",\"select\":[\"id\"]}", ask_token(p));
    json_t *result = ask_done(ask_path(p, "/rest/api/tasks.task.get", body));
    ask_has(result, "item", "{\"id\":15}");
    json_decref(result);
    snprintf(body, sizeof(body), "/rest/api/tasks.task.get?auth=%s", ask_token(p));
    json_t *answer = ask_path(p, body, "{\"id\":15}");
    ask_has(answer, "error", "\"NO_AUTH_FOUND\"");
    json_decref(answer);
    ask_close(p);
}

TEST(each_version_knows_its_own_methods)
{
    struct portal *p = open_all();
    json_t *answer = ask3(p, "crm.deal.list", "{}");

    ask_has(answer, "error", "\"ERROR_METHOD_NOT_FOUND\"");
    json_decref(answer);
    ask_refused(p, "rest.documentation.openapi", "{}", "ERROR_METHOD_NOT_FOUND", "Method not found!");
    answer = ask_path(p, "/rest/api/1/wrong/tasks.task.get", "{\"id\":15}");
    ask_has(answer, "error", "\"INVALID_CREDENTIALS\"");
    json_decref(answer);
    gives(p, "rest.documentation.openapi", NULL, "openapi", "\"3.0.0\"");
    gives(p, "documentation", "{}", "openapi", "\"3.0.0\"");
    ask_close(p);
}

TEST_MAIN(CASE(one_task_is_the_classic_ones_with_numbers_and_words),
    CASE(fields_of_related_objects_are_selected_with_a_dot),
    CASE(lists_are_filtered_by_triples_ordered_and_paged), CASE(refusals_have_a_form_of_their_own),
    CASE(a_batch_is_a_list_and_all_or_nothing), CASE(the_token_stands_in_the_body),
    CASE(each_version_knows_its_own_methods))
