/* explain.h - what an error of a portal or of the way to it means, whose business it is, what to do, and what Potok does by
 * itself. Constant table (explain.def); any thread. */
#pragma once

#include "base/str.h"

#include <stdbool.h>

enum blame { BLAME_WEBHOOK, BLAME_ADDRESS, BLAME_PLAN, BLAME_PORTAL, BLAME_LOAD, BLAME_DATA, BLAME_NETWORK, BLAME_POTOK, BLAMES };
enum habit { HABIT_WAITS, HABIT_RETRIES, HABIT_STOPS, HABIT_PROBES, HABIT_ENTITY, HABIT_ASIDE, HABIT_GONE, HABIT_SKIPS, HABIT_NEVER, HABITS };

struct explanation {
    const char *code;               /* "insufficient_scope"; "" = an error without a code */
    const char *text;               /* part of the description that tells it from others of its code; "" = any */
    int least, most;                /* HTTP status where neither tells; 0 = not known by its status */
    enum blame blame;
    enum habit habit;
    const char *ru, *en;            /* what it means */
    const char *ru_cure, *en_cure;  /* what to do */
};

extern const struct explanation EXPLANATIONS[];
extern const int EXPLANATION_COUNT;

/* The row for an error as the portal gives it: the code first, then words of the description, then the status. NULL: none. */
const struct explanation *explain_error(int status, struct str code, struct str description);
/* The row for what a person typed or pasted: a code in any case, a status, the text of an error. NULL: none. */
const struct explanation *explain_words(struct str words);
/* How it is asked for: the code, else its words, else its status. */
const char *explain_name(const struct explanation *e, char *ret, size_t size);
/* Up to `most` names of rows like a mistyped code, the nearest first; how many. */
int explain_guess(const char *word, const struct explanation **ret, int most);
/* In the language of people. */
const char *explain_blame(enum blame blame);
const char *explain_habit(enum habit habit);

/* "  `potok doctor CODE` …" for an error text, or "" where nothing is to be said about it. */
const char *explain_hint(const char *error_text, char *ret, size_t size);
