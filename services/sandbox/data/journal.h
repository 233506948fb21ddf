/* journal.h - what people did to records and fields since the journal was last read: of it events are made (event.h), and
 * states that reads still see when commits come late (veil.h). Nothing is written while it is off. Loop thread. */
#pragma once

#include "crm.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum deed_kind {
    DEED_ADD,
    DEED_UPDATE,
    DEED_DELETE,
    DEED_MOVE,          /* of a deal to another funnel, whatever else changed with it (facts section 9.2) */
    DEED_FIELD_ADD,
    DEED_FIELD_UPDATE,
    DEED_FIELD_DELETE,
    DEED_FIELD_ITEMS,
    DEED_KINDS
};

struct deed {
    enum deed_kind kind;
    enum which which;
    uint32_t n;                 /* of a record */
    uint32_t id;                /* of the record or of the user field */
    char *field;                /* name of a user field; NULL: a record's deed */
    uint8_t flags;              /* of the record before; one that was not yet there: RECORD_DELETED */
    struct patch *patch;        /* of the record before; NULL: as generated */
};

struct journal {
    struct deed *list;
    size_t count, cap;
    bool on;
};

/* Before the change. joins: further fields of one edit, which is one deed. */
void journal_record(struct journal *j, const struct crm *c, uint32_t n, enum deed_kind kind, bool joins);
void journal_moved(struct journal *j);      /* the deed just written was a move to another funnel */
void journal_field(struct journal *j, enum which w, uint32_t id, const char *name, enum deed_kind kind);
void journal_clear(struct journal *j);      /* frees what nobody took (took: set to NULL) */
void journal_fini(struct journal *j);
