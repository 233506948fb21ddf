/* task_items.c - task.commentitem.getlist, task.elapseditem.getlist: old methods of tasks, whose arguments go
 * by their place, or by name (facts sections 1.2, 4.5). */
#include "table.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "base/mem.h"
#include "params.h"

static const char *const ARGUMENTS[] = { "TASKID", "ORDER", "FILTER", "SELECT", "PARAMS" };

/* What a method is called in its refusals, and what its objects may hold; a list has spaces around each. */
struct old_method {
    const char *class, *order, *filter;
    enum api_error missing; /* of a task that nobody knows */
};

static const struct old_method comments = { "ctaskcommentitem",
    " ID AUTHOR_ID AUTHOR_NAME AUTHOR_EMAIL POST_DATE ", " ID AUTHOR_ID AUTHOR_NAME POST_DATE ",
    API_TASK_FAILED };
static const struct old_method elapsed = { "ctaskelapseditem",
    " ID USER_ID MINUTES SECONDS CREATED_DATE DATE_START DATE_STOP ", " ID USER_ID CREATED_DATE ",
    API_TASK_DENIED };

/* ---- arguments ---- */

/* The same by name; a name that is told as well stays. */
static json_t *by_name(const json_t *params)
{
    json_t *ret = json_copy((json_t *)params), *v;
    char place[4];

    for (size_t i = 0; i < ARRAY_SIZE(ARGUMENTS); i++) {
        snprintf(place, sizeof(place), "%zu", i);
        v = json_object_get(ret, place);
        if (v != NULL && params_get(ret, ARGUMENTS[i]) == NULL)
            json_object_set(ret, ARGUMENTS[i], v);
    }
    return ret;
}

static int64_t asked_task(const json_t *params)
{
    const json_t *id = params_get(params, "TASKID");

    return id != NULL && !params_is_array(id) ? params_int(id) : 0;
}

/* A parameter that is none of the method's takes the place of an argument, such as a client's own in the
 * query (section 1.2). */
static bool is_argument(const char *key)
{
    bool known = isdigit((unsigned char)key[0]) || strcasecmp(key, "auth") == 0;

    for (size_t i = 0; i < ARRAY_SIZE(ARGUMENTS); i++)
        known |= strcasecmp(key, ARGUMENTS[i]) == 0;
    return known;
}

static enum api_error wrong(
    const struct call *c, const struct old_method *m, const char *what, const char *key)
{
    return call_refuse(c, API_TASK_ARGUMENTS,
        "TASKS_ERROR_EXCEPTION_#256; Param %s for method %s::getlist() %s%s%s; 256/TE/WRONG_ARGUMENTS<br>",
        what, m->class, key != NULL ? "must not contain key \"" : "", key != NULL ? key : "",
        key != NULL ? "\"." : "expected to be of type \"integer\", but given something else.");
}

static enum api_error check_keys(
    const struct call *c, const struct old_method *m, const json_t *of, const char *what, bool filter)
{
    struct params_walk walk = { .of = (json_t *)of };
    const char *key;
    char wanted[64];
    json_t *v;

    while (params_next(&walk, &key, &v)) {
        snprintf(wanted, sizeof(wanted), " %s ", key + (filter ? strspn(key, "!<>=") : 0));
        if (strstr(filter ? m->filter : m->order, wanted) == NULL)
            return wrong(c, m, what, key);
    }
    return API_OK;
}

static json_t *task_of(const struct call *c)
{
    const int64_t id = asked_task(c->params);

    return id > 0 && id <= TABLE_TASKS ? table_task(c, (uint32_t)id - 1) : NULL;
}

static enum api_error check(const struct call *c, const struct old_method *m)
{
    bool well = asked_task(c->params) > 0;
    enum api_error e;
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)c->params, key, v)
        well &= is_argument(key);
    if (!well)
        return wrong(c, m, "#0 (taskId)", NULL);
    e = check_keys(c, m, params_get(c->params, "ORDER"), "#1 (arOrder)", false);
    if (e == API_OK)
        e = check_keys(c, m, params_get(c->params, "FILTER"), "#2 (arFilter)", true);
    if (e != API_OK)
        return e;
    json_t *task = task_of(c);
    json_decref(task);
    return task != NULL ? API_OK : m->missing;
}

static enum api_error run_old(struct call *c, const struct old_method *m, const struct table *t)
{
    const json_t *const params = c->params;
    json_t *named = by_name(params);

    c->params = named;
    enum api_error e = check(c, m);
    if (e == API_OK)
        e = table_run(c, t, NULL);
    c->params = params;
    json_decref(named);
    return e;
}

static uint32_t count_of_task(const struct call *c)
{
    return (uint32_t)((table_chance(c, 4, (uint32_t)asked_task(c->params) - 1) >> 20) % 9);
}

/* ---- comments ---- */

/* No attachment is an empty object here, not PHP's empty list. */
static json_t *attached(uint64_t id, bool any)
{
    char key[24], file[24];

    if (!any)
        return json_object();
    snprintf(key, sizeof(key), "%llu", (unsigned long long)id + 900);
    snprintf(file, sizeof(file), "%llu", (unsigned long long)id + 4000);
    return json_pack("{s:{s:s, s:s, s:s, s:s, s:s, s:s}}", key, "ATTACHMENT_ID", key, "NAME", "фото.png",
        "SIZE", "1495700", "FILE_ID", file, "DOWNLOAD_URL",
        "/bitrix/tools/disk/uf.php?attachedId=1&action=download&ncc=1", "VIEW_URL",
        "/bitrix/tools/disk/uf.php?attachedId=1&action=show&ncc=1");
}

static json_t *comment_row(const struct call *c, uint32_t n)
{
    const int64_t id = asked_task(c->params);
    const uint64_t h = table_chance(c, 5, (uint32_t)id * 10 + n);
    json_t *row = json_object();

    json_object_set_new(row, "POST_MESSAGE_HTML", json_null());
    table_text(row, "ID", "%lld", (long long)id * 10 + n);
    table_text(row, "AUTHOR_ID", "%d", 1 + (int)(h % 24));
    table_text(row, "AUTHOR_NAME", "Анна Королёва");
    table_text(row, "AUTHOR_EMAIL", "%s", "");
    table_time(row, "POST_DATE", INT64_C(1660000000) + id * 250000 + n * 3600);
    table_text(row, "POST_MESSAGE", "Готово на %u%% &quot;как просили&quot;", n * 10);
    json_object_set_new(row, "ATTACHED_OBJECTS", attached((uint64_t)id * 10 + n, h >> 8 & 1));
    return row;
}

/* The last come first; there is no total. */
enum api_error run_comments(struct call *c)
{
    static const struct table t = { .id = "ID",
        .operators = " ! > >= < <= ",
        .flags = TABLE_WHOLE | TABLE_DESCENDING,
        .count = count_of_task,
        .row = comment_row };
    const enum api_error e = run_old(c, &comments, &t);

    c->listed = false;
    return e;
}

/* ---- time that was spent ---- */

static json_t *elapsed_row(const struct call *c, uint32_t n)
{
    const int64_t id = asked_task(c->params), begin = INT64_C(1660000000) + id * 250000 + n * 7200;
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
    table_time(row, "CREATED_DATE", begin);
    table_time(row, "DATE_START", begin + 15);
    table_time(row, "DATE_STOP", begin + 15);
    return row;
}

/* ORDER counts at its place alone: clients that add it by name were not understood (section 4.5). */
enum api_error run_elapsed(struct call *c)
{
    const struct table t = { .id = "ID",
        .operators = " ! > >= < <= ",
        .flags = TABLE_WHOLE | (params_get(c->params, "1") != NULL ? 0 : TABLE_NO_ORDER),
        .count = count_of_task,
        .row = elapsed_row };

    return run_old(c, &elapsed, &t);
}
