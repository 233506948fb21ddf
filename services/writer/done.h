/* done.h - DONEs on their way to the scheduler. Loop thread. */
#pragma once

#include "writer.h"

/* The views of a DONE must outlive it while it waits to be sent: it owns a copy as its body. */
void done_own(struct msg *m);
/* Takes it. While nobody takes them the oldest go: a scheduler that misses a DONE looks at the job's row. */
void done_send(struct writer *w, struct msg *done);
void done_on_room(void *ctx, struct bus_plug *plug);    /* a bus_on_room; ctx: the writer */
