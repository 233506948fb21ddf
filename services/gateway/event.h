/* event.h - what the name of a portal's event means to a mirror (facts 9.2), and the documents of robots (9.6). Pure. */
#pragma once

#include "base/str.h"
#include "proto/change.h"
#include "proto/entity.h"

#include <stdint.h>

enum event_class {
    EVENT_UNKNOWN, /* kept and counted: perhaps of an entity that is not mirrored */
    EVENT_RECORD,  /* a record was added, changed or deleted */
    EVENT_FIELDS,  /* user fields of an entity changed */
    EVENT_APP,     /* the application itself: installed, updated, paid for, tested */
};

struct event {
    enum event_class class_;
    const struct entity *entity; /* of RECORD and FIELDS */
    enum change_kind kind;
};

/* "ONCRMDEALUPDATE", in any case. */
struct event event_of(struct str name);
/* "DEAL_54" as a robot names it: the entity and its id; false: none that can be mirrored. */
bool event_document(struct str document, const struct entity **ret_entity, uint64_t *ret_id);
/* 1 to 2^62 - 1 in plain digits. */
bool event_id(struct str text, uint64_t *ret);
