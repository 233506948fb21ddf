#include "questions.h"

#include <stdio.h>
#include <string.h>

static int find(const struct questions *q, const char *correlation)
{
    for (int i = 0; i < q->count; i++)
        if (strcmp(q->list[i], correlation) == 0)
            return i;
    return -1;
}

enum question questions_ask(struct questions *q, const char *correlation)
{
    if (find(q, correlation) >= 0)
        return QUESTION_AGAIN;
    if (q->count == QUESTIONS_MOST)
        return QUESTION_TOO_MANY;
    snprintf(q->list[q->count++], UUID_SIZE, "%s", correlation);
    return QUESTION_NEW;
}

void questions_answered(struct questions *q, const char *correlation)
{
    int i = find(q, correlation);

    if (i >= 0 && i != --q->count)
        memcpy(q->list[i], q->list[q->count], UUID_SIZE);
}
