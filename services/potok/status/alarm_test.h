/* alarm_test.h - a test alarm to every target that is set: does it arrive, and why not? Waits for the answers, on a loop of its
 * own. */
#pragma once

#include "base/err.h"

#include <jansson.h>

struct home;

/* [{"target","arrived","error"}], none: no target is set. NULL: ERR_CONF. A new reference. */
json_t *alarm_test(const struct home *home, struct err *err);
