/* A good envelope of the message type that the first byte says, the rest as its body. */
#include "proto/msg.h"
#include "proto/wire.h"
#include "support/fuzz.h"

#include <stdlib.h>

static void put_envelope(struct buf *out, uint64_t type)
{
    buf_init(out, 256);
    wire_put_array(out, 5);
    wire_put_str(out, STR("PTK1"));
    wire_put_u64(out, type);
    wire_put_u64(out, 1);
    wire_put_str(out, STR("0190a5c2-7b1e-7c3a-9d55-3f2e1a4b5c6d"));
    wire_put_u64(out, UINT64_C(1795228620123));
}

/* Encoding is a fixed point: what was decoded, encoded and decoded again encodes to the same bytes. */
static void round_trip(struct msg *m)
{
    struct buf envelope[2], body[2];
    struct frame frame, payload = { 0 };
    struct msg *again = NULL;
    struct err err;

    for (int i = 0; i < 2; i++) {
        buf_init(&envelope[i], 256);
        buf_init(&body[i], 1 << 20);
    }
    if (msg_encode(m, &envelope[0], &body[0], &err) < 0)
        abort();
    frame = (struct frame){ .p = body[0].p, .n = body[0].n };
    if (msg_decode(&again, buf_view(&envelope[0]), &frame, &payload, &err) < 0 ||
        msg_encode(again, &envelope[1], &body[1], &err) < 0)
        abort();
    if (!str_eq(buf_view(&body[0]), buf_view(&body[1])))
        abort();
    msg_free(&again);
    for (int i = 0; i < 2; i++) {
        buf_fini(&envelope[i]);
        buf_fini(&body[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf envelope, print;
    struct msg *m = NULL;
    struct err err;

    if (size < 1 || size > 1 << 19)
        return 0;
    put_envelope(&envelope, data[0]);
    struct frame body = { .p = (void *)(data + 1), .n = size - 1 }, payload = { 0 };
    if (msg_decode(&m, buf_view(&envelope), &body, &payload, &err) == 0) {
        buf_init(&print, 1 << 20);
        msg_print(m, &print);
        buf_fini(&print);
        round_trip(m);
    }
    msg_free(&m);
    buf_fini(&envelope);
    return 0;
}
