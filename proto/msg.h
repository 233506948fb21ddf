/* msg.h - the messages of the bus: structs, encoder, decoder and printable form, all from messages.def and the
 * <name>.def of each. Knows no socket.
 * A message on the wire is frames: envelope, body, and for those with a payload limit a payload frame.
 * Envelope: array [magic "PTK1", type, version, correlation id, sent at (Unix ms)]. Body: map with string keys,
 * in the order of the .def; an OPT field that is zero or empty is left out. Decoding is order-free, skips unknown
 * keys (newer optional fields), refuses duplicates, missing REQ fields, wrong types and everything over its limit
 * before allocating.
 * Memory: a struct msg owns its frames (body and payload) and its arrays; STR and BIN fields are views into the
 * body it owns. For sending, point the views anywhere that lives until msg_encode() returns. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "base/uuid.h"

#include <stdint.h>

struct ids {
    uint64_t *p;
    size_t n;
};

enum msg_type {
    MSG_NONE = 0,
#define MESSAGE(NAME, name, number, ...) MSG_##NAME = number,
#include "proto/messages.def"
#undef MESSAGE
    MSG_TYPE_END
};

#define MSG_U64 uint64_t
#define MSG_I64 int64_t
#define MSG_STR struct str
#define MSG_BIN struct str
#define MSG_IDS struct ids
#define FIELD(type, name, need, limit, since) MSG_##type name;
struct msg_ready {
#include "proto/ready.def"
};
struct msg_job {
#include "proto/job.def"
};
struct msg_report {
#include "proto/report.def"
};
struct msg_records {
#include "proto/records.def"
};
struct msg_rows {
#include "proto/rows.def"
};
struct msg_done {
#include "proto/done.def"
};
struct msg_status {
#include "proto/status.def"
};
struct msg_control {
#include "proto/control.def"
};
struct msg_control_reply {
#include "proto/control_reply.def"
};
struct msg_event {
#include "proto/event.def"
};
struct msg_event_ack {
#include "proto/event_ack.def"
};
struct msg_budget_ask {
#include "proto/budget_ask.def"
};
struct msg_budget_grant {
#include "proto/budget_grant.def"
};
#undef FIELD

struct frame {                  /* bytes with an owner */
    void *p;
    size_t n;
    void (*release)(void *owner);   /* NULL: nothing to release */
    void *owner;
};

struct msg {
    enum msg_type type;
    unsigned version;           /* of the sender */
    char correlation[UUID_SIZE];
    uint64_t sent_ms;
    union {
#define MESSAGE(NAME, name, ...) struct msg_##name name;
#include "proto/messages.def"
#undef MESSAGE
    };
    struct frame body;          /* what the views point into; empty when made here */
    struct frame payload;
    void *arrays[8];            /* IDS decoded: freed with the message */
    int array_count;
};

#define RANGE_OPEN ((uint64_t)1 << 62)  /* `last` of the range above which there is nothing */

struct msg *msg_new(enum msg_type type);            /* zeroed, with a fresh correlation id and sent_ms */
void msg_free(struct msg **m);                      /* NULL-safe */
/* Hands a malloc'd block over as payload: *b comes back empty. */
void msg_take_payload(struct msg *m, struct buf *b);
/* Body and envelope bytes into the two buffers (appended). ERR_BUG when a limit is broken. */
int msg_encode(const struct msg *m, struct buf *envelope, struct buf *body, struct err *err) MUST_CHECK;
/* Takes body and payload on success (their owners are then the message's). Failure: ERR_PERM, nothing taken.
 * payload NULL: no such frame came; a message without payload must have none (or an empty one). */
int msg_decode(struct msg **ret, struct str envelope, struct frame *body, struct frame *payload, struct err *err)
    MUST_CHECK;
const char *msg_name(enum msg_type type);           /* "RECORDS"; NULL = unknown */
enum msg_type msg_type_of(const char *name);
size_t msg_payload_limit(enum msg_type type);       /* 0: has no payload */
void msg_print(const struct msg *m, struct buf *out);   /* one line of JSON; BIN as its decoded msgpack or size */
void msg_markdown(struct buf *out);                     /* the documentation table of proto/README.md */
