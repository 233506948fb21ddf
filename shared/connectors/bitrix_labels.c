#include "connectors/bitrix_labels.h"

#include "base/mem.h"
#include "proto/labels.h"
#include "proto/schema.h"
#include "proto/wire.h"

#include <stdio.h>
#include <stdlib.h>

#define ITEMS_MOST 10000       /* of one enumeration that are looked at */
#define TEXTS_MAX  (16u << 20) /* items of all fields of an entity */

/* What one of the two descriptions says of a field; its items are text in `texts`. */
struct draft {
    struct str name, title;
    size_t items_at, items_n;
    int order; /* of two drafts of a field the earlier one counts */
};

struct drafts {
    struct draft *list;
    int count, room;
    struct buf texts;
};

struct item {
    struct str id, value;
};

/* The keys whose text may be the title, the best first. */
static const char *const of_field[] = { "formLabel", "listLabel", "filterLabel", "title" };
static const char *const of_user_field[] = { "EDIT_FORM_LABEL", "LIST_COLUMN_LABEL", "LIST_FILTER_LABEL",
    NULL };

static struct str cut(struct str s, size_t most)
{
    const char *nul = s.n > 0 ? memchr(s.p, '\0', s.n) : NULL;

    if (nul != NULL)
        s.n = (size_t)(nul - s.p);
    if (s.n <= most)
        return s;
    while (most > 0 && ((unsigned char)s.p[most] & 0xc0) == 0x80)
        most--;
    return (struct str){ s.p, most };
}

/* ---- items ---- */

static int by_id(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    size_t n = x->id.n < y->id.n ? x->id.n : y->id.n;

    if (x->id.n != y->id.n) /* they are numbers without leading zeros: shorter is less */
        return x->id.n < y->id.n ? -1 : 1;
    return n > 0 ? memcmp(x->id.p, y->id.p, n) : 0;
}

static struct str text_of(struct wire *w, char room[static 24])
{
    if (wire_peek(w) == WIRE_STR)
        return wire_str(w);
    if (wire_peek(w) == WIRE_INT) {
        snprintf(room, 24, "%lld", (long long)wire_i64(w));
        return str_of(room);
    }
    wire_skip(w);
    return STR("");
}

/* {"ID": "79", "VALUE": "…"}; an id that came as a number has no text to point into and is kept in `ids`. */
static struct item read_item(struct wire *w, struct buf *ids)
{
    struct item item = { STR(""), STR("") };
    char room[24];

    if (wire_peek(w) != WIRE_MAP) {
        wire_skip(w);
        return item;
    }
    for (uint32_t n = wire_map(w); n > 0 && wire_ok(w); n--) {
        struct str key = wire_str(w);
        if (str_is(key, "ID")) {
            item.id = text_of(w, room);
            if (item.id.p == room && buf_room(ids, item.id.n)) {
                buf_add(ids, room, item.id.n);
                item.id.p = ids->p + ids->n - item.id.n;
            }
        } else if (str_is(key, "VALUE") && wire_peek(w) == WIRE_STR) {
            item.value = wire_str(w);
        } else {
            wire_skip(w);
        }
    }
    return item;
}

static void write_items(const struct item *items, uint32_t count, struct buf *out)
{
    size_t begin = out->n;

    buf_char(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        size_t before = out->n;

        buf_str(out, i > 0 ? ",[" : "[");
        buf_json(out, cut(items[i].id, 64));
        buf_char(out, ',');
        buf_json(out, cut(items[i].value, LABEL_TITLE_MAX));
        buf_char(out, ']');
        if (out->n - begin < LABEL_ITEMS_MAX - 64)
            continue;
        out->n = before;
        buf_fmt(out, ",[\"\",\"%u more\"]", count - i);
        break;
    }
    buf_char(out, ']');
}

static void read_items(struct wire *w, struct drafts *d, struct draft *draft)
{
    if (wire_peek(w) != WIRE_ARRAY) {
        wire_skip(w);
        return;
    }
    uint32_t all = wire_array(w), count = 0;
    uint32_t room = all < ITEMS_MOST ? all : ITEMS_MOST;
    struct item *items = xcalloc((size_t)room + 1, sizeof(*items));
    struct buf ids;

    buf_init(&ids, (size_t)ITEMS_MOST * 24);
    buf_room(&ids, (size_t)room * 24); /* stands still from here on */
    for (uint32_t i = 0; i < all && wire_ok(w); i++) {
        if (i >= room) {
            wire_skip(w);
            continue;
        }
        items[count] = read_item(w, &ids);
        count += items[count].id.n > 0;
    }
    qsort(items, count, sizeof(*items), by_id);
    draft->items_at = d->texts.n;
    write_items(items, count, &d->texts);
    draft->items_n = d->texts.failed ? 0 : d->texts.n - draft->items_at;
    buf_fini(&ids);
    free(items);
}

/* ---- fields ---- */

/* One description, a map; `name` is its key, or the member `name_key`. */
static void read_field(
    struct wire *w, struct drafts *d, struct draft *f, const char *const titles[4], bool user_list)
{
    struct str found[4] = { STR(""), STR(""), STR(""), STR("") };
    bool enumeration = false;

    if (wire_peek(w) != WIRE_MAP) {
        wire_skip(w);
        return;
    }
    for (uint32_t n = wire_map(w); n > 0 && wire_ok(w); n--) {
        struct str key = wire_str(w);
        int title = 0;

        while (title < 4 && (titles[title] == NULL || !str_is(key, titles[title])))
            title++;
        if (str_is(key, user_list ? "LIST" : "items"))
            read_items(w, d, f);
        else if (wire_peek(w) != WIRE_STR)
            wire_skip(w);
        else if (title < 4)
            found[title] = wire_str(w);
        else if (user_list && str_is(key, "FIELD_NAME"))
            f->name = wire_str(w);
        else if (str_is(key, user_list ? "USER_TYPE_ID" : "type"))
            enumeration = str_is(wire_str(w), "enumeration");
        else
            wire_skip(w);
    }
    if (!enumeration)
        f->items_n = 0;
    for (int i = 0; i < 4 && f->title.n == 0; i++)
        if (!str_eq(found[i], f->name)) /* "the title is the code" says nothing */
            f->title = cut(found[i], LABEL_TITLE_MAX);
}

static void keep(struct drafts *d, const struct draft *f)
{
    if (f->name.n == 0 || f->name.n > 128 || d->count > 3 * SCHEMA_FIELDS_MAX)
        return;
    if (d->count == d->room) {
        d->room = d->room > 0 ? 2 * d->room : 128;
        d->list = xrealloc(d->list, (size_t)d->room * sizeof(*d->list));
    }
    d->list[d->count] = *f;
    d->list[d->count].order = d->count;
    d->count++;
}

static void read_all(struct drafts *d, struct str raw, bool user_list)
{
    struct wire w;

    wire_init(&w, raw.p, raw.n);
    if (wire_peek(&w) != (user_list ? WIRE_ARRAY : WIRE_MAP))
        return;
    for (uint32_t n = user_list ? wire_array(&w) : wire_map(&w); n > 0 && wire_ok(&w); n--) {
        struct draft f = { .name = user_list ? STR("") : wire_str(&w), .title = STR("") };

        read_field(&w, d, &f, user_list ? of_user_field : of_field, user_list);
        keep(d, &f);
    }
}

static int by_name(const void *a, const void *b)
{
    const struct draft *x = a, *y = b;
    size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
    int order = memcmp(x->name.p, y->name.p, n);

    if (order == 0)
        order = (x->name.n > y->name.n) - (x->name.n < y->name.n);
    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

/* Sorted drafts to labels: what the first description of a field does not say, the second may. */
static int merge(const struct drafts *d, struct label *ret)
{
    int n = 0;

    for (int i = 0; i < d->count; i++) {
        const struct draft *f = &d->list[i];
        struct str items = { f->items_n > 0 ? d->texts.p + f->items_at : "", f->items_n };

        if (n == 0 || !str_eq(ret[n - 1].name, f->name))
            ret[n++] = (struct label){ f->name, STR(""), STR("") };
        if (ret[n - 1].title.n == 0)
            ret[n - 1].title = f->title;
        if (ret[n - 1].items.n == 0 && items.n > 0)
            ret[n - 1].items = items;
    }
    return n;
}

void bitrix_labels(struct str fields, struct str user_fields, struct buf *out)
{
    struct drafts d = { .list = NULL };

    buf_init(&d.texts, TEXTS_MAX);
    read_all(&d, user_fields, true);
    read_all(&d, fields, false);
    if (d.count > 0)
        qsort(d.list, (size_t)d.count, sizeof(*d.list), by_name);

    struct label *labels = xcalloc((size_t)d.count + 1, sizeof(*labels));
    int count = merge(&d, labels);

    labels_encode(labels, count, out);
    if (out->failed) {
        buf_clear(out);
        for (int i = 0; i < count; i++)
            labels[i].items = STR("");
        labels_encode(labels, count, out);
    }
    if (out->failed)
        buf_clear(out);
    free(labels);
    free(d.list);
    buf_fini(&d.texts);
}
