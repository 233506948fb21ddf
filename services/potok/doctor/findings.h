/* findings.h - what `potok doctor` found: a list that only grows, printed for people or for programs. Owned by the
 * struct; one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum health { HEALTH_OK, HEALTH_SKIPPED, HEALTH_WARNING, HEALTH_BAD, HEALTHS };

struct finding {
    const char *check;          /* the row of the table that found it: stable, for programs */
    const char *title;          /* its name for people */
    char about[64];             /* which portal, file or service; "" = the whole */
    enum health health;
    char *found, *cure;         /* cure "": nothing to be done */
};

struct findings {
    struct finding *list;
    int count;
    const char *check, *title;  /* of what is added next */
};

void findings_fini(struct findings *f);
/* Secrets in what was found are masked; the cure is ours. cure NULL: none. */
void finding_add(struct findings *f, enum health health, const char *about, const char *cure, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
int findings_count(const struct findings *f, enum health health);

void findings_print(const struct findings *f, bool colour);
void findings_print_json(const struct findings *f);
