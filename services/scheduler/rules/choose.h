/* choose.h - which work of a portal goes next: what is urgent first (marks), then a probe, then ranges; entities take
 * turns. Pure; the caller says what is possible. A steady stream of urgent work leaves every eighth call to the rest. */
#pragma once

#include <stdbool.h>

#define CHOOSE_URGENT_ROW 7

enum choice { CHOOSE_NOTHING, CHOOSE_AGAIN, CHOOSE_GET, CHOOSE_IDS, CHOOSE_PROBE, CHOOSE_RANGE };

struct chance {             /* what one entity has ready now */
    int again;              /* by-id jobs that wait to be sent again */
    int get, ids;           /* by-id jobs that may be made of its marks */
    int ranges;             /* range jobs that may be sent */
};

struct chooser {            /* kept per portal */
    int turn_urgent, turn_bulk;     /* entity to look at first */
    int row;                        /* urgent ones in a row */
};

/* Counts the choice off `chances`; ret_entity is not set for CHOOSE_PROBE. */
enum choice choose(struct chooser *c, struct chance *chances, int entities, bool *probe, int *ret_entity);
/* The same where somebody else says which of the two it is to be (share.h). */
enum choice choose_urgent(struct chooser *c, struct chance *chances, int entities, int *ret_entity);
enum choice choose_bulk(struct chooser *c, struct chance *chances, int entities, bool *probe, int *ret_entity);
