/* tables_sale.c - what is sold and to whom: crm.item.productrow.list, crm.requisite.list, crm.address.list
 * (facts section 4.5). All follow from the records. */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "params.h"
#include "data/record.h"

/* ---- goods of deals ---- */

#define GOODS_MOST 3
static uint32_t count_goods(const struct call *c)
{
    return c->portal->store.crm[DEAL].count * GOODS_MOST;
}

static json_t *amount(double value)
{
    return json_real((double)(int64_t)(value * 100 + 0.5) / 100);
}

/* What is paid, from what it costs without tax and discount. */
static void goods_prices(json_t *row, double price, int discount, bool taxed)
{
    const int tax = taxed ? 20 : 0;
    const double bare = price * 100 / (100 + tax), netto = bare * 100 / (100 - discount);

    json_object_set_new(row, "price", amount(price));
    json_object_set_new(row, "priceAccount", amount(price));
    json_object_set_new(row, "priceExclusive", amount(bare));
    json_object_set_new(row, "priceNetto", amount(netto));
    json_object_set_new(row, "priceBrutto", amount(netto * (100 + tax) / 100));
    json_object_set_new(row, "discountTypeId", json_integer(2));
    json_object_set_new(row, "discountRate", json_integer(discount));
    json_object_set_new(row, "discountSum", amount(netto - bare));
    json_object_set_new(row, "taxRate", taxed ? json_integer(tax) : json_null());
    table_text(row, "taxIncluded", taxed ? "Y" : "N");
}

static json_t *goods_row(const struct call *c, uint32_t n)
{
    static const char *const names[] = { "Кабель 3×2,5", "Монтаж", "Доставка & подъём", "Насос \"Вихрь\"" };
    const uint64_t h = table_chance(c, 2, n);
    const uint32_t of = n / GOODS_MOST;
    const int price = (int)(h % 100000), quantity = 1 + (int)((h >> 20) % 10);

    if (h >> 40 & 1 || !table_there(c, DEAL, of))
        return NULL;
    json_t *row = json_object();
    json_object_set_new(row, "id", json_integer(n + 1));
    json_object_set_new(row, "ownerId", json_integer(c->portal->store.crm[DEAL].ids[of]));
    table_text(row, "ownerType", "D");
    json_object_set_new(row, "productId", json_integer((json_int_t)(h >> 30) % 500));
    table_text(row, "productName", "%s", names[(h >> 10) % ARRAY_SIZE(names)]);
    goods_prices(row, price / 100.0, h >> 42 & 1 ? 10 : 0, h >> 41 & 1);
    json_object_set_new(row, "quantity", json_integer(quantity));
    table_text(row, "customized", "Y");
    json_object_set_new(row, "measureCode", json_integer(796));
    table_text(row, "measureName", "шт");
    json_object_set_new(row, "sort", json_integer(10 * (n % GOODS_MOST + 1)));
    if (h >> 43 & 1)
        table_text(row, "xmlId", "sale_basket_%u", n + 1);
    else
        json_object_set_new(row, "xmlId", json_string(""));
    json_object_set_new(row, "type", json_integer(h >> 44 & 1 ? 4 : 1));
    json_object_set_new(row, "storeId", h >> 45 & 1 ? json_integer(1) : json_null());
    return row;
}

/* Whose they are must be told; "=" goes without saying. */
static bool is_told(const json_t *filter, const char *key)
{
    return params_get(filter, key) != NULL || params_get(filter, key + 1) != NULL;
}

enum api_error run_goods(struct call *c)
{
    static const struct table t = { .wrapper = "productRows",
        .id = "id",
        .operators = TABLE_COMPARE TABLE_LIKE TABLE_UNLIKE,
        .flags = TABLE_LOUD,
        .count = count_goods,
        .row = goods_row };
    const json_t *filter = params_get(c->params, "filter");

    if (!params_is_array(filter) || !is_told(filter, "=ownerType") || !is_told(filter, "=ownerId"))
        return API_FILTER_MISSING;
    return table_run(c, &t, NULL);
}

/* ---- requisites of companies, and where they are ---- */

static uint32_t count_companies(const struct call *c)
{
    return c->portal->store.crm[COMPANY].count;
}

/* One for every kind of company anywhere; who is none of that kind has nothing there. */
static void requisite_empty(json_t *row)
{
    static const char *const names[] = { "NAME", "FIRST_NAME", "LAST_NAME", "SECOND_NAME", "COMPANY_ID",
        "COMPANY_NAME", "COMPANY_FULL_NAME", "COMPANY_REG_DATE", "DIRECTOR", "ACCOUNTANT", "CEO_NAME",
        "CEO_WORK_POS", "CONTACT", "EMAIL", "PHONE", "FAX", "IDENT_TYPE", "IDENT_DOC", "IDENT_DOC_SER",
        "IDENT_DOC_NUM", "IDENT_DOC_PERS_NUM", "IDENT_DOC_DATE", "IDENT_DOC_ISSUED_BY", "IDENT_DOC_DEP_CODE",
        "INN", "KPP", "USRLE", "IFNS", "OGRN", "OGRNIP", "OKPO", "OKTMO", "OKVED", "EDRPOU", "DRFO", "KBE",
        "IIN", "BIN", "ST_CERT_SER", "ST_CERT_NUM", "ST_CERT_DATE", "VAT_PAYER", "VAT_ID", "VAT_CERT_SER",
        "VAT_CERT_NUM", "VAT_CERT_DATE", "RESIDENCE_COUNTRY", "BASE_DOC", "REGON", "KRS", "PESEL",
        "LEGAL_FORM", "SIRET", "SIREN", "CAPITAL", "RCS", "CNPJ", "STATE_REG", "MNPL_REG", "CPF" };
    char key[40];

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        snprintf(key, sizeof(key), "RQ_%s", names[i]);
        table_nothing(row, key);
    }
}

static bool has_requisites(const struct call *c, uint32_t n)
{
    return table_chance(c, 3, n) % 3 != 0 && table_there(c, COMPANY, n);
}

static json_t *requisite_row(const struct call *c, uint32_t n)
{
    const uint64_t h = table_chance(c, 3, n);

    if (!has_requisites(c, n))
        return NULL;
    json_t *row = json_object();
    table_text(row, "ID", "%u", n + 1);
    table_text(row, "ENTITY_TYPE_ID", "4");
    table_text(row, "ENTITY_ID", "%u", c->portal->store.crm[COMPANY].ids[n]);
    table_text(row, "PRESET_ID", "%d", h & 1 ? 1 : 3);
    table_time(row, "DATE_CREATE", INT64_C(1640000000) + (int64_t)(h >> 8) % 50000000);
    table_text(row, "DATE_MODIFY", "%s", "");
    table_text(row, "CREATED_BY_ID", "1");
    table_nothing(row, "MODIFY_BY_ID");
    table_text(row, "NAME", "Организация");
    table_nothing(row, "CODE");
    table_nothing(row, "XML_ID");
    table_nothing(row, "ORIGINATOR_ID");
    table_text(row, "ACTIVE", "Y");
    table_text(row, "ADDRESS_ONLY", "N");
    table_text(row, "SORT", "500");
    requisite_empty(row);
    table_text(row, "RQ_VAT_PAYER", "N");
    table_text(row, "RQ_INN", "%010llu", (unsigned long long)(h >> 4) % 10000000000u);
    if (h & 2)
        table_text(row, "RQ_KPP", "%09llu", (unsigned long long)(h >> 6) % 1000000000u);
    return row;
}

enum api_error run_requisites(struct call *c)
{
    static const struct table t = { .id = "ID",
        .operators = TABLE_COMPARE TABLE_LIKE TABLE_UNLIKE,
        .flags = TABLE_STRICT_SELECT,
        .count = count_companies,
        .row = requisite_row };

    return table_run(c, &t, NULL);
}

static json_t *address_row(const struct call *c, uint32_t n)
{
    struct arena arena = { 0 };
    struct record r;

    if (!has_requisites(c, n))
        return NULL;
    record_open(&r, &c->portal->store, COMPANY, n, &arena);
    char *street = table_text_of(&r, "ADDRESS"), *city = table_text_of(&r, "ADDRESS_CITY");
    json_t *row = json_object();
    table_text(row, "TYPE_ID", "6");
    table_text(row, "ENTITY_TYPE_ID", "8");
    table_text(row, "ENTITY_ID", "%u", n + 1);
    table_text(row, "ADDRESS_1", "%s", street);
    table_nothing(row, "ADDRESS_2");
    table_text(row, "CITY", "%s", city);
    table_nothing(row, "POSTAL_CODE");
    table_nothing(row, "REGION");
    table_nothing(row, "PROVINCE");
    table_text(row, "COUNTRY", "Россия");
    table_nothing(row, "COUNTRY_CODE");
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
        .flags = TABLE_TOTAL_PAGE | TABLE_NO_ORDER | TABLE_STRICT_SELECT,
        .count = count_companies,
        .row = address_row };

    return table_run(c, &t, NULL);
}
