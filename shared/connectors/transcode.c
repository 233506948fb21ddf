#include "connectors/transcode.h"

#include "base/json.h"
#include "proto/wire.h"

#include <assert.h>

#define SHORT_MOST 31 /* bytes of a string whose head is one byte */

struct transcoder {
    struct buf *out;
    size_t open[JSON_DEPTH_MAX + 1]; /* where the containers around the current value begin */
    int depth;
};

static void on_null(void *ctx)
{
    struct transcoder *t = ctx;

    wire_put_nil(t->out);
}

static void on_bool(void *ctx, int value)
{
    struct transcoder *t = ctx;

    wire_put_bool(t->out, value != 0);
}

static void on_int(void *ctx, int64_t value)
{
    struct transcoder *t = ctx;

    wire_put_i64(t->out, value);
}

static void on_number(void *ctx, struct str token)
{
    struct transcoder *t = ctx;

    wire_put_number(t->out, token);
}

static_assert(SHORT_MOST < JSON_PADDING, "a string of the text may be read to that length");

/* Nearly all strings are short. They lie in the text, so a fixed length may be copied, which is a move or
 * two. */
static void on_str(void *ctx, struct str value)
{
    struct buf *out = ((struct transcoder *)ctx)->out;

    if (value.n > SHORT_MOST || out->failed || out->cap - out->n < SHORT_MOST + 2) {
        wire_put_str(out, value);
        return;
    }
    out->p[out->n] = (char)(0xa0 | value.n);
    memcpy(out->p + out->n + 1, value.p, SHORT_MOST);
    out->n += 1 + value.n;
}

static void push(struct transcoder *t, size_t at)
{
    if (t->depth <= JSON_DEPTH_MAX)
        t->open[t->depth] = at;
    else
        t->out->failed = true; /* json_read() refuses this depth before */
    t->depth++;
}

static void on_map(void *ctx)
{
    struct transcoder *t = ctx;

    push(t, wire_open_map(t->out));
}

static void on_array(void *ctx)
{
    struct transcoder *t = ctx;

    push(t, wire_open_array(t->out));
}

static void on_end(void *ctx, uint32_t count)
{
    struct transcoder *t = ctx;

    t->depth--;
    if (t->depth >= 0 && t->depth <= JSON_DEPTH_MAX)
        wire_close(t->out, t->open[t->depth], count);
}

int transcode(char *text, size_t n, struct buf *ret, uint64_t *repaired, struct err *err)
{
    struct transcoder t = { .out = ret };
    struct json_sink sink = {
        .ctx = &t,
        .on_null = on_null,
        .on_bool = on_bool,
        .on_int = on_int,
        .on_number = on_number,
        .on_str = on_str,
        .on_key = on_str,
        .on_map = on_map,
        .on_map_end = on_end,
        .on_array = on_array,
        .on_array_end = on_end,
    };
    struct json_stats stats = { 0 };

    if (n < ret->max - ret->n) /* msgpack is a little shorter than its JSON */
        buf_room(ret, n);
    if (json_read(text, n, &sink, &stats, err) < 0)
        return -1;
    if (ret->failed)
        return err_set(err, ERR_LIMIT, "the answer is over %zu bytes", ret->max);
    *repaired += stats.repaired;
    return 0;
}
