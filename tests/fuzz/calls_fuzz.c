/* The same bytes as calls, which become a batch, and as answers. What was read and is written again reads the
 * same. */
#include "connectors/bitrix.h"
#include "proto/calls.h"
#include "support/fuzz.h"

#include <stdlib.h>

static void as_calls(struct str bytes)
{
    struct msg_job job = { .kind = STR("call"), .calls = bytes };
    struct call_list c, again;
    struct buf out, body;
    struct err err;

    if (calls_decode(&c, bytes, &err) < 0)
        return;
    buf_init(&out, 2 * CALLS_BYTES_MAX);
    buf_init(&body, 1 << 20);
    calls_encode(c.list, c.count, &out);
    if (!out.failed && (calls_decode(&again, buf_view(&out), &err) < 0 || again.count != c.count))
        abort();
    if (!out.failed)
        calls_free(&again);
    if (bitrix_build(&job, &body, &err) == 0 && body.n == 0)
        abort();
    buf_fini(&body);
    buf_fini(&out);
    calls_free(&c);
}

static void as_answers(struct str bytes)
{
    struct call_answers a;
    struct err err;

    if (call_answers_decode(&a, bytes, &err) < 0)
        return;
    for (int i = 0; i < a.count; i++)
        if (a.list[i].key.n == 0)
            abort();
    call_answers_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = { (const char *)data, size };

    if (size > CALLS_BYTES_MAX)
        return 0;
    as_calls(bytes);
    as_answers(bytes);
    return 0;
}
