/* write.h - records made, changed and deleted by methods, classic and item alike: what is kept of what was sent, and what
 * follows from it (facts section 8). Loop thread. Lifts the veils while it works. */
#pragma once

#include "call.h"

enum write_manner {
    WRITE_CLASSIC,              /* garbage is dropped, immutable fields stay, every update is a change */
    WRITE_IMPORT,               /* as WRITE_ITEM; times and people of the record's making may be told */
    WRITE_ITEM,                 /* garbage is an error, a funnel may change, an update without a change is none */
};

/* fields: by classic names. *ret_n: the new record. */
enum api_error write_add(struct call *c, enum which w, const json_t *fields, enum write_manner how, uint32_t *ret_n);
enum api_error write_update(struct call *c, enum which w, uint32_t n, const json_t *fields, enum write_manner how);
enum api_error write_delete(struct call *c, enum which w, uint32_t n);
