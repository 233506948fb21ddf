/* item_render.h - a record as crm.item.* prints it: numbers as numbers, Y and N, `fm`, null and 0 for nothing (facts
 * section 6.3). The same values as render.h prints for classic methods. Pure. */
#pragma once

#include "data/record.h"

#include "base/buf.h"

#include <stdbool.h>

struct item_wire {
    bool ascii;
    bool original;              /* useOriginalUfNames=Y */
    bool null_links;            /* option: an empty companyId or contactId is null instead of 0 */
    bool texts;                 /* option: enumerations, people and links of user fields as texts, 0 when empty */
    bool local_midnight;        /* option: as in render.h */
    const char *address;        /* of the portal, for links of files */
    bool tls;                   /* which is asked by https */
};

/* What is printed of a record: all members, or chosen fields and nothing else. */
struct item_select {
    bool all;
    const struct attr **attrs;
    int count;
    uint64_t extras;            /* chosen ones of item_extra() */
};

/* A bit for a member of an item that is no field: "isWork", "phoneMobile", "entityTypeId"; 0: there is none, `fm` among
 * them, which cannot be chosen by name. */
uint64_t item_extra(enum which w, struct str name);

void item_render(struct buf *out, const struct item_wire *w, const struct record *r, const struct item_select *s);
