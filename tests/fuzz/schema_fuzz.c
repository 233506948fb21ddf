/* The same bytes as schema, as columns, as labels, as probe, and as any msgpack value. */
#include "proto/field_columns.h"
#include "proto/labels.h"
#include "proto/probe.h"
#include "proto/schema.h"
#include "proto/wire.h"
#include "support/fuzz.h"

#include <stdlib.h>

static void as_schema(struct str bytes)
{
    struct schema s;
    struct err err;

    if (schema_decode(&s, bytes, &err) < 0)
        return;
    free(field_columns(s.fields, s.count));
    for (int i = 0; i < s.count; i++) {
        char column[129];
        col_name(s.fields[i].name, column);
        if (schema_find(&s, s.fields[i].name) != &s.fields[i])
            abort();
    }
    schema_free(&s);
}

static void as_columns(struct str bytes)
{
    struct columns c;
    struct err err;

    if (columns_decode(&c, bytes, &err) == 0)
        columns_free(&c);
}

static void as_labels(struct str bytes)
{
    struct labels l;
    struct err err;

    if (labels_decode(&l, bytes, &err) < 0)
        return;
    for (int i = 0; i < l.count; i++)
        if (labels_find(&l, l.list[i].name) != &l.list[i])
            abort();
    labels_free(&l);
}

static void as_probe(struct str bytes)
{
    struct probe p;
    struct err err;

    if (probe_decode(&p, bytes, &err) < 0)
        return;
    for (int i = 0; i < p.count; i++)
        as_schema(p.entities[i].schema);
    probe_free(&p);
}

/* Skipping and printing agree on where a value ends. */
static void as_value(struct str bytes)
{
    struct wire skip, print;
    struct buf out;

    buf_init(&out, 1 << 20);
    wire_init(&skip, bytes.p, bytes.n);
    wire_init(&print, bytes.p, bytes.n);
    wire_skip(&skip);
    wire_json(&print, &out);
    if (wire_ok(&skip) && wire_ok(&print) && skip.p != print.p)
        abort();
    if (wire_ok(&skip) != wire_ok(&print))
        abort();
    wire_init(&skip, bytes.p, bytes.n);
    wire_find(&skip, "entity");
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = { (const char *)data, size };

    if (size > 1 << 19)
        return 0;
    as_schema(bytes);
    as_columns(bytes);
    as_labels(bytes);
    as_probe(bytes);
    as_value(bytes);
    return 0;
}
