/* The body of ROWS as the writer reads it: kind, rows, rejects; whatever the bytes, a batch is in order or
 * refused. */
#include "proto/wire.h"
#include "services/writer/batch.h"

#include <stdlib.h>

static const char *const KINDS[] = { "range", "ids", "get", "probe" };
static uint64_t ASKED[] = { 1, 2, 3, 5, 8, 13, 127, 128 };

static struct str columns(void)
{
    static struct buf bytes;
    const struct column list[] = { { STR("a"), COL_TEXT }, { STR("b"), COL_INT } };

    if (bytes.n == 0) {
        buf_init(&bytes, 1000);
        columns_encode(list, 2, &bytes);
    }
    return buf_view(&bytes);
}

/* First byte: kind, and whether the rest is rows or rejects; second: how many rows. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct msg m = { .type = MSG_ROWS };
    struct batch b;
    struct err err;

    if (size < 2)
        return 0;
    m.rows = (struct msg_rows){ .job = 1,
        .d = 2,
        .kind = str_of(KINDS[data[0] % 4]),
        .first = 1,
        .last = 200,
        .columns = columns(),
        .count = data[1] };
    if (data[0] % 4 != 0)
        m.rows.asked = (struct ids){ ASKED, sizeof(ASKED) / sizeof(ASKED[0]) };
    if (data[0] & 16)
        m.rows.absent = (struct ids){ ASKED, 3 };
    if (data[0] & 32)
        m.rows.rejects = (struct str){ (const char *)data + 2, size - 2 };
    else
        m.payload = (struct frame){ .p = (void *)(data + 2), .n = size - 2 };
    if (batch_read(&b, &m, &err) < 0)
        return 0;
    for (size_t i = 0; i < b.count; i++)
        if ((i > 0 && b.entries[i].id <= b.entries[i - 1].id) ||
            batch_find(&b, b.entries[i].id) != &b.entries[i])
            abort();
    batch_fini(&b);
    return 0;
}
