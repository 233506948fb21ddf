/* share.h - whose is the next request of a bucket that several want: marks first, then bulk and other senders by turns,
 * portals (and senders) of one kind by turns. A steady stream of marks leaves every eighth request to the rest. Who is not
 * next may have one as long as enough is left for all who wait. Pure. Memory: embedded. Threads: loop thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SHARE_URGENT_ROW 7

enum share_kind { SHARE_URGENT, SHARE_BULK, SHARE_OTHER, SHARE_KINDS };

struct share_claim {        /* somebody could use a request now */
    enum share_kind kind;
    uint32_t who;           /* portal's number, or sender's */
};

struct share {              /* zeroed: begins anew */
    unsigned row;           /* urgent ones in a row */
    enum share_kind rest;   /* of bulk and others, whose the last one was */
    uint32_t last[SHARE_KINDS];     /* who had the last one of a kind, plus one */
};

/* Index of the claim that is next; -1 = there is none. */
int share_next(const struct share *s, const struct share_claim *claims, int count);
/* May `me`, one of the claims, have a request when so many are free? */
bool share_may(const struct share *s, const struct share_claim *claims, int count, struct share_claim me, uint32_t free);
void share_took(struct share *s, struct share_claim me);
