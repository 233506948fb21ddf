/* spend.h - whose bucket a call comes from, and who waits for it: portals, buckets, fetchers and other senders of one
 * scheduler seen together. Loop thread. */
#pragma once

#include "scheduler.h"

#define SPEND_CLAIMS_MAX (2 * CONFIG_PORTALS_MAX + SENDERS_MAX)

/* Index of the bucket of the portal's host and this source. */
int spend_bucket(struct scheduler *s, const struct portal *p, const char *source, uint64_t now_ms);
struct pace *spend_pace(struct scheduler *s, int bucket);
/* The fullest bucket that this portal's calls fill: what is shown of it. */
const struct pace *spend_of(const struct scheduler *s, int portal);
/* Until one of the portal's buckets that are full has room: 0 = none is, or an answer must come first. */
uint64_t spend_wait(const struct scheduler *s, const struct portal *p, uint64_t now_ms);
/* Portals that were renamed take their bucket along. */
void spend_follow(struct scheduler *s, uint64_t now_ms);
/* Is there anybody but this portal who might want requests of its host? */
bool spend_is_shared(const struct scheduler *s, int portal);
/* Who could use a request of the bucket now, but for the portal `but` (-1: all). How many. */
int spend_claims(
    struct scheduler *s, int bucket, int but, struct share_claim ret[static SPEND_CLAIMS_MAX], uint64_t now_ms);
