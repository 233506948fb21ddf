/* keeper.h - the thread that owns the spool. Wishes that gather while a commit runs are the next commit: no fixed delay, one
 * fsync for all of them. Loop thread only; callbacks come on the loop. */
#pragma once

#include "spool.h"

#include <uv.h>

struct keeper;

enum wish_kind { WISH_ADD, WISH_TAKE, WISH_FORGET, WISH_KNOW };

/* The caller's memory until `done` was called, which happens exactly once. */
struct wish {
    enum wish_kind kind;
    struct spool_row *rows;     /* ADD: in, their numbers out (`odd` ones get none); TAKE: room for `most` */
    int count;                  /* ADD: how many; TAKE: out */
    int most;                   /* TAKE */
    uint64_t after;             /* TAKE: rows above it; FORGET: rows up to it */
    uint64_t spool;             /* TAKE, FORGET: whose numbers are meant, another one is left alone; ADD: out */
    bool *added;                /* ADD: out, one a row; false: a duplicate of what waits */
    struct str hosts, sealed;   /* KNOW: spool_keep_known() */
    int damaged;                /* TAKE: out: rows set aside */
    int status;                 /* 0: committed, fsynced */
    struct err err;
    void (*done)(struct wish *w);
    void *ctx;
    struct wish *next;          /* the keeper's */
};

struct keeper_events {          /* on the loop */
    void (*on_open)(void *ctx, uint64_t spool, uint64_t last);     /* also after a repair: numbers begin anew */
    void (*on_trouble)(void *ctx, const struct err *err);   /* NULL err: well again */
    void (*on_salvaged)(void *ctx, int64_t saved);          /* the file was damaged */
    void (*on_moved)(void *ctx, int64_t saved);             /* it was deleted or replaced under us */
    void *ctx;
};

/* Opens the spool by itself, again and again while that fails for a passing reason. */
struct keeper *keeper_new(uv_loop_t *loop, const char *path, const struct keeper_events *events);
void keeper_do(struct keeper *k, struct wish *w);
/* What was wished is done first. The loop must turn once more afterwards. */
void keeper_free(struct keeper **k);
