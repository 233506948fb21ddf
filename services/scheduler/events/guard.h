/* guard.h - the shell around guardian.h and offline.h: subscriptions of applications are looked at and put
 * right, and their offline queues are read. Loop thread. */
#pragma once

#include "scheduler.h"

#include <jansson.h>

/* Reads PUBLIC_URL. ERR_CONF. */
int guard_start(struct scheduler *s, struct err *err) MUST_CHECK;
/* What falls due: looks at subscriptions, readings of queues. */
void guard_turn(struct scheduler *s, uint64_t now_ms);
/* Subscriptions are looked at as soon as may be: the application was installed anew, events stay away. */
void guard_now(struct scheduler *s, int portal);
void guard_heard(struct scheduler *s, int portal);         /* an event came */
void guard_found(struct portal *p, uint64_t records);      /* a look by date found what no event had told */
json_t *guard_json(const struct scheduler *s, int portal); /* for people; a new reference */

/* queue.c */
void queue_turn(struct scheduler *s, int portal, uint64_t now_ms);
void queue_wake(struct scheduler *s, int portal); /* ONOFFLINEEVENT */
/* A call failed, and the portal may have done what it asked, or do it yet. */
void queue_unsure(struct scheduler *s, int portal, const struct job *job);
/* A REPORT of an attempt that nobody waits for any more: its fetcher stood still, and called afterwards. */
void queue_ignored(struct scheduler *s, int portal, const struct msg_report *r);
json_t *queue_json(const struct portal *p);
