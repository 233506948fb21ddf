/* oauth.h - /oauth/authorize/ and /oauth/token/: how an application comes by its tokens (facts section 10).
 */
#pragma once

#include "portal.h"

/* false: no such path. */
bool oauth_answer(struct portal *p, const struct portal_request *in, struct portal_answer *ret);
