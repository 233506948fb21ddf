/* turn.h - who may write to an SQLite file now. A process that is stopped (SIGSTOP) in its turn keeps everybody else
 * waiting, and no lock can be taken from it; but it can be named. Any thread; nothing is waited for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct turn_holder {
    uint64_t pid;       /* on the machine of the file */
    char program[32];   /* "potok-writer"; "" = it is not known here */
    bool stopped;
};

/* url: as DATABASE_URL. False: nobody has the turn, or it is no SQLite file. */
bool turn_look(const char *url, struct turn_holder *ret);
