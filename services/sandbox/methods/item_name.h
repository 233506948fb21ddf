/* item_name.h - what crm.item.* calls things: entities by number, fields in camelCase (facts section 4.4). Pure. */
#pragma once

#include "data/attr.h"
#include "data/crm.h"

#define ITEM_NAME_MAX 80

int item_which(int64_t entity_type_id);         /* enum which; -1: there is none */
/* "createdTime" of DATE_CREATE, "ufCrm3Digit" of UF_CRM_3_DIGIT; the classic name where another field has that already, and,
 * with `original`, of every user field. Multifields have none (they are `fm`): "". Returns room. */
const char *item_name(const struct attr_list *l, const struct attr *a, bool original, char room[static ITEM_NAME_MAX]);
/* The other way; NULL: no such field. */
const struct attr *item_attr(const struct attr_list *l, struct str name, bool original);
