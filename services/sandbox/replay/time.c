#include "time.h"

#include "base/clock.h"
#include "base/json_walk.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

static bool is_moment(struct str key)
{
    static const char *const keys[] = { "start", "finish", "operating_reset_at", "date_start",
        "date_finish" };

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (str_is(key, keys[i]))
            return true;
    return false;
}

static bool is_ours(const struct json_walk *w, bool bare, bool of_result)
{
    const struct str key = json_walk_key(w, 0), around = json_walk_key(w, 1);

    if (w->is_key)
        return false;
    if (of_result && w->depth == 1 && str_is(key, "result"))
        return true;
    return is_moment(key) && ((bare && w->depth == 1) || (w->depth == 2 && str_is(around, "time")) ||
                                 str_is(json_walk_key(w, 2), "result_time"));
}

/* Digits before the point; the first three behind it are milliseconds, those that follow are kept. */
static int64_t number_ms(struct str token)
{
    int64_t ms = 0;
    size_t i = 0;

    for (; i < token.n && token.p[i] >= '0' && token.p[i] <= '9'; i++)
        ms = ms < INT64_MAX / 100 ? ms * 10 + (token.p[i] - '0') : ms;
    ms = ms < INT64_MAX / 10000 ? ms * 1000 : 0;
    if (i < token.n && token.p[i] == '.')
        i++;
    for (int64_t unit = 100; i < token.n && token.p[i] >= '0' && token.p[i] <= '9' && unit > 0;
         i++, unit /= 10)
        ms += (token.p[i] - '0') * unit;
    return ms;
}

static void move_number(struct str token, int64_t by_ms, struct buf *out)
{
    const char *point = memchr(token.p, '.', token.n);
    const int64_t ms = number_ms(token) + by_ms;
    const size_t fraction = point ? token.n - (size_t)(point - token.p) - 1 : 0;
    char digits[8];

    buf_fmt(out, "%lld", (long long)(ms / 1000));
    if (fraction == 0)
        return;
    snprintf(digits, sizeof(digits), "%03d", (int)(ms % 1000));
    buf_char(out, '.');
    buf_add(out, digits, fraction < 3 ? fraction : 3);
    if (fraction > 3)
        buf_add(out, point + 4, fraction - 3);
}

/* The offset is what stands behind the seconds. */
static void move_iso(struct str token, int64_t by_ms, struct buf *out)
{
    const struct str text = { token.p + 1, token.n - 2 };
    unsigned month, day;
    int64_t ms;
    int offset, year;

    if (!clock_parse_iso(text.p, text.n, &ms, &offset) || text.n < 19) {
        buf_add(out, token.p, token.n);
        return;
    }
    const int64_t local = (ms + by_ms) / 1000 + (int64_t)offset * 60, s = local % 86400;
    clock_date(local / 86400, &year, &month, &day);
    buf_fmt(out, "\"%04d-%02u-%02uT%02d:%02d:%02d", year, month, day, (int)(s / 3600), (int)(s / 60 % 60),
        (int)(s % 60));
    buf_add(out, text.p + 19, text.n - 19);
    buf_char(out, '"');
}

int64_t replay_time_finish(struct str json)
{
    struct json_walk w;
    struct err err;
    int64_t ms = 0;
    int offset;

    json_walk_init(&w, json);
    while (json_walk_next(&w, &err) > 0) {
        const struct str key = json_walk_key(&w, 0);
        const bool ours = is_ours(&w, true, false) && !str_is(json_walk_key(&w, 2), "result_time");
        if (ours && str_is(key, "finish") && w.kind == JSON_IS_NUMBER)
            return number_ms(w.token);
        if (ours && str_is(key, "date_finish") && w.kind == JSON_IS_STRING)
            (void)clock_parse_iso(w.token.p + 1, w.token.n - 2, &ms, &offset);
    }
    return ms;
}

void replay_time_move(struct str json, bool bare, bool of_result, int64_t by_ms, struct buf *out)
{
    const size_t before = out->n;
    struct json_walk w;
    struct err err;
    int more;

    json_walk_init(&w, json);
    while ((more = json_walk_next(&w, &err)) > 0) {
        const bool ours = is_ours(&w, bare, of_result);

        buf_add(out, w.gap.p, w.gap.n);
        if (ours && w.kind == JSON_IS_NUMBER && w.token.p[0] != '-' && w.token.p[0] != '0')
            move_number(w.token, by_ms, out);
        else if (ours && w.kind == JSON_IS_STRING)
            move_iso(w.token, by_ms, out);
        else
            buf_add(out, w.token.p, w.token.n);
    }
    if (more == 0) {
        buf_add(out, w.gap.p, w.gap.n);
        return;
    }
    out->n = before; /* no JSON: as it is */
    buf_add(out, json.p, json.n);
}
