/* change.h - what a webhook said, as EVENT carries it: which record may have changed. A hint, never a value.
 * Encoded: array of [seq, portal, entity, id, kind, at_ms], and a seventh member
 * `sealed` where there is one. A kind that is not known is a hint all the same: of a record, to be read; of an
 * entity, whose fields are to be learnt; or CHANGE_KIND_NEWER. Memory: strings are views into the bytes decoded.
 * Any thread. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum change_kind {
    CHANGE_KIND_SET,         /* added or changed: read it */
    CHANGE_KIND_GONE,        /* the event says deleted: ask for it by id, the portal's answer decides */
    CHANGE_KIND_FIELDS,      /* the entity's user fields changed: learn them again; id 0 */
    CHANGE_KIND_ACCESS,      /* the portal's, no entity's: what the application was given, in `sealed` (base/access.h); id 0 */
    CHANGE_KIND_QUEUE,       /* the portal's: its offline queue has something (ONOFFLINEEVENT); id 0 */
    CHANGE_KIND_RENEWED,     /* the portal's: its application was updated, its subscriptions may be gone (ONAPPUPDATE); id 0 */
    CHANGE_KINDS,
    CHANGE_KIND_NEWER = CHANGE_KINDS,   /* decoded only: the portal's, of a kind that a newer gateway knows */
};

struct change {
    uint64_t seq;           /* number in the gateway's spool, from 1 */
    struct str portal;      /* name in the configuration */
    struct str entity;      /* plural name of entities.def; empty with the kinds that are the portal's */
    uint64_t id;            /* 1 … 2^62; 0 with the kinds that are not of a record */
    enum change_kind kind;
    uint64_t at_ms;         /* Unix; when the gateway took it */
    struct str sealed;      /* at most CHANGE_SEALED_MAX bytes, sealed under POTOK_SECRET_KEY (base/seal.h) */
};

#define CHANGES_MAX 2500    /* of one message */
#define CHANGE_SEALED_MAX 8192

/* Of the portal itself, not of one of its entities. */
static inline bool change_kind_portal(enum change_kind kind)
{
    return kind == CHANGE_KIND_ACCESS || kind == CHANGE_KIND_QUEUE || kind == CHANGE_KIND_RENEWED ||
           kind == CHANGE_KIND_NEWER;
}

struct change_list {
    struct change *list;    /* ascending seq */
    int count;
    int unsound;            /* left out: they say nothing that could be looked at */
};

/* Names a record, an entity or a portal, as its kind wants. */
bool change_sound(const struct change *c);
void change_list_encode(const struct change *list, int count, struct buf *out);
int change_list_decode(struct change_list *ret, struct str bytes, struct err *err) MUST_CHECK;     /* ERR_PERM: of none can be told what it is */
void change_list_free(struct change_list *c);
