/* control.h - questions to the scheduler over the bus: one at a time, each with a deadline. Loop thread only. */
#pragma once

#include "run/bus.h"

#include <uv.h>

#define CONTROL_TIMEOUT_MS 3000

/* status 0: `body` is the answer's JSON, valid until return. -1: err says why; ERR_TEMP = no scheduler answered,
 * ERR_PERM = it refused. Exactly once for each accepted question, never from inside control_ask(). */
typedef void control_on_answer(void *ctx, int status, struct str body, const struct err *err);

struct control {
    struct bus_plug *plug;
    uv_timer_t timer;
    struct msg *question;           /* not yet taken by the bus; borrows command and args */
    char *command, *args;
    uint64_t again_ms;              /* when it is asked once more, with the same correlation */
    char correlation[UUID_SIZE];
    control_on_answer *on_answer;   /* NULL: nothing is asked */
    void *ctx;
    uint64_t deadline_ms;
};

/* where: value of BUS_SCHEDULER. The struct stays where it is until control_close() and one turn of the loop. */
int control_open(struct control *c, uv_loop_t *loop, struct bus *bus, const char *where, struct err *err) MUST_CHECK;
void control_close(struct control *c);      /* drops what is asked, without a call */
bool control_busy(const struct control *c);
/* args: JSON object or "". Must not be called while busy. */
void control_ask(struct control *c, const char *command, const char *args, uint64_t timeout_ms,
    control_on_answer *on_answer, void *ctx);

/* One question on a loop of its own; *ret_body is malloc'd. For commands that ask and end. */
int control_call(const char *run_dir, const char *where, const char *command, const char *args, char **ret_body,
    struct err *err) MUST_CHECK;
int control_call_within(const char *run_dir, const char *where, const char *command, const char *args, uint64_t timeout_ms,
    char **ret_body, struct err *err) MUST_CHECK;
