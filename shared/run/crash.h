/* crash.h - named points at which a test lets a process die: POTOK_CRASH_AT="writer.before_commit:3" kills it (SIGKILL:
 * nothing is tidied up) on its third pass; without a number on the first. Unset: costs a comparison. Any thread. */
#pragma once

void crash_point(const char *name);
