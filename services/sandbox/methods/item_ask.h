/* item_ask.h - what crm.item.* is asked for: names in camelCase become fields, what is not one is an error that names it
 * (facts section 4.4). */
#pragma once

#include "call.h"
#include "item_render.h"

/* New trees by classic names, to be freed with json_decref(); API_INVALID_ARG with the portal's detail. NULL in: NULL out. */
enum api_error item_ask_filter(struct call *c, const struct crm *crm, const json_t *filter, json_t **ret);
enum api_error item_ask_order(struct call *c, const struct crm *crm, const json_t *order, json_t **ret);
/* Names, or everything; memory: the portal's arena. */
void item_ask_select(struct call *c, const struct crm *crm, struct item_select *ret);
/* `fields` of add and update; unknown names are left out, `fm` becomes PHONE, EMAIL… */
json_t *item_ask_fields(struct call *c, const struct crm *crm, const json_t *fields);
bool item_ask_original(const struct call *c);   /* useOriginalUfNames=Y */
