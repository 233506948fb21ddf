/* holder.h - who holds a lease, as a line of text in potok_lease.holder: "scheduler.1 host pid place id".
 * Each life of a scheduler has an id of its own, so that a statement that names the holder is fenced like one
 * that names the epoch. Pure. */
#pragma once

#include "base/str.h"
#include "base/uuid.h"

#include <stdbool.h>
#include <stdint.h>

#define HOLDER_TEXT_SIZE 448

struct holder {
    char instance[64]; /* "scheduler.1"; "" = nobody */
    char host[128];    /* for people */
    uint64_t pid;
    /* The run folder in this boot of this machine: two processes with the same place look at the same lock
     * files. "-" when it is not known; it is nobody's then. */
    char place[128];
    char id[UUID_SIZE]; /* of this life */
};

void holder_write(const struct holder *h, char ret[static HOLDER_TEXT_SIZE]);
/* Of any text: what an older Potok wrote is its instance alone, and nobody's text is "". */
void holder_read(struct str text, struct holder *ret);
bool holder_is(const struct holder *a, const struct holder *b); /* the same life */
bool holder_is_near(
    const struct holder *a, const struct holder *b); /* the same run folder of the same boot */
/* "scheduler.1 on host (pid 77)", for people. */
#define HOLDER_NAME_SIZE 256
void holder_name(const struct holder *h, char ret[static HOLDER_NAME_SIZE]);
