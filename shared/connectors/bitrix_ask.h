/* bitrix_ask.h - what a JOB asks for, understood once: which commands its batch has and what each is about.
 * Building a request and reading its answer both walk this, so they cannot disagree. Knows no wire form.
 * Memory: the schema is owned (bitrix_ask_fini); `job` is the caller's and outlives this. Any thread. */
#pragma once

#include "base/err.h"
#include "proto/calls.h"
#include "proto/entity.h"
#include "proto/job_kind.h"
#include "proto/msg.h"
#include "proto/schema.h"

#include <jansson.h>

#define BITRIX_METHOD_SIZE 64
#define BITRIX_KEY_SIZE    8

/* What a probe asks of each entity, in this order. */
enum probe_command { PROBE_FIELDS, PROBE_USERFIELDS, PROBE_FIRST, PROBE_LAST, PROBE_COUNT, PROBE_COMMANDS };
#define PROBE_ENTITIES_MAX (BATCH_COMMANDS / PROBE_COMMANDS)

struct bitrix_ask {
    const struct msg_job *job;
    enum job_kind kind;
    const struct entity *entities[PROBE_ENTITIES_MAX]; /* of a probe; of a call none; any other kind has one */
    int entity_count;
    struct schema schema; /* empty for a probe and a call */
    struct call_list calls; /* of a call, */
    json_t *params[BATCH_COMMANDS]; /* with the parameters of each: an object, or NULL */
    int commands;         /* 1..BATCH_COMMANDS: those whose answers are records or descriptions */
    int greatest;         /* the command that asks for a range's greatest id; -1: none, there was no room */
};

/* ERR_PERM: the job can never be asked for (unknown kind or entity, bounds, ids not ascending, no schema, parameters
 * of a call that are no JSON object). */
int bitrix_ask_init(struct bitrix_ask *ask, const struct msg_job *job, struct err *err) MUST_CHECK;
void bitrix_ask_fini(struct bitrix_ask *ask);

const struct entity *bitrix_ask_entity(const struct bitrix_ask *ask, int command); /* no call's */
/* "crm.deal.list": what the portal counts operating seconds by. */
void bitrix_ask_method(const struct bitrix_ask *ask, int command, char ret[static BITRIX_METHOD_SIZE]);
struct ids bitrix_ask_ids(const struct bitrix_ask *ask, int command); /* ids: up to 50; get: one */

/* "p07": never a number, or PHP would answer an array in place of a map (facts section 5). */
void bitrix_key(int command, char ret[static BITRIX_KEY_SIZE]);
int bitrix_key_parse(struct str key); /* -1: not one of ours */
