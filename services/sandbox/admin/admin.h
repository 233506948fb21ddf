/* admin.h - /__admin/: the hidden side door for tests and demonstrations. Loopback only. Routes: README.md. */
#pragma once

#include "portal.h"

void admin_answer(struct portal *p, const struct portal_request *in, struct portal_answer *ret);
