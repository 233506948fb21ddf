#include "operating.h"

#include <stdio.h>
#include <string.h>

struct operating_method *operating_of(struct operating *o, const char *method, bool app)
{
    for (int i = 0; i < o->count; i++) {
        if (o->methods[i].app == app && strcmp(o->methods[i].name, method) == 0)
            return &o->methods[i];
    }
    if (o->count == OPERATING_METHODS_MAX)
        return &o->methods[o->count - 1];
    struct operating_method *m = &o->methods[o->count++];
    *m = (struct operating_method){ .app = app };
    snprintf(m->name, sizeof(m->name), "%s", method);
    return m;
}

static void expire(struct operating *o, struct operating_method *m, uint64_t now_ms)
{
    int gone = 0;

    while (gone < m->bucket_count && m->buckets[gone].first_ms + o->window_ms <= now_ms)
        gone++;
    m->bucket_count -= gone;
    memmove(m->buckets, m->buckets + gone, (size_t)m->bucket_count * sizeof(m->buckets[0]));
}

double operating_used(struct operating *o, struct operating_method *m, uint64_t now_ms)
{
    double sum = 0;

    expire(o, m, now_ms);
    for (int i = 0; i < m->bucket_count; i++)
        sum += m->buckets[i].seconds;
    return sum;
}

bool operating_blocked(struct operating *o, struct operating_method *m, uint64_t now_ms)
{
    return o->limit_s > 0 && operating_used(o, m, now_ms) > o->limit_s;
}

void operating_add(struct operating *o, struct operating_method *m, double seconds, uint64_t now_ms)
{
    expire(o, m, now_ms);
    const int last = m->bucket_count - 1;
    if (last < 0 ||
        (m->buckets[last].first_ms + o->window_ms / 10 <= now_ms && m->bucket_count < OPERATING_BUCKETS)) {
        m->buckets[m->bucket_count].first_ms = now_ms;
        m->buckets[m->bucket_count++].seconds = seconds;
    } else {
        m->buckets[last].seconds += seconds;
    }
    m->seconds_ever += seconds;
}

uint64_t operating_reset_ms(struct operating *o, const struct operating_method *m, uint64_t now_ms)
{
    return (m->bucket_count > 0 ? m->buckets[0].first_ms : now_ms) + o->window_ms;
}
