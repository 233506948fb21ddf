/* bitrix_event.h - what the name of a portal's event means to a mirror (facts 9.2), which events tell of an
 * entity, and the documents of robots (9.6). Pure; any thread. */
#pragma once

#include "base/str.h"
#include "proto/change.h"
#include "proto/entity.h"

#include <stdint.h>

enum bitrix_event_class {
    EVENT_UNKNOWN, /* kept and counted: perhaps of an entity that is not mirrored */
    EVENT_RECORD,  /* a record was added, changed or deleted */
    EVENT_FIELDS,  /* user fields of an entity changed */
    EVENT_APP,     /* the application itself: installed, paid for, tested */
    EVENT_PORTAL,  /* its offline queue has something (9.5); it was updated, and its handlers are gone (9.1) */
};

struct bitrix_event {
    enum bitrix_event_class class_;
    const struct entity *entity; /* of RECORD and FIELDS */
    enum change_kind kind;
};

/* "ONCRMDEALUPDATE", in any case. */
struct bitrix_event bitrix_event_of(struct str name);

/* Names of the events that tell of an entity's records and fields; how many. */
#define BITRIX_EVENTS_MAX       8
#define BITRIX_EVENT_NAME_SIZE  64
#define BITRIX_EVENT_QUEUE_NAME "ONOFFLINEEVENT"
int bitrix_events_of(const struct entity *e, char ret[static BITRIX_EVENTS_MAX][BITRIX_EVENT_NAME_SIZE]);

/* "DEAL_54" as a robot names it: the entity and its id; false: none that can be mirrored. */
bool bitrix_event_document(struct str document, const struct entity **ret_entity, uint64_t *ret_id);
/* 1 to 2^62 - 1 in plain digits. */
bool bitrix_event_id(struct str text, uint64_t *ret);
