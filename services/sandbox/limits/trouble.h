/* trouble.h - what the faults of faults.def look like on the wire. */
#pragma once

#include "portal.h"

/* The whole answer when the fault stands in for it; false: the request is to be answered, then trouble_after(). */
bool trouble_instead(struct portal *p, const struct fault *f, enum fault_kind kind, const struct portal_request *in,
    struct portal_answer *ret);
/* Whether a fault can be what the caller of another one sees. */
bool trouble_shows(enum fault_kind kind);
/* late, after-commit: what is done and how it is answered are two things. The answer that was made, or that is made although
 * nothing is done yet, gives way to what the caller sees. */
void trouble_shown(struct portal *p, const struct fault *f, const struct portal_request *in, struct portal_answer *ret);
/* Spoils a ready answer; kind FAULT_NONE leaves it alone. */
void trouble_after(const struct fault *f, enum fault_kind kind, struct portal_answer *ret);
