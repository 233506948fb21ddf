/* args.h - command lines: options and words of one command. Pure; what it gives points into argv. */
#pragma once

#include "base/err.h"

#include <stdbool.h>

#define ARGS_OPTIONS_MAX 8
#define ARGS_WORDS_MAX 64

struct option_def {             /* a table ends with name NULL */
    const char *name;           /* "--level" */
    char letter;                /* 'f' for -f; 0 = none */
    bool value;                 /* takes one: --level WARNING, --level=WARNING */
    const char *ru, *en;
};

struct args {
    const char *option[ARGS_OPTIONS_MAX];   /* by place in the table: NULL = not given; "" for a flag */
    const char *words[ARGS_WORDS_MAX];
    int word_count;
};

/* argv without the command's name. ERR_CONF names what is wrong and the nearest option there is. */
int args_parse(const struct option_def *options, int argc, char *const *argv, struct args *ret, struct err *err)
    MUST_CHECK;
/* How many letters differ between two words (Levenshtein); words over 32 bytes are far from everything. */
int args_distance(const char *a, const char *b);
