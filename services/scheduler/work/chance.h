/* chance.h - what of a portal could go now, before anybody chooses (choose.h) or plans (plan.c): jobs, marks and probes
 * that are ready and whose method has operating time left. Loop thread. */
#pragma once

#include "scheduler.h"

bool chance_job_ready(const struct job *job, uint64_t now_ms);
bool chance_probe_ready(const struct mirror *m, uint64_t now_ms);
/* Until the method that this kind of job calls has operating time for a whole one: 0 = it has. */
uint64_t chance_method_wait(const struct portal *p, int mirror, enum job_kind kind, uint64_t now_ms);
/* Pages of a range for which there is time when a whole job has to wait. */
uint32_t chance_pages(const struct portal *p, int mirror, uint64_t now_ms);

/* Fills `list`, an entity each; returns whether a probe could go. A method whose operating figure is stale counts as
 * nothing, and a probe of its entity is asked for instead. */
bool chance_look(struct portal *p, struct chance *list, uint64_t now_ms);
bool chance_is_urgent(const struct chance *list, int entities);
bool chance_is_bulk(const struct chance *list, int entities, bool probe);
/* How many jobs may go now, by what the buckets of requests do not say. */
int chance_room(const struct scheduler *s, int portal, uint64_t now_ms);
/* What the portal would send now, were there room in a bucket. */
void chance_wants(struct scheduler *s, int portal, bool *ret_urgent, bool *ret_bulk, uint64_t now_ms);
uint64_t chance_wait(struct scheduler *s, int portal, uint64_t now_ms);     /* ms until something falls due */
