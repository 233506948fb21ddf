/* change.h - people at work in the portal: records updated, created and deleted by chance, at once or at a rate for a
 * while. The n-th change since the data was made is always the same one. */
#pragma once

#include "store.h"

enum change_kind { CHANGE_UPDATE, CHANGE_CREATE, CHANGE_DELETE, CHANGE_MIX, CHANGE_KINDS };

struct changes {
    double per_s;               /* in the background; 0 = none */
    uint64_t begin_ms, end_ms;
    uint64_t done;              /* since begin_ms */
};

struct change_counts {
    uint64_t updated, created, deleted;
};

int change_kind_of(struct str name);        /* -1: unknown */
/* which < 0: any entity. One transaction. Fewer than asked when nothing is left to change. */
int change_make(struct store *s, int which, enum change_kind kind, uint64_t count, int64_t now_s,
    struct change_counts *ret, struct err *err) MUST_CHECK;
void change_start(struct changes *c, double per_s, double seconds, uint64_t now_ms);
bool change_going(const struct changes *c, uint64_t now_ms);
/* Makes those that are due; called often, also between the commands of a batch. */
int change_tick(struct changes *c, struct store *s, uint64_t now_ms, int64_t now_s, struct err *err) MUST_CHECK;
