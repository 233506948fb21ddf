/* bitrix_write.h - one write to a portal, from its first sending until its effect is certain: when it may be
 * sent, when nobody knows what became of it and it is looked for, when it is over. A call whose outcome is
 * unknown is looked up after the portal's own time limit, never repeated blindly (facts 1.5, 2.3, 2.5, 8; the
 * answers: bitrix_write_answer.h, the requests: bitrix_write_ask.h). Whoever drives it keeps the state
 * (bitrix_write_encode) before it acts: above all bitrix_write_sent() is kept before the first byte goes out.
 * What is kept holds no instant: after a restart every wait begins anew, so no clock that stepped and no
 * clock of another machine can cut one short; now_ms is any clock that does not jump within the process.
 * Memory: nothing to free. Any thread. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum write_kind {
    WRITE_ADD,    /* a record with its origin, by which it is found again */
    WRITE_ROWS,   /* rows of multifields (phones) added to a record: sent twice they are there twice */
    WRITE_UPDATE, /* values of a record: sent twice they are the same; a later write of the record waits for
                     its end */
    WRITE_DELETE, /* of a record: sent twice it is "not found" */
    WRITE_BIND,   /* an event's subscription: sent twice it is "already binded" */
    WRITE_UNBIND,
    WRITE_KINDS
};
const char *write_kind_name(enum write_kind kind);

struct write_pace {
    int64_t limit_ms;  /* what a portal took it has done or given up after so long: 60 s in the cloud
                          (facts 1.5) */
    int64_t margin_ms; /* longest way of a request to the portal after the caller's end of it:
                          http_request.once */
    int64_t lag_ms;    /* so much later lists may show what was written */
    int64_t pause_ms,
        pause_most_ms;      /* between refusals that pass, and between looks in vain: doubled each time */
    uint32_t attempts_most; /* sendings whose outcome was unknown and that had no effect; updates, which
                               nobody looks for: whose outcome was unknown */
};
extern const struct write_pace WRITE_PACE;

enum write_state {
    WRITE_READY,   /* it has no effect, and nothing of it is under way */
    WRITE_SENDING, /* it may be under way */
    WRITE_UNSURE,  /* whether it had effect is not known */
    WRITE_DONE,
    WRITE_FAILED, /* a person's turn: err */
    WRITE_STATES
};

#define WRITE_TWINS_MAX 8

struct bitrix_write {
    enum write_kind kind;
    enum write_state state;
    uint32_t attempts; /* sendings */
    uint32_t vain;     /* refusals that pass, or looks in vain, one after another */
    uint32_t misses;   /* looks since the last sending that did not find it */
    bool refused;      /* the portal said no, and perhaps only after it had done it: not sent again */
    bool unsure;       /* failed, and nobody knows whether it had effect */
    int64_t due_ms;    /* not before */
    uint64_t id;       /* done, of an add: the record */
    uint64_t twins[WRITE_TWINS_MAX]; /* other records of the same origin, somebody else's doing: to be told */
    uint32_t twin_count;
    struct err err; /* of the last that went wrong */
};

void bitrix_write_init(struct bitrix_write *w, enum write_kind kind);

enum write_act {
    WRITE_DO_SEND,    /* bitrix_write_sent(), keep it, send, bitrix_write_answered() */
    WRITE_DO_WAIT,    /* until until_ms; INT64_MAX: for the answer */
    WRITE_DO_LOOK,    /* ask, bitrix_write_looked() */
    WRITE_DO_NOTHING, /* it is done */
    WRITE_DO_TELL     /* it failed */
};
struct write_step {
    enum write_act act;
    int64_t until_ms;
};
struct write_step bitrix_write_next(const struct bitrix_write *w, int64_t now_ms);

/* What one sending came to. */
enum write_verdict {
    WRITE_WAS_DONE,
    WRITE_WAS_NOT,     /* certainly not done: limits, credentials, a connection that never was. ERR_AUTH and
                          ERR_CONF are the portal's trouble, not this write's: whoever drives it sends none
                          until that is mended */
    WRITE_WAS_REFUSED, /* certainly not done, and never will be */
    WRITE_SAID_NO,     /* an error that no table knows: looked for, not sent again */
    WRITE_WAS_LOST     /* unknown */
};
struct write_heard {
    enum write_verdict verdict;
    uint64_t id;       /* done, of an add */
    uint64_t retry_ms; /* the portal's own wish; 0: none */
    struct err err;
};

/* What a look came to. */
enum write_seen {
    WRITE_SEEN,       /* the effect is there */
    WRITE_SEEN_NOT,   /* partial: of what the looker may see */
    WRITE_NOT_LOOKED, /* no answer, or none to rely on: again */
    WRITE_UNSEEABLE   /* the portal will never tell */
};
struct write_found {
    enum write_seen seen;
    bool partial;                    /* an add that was not seen may be there nevertheless: not sent again */
    uint64_t id;                     /* an add's: the smallest, */
    uint64_t twins[WRITE_TWINS_MAX]; /* and the others */
    uint32_t twin_count;
    uint64_t retry_ms;
    struct err err;
};

void bitrix_write_sent(struct bitrix_write *w);
/* now_ms: when the call ended. Nothing of it leaves after that; when it left nobody knows so well. */
void bitrix_write_answered(
    struct bitrix_write *w, const struct write_pace *pace, const struct write_heard *heard, int64_t now_ms);
void bitrix_write_looked(
    struct bitrix_write *w, const struct write_pace *pace, const struct write_found *found, int64_t now_ms);
/* After a restart, or taken over from another process that is certainly dead: first of all. */
void bitrix_write_resumed(struct bitrix_write *w, const struct write_pace *pace, int64_t now_ms);
/* Nothing of it can take effect any more: only then may the next write of the same record be sent. */
bool bitrix_write_rests(const struct bitrix_write *w, int64_t now_ms);

/* A JSON object, for a row of a database. ERR_PERM: none of ours. */
void bitrix_write_encode(const struct bitrix_write *w, struct buf *out);
int bitrix_write_decode(struct bitrix_write *ret, struct str bytes, struct err *err) MUST_CHECK;
