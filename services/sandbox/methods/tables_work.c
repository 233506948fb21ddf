/* tables_work.c - tasks.task.list, voximplant.statistic.get (facts section 4.5). */
#include "table.h"

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
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", id % 2 ? "1" : "2", "name",
        id % 2 ? "Анна Королёва" : "Иван <Петров>", "link", "/company/personal/user/1/", "icon",
        "/bitrix/images/tasks/default_avatar.png", "workPosition", id % 2 ? "Менеджер" : "");
}

/* What a task of the sandbox never has, as a portal tells it. */
static const struct {
    const char *name;
    enum { IS_NULL, IS_TEXT, IS_LIST } kind;
    const char *text;
} unused[] = {
    { "mark", IS_TEXT, "" },
    { "accomplices", IS_LIST, NULL },
    { "accomplicesData", IS_LIST, NULL },
    { "tags", IS_LIST, NULL },
    { "dateStart", IS_NULL, NULL },
    { "startDatePlan", IS_NULL, NULL },
    { "endDatePlan", IS_NULL, NULL },
    { "timeEstimate", IS_TEXT, "0" },
    { "timeSpentInLogs", IS_NULL, NULL },
    { "allowChangeDeadline", IS_TEXT, "N" },
    { "allowTimeTracking", IS_TEXT, "N" },
    { "matchWorkTime", IS_TEXT, "N" },
    { "descriptionInBbcode", IS_TEXT, "Y" },
    { "favorite", IS_TEXT, "N" },
    { "isPinned", IS_TEXT, "N" },
    { "isPinnedInGroup", IS_TEXT, "N" },
    { "sorting", IS_NULL, NULL },
};

static void add_unused(json_t *row)
{
    for (size_t i = 0; i < ARRAY_SIZE(unused); i++)
        json_object_set_new(row, unused[i].name,
            unused[i].kind == IS_TEXT   ? json_string(unused[i].text)
            : unused[i].kind == IS_LIST ? json_array()
                                        : json_null());
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
    table_text(row, "subStatus", "%d", 2 + (int)((h >> 6) % 4));
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
    table_time(row, "activityDate", begin + (int64_t)(h >> 16) % 1000000);
    add_unused(row);
    json_object_set_new(
        row, "group", h & 4 ? json_pack("{s:s, s:s}", "id", "7", "name", "Проект") : json_array());
    json_object_set_new(row, "creator", person(h >> 8));
    json_object_set_new(row, "responsible", person(h >> 12));
    json_object_set_new(row, "auditors", h >> 31 & 1 ? json_pack("[s]", "2") : json_array());
    json_object_set_new(row, "auditorsData", h >> 31 & 1 ? json_pack("{s:o}", "2", person(2)) : json_array());
    return row;
}

/* By what tasks are sorted, as it is asked for. Some are called otherwise in the answer, or are not told. */
static const char sort_keys[] =
    " ID TITLE TIME_SPENT_IN_LOGS DATE_START CREATED_DATE CHANGED_DATE CLOSED_DATE ACTIVITY_DATE "
    "START_DATE_PLAN END_DATE_PLAN DEADLINE REAL_STATUS STATUS_COMPLETE PRIORITY MARK CREATED_BY_LAST_NAME "
    "RESPONSIBLE_LAST_NAME GROUP_ID TIME_ESTIMATE ALLOW_CHANGE_DEADLINE ALLOW_TIME_TRACKING MATCH_WORK_TIME "
    "FAVORITE SORTING IS_PINNED IS_PINNED_IN_GROUP ";

static bool is_sorted_by(const char *key)
{
    char wanted[64];

    for (const char *p = key; *p != '\0'; p++) {
        if ((*p < 'A' || *p > 'Z') && *p != '_')
            return true; /* in any other case it does not count */
    }
    snprintf(wanted, sizeof(wanted), " %s ", key);
    return strstr(sort_keys, wanted) != NULL;
}

/* REAL_STATUS is `status` of the answer, STATUS its `subStatus`. */
static json_t *renamed(const json_t *of)
{
    struct params_walk walk = { .of = (json_t *)of };
    json_t *ret = json_object(), *v;
    const char *key;
    char name[80];

    while (params_next(&walk, &key, &v)) {
        const size_t prefix = strspn(key, "!<>=%");
        const char *as = strcmp(key + prefix, "REAL_STATUS") == 0 ? "STATUS"
                         : strcmp(key + prefix, "STATUS") == 0    ? "SUB_STATUS"
                                                                  : key + prefix;
        snprintf(name, sizeof(name), "%.*s%s", (int)prefix, key, as);
        json_object_set(ret, name, v);
    }
    return ret;
}

static json_t *asked_of_tasks(const json_t *params)
{
    json_t *ret = json_copy((json_t *)params), *v;
    const char *key;

    json_object_foreach((json_t *)params, key, v) {
        if ((strcasecmp(key, "order") == 0 || strcasecmp(key, "filter") == 0) && params_is_array(v))
            json_object_set_new(ret, key, renamed(v));
    }
    return ret;
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
    struct params_walk walk = { .of = params_get(c->params, "order") };
    const json_t *const params = c->params;
    const char *key;
    json_t *v;

    while (params_next(&walk, &key, &v)) {
        if (!is_sorted_by(key))
            return API_SORT_KEY;
    }
    json_t *asked = asked_of_tasks(params);
    c->params = asked;
    const enum api_error e = table_run(c, &t, NULL);
    c->params = params;
    json_decref(asked);
    return e;
}

/* ---- calls ---- */

static uint32_t count_calls(const struct call *c)
{
    return CALLS;
}

static void text_or_null(json_t *row, const char *key, const char *text)
{
    json_object_set_new(row, key, text != NULL ? json_string(text) : json_null());
}

/* Over the portal's own line, or told by an application of another exchange: the lines differ in what they
 * know. */
static void add_line(json_t *row, uint64_t h, bool missed)
{
    const bool own = h & 64;

    text_or_null(row, "CALL_LOG", own ? "https://storage.example.com/log?sessionid=38415577&a=1" : NULL);
    text_or_null(row, "CALL_RECORD_URL", own ? "" : NULL);
    text_or_null(row, "CALL_VOTE", missed || own ? NULL : "5");
    text_or_null(row, "REST_APP_ID", own ? NULL : "3");
    text_or_null(row, "REST_APP_NAME", own ? NULL : "АТС");
    text_or_null(row, "TRANSCRIPT_ID", h & 128 ? "1" : NULL);
    table_text(row, "TRANSCRIPT_PENDING", "N");
    if (own)
        table_text(row, "SESSION_ID", "38%08llu", (unsigned long long)(h >> 4) % 100000000u);
    else
        json_object_set_new(row, "SESSION_ID", json_null());
    text_or_null(row, "REDIAL_ATTEMPT", NULL);
    text_or_null(row, "COMMENT", NULL);
    text_or_null(row, "RECORD_DURATION", NULL);
}

static void add_owner(json_t *row, uint64_t h)
{
    if (!(h & 32)) {
        text_or_null(row, "CRM_ENTITY_TYPE", NULL);
        text_or_null(row, "CRM_ENTITY_ID", NULL);
        text_or_null(row, "CRM_ACTIVITY_ID", NULL);
        return;
    }
    table_text(row, "CRM_ENTITY_TYPE", "CONTACT");
    table_text(row, "CRM_ENTITY_ID", "%d", 1 + (int)((h >> 40) % 50));
    table_text(row, "CRM_ACTIVITY_ID", "%d", 7000 + (int)((h >> 44) % 900));
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
    add_owner(row, h);
    add_line(row, h, missed);
    json_object_set_new(row, "RECORD_FILE_ID", missed ? json_null() : json_integer(9000 + n));
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
