/* crash.h - named points at which a test lets a process die (SIGKILL: nothing is tidied up). They stand in crash.def, which
 * says what has happened there and what has not.
 * POTOK_CRASH_AT="writer.before_commit:3,writer.after_commit" kills at the third pass of one or the first of the other, and so
 * every process that is started with it. POTOK_CRASH_AT=/path: the same words stand in that file, now or later; who dies removes
 * it first, so that its successor lives. Unset: costs a look at the environment. Any thread. */
#pragma once

enum crash {
#define CRASH(NAME, name, told) CRASH_##NAME,
#include "run/crash.def"
#undef CRASH
    CRASH_POINTS
};

#define crash_point(NAME) crash_pass(CRASH_##NAME)

void crash_pass(enum crash point);
