/* tables_crm.c - what hangs on records of CRM: crm.stagehistory.list, crm.activity.list (facts section 4.5).
 * All follow from the records. */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/dictionary.h"
#include "item_name.h"
#include "params.h"
#include "data/record.h"

/* ---- stages that were passed ---- */

static enum which asked_type(const struct call *c)
{
    const json_t *type = params_get(c->params, "entityTypeId");
    const int w = type != NULL ? item_which(params_int(type)) : -1;

    return w < 0 ? KINDS : (enum which)w;
}

static uint32_t count_history(const struct call *c)
{
    return c->portal->store.crm[asked_type(c)].count * 2;
}

static void history_number(const struct call *c, json_t *row, const char *key, int64_t value)
{
    if (portal_has(c->portal, QUIRK_HISTORY_TEXT))
        table_text(row, key, "%lld", (long long)value);
    else
        json_object_set_new(row, key, json_integer(value));
}

/* What the dictionary says of a stage, whose id may stand there without the "C1:" of a funnel; unknown ones
 * are under way. */
static const char *semantics_of(const struct dictionary *d, const char *stage)
{
    const char *colon = strchr(stage, ':'), *bare = colon != NULL ? colon + 1 : stage;

    for (int i = 0; d != NULL && i < d->count; i++) {
        if (strcmp(d->list[i].id, stage) == 0 || strcmp(d->list[i].id, bare) == 0)
            return d->list[i].semantics != NULL ? d->list[i].semantics : "P";
    }
    return "P";
}

/* Where all of them begin: the first one of the dictionary, in the funnel where the record is now. */
static void first_stage(const struct dictionary *d, enum which w, const char *stage, char ret[static 40])
{
    const char *colon = w == DEAL ? strchr(stage, ':') : NULL;

    snprintf(ret, 40, "%.*s%s", colon != NULL ? (int)(colon + 1 - stage) : 0, stage,
        d != NULL ? d->list[0].id : "NEW");
}

/* Made, and moved to where it stands now: numbers as numbers, and two other names for leads. */
static json_t *history_row(const struct call *c, uint32_t n)
{
    const enum which w = asked_type(c);
    const bool lead = w == LEAD, moved = n % 2;
    const char *field = lead ? "STATUS_ID" : "STAGE_ID";
    struct arena arena = { 0 };
    struct record r;
    char first[40];

    if (!table_there(c, w, n / 2))
        return NULL;
    record_open(&r, &c->portal->store, w, n / 2, &arena);
    const struct dictionary *d = dictionary_of(attr_find(&r.crm->attrs, str_of(field))->dictionary);
    char *stage = table_text_of(&r, field), *category = table_text_of(&r, "CATEGORY_ID");
    first_stage(d, w, stage, first);
    const char *at = moved ? stage : first, *semantics = semantics_of(d, at);
    json_t *row = json_object();
    history_number(c, row, "ID", n + 1);
    history_number(c, row, "TYPE_ID", !moved ? 1 : *semantics == 'P' ? 2 : 3);
    history_number(c, row, "OWNER_ID", r.id);
    table_time(row, "CREATED_TIME", moved ? record_moved_s(&r) : record_created_s(&r));
    if (!lead)
        history_number(c, row, "CATEGORY_ID", atoi(category));
    table_text(row, lead ? "STATUS_SEMANTIC_ID" : "STAGE_SEMANTIC_ID", "%s", semantics);
    table_text(row, field, "%s", at);
    free(stage);
    free(category);
    arena_fini(&arena);
    return row;
}

/* A type that is known otherwise is named. */
static enum api_error no_history(struct call *c)
{
    const char *name = table_type_name(c);

    return name == NULL ? API_HISTORY_TYPE
                        : call_refuse(c, API_HISTORY_TYPE, "%s entity is not supported", name);
}

enum api_error run_history(struct call *c)
{
    static const struct table t = { .wrapper = "items",
        .id = "ID",
        .operators = TABLE_COMPARE TABLE_LIKE TABLE_UNLIKE,
        .flags = TABLE_LOUD,
        .count = count_history,
        .row = history_row };
    const enum which w = asked_type(c);

    if (w != DEAL && w != LEAD && w != INVOICE && w != SMART)
        return no_history(c);
    return table_run(c, &t, NULL);
}

/* ---- calls, letters, meetings: one for every other deal and contact ---- */

static uint32_t count_activities(const struct call *c)
{
    return c->portal->store.crm[DEAL].count + c->portal->store.crm[CONTACT].count;
}

static void activity_times(json_t *row, uint64_t h)
{
    const int64_t begin = INT64_C(1650000000) + (int64_t)(h >> 16) % 90000000;

    table_time(row, "CREATED", begin - 3600);
    table_time(row, "LAST_UPDATED", begin + 600);
    table_time(row, "START_TIME", begin);
    table_time(row, "END_TIME", begin + 1800);
    if (h >> 11 & 1)
        table_time(row, "DEADLINE", begin + 86400);
    else
        table_text(row, "DEADLINE", "%s", "");
}

static void activity_results(json_t *row)
{
    static const char *const numbers[] = { "RESULT_MARK", "RESULT_STATUS", "RESULT_STREAM",
        "AUTOCOMPLETE_RULE" };
    static const char *const nothings[] = { "PROVIDER_DATA", "RESULT_VALUE", "RESULT_SUM",
        "RESULT_CURRENCY_ID", "RESULT_SOURCE_ID" };

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        table_text(row, numbers[i], "0");
    for (size_t i = 0; i < ARRAY_SIZE(nothings); i++)
        table_nothing(row, nothings[i]);
}

/* What comes by its name alone, not with *. */
static bool is_asked(const struct call *c, const char *name)
{
    struct params_walk walk = { .of = params_get(c->params, "select") };
    const char *key;
    char room[40];
    json_t *one;

    while (params_next(&walk, &key, &one))
        if (str_case_eq(params_text(one, room), str_of(name)))
            return true;
    return false;
}

/* Whom it is with: a contact by its first number, who has none by nothing. */
static json_t *activity_numbers(const struct call *c, enum which w, uint32_t n, uint32_t owner)
{
    static const char *const names[] = { "HONORIFIC", "NAME", "SECOND_NAME", "LAST_NAME", "COMPANY_ID" };
    json_t *ret = json_array(), *one = json_object(), *who = json_object();
    struct arena arena = { 0 };
    struct record r;
    struct value v = { 0 };

    record_open(&r, &c->portal->store, w, n, &arena);
    const struct attr *phone = attr_find(&r.crm->attrs, STR("PHONE"));
    if (phone != NULL)
        record_value(&r, phone, &v);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char *text = table_text_of(&r, names[i]);
        table_text(who, names[i], "%s", text);
        free(text);
    }
    table_text(who, "COMPANY_TITLE", "%s", "");
    if (v.kind == VALUE_LIST && v.count > 0 && v.items[0].kind == VALUE_COMM) {
        table_text(one, "ID", "%u", owner);
        table_text(one, "TYPE", "PHONE");
        table_text(one, "VALUE", STR_FMT, STR_ARG(v.items[0].text));
        table_text(one, "ENTITY_ID", "%u", owner);
        table_text(one, "ENTITY_TYPE_ID", "%d", WHICH[w].type_id);
        json_object_set(one, "ENTITY_SETTINGS", who);
        json_array_append(ret, one);
    }
    json_decref(one);
    json_decref(who);
    arena_fini(&arena);
    return ret;
}

static json_t *activity_files(const struct call *c, const json_t *id, uint64_t h)
{
    json_t *ret = json_array(), *one = json_object();
    const int file = 300000 + (int)(h % 100000);

    json_object_set_new(one, "id", json_integer(file));
    table_text(one, "url",
        "http%s://%s/bitrix/tools/crm_show_file.php?fileId=%d&ownerTypeId=6&ownerId=%s&auth=",
        c->portal->events.tls ? "s" : "", c->portal->events.address, file, json_string_value(id));
    if (h >> 15 & 1)
        json_array_append(ret, one);
    json_decref(one);
    return ret;
}

/* The id follows from the owner, not from the place in the list, which moves when a deal is made. */
static json_t *activity_row(const struct call *c, uint32_t n)
{
    static const char *const subjects[] = { "Звонок", "Письмо: Re: <счёт>", "Встреча",
        "Задача \"позвонить\"" };
    const uint32_t deals = c->portal->store.crm[DEAL].count;
    const enum which w = n < deals ? DEAL : CONTACT;
    const uint32_t of = n < deals ? n : n - deals;

    if (!table_there(c, w, of))
        return NULL;
    const uint32_t owner = c->portal->store.crm[w].ids[of];
    const uint64_t h = table_chance(c, w == DEAL ? 1 : 8, owner);
    if (h % 2)
        return NULL;
    const bool done = h >> 8 & 1;
    json_t *row = json_object();
    table_text(row, "ID", "%llu", (unsigned long long)owner * 2 + (w == CONTACT));
    table_text(row, "OWNER_ID", "%u", owner);
    table_text(row, "OWNER_TYPE_ID", "%d", WHICH[w].type_id);
    table_text(row, "TYPE_ID", "%d", 1 + (int)((h >> 10) % 4));
    /* a universal activity, as the vendor's page of crm.activity.list calls it; its type's name is inferred
     */
    table_text(row, "PROVIDER_ID", "CRM_TODO");
    table_text(row, "PROVIDER_TYPE_ID", "TODO");
    table_nothing(row, "PROVIDER_GROUP_ID");
    table_text(row, "ASSOCIATED_ENTITY_ID", "0");
    table_text(row, "SUBJECT", "%s", subjects[(h >> 12) % ARRAY_SIZE(subjects)]);
    activity_times(row, h);
    table_text(row, "COMPLETED", "%s", done ? "Y" : "N");
    table_text(row, "STATUS", "%d", done ? 2 : 1);
    table_text(row, "RESPONSIBLE_ID", "%d", 1 + (int)((h >> 20) % 24));
    table_text(row, "PRIORITY", "2");
    table_text(row, "NOTIFY_TYPE", "%d", done ? 0 : 1);
    table_text(row, "NOTIFY_VALUE", "%d", done ? 0 : 15);
    table_text(row, "DESCRIPTION", "%s", h >> 14 & 1 ? "[B]Согласовать[/B]\r\nи отправить" : "");
    table_text(row, "DESCRIPTION_TYPE", "2");
    table_text(row, "DIRECTION", "%d", (int)((h >> 13) % 3));
    table_text(row, "LOCATION", "%s", "");
    json_object_set_new(
        row, "SETTINGS", h >> 9 & 1 ? json_pack("{s:i}", "LENGTH", (int)(h % 600)) : json_array());
    table_nothing(row, "ORIGINATOR_ID");
    table_text(row, "ORIGIN_ID", "%s", "");
    table_text(row, "AUTHOR_ID", "1");
    table_text(row, "EDITOR_ID", "1");
    json_object_set_new(row, "PROVIDER_PARAMS", json_array());
    activity_results(row);
    if (is_asked(c, "COMMUNICATIONS"))
        json_object_set_new(row, "COMMUNICATIONS", activity_numbers(c, w, of, owner));
    if (is_asked(c, "FILES"))
        json_object_set_new(row, "FILES", activity_files(c, json_object_get(row, "ID"), h));
    return row;
}

/* Several owners asked for: what belongs to two of them comes twice. */
enum api_error run_activities(struct call *c)
{
    static const struct table t = { .id = "ID",
        .default_order = "START_TIME",
        .operators = TABLE_COMPARE TABLE_LIKE TABLE_UNLIKE,
        .count = count_activities,
        .row = activity_row };
    const json_t *filter = params_get(c->params, "filter");
    const json_t *bindings = filter != NULL ? params_get(filter, "BINDINGS") : NULL;

    return table_run(c, &t, params_is_array(bindings) ? bindings : NULL);
}
