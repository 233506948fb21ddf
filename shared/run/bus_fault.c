#include "run/bus_fault.h"

#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define LATE_MS      1000
#define LATE_MOST_MS 600000

/* --- settings --- */

static const struct word {
    const char *name;
    size_t at;
    int64_t most;
} words[] = {
    { "lose", offsetof(struct bus_fault_set, lose), 100 },
    { "double", offsetof(struct bus_fault_set, twice), 100 },
    { "late", offsetof(struct bus_fault_set, late), 100 },
    { "late_ms", offsetof(struct bus_fault_set, late_ms), LATE_MOST_MS },
    { "shuffle", offsetof(struct bus_fault_set, shuffle), 100 },
    { "seed", offsetof(struct bus_fault_set, seed), INT64_MAX },
};

static int read_word(struct bus_fault_set *set, struct str pair, struct err *err)
{
    const char *is = pair.n > 0 ? memchr(pair.p, '=', pair.n) : NULL;
    struct str name = { pair.p, is != NULL ? (size_t)(is - pair.p) : pair.n };
    struct str value = { is != NULL ? is + 1 : pair.p, is != NULL ? pair.n - name.n - 1 : 0 };
    int64_t number;

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (!str_is(name, words[i].name))
            continue;
        if (!str_i64(value, &number) || number < 0 || number > words[i].most)
            break;
        memcpy((char *)set + words[i].at, &number, sizeof(number));
        return 0;
    }
    return err_set(err, ERR_CONF,
        "POTOK_BUS_FAULTS: \"" STR_FMT
        "\" is none of lose, double, late, late_ms, shuffle, seed with a number",
        STR_ARG(pair));
}

int bus_fault_read(struct bus_fault_set *ret, const char *text, struct err *err)
{
    struct bus_fault_set set = { .late_ms = LATE_MS };

    for (const char *p = text; *p != '\0';) {
        size_t n = strcspn(p, ",");

        if (read_word(&set, (struct str){ p, n }, err) < 0)
            return -1;
        p += n + (p[n] == ',');
    }
    if (set.lose + set.twice + set.late + set.shuffle > 100)
        return err_set(err, ERR_CONF, "POTOK_BUS_FAULTS: more than 100 per cent of the messages");
    *ret = set;
    return 0;
}

/* --- chance --- */

static uint64_t draw(struct bus_fault *f) /* splitmix64 */
{
    uint64_t z = (f->random += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void bus_fault_init(struct bus_fault *f, const struct bus_fault_set *set, uint64_t own)
{
    *f = (struct bus_fault){ .set = *set, .random = (uint64_t)set->seed };
    f->random = draw(f) ^ own;
}

static enum bus_fate fate_of(const struct bus_fault_set *set, int64_t of_hundred)
{
    const int64_t shares[BUS_FATES] = { [BUS_LOST] = set->lose,
        [BUS_DOUBLED] = set->twice,
        [BUS_LATE] = set->late,
        [BUS_SHUFFLED] = set->shuffle };

    for (int fate = BUS_LOST; fate < BUS_FATES; fate++) {
        if (of_hundred < shares[fate])
            return (enum bus_fate)fate;
        of_hundred -= shares[fate];
    }
    return BUS_ARRIVES;
}

enum bus_fate bus_fault_strike(struct bus_fault *f)
{
    enum bus_fate fate = fate_of(&f->set, (int64_t)(draw(f) % 100));

    if (fate > BUS_LOST && f->held_count == BUS_FAULT_HELD_MOST)
        fate = BUS_ARRIVES;
    for (int i = 0; i < f->held_count && fate != BUS_LOST; i++)
        if (f->held[i].passes > 1)
            f->held[i].passes--;
        else if (f->held[i].passes == 1)
            f->held[i].due_ms = 0;
    f->count[fate]++;
    return fate;
}

/* --- holding --- */

void bus_fault_hold(struct bus_fault *f, enum bus_fate fate, void *what, uint64_t now_ms)
{
    struct bus_fault_held *held = &f->held[f->held_count++];
    uint64_t most_ms = fate == BUS_SHUFFLED ? BUS_FAULT_SHUFFLE_MS : (uint64_t)f->set.late_ms;

    *held = (struct bus_fault_held){ .what = what, .due_ms = now_ms + most_ms };
    if (fate == BUS_SHUFFLED)
        held->passes = 1 + (int)(draw(f) % BUS_FAULT_SHUFFLE_MOST);
    else
        held->due_ms = now_ms + draw(f) % (most_ms + 1);
}

static void *let_go(struct bus_fault *f, int i)
{
    void *what = f->held[i].what;

    f->held_count--;
    memmove(&f->held[i], &f->held[i + 1], (size_t)(f->held_count - i) * sizeof(f->held[0]));
    return what;
}

void *bus_fault_due(struct bus_fault *f, uint64_t now_ms)
{
    for (int i = 0; i < f->held_count; i++)
        if (f->held[i].due_ms <= now_ms)
            return let_go(f, i);
    return NULL;
}

void *bus_fault_any(struct bus_fault *f)
{
    return f->held_count > 0 ? let_go(f, 0) : NULL;
}

uint64_t bus_fault_next_ms(const struct bus_fault *f)
{
    uint64_t next = UINT64_MAX;

    for (int i = 0; i < f->held_count; i++)
        if (f->held[i].due_ms < next)
            next = f->held[i].due_ms;
    return next;
}
