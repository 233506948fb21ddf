/* calls.h - what a JOB of kind `call` asks a portal, and what it answered: methods of one batch, each under a key of the
 * caller's. Encoded: an array of maps; unknown members are skipped. JOB.calls: key, method, params. REPORT.answers: key and
 * result, or key, kind, code and text of an error.
 * Memory: strings are views into the bytes that were decoded; the _free functions free the arrays. Any thread. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define CALLS_MAX 50            /* of one batch */
#define CALL_KEY_MAX 64
#define CALL_METHOD_MAX 63      /* letters, digits, points, underscores */
#define CALLS_BYTES_MAX 65536
#define CALL_ANSWERS_BYTES_MAX 8388608

struct call {
    struct str key;             /* not empty; none twice */
    struct str method;          /* "event.bind" */
    struct str params;          /* text of a JSON object; empty: none */
};

struct call_list {
    struct call *list;
    int count;
};

struct call_answer {
    struct str key;
    struct str result;          /* JSON text; empty: it failed */
    struct str kind;            /* err_kind_name() of the failure, */
    struct str code;            /* the portal's word for it ("" is one of them) */
    struct str text;            /* and what it says, for people */
};

struct call_answers {
    struct call_answer *list;
    int count;
};

void calls_encode(const struct call *list, int count, struct buf *out);
/* ERR_PERM: malformed, none or too many, a key that is empty or there twice, no method's name. */
int calls_decode(struct call_list *ret, struct str bytes, struct err *err) MUST_CHECK;
void calls_free(struct call_list *c);

void call_answers_encode(const struct call_answer *list, int count, struct buf *out);
int call_answers_decode(struct call_answers *ret, struct str bytes, struct err *err) MUST_CHECK;
void call_answers_free(struct call_answers *a);
/* NULL: the portal said nothing to it. */
const struct call_answer *call_answers_find(const struct call_answers *a, const char *key);
