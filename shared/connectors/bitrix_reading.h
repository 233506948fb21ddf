/* bitrix_reading.h - one answer on its way from batch to struct bitrix_answer: shared by the readers of each
 * kind. Any thread; one reading, one thread. */
#pragma once

#include "connectors/bitrix.h"
#include "connectors/bitrix_ask.h"
#include "connectors/bitrix_batch.h"
#include "connectors/bitrix_limits.h"

struct bitrix_reading {
    struct bitrix_ask ask;
    struct bitrix_batch batch;
    struct bitrix_answer *a;
    int unknown; /* names in a->unknown */
    /* Records of a list have the same keys in the same order: a key seen at its place before needs no search.
     */
    struct str same[LIMIT_KEYS_REMEMBERED];
};

/* Fills err with what an error of the portal means, and the answer's retry_ms and blocked. command < 0: the
 * whole request was refused with `status`. Returns -1. */
int bitrix_refused(
    struct bitrix_reading *r, int command, int status, const struct bitrix_error *e, struct err *err);
/* The same for the error that `command` got inside the batch. */
int bitrix_command_refused(struct bitrix_reading *r, int command, struct err *err);
/* Whether the portal answered `command` at all: neither an error nor silence. When not, *err says what it
 * means; in a->partial that is why the answer is one in part. */
bool bitrix_is_answered(struct bitrix_reading *r, int command, struct err *err);
/* ERR_TEMP "portal answered nonsense: ..." from a format literal and its values. Is -1. */
#define bitrix_nonsense(r, err, ...) \
    ((r)->a->nonsense = true, err_set(err, ERR_TEMP, "portal answered nonsense: " __VA_ARGS__))

static inline struct str bitrix_part_of(const struct bitrix_reading *r, enum bitrix_part part, int command)
{
    return r->batch.part[part][command];
}

int bitrix_read_range(struct bitrix_reading *r, struct err *err) MUST_CHECK;
int bitrix_read_ids(struct bitrix_reading *r, struct err *err) MUST_CHECK;
int bitrix_read_get(struct bitrix_reading *r, struct err *err) MUST_CHECK;
int bitrix_read_probe(struct bitrix_reading *r, struct err *err) MUST_CHECK;
int bitrix_read_calls(struct bitrix_reading *r, struct err *err) MUST_CHECK; /* bitrix_call.c */
