/* currency.c - crm.currency.{list,get,base.get,fields} (facts section 4.5, the vendor's pages). */
#include "methods/table.h"

#include <stdlib.h>

#include "base/mem.h"
#include "methods/json_out.h"

static const struct {
    const char *code, *name, *rate, *base;
} currencies[] = {
#define CURRENCY(code, name, rate, base) { code, name, rate, base },
#include "currency.def"
#undef CURRENCY
};

static uint32_t count_currencies(const struct call *c)
{
    return ARRAY_SIZE(currencies);
}

/* How amounts are written; an HTML entity between the thousands, or null. */
static void put_format(json_t *row, uint32_t n)
{
    table_text(row, "FORMAT_STRING", "# %s", currencies[n].code);
    table_text(row, "FULL_NAME", "%s", currencies[n].name);
    table_text(row, "DEC_POINT", "%s", n % 3 == 2 ? "." : ",");
    if (n % 3 == 2)
        json_object_set_new(row, "THOUSANDS_SEP", json_null());
    else
        table_text(row, "THOUSANDS_SEP", "&nbsp;");
    table_text(row, "DECIMALS", "2");
}

static json_t *currency_row(const struct call *c, uint32_t n)
{
    json_t *row = json_object();

    table_text(row, "CURRENCY", "%s", currencies[n].code);
    table_text(row, "AMOUNT_CNT", "1");
    table_text(row, "AMOUNT", "%s", currencies[n].rate);
    table_text(row, "SORT", "%u", 100 * (n + 1));
    table_text(row, "BASE", "%s", currencies[n].base);
    table_text(row, "LID", "ru");
    put_format(row, n);
    table_time(row, "DATE_UPDATE", INT64_C(1700000000) + n * 3600);
    return row;
}

enum api_error run_currencies(struct call *c)
{
    static const struct table t = { .id = "CURRENCY",
        .operators = TABLE_COMPARE,
        .flags = TABLE_WHOLE | TABLE_TOTAL_ZERO,
        .count = count_currencies,
        .row = currency_row };

    return table_run(c, &t, NULL);
}

static json_t *languages(uint32_t n)
{
    json_t *all = json_object(), *one = json_object();

    put_format(one, n);
    table_text(one, "THOUSANDS_VARIANT", "%s", n % 3 == 2 ? "C" : "B");
    table_text(one, "HIDE_ZERO", "Y");
    json_object_set_new(all, "ru", one);
    return all;
}

enum api_error run_currency_get(struct call *c)
{
    char *id = call_text(c, "id");
    uint32_t n = 0;

    while (n < ARRAY_SIZE(currencies) && strcasecmp(id, currencies[n].code) != 0)
        n++;
    free(id);
    c->cost_s = COST_CALL_S;
    if (n == ARRAY_SIZE(currencies))
        return portal_has(c->portal, QUIRK_NOT_FOUND_DOT) ? API_NOT_FOUND_DOT : API_NOT_FOUND;
    json_t *row = currency_row(c, n);
    json_object_set_new(row, "LANG", languages(n));
    json_out_value(c->out, row, portal_has(c->portal, QUIRK_ASCII));
    json_decref(row);
    return API_OK;
}

enum api_error run_currency_base(struct call *c)
{
    for (size_t n = 0; n < ARRAY_SIZE(currencies); n++) {
        if (strcmp(currencies[n].base, "Y") == 0)
            json_out_cstr(c->out, currencies[n].code);
    }
    c->cost_s = COST_CALL_S;
    return API_OK;
}

static const struct {
    const char *name, *type, *title;
    bool read_only, multiple;
} fields[] = {
    { "CURRENCY", "string", "Валюта", false, false },
    { "AMOUNT_CNT", "int", "Номинал", false, false },
    { "AMOUNT", "double", "Курс", false, false },
    { "BASE", "char", "Базовая валюта", true, false },
    { "SORT", "int", "Сортировка", false, false },
    { "DATE_UPDATE", "datetime", "Дата изменения", true, false },
    { "LID", "string", "Сайт", true, false },
    { "FORMAT_STRING", "string", "Строка формата для вывода валюты", true, false },
    { "FULL_NAME", "string", "Название", true, false },
    { "DEC_POINT", "string", "Десятичная точка при выводе", true, false },
    { "THOUSANDS_SEP", "string", "Разделитель тысяч при выводе", true, false },
    { "DECIMALS", "int", "Число десятичных знаков", true, false },
    { "LANG", "currency_localization", "Привязка к языкам", false, true },
};

enum api_error run_currency_fields(struct call *c)
{
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        buf_fmt(c->out,
            "%c\"%s\":{\"type\":\"%s\",\"isRequired\":false,\"isReadOnly\":%s,\"isImmutable\":false,"
            "\"isMultiple\":%s,\"isDynamic\":false,\"title\":",
            i == 0 ? '{' : ',', fields[i].name, fields[i].type, fields[i].read_only ? "true" : "false",
            fields[i].multiple ? "true" : "false");
        json_out_cstr(c->out, fields[i].title);
        buf_char(c->out, '}');
    }
    buf_char(c->out, '}');
    c->cost_s = COST_CALL_S;
    return API_OK;
}
