#include "field_edit.h"

#include "base/mem.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>

static bool is_field_name(const char *name)
{
    const size_t n = strlen(name);

    if (n > 50 || n < 8 || strncmp(name, "UF_CRM_", 7) != 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!isupper((unsigned char)name[i]) && !isdigit((unsigned char)name[i]) && name[i] != '_')
            return false;
    }
    return true;
}

static int edit_add(struct crm *c, struct attr *a, const char *name, json_t *args, struct err *err)
{
    const char *type = NULL;
    int multiple = 0, fill = 40;

    if (json_unpack(args, "{s:s, s?b, s?i}", "type", &type, "multiple", &multiple, "fill", &fill) < 0 ||
        strlen(type) > 64 || fill < 0 || fill > 100 || a != NULL || !is_field_name(name))
        return err_set(err, ERR_PERM,
            "{\"name\":\"UF_CRM_NEW\",\"type\":\"string\",\"multiple\":false,\"fill\":40}; "
            "a new name of at most 50 capital letters, digits and _; fill: of 100 records, how many have a "
            "value");
    attr_add(&c->attrs, name, str_of(type), multiple)->fill = fill;
    return 0;
}

/* Values set by hand go with their field: one that is made anew is another field. */
static int edit_delete(struct crm *c, struct attr *a, const char *name, json_t *args, struct err *err)
{
    for (uint32_t n = 0; n < c->count; n++)
        if (c->patches[n] != NULL)
            patch_forget(c->patches[n], a);
    attr_remove(&c->attrs, a);
    return 0;
}

static int edit_rename(struct crm *c, struct attr *a, const char *name, json_t *args, struct err *err)
{
    const char *label = NULL;

    if (json_unpack(args, "{s:s}", "label", &label) < 0)
        return err_set(err, ERR_PERM, "{\"label\":\"…\"}");
    attr_name(&c->attrs, a, label);
    return 0;
}

static int edit_type(struct crm *c, struct attr *a, const char *name, json_t *args, struct err *err)
{
    const char *type = NULL;
    int multiple = 0;

    if (json_unpack(args, "{s:s, s?b}", "type", &type, "multiple", &multiple) < 0 || strlen(type) > 64)
        return err_set(err, ERR_PERM, "{\"type\":\"string\",\"multiple\":false}");
    attr_retype(&c->attrs, a, str_of(type), multiple);
    return 0;
}

static bool has_item(const struct attr *a, const char *id)
{
    for (int i = 0; i < a->item_count; i++)
        if (a->items[i].text != NULL && a->items[i].id == atoi(id))
            return true;
    return false;
}

static int check_items(const struct attr *a, json_t *renamed, json_t *deleted, struct err *err)
{
    const char *id;
    json_t *text;
    size_t i;

    json_object_foreach(renamed, id, text) {
        if (!json_is_string(text) || !has_item(a, id))
            return err_set(err, ERR_PERM, "rename: no item %s", id);
    }
    json_array_foreach(deleted, i, text) {
        if (!json_is_string(text) || !has_item(a, json_string_value(text)))
            return err_set(err, ERR_PERM, "delete: no such item");
    }
    return 0;
}

static void set_items(struct crm *c, struct attr *a, json_t *renamed, json_t *deleted)
{
    const char *id;
    json_t *text;
    size_t i;

    json_object_foreach(renamed, id, text) {
        attr_set_item(&c->attrs, a, atoi(id), json_string_value(text));
    }
    json_array_foreach(deleted, i, text) {
        attr_set_item(&c->attrs, a, atoi(json_string_value(text)), NULL);
    }
}

static int edit_items(struct crm *c, struct attr *a, const char *name, json_t *args, struct err *err)
{
    json_t *added = NULL, *renamed = NULL, *deleted = NULL, *text;
    size_t i;

    if (a->item_count == 0)
        return err_set(err, ERR_PERM, "%s is no enumeration", a->name);
    if (json_unpack(args, "{s?o, s?o, s?o}", "add", &added, "rename", &renamed, "delete", &deleted) < 0)
        return err_set(err, ERR_PERM, "{\"add\":[\"…\"],\"rename\":{\"45\":\"…\"},\"delete\":[\"47\"]}");
    if (check_items(a, renamed, deleted, err) < 0)
        return -1;
    set_items(c, a, renamed, deleted);
    json_array_foreach(added, i, text) {
        if (json_is_string(text))
            attr_add_item(&c->attrs, a, json_string_value(text));
    }
    return 0;
}

static const struct {
    const char *what;
    bool there; /* the field must be */
    int (*run)(struct crm *c, struct attr *a, const char *name, json_t *args, struct err *err);
} edits[] = {
    { "add", false, edit_add },
    { "delete", true, edit_delete },
    { "rename", true, edit_rename },
    { "type", true, edit_type },
    { "items", true, edit_items },
};

int field_edit(struct crm *c, struct str what, const char *name, struct str json, struct err *err)
{
    struct attr *a = (struct attr *)attr_find(&c->attrs, str_of(name));
    int result = -1;

    if (a != NULL && !(a->flags & ATTR_USER))
        return err_set(err, ERR_PERM, "%s: a standard field stays as it is", name);
    json_t *args = json.n > 0 ? json_loadb(json.p, json.n, 0, NULL) : json_object();
    if (!json_is_object(args))
        err_set(err, ERR_PERM, "the body is a JSON object");
    for (size_t i = 0; i < ARRAY_SIZE(edits) && json_is_object(args); i++) {
        if (!str_is(what, edits[i].what))
            continue;
        if (edits[i].there && a == NULL)
            err_set(err, ERR_PERM, "name: no such user field");
        else
            result = edits[i].run(c, a, name, args, err);
    }
    json_decref(args);
    return result;
}
