/* write_comm.h - phones, e-mails and the like as methods write them: rows are added, changed and deleted one by one, what
 * is not mentioned stays (facts section 8). Pure. */
#pragma once

#include "base/buf.h"

#include <jansson.h>
#include <stdbool.h>

/* rows: what is there now, [{"ID":"1","VALUE_TYPE":"WORK","VALUE":"…","TYPE_ID":"PHONE"}], changed in place. given: what
 * was sent. next_id: of the first new row. False: nothing changed. */
bool write_comm(json_t *rows, const char *type, const json_t *given, int64_t next_id);
/* "=" and the rows as JSON; "=" alone: there are none. */
void write_comm_out(struct buf *out, const json_t *rows);
/* Whether every e-mail among what was sent looks like one. */
bool write_comm_mails_fine(const json_t *given);
