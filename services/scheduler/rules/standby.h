/* standby.h - may a scheduler take the leases, or does somebody hold them who lives? Decided by what changes
 * between looks, on the observer's own monotonic clock: clocks of two hosts differ and step, so no time that
 * another host wrote is ever compared with ours. A wrong answer costs a takeover too many or too late, never
 * a wrong row: the statement that takes asks for the very lease that was seen, and the epoch fences whoever
 * held it. Pure. */
#pragma once

#include "base/config.h"
#include "holder.h"

#include <stdbool.h>
#include <stdint.h>

struct lease_seen { /* the lease of one portal at one look */
    bool there;     /* false: there is none yet */
    int64_t epoch, beat;
    struct holder holder;
    bool dead; /* its process is known to be gone: its lock file is ours, or nobody's */
};

enum standby_verdict {
    STANDBY_WAIT,  /* a holder may live */
    STANDBY_FREE,  /* nobody holds them: the first start, or given up in good order */
    STANDBY_DEAD,  /* the holder is known to be gone */
    STANDBY_STILL, /* its beat stands still */
};

struct standby {
    struct {
        struct lease_seen seen;
        uint64_t since_ms; /* monotonic: from when on it has looked so */
    } list[CONFIG_PORTALS_MAX];
    int count;
};

/* One look at all leases, asked for at begun_ms and answered by now_ms (monotonic). All of them are free to
 * be taken, or none is: the verdict is of the one that is least so. *ret_again_ms: when the next look may say
 * something else. *ret_who: of STANDBY_WAIT and _STILL, whose lease it is about; the index in `seen`. */
enum standby_verdict standby_look(struct standby *s, const struct lease_seen *seen, int count,
    const struct holder *me, uint64_t begun_ms, uint64_t now_ms, uint64_t takeover_ms, uint64_t *ret_again_ms,
    int *ret_who);
const char *standby_why(enum standby_verdict verdict); /* "its beat stands still" */

#define STANDBY_LOOK_MS 500  /* between looks, at most */
#define STANDBY_BEAT_MS 1000 /* between beats of a holder */
