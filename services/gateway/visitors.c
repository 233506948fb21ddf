#include "visitors.h"

#include <stdio.h>
#include <string.h>

static struct visitor *find(struct visitors *v, const char *address)
{
    for (int i = 0; i < v->count; i++)
        if (strcmp(v->list[i].address, address) == 0)
            return &v->list[i];
    return NULL;
}

static struct visitor *make(struct visitors *v, const char *address, uint64_t now_ms)
{
    struct visitor *oldest = &v->list[0];

    if (v->count < VISITORS_MAX)
        oldest = &v->list[v->count++];
    else
        for (int i = 1; i < v->count; i++)
            if (v->list[i].heard_ms < oldest->heard_ms)
                oldest = &v->list[i];
    *oldest = (struct visitor){ .since_ms = now_ms };
    snprintf(oldest->address, sizeof(oldest->address), "%s", address);
    return oldest;
}

bool visitor_blocked(struct visitors *v, const char *address, uint64_t now_ms)
{
    const struct visitor *x = find(v, address);

    return x != NULL && x->bad >= VISITOR_BAD_MOST && now_ms < x->since_ms + VISITOR_WINDOW_MS;
}

void visitor_bad(struct visitors *v, const char *address, uint64_t now_ms)
{
    struct visitor *x = find(v, address);

    if (x == NULL)
        x = make(v, address, now_ms);
    if (now_ms >= x->since_ms + VISITOR_WINDOW_MS) {
        x->since_ms = now_ms;
        x->bad = 0;
    }
    x->bad++;
    x->heard_ms = now_ms;
}

void visitor_good(struct visitors *v, const char *address)
{
    struct visitor *x = find(v, address);

    if (x != NULL)
        x->bad = 0;
}
