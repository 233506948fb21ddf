/* spool.h - changes on disk until the scheduler has them: one SQLite file (WAL, synchronous FULL) a gateway. A transaction is as
 * durable as fsync makes it. One thread at a time. Everything here may block.
 *
 * A change is told from a duplicate by `handed`: while a change was not yet handed on, another one of the same record adds
 * nothing, since whoever reads the record afterwards sees both; once it was, the next one is a new row.
 * Every row has a check sum; one that does not agree is moved to the table `damaged` and the rest goes on. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "proto/change.h"

#include <stdbool.h>
#include <stdint.h>

struct spool;

struct spool_row {
    uint64_t seq, id, at_ms;
    enum change_kind kind;
    char portal[64], entity[64];
    char event[64];             /* its name, for people */
    bool odd;                   /* changes nothing here; `portal` is the sender's domain */
    char *sealed;               /* of CHANGE_KIND_ACCESS alone, else not set; whoever holds the row frees it */
    size_t sealed_n;
};

/* Makes the file (the folder is there). What was there before counts as handed on. ERR_CONF: no right to the folder, not a spool; ERR_TEMP:
 * disk full, another process has it. A file that SQLite cannot read is put aside as NAME.damaged-TIME, and what can be
 * saved of it is in the new one (*ret_saved: -1 = it was well). */
int spool_open(struct spool **ret, const char *path, uint64_t now_ms, int64_t *ret_saved, struct err *err) MUST_CHECK;
/* After a failure with ERR_PERM: the same for a spool that is open. A failure leaves *s NULL: open it again. */
int spool_repair(struct spool **s, uint64_t now_ms, int64_t *ret_saved, struct err *err) MUST_CHECK;
/* The file was deleted or replaced while it was open; then: goes on in the file that has the name now, with what waits. A
 * failure leaves *s as it is. */
bool spool_moved(struct spool *s);
int spool_follow(struct spool **s, uint64_t now_ms, int64_t *ret_saved, struct err *err) MUST_CHECK;
/* To look at, also while a gateway writes to it. */
int spool_open_read(struct spool **ret, const char *path, struct err *err) MUST_CHECK;
void spool_close(struct spool **s);
uint64_t spool_last(const struct spool *s);     /* greatest number ever given */
uint64_t spool_id(const struct spool *s);       /* random, of the file */

int spool_begin(struct spool *s, struct err *err) MUST_CHECK;
int spool_touch(struct spool *s, struct err *err) MUST_CHECK;       /* in a transaction: writes something, changes nothing */
int spool_commit(struct spool *s, struct err *err) MUST_CHECK;      /* fsynced; failure: rolled back */
void spool_rollback(struct spool *s);
/* In a transaction. row->seq is given; *ret_new false: a row not yet handed on says the same. */
int spool_add(struct spool *s, struct spool_row *row, bool *ret_new, struct err *err) MUST_CHECK;
/* Events that change nothing here, for people: the newest SPOOL_ODD_MAX are kept. */
#define SPOOL_ODD_MAX 10000
int spool_add_odd(struct spool *s, uint64_t at_ms, const char *event, const char *domain, struct err *err) MUST_CHECK;
/* The oldest rows above `after`, at most `most`, ascending: from now on they count as handed on. *ret_damaged: set aside. */
int spool_take(struct spool *s, uint64_t after, struct spool_row *rows, int most, int *ret_count, int *ret_damaged,
    struct err *err) MUST_CHECK;
int spool_forget(struct spool *s, uint64_t last, struct err *err) MUST_CHECK;   /* in a transaction: rows up to `last` */

/* What the scheduler told of the portals (known.h), one of each. In a transaction. */
int spool_keep_known(struct spool *s, struct str hosts, struct str sealed, struct err *err) MUST_CHECK;
int spool_known(struct spool *s, struct buf *hosts, struct buf *sealed, struct err *err) MUST_CHECK;    /* appended */

struct spool_stats {
    uint64_t waiting, odd, damaged;
    uint64_t oldest_ms;         /* of the waiting ones; 0 = none */
    uint64_t last;              /* greatest number ever given */
    uint64_t bytes;             /* of the file and its log */
};
int spool_stats(struct spool *s, struct spool_stats *ret, struct err *err) MUST_CHECK;
void spool_rows_fini(struct spool_row *rows, int count);        /* what spool_take() gave out */
typedef int spool_on_row(void *ctx, const struct spool_row *row, bool sound);
int spool_each(struct spool *s, spool_on_row *on_row, void *ctx, struct err *err) MUST_CHECK;
int spool_check(struct spool *s, struct err *err) MUST_CHECK;   /* SQLite's own check of the whole file; ERR_PERM with what it says */
