#include "progress.h"

static int newest(const struct progress *p)
{
    return (p->next + PROGRESS_SAMPLES - 1) % PROGRESS_SAMPLES;
}

static int oldest(const struct progress *p)
{
    return (p->next + PROGRESS_SAMPLES - p->samples) % PROGRESS_SAMPLES;
}

void progress_seen(struct progress *p, uint64_t now_ms, uint64_t count)
{
    if (p->samples > 0 && (count < p->count[newest(p)] || now_ms < p->at_ms[newest(p)]))
        *p = (struct progress){ .samples = 0 };
    if (p->samples == 0 || count != p->count[newest(p)])
        p->moved_ms = now_ms;
    if (p->samples > 1 &&
        now_ms - p->at_ms[(newest(p) + PROGRESS_SAMPLES - 1) % PROGRESS_SAMPLES] < PROGRESS_EVERY_MS) {
        p->at_ms[newest(p)] = now_ms; /* too soon after the one before: the newest moves on */
        p->count[newest(p)] = count;
        return;
    }
    p->at_ms[p->next] = now_ms;
    p->count[p->next] = count;
    p->next = (p->next + 1) % PROGRESS_SAMPLES;
    if (p->samples < PROGRESS_SAMPLES)
        p->samples++;
}

double progress_rate(const struct progress *p)
{
    if (p->samples < 2)
        return 0;

    uint64_t ms = p->at_ms[newest(p)] - p->at_ms[oldest(p)];

    return ms == 0 ? 0 : (double)(p->count[newest(p)] - p->count[oldest(p)]) * 1000 / (double)ms;
}

bool progress_stalled(const struct progress *p)
{
    return p->samples > 0 && p->count[newest(p)] > 0 && p->at_ms[newest(p)] - p->moved_ms > PROGRESS_STALL_MS;
}

uint64_t progress_eta_ms(const struct progress *p, uint64_t expected)
{
    double rate = progress_rate(p);

    if (expected == 0 || rate <= 0)
        return PROGRESS_UNKNOWN;

    uint64_t count = p->count[newest(p)];

    return count >= expected ? 0 : (uint64_t)((double)(expected - count) * 1000 / rate);
}

unsigned progress_percent(uint64_t count, uint64_t expected)
{
    if (expected == 0)
        return 0;
    if (count >= expected)
        return 100;
    return (unsigned)((double)count * 100 / (double)expected);
}

void progress_bar(struct buf *out, uint64_t count, uint64_t expected, unsigned cells)
{
    static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
    double share = expected == 0 ? 0 : count >= expected ? 1 : (double)count / (double)expected;
    unsigned full = (unsigned)(share * cells * 8), used = full / 8;

    for (unsigned i = 0; i < used; i++)
        buf_str(out, "█");
    if (used < cells && full % 8 > 0) {
        buf_str(out, eighths[full % 8]);
        used++;
    }
    for (; used < cells; used++)
        buf_str(out, "·");
}
