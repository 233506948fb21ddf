/* events_line.h - how events of one portal come in, in a line of `potok status`. Pure. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#define EVENTS_LINE_SIZE 600

/* `events`: of the portal in the scheduler's status. "": there is nothing to say: a webhook whose events nobody sends. */
const char *events_line(const json_t *events, uint64_t now_ms, char ret[static EVENTS_LINE_SIZE]);
