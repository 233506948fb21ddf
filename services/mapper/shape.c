#include "shape.h"

#include "base/mem.h"
#include "proto/field_columns.h"
#include "row_hash.h"

#include <stdlib.h>

#define TEXT_MAX_BYTES ((size_t)2 * SCHEMA_FIELDS_MAX * 2 * (FIELD_COLUMN_SIZE + 2))

/* A column on its way: they are sorted by name before their fields can be told where they are. */
struct draft {
    const char *name;
    enum col_kind kind;
    int *owner; /* the field's index of its column, set once the order is known */
};

static int drafts_fill(struct shape *s, const struct field_column *columns, struct draft *ret)
{
    int n = 0;

    for (int i = 0; i < s->schema.count; i++) {
        const struct field *f = &s->schema.fields[i];
        struct shape_field *shown = &s->fields[i];

        *shown = (struct shape_field){ rule_of_field(f), SHAPE_NONE, SHAPE_NONE };
        if (str_is(f->name, "ID"))
            s->id_field = i;
        if (columns[i].name[0] != '\0')
            ret[n++] = (struct draft){ columns[i].name, col_kind_of(f->type, f->multiple), &shown->column };
        if (columns[i].currency[0] != '\0')
            ret[n++] = (struct draft){ columns[i].currency, COL_TEXT, &shown->currency };
    }
    return n;
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
    *s = (struct shape){ .id_field = SHAPE_NONE };
    buf_init(&s->source, schema.n);
    buf_init(&s->text, TEXT_MAX_BYTES);
    buf_init(&s->encoded, TEXT_MAX_BYTES);
    if (schema_decode(&s->schema, schema, err) < 0)
        return -1;
    buf_add(&s->source, schema.p, schema.n);

    struct field_column *columns = field_columns(s->schema.fields, s->schema.count);
    struct draft *drafts = xcalloc((size_t)s->schema.count * 2 + 1, sizeof(*drafts));

    s->fields = xcalloc((size_t)s->schema.count + 1, sizeof(*s->fields));
    columns_make(s, drafts, drafts_fill(s, columns, drafts));
    free(drafts);
    free(columns);
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
