/* mistakes.h - all that is wrong with a configuration: who checks it notes a mistake and goes on. Each text once.
 * Owned by the caller, zeroed before use; one thread. */
#pragma once

#include "base/err.h"

#include <stdbool.h>

#define MISTAKES_MAX 200            /* more are not kept: whoever made so many has enough to do */

struct mistakes {
    struct err *list;               /* owned; in the order in which they were found */
    int count;
};

/* 0: it is noted, and the check goes on. -1 where `all` is NULL: the first mistake ends it. */
int mistakes_note(struct mistakes *all, const struct err *err) MUST_CHECK;
void mistakes_add(struct mistakes *all, const struct err *err);     /* all is there */
bool mistakes_has(const struct mistakes *all, const char *text);
void mistakes_free(struct mistakes *all);
