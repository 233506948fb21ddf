#include "drift_view.h"

#include "base/clock.h"
#include "base/mem.h"
#include "db/widen.h"
#include "words/say.h"
#include "words/screen.h"
#include "words/table.h"

#include <stdio.h>
#include <time.h>

/* ---- for people ---- */

#define WORDS_CELLS 60 /* of what a portal's user typed */

/* On one line and no longer than a line may be. */
static void words(struct buf *out, const char *text)
{
    char *copy = xstrdup(text);

    for (char *p = copy; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = ' ';
    struct str fit = text_fit(str_of(copy), WORDS_CELLS);

    buf_add(out, fit.p, fit.n);
    if (copy[fit.n] != '\0')
        buf_str(out, "…");
    free(copy);
}

/* [["45","Да"],["47","Нет"]] as "Да (45), Нет (47)". */
static void items(struct buf *out, const char *text)
{
    json_t *list = json_loads(text, 0, NULL), *item;
    struct buf said;
    size_t i;

    buf_init(&said, 65536);
    json_array_foreach(list, i, item) {
        const char *id = json_string_value(json_array_get(item, 0)),
                   *value = json_string_value(json_array_get(item, 1));

        if (value != NULL)
            buf_fmt(
                &said, id != NULL && id[0] != '\0' ? "%s%s (%s)" : "%s%s", said.n > 0 ? ", " : "", value, id);
    }
    words(out, json_is_array(list) ? buf_cstr(&said) : text);
    buf_fini(&said);
    json_decref(list);
}

static const char *what_said(const char *what)
{
    static const struct {
        const char *what, *ru, *en;
    } names[] = {
        { "added", "новое поле", "new field" },
        { "gone", "поля больше нет", "gone" },
        { "back", "поле появилось снова", "back again" },
        { "retyped", "другой тип", "retyped" },
        { "renamed", "переименовано", "renamed" },
        { "items", "другие значения списка", "items changed" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(names[i].what, what) == 0)
            return say(names[i].ru, names[i].en);
    return what;
}

static void field_name(
    struct buf *out, const char *portal, const char *entity, const char *field, const char *title)
{
    buf_fmt(out, "%s/%s %s", portal, entity, field);
    if (title[0] == '\0')
        return;
    buf_str(out, say(" «", " \""));
    words(out, title);
    buf_str(out, say("»", "\""));
}

static void change_show(const struct drift_change *c, struct buf *out)
{
    void (*text)(struct buf *, const char *) = strcmp(c->what, "items") == 0 ? items : words;
    char when[SAY_COUNT_SIZE];

    buf_fmt(out, "  %s  ", say_time((uint64_t)c->at_ms, SAY_SECOND, when));
    field_name(out, c->portal, c->entity, c->field, c->title);
    buf_fmt(out, ": %s", what_said(c->what));
    if (c->was[0] != '\0' || c->now[0] != '\0')
        buf_str(out, ": ");
    if (c->was[0] != '\0')
        text(out, c->was);
    if (c->was[0] != '\0' && c->now[0] != '\0')
        buf_str(out, " → ");
    if (c->now[0] != '\0')
        text(out, c->now);
    buf_char(out, '\n');
}

/* No kind holds the values there are and those to come: nothing to decide. */
static bool stays(const struct drift_field *f)
{
    enum col_kind from, to;

    return f->held == HOLD_NOT && (col_kind_parse(str_of(f->column_kind), &from) < 0 ||
                                      col_kind_parse(str_of(f->kind), &to) < 0 || !col_kind_widens(from, to));
}

/* `potok schema …`; "": nothing can be done, or need be. */
static void cure_of(const struct drift_view *v, const struct drift_field *f, struct buf *out)
{
    if (stays(f))
        return;
    buf_fmt(out, "potok schema %s %s %s", f->held == HOLD_NOT ? "widen" : "accept", f->entity, f->field);
    if (v->portal_count > 1)
        buf_fmt(out, " --portal %s", f->portal);
}

static void field_show(const struct drift_view *v, const struct drift_field *f, struct buf *out)
{
    struct buf cure;

    buf_init(&cure, 4096);
    cure_of(v, f, &cure);
    buf_str(out, "  ");
    field_name(out, f->portal, f->entity, f->field, f->title);
    if (f->held == HOLD_OUT)
        buf_str(out, say(": не копируется, пока не принято", ": left out until accepted"));
    else if (f->held == HOLD_ASIDE)
        buf_str(out, say(": значения откладываются в potok_reject, пока не принято",
                         ": its values are set aside in potok_reject until accepted"));
    else
        buf_fmt(out,
            say(": на портале теперь %s, колонка хранит %s", ": %s at the portal now, the column holds %s"),
            f->kind, f->column_kind);
    if (stays(f))
        buf_fmt(out,
            say(" и остаётся такой: что подходит, пишется как %s, остальное идёт в potok_reject",
                " and stays so: what fits is written as %s, the rest goes to potok_reject"),
            f->column_kind);
    if (cure.n > 0)
        buf_fmt(out, ": %s", buf_cstr(&cure));
    buf_char(out, '\n');
    buf_fini(&cure);
}

static void entities_show(const struct drift_view *v, bool colour, struct buf *out)
{
    const char *heads[] = { say("поля портала", "the portal's fields"),
        say(">изменений за 7 дней", ">changes in 7 days"), say(">не копируется", ">left out"),
        say(">отложено", ">set aside"), say(">другого типа", ">retyped") };
    struct table t;

    table_init(&t, ARRAY_SIZE(heads), heads);
    for (int i = 0; i < v->entity_count; i++) {
        const struct drift_entity *e = &v->entities[i];
        const int64_t counts[] = { e->changes, e->left_out, e->set_aside, e->retyped };
        char name[140], text[ARRAY_SIZE(counts)][SAY_COUNT_SIZE];

        snprintf(name, sizeof(name), "%s/%s", e->portal, e->entity);
        for (size_t k = 0; k < ARRAY_SIZE(counts); k++)
            say_count((uint64_t)counts[k], text[k]);
        table_add(&t, (const char *[]){ name, text[0], text[1], text[2], text[3] });
    }
    table_render(&t, colour, out);
    table_fini(&t);
}

static void fields_show(const struct drift_view *v, bool staying, const char *head, struct buf *out)
{
    bool told = false;

    for (int i = 0; i < v->field_count; i++) {
        if (stays(&v->fields[i]) != staying)
            continue;
        if (!told)
            buf_fmt(out, "%s\n", head);
        told = true;
        field_show(v, &v->fields[i], out);
    }
}

void drift_view_show(const struct drift_view *v, bool colour, struct buf *out)
{
    if (v->entity_count == 0)
        return;
    buf_char(out, '\n');
    entities_show(v, colour, out);
    for (int i = 0; i < v->change_count; i++)
        change_show(&v->changes[i], out);
    fields_show(v, false, say("ждут решения:", "waiting for a decision:"), out);
    fields_show(v, true, say("другого типа, чем их колонки:", "of another type than their columns:"), out);
}

/* ---- for programs ---- */

static json_t *text_or_items(const char *text)
{
    json_t *list = text[0] == '[' ? json_loads(text, 0, NULL) : NULL;

    return list != NULL ? list : text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *field_json(const struct drift_view *v, const struct drift_field *f)
{
    static const char *const held[] = { "", "left out", "set aside" };
    struct buf cure;

    buf_init(&cure, 4096);
    cure_of(v, f, &cure);
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "portal", f->portal, "entity", f->entity,
            "field", f->field, "title", f->title, "held", f->held > 0 && f->held < HOLDS ? held[f->held] : "",
            "kind", f->kind, "column_kind", f->column_kind, "cure", cure.n > 0 ? buf_cstr(&cure) : "");
    buf_fini(&cure);
    return o;
}

json_t *drift_view_json(const struct drift_view *v)
{
    json_t *entities = json_array(), *changes = json_array(), *fields = json_array();

    for (int i = 0; i < v->entity_count; i++) {
        const struct drift_entity *e = &v->entities[i];

        json_array_append_new(
            entities, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "portal", e->portal, "entity", e->entity,
                          "changes", (json_int_t)e->changes, "left_out", (json_int_t)e->left_out, "set_aside",
                          (json_int_t)e->set_aside, "retyped", (json_int_t)e->retyped));
    }
    for (int i = 0; i < v->change_count; i++) {
        const struct drift_change *c = &v->changes[i];

        json_array_append_new(
            changes, json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:I}", "portal", c->portal, "entity",
                         c->entity, "field", c->field, "title", c->title, "what", c->what, "was",
                         text_or_items(c->was), "now", text_or_items(c->now), "at_ms", (json_int_t)c->at_ms));
    }
    for (int i = 0; i < v->field_count; i++)
        json_array_append_new(fields, field_json(v, &v->fields[i]));
    return json_pack("{s:i, s:o, s:o, s:o}", "days", DRIFT_VIEW_DAYS, "entities", entities, "changes",
        changes, "fields", fields);
}

/* ---- read and shown ---- */

void drift_show(struct reading *r)
{
    struct drift_view v;
    struct buf out;

    if (drift_view_read(r, clock_wall_ms(), &v) < 0)
        return;
    buf_init(&out, 1 << 20);
    drift_view_show(&v, screen_colour(), &out);
    if (out.n > 0)
        fwrite(out.p, 1, out.n, stdout);
    buf_fini(&out);
    drift_view_fini(&v);
}

json_t *drift_json(struct reading *r)
{
    struct drift_view v;

    if (drift_view_read(r, clock_wall_ms(), &v) < 0)
        return json_null();
    json_t *o = drift_view_json(&v);
    drift_view_fini(&v);
    return o;
}
