#include "truth.h"

#include <ctype.h>
#include <stdlib.h>

#include "calendar.h"
#include "methods/json_out.h"

static const char *const kind_names[] = {
    [TRUTH_TEXT] = "text",
    [TRUTH_INT] = "int",
    [TRUTH_DECIMAL] = "decimal",
    [TRUTH_BOOL] = "bool",
    [TRUTH_DATE] = "date",
    [TRUTH_TIME] = "time",
    [TRUTH_JSON] = "json",
    [TRUTH_MONEY] = "decimal",
};

static void out_column(struct buf *out, const struct attr *a, const char *suffix)
{
    buf_char(out, '"');
    for (const char *p = a->name; *p; p++)
        buf_char(out, (char)tolower((unsigned char)*p));
    buf_str(out, suffix);
    buf_str(out, "\":");
}

void truth_columns(struct buf *out, const struct attr_list *attrs)
{
    buf_char(out, '{');
    for (int i = 0; i < attrs->count; i++) {
        const struct attr *a = attrs->list[i];
        const bool multiple = a->flags & ATTR_MULTIPLE;
        if (strcmp(a->name, "ID") == 0)
            continue;
        if (out->p[out->n - 1] != '{')
            buf_char(out, ',');
        out_column(out, a, "");
        json_out_cstr(out, kind_names[multiple ? TRUTH_JSON : a->type->truth]);
        if (a->type->truth == TRUTH_MONEY && !multiple) {
            buf_char(out, ',');
            out_column(out, a, "_currency");
            json_out_cstr(out, "text");
        }
    }
    buf_char(out, '}');
}

/* Digits, an optional point and exponent -> plain digits: no "+", no leading or trailing zeros, no "-0". */
static void out_decimal(struct buf *out, struct str s)
{
    char whole[1024] = "", part[1024];
    size_t digits = 0, kept = 0, i = 0;
    const bool minus = s.n > 0 && s.p[0] == '-';
    long point = -1, exponent = 0;

    if (minus || (s.n > 0 && s.p[0] == '+'))
        i = 1;
    for (; i < s.n && (s.p[i] == '.' || isdigit((unsigned char)s.p[i])); i++) {
        if (s.p[i] == '.')
            point = (long)digits;
        else if (digits < sizeof(whole))
            whole[digits++] = s.p[i];
    }
    if (point < 0)
        point = (long)digits;
    if (i + 1 < s.n)
        exponent = strtol(s.p + i + 1, NULL, 10);
    point += exponent;

    buf_char(out, '"');
    size_t first = 0, last = digits;
    while (first < digits && whole[first] == '0')
        first++;
    while (last > first && whole[last - 1] == '0')
        last--;
    if (minus && first < last)
        buf_char(out, '-');
    if ((long)first >= point)
        part[kept++] = '0';
    for (long d = (long)first; d < point && kept < sizeof(part); d++)
        part[kept++] = d < (long)digits ? whole[d] : '0';
    buf_add(out, part, first < last ? kept : (part[0] = '0', 1));
    if ((long)last > point && first < last) {
        buf_char(out, '.');
        for (long d = point; d < (long)last; d++)
            buf_char(out, d < (long)first ? '0' : whole[d]);
    }
    buf_char(out, '"');
}

static void out_date(struct buf *out, int64_t days)
{
    char text[CALENDAR_DAY];

    calendar_day(days, text);
    buf_char(out, '"');
    buf_add(out, text, sizeof(text));
    buf_char(out, '"');
}

static void out_time(struct buf *out, int64_t unix_s)
{
    char text[CALENDAR_UTC];

    calendar_utc(unix_s, text);
    buf_char(out, '"');
    buf_add(out, text, sizeof(text));
    buf_char(out, '"');
}

static void out_file(struct buf *out, const struct value *v)
{
    static const char path[] = "/bitrix/components/bitrix/crm.show/show_file.php?";

    buf_fmt(out, "{\"id\":%lld,\"showUrl\":\"%sauth=", (long long)v->i, path);
    buf_add(out, v->extra.p, v->extra.n);
    buf_fmt(out, "\",\"downloadUrl\":\"%sfileId=%lld&auth=\"}", path, (long long)v->i);
}

/* An element of a JSON column: as the portal gave it, but for dates and instants. */
static void out_element(struct buf *out, const struct value *v)
{
    switch (v->kind) {
    case VALUE_TEXT:
        buf_json(out, v->text);
        break;
    case VALUE_INT:
        buf_fmt(out, "%lld", (long long)v->i);
        break;
    case VALUE_DECIMAL:
        buf_add(out, v->text.p, v->text.n);
        break;
    case VALUE_BOOL:
        buf_str(out, v->i ? "\"1\"" : "\"0\"");
        break;
    case VALUE_DATE:
        out_date(out, v->i);
        break;
    case VALUE_TIME:
        out_time(out, v->i);
        break;
    case VALUE_MONEY:
        buf_fmt(out, "\"" STR_FMT "|" STR_FMT "\"", STR_ARG(v->text), STR_ARG(v->extra));
        break;
    case VALUE_FILE:
        out_file(out, v);
        break;
    case VALUE_COMM:
        buf_fmt(out, "{\"ID\":\"%lld\",\"VALUE_TYPE\":\"" STR_FMT "\",\"VALUE\":", (long long)v->i,
            STR_ARG(v->extra));
        buf_json(out, v->text);
        buf_fmt(out, ",\"TYPE_ID\":\"" STR_FMT "\"}", STR_ARG(v->more));
        break;
    case VALUE_JSON:
        buf_add(out, v->raw.p, v->raw.n);
        break;
    default:
        buf_str(out, "null");
    }
}

static void out_value(struct buf *out, const struct attr *a, const struct value *v)
{
    switch (v->kind) {
    case VALUE_INT:
        buf_fmt(out, "%lld", (long long)v->i);
        break;
    case VALUE_DECIMAL:
    case VALUE_MONEY:
        out_decimal(out, v->text);
        break;
    case VALUE_BOOL:
        buf_str(out, v->i ? "true" : "false");
        break;
    case VALUE_LIST:
        buf_char(out, '[');
        for (int i = 0; i < v->count; i++) {
            if (i > 0)
                buf_char(out, ',');
            out_element(out, &v->items[i]);
        }
        buf_char(out, ']');
        break;
    default:
        out_element(out, v);
    }
}

/* An empty text of a user field is nothing: lists and gets print the same one differently (facts
 * section 6.3). */
static bool is_nothing(const struct attr *a, const struct value *v)
{
    return v->kind == VALUE_NULL || ((a->flags & ATTR_USER) && v->kind == VALUE_TEXT && v->text.n == 0);
}

void truth_record(struct buf *out, const struct record *r)
{
    bool first = true;

    buf_fmt(out, "{\"id\":%u,\"values\":{", r->id);
    for (int i = 0; i < r->crm->attrs.count; i++) {
        const struct attr *a = r->crm->attrs.list[i];
        struct value v;
        if (a->flags & ATTR_UNSEEN || strcmp(a->name, "ID") == 0)
            continue;
        record_value(r, a, &v);
        if (is_nothing(a, &v))
            continue;
        if (!first)
            buf_char(out, ',');
        first = false;
        out_column(out, a, "");
        out_value(out, a, &v);
        if (v.kind == VALUE_MONEY) {
            buf_char(out, ',');
            out_column(out, a, "_currency");
            buf_json(out, v.extra);
        }
    }
    buf_str(out, "}}");
}
