#include "questions.h"

#include <stdio.h>
#include <string.h>

static int find(const struct questions *q, const char *correlation)
{
    for (int i = 0; i < q->count; i++)
        if (strcmp(q->list[i].correlation, correlation) == 0)
            return i;
    return -1;
}

static void forget(struct questions *q, int i)
{
    q->list[i] = q->list[--q->count];
}

static void forget_old(struct questions *q, uint64_t now_ms)
{
    for (int i = q->count - 1; i >= 0; i--)
        if (now_ms - q->list[i].asked_ms >= QUESTION_LIFE_MS)
            forget(q, i);
}

enum question questions_ask(struct questions *q, const char *correlation, uint64_t now_ms)
{
    int i = find(q, correlation);

    if (i >= 0) {
        q->list[i].asked_ms = now_ms;
        return QUESTION_AGAIN;
    }
    forget_old(q, now_ms);
    if (q->count == QUESTIONS_MOST)
        return QUESTION_TOO_MANY;
    q->list[q->count].asked_ms = now_ms;
    snprintf(q->list[q->count++].correlation, UUID_SIZE, "%s", correlation);
    return QUESTION_NEW;
}

void questions_answered(struct questions *q, const char *correlation)
{
    int i = find(q, correlation);

    if (i >= 0)
        forget(q, i);
}
