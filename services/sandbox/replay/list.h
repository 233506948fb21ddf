/* list.h - lists and gets by id alone, answered from the recorded records as they were written. Pure.
 */
#pragma once

#include "base/buf.h"
#include "book.h"

#define REPLAY_PAGE 50

struct replay_page {
    uint32_t ids[REPLAY_PAGE];
    int count;
    bool ids_fit; /* 32 bits hold them */
    bool counted;
    uint64_t total;
    int64_t next; /* -1: no further page */
};

/* Appends the JSON of `result`. False: the request asks for more than ids can answer (other filters, another
 * order), nothing was appended. */
bool replay_list(
    const struct replay_shelf *s, const json_t *params, struct buf *out, struct replay_page *ret);
