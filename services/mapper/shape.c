#include "shape.h"

#include "base/mem.h"
#include "row_hash.h"

#include <stdio.h>
#include <stdlib.h>

#define NAME_MAX_BYTES 160 /* a field's name, "_currency" and a number fit */
#define TEXT_MAX_BYTES ((size_t)2 * SCHEMA_FIELDS_MAX * 2 * (NAME_MAX_BYTES + 2))

/* A column on its way: names are made unique first, then sorted. */
struct draft {
    char name[NAME_MAX_BYTES + 1];
    enum col_kind kind;
    int *owner; /* the field's index of its column, set once the order is known */
};

struct drafts {
    struct draft *list;
    int count;
    int *slots; /* names taken: open addressing, index + 1 into list */
    unsigned mask;
};

static unsigned slot_of(const struct drafts *d, const char *name)
{
    unsigned h = 2166136261u; /* FNV-1a */

    for (const char *p = name; *p != '\0'; p++)
        h = (h ^ (unsigned char)*p) * 16777619u;
    for (unsigned i = h & d->mask;; i = (i + 1) & d->mask) {
        if (d->slots[i] == 0 || strcmp(d->list[d->slots[i] - 1].name, name) == 0)
            return i;
    }
}

/* The column of `field`: its name and ending, or that with the first free number of "_2", "_3", … */
static void draft_add(struct drafts *d, struct str field, const char *ending, enum col_kind kind, int *owner)
{
    struct draft *draft = &d->list[d->count];
    char base[129], number[16] = "";
    unsigned slot;

    col_name(field, base);
    for (unsigned i = 2;; i++) {
        snprintf(draft->name, sizeof(draft->name), "%s%s%s", base[0] == '\0' ? "f" : base, ending, number);
        slot = slot_of(d, draft->name);
        if (d->slots[slot] == 0)
            break;
        snprintf(number, sizeof(number), "_%u", i);
    }
    draft->kind = kind;
    draft->owner = owner;
    d->slots[slot] = ++d->count;
}

/* Fields first, in the order of their names, then the currencies: a new money field moves no column of
 * others. */
static void drafts_fill(struct shape *s, struct drafts *d)
{
    int id;

    draft_add(d, STR("id"), "", COL_INT, &id); /* taken by the key */
    for (int i = 0; i < s->schema.count; i++) {
        const struct field *f = &s->schema.fields[i];

        s->fields[i] = (struct shape_field){ rule_of(f->type, f->multiple), SHAPE_NONE, SHAPE_NONE };
        if (str_is(f->name, "ID")) {
            s->id_field = i;
            continue;
        }
        draft_add(d, f->name, "", col_kind_of(f->type, f->multiple), &s->fields[i].column);
    }
    for (int i = 0; i < s->schema.count; i++) {
        if (s->fields[i].rule == RULE_MONEY && i != s->id_field)
            draft_add(d, s->schema.fields[i].name, "_currency", COL_TEXT, &s->fields[i].currency);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct draft *)a)->name, ((const struct draft *)b)->name);
}

static void columns_make(struct shape *s, struct draft *list, int count)
{
    struct column *plain = xcalloc((size_t)count + 1, sizeof(*plain));

    qsort(list, (size_t)count, sizeof(*list), by_name);
    s->columns = xcalloc((size_t)count + 1, sizeof(*s->columns));
    s->column_count = count;
    for (int i = 0; i < count; i++) {
        struct str name = str_of(list[i].name);

        *list[i].owner = i;
        row_hash_prefix(&s->text, name, list[i].kind);
        s->columns[i] = (struct shape_column){ { NULL, name.n }, list[i].kind, { NULL, name.n + 2 } };
        plain[i] = (struct column){ name, list[i].kind };
    }
    const char *p = s->text.p; /* stands still from here on */

    for (int i = 0; i < count; i++) {
        s->columns[i].name.p = s->columns[i].prefix.p = p;
        p += s->columns[i].prefix.n;
    }
    columns_encode(plain, count, &s->encoded);
    free(plain);
}

int shape_init(struct shape *s, struct str schema, struct err *err)
{
    struct drafts d = { .mask = 1 };

    *s = (struct shape){ .id_field = SHAPE_NONE };
    buf_init(&s->source, schema.n);
    buf_init(&s->text, TEXT_MAX_BYTES);
    buf_init(&s->encoded, TEXT_MAX_BYTES);
    if (schema_decode(&s->schema, schema, err) < 0)
        return -1;
    buf_add(&s->source, schema.p, schema.n);
    size_t most = (size_t)s->schema.count * 2 + 1;

    while (d.mask < most * 2)
        d.mask = d.mask * 2 + 1;
    d.list = xcalloc(most, sizeof(*d.list));
    d.slots = xcalloc((size_t)d.mask + 1, sizeof(*d.slots));
    s->fields = xcalloc((size_t)s->schema.count + 1, sizeof(*s->fields));
    drafts_fill(s, &d);
    columns_make(s, d.list + 1, d.count - 1); /* without the key */
    free(d.list);
    free(d.slots);
    if (s->text.failed || s->encoded.failed)
        return err_set(err, ERR_PERM, "schema of %d fields: column names too long", s->schema.count);
    return 0;
}

void shape_fini(struct shape *s)
{
    schema_free(&s->schema);
    free(s->fields);
    free(s->columns);
    buf_fini(&s->source);
    buf_fini(&s->text);
    buf_fini(&s->encoded);
    *s = (struct shape){ .id_field = SHAPE_NONE };
}

bool shape_is(const struct shape *s, struct str schema)
{
    return s->source.n > 0 && str_eq(buf_view(&s->source), schema);
}
