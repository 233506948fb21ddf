#include "render.h"

#include "base/mem.h"
#include "data/calendar.h"
#include "json_out.h"

#define LITERAL(out, text) json_out_raw(out, text, sizeof(text) - 1)

/* The wire forms of "no value": one is chosen by the value's own chance. A standard text field keeps null and
 * "" apart, so
 * "" is no form of its null; a user field prints "" in every get (facts section 6.3). */
struct empties {
    const char *forms[8]; /* NULL-terminated; repeated = more often */
};

static const struct empties empty_standard = { { "null" } };
static const struct empties empty_time = { { "null", "\"\"" } };
static const struct empties empty_link = { { "null", "\"0\"" } };
static const struct empties empty_user_list = { { "null", "null", "null", "\"\"", "false", "[]" } };
static const struct empties empty_user_get = { { "\"\"" } };
static const struct empties empty_user_text_list = { { "null", "null", "null", "null", "null", "false",
    "[]" } };
static const struct empties empty_multiple_list = { { "[]", "[]", "[]", "false", "null" } };
static const struct empties empty_multiple_get = { { "[]" } };
static const struct empties empty_flag_list = { { "null" } };

static const struct empties *empties_of(const struct wire *w, const struct attr *a)
{
    const enum truth_kind truth = a->type->truth;

    if (a->flags & ATTR_MULTIPLE)
        return w->get ? &empty_multiple_get : &empty_multiple_list;
    if (a->flags & ATTR_USER) {
        if (truth == TRUTH_TEXT && !w->get)
            return &empty_user_text_list;
        if (truth == TRUTH_BOOL && !w->get)
            return &empty_flag_list;
        return w->get ? &empty_user_get : &empty_user_list;
    }
    if (a->type->link)
        return &empty_link;
    return truth == TRUTH_TIME || truth == TRUTH_DATE ? &empty_time : &empty_standard;
}

static void render_empty(struct buf *out, const struct wire *w, const struct attr *a, uint32_t form)
{
    const struct empties *e = empties_of(w, a);
    unsigned count = 1;

    while (count < ARRAY_SIZE(e->forms) && e->forms[count] != NULL)
        count++;
    const char *text = e->forms[form % count];
    json_out_raw(out, text, strlen(text));
}

static void render_quoted(struct buf *out, const char *p, size_t n) /* needs no escapes */
{
    LITERAL(out, "\"");
    json_out_raw(out, p, n);
    LITERAL(out, "\"");
}

static void render_time(struct buf *out, int64_t unix_s)
{
    char text[CALENDAR_ISO];

    calendar_iso(unix_s, text);
    render_quoted(out, text, sizeof(text));
}

/* A calendar day is UTC midnight shown in the server's zone; inside a list its own midnight (facts
 * section 6.3). */
static void render_date(struct buf *out, const struct wire *w, int64_t days, bool in_list)
{
    render_time(out, days * DAY_S - (in_list || w->local_midnight ? PORTAL_OFFSET_S : 0));
}

static void render_bool(struct buf *out, const struct wire *w, const struct attr *a, const struct value *v)
{
    if (!(a->flags & ATTR_USER))
        render_quoted(out, v->i ? "Y" : "N", 1);
    else if (w->lead && !w->get)
        buf_str(out, v->i ? "true" : "false");
    else
        render_quoted(out, v->i ? "1" : "0", 1);
}

static void render_number(struct buf *out, const struct wire *w, struct str digits, bool in_list)
{
    if (in_list || w->numbers)
        json_out_raw(out, digits.p, digits.n);
    else
        render_quoted(out, digits.p, digits.n);
}

static void render_int(struct buf *out, const struct wire *w, int64_t i, bool in_list)
{
    if (!in_list && !w->numbers)
        LITERAL(out, "\"");
    json_out_int(out, i);
    if (!in_list && !w->numbers)
        LITERAL(out, "\"");
}

/* auth= stands first in one link and last in the other; its value is as short-lived as the answer. */
static void render_file(struct buf *out, const struct wire *w, const struct value *v)
{
    static const char path[] = "\\/bitrix\\/components\\/bitrix\\/crm.show\\/show_file.php?";

    LITERAL(out, "{\"id\":");
    json_out_int(out, v->i);
    LITERAL(out, ",\"showUrl\":\"");
    LITERAL(out, path);
    LITERAL(out, "auth=");
    for (size_t i = 0; i < v->extra.n; i++) {
        if (v->extra.p[i] == '&')
            LITERAL(out, "\\u0026");
        else
            json_out_raw(out, v->extra.p + i, 1);
    }
    LITERAL(out, "\",\"downloadUrl\":\"");
    LITERAL(out, path);
    LITERAL(out, "fileId=");
    json_out_int(out, v->i);
    LITERAL(out, "\\u0026auth=");
    json_out_raw(out, w->token, strlen(w->token));
    LITERAL(out, "\"}");
}

static void render_comm(struct buf *out, const struct wire *w, const struct value *v)
{
    LITERAL(out, "{\"ID\":");
    render_int(out, w, v->i, false);
    LITERAL(out, ",\"VALUE_TYPE\":");
    render_quoted(out, v->extra.p, v->extra.n);
    LITERAL(out, ",\"VALUE\":");
    json_out_str(out, v->text, w->ascii);
    LITERAL(out, ",\"TYPE_ID\":");
    render_quoted(out, v->more.p, v->more.n);
    LITERAL(out, "}");
}

static void render_money(struct buf *out, const struct value *v)
{
    LITERAL(out, "\"");
    json_out_raw(out, v->text.p, v->text.n);
    LITERAL(out, "|");
    json_out_raw(out, v->extra.p, v->extra.n);
    LITERAL(out, "\"");
}

static void render_one(
    struct buf *out, const struct wire *w, const struct attr *a, const struct value *v, bool in_list)
{
    switch (v->kind) {
    case VALUE_TEXT:
        json_out_str(out, v->text, w->ascii);
        break;
    case VALUE_INT:
        render_int(out, w, v->i, in_list);
        break;
    case VALUE_DECIMAL:
        render_number(out, w, v->text, in_list);
        break;
    case VALUE_BOOL:
        render_bool(out, w, a, v);
        break;
    case VALUE_DATE:
        render_date(out, w, v->i, in_list);
        break;
    case VALUE_TIME:
        render_time(out, v->i);
        break;
    case VALUE_MONEY:
        render_money(out, v);
        break;
    case VALUE_FILE:
        render_file(out, w, v);
        break;
    case VALUE_COMM:
        render_comm(out, w, v);
        break;
    default:
        render_empty(out, w, a, v->form);
    }
}

bool render_value(struct buf *out, const struct wire *w, const struct attr *a, const struct value *v)
{
    if (v->raw.n > 0) {
        json_out_raw(out, v->raw.p, v->raw.n);
        return true;
    }
    if (v->kind == VALUE_NULL && attr_is_multifield(a))
        return false;
    if (v->kind != VALUE_LIST) {
        render_one(out, w, a, v, false);
        return true;
    }
    LITERAL(out, "[");
    for (int i = 0; i < v->count; i++) {
        if (i > 0)
            LITERAL(out, ",");
        render_one(out, w, a, &v->items[i], true);
    }
    LITERAL(out, "]");
    return true;
}

void render_row(
    struct buf *out, const struct wire *w, const struct record *r, const struct attr *const *attrs, int count)
{
    bool first = true;

    LITERAL(out, "{");
    for (int i = 0; i < count; i++) {
        const size_t before = out->n;
        struct value v;
        record_value(r, attrs[i], &v);
        if (!first)
            LITERAL(out, ",");
        json_out_raw(out, attrs[i]->key, attrs[i]->key_n);
        if (render_value(out, w, attrs[i], &v))
            first = false;
        else
            out->n = before;
    }
    LITERAL(out, "}");
}
