/* command.h - the commands of `potok`: one table, one function each. Exit codes: 0 all well, 1 something failed,
 * 2 bad usage or configuration. */
#pragma once

#include "args.h"

enum { EXIT_WELL = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct command {
    const char *name, *words;           /* "sync", "[ENTITY…]" */
    const char *ru, *en;                /* one line */
    const struct option_def *options;   /* NULL: none */
    int (*run)(const struct args *args);
};

extern const struct command COMMAND_UP, COMMAND_SYNC, COMMAND_PAUSE, COMMAND_RESUME, COMMAND_STATUS, COMMAND_SCHEMA, COMMAND_RECORD, COMMAND_CONFIG,
    COMMAND_LOGS, COMMAND_DOCTOR, COMMAND_VERIFY, COMMAND_PORTAL, COMMAND_ALARMS, COMMAND_WEBHOOKS, COMMAND_SPOOL;
extern const struct option_def SPOOL_VERBS[];       /* what each word of `potok spool` does */

/* "potok: what went wrong" on standard error; gives the exit code that goes with the kind of error. */
int command_failed(const struct err *err);
/* Like it, for a wrong use of a command. */
int command_misused(const char *command, const struct err *err);
