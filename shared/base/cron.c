#include "base/cron.h"

#include <stddef.h>
#include <stdio.h>

#define DAY_S     86400
#define DAYS_MOST (8 * 366 + 2) /* 29 February is at most eight years off */

/* ---- the text ---- */

struct field {
    const char *name, *names; /* of values: three letters each */
    int least, most, first;   /* first: value of the first name */
};

static const struct field FIELDS[] = {
    { "minute", "", 0, 59, 0 },
    { "hour", "", 0, 23, 0 },
    { "day", "", 1, 31, 0 },
    { "month", "janfebmaraprmayjunjulaugsepoctnovdec", 1, 12, 1 },
    { "weekday", "sunmontuewedthufrisat", 0, 7, 0 },
};

struct scan {
    struct str s;
    size_t at;
};

static char peek(const struct scan *x)
{
    return x->at < x->s.n ? x->s.p[x->at] : '\0';
}

static bool take(struct scan *x, char c)
{
    if (x->at == x->s.n || peek(x) != c)
        return false;
    x->at++;
    return true;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static int name_value(const struct field *f, struct scan *x)
{
    for (int i = 0; f->names[3 * i] != '\0'; i++) {
        bool same = x->s.n - x->at >= 3;

        for (size_t k = 0; same && k < 3; k++)
            same = lower(x->s.p[x->at + k]) == f->names[3 * (size_t)i + k];
        if (!same)
            continue;
        x->at += 3;
        return f->first + i;
    }
    return -1;
}

/* -1: none here, or one that is out of bounds. */
static int value(const struct field *f, struct scan *x)
{
    int n = 0;

    if (peek(x) < '0' || peek(x) > '9')
        return name_value(f, x);
    while (peek(x) >= '0' && peek(x) <= '9' && n <= 1000)
        n = n * 10 + (x->s.p[x->at++] - '0');
    return n >= f->least && n <= f->most ? n : -1;
}

static int step(struct scan *x)
{
    static const struct field steps = { "step", "", 1, 59, 0 };

    return take(x, '/') ? value(&steps, x) : 1;
}

/* One entry of a list. False: it is none. */
static bool entry(const struct field *f, struct scan *x, uint64_t *set)
{
    int from = f->least, to = f->most;
    bool range = take(x, '*');

    if (!range) {
        to = from = value(f, x);
        if (from >= 0 && take(x, '-')) {
            to = value(f, x);
            range = true;
        }
    }
    bool stepped = peek(x) == '/';
    int by = step(x);
    if (from < 0 || to < from || by < 0 || (stepped && !range))
        return false;
    for (int i = from; i <= to; i += by)
        *set |= (uint64_t)1 << i;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int bad_field(const struct field *f, struct str text, struct err *err)
{
    char shown[41];

    if (text.n == 0)
        return err_set(
            err, ERR_CONF, "the %s is missing: a schedule is minute hour day month weekday", f->name);
    snprintf(shown, sizeof(shown), STR_FMT, STR_ARG(text));
    return err_set(err, ERR_CONF, "\"%s\" is no %s: %d-%d, lists 1,2, ranges 1-5, steps */5%s", shown,
        f->name, f->least, f->most, f->names[0] != '\0' ? ", names" : "");
}

static int field(const struct field *f, struct scan *x, uint64_t *set, struct err *err)
{
    size_t from, end;

    while (is_blank(peek(x)))
        x->at++;
    from = end = x->at;
    while (end < x->s.n && !is_blank(x->s.p[end]))
        end++;
    *set = 0;
    bool good = end > from;
    while (good) {
        good = entry(f, x, set);
        if (good && x->at == end)
            return 0;
        good = good && take(x, ',');
    }
    return bad_field(f, (struct str){ x->s.p + from, end - from }, err);
}

static struct str nickname(struct str text)
{
    static const struct {
        const char *name, *text;
    } names[] = { { "@hourly", "0 * * * *" }, { "@daily", "0 0 * * *" }, { "@weekly", "0 0 * * 0" },
        { "@monthly", "0 0 1 * *" }, { "@yearly", "0 0 1 1 *" } };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (str_is(text, names[i].name))
            return str_of(names[i].text);
    return text;
}

int cron_parse(struct str text, struct cron *ret, struct err *err)
{
    struct scan x = { .s = nickname(text) };
    uint64_t sets[5];

    for (int i = 0; i < 5; i++)
        if (field(&FIELDS[i], &x, &sets[i], err) < 0)
            return -1;
    while (is_blank(peek(&x)))
        x.at++;
    if (x.at != x.s.n)
        return err_set(err, ERR_CONF, "a schedule has five fields: minute hour day month weekday");
    *ret = (struct cron){ .minutes = sets[0],
        .hours = (uint32_t)sets[1],
        .days = (uint32_t)sets[2],
        .months = (uint32_t)sets[3],
        .weekdays = (uint32_t)((sets[4] | sets[4] >> 7) & 0x7f) };
    ret->any_hour = ret->hours == 0xffffff;
    ret->any_day = ret->days == 0xfffffffe;
    ret->any_weekday = ret->weekdays == 0x7f;
    return 0;
}

/* ---- time ---- */

static bool is_day(const struct cron *c, int64_t days)
{
    int64_t year;
    int month, day;

    zone_date(days, &year, &month, &day);
    if ((c->months >> month & 1) == 0)
        return false;
    bool by_day = c->days >> day & 1, by_weekday = c->weekdays >> zone_weekday(days) & 1;
    if (c->any_day || c->any_weekday)
        return by_day && by_weekday;
    return by_day || by_weekday;
}

/* The least instant after `after` among those at which clocks show that local time. */
static int64_t instant_after(const struct cron *c, const struct zone *zone, int64_t local, int64_t after)
{
    int64_t at[2] = { 0, 0 };
    int count = zone_instants(zone, local, at);

    if (at[0] > after)
        return at[0];
    return count == 2 && c->any_hour && at[1] > after ? at[1] : CRON_NEVER;
}

static int64_t first_of_day(const struct cron *c, const struct zone *zone, int64_t days, int64_t after)
{
    int64_t best = CRON_NEVER;

    for (int hour = 0; hour < 24; hour++)
        for (int minute = 0; minute < 60; minute++) {
            if ((c->hours >> hour & 1) == 0 || (c->minutes >> minute & 1) == 0)
                continue;
            int64_t t = instant_after(c, zone, days * DAY_S + hour * 3600 + minute * 60, after);
            best = t < best ? t : best;
        }
    return best;
}

int64_t cron_next(const struct cron *c, const struct zone *zone, int64_t after)
{
    int64_t local = after + zone_offset(zone, after);
    int64_t today = (local >= 0 ? local : local - DAY_S + 1) / DAY_S;

    for (int64_t days = today - 1; days < today + DAYS_MOST; days++) {
        if (!is_day(c, days))
            continue;
        int64_t t = first_of_day(c, zone, days, after);
        if (t != CRON_NEVER)
            return t;
    }
    return CRON_NEVER;
}

/* ---- what was missed ---- */

bool cron_missed_parse(struct str text, enum cron_missed *ret)
{
    static const char *const names[] = { [CRON_ONCE] = "once", [CRON_ALL] = "all", [CRON_SKIP] = "skip" };

    for (int i = 0; i < 3; i++)
        if (str_is(text, names[i])) {
            *ret = (enum cron_missed)i;
            return true;
        }
    return false;
}

struct cron_due cron_due(
    const struct cron *c, const struct zone *zone, enum cron_missed missed, int64_t last, int64_t now)
{
    int64_t from = last < now ? last : now; /* a clock that stepped back */
    int64_t t = cron_next(c, zone, from);
    struct cron_due due = { .last = from, .next = t };

    if (t > now)
        return due;
    if (missed == CRON_ONCE)
        due.runs = 1;
    if (missed == CRON_SKIP)
        due.runs = cron_next(c, zone, from > now - CRON_LATE_S - 1 ? from : now - CRON_LATE_S - 1) <= now;
    for (; missed == CRON_ALL && t <= now && due.runs < CRON_ALL_MOST; t = cron_next(c, zone, t))
        due.runs++;
    due.last = now;
    due.next = cron_next(c, zone, now);
    return due;
}
