/* tables_crm.c - what hangs on records of CRM: crm.stagehistory.list, crm.activity.list,
 * crm.item.productrow.list, crm.requisite.list, crm.address.list (facts section 4.5). All follow from the
 * records. */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/dictionary.h"
#include "item_name.h"
#include "params.h"
#include "data/record.h"

static bool is_there(const struct call *c, enum which w, uint32_t n)
{
    return n < c->portal->store.crm[w].count && c->portal->store.crm[w].flags[n] == 0;
}

static char *text_of(const struct record *r, const char *name)
{
    const struct attr *a = attr_find(&r->crm->attrs, str_of(name));
    struct value v = { 0 };

    if (a != NULL)
        record_value(r, a, &v);
    if (v.kind == VALUE_INT)
        return str_dup(arena_int(r->arena, v.i));
    return str_dup(v.kind == VALUE_TEXT ? v.text : STR(""));
}

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

    if (!is_there(c, w, n / 2))
        return NULL;
    record_open(&r, &c->portal->store, w, n / 2, &arena);
    const struct dictionary *d = dictionary_of(attr_find(&r.crm->attrs, str_of(field))->dictionary);
    char *stage = text_of(&r, field), *category = text_of(&r, "CATEGORY_ID");
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

enum api_error run_history(struct call *c)
{
    static const struct table t = { .wrapper = "items",
        .id = "ID",
        .operators = TABLE_COMPARE TABLE_LIKE TABLE_UNLIKE,
        .count = count_history,
        .row = history_row };
    const enum which w = asked_type(c);

    if (w != DEAL && w != LEAD && w != INVOICE && w != SMART)
        return API_HISTORY_TYPE;
    return table_run(c, &t, NULL);
}

/* ---- calls, letters, meetings: one for every other deal and contact ---- */

static uint32_t count_activities(const struct call *c)
{
    return c->portal->store.crm[DEAL].count + c->portal->store.crm[CONTACT].count;
}

/* The id follows from the owner, not from the place in the list, which moves when a deal is made. */
static json_t *activity_row(const struct call *c, uint32_t n)
{
    static const char *const subjects[] = { "Звонок", "Письмо: Re: <счёт>", "Встреча",
        "Задача \"позвонить\"" };
    const uint32_t deals = c->portal->store.crm[DEAL].count;
    const enum which w = n < deals ? DEAL : CONTACT;
    const uint32_t of = n < deals ? n : n - deals;

    if (!is_there(c, w, of))
        return NULL;
    const uint32_t owner = c->portal->store.crm[w].ids[of];
    const uint64_t h = table_chance(c, w == DEAL ? 1 : 8, owner);
    if (h % 2)
        return NULL;
    const bool done = h >> 8 & 1;
    const int64_t begin = INT64_C(1650000000) + (int64_t)(h >> 16) % 90000000;
    json_t *row = json_object(), *settings = json_array();
    if (h >> 9 & 1) {
        json_decref(settings);
        settings = json_pack("{s:i}", "LENGTH", (int)(h % 600));
    }
    table_text(row, "ID", "%llu", (unsigned long long)owner * 2 + (w == CONTACT));
    table_text(row, "OWNER_ID", "%u", owner);
    table_text(row, "OWNER_TYPE_ID", "%d", WHICH[w].type_id);
    table_text(row, "TYPE_ID", "%d", 1 + (int)((h >> 10) % 4));
    /* a universal activity, as the vendor's page of crm.activity.list calls it; its type's name is inferred
     */
    table_text(row, "PROVIDER_ID", "CRM_TODO");
    table_text(row, "PROVIDER_TYPE_ID", "TODO");
    table_text(row, "SUBJECT", "%s", subjects[(h >> 12) % ARRAY_SIZE(subjects)]);
    table_time(row, "CREATED", begin - 3600);
    table_time(row, "LAST_UPDATED", begin + 600);
    table_time(row, "START_TIME", begin);
    table_time(row, "END_TIME", begin + 1800);
    if (h >> 11 & 1)
        table_time(row, "DEADLINE", begin + 86400);
    else
        table_text(row, "DEADLINE", "%s", "");
    table_text(row, "COMPLETED", "%s", done ? "Y" : "N");
    table_text(row, "STATUS", "%d", done ? 2 : 1);
    table_text(row, "RESPONSIBLE_ID", "%d", 1 + (int)((h >> 20) % 24));
    table_text(row, "PRIORITY", "2");
    table_text(row, "DIRECTION", "%d", (int)((h >> 13) % 3));
    table_text(row, "DESCRIPTION", "%s", h >> 14 & 1 ? "[B]Согласовать[/B]\r\nи отправить" : "");
    json_object_set_new(row, "SETTINGS", settings);
    json_object_set_new(row, "PROVIDER_PARAMS", json_array());
    table_text(row, "AUTHOR_ID", "1");
    table_text(row, "ORIGIN_ID", "%s", "");
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

/* ---- goods of deals ---- */

#define GOODS_MOST 3
static uint32_t count_goods(const struct call *c)
{
    return c->portal->store.crm[DEAL].count * GOODS_MOST;
}

static json_t *goods_row(const struct call *c, uint32_t n)
{
    static const char *const names[] = { "Кабель 3×2,5", "Монтаж", "Доставка & подъём", "Насос \"Вихрь\"" };
    const uint64_t h = table_chance(c, 2, n);
    const uint32_t of = n / GOODS_MOST;
    const int price = (int)(h % 100000), quantity = 1 + (int)((h >> 20) % 10);

    if (h >> 40 & 1 || !is_there(c, DEAL, of))
        return NULL;
    json_t *row = json_object();
    json_object_set_new(row, "id", json_integer(n + 1));
    json_object_set_new(row, "ownerId", json_integer(c->portal->store.crm[DEAL].ids[of]));
    table_text(row, "ownerType", "D");
    json_object_set_new(row, "productId", json_integer((json_int_t)(h >> 30) % 500));
    table_text(row, "productName", "%s", names[(h >> 10) % ARRAY_SIZE(names)]);
    json_object_set_new(row, "price", json_real(price / 100.0));
    json_object_set_new(row, "priceAccount", json_real(price / 100.0));
    json_object_set_new(row, "quantity", json_integer(quantity));
    json_object_set_new(row, "discountRate", json_integer(0));
    json_object_set_new(row, "taxRate", h >> 41 & 1 ? json_integer(20) : json_null());
    table_text(row, "taxIncluded", "%s", h >> 41 & 1 ? "Y" : "N");
    table_text(row, "customized", "Y");
    json_object_set_new(row, "measureCode", json_integer(796));
    table_text(row, "measureName", "шт");
    json_object_set_new(row, "sort", json_integer(10 * (n % GOODS_MOST + 1)));
    return row;
}

enum api_error run_goods(struct call *c)
{
    static const struct table t = { .wrapper = "productRows",
        .id = "id",
        .operators = TABLE_COMPARE TABLE_LIKE TABLE_UNLIKE,
        .flags = TABLE_LOUD,
        .count = count_goods,
        .row = goods_row };

    return table_run(c, &t, NULL);
}

/* ---- requisites of companies, and where they are ---- */

static uint32_t count_companies(const struct call *c)
{
    return c->portal->store.crm[COMPANY].count;
}

static json_t *requisite_row(const struct call *c, uint32_t n)
{
    const uint64_t h = table_chance(c, 3, n);
    json_t *row;

    if (h % 3 == 0 || !is_there(c, COMPANY, n))
        return NULL;
    row = json_object();
    table_text(row, "ID", "%u", n + 1);
    table_text(row, "ENTITY_TYPE_ID", "4");
    table_text(row, "ENTITY_ID", "%u", c->portal->store.crm[COMPANY].ids[n]);
    table_text(row, "PRESET_ID", "%d", h & 1 ? 1 : 3);
    table_time(row, "DATE_CREATE", INT64_C(1640000000) + (int64_t)(h >> 8) % 50000000);
    table_text(row, "DATE_MODIFY", "%s", "");
    table_text(row, "CREATED_BY_ID", "1");
    json_object_set_new(row, "MODIFY_BY_ID", json_null());
    table_text(row, "NAME", "Организация");
    table_text(row, "ACTIVE", "Y");
    table_text(row, "SORT", "500");
    table_text(row, "RQ_INN", "%010llu", (unsigned long long)(h >> 4) % 10000000000u);
    if (h & 2)
        table_text(row, "RQ_KPP", "%09llu", (unsigned long long)(h >> 6) % 1000000000u);
    else
        json_object_set_new(row, "RQ_KPP", json_null());
    return row;
}

enum api_error run_requisites(struct call *c)
{
    static const struct table t = { .id = "ID",
        .operators = TABLE_COMPARE TABLE_LIKE TABLE_UNLIKE,
        .count = count_companies,
        .row = requisite_row };

    return table_run(c, &t, NULL);
}

static json_t *address_row(const struct call *c, uint32_t n)
{
    json_t *requisite = requisite_row(c, n);
    struct arena arena = { 0 };
    struct record r;

    if (requisite == NULL)
        return NULL;
    json_decref(requisite);
    record_open(&r, &c->portal->store, COMPANY, n, &arena);
    char *street = text_of(&r, "ADDRESS"), *city = text_of(&r, "ADDRESS_CITY");
    json_t *row = json_object();
    table_text(row, "TYPE_ID", "6");
    table_text(row, "ENTITY_TYPE_ID", "8");
    table_text(row, "ENTITY_ID", "%u", n + 1);
    table_text(row, "ADDRESS_1", "%s", street);
    json_object_set_new(row, "ADDRESS_2", json_null());
    table_text(row, "CITY", "%s", city);
    json_object_set_new(row, "POSTAL_CODE", json_null());
    json_object_set_new(row, "REGION", json_null());
    json_object_set_new(row, "PROVINCE", json_null());
    table_text(row, "COUNTRY", "Россия");
    json_object_set_new(row, "COUNTRY_CODE", json_null());
    table_text(row, "LOC_ADDR_ID", "0");
    table_text(row, "ANCHOR_TYPE_ID", "4");
    table_text(row, "ANCHOR_ID", "%u", r.id);
    free(street);
    free(city);
    arena_fini(&arena);
    return row;
}

/* The total is that of the page unless nothing is counted; `order` is ignored. */
enum api_error run_addresses(struct call *c)
{
    static const struct table t = { .id = "ENTITY_ID",
        .operators = TABLE_COMPARE TABLE_LIKE TABLE_UNLIKE,
        .flags = TABLE_TOTAL_PAGE | TABLE_NO_ORDER,
        .count = count_companies,
        .row = address_row };

    return table_run(c, &t, NULL);
}
