/* bitrix_write_ask.h - the requests of a write (bitrix_write.h): the one that does it, and the one that looks
 * whether it was done. Both are a method and its parameters: the body of a call of its own, or a command of a
 * batch (calls.h). Which entity keeps an origin: deals, leads, contacts, companies have ORIGINATOR_ID and
 * ORIGIN_ID, in crm.item.* as originatorId and originId; smart processes have xmlId alone; of quotes and
 * smart invoices no such field is known, and they are not added here (facts 6.2). Pure; any thread. */
#pragma once

#include "connectors/bitrix_write.h"
#include "proto/calls.h"

#include <jansson.h>

struct write_task {
    enum write_kind kind;
    int type_id;   /* entityTypeId (facts 4.4); of a subscription 0 */
    bool by_item;  /* deals, leads, contacts, companies too by crm.item.*: as all others are in any case */
    uint64_t id;   /* rows, update, delete: the record */
    bool sees_all; /* add: whoever looks sees every record of the type, as an administrator does
                      (bitrix_profile_sees_all). Else one that a look does not show may be there nevertheless:
                      then it is not sent again, but is a person's turn */
    struct str originator,
        origin;        /* add: who writes, and its own name of the record; together they are one write's */
    struct str fields; /* add, rows, update: text of a JSON object. Rows: new rows of multifields alone, of
                          leads, contacts, companies: {"PHONE":[{"VALUE":"+7…","VALUE_TYPE":"WORK"}]}. A VALUE
                          is text that is not empty: by it the row is found again */
    struct str event, handler; /* bind, unbind: handler "" with offline */
    bool offline;
    struct str connector; /* offline: auth_connector; "": none */
};

/* Both append to `room`, of which the call holds views: a room for each call, or one of which buf_room() made
 * enough before. The key is the caller's to set. ERR_PERM: it can never be asked for. */
int bitrix_write_call(
    const struct write_task *t, struct buf *room, struct call *ret, struct err *err) MUST_CHECK;
/* No update has one. */
int bitrix_write_look(
    const struct write_task *t, struct buf *room, struct call *ret, struct err *err) MUST_CHECK;

/* The rows of a task, by field: a new reference. NULL with ERR_PERM: others than could be found again. */
json_t *bitrix_write_rows(const struct write_task *t, struct err *err) MUST_CHECK;
/* Without the blanks around it, which portals take away. */
struct str bitrix_write_trimmed(const char *value);

/* How records of a task are named on the wire. */
struct write_names {
    const char *stem;                     /* "crm.deal"; "crm.item" */
    const char *originator, *origin, *id; /* originator NULL: origin holds both, as ORIGINATOR/ORIGIN */
    bool item;
};
int bitrix_write_names(const struct write_task *t, struct write_names *ret, struct err *err) MUST_CHECK;
#define WRITE_ORIGIN_SIZE 256
/* What stands in the field `origin`. */
void bitrix_write_origin(
    const struct write_task *t, const struct write_names *names, char ret[static WRITE_ORIGIN_SIZE]);
