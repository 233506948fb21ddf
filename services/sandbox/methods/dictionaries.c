/* dictionaries.c - crm.status.list and crm.category.list (facts section 4.5). */
#include "table.h"

#include "data/dictionary.h"
#include "item_name.h"
#include "json_out.h"
#include "params.h"

/* Row n of all dictionaries, one after another; NULL past the last one. */
static const struct dictionary *dictionary_with(uint32_t n, int *ret_place)
{
    const struct dictionary *d;

    for (int i = 0; (d = dictionary_at(i)) != NULL; i++) {
        *ret_place = (int)n;
        if (n < (uint32_t)d->count)
            return d;
        n -= (uint32_t)d->count;
    }
    return NULL;
}

static uint32_t count_statuses(const struct call *c)
{
    uint32_t count = 0;

    for (int i = 0; dictionary_at(i) != NULL; i++)
        count += (uint32_t)dictionary_at(i)->count;
    return count;
}

/* Of several stages for what failed the first one is the failure, the others tell why. */
static const char *semantics_of(const struct dictionary *d, int n)
{
    const char *letter = d->list[n].semantics;

    if (letter == NULL)
        return "process";
    if (*letter == 'S')
        return "success";
    return n > 0 && d->list[n - 1].semantics != NULL && *d->list[n - 1].semantics == 'F' ? "apology"
                                                                                         : "failure";
}

static void put_text(json_t *row, const char *key, const char *text)
{
    json_object_set_new(row, key, text != NULL ? json_string(text) : json_null());
}

/* Every row has EXTRA; outside of stages there is nothing in it. */
static json_t *status_row(const struct call *c, uint32_t n)
{
    int place = 0;
    const struct dictionary *d = dictionary_with(n, &place);
    const struct status *s = &d->list[place];
    const bool staged = d->type_id != 0;
    json_t *row = json_object(), *extra = json_object();

    table_text(row, "ID", "%u", n * 2 + 1);
    table_text(row, "ENTITY_ID", "%s", d->entity);
    if (d->category > 0)
        table_text(row, "STATUS_ID", "C%d:%s", d->category, s->id);
    else
        table_text(row, "STATUS_ID", "%s", s->id);
    put_text(row, "NAME", s->name);
    put_text(row, "NAME_INIT", place % 2 ? "" : s->name);
    table_text(row, "SORT", "%d", (place + 1) * 10);
    put_text(row, "SYSTEM", place % 3 ? "N" : "Y");
    if (d->type_id == WHICH[DEAL].type_id)
        table_text(row, "CATEGORY_ID", "%d", d->category);
    else
        put_text(row, "CATEGORY_ID", NULL);
    put_text(row, "COLOR", staged ? "#22B9FF" : NULL);
    put_text(row, "SEMANTICS", s->semantics);
    put_text(extra, "SEMANTICS", staged ? semantics_of(d, place) : NULL);
    put_text(extra, "COLOR", staged ? "#22B9FF" : NULL);
    json_object_set_new(row, "EXTRA", extra);
    return row;
}

enum api_error run_statuses(struct call *c)
{
    static const struct table t = { .id = "ID",
        .operators = " = ",
        .flags = TABLE_WHOLE | TABLE_NO_SELECT,
        .count = count_statuses,
        .row = status_row,
        .no_list = API_SENTENCE };

    return table_run(c, &t, NULL);
}

/* A smart process and the invoices have one; contacts and companies none, where nobody keeps stock: vendors
 * would have theirs. */
static void out_category(struct call *c, enum which w)
{
    buf_str(c->out, "{\"categories\":[");
    c->total = w == SMART || w == INVOICE;
    if (c->total > 0)
        buf_fmt(c->out,
            "{\"id\":%d,\"name\":\"Общая\",\"sort\":500,\"entityTypeId\":%d,\"isDefault\":\"Y\","
            "\"originId\":\"\",\"originatorId\":\"\"}",
            w == SMART ? 10 : 5, WHICH[w].type_id);
    buf_str(c->out, "]}");
    c->listed = true;
    c->cost_s = COST_CALL_S;
}

static enum api_error no_categories(struct call *c)
{
    const char *name = table_type_name(c);

    if (params_get(c->params, "entityTypeId") == NULL)
        return API_TYPE_MISSING;
    if (name == NULL)
        return API_TYPE_UNKNOWN;
    return call_refuse(c, API_ENTITY_TYPE, "Entity type %s is not supported", name);
}

enum api_error run_categories(struct call *c)
{
    const json_t *type = params_get(c->params, "entityTypeId");
    const int w = type != NULL ? item_which(params_int(type)) : -1;

    if (w == SMART || w == INVOICE || w == CONTACT || w == COMPANY) {
        out_category(c, (enum which)w);
        return API_OK;
    }
    if (w != DEAL)
        return no_categories(c);
    buf_str(c->out, "{\"categories\":[");
    for (int i = 0; i < FUNNELS; i++) {
        buf_fmt(c->out, "%s{\"id\":%d,\"name\":", i > 0 ? "," : "", i);
        json_out_cstr(c->out, FUNNEL_NAMES[i]);
        buf_fmt(c->out, ",\"sort\":%d,\"entityTypeId\":2,\"isDefault\":\"%s\"", 100 * (i + 1),
            i == 0 ? "Y" : "N");
        buf_str(c->out, i == 0 ? "}" : ",\"originId\":\"\",\"originatorId\":\"\"}");
    }
    buf_str(c->out, "]}");
    c->listed = true;
    c->total = FUNNELS;
    c->cost_s = COST_CALL_S;
    return API_OK;
}
