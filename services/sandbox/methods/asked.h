/* asked.h - the parameters of a request, wherever they stand: query, body of any kind, header (facts section 1.2). */
#pragma once

#include "call.h"

/* Adds them to the object; API_BAD_REQUEST: a body that is not what it says. */
enum api_error asked_params(const struct portal *p, const struct portal_request *in, json_t *params);
