/* questions.h - commands that wait for their answer: how many there may be while the database stands still, and which
 * question is only asked again. Pure. */
#pragma once

#include "base/uuid.h"

#define QUESTIONS_MOST 32

struct questions {
    char list[QUESTIONS_MOST][UUID_SIZE];   /* correlation ids */
    int count;
};

enum question {
    QUESTION_NEW,           /* it counts until it is answered */
    QUESTION_AGAIN,         /* asked again: the answer to the first is on its way */
    QUESTION_TOO_MANY,
};

enum question questions_ask(struct questions *q, const char *correlation);
void questions_answered(struct questions *q, const char *correlation);      /* one that was not counted: nothing */
