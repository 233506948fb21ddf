#include "connectors/transcode.h"

#include "base/json.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <threads.h>

#define SHORT_MOST 31 /* bytes of a string whose head is one byte */

#define GREAT_BYTES 4096       /* of a container whose end is told */
#define KEPT_BYTES  (8u << 20) /* of a thread's room; the rest goes back */

struct transcoder {
    struct buf *out;
    struct wire_ends *ends;          /* NULL: nobody asks */
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

static void tell_end(struct wire_ends *ends, size_t at, size_t end)
{
    if (ends == NULL || end - at < GREAT_BYTES || ends->count == WIRE_ENDS_MAX)
        return;
    ends->list[ends->count].at = at;
    ends->list[ends->count++].end = end;
}

static void on_end(void *ctx, uint32_t count)
{
    struct transcoder *t = ctx;

    t->depth--;
    if (t->depth < 0 || t->depth > JSON_DEPTH_MAX)
        return;
    wire_close(t->out, t->open[t->depth], count);
    tell_end(t->ends, t->open[t->depth], t->out->n);
}

int transcode(
    char *text, size_t n, struct buf *ret, struct wire_ends *ret_ends, uint64_t *repaired, struct err *err)
{
    struct transcoder t = { .out = ret, .ends = ret_ends };
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

    if (ret_ends != NULL)
        ret_ends->count = 0;
    if (n < ret->max - ret->n) /* msgpack is a little shorter than its JSON */
        buf_room(ret, n);
    if (json_read(text, n, &sink, &stats, err) < 0)
        return -1;
    if (ret->failed)
        return err_set(err, ERR_LIMIT, "the answer is over %zu bytes", ret->max);
    if (ret_ends != NULL)
        ret_ends->base = (const uint8_t *)ret->p;
    *repaired += stats.repaired;
    return 0;
}

/* ---- memory that is kept ---- */

static tss_t kept_room;
static once_flag kept_once = ONCE_FLAG_INIT;

static void free_room(void *room)
{
    buf_fini(room);
    free(room);
}

static void make_key(void)
{
    if (tss_create(&kept_room, free_room) != thrd_success)
        abort();
}

struct buf *transcode_take_room(size_t max)
{
    struct buf *room;

    call_once(&kept_once, make_key);
    room = tss_get(kept_room);
    tss_set(kept_room, NULL);
    if (room == NULL) {
        room = xmalloc(sizeof(*room));
        buf_init(room, max);
    }
    room->max = max;
    return room;
}

void transcode_give_room(struct buf *room)
{
    if (room->cap > KEPT_BYTES) {
        free_room(room);
        return;
    }
    buf_clear(room);
    if (tss_get(kept_room) != NULL || tss_set(kept_room, room) != thrd_success)
        free_room(room);
}
