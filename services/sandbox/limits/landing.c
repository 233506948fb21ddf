#include "landing.h"

#include "base/mem.h"

#include <stdlib.h>

static char *copy_of(const char *text)
{
    return text != NULL ? xstrdup(text) : NULL;
}

void landings_add(struct landings *l, const struct portal_request *in, uint64_t due_ms)
{
    struct landing *x = xcalloc(1, sizeof(*x)), **at = &l->first;

    x->due_ms = due_ms;
    x->request = (struct portal_request){ .method = copy_of(in->method),
        .path = copy_of(in->path),
        .query = { str_dup(in->query), in->query.n },
        .body = { str_dup(in->body), in->body.n },
        .content_type = copy_of(in->content_type),
        .remote = copy_of(in->remote),
        .authorization = copy_of(in->authorization),
        .door = in->door };
    while (*at != NULL && (*at)->due_ms <= due_ms)
        at = &(*at)->next;
    x->next = *at;
    *at = x;
    l->count++;
}

struct landing *landings_take(struct landings *l, uint64_t now_ms)
{
    struct landing *x = l->first;

    if (x == NULL || x->due_ms > now_ms)
        return NULL;
    l->first = x->next;
    l->count--;
    return x;
}

void landing_free(struct landing *l)
{
    free((char *)l->request.method);
    free((char *)l->request.path);
    free((char *)l->request.query.p);
    free((char *)l->request.body.p);
    free((char *)l->request.content_type);
    free((char *)l->request.remote);
    free((char *)l->request.authorization);
    free(l);
}

void landings_clear(struct landings *l)
{
    for (struct landing *x; (x = landings_take(l, UINT64_MAX)) != NULL;)
        landing_free(x);
}
