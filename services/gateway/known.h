/* known.h - what the scheduler tells a gateway of its portals (proto/news.h): where they answer now, and the
 * application_token that came with an installation. Asked for by an EVENT without changes, applied to the rules beside
 * what is configured, kept in the spool so that a gateway that is started without a scheduler knows it too: tokens
 * sealed as they came. Loop thread. */
#pragma once

#include "keeper.h"
#include "proto/msg.h"

#include <stdbool.h>
#include <stdint.h>

#define KNOWN_HELLO_MS 60000    /* between two hellos */
#define KNOWN_AGAIN_MS 2000     /* while none was answered */

struct gateway;

struct known {
    struct buf hosts, sealed;   /* owned; as they came last */
    struct buf kept_hosts, kept_sealed; /* owned; on their way to the spool */
    struct wish keep;
    bool keeping, unkept;       /* on its way; not on disk */
    uint64_t hello_ms;          /* monotonic; when the next one is due */
    int peers;                  /* schedulers known at the last turn */
    int tokens;                 /* learnt */
};

/* What the spool's file holds, before anything else opens it. Nothing is known is no failure. */
void known_recall(struct gateway *g, const char *path);
void known_opened(struct gateway *g, uint64_t spool);   /* the spool is open: perhaps another file */
void known_told(struct gateway *g, const struct msg *ack);
void known_turn(struct gateway *g, uint64_t now_ms);
void known_fini(struct gateway *g);                     /* after the keeper is gone */
