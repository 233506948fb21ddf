/* veil.h - commits seen late: for a while after a change the portal's methods show the record as it was before, as a read
 * from a copy that lags behind would. The admin routes (the truth, edits) always see the newest state. Loop thread. */
#pragma once

#include "journal.h"

struct veil {
    enum which which;
    uint32_t n;
    uint64_t until_ms;
    uint8_t flags;              /* what is shown instead */
    struct patch *patch;
};

struct veils {
    struct veil *list;          /* in the order of the changes */
    size_t count, cap;
    uint64_t lag_ms[KINDS];   /* of changes from now on; 0 = seen at once */
    bool drawn;                 /* the records show their old state at this moment */
};

/* Takes the state before the deed over, when its entity lags. */
void veils_add(struct veils *v, struct deed *d, uint64_t now_ms);
/* Shows what a method may see now; veils_lift() gives the newest state back. Twice in a row: no harm. */
void veils_draw(struct veils *v, struct crm crm[static KINDS], uint64_t now_ms);
void veils_lift(struct veils *v, struct crm crm[static KINDS]);
void veils_forget(struct veils *v, enum which w);   /* those of an entity end now; only while lifted */
void veils_fini(struct veils *v);
