/* Descriptions for programs: keys are added, never renamed. */
#include "print.h"

json_t *schema_items(const char *items)
{
    json_t *list = items != NULL ? json_loads(items, 0, NULL) : NULL, *ret = json_array(), *pair;
    size_t i;

    json_array_foreach(list, i, pair) {
        json_t *id = json_array_get(pair, 0), *value = json_array_get(pair, 1);

        if (id != NULL && value != NULL)
            json_array_append_new(ret, json_pack("{s:O, s:O}", "id", id, "value", value));
    }
    if (!json_is_array(list)) {
        json_decref(ret);
        ret = NULL;
    }
    json_decref(list);
    return ret;
}

/* NULL for what is not there, not 0 and not "". */
static json_t *instant(int64_t ms)
{
    return ms > 0 ? json_integer(ms) : json_null();
}

static json_t *text(const char *s)
{
    return s[0] != '\0' ? json_string(s) : json_null();
}

static json_t *field_json(const struct described_field *f)
{
    static const char *const holds[] = { "no", "left_out", "set_aside" };
    json_t *o = json_object(), *items = schema_items(f->items);

    json_object_set_new(o, "name", json_string(f->name));
    json_object_set_new(o, "title", text(f->title));
    json_object_set_new(o, "type", json_string(f->type));
    json_object_set_new(o, "multiple", json_boolean(f->multiple));
    json_object_set_new(o, "column", text(f->column));
    json_object_set_new(o, "currency_column",
        described_has_currency(f) ? json_sprintf("%s_currency", f->column) : json_null());
    json_object_set_new(o, "kind", json_string(f->kind));
    json_object_set_new(o, "column_kind",
        f->column[0] == '\0' ? json_null()
                             : json_string(f->column_kind[0] != '\0' ? f->column_kind : f->kind));
    json_object_set_new(o, "items", items != NULL ? items : json_null());
    json_object_set_new(o, "held", json_string(holds[f->held < HOLDS ? f->held : HOLD_NOT]));
    json_object_set_new(o, "first_ms", instant(f->first_ms));
    json_object_set_new(o, "gone_ms", instant(f->gone_ms));
    json_object_set_new(o, "changed_ms", instant(f->changed_ms));
    json_object_set_new(o, "rejected", json_integer(f->rejected));
    return o;
}

static json_t *mirror_json(const struct described *m)
{
    json_t *o = json_object(), *fields = json_array();

    json_object_set_new(o, "portal", json_string(m->portal));
    json_object_set_new(o, "host", text(m->host));
    json_object_set_new(o, "entity", json_string(m->entity));
    json_object_set_new(o, "table", json_string(m->table));
    json_object_set_new(o, "records", m->records < 0 ? json_null() : json_integer(m->records));
    json_object_set_new(o, "deleted", m->deleted < 0 ? json_null() : json_integer(m->deleted));
    json_object_set_new(o, "full_ms", instant(m->full_ms));
    json_object_set_new(o, "schema_ms", instant(m->schema_ms));
    for (int i = 0; i < m->count; i++)
        json_array_append_new(fields, field_json(&m->fields[i]));
    json_object_set_new(o, "fields", fields);
    return o;
}

json_t *schema_json(const struct description *d)
{
    json_t *root = json_object(), *mirrors = json_array();

    for (int i = 0; i < d->count; i++)
        json_array_append_new(mirrors, mirror_json(&d->list[i]));
    json_object_set_new(root, "mirrors", mirrors);
    return root;
}

json_t *schema_history_json(const struct description *d)
{
    json_t *root = json_object(), *changes = json_array();

    for (int i = 0; i < d->change_count; i++) {
        const struct described_change *c = &d->changes[i];

        json_array_append_new(
            changes, json_pack("{s:s, s:s, s:s, s:I, s:s, s:o, s:o}", "portal", c->portal, "entity",
                         c->entity, "name", c->name, "at_ms", (json_int_t)c->at_ms, "what", c->what, "was",
                         text(c->was), "now", text(c->now)));
    }
    json_object_set_new(root, "changes", changes);
    return root;
}
