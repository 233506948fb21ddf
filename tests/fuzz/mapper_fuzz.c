/* mapper_fuzz.c - any bytes as the records of a message: the first byte says how many there shall be. What is
 * mapped must be rows that a writer can read. */
#include "services/mapper/map.h"
#include "support/fuzz.h"

#include <stdlib.h>

static const struct field FIELDS[] = {
    { STR("ID"), STR("integer"), false, HOLD_NOT },
    { STR("A"), STR("string"), false, HOLD_NOT },
    { STR("B"), STR("double"), false, HOLD_NOT },
    { STR("C"), STR("money"), false, HOLD_NOT },
    { STR("D"), STR("date"), false, HOLD_NOT },
    { STR("E"), STR("datetime"), false, HOLD_NOT },
    { STR("F"), STR("file"), false, HOLD_NOT },
    { STR("G"), STR("char"), false, HOLD_NOT },
    { STR("H"), STR("user"), false, HOLD_NOT },
    { STR("I"), STR("date"), true, HOLD_NOT },
    { STR("J"), STR("datetime"), true, HOLD_NOT },
    { STR("K"), STR("crm_multifield"), true, HOLD_NOT },
    { STR("L"), STR("crm_category"), false, HOLD_NOT },
    { STR("M"), STR("file"), true, HOLD_NOT },
};

static void promise(bool kept)
{
    if (!kept)
        abort();
}

static void check_rows(const struct map *m)
{
    struct wire w;

    wire_init(&w, m->rows.p, m->rows.n);
    for (uint64_t i = 0; i < m->stats.rows; i++) {
        promise(wire_array(&w) == (uint32_t)m->shape.column_count + 2);
        promise(wire_i64(&w) > 0);
        promise(wire_bin(&w).n == ROW_HASH_BYTES);
        for (int j = 0; j < m->shape.column_count; j++)
            wire_skip(&w);
        promise(wire_ok(&w));
    }
    promise(wire_done(&w));
    wire_init(&w, m->rejects.p, m->rejects.n);
    if (m->rejects.n > 0)
        wire_skip(&w);
    promise(wire_done(&w));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct map m;
    struct buf schema;
    struct err err = { 0 };
    int left = -1;

    if (size == 0)
        return 0;
    map_init(&m);
    buf_init(&schema, 65536);
    schema_encode(FIELDS, sizeof(FIELDS) / sizeof(FIELDS[0]), &schema);
    if (map_begin(&m, buf_view(&schema), (struct str){ (const char *)data + 1, size - 1 }, data[0], &err) ==
        0) {
        do
            left = map_step(&m, 64, &err);
        while (left == 1);
    }
    if (left == 0)
        check_rows(&m);
    buf_fini(&schema);
    map_fini(&m);
    return 0;
}
