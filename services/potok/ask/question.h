/* question.h - what a command asks of the scheduler about entities, as the arguments of CONTROL. Pure. */
#pragma once

#include "args.h"

#include <jansson.h>

#define QUESTION_IDS_MOST 2500

/* {"portal", "entities", "ids"} of the command's words; portal and ids may be NULL. malloc'd; NULL: ERR_CONF. */
char *question_of(const struct args *args, const char *portal, const char *ids, struct err *err);
/* "42,43": 1 to QUESTION_IDS_MOST numbers above 0. New reference; NULL: ERR_CONF. */
json_t *question_ids(const char *text, struct err *err);
