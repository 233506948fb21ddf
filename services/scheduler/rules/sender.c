#include "sender.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void senders_fini(struct senders *t)
{
    free(t->list);
    *t = (struct senders){ 0 };
}

/* A place that is free, or that of one which is silent. */
static struct sender *place(struct senders *t, uint64_t now_ms)
{
    for (int i = 0; i < t->count; i++)
        if (t->list[i].call_count == 0 && now_ms > t->list[i].heard_ms + SENDER_SILENT_MS)
            return &t->list[i];
    if (t->count == SENDERS_MAX)
        return NULL;
    t->list = xrealloc(t->list, ((size_t)t->count + 1) * sizeof(*t->list));
    return &t->list[t->count++];
}

struct sender *senders_of(struct senders *t, const char *name, int portal, uint64_t now_ms)
{
    for (int i = 0; i < t->count; i++)
        if (t->list[i].portal == portal && strcmp(t->list[i].name, name) == 0)
            return &t->list[i];

    struct sender *s = place(t, now_ms);
    if (s == NULL)
        return NULL;
    *s = (struct sender){ .portal = portal, .number = t->numbers++, .heard_ms = now_ms };
    snprintf(s->name, sizeof(s->name), "%s", name);
    return s;
}

int senders_waiting(const struct senders *t)
{
    int n = 0;

    for (int i = 0; i < t->count; i++)
        n += t->list[i].waits;
    return n;
}

int senders_calls(const struct senders *t, int portal)
{
    int n = 0;

    for (int i = 0; i < t->count; i++)
        n += t->list[i].portal == portal ? t->list[i].call_count : 0;
    return n;
}

bool sender_asks(struct sender *s, uint64_t seq, uint32_t want, const char *method, uint64_t now_ms)
{
    s->heard_ms = now_ms;
    if (seq <= s->seq)
        return false;
    s->seq = seq;
    s->want = want;
    s->waits = want > 0;
    s->asked_ms = now_ms;
    s->granted = 0;
    s->wait_ms = 0;
    snprintf(s->method, sizeof(s->method), "%s", method);
    return true;
}

bool sender_has_room(const struct sender *s)
{
    return s->call_count < SENDER_CALLS_MAX;
}

void sender_granted(struct sender *s, uint64_t now_ms)
{
    struct sender_call *c = &s->calls[s->call_count++];

    *c = (struct sender_call){ .bucket = s->bucket, .until_ms = now_ms + SENDER_CALL_MS };
    snprintf(c->method, sizeof(c->method), "%s", s->method);
    s->granted++;
    s->total++;
}

bool sender_ends_call(struct sender *s, struct sender_call *ret)
{
    if (s->call_count == 0)
        return false;
    *ret = s->calls[0];
    s->call_count--;
    memmove(s->calls, s->calls + 1, (size_t)s->call_count * sizeof(s->calls[0]));
    return true;
}

bool sender_late_call(struct sender *s, uint64_t now_ms, struct sender_call *ret)
{
    return s->call_count > 0 && s->calls[0].until_ms <= now_ms && sender_ends_call(s, ret);
}
