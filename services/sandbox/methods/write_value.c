#include "write_value.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/calendar.h"
#include "json_out.h"
#include "params.h"
#include "data/wire_value.h"

static const char *const currencies[] = {
#define CURRENCY(code, name, rate, base) code,
#include "data/currency.def"
#undef CURRENCY
};

/* One value being written; in_list: an element of a multiple field. */
struct one {
    struct buf *out;
    const struct attr *a;
    struct str text;
    const json_t *given;
    uint32_t file_id;
    bool in_list;
};

/* false: nothing was written, the value is empty; *ret_bad: because it was garbage. */
typedef bool write_one(const struct one *o, bool *ret_bad);

bool write_currency_known(struct str code)
{
    for (size_t i = 0; i < ARRAY_SIZE(currencies); i++) {
        if (str_is(code, currencies[i]))
            return true;
    }
    return false;
}

void write_text(struct buf *out, struct str s)
{
    json_t *j = json_stringn(s.p, s.n); /* NULL unless it is UTF-8 */

    if (j != NULL)
        json_out_str(out, s, false);
    else
        buf_json(out, s);
    json_decref(j);
}

static bool one_text(const struct one *o, bool *ret_bad)
{
    if (o->text.n == 0 && (o->in_list || o->a->flags & ATTR_USER))
        return false;
    write_text(o->out, o->text); /* a standard text that is cleared is "" and not null */
    return true;
}

static bool one_code(const struct one *o, bool *ret_bad)
{
    if (o->text.n > 0)
        write_text(o->out, o->text);
    return o->text.n > 0;
}

static void out_number(const struct one *o, const char *digits)
{
    buf_fmt(o->out, o->in_list ? "%s" : "\"%s\"", digits);
}

/* As intval() does: what stands at the beginning. */
static bool one_integer(const struct one *o, bool *ret_bad)
{
    char text[24], copy[40];

    if (o->text.n == 0)
        return false;
    snprintf(copy, sizeof(copy), STR_FMT, STR_ARG(o->text));
    const long long i = strtoll(copy, NULL, 10);
    *ret_bad = i == 0 && o->text.p[0] != '0';
    if (i == 0 && (o->a->type->link || *ret_bad))
        return false;
    snprintf(text, sizeof(text), "%lld", i);
    out_number(o, text);
    return true;
}

/* As sums are kept: digits that are there stay as they are, others are rounded away. */
static void two_decimals(struct str s, char *ret, size_t size)
{
    const char *point = memchr(s.p, '.', s.n);
    const size_t part = point != NULL ? s.n - (size_t)(point - s.p) - 1 : 0;

    snprintf(ret, size, STR_FMT, STR_ARG(s));
    if (part > 2 || memchr(s.p, 'e', s.n) != NULL || memchr(s.p, 'E', s.n) != NULL)
        snprintf(ret, size, "%.2Lf", strtold(ret, NULL));
    else
        snprintf(ret, size, STR_FMT "%s%.*s", STR_ARG(s), point != NULL ? "" : ".", (int)(2 - part), "00");
}

static bool one_decimal(const struct one *o, bool *ret_bad)
{
    char text[400];

    if (o->text.n == 0)
        return false;
    *ret_bad = !wire_is_decimal(o->text) || o->text.n > 300;
    if (*ret_bad)
        return false;
    if (o->a->flags & ATTR_USER)
        snprintf(text, sizeof(text), STR_FMT, STR_ARG(o->text));
    else
        two_decimals(o->text, text, sizeof(text));
    out_number(o, text);
    return true;
}

static bool is_yes(struct str s)
{
    return str_case_eq(s, STR("Y")) || str_is(s, "1") || str_case_eq(s, STR("true"));
}

static bool one_char(const struct one *o, bool *ret_bad)
{
    buf_str(o->out, is_yes(o->text) ? "\"Y\"" : "\"N\"");
    return true;
}

static bool one_boolean(const struct one *o, bool *ret_bad)
{
    if (o->text.n == 0 && !json_is_false(o->given))
        return false;
    buf_str(o->out, is_yes(o->text) ? "\"1\"" : "\"0\"");
    return true;
}

static bool one_time(const struct one *o, bool *ret_bad)
{
    int64_t unix_s, days;

    if (o->text.n == 0)
        return false;
    *ret_bad = !calendar_parse(o->text, &unix_s, &days);
    if (!*ret_bad)
        json_out_iso(o->out, unix_s);
    return !*ret_bad;
}

/* A day: the one that is written, whatever zone stands behind it. */
static bool one_date(const struct one *o, bool *ret_bad)
{
    int64_t unix_s, days;

    if (o->text.n == 0)
        return false;
    *ret_bad = !calendar_parse(o->text, &unix_s, &days);
    if (!*ret_bad)
        json_out_iso(o->out, days * DAY_S - (o->in_list ? PORTAL_OFFSET_S : 0));
    return !*ret_bad;
}

static bool one_item(const struct one *o, bool *ret_bad)
{
    char text[24];
    int64_t id;

    if (o->text.n == 0 || str_is(o->text, "0"))
        return false;
    *ret_bad = true;
    for (int i = 0; str_i64(o->text, &id) && i < o->a->item_count; i++)
        *ret_bad &= o->a->items[i].id != id || o->a->items[i].text == NULL;
    if (*ret_bad)
        return false;
    snprintf(text, sizeof(text), "%lld", (long long)id);
    out_number(o, text);
    return true;
}

static bool one_money(const struct one *o, bool *ret_bad)
{
    const char *bar = memchr(o->text.p, '|', o->text.n);
    const struct str amount = { o->text.p, bar ? (size_t)(bar - o->text.p) : o->text.n };

    if (o->text.n == 0)
        return false;
    *ret_bad = !wire_is_decimal(amount);
    if (*ret_bad)
        return false;
    buf_char(o->out, '"');
    buf_add(o->out, amount.p, amount.n);
    buf_char(o->out, '|');
    if (bar != NULL && write_currency_known((struct str){ bar + 1, o->text.n - amount.n - 1 }))
        buf_add(o->out, bar + 1, o->text.n - amount.n - 1);
    else
        buf_str(o->out, "RUB");
    buf_char(o->out, '"');
    return true;
}

/* {"fileData":[name, content]} or [name, content]: the portal shows where it lies, not what it is. {"id":5}:
 * the one that is there stays. */
static bool one_file(const struct one *o, bool *ret_bad)
{
    const json_t *data = json_is_object(o->given) ? params_get(o->given, "fileData") : o->given;

    const json_t *kept = json_is_object(o->given) && data == NULL ? params_get(o->given, "id") : NULL;
    const uint32_t id = kept != NULL ? (uint32_t)params_int(kept) : o->file_id;

    if (!params_is_array(data != NULL ? data : o->given))
        return false;
    buf_fmt(o->out,
        "{\"id\":%u,\"showUrl\":\"\\/bitrix\\/components\\/bitrix\\/crm.show\\/show_file.php?auth="
        "\\u0026fileId=%u\",\"downloadUrl\":\"\\/bitrix\\/components\\/bitrix\\/crm.show\\/"
        "show_file.php?fileId=%u\\u0026auth=\"}",
        id, id, id);
    return true;
}

static const struct {
    const char *type;
    write_one *write;
} writers[] = {
    { "integer", one_integer },
    { "double", one_decimal },
    { "char", one_char },
    { "boolean", one_boolean },
    { "date", one_date },
    { "datetime", one_time },
    { "crm_status", one_code },
    { "crm_currency", one_code },
    { "crm_category", one_integer },
    { "crm_deal", one_integer },
    { "crm_contact", one_integer },
    { "crm_company", one_integer },
    { "crm_lead", one_integer },
    { "crm_quote", one_integer },
    { "crm_entity", one_integer },
    { "user", one_integer },
    { "employee", one_integer },
    { "iblock_element", one_integer },
    { "iblock_section", one_integer },
    { "enumeration", one_item },
    { "money", one_money },
    { "file", one_file },
    { "resourcebooking", one_integer },
};

static write_one *writer_of(const struct attr *a)
{
    for (size_t i = 0; i < ARRAY_SIZE(writers); i++) {
        if (strcmp(writers[i].type, a->type->name) == 0)
            return writers[i].write;
    }
    return one_text;
}

static bool write_element(struct one *o, const json_t *given, bool *ret_bad)
{
    char room[40];
    const bool file = strcmp(o->a->type->name, "file") == 0;

    *ret_bad = false;
    o->given = given;
    o->text = params_is_array(given) ? STR("") : params_text(given, room);
    if (params_is_array(given) && !file)
        return false;
    const bool written = writer_of(o->a)(o, ret_bad);
    o->file_id += file && written;
    return written;
}

static void write_list(struct one *o, const json_t *given, bool *ret_bad)
{
    struct params_walk walk = { .of = (json_t *)given };
    const size_t from = o->out->n;
    const char *key;
    json_t *item;
    int count = 0;

    buf_char(o->out, '[');
    o->in_list = true;
    if (!params_is_array(given)) {
        count += write_element(o, given, ret_bad);
    }
    while (params_next(&walk, &key, &item)) {
        const size_t before = o->out->n;
        bool bad;
        if (count > 0)
            buf_char(o->out, ',');
        if (write_element(o, item, &bad))
            count++;
        else
            o->out->n = before;
        *ret_bad |= bad;
    }
    buf_char(o->out, ']');
    if (count == 0)
        o->out->n = from;
}

enum write_verdict write_value(struct buf *out, const struct attr *a, const json_t *given, uint32_t file_id)
{
    struct one o = { .out = out, .a = a, .file_id = file_id };
    const bool currency = strcmp(a->type->name, "crm_currency") == 0;
    bool bad = false;

    buf_char(out, '=');
    if (json_is_null(given))
        return WRITE_FINE;
    if (a->flags & ATTR_MULTIPLE)
        write_list(&o, given, &bad);
    else if (write_element(&o, given, &bad) && currency && !write_currency_known(o.text))
        return WRITE_UNKNOWN_CURRENCY;
    return bad ? WRITE_NOT_VALID : WRITE_FINE;
}
