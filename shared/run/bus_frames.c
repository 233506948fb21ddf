#include "run/bus_frames.h"

#include <errno.h>
#include <stdlib.h>
#include <zmq.h>

#include "base/mem.h"

enum {
    PARTS_MAX = 4, /* peer, envelope, body, payload */
    ENVELOPE_MAX_BYTES = 4096,
    BODY_MAX_BYTES = 64 << 20, /* a net: the .def limits are tighter */
};

/* --- sending --- */

static void release_malloc(void *data, void *hint)
{
    free(data);
}

/* Hands the buffer's memory to the message. */
static void part_of_buf(zmq_msg_t *part, struct buf *b)
{
    zmq_msg_init_data(part, b->p, b->n, release_malloc, NULL);
    b->p = NULL;
    b->n = b->cap = 0;
}

static void release_frame(void *data, void *hint)
{
    struct frame *frame = hint;

    if (frame->release != NULL)
        frame->release(frame->owner);
    free(frame);
}

static void part_of_frame(zmq_msg_t *part, struct frame *frame)
{
    struct frame *kept = xmalloc(sizeof(*kept));

    *kept = *frame;
    *frame = (struct frame){ 0 };
    zmq_msg_init_data(part, kept->p, kept->n, release_frame, kept);
}

/* Parts after the first: the socket takes them whatever its water mark says. When the connection dies in
 * between the library drops what was sent, and this part, but still wants to see the rest: so failure is no
 * reason to stop. */
static void send_rest(void *zmq, zmq_msg_t *part, bool last)
{
    if (zmq_msg_send(part, zmq, ZMQ_DONTWAIT | (last ? 0 : ZMQ_SNDMORE)) < 0)
        zmq_msg_close(part);
}

static int send_first(void *zmq, zmq_msg_t *part)
{
    if (zmq_msg_send(part, zmq, ZMQ_DONTWAIT | ZMQ_SNDMORE) >= 0)
        return 0;

    int reason = errno;
    zmq_msg_close(part);
    errno = reason;
    return -1;
}

static int send_peer(void *zmq, const struct bus_peer *to)
{
    zmq_msg_t part;

    zmq_msg_init_size(&part, to->n);
    memcpy(zmq_msg_data(&part), to->id, to->n);
    return send_first(zmq, &part);
}

static int send_parts(
    void *zmq, const struct bus_peer *to, struct msg *m, struct buf *envelope, struct buf *body)
{
    bool has_payload = msg_payload_limit(m->type) > 0;
    zmq_msg_t part;

    if (to != NULL && send_peer(zmq, to) < 0)
        return -1;
    part_of_buf(&part, envelope);
    if (to != NULL)
        send_rest(zmq, &part, false);
    else if (send_first(zmq, &part) < 0)
        return -1;
    part_of_buf(&part, body);
    send_rest(zmq, &part, !has_payload);
    if (has_payload) {
        part_of_frame(&part, &m->payload);
        send_rest(zmq, &part, true);
    }
    return 0;
}

int bus_frames_send(void *zmq, const struct bus_peer *to, struct msg **m, size_t *ret_bytes, struct err *err)
{
    struct buf envelope, body;
    int result = -1;
    int reason = EMSGSIZE;

    buf_init(&envelope, ENVELOPE_MAX_BYTES);
    buf_init(&body, BODY_MAX_BYTES);
    if (msg_encode(*m, &envelope, &body, err) == 0) {
        *ret_bytes = envelope.n + body.n + (*m)->payload.n;
        result = send_parts(zmq, to, *m, &envelope, &body);
        reason = errno;
    }
    buf_fini(&envelope);
    buf_fini(&body);
    if (result == 0)
        msg_free(m);
    errno = reason;
    return result;
}

/* --- receiving --- */

struct parts {
    zmq_msg_t part[PARTS_MAX];
    int count;
    int over; /* parts beyond PARTS_MAX, thrown away */
    size_t bytes;
};

static bool read_parts(void *zmq, struct parts *p)
{
    zmq_msg_t part;
    bool more = true;

    *p = (struct parts){ 0 };
    while (more) {
        zmq_msg_init(&part);
        if (zmq_msg_recv(&part, zmq, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&part);
            return p->count > 0;
        }
        more = zmq_msg_more(&part);
        p->bytes += zmq_msg_size(&part);
        if (p->count < PARTS_MAX) {
            zmq_msg_init(&p->part[p->count]);
            zmq_msg_move(&p->part[p->count++], &part);
        } else {
            p->over++;
        }
        zmq_msg_close(&part);
    }
    return true;
}

static void close_parts(struct parts *p)
{
    for (int i = 0; i < p->count; i++)
        zmq_msg_close(&p->part[i]);
}

static void release_part(void *owner)
{
    zmq_msg_close(owner);
    free(owner);
}

static struct frame frame_of(zmq_msg_t *part)
{
    zmq_msg_t *kept = xmalloc(sizeof(*kept));

    zmq_msg_init(kept);
    zmq_msg_move(kept, part);
    return (struct frame){ zmq_msg_data(kept), zmq_msg_size(kept), release_part, kept };
}

static void drop_frame(struct frame *f)
{
    if (f->release != NULL)
        f->release(f->owner);
}

static int decode(struct parts *p, int first, struct msg **ret_m, struct err *err)
{
    int count = p->count - first;
    if (p->over > 0 || count < 2 || count > 3)
        return err_set(err, ERR_PERM, "%d frames where 2 or 3 are a message", count + p->over);

    struct str envelope = { zmq_msg_data(&p->part[first]), zmq_msg_size(&p->part[first]) };
    struct frame body = frame_of(&p->part[first + 1]);
    struct frame payload = { 0 };
    if (count == 3)
        payload = frame_of(&p->part[first + 2]);
    int result = msg_decode(ret_m, envelope, &body, count == 3 ? &payload : NULL, err);
    drop_frame(&body); /* empty when the message took it */
    drop_frame(&payload);
    return result;
}

int bus_frames_recv(
    void *zmq, bool router, struct bus_peer *ret_from, struct msg **ret_m, size_t *ret_bytes, struct err *err)
{
    struct parts p;
    int result = -1;

    if (!read_parts(zmq, &p))
        return 0;

    *ret_from = (struct bus_peer){ 0 };
    *ret_bytes = p.bytes;
    if (router && zmq_msg_size(&p.part[0]) > sizeof(ret_from->id)) {
        err_set(err, ERR_PERM, "a peer's name of %zu bytes", zmq_msg_size(&p.part[0]));
    } else {
        if (router) {
            ret_from->n = (uint8_t)zmq_msg_size(&p.part[0]);
            memcpy(ret_from->id, zmq_msg_data(&p.part[0]), ret_from->n);
        }
        result = decode(&p, router ? 1 : 0, ret_m, err);
    }
    close_parts(&p);
    return result < 0 ? -1 : 1;
}
