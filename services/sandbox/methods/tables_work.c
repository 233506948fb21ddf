/* tables_work.c - tasks.task.list, task.commentitem.getlist, task.elapseditem.getlist,
 * voximplant.statistic.get (facts section 4.5). */
#include "table.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "base/mem.h"
#include "params.h"

#define CALLS 250

static uint32_t count_tasks(const struct call *c)
{
    return TABLE_TASKS;
}

static json_t *person(uint64_t id)
{
    return json_pack("{s:s, s:s, s:s}", "id", id % 2 ? "1" : "2", "name",
        id % 2 ? "Анна Королёва" : "Иван <Петров>", "link", "/company/personal/user/1/");
}

/* Texts for numbers, `group` and `auditorsData` are lists when they are empty. */
json_t *table_task(const struct call *c, uint32_t n)
{
    static const char *const titles[] = { "Подготовить КП", "Позвонить & уточнить", "Отгрузка <срочно>",
        "Сверка" };
    const uint64_t h = table_chance(c, 4, n);
    const int64_t begin = INT64_C(1660000000) + (int64_t)n * 250000;

    if (h % 13 == 0) /* deleted long ago */
        return NULL;
    json_t *row = json_object();
    table_text(row, "id", "%u", n + 1);
    if (h & 1)
        json_object_set_new(row, "parentId", json_null());
    else
        table_text(row, "parentId", "%u", n / 2 + 1);
    table_text(row, "title", "%s %u", titles[(h >> 4) % ARRAY_SIZE(titles)], n + 1);
    table_text(row, "description", "%s", h & 2 ? "[P]См. вложение[/P]" : "");
    table_text(row, "priority", "%d", (int)((h >> 3) % 3));
    table_text(row, "status", "%d", 2 + (int)((h >> 6) % 4));
    table_text(row, "groupId", "%d", h & 4 ? 7 : 0);
    table_text(row, "stageId", "0");
    table_text(row, "createdBy", "%d", 1 + (int)((h >> 8) % 24));
    table_time(row, "createdDate", begin);
    table_text(row, "responsibleId", "%d", 1 + (int)((h >> 12) % 24));
    table_time(row, "changedDate", begin + (int64_t)(h >> 16) % 1000000);
    if (h >> 30 & 1)
        table_time(row, "deadline", begin + 864000);
    else
        json_object_set_new(row, "deadline", json_null());
    json_object_set_new(row, "closedDate", json_null());
    table_text(row, "commentsCount", "%d", (int)((h >> 20) % 9));
    table_text(row, "allowChangeDeadline", "N");
    json_object_set_new(
        row, "group", h & 4 ? json_pack("{s:s, s:s}", "id", "7", "name", "Проект") : json_array());
    json_object_set_new(row, "creator", person(h >> 8));
    json_object_set_new(row, "responsible", person(h >> 12));
    json_object_set_new(row, "auditorsData", h >> 31 & 1 ? json_pack("{s:o}", "2", person(2)) : json_array());
    return row;
}

/* Asked by ID, told by id; in any other case the condition or the order does not count. */
enum api_error run_tasks(struct call *c)
{
    static const struct table t = { .wrapper = "tasks",
        .id = "id",
        .operators = " ! > >= < <= % ",
        .flags = TABLE_UPPER | TABLE_DESCENDING,
        .count = count_tasks,
        .row = table_task };
    const json_t *order = params_get(c->params, "order");
    struct params_walk walk = { .of = (json_t *)order };
    const char *key;
    json_t *v;

    while (params_next(&walk, &key, &v)) {
        char upper = 1;
        for (const char *p = key; *p != '\0'; p++)
            upper &= (*p >= 'A' && *p <= 'Z') || *p == '_';
        if (upper &&
            strstr(" ID TITLE PRIORITY STATUS GROUP_ID CREATED_BY CREATED_DATE RESPONSIBLE_ID CHANGED_DATE "
                   "DEADLINE CLOSED_DATE ",
                key) == NULL)
            return API_SORT_KEY;
    }
    return table_run(c, &t, NULL);
}

/* ---- old methods of tasks: arguments by their place, or by name ---- */

static int64_t asked_task(const struct call *c)
{
    const json_t *id = params_get(c->params, "TASKID");

    if (id == NULL)
        id = params_get(c->params, "0");
    return id != NULL && !params_is_array(id) ? params_int(id) : 0;
}

/* A parameter that is none of the method's takes the place of an argument, such as a client's own in the
 * query (section 1.2). */
static enum api_error check_arguments(const struct call *c, const char *class)
{
    static const char *const names[] = { "TASKID", "ORDER", "FILTER", "SELECT", "PARAMS", "auth" };
    bool well = asked_task(c) > 0;
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)c->params, key, v) {
        bool known = isdigit((unsigned char)key[0]);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
            known |= strcasecmp(key, names[i]) == 0;
        well &= known;
    }
    if (well)
        return API_OK;
    snprintf(c->portal->detail, sizeof(c->portal->detail),
        "TASKS_ERROR_EXCEPTION_#256; Param #0 (taskId) for method %s::getlist() expected to be of type "
        "\"integer\", "
        "but given something else.; 256/TE/WRONG_ARGUMENTS<br>",
        class);
    return API_TASK_ARGUMENTS;
}

static uint32_t count_of_task(const struct call *c)
{
    const int64_t id = asked_task(c);
    json_t *task = id > 0 && id <= TABLE_TASKS ? table_task(c, (uint32_t)id - 1) : NULL;
    const uint32_t count = task != NULL ? (uint32_t)((table_chance(c, 4, (uint32_t)id - 1) >> 20) % 9) : 0;

    json_decref(task);
    return count;
}

static json_t *comment_row(const struct call *c, uint32_t n)
{
    const int64_t id = asked_task(c);
    json_t *row = json_object();

    table_text(row, "POST_MESSAGE_HTML", "%s", "");
    table_text(row, "ID", "%lld", (long long)id * 10 + n);
    table_text(row, "AUTHOR_ID", "%d", 1 + (int)(table_chance(c, 5, (uint32_t)id * 10 + n) % 24));
    table_text(row, "AUTHOR_NAME", "Анна Королёва");
    table_text(row, "AUTHOR_EMAIL", "%s", "");
    table_time(row, "POST_DATE", INT64_C(1660000000) + id * 250000 + n * 3600);
    table_text(row, "POST_MESSAGE", "Готово на %u%% &quot;как просили&quot;", n * 10);
    return row;
}

enum api_error run_comments(struct call *c)
{
    static const struct table t = { .id = "ID",
        .operators = TABLE_COMPARE,
        .flags = TABLE_WHOLE,
        .count = count_of_task,
        .row = comment_row };

    const enum api_error e = check_arguments(c, "ctaskcommentitem");

    return e != API_OK ? e : table_run(c, &t, NULL);
}

static json_t *elapsed_row(const struct call *c, uint32_t n)
{
    const int64_t id = asked_task(c);
    const uint64_t h = table_chance(c, 6, (uint32_t)id * 10 + n);
    const int minutes = 1 + (int)(h % 240);
    json_t *row = json_object();

    table_text(row, "ID", "%lld", (long long)id * 10 + n);
    table_text(row, "TASK_ID", "%lld", (long long)id);
    table_text(row, "USER_ID", "%d", 1 + (int)((h >> 8) % 24));
    table_text(row, "COMMENT_TEXT", "%s", h & 1 ? "созвон" : "");
    table_text(row, "SECONDS", "%d", minutes * 60);
    table_text(row, "MINUTES", "%d", minutes);
    table_text(row, "SOURCE", "2");
    table_time(row, "CREATED_DATE", INT64_C(1660000000) + id * 250000 + n * 7200);
    return row;
}

enum api_error run_elapsed(struct call *c)
{
    static const struct table t = { .id = "ID",
        .operators = TABLE_COMPARE,
        .flags = TABLE_WHOLE | TABLE_NO_ORDER,
        .count = count_of_task,
        .row = elapsed_row };

    const enum api_error e = check_arguments(c, "ctaskelapseditem");

    return e != API_OK ? e : table_run(c, &t, NULL);
}

/* ---- calls ---- */

static uint32_t count_calls(const struct call *c)
{
    return CALLS;
}

static json_t *call_row(const struct call *c, uint32_t n)
{
    const uint64_t h = table_chance(c, 7, n);
    const bool missed = h % 4 == 0;
    json_t *row = json_object();

    table_text(row, "ID", "%u", n + 1);
    table_text(row, "PORTAL_USER_ID", "%d", 1 + (int)((h >> 8) % 24));
    table_text(row, "PORTAL_NUMBER", "reg1234");
    table_text(row, "PHONE_NUMBER", "+79%09llu", (unsigned long long)(h >> 4) % 1000000000u);
    table_text(row, "CALL_ID", "externalCall.%016llx.%u", (unsigned long long)h, n);
    json_object_set_new(row, "EXTERNAL_CALL_ID", json_null());
    table_text(row, "CALL_CATEGORY", "external");
    table_text(row, "CALL_DURATION", "%d", missed ? 0 : (int)((h >> 16) % 900));
    table_time(row, "CALL_START_DATE", INT64_C(1670000000) + (int64_t)n * 40000 + (int64_t)(h % 1000));
    table_text(row, "CALL_TYPE", "%d", 1 + (int)((h >> 3) % 2));
    table_text(row, "COST", "%d.%04d", missed ? 0 : (int)((h >> 20) % 20), (int)((h >> 30) % 10000));
    table_text(row, "COST_CURRENCY", "RUR");
    table_text(row, "CALL_FAILED_CODE", "%s", missed ? "304" : "200");
    table_text(row, "CALL_FAILED_REASON", "%s", missed ? "Skipped call" : "Success call");
    if (h & 32) {
        table_text(row, "CRM_ENTITY_TYPE", "CONTACT");
        table_text(row, "CRM_ENTITY_ID", "%d", 1 + (int)((h >> 40) % 50));
    } else {
        json_object_set_new(row, "CRM_ENTITY_TYPE", json_null());
        json_object_set_new(row, "CRM_ENTITY_ID", json_null());
    }
    json_object_set_new(row, "CRM_ACTIVITY_ID", json_null());
    json_object_set_new(row, "RECORD_FILE_ID", missed ? json_null() : json_integer(9000 + n));
    json_object_set_new(row, "CALL_VOTE", json_null());
    return row;
}

/* Sorted by a field at the top level; `order` as an object is not taken. */
enum api_error run_calls(struct call *c)
{
    static const struct table t = { .id = "ID",
        .operators = " = ! != > >= < <= % !% >< !>< ? ",
        .flags = TABLE_FLAT_ORDER,
        .count = count_calls,
        .row = call_row };

    return table_run(c, &t, NULL);
}
