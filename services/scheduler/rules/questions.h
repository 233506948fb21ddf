/* questions.h - commands that wait for their answer: how many there may be while the database stands still, and which
 * question is only asked again. Pure: the clock is an argument. */
#pragma once

#include <stdint.h>

#include "base/uuid.h"

#define QUESTIONS_MOST 32
#define QUESTION_LIFE_MS 600000   /* not asked again for so long: makes room, should its answer have been lost */

struct questions {
    struct {
        char correlation[UUID_SIZE];
        uint64_t asked_ms;      /* monotonic, the last time */
    } list[QUESTIONS_MOST];
    int count;
};

enum question {
    QUESTION_NEW,           /* it counts until it is answered */
    QUESTION_AGAIN,         /* asked again: the answer to the first is on its way */
    QUESTION_TOO_MANY,
};

enum question questions_ask(struct questions *q, const char *correlation, uint64_t now_ms);
void questions_answered(struct questions *q, const char *correlation);      /* one that was not counted: nothing */
