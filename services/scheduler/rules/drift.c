#include "drift.h"

#include "base/mem.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

static const char *const names[] = { "added", "gone", "back", "retyped", "renamed", "items" };
static_assert(ARRAY_SIZE(names) == CHANGE_WHATS, "a name for each");

const char *change_name(enum change_what what)
{
    return names[what];
}

static int order_of(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n > 0 ? memcmp(a.p, b.p, n) : 0;

    return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

static int by_name(const void *a, const void *b)
{
    return order_of(((const struct drift_field *)a)->field.name, ((const struct drift_field *)b)->field.name);
}

static int name_to_known(const void *key, const void *entry)
{
    return order_of(*(const struct str *)key, ((const struct known_field *)entry)->field.name);
}

static const struct known_field *find_known(const struct known_field *list, int count, struct str name)
{
    return count > 0 ? bsearch(&name, list, (size_t)count, sizeof(*list), name_to_known) : NULL;
}

/* ---- the fields as they are now ---- */

static bool has(const struct drift *d, struct str name)
{
    for (int i = 0; i < d->count; i++)
        if (str_eq(d->fields[i].field.name, name))
            return true;
    return false;
}

static void add(struct drift *d, struct str name, struct str type, bool multiple)
{
    if (d->count < SCHEMA_FIELDS_MAX)
        d->fields[d->count++] = (struct drift_field){ .field = { name, type, multiple, HOLD_NOT } };
}

static void add_unknown(struct drift *d, struct str words)
{
    size_t i = 0;

    while (i < words.n) {
        size_t from = i;
        while (i < words.n && words.p[i] != ' ')
            i++;
        struct str name = { words.p + from, i - from };
        i++;
        if (name.n > 0 && !has(d, name))
            add(d, name, STR("unknown"), false);
    }
}

static enum field_hold hold_by(enum drift_policy policy)
{
    return policy == DRIFT_FREEZE ? HOLD_OUT : policy == DRIFT_QUARANTINE ? HOLD_ASIDE : HOLD_NOT;
}

/* What was ever copied stays copied, also when it comes back; a held field follows the policy of today. */
static enum field_hold hold_of(
    const struct known_field *known, struct str name, bool first, enum drift_policy policy)
{
    if (first || str_is(name, "ID") || (known != NULL && known->field.hold == HOLD_NOT))
        return HOLD_NOT;
    return hold_by(policy);
}

static void label(struct drift_field *f, const struct labels *labels)
{
    const struct label *l = labels_find(labels, f->field.name);

    f->is_enumeration = str_is(f->field.type, "enumeration");
    if (l == NULL)
        return;
    f->title = l->title;
    if (f->is_enumeration && l->items.n > 0)
        f->items = l->items;
}

static void merge(
    struct drift *d, const struct drift_said *said, const struct known_field *known, int known_count)
{
    d->fields = xcalloc(SCHEMA_FIELDS_MAX, sizeof(*d->fields));
    for (int i = 0; i < said->count; i++)
        add(d, said->fields[i].name, said->fields[i].type, said->fields[i].multiple);
    for (int i = 0; i < known_count; i++) {
        const struct known_field *k = &known[i];

        if (!k->gone && str_is(k->field.type, "unknown") && !has(d, k->field.name))
            add(d, k->field.name, k->field.type, k->field.multiple);
    }
    add_unknown(d, said->unknown);
    if (d->count > 0)
        qsort(d->fields, (size_t)d->count, sizeof(*d->fields), by_name);
}

/* ---- what changed ---- */

static struct str cut(struct str s, size_t most)
{
    if (s.n <= most)
        return s;
    while (most > 0 && ((unsigned char)s.p[most] & 0xc0) == 0x80)
        most--;
    return (struct str){ s.p, most };
}

static char *text_of(struct str s)
{
    return str_dup(cut(s, CHANGE_TEXT_MAX));
}

static char *type_text(const struct field *f)
{
    return xasprintf(STR_FMT "%s", STR_ARG(cut(f->type, 128)), f->multiple ? ", multiple" : "");
}

/* Takes was and now over. */
static struct field_change *note(
    struct drift *d, enum change_what what, const struct field *field, struct str title, char *was, char *now)
{
    if (d->change_count == d->change_room) {
        d->change_room = d->change_room > 0 ? 2 * d->change_room : 16;
        d->changes = xrealloc(d->changes, (size_t)d->change_room * sizeof(*d->changes));
    }
    struct field_change *c = &d->changes[d->change_count++];

    *c = (struct field_change){ .what = what, .was = was, .now = now, .hold = field->hold };
    c->name = str_dup(field->name);
    c->title = text_of(title);
    d->counts[what]++;
    return c;
}

static bool has_item(const json_t *list, const json_t *item)
{
    size_t i;
    const json_t *one;

    json_array_foreach(list, i, one) {
        if (json_equal(one, item))
            return true;
    }
    return false;
}

/* Items of `list` that `other` has not, as JSON; NULL: none. */
static char *items_only_in(const json_t *list, const json_t *other)
{
    struct buf out;
    size_t i, more = 0;
    json_t *item;

    buf_init(&out, CHANGE_TEXT_MAX * 4);
    json_array_foreach(list, i, item) {
        if (has_item(other, item))
            continue;
        char *text = json_dumps(item, JSON_COMPACT | JSON_ENCODE_ANY);
        if (text == NULL || out.n + strlen(text) > CHANGE_TEXT_MAX - 40)
            more++;
        else
            buf_fmt(&out, "%c%s", out.n > 0 ? ',' : '[', text);
        free(text);
    }
    if (more > 0)
        buf_fmt(&out, "%c[\"\",\"%zu more\"]", out.n > 0 ? ',' : '[', more);
    if (out.n > 0)
        buf_char(&out, ']');
    char *ret = out.n > 0 ? xstrdup(buf_cstr(&out)) : NULL;
    buf_fini(&out);
    return ret;
}

static bool note_items(struct drift *d, const struct drift_field *f, struct str title, struct str was)
{
    json_t *before = json_loadb(was.p, was.n, 0, NULL), *after = json_loadb(f->items.p, f->items.n, 0, NULL);
    char *lost = items_only_in(before, after), *won = items_only_in(after, before);
    bool changed = lost != NULL || won != NULL;

    if (changed)
        note(d, CHANGE_ITEMS, &f->field, title, lost, won);
    json_decref(before);
    json_decref(after);
    return changed;
}

static bool same_type(const struct field *a, const struct field *b)
{
    return str_eq(a->type, b->type) && a->multiple == b->multiple;
}

static void compare(struct drift *d, struct drift_field *f, const struct known_field *k)
{
    int before = d->change_count;
    struct str title = f->title.p != NULL ? f->title : k != NULL && k->title.p != NULL ? k->title : STR("");

    if (k == NULL) {
        note(d, CHANGE_ADDED, &f->field, title, NULL, type_text(&f->field))->act =
            f->field.hold == HOLD_ASIDE;
        f->changed = true;
        return;
    }
    if (k->gone)
        note(d, CHANGE_BACK, &f->field, title, NULL, type_text(&f->field));
    if (!same_type(&f->field, &k->field))
        note(d, CHANGE_RETYPED, &f->field, title, type_text(&k->field), type_text(&f->field))->act =
            f->field.hold == HOLD_NOT && col_kind_of(f->field.type, f->field.multiple) != k->column;
    if (f->title.p != NULL && k->title.p != NULL && !str_eq(f->title, k->title))
        note(d, CHANGE_RENAMED, &f->field, title, text_of(k->title), text_of(f->title));
    if (f->items.p != NULL && k->items.p != NULL && !str_eq(f->items, k->items))
        note_items(d, f, title, k->items);
    f->changed = d->change_count > before;
}

static void compare_gone(struct drift *d, const struct known_field *known, int count)
{
    for (int i = 0; i < count; i++)
        if (!known[i].gone && !has(d, known[i].field.name))
            note(d, CHANGE_GONE, &known[i].field, known[i].title.p != NULL ? known[i].title : STR(""),
                type_text(&known[i].field), NULL);
}

/* ---- columns that begin to be filled ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The columns of the fields known until now; views into `columns`. Returns how many. */
static size_t columns_before(
    const struct known_field *known, int count, struct field_column **ret_columns, const char **ret)
{
    struct field *fields = xcalloc((size_t)count + 1, sizeof(*fields));
    int living = 0;
    size_t n = 0;

    for (int i = 0; i < count; i++)
        if (!known[i].gone)
            fields[living++] = known[i].field;
    *ret_columns = field_columns(fields, living);
    for (int i = 0; i < living; i++) {
        if ((*ret_columns)[i].name[0] != '\0')
            ret[n++] = (*ret_columns)[i].name;
        if ((*ret_columns)[i].currency[0] != '\0')
            ret[n++] = (*ret_columns)[i].currency;
    }
    qsort(ret, n, sizeof(*ret), by_text);
    free(fields);
    return n;
}

static void look_for_empty(struct drift *d, const struct known_field *known, int known_count)
{
    const char **before = xcalloc(2 * (size_t)known_count + 1, sizeof(*before));
    struct field_column *columns;
    size_t n = columns_before(known, known_count, &columns, before);

    d->empty = xcalloc(2 * (size_t)d->count + 1, sizeof(*d->empty));
    for (int i = 0; i < d->count; i++) {
        const char *own[] = { d->columns[i].name, d->columns[i].currency };

        for (int k = 0; k < 2; k++)
            if (own[k][0] != '\0' && bsearch(&own[k], before, n, sizeof(*before), by_text) == NULL)
                d->empty[d->empty_count++] = str_of(own[k]);
    }
    free(columns);
    free(before);
}

/* ---- the whole ---- */

void drift_see(struct drift *ret, const struct drift_said *said, const struct known_field *known,
    int known_count, enum drift_policy policy)
{
    struct field *plain;

    *ret = (struct drift){ .first = known_count == 0 };
    merge(ret, said, known, known_count);
    plain = xcalloc((size_t)ret->count + 1, sizeof(*plain));
    for (int i = 0; i < ret->count; i++) {
        struct drift_field *f = &ret->fields[i];
        const struct known_field *k = find_known(known, known_count, f->field.name);

        f->field.hold = hold_of(k, f->field.name, ret->first, policy);
        label(f, said->labels);
        if (!ret->first)
            compare(ret, f, k);
        plain[i] = f->field;
    }
    ret->columns = field_columns(plain, ret->count);
    free(plain);
    if (ret->first)
        return;
    compare_gone(ret, known, known_count);
    look_for_empty(ret, known, known_count);
}

void changes_free(struct field_change *list, int count)
{
    for (int i = 0; i < count; i++) {
        free(list[i].name);
        free(list[i].title);
        free(list[i].was);
        free(list[i].now);
    }
    free(list);
}

void drift_fini(struct drift *d)
{
    changes_free(d->changes, d->change_count);
    free(d->fields);
    free(d->columns);
    free(d->empty);
    *d = (struct drift){ .count = 0 };
}
