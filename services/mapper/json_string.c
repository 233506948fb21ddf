#include "json_string.h"

#include "instant.h"

void json_date(struct buf *out, struct str s)
{
    buf_json(out, date_is(s) ? (struct str){ s.p, 10 } : s);
}

void json_time(struct buf *out, struct str s)
{
    char utc[INSTANT_SIZE];
    int n = instant_utc(s, utc);

    buf_json(out, n > 0 ? (struct str){ utc, (size_t)n } : s);
}

/* Where the next value of a query parameter called auth begins; NULL = nowhere. */
static const char *auth_value(const char *p, const char *end)
{
    const struct str name = STR("auth=");

    for (; p + name.n < end; p++) {
        if ((*p == '?' || *p == '&' || *p == ';') && memcmp(p + 1, name.p, name.n) == 0)
            return p + 1 + name.n;
    }
    return NULL;
}

void json_address(struct buf *out, struct str s)
{
    struct buf clean;
    const char *p = s.p, *end = s.p + s.n, *value;

    if (s.n == 0 || auth_value(p, end) == NULL) {
        buf_json(out, s);
        return;
    }
    buf_init(&clean, s.n);
    while ((value = auth_value(p, end)) != NULL) {
        buf_add(&clean, p, (size_t)(value - p));
        for (p = value; p < end && *p != '&' && *p != '#';)
            p++;
    }
    buf_add(&clean, p, (size_t)(end - p));
    buf_json(out, buf_view(&clean));
    buf_fini(&clean);
}
