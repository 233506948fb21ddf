/* links.h - who belongs to whom: contacts of deals, leads, quotes and companies, companies of contacts (facts section 8).
 * What was never written follows from the records themselves; what was is kept in the data file. Loop thread. */
#pragma once

#include "crm.h"

#include "base/err.h"

#include <jansson.h>

struct store;

/* Rows [{"CONTACT_ID":1,"SORT":10,"ROLE_ID":0,"IS_PRIMARY":"Y"}] of an owner, new; target: CONTACT or COMPANY. */
json_t *links_rows(const struct store *s, enum which owner, uint32_t n, enum which target);
int links_keep(struct store *s, enum which owner, uint32_t n, enum which target, json_t *rows, struct err *err) MUST_CHECK;
/* What the data file holds: {"0:12:1": rows}. */
int links_load(struct store *s, struct err *err) MUST_CHECK;
/* The one of this id is primary, the others are not. */
void links_set_primary(json_t *rows, enum which target, int64_t id);
/* Rows of these, the first is primary; new. */
json_t *links_of_ids(const int64_t *ids, int count, enum which target);
const char *links_id(enum which target);        /* "CONTACT_ID" */
int64_t links_primary(const json_t *rows, enum which target);  /* 0: there is none */
