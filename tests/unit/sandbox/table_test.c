/* Lists beyond the records of CRM (facts section 4.5): each with its own paging, names and forms. */
#include "tests/unit/sandbox/ask.h"

#include "services/sandbox/data/dictionary.h"

static struct portal *open_all(void)
{
    struct portal_options o = ask_options();

    o.scopes = SCOPE_ALL;
    o.store.counts[SMART] = 20;
    return ask_open_with(o);
}

static const json_t *rows_of(const json_t *answer, const char *wrapper)
{
    const json_t *result = json_object_get(answer, "result");

    if (result == NULL)
        print_error("%s\n", ask_error(answer));
    CHECK(result != NULL);
    return wrapper != NULL ? json_object_get(result, wrapper) : result;
}

static size_t listed(
    struct portal *p, const char *method, const char *body, const char *wrapper, long long *ret_total)
{
    json_t *answer = ask(p, method, body);
    const size_t count = json_array_size(rows_of(answer, wrapper));

    if (ret_total != NULL)
        *ret_total = json_integer_value(json_object_get(answer, "total"));
    json_decref(answer);
    return count;
}

/* Goods are listed of owners that are told: here of every deal. To be freed. */
static char *of_deals(const struct portal *p)
{
    const struct crm *deals = &p->store.crm[DEAL];
    struct buf text;

    buf_init(&text, 1u << 20);
    buf_str(&text, ",\"=ownerType\":\"D\",\"=ownerId\":[0");
    for (uint32_t n = 0; n < deals->count; n++)
        buf_fmt(&text, ",%u", deals->ids[n]);
    buf_char(&text, ']');
    char *ret = xstrdup(buf_cstr(&text));
    buf_fini(&text);
    return ret;
}

static char *filter_for(const struct portal *p, const char *method)
{
    return strcmp(method, "crm.item.productrow.list") == 0 ? of_deals(p) : xstrdup("");
}

/* Reads by id until a page is short; how many rows there were, each once and in order. */
static size_t by_keyset(
    struct portal *p, const char *method, const char *wrapper, const char *key, const char *id)
{
    size_t all = 0;
    long long last = 0;
    char *more = filter_for(p, method);

    for (size_t count = 50; count == 50; all += count) {
        char *body = xasprintf(
            "{\"start\":-1,\"order\":{\"%s\":\"ASC\"},\"filter\":{\">%s\":%lld%s},\"entityTypeId\":2}", key,
            key, last, more);
        json_t *answer = ask(p, method, body);
        free(body);
        const json_t *rows = rows_of(answer, wrapper);
        count = json_array_size(rows);
        for (size_t i = 0; i < count; i++) {
            const json_t *v = json_object_get(json_array_get(rows, i), id);
            const long long number = json_is_string(v) ? atoll(json_string_value(v)) : json_integer_value(v);
            CHECK(number > last);
            last = number;
        }
        CHECK_EQ(json_integer_value(json_object_get(answer, "total")), 0);
        CHECK(json_object_get(answer, "next") == NULL);
        json_decref(answer);
    }
    free(more);
    return all;
}

/* The same by offsets. */
static size_t by_offset(struct portal *p, const char *method, const char *wrapper, const char *key)
{
    size_t all = 0;
    char *more = filter_for(p, method);

    for (long long start = 0; start >= 0;) {
        char *body = xasprintf(
            "{\"start\":%lld,\"order\":{\"%s\":\"ASC\"},\"filter\":{\">%s\":0%s},\"entityTypeId\":2}", start,
            key, key, more);
        json_t *answer = ask(p, method, body), *next = json_object_get(answer, "next");
        free(body);
        all += json_array_size(rows_of(answer, wrapper));
        start = next != NULL ? json_integer_value(next) : -1;
        if (start < 0)
            CHECK_EQ(json_integer_value(json_object_get(answer, "total")), (long long)all);
        json_decref(answer);
    }
    free(more);
    return all;
}

TEST(every_paged_list_is_read_whole_by_id_and_by_offset)
{
    static const struct {
        const char *method, *wrapper, *key, *id;
    } cases[] = { { "crm.stagehistory.list", "items", "ID", "ID" }, { "crm.activity.list", NULL, "ID", "ID" },
        { "crm.item.productrow.list", "productRows", "id", "id" }, { "crm.requisite.list", NULL, "ID", "ID" },
        { "tasks.task.list", "tasks", "ID", "id" }, { "crm.dealcategory.list", NULL, "ID", "ID" },
        { "crm.item.list", "items", "id", "id" } };
    struct portal *p = open_all();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const size_t all = by_keyset(p, cases[i].method, cases[i].wrapper, cases[i].key, cases[i].id);
        CHECK(all > 2);
        CHECK_EQ(by_offset(p, cases[i].method, cases[i].wrapper, cases[i].key), all);
    }
    ask_close(p);
}

TEST(lower_case_names_do_not_count_for_tasks)
{
    struct portal *p = open_all();
    json_t *answer = ask(p, "tasks.task.list",
        "{\"order\":{\"ID\":\"asc\"},\"filter\":{\">id\":250},\"select\":[\"ID\",\"GROUP_ID\"]}");
    const json_t *first = json_array_get(rows_of(answer, "tasks"), 0);

    CHECK(atoi(json_string_value(json_object_get(first, "id"))) < 20); /* the cursor was ignored */
    CHECK_EQ(json_object_size(first), 2);
    json_decref(answer);
    answer = ask(p, "tasks.task.list", NULL);
    first = json_array_get(rows_of(answer, "tasks"), 0);
    CHECK(atoi(json_string_value(json_object_get(first, "id"))) > 280); /* the last come first */
    json_decref(answer);
    answer = ask(p, "tasks.task.list", "{\"order\":{\"NOSUCH\":\"asc\"}}");
    ask_has(answer, "error", "\"0\"");
    CHECK_STR(ask_error(answer), "Invalid sorting key (internal error)");
    json_decref(answer);
    int lists = 0, objects = 0;
    answer = ask(p, "tasks.task.list", NULL);
    for (size_t i = 0; i < 50; i++) {
        const json_t *group = json_object_get(json_array_get(rows_of(answer, "tasks"), i), "group");
        lists += json_is_array(group);
        objects += json_is_object(group);
    }
    CHECK(lists > 0 && objects > 0);
    json_decref(answer);
    ask_close(p);
}

TEST(comments_and_elapsed_times_are_asked_by_place_or_name)
{
    struct portal *p = open_all();
    size_t comments = 0, times = 0;
    char body[40];

    for (int id = 1; id < 20; id++) {
        snprintf(body, sizeof(body), "[%d]", id);
        const size_t count = listed(p, "task.commentitem.getlist", body, NULL, NULL);
        comments += count;
        snprintf(body, sizeof(body), "{\"TASKID\":%d}", id);
        CHECK_EQ(listed(p, "task.commentitem.getlist", body, NULL, NULL), count);
        times += listed(p, "task.elapseditem.getlist", body, NULL, NULL);
    }
    CHECK(comments > 0 && times > 0);
    static const struct { /* b24phpsdk#101, #180, #256 */
        const char *path, *body;
    } wrong[] = {
        { "task.commentitem.getlist", "{}" },
        { "task.commentitem.getlist?bx24_request_id=a-b", "[1]" },
        { "task.elapseditem.getlist?bx24_request_id=a-b", "{\"TASKID\":1}" },
        { "task.elapseditem.getlist", "{\"TASKID\":1,\"start\":0}" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        json_t *answer = ask(p, wrong[i].path, wrong[i].body);
        ask_has(answer, "error", "\"ERROR_CORE\"");
        CHECK_HAS(json_string_value(json_object_get(answer, "error_description")), "Param #0 (taskId)");
        json_decref(answer);
    }
    ask_close(p);
}

TEST(the_odd_totals_are_odd)
{
    struct portal *p = open_all();
    long long total;

    CHECK(listed(p, "crm.currency.list", NULL, NULL, &total) > 3);
    CHECK_EQ(total, 0);
    ask_close(p);
    struct portal_options o = ask_options();
    o.store.counts[COMPANY] = 200;
    p = ask_open_with(o);
    CHECK_EQ(listed(p, "crm.address.list", NULL, NULL, &total), 50);
    CHECK_EQ(total, 50);
    CHECK_EQ(listed(p, "crm.address.list", "{\"start\":-1}", NULL, &total), 50);
    CHECK(total > 100);
    ask_close(p);
}

TEST(stages_are_told_by_numbers_and_for_leads_by_other_names)
{
    struct portal *p = open_all();
    json_t *answer = ask(p, "crm.stagehistory.list", "{\"entityTypeId\":1,\"order\":{\"ID\":\"ASC\"}}");
    const json_t *first = json_array_get(rows_of(answer, "items"), 0);

    ask_has(first, "ID", "1");
    ask_has(first, "TYPE_ID", "1");
    ask_has(first, "STATUS_ID", "\"NEW\"");
    CHECK(json_object_get(first, "STAGE_ID") == NULL && json_object_get(first, "CATEGORY_ID") == NULL);
    json_decref(answer);
    char body[160];
    snprintf(
        body, sizeof(body), "{\"entityTypeId\":2,\"filter\":{\"OWNER_ID\":%u}}", p->store.crm[DEAL].ids[5]);
    CHECK_EQ(listed(p, "crm.stagehistory.list", body, "items", NULL), 2);
    CHECK_EQ(listed(p, "crm.stagehistory.list", "{\"entityTypeId\":156}", "items", NULL), 40);
    answer = ask(p, "crm.stagehistory.list", "{\"entityTypeId\":3}");
    ask_has(answer, "error", "0"); /* a number */
    json_decref(answer);
    CHECK_EQ(listed(p, "crm.category.list", "{\"entityTypeId\":156}", "categories", NULL), 1);
    ask_close(p);
    struct portal_options o = ask_options();
    o.quirks = quirk_bit("history-text");
    p = ask_open_with(o);
    answer = ask(p, "crm.stagehistory.list", "{\"entityTypeId\":2,\"order\":{\"ID\":\"ASC\"}}");
    ask_has(json_array_get(rows_of(answer, "items"), 0), "TYPE_ID", "\"1\"");
    json_decref(answer);
    ask_close(p);
}

TEST(several_owners_give_their_activities_again)
{
    struct portal *p = open_all();
    uint32_t n = 0;
    size_t once = 0;
    char body[300];

    for (; once == 0; n++) {
        snprintf(body, sizeof(body), "{\"filter\":{\"BINDINGS\":[{\"OWNER_TYPE_ID\":2,\"OWNER_ID\":%u}]}}",
            p->store.crm[DEAL].ids[n]);
        once = listed(p, "crm.activity.list", body, NULL, NULL);
    }
    CHECK_EQ(once, 1);
    const uint32_t id = p->store.crm[DEAL].ids[n - 1];
    snprintf(body, sizeof(body),
        "{\"filter\":{\"BINDINGS\":[{\"OWNER_TYPE_ID\":2,\"OWNER_ID\":%u},{\"OWNER_TYPE_ID\":2,\"OWNER_ID\":"
        "\"%u\"}]}}",
        id, id);
    CHECK_EQ(listed(p, "crm.activity.list", body, NULL, NULL), 2);
    json_t *answer = ask(p, "crm.activity.list", body);
    ask_has(json_array_get(rows_of(answer, NULL), 0), "PROVIDER_PARAMS", "[]");
    json_decref(answer);
    ask_close(p);
}

TEST(calls_are_sorted_at_the_top_level_and_filtered_by_ranges)
{
    struct portal *p = open_all();
    json_t *answer = ask(p, "voximplant.statistic.get", "{\"SORT\":\"ID\",\"ORDER\":\"DESC\"}");
    long long total;

    ask_has(json_array_get(rows_of(answer, NULL), 0), "ID", "\"250\"");
    json_decref(answer);
    answer = ask(p, "voximplant.statistic.get", "{\"ORDER\":{\"ID\":\"DESC\"}}"); /* not taken */
    ask_has(json_array_get(rows_of(answer, NULL), 0), "ID", "\"1\"");
    CHECK(json_is_integer(json_object_get(json_array_get(rows_of(answer, NULL), 0), "RECORD_FILE_ID")) ||
          json_is_null(json_object_get(json_array_get(rows_of(answer, NULL), 0), "RECORD_FILE_ID")));
    json_decref(answer);
    listed(p, "voximplant.statistic.get", "{\"FILTER\":{\"><ID\":[10,19]}}", NULL, &total);
    CHECK_EQ(total, 10);
    listed(p, "voximplant.statistic.get", "{\"FILTER\":{\"!><ID\":[10,19]}}", NULL, &total);
    CHECK_EQ(total, 240);
    ask_close(p);
}

TEST(people_are_asked_by_fields_at_the_top_level)
{
    struct portal *p = open_all();
    long long total;

    CHECK_EQ(listed(p, "user.get", NULL, NULL, &total), 24);
    CHECK_EQ(listed(p, "user.get", "{\"ID\":7}", NULL, &total), 1);
    CHECK_EQ(listed(p, "user.get", "{\"FILTER\":{\"@ID\":[1,2,3]}}", NULL, &total), 3);
    CHECK_EQ(listed(p, "user.get", "{\"ACTIVE\":true}", NULL, NULL) +
                 listed(p, "user.get", "{\"ACTIVE\":\"N\"}", NULL, NULL),
        24);
    json_t *answer =
        ask(p, "user.get", "{\"sort\":\"ID\",\"order\":\"desc\",\"select\":[\"NAME\",\"nosuch\"]}");
    ask_has(json_array_get(rows_of(answer, NULL), 0), "ID", "\"24\"");
    CHECK_EQ(json_object_size(json_array_get(rows_of(answer, NULL), 0)), 2);
    json_decref(answer);
    CHECK_EQ(listed(p, "department.get", "{\"PARENT\":1}", NULL, NULL), 2);
    CHECK_EQ(listed(p, "department.get", "{\"PARENT\":0}", NULL, NULL), 1);
    CHECK_EQ(listed(p, "department.get", "{\"sort\":\"NAME\",\"order\":\"DESC\"}", NULL, NULL), 5);
    CHECK_EQ(listed(p, "department.get", "{\"sort\":\"ID\",\"SORT\":200}", NULL, NULL), 1);
    CHECK_EQ(listed(p, "crm.dealcategory.stage.list", "{\"id\":99}", NULL, NULL), 0);
    CHECK_EQ(listed(p, "crm.dealcategory.stage.list", "{\"id\":1}", NULL, NULL), 8);
    ask_close(p);
}

TEST(each_needs_its_right)
{
    static const char *const methods[] = { "tasks.task.list", "task.commentitem.getlist",
        "voximplant.statistic.get", "department.get" };
    struct portal *p = ask_open();

    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        json_t *answer = ask(p, methods[i], NULL);
        ask_has(answer, "error", "\"insufficient_scope\"");
        json_decref(answer);
    }
    ask_close(p);
    p = open_all();
    ask_refused(p, "crm.item.productrow.list",
        "{\"filter\":{\"=ownerType\":\"D\",\"=ownerId\":1,\"nosuch\":1}}", "INVALID_ARG_VALUE",
        "Invalid filter: field 'nosuch' is not allowed in filter");
    ask_refused(p, "crm.item.productrow.list", "{\"filter\":{\"=ownerType\":\"D\"}}", "100",
        "Could not find value for parameter {filter}");
    ask_close(p);
}

/* The digits of a member, be it a text or a number. */
static const char *digits_of(const json_t *v, char room[static 40])
{
    if (json_is_string(v))
        return json_string_value(v);
    snprintf(room, 40, "%g", json_number_value(v));
    return room;
}

/* Ids, counts, durations, prices: of no row and in no table is one below zero. */
TEST(no_number_of_any_row_is_negative)
{
    static const struct {
        const char *method, *wrapper, *key;
    } cases[] = { { "crm.activity.list", NULL, "ID" }, { "crm.item.productrow.list", "productRows", "id" },
        { "crm.requisite.list", NULL, "ID" }, { "crm.stagehistory.list", "items", "ID" },
        { "tasks.task.list", "tasks", "ID" }, { "voximplant.statistic.get", NULL, "ID" },
        { "user.get", NULL, "ID" }, { "department.get", NULL, "ID" }, { "crm.status.list", NULL, "ID" } };
    struct portal *p = open_all();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *more = filter_for(p, cases[i].method);
        size_t seen = 0;
        for (size_t start = 0, count = 50; count == 50; start += 50) {
            char room[40];
            char *body = xasprintf(
                "{\"start\":%zu,\"entityTypeId\":2,\"order\":{\"%s\":\"ASC\"},\"filter\":{\">%s\":0%s}}",
                start, cases[i].key, cases[i].key, more);
            json_t *answer = ask(p, cases[i].method, body), *row, *v;
            free(body);
            const char *name;
            size_t n;
            count = json_array_size(rows_of(answer, cases[i].wrapper));
            json_array_foreach(rows_of(answer, cases[i].wrapper), n, row) {
                json_object_foreach(row, name, v) {
                    const char *text = digits_of(v, room);
                    const bool below = text[0] == '-' || strstr(text, ".-") != NULL;
                    if (strspn(text, "0123456789.-") != strlen(text))
                        continue; /* no number */
                    if (below)
                        print_error("%s: %s %s\n", cases[i].method, name, text);
                    CHECK(!below);
                }
            }
            seen += count;
            json_decref(answer);
        }
        CHECK(seen > 4);
        free(more);
    }
    ask_close(p);
}

/* Those of a list by one field, once each, spaces around. */
static void check_values(
    struct portal *p, const char *method, const char *wrapper, const char *field, const char *expected)
{
    json_t *answer = ask(p, method, NULL), *row;
    size_t n;
    char room[40], wanted[60];

    CHECK(json_array_size(rows_of(answer, wrapper)) > 20);
    json_array_foreach(rows_of(answer, wrapper), n, row) {
        snprintf(wanted, sizeof(wanted), " %s ", digits_of(json_object_get(row, field), room));
        if (strstr(expected, wanted) == NULL)
            print_error("%s: %s%s\n", method, field, wanted);
        CHECK(strstr(expected, wanted) != NULL);
    }
    json_decref(answer);
}

TEST(kinds_are_of_those_there_are)
{
    struct portal *p = open_all();

    check_values(p, "crm.activity.list", NULL, "TYPE_ID", " 1 2 3 4 ");
    check_values(p, "crm.activity.list", NULL, "DIRECTION", " 0 1 2 ");
    check_values(p, "tasks.task.list", "tasks", "priority", " 0 1 2 ");
    check_values(p, "tasks.task.list", "tasks", "status", " 2 3 4 5 ");
    check_values(p, "voximplant.statistic.get", NULL, "CALL_TYPE", " 1 2 ");
    ask_close(p);
}

/* Semantics of a stage as crm.status.list tells it; "?" where there is no such stage. */
static char semantics_in(const json_t *statuses, const char *entity, const char *stage)
{
    json_t *row;
    size_t n;

    json_array_foreach(statuses, n, row) {
        if (strcmp(json_string_value(json_object_get(row, "ENTITY_ID")), entity) != 0 ||
            strcmp(json_string_value(json_object_get(row, "STATUS_ID")), stage) != 0)
            continue;
        const char *letter = json_string_value(json_object_get(row, "SEMANTICS"));
        return letter != NULL ? *letter : 'P';
    }
    return '?';
}

TEST(stages_of_a_history_are_those_of_their_dictionary)
{
    static const struct {
        int type;
        const char *entity; /* of deals that of the funnel */
    } cases[] = { { 1, "STATUS" }, { 2, "DEAL_STAGE" }, { 31, "SMART_INVOICE_STAGE_5" },
        { 156, "DYNAMIC_156_STAGE_10" } };
    struct portal_options o = ask_options();
    o.scopes = SCOPE_ALL;
    o.store.counts[SMART] = o.store.counts[INVOICE] = 40;
    struct portal *p = ask_open_with(o);
    json_t *statuses = ask_done(ask(p, "crm.status.list", NULL));

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const bool lead = cases[i].type == 1;
        int kinds[4] = { 0 };
        char body[80], entity[40];
        json_t *row;
        size_t n;
        snprintf(body, sizeof(body), "{\"entityTypeId\":%d,\"order\":{\"ID\":\"ASC\"}}", cases[i].type);
        json_t *answer = ask(p, "crm.stagehistory.list", body);
        json_array_foreach(rows_of(answer, "items"), n, row) {
            const char *stage = json_string_value(json_object_get(row, lead ? "STATUS_ID" : "STAGE_ID")),
                       *told = json_string_value(
                           json_object_get(row, lead ? "STATUS_SEMANTIC_ID" : "STAGE_SEMANTIC_ID"));
            const long long funnel = json_integer_value(json_object_get(row, "CATEGORY_ID"));
            if (cases[i].type == 2 && funnel > 0)
                snprintf(entity, sizeof(entity), "DEAL_STAGE_%lld", funnel);
            else
                snprintf(entity, sizeof(entity), "%s", cases[i].entity);
            const char is = semantics_in(statuses, entity, stage);
            if (is != *told)
                print_error("%s of %s: %s\n", stage, entity, told);
            CHECK_EQ(is, *told);
            const long long type = json_integer_value(json_object_get(row, "TYPE_ID"));
            CHECK_EQ(type, n % 2 == 0 ? 1 : is == 'P' ? 2 : 3);
            kinds[type]++;
        }
        CHECK(kinds[1] > 0 && kinds[2] > 0 && kinds[3] > 0);
        json_decref(answer);
    }
    json_decref(statuses);
    ask_close(p);
}

/* What is at an id of one answer, as JSON; to be freed. */
static char *row_at(const json_t *rows, const char *id)
{
    json_t *row;
    size_t n;

    json_array_foreach(rows, n, row) {
        if (strcmp(json_string_value(json_object_get(row, "ID")), id) == 0)
            return json_dumps(row, JSON_COMPACT);
    }
    return xstrdup("(absent)");
}

/* Every row of one answer is in the other, the same under the same id. */
static void check_among(const json_t *some, const json_t *all)
{
    json_t *row;
    size_t n;

    CHECK(json_array_size(some) > 3);
    json_array_foreach(some, n, row) {
        char *here = json_dumps(row, JSON_COMPACT),
             *there = row_at(all, json_string_value(json_object_get(row, "ID")));
        CHECK_STR(there, here);
        free(here);
        free(there);
    }
}

TEST(an_id_means_the_same_row_whatever_is_asked)
{
    struct portal *p = open_all();
    json_t *all = ask_done(ask(p, "crm.status.list", NULL)),
           *some = ask_done(ask(p, "crm.status.list", "{\"filter\":{\"ENTITY_ID\":\"DEAL_STAGE_1\"}}"));

    check_among(some, all);
    json_decref(all);
    json_decref(some);
    static const char contacts[] = "{\"order\":{\"ID\":\"ASC\"},\"filter\":{\"OWNER_TYPE_ID\":3}}";
    some = ask_done(ask(p, "crm.activity.list", contacts));
    for (int i = 0; i < 5; i++)
        json_decref(ask_done(ask(p, "crm.deal.add", "{\"fields\":{\"TITLE\":\"x\"}}")));
    all = ask_done(ask(p, "crm.activity.list", contacts));
    check_among(some, all);
    json_decref(all);
    json_decref(some);
    ask_close(p);
}

TEST(dictionaries_are_sorted_and_every_row_has_an_extra)
{
    struct portal *p = open_all();
    json_t *rows = ask_done(ask(p, "crm.status.list", NULL)), *row;
    size_t n;
    int apologies = 0;

    json_array_foreach(rows, n, row) {
        const json_t *extra = json_object_get(row, "EXTRA");
        const char *word = json_string_value(json_object_get(extra, "SEMANTICS"));
        CHECK(json_is_object(extra));
        if (strcmp(json_string_value(json_object_get(row, "STATUS_ID")), "JUNK") == 0)
            CHECK_STR(word, "failure");
        apologies += word != NULL && strcmp(word, "apology") == 0;
    }
    CHECK_EQ(apologies, FUNNELS);
    json_decref(rows);
    rows = ask_done(ask(
        p, "crm.status.list", "{\"filter\":{\"ENTITY_ID\":\"DEAL_STAGE\"},\"order\":{\"SORT\":\"DESC\"}}"));
    ask_has(json_array_get(rows, 0), "STATUS_ID", "\"APOLOGY\"");
    ask_has(json_array_get(rows, 7), "STATUS_ID", "\"NEW\"");
    json_decref(rows);
    ask_close(p);
}

TEST(a_mask_chooses_the_user_fields_of_people)
{
    struct portal *p = open_all();
    json_t *rows = ask_done(ask(p, "user.get", "{\"select\":[\"UF_*\",\"nosuch\"]}"));
    const json_t *first = json_array_get(rows, 0);

    CHECK(json_is_array(json_object_get(first, "UF_DEPARTMENT")));
    CHECK(json_is_string(json_object_get(first, "UF_EMPLOYMENT_DATE")));
    CHECK_EQ(json_object_size(first), 3);
    json_decref(rows);
    ask_close(p);
}

TEST(the_true_total_is_told_of_these_lists_too)
{
    static const struct {
        const char *method, *wrapper;
    } cases[] = { { "crm.stagehistory.list", "items" }, { "crm.activity.list", NULL }, { "user.get", NULL } };
    struct portal_options o = ask_options();
    o.scopes = SCOPE_ALL;
    o.quirks = quirk_bit("total-true");
    struct portal *p = ask_open_with(o);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        long long counted, uncounted;
        listed(p, cases[i].method, "{\"entityTypeId\":2}", cases[i].wrapper, &counted);
        listed(p, cases[i].method, "{\"entityTypeId\":2,\"start\":-1}", cases[i].wrapper, &uncounted);
        CHECK(counted > 20);
        CHECK_EQ(uncounted, counted);
    }
    ask_close(p);
}

TEST_MAIN(CASE(every_paged_list_is_read_whole_by_id_and_by_offset),
    CASE(lower_case_names_do_not_count_for_tasks),
    CASE(comments_and_elapsed_times_are_asked_by_place_or_name), CASE(the_odd_totals_are_odd),
    CASE(stages_are_told_by_numbers_and_for_leads_by_other_names),
    CASE(several_owners_give_their_activities_again),
    CASE(calls_are_sorted_at_the_top_level_and_filtered_by_ranges),
    CASE(people_are_asked_by_fields_at_the_top_level), CASE(each_needs_its_right),
    CASE(no_number_of_any_row_is_negative), CASE(kinds_are_of_those_there_are),
    CASE(stages_of_a_history_are_those_of_their_dictionary), CASE(an_id_means_the_same_row_whatever_is_asked),
    CASE(dictionaries_are_sorted_and_every_row_has_an_extra), CASE(a_mask_chooses_the_user_fields_of_people),
    CASE(the_true_total_is_told_of_these_lists_too))
