/* tables_settings.c - crm.dealcategory.list, crm.dealcategory.stage.list, department.get, user.get (facts
 * section 4.5). */
#include "table.h"

#include "base/mem.h"
#include "data/dictionary.h"
#include "data/hash.h"
#include "params.h"
#include "data/people.h"

#define USERS       24
#define DEPARTMENTS 5

/* ---- funnels by the old methods: the first one has no row, unless by option ---- */

static uint32_t first_funnel(const struct call *c)
{
    return portal_has(c->portal, QUIRK_DEALCATEGORY_DEFAULT) ? 0 : 1;
}

static uint32_t count_funnels(const struct call *c)
{
    return FUNNELS - first_funnel(c);
}

static json_t *funnel_row(const struct call *c, uint32_t n)
{
    const uint32_t funnel = n + first_funnel(c);
    json_t *row = json_object();

    table_text(row, "ID", "%u", funnel);
    table_text(row, "NAME", "%s", FUNNEL_NAMES[funnel]);
    table_text(row, "SORT", "%u", 100 * (funnel + 1));
    table_text(row, "IS_LOCKED", "N");
    table_time(row, "CREATED_DATE", INT64_C(1610000000) + (funnel - 1) * INT64_C(86400));
    return row;
}

enum api_error run_old_categories(struct call *c)
{
    static const struct table t = {
        .id = "ID", .operators = TABLE_COMPARE TABLE_LIKE, .count = count_funnels, .row = funnel_row
    };

    return table_run(c, &t, NULL);
}

static int64_t asked_funnel(const struct call *c)
{
    const json_t *id = params_get(c->params, "id");

    return id != NULL && !params_is_array(id) ? params_int(id) : 0;
}

static uint32_t count_stages(const struct call *c)
{
    const int64_t funnel = asked_funnel(c);

    return funnel >= 0 && funnel < FUNNELS ? (uint32_t)dictionary_of("DEAL_STAGE")->count : 0;
}

static json_t *stage_row(const struct call *c, uint32_t n)
{
    const int64_t funnel = asked_funnel(c);
    const struct status *s = &dictionary_of("DEAL_STAGE")->list[n];
    json_t *row = json_object();

    table_text(row, "NAME", "%s", s->name);
    json_object_set_new(row, "SORT", json_integer(10 * (n + 1)));
    if (funnel > 0)
        table_text(row, "STATUS_ID", "C%d:%s", (int)funnel, s->id);
    else
        table_text(row, "STATUS_ID", "%s", s->id);
    return row;
}

enum api_error run_old_stages(struct call *c)
{
    static const struct table t = { .id = "STATUS_ID",
        .operators = TABLE_COMPARE,
        .flags = TABLE_WHOLE | TABLE_NO_ORDER,
        .count = count_stages,
        .row = stage_row };

    return table_run(c, &t, NULL);
}

/* ---- people ---- */

static uint32_t count_departments(const struct call *c)
{
    return DEPARTMENTS;
}

static json_t *department_row(const struct call *c, uint32_t n)
{
    static const char *const names[DEPARTMENTS] = { "ООО «Ромашка» & Ко", "Отдел продаж", "Сервис",
        "Бухгалтерия", "Склад \"Южный\"" };
    json_t *row = json_object();

    table_text(row, "ID", "%u", n + 1);
    table_text(row, "NAME", "%s", names[n]);
    json_object_set_new(row, "SORT", json_integer(100 * (n + 1)));
    table_text(row, "PARENT", "%u", n > 2 ? 2 : n > 0 ? 1 : 0);
    table_text(row, "UF_HEAD", "%u", n == DEPARTMENTS - 1 ? 0 : n * 3 + 1);
    return row;
}

/* The first department is under none, and the last has no head: such a member is missing, yet PARENT=0 finds
 * the first. */
static bool is_nothing(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));

    return text != NULL && strcmp(text, "0") == 0;
}

enum api_error run_departments(struct call *c)
{
    static const struct table t = { .id = "ID",
        .operators = TABLE_COMPARE TABLE_LIKE,
        .flags = TABLE_FLAT_ORDER | TABLE_FLAT_FILTER,
        .count = count_departments,
        .row = department_row,
        .untold = is_nothing };

    return table_run(c, &t, NULL);
}

static uint32_t count_users(const struct call *c)
{
    return USERS;
}

/* Times come in three shapes here, one of them an empty object (facts section 11). */
static json_t *stamp(uint64_t lot)
{
    static const char *const texts[] = { NULL, "24.08.2023 13:19:39", "2024-08-29 10:30:11" };

    return lot % 3 == 0 ? json_object() : json_string(texts[lot % 3]);
}

static json_t *user_row(const struct call *c, uint32_t n)
{
    const uint64_t h = hash_two(c->portal->options.store.seed ^ 0x75736572, n + 1);
    const struct person who = person_pick(h);
    struct arena arena = { 0 };
    json_t *row = json_object(), *departments = json_array();

    table_text(row, "ID", "%u", n + 1);
    json_object_set_new(row, "ACTIVE", json_boolean((n + 1) % 11 != 0));
    table_text(row, "NAME", "%s", who.name);
    table_text(row, "LAST_NAME", STR_FMT, STR_ARG(person_surname(&who, &arena)));
    table_text(row, "SECOND_NAME", "%s", person_patronymic(&who));
    table_text(row, "EMAIL", "%s@example.ru", person_latin(&who));
    table_time(row, "LAST_LOGIN", INT64_C(1721912814) + (int64_t)(h >> 20) % 1000000);
    table_time(row, "DATE_REGISTER", (INT64_C(1692835200) + (int64_t)n * 86400));
    table_text(row, "TIME_ZONE", "%s", "");
    table_text(row, "IS_ONLINE", "N");
    json_object_set_new(row, "TIMESTAMP_X", stamp(h));
    json_object_set_new(row, "LAST_ACTIVITY_DATE", stamp(h >> 8));
    table_text(row, "PERSONAL_GENDER", "%s", who.woman ? "F" : "M");
    table_text(row, "PERSONAL_WWW", "%s", "");
    if (h >> 40 & 1)
        table_time(row, "PERSONAL_BIRTHDAY", INT64_C(600000000) / 86400 * 86400);
    else
        table_text(row, "PERSONAL_BIRTHDAY", "%s", "");
    table_text(row, "PERSONAL_MOBILE", "%s", "");
    table_text(row, "PERSONAL_CITY", "%s", h >> 41 & 1 ? "Тверь" : "");
    table_text(row, "WORK_PHONE", "%s", "");
    table_text(row, "WORK_POSITION", "%s", "");
    table_text(row, "UF_EMPLOYMENT_DATE", "%s", "");
    json_array_append_new(departments, json_integer((n + 1) % DEPARTMENTS + 1));
    json_object_set_new(row, "UF_DEPARTMENT", departments);
    table_text(row, "USER_TYPE", "employee");
    arena_fini(&arena);
    return row;
}

/* What was never told of a person is missing, or empty: by person, and some members are always there. */
static bool was_never_told(const json_t *row, const char *key)
{
    static const char often[] =
        " SECOND_NAME TIME_ZONE PERSONAL_WWW PERSONAL_MOBILE PERSONAL_CITY WORK_PHONE ";
    const char *text = json_string_value(json_object_get(row, key));
    char wanted[40];

    snprintf(wanted, sizeof(wanted), " %.30s ", key);
    return text != NULL && text[0] == '\0' && strstr(often, wanted) != NULL &&
           params_int(json_object_get(row, "ID")) % 2 == 0;
}

enum api_error run_user(struct call *c)
{
    static const struct table t = { .id = "ID",
        .operators = TABLE_COMPARE TABLE_LIKE TABLE_UNLIKE,
        .flags = TABLE_FLAT_ORDER | TABLE_FLAT_FILTER,
        .count = count_users,
        .row = user_row,
        .untold = was_never_told };

    return table_run(c, &t, NULL);
}
