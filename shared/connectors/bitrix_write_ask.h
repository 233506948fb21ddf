/* bitrix_write_ask.h - the requests of a write (bitrix_write.h): the one that does it, and the one that looks
 * whether it was done. Both are a method and its parameters: the body of a call of its own, or a command of a
 * batch (calls.h). Which entity keeps an origin: deals, leads, contacts, companies have ORIGINATOR_ID and
 * ORIGIN_ID, in crm.item.* as originatorId and originId; smart processes have xmlId alone; of quotes and
 * smart invoices no such field is known, and they are not added here (facts 6.2). Pure; any thread. */
#pragma once

#include "connectors/bitrix_write.h"
#include "proto/calls.h"

struct write_task {
    enum write_kind kind;
    int type_id;  /* entityTypeId (facts 4.4); of a subscription 0 */
    bool by_item; /* deals, leads, contacts, companies too by crm.item.*: as all others are in any case */
    uint64_t id;  /* rows, update, delete: the record */
    struct str originator,
        origin; /* add: who writes, and its own name of the record; together they are one write's */
    struct str
        fields; /* add, rows, update: text of a JSON object. Rows: multifields alone, as the API takes them */
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
