#include "bucket.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

bool bucket_tariff(struct bucket *b, const char *tariff)
{
    static const struct {
        const char *name;
        double drain_per_s, burst;
    } known[] = { { "standard", 2, 50 }, { "enterprise", 5, 250 }, { "off", 0, 0 } };
    unsigned drain, burst;
    char rest;

    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (strcmp(tariff, known[i].name) == 0) {
            b->drain_per_s = known[i].drain_per_s;
            b->burst = known[i].burst;
            return true;
        }
    }
    if (sscanf(tariff, "%5u/%7u%c", &drain, &burst, &rest) != 2 || drain == 0 || burst == 0)
        return false;
    b->drain_per_s = drain;
    b->burst = burst;
    return true;
}

static struct bucket_source *source_of(struct bucket *b, const char *remote, uint64_t now_ms)
{
    struct bucket_source *oldest = &b->sources[0];

    for (int i = 0; i < b->source_count; i++) {
        if (strcmp(b->sources[i].remote, remote) == 0)
            return &b->sources[i];
        if (b->sources[i].seen_ms < oldest->seen_ms)
            oldest = &b->sources[i];
    }
    if (b->source_count < BUCKET_SOURCES_MAX)
        oldest = &b->sources[b->source_count++];
    *oldest = (struct bucket_source){ .seen_ms = now_ms };
    snprintf(oldest->remote, sizeof(oldest->remote), "%s", remote);
    return oldest;
}

bool bucket_take(struct bucket *b, const char *remote, uint64_t now_ms)
{
    if (b->drain_per_s == 0)
        return true;
    struct bucket_source *s = source_of(b, remote, now_ms);
    const uint64_t ticks = now_ms / 1000 - s->seen_ms / 1000;
    const double passed_s = b->continuous ? (double)(now_ms - s->seen_ms) / 1000.0 : (double)ticks;

    s->level -= passed_s * b->drain_per_s;
    if (s->level < 0)
        s->level = 0;
    s->seen_ms = now_ms;
    const bool refused = b->strict ? s->level + 1 > b->burst : s->level > b->burst;
    if (refused && !b->counts_refused)
        return false;
    s->level += 1;
    if (s->level > b->greatest)
        b->greatest = s->level;
    return !refused;
}
