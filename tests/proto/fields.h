/* fields.h - the fields of every message once more, straight from the .def files, so that the codec is not
 * its own witness. A message without rows here fails vectors_test.c. */
#pragma once

#include "proto/msg.h"
#include "proto/wire.h"

enum kind { U64, I64, TEXT, BIN, IDS };
#define KIND_U64 U64
#define KIND_I64 I64
#define KIND_STR TEXT
#define KIND_BIN BIN
#define KIND_IDS IDS
#define NEED_REQ true
#define NEED_OPT false

static const struct row {
    enum msg_type message;
    const char *name;
    enum kind kind;
    bool required;
    uint32_t limit;
} rows[] = {
#define FIELD(type, name, need, limit, since) { OWNER, #name, KIND_##type, NEED_##need, limit },
#define OWNER MSG_READY
#include "proto/ready.def"
#undef OWNER
#define OWNER MSG_JOB
#include "proto/job.def"
#undef OWNER
#define OWNER MSG_REPORT
#include "proto/report.def"
#undef OWNER
#define OWNER MSG_RECORDS
#include "proto/records.def"
#undef OWNER
#define OWNER MSG_ROWS
#include "proto/rows.def"
#undef OWNER
#define OWNER MSG_DONE
#include "proto/done.def"
#undef OWNER
#define OWNER MSG_STATUS
#include "proto/status.def"
#undef OWNER
#define OWNER MSG_CONTROL
#include "proto/control.def"
#undef OWNER
#define OWNER MSG_CONTROL_REPLY
#include "proto/control_reply.def"
#undef OWNER
#define OWNER MSG_EVENT
#include "proto/event.def"
#undef OWNER
#define OWNER MSG_EVENT_ACK
#include "proto/event_ack.def"
#undef OWNER
#define OWNER MSG_BUDGET_ASK
#include "proto/budget_ask.def"
#undef OWNER
#define OWNER MSG_BUDGET_GRANT
#include "proto/budget_grant.def"
#undef OWNER
#undef FIELD
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))
#define CORRELATION "0190a5c2-7b1e-7c3a-9d55-3f2e1a4b5c6d"
#define SENT_MS UINT64_C(1795228620123)     /* 2026-11-21T02:37:00.123Z */

static inline void put_envelope(struct buf *out, uint64_t type, uint64_t version)
{
    wire_put_array(out, 5);
    wire_put_str(out, STR("PTK1"));
    wire_put_u64(out, type);
    wire_put_u64(out, version);
    wire_put_str(out, STR(CORRELATION));
    wire_put_u64(out, SENT_MS);
}

/* Value of n bytes or ids; numbers: the number n. */
static inline void put_value(struct buf *out, const struct row *row, uint64_t n)
{
    static char filler[(16 << 20) + 1];

    if (filler[0] == '\0')
        memset(filler, 'x', sizeof(filler));
    switch (row->kind) {
    case U64:
        wire_put_u64(out, n);
        break;
    case I64:
        wire_put_i64(out, (int64_t)n);
        break;
    case TEXT:
        wire_put_str(out, (struct str){ filler, n });
        break;
    case BIN:
        wire_put_bin(out, filler, n);
        break;
    case IDS:
        wire_put_array(out, (uint32_t)n);
        for (uint64_t i = 0; i < n; i++)
            wire_put_u64(out, i + 1);
        break;
    }
}

static inline void put_pair(struct buf *out, const struct row *row, uint64_t n)
{
    wire_put_str(out, str_of(row->name));
    put_value(out, row, n);
}

/* The required fields at n = 0, without their map head; *count is raised. */
static inline void put_required(
    struct buf *out, enum msg_type type, const struct row *except, uint32_t *count)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].message != type || !rows[i].required || &rows[i] == except)
            continue;
        put_pair(out, &rows[i], 0);
        (*count)++;
    }
}
