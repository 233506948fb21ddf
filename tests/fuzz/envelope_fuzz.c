/* Three frames of anything: two lengths (16 bits, big-endian), then envelope, body and the rest as payload.
 */
#include "proto/msg.h"
#include "support/fuzz.h"

#include <stdlib.h>

static size_t take(const uint8_t *data, size_t at, size_t left)
{
    size_t n = (size_t)data[at] << 8 | data[at + 1];

    return n < left ? n : left;
}

/* What was decoded must be printable, and what encodes must decode to the same bytes. */
static void walk(struct msg *m)
{
    struct buf envelope, body, print;
    struct err err;

    buf_init(&envelope, 1 << 20);
    buf_init(&body, 1 << 20);
    buf_init(&print, 1 << 20);
    msg_print(m, &print);
    if (msg_encode(m, &envelope, &body, &err) < 0)
        abort();
    struct frame frame = { .p = body.p, .n = body.n }, payload = { 0 };
    struct msg *again = NULL;
    if (msg_decode(&again, buf_view(&envelope), &frame, &payload, &err) < 0)
        abort();
    msg_free(&again);
    buf_fini(&envelope);
    buf_fini(&body);
    buf_fini(&print);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return 0;
    size_t left = size - 4, envelope = take(data, 0, left), body = take(data, 2, left - envelope);
    const char *p = (const char *)data + 4;
    struct frame body_frame = { .p = (void *)(p + envelope), .n = body };
    struct frame payload = { .p = (void *)(p + envelope + body), .n = left - envelope - body };
    struct msg *m = NULL;
    struct err err;

    if (msg_decode(&m, (struct str){ p, envelope }, &body_frame, payload.n > 0 ? &payload : NULL, &err) == 0)
        walk(m);
    msg_free(&m);
    return 0;
}
