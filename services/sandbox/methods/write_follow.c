#include "write_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/calendar.h"
#include "params.h"

const struct attr *write_attr(const struct write *x, const char *name)
{
    return attr_find(&x->store->crm[x->w].attrs, str_of(name));
}

const json_t *write_sent_value(const struct write *x, const char *name)
{
    return params_get(x->fields, name);
}

void write_read(struct write *x, const struct attr *a, struct value *ret)
{
    struct record r;

    record_open(&r, x->store, x->w, x->n, &x->arena);
    record_value(&r, a, ret);
}

void write_store(struct write *x, const struct attr *a, struct str text)
{
    if (!x->broken && store_set(x->store, x->w, x->n, a, text, x->now_s, &x->err) < 0)
        x->broken = true;
}

void write_put(struct write *x, const char *name, const char *json)
{
    const struct attr *a = write_attr(x, name);
    char text[256];

    snprintf(text, sizeof(text), "=%s", json);
    if (a != NULL)
        write_store(x, a, str_of(text));
}

void write_put_code(struct write *x, const char *name, const char *code)
{
    char json[128];

    snprintf(json, sizeof(json), "\"%s\"", code);
    write_put(x, name, json);
}

static void write_put_time(struct write *x, const char *name, int64_t unix_s)
{
    char json[CALENDAR_ISO + 3] = "\"";

    calendar_iso(unix_s, json + 1);
    json[CALENDAR_ISO + 1] = '"';
    write_put(x, name, json);
}

static const struct attr *stage_of(const struct write *x)
{
    const struct attr *a = write_attr(x, "STAGE_ID");

    return a != NULL ? a : write_attr(x, "STATUS_ID");
}

const struct status *write_status(const char *entity, const char *id)
{
    const struct dictionary *d = dictionary_of(entity);
    const char *colon = strchr(id, ':');

    for (int i = 0; d != NULL && i < d->count; i++) {
        if (strcmp(d->list[i].id, id) == 0 || (colon != NULL && strcmp(d->list[i].id, colon + 1) == 0))
            return &d->list[i];
    }
    return NULL;
}

void write_follow_stage(struct write *x)
{
    const struct attr *stage = stage_of(x);
    const bool lead = x->w == LEAD;
    struct value v;

    if (stage == NULL)
        return;
    write_read(x, stage, &v);
    char *id = str_dup(v.text);
    const struct status *s = write_status(stage->dictionary, id);
    const char *semantics = s != NULL && s->semantics != NULL ? s->semantics : "P";
    write_put_code(x, lead ? "STATUS_SEMANTIC_ID" : "STAGE_SEMANTIC_ID", semantics);
    write_put_code(x, "CLOSED", *semantics == 'P' ? "N" : "Y");
    write_put_code(x, "IS_NEW", s != NULL && strcmp(s->id, "NEW") == 0 ? "Y" : "N");
    if (lead && *semantics != 'P')
        write_put_time(x, "DATE_CLOSED", x->now_s);
    else if (lead)
        write_put(x, "DATE_CLOSED", "");
    write_put_code(x, x->w < WHICHES ? "MOVED_BY_ID" : "MOVED_BY", "1");
    if (x->previous != NULL)
        write_put_code(x, "PREVIOUS_STAGE_ID", x->previous);
    if (!x->broken && store_moved(x->store, x->w, x->n, x->now_s, &x->err) < 0)
        x->broken = true;
    free(id);
}

static void put_defaults(struct write *x)
{
    static const struct {
        enum which w;
        const char *name, *json;
    } rows[] = {
#define DEFAULT(which, name, json) { which, #name, json },
#include "write_defaults.def"
#undef DEFAULT
    };
    static const char *const callers[] = { "ASSIGNED_BY_ID", "CREATED_BY_ID", "MODIFY_BY_ID",
        "LAST_ACTIVITY_BY", "CREATED_BY", "UPDATED_BY" };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].w == x->w)
            write_put(x, rows[i].name, rows[i].json);
    }
    for (size_t i = 0; i < ARRAY_SIZE(callers); i++)
        write_put_code(x, callers[i], "1");
}

void write_put_title(struct write *x)
{
    static const char *const words[] = { [DEAL] = "Сделка", [COMPANY] = "Компания", [LEAD] = "Лид" };
    const json_t *title = write_sent_value(x, "TITLE");
    char text[64], room[40];

    if (write_attr(x, "TITLE") == NULL || (title != NULL && params_text(title, room).n > 0))
        return;
    const char *word = x->w < ARRAY_SIZE(words) && words[x->w] != NULL ? words[x->w] : "Элемент";
    snprintf(text, sizeof(text), "%s #%u", word, x->store->crm[x->w].ids[x->n]);
    write_put_code(x, "TITLE", text);
}

void write_first_stage(const struct write *x, char stage[static 24])
{
    const json_t *category = write_sent_value(x, "CATEGORY_ID");
    const int64_t funnel = category != NULL ? params_int(category) : 0;

    if (funnel > 0 && funnel < FUNNELS)
        snprintf(stage, 24, "C%d:NEW", (int)funnel);
    else
        snprintf(stage, 24, "NEW");
}

/* The first stage of its funnel; today, and a week for it. */
static void put_beginnings(struct write *x)
{
    const int64_t today = (x->now_s + PORTAL_OFFSET_S) / DAY_S;
    char stage[24] = "NEW";

    const struct attr *a = stage_of(x);

    if (x->w == DEAL)
        write_first_stage(x, stage);
    else if (a != NULL)
        snprintf(stage, sizeof(stage), "%s", dictionary_of(a->dictionary)->list[0].id);
    if (a != NULL)
        write_put_code(x, a->name, stage);
    write_put_time(x, "BEGINDATE", today * DAY_S);
    write_put_time(x, "CLOSEDATE", (today + 7) * DAY_S);
}

void write_put_defaults(struct write *x)
{
    put_defaults(x);
    put_beginnings(x);
}
