/* install.h - what a portal's application is given: ONAPPINSTALL and ONAPPUNINSTALL (facts 9.3), and the browser of an
 * operator who connects the portal (GET /oauth/callback, facts 10). It leaves here sealed, and is never kept otherwise.
 * Nothing of it is believed: the scheduler takes it to the OAuth server. Pure: no socket, no spool; the clock is an argument. */
#pragma once

#include "base/buf.h"
#include "base/seal.h"
#include "intake.h"

#define INSTALL_CALLBACK "/oauth/callback"

struct install {
    bool page;                  /* a person's browser: answered by a page */
    bool stranger;              /* nobody knows whose it is: few of them are taken from one address */
    struct buf sealed;          /* owned; empty where `reason` of the intake is not TAKEN */
};

/* False: the request is about something else, and nothing was touched. Else *ret has the reason and, when that is TAKEN,
 * one item of CHANGE_KIND_ACCESS. */
bool install_read(const struct intake_rules *rules, const struct seal_keys *keys, const struct intake_in *in, uint64_t wall_ms,
    struct intake *ret, struct install *got);
/* What the browser shows, in Russian and English. */
void install_page(enum reason reason, struct buf *out);
#define INSTALL_PAGE_HEADERS "Cache-Control: no-store\nReferrer-Policy: no-referrer\nContent-Security-Policy: default-src 'none'"
