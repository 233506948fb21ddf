#include "proto/wire_head.h"

#include <inttypes.h>
#include <math.h>

#include "base/json_token.h"

/* on_string NULL: for people, who are shown everything; else what JSON has no form for fails. */
static void print(struct wire *w, wire_on_string *on_string, struct buf *out);

static void json_other(struct wire *w, struct buf *out)
{
    struct wire_head h = wire_head(w);
    bool wide = *w->p == 0xcb;

    if (wide || *w->p == 0xca) {
        uint32_t bits = (uint32_t)h.value;
        float f;
        double d;
        memcpy(&f, &bits, sizeof(f));
        memcpy(&d, &h.value, sizeof(d));
        if (!wide)
            d = (double)f;
        if (isfinite(d))
            buf_fmt(out, "%.17g", d);
        else
            buf_str(out, "null");
    } else {
        buf_fmt(out, "{\"extension\":%d,\"bytes\":%" PRIu64 "}", h.ext, h.value);
    }
    wire_skip(w);
}

static void json_key(struct wire *w, wire_on_string *on_string, struct buf *out)
{
    if (on_string != NULL || wire_peek(w) == WIRE_STR) {
        buf_json(out, wire_str(w));
        return;
    }
    struct buf key;
    buf_init(&key, 4096);
    wire_json(w, &key);
    buf_json(out, str_of(key.failed ? "(long key)" : buf_cstr(&key)));
    buf_fini(&key);
}

static void json_items(struct wire *w, wire_on_string *on_string, struct buf *out)
{
    bool map = wire_peek(w) == WIRE_MAP;
    uint32_t n = map ? wire_map(w) : wire_array(w);

    if (++w->depth > WIRE_DEPTH_MAX)
        w->failed = true;
    buf_char(out, map ? '{' : '[');
    for (uint32_t i = 0; i < n && !w->failed; i++) {
        if (i > 0)
            buf_char(out, ',');
        if (map) {
            json_key(w, on_string, out);
            buf_char(out, ':');
        }
        print(w, on_string, out);
    }
    buf_char(out, map ? '}' : ']');
    w->depth--;
}

static void json_number(struct wire *w, struct buf *out)
{
    struct str token = wire_number(w);
    bool whole;

    if (json_number_is(token, &whole)) /* passed on only where JSON has it too */
        buf_add(out, token.p, token.n);
    else
        buf_json(out, token);
}

static void print(struct wire *w, wire_on_string *on_string, struct buf *out)
{
    enum wire_type type = wire_peek(w);

    if (on_string != NULL && (type == WIRE_BIN || type == WIRE_OTHER))
        type = WIRE_END;
    switch (type) {
    case WIRE_NIL:
        wire_nil(w);
        buf_str(out, "null");
        break;
    case WIRE_BOOL:
        buf_str(out, wire_bool(w) ? "true" : "false");
        break;
    case WIRE_INT:
        buf_i64(out, wire_i64(w));
        break;
    case WIRE_UINT:
        buf_fmt(out, "%" PRIu64, wire_u64(w));
        break;
    case WIRE_NUM:
        json_number(w, out);
        break;
    case WIRE_STR:
        (on_string != NULL ? on_string : buf_json)(out, wire_str(w));
        break;
    case WIRE_BIN:
        buf_fmt(out, "{\"bytes\":%zu}", wire_bin(w).n);
        break;
    case WIRE_ARRAY:
    case WIRE_MAP:
        json_items(w, on_string, out);
        break;
    case WIRE_OTHER:
        json_other(w, out);
        break;
    case WIRE_END:
        w->failed = true;
        break;
    }
}

void wire_json(struct wire *w, struct buf *out)
{
    print(w, NULL, out);
}

void wire_json_back(struct wire *w, wire_on_string *on_string, struct buf *out)
{
    print(w, on_string, out);
}
