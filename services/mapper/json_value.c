#include "json_value.h"

#include "instant.h"

#define DEPTH_MAX 60

void json_plain(struct buf *out, struct str s)
{
    buf_json(out, s);
}

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

static void value_write(struct wire *w, json_on_string *on_string, struct buf *out, int depth);

static void array_write(struct wire *w, json_on_string *on_string, struct buf *out, int depth)
{
    uint32_t n = wire_array(w);

    buf_char(out, '[');
    for (uint32_t i = 0; i < n && wire_ok(w); i++) {
        if (i > 0)
            buf_char(out, ',');
        value_write(w, on_string, out, depth + 1);
    }
    buf_char(out, ']');
}

static void map_write(struct wire *w, json_on_string *on_string, struct buf *out, int depth)
{
    uint32_t n = wire_map(w);

    buf_char(out, '{');
    for (uint32_t i = 0; i < n && wire_ok(w); i++) {
        if (i > 0)
            buf_char(out, ',');
        struct str key = wire_str(w);
        if (!wire_ok(w))
            break;
        buf_json(out, key);
        buf_char(out, ':');
        value_write(w, on_string, out, depth + 1);
    }
    buf_char(out, '}');
}

static void token_write(struct wire *w, struct buf *out)
{
    struct str token = wire_number(w);

    buf_add(out, token.p, token.n);
}

static void value_write(struct wire *w, json_on_string *on_string, struct buf *out, int depth)
{
    switch (depth > DEPTH_MAX ? WIRE_END : wire_peek(w)) {
    case WIRE_NIL:
        wire_nil(w);
        buf_str(out, "null");
        break;
    case WIRE_BOOL:
        buf_str(out, wire_bool(w) ? "true" : "false");
        break;
    case WIRE_INT:
        buf_fmt(out, "%lld", (long long)wire_i64(w));
        break;
    case WIRE_UINT:
        buf_fmt(out, "%llu", (unsigned long long)wire_u64(w));
        break;
    case WIRE_NUM:
        token_write(w, out);
        break;
    case WIRE_STR:
        on_string(out, wire_str(w));
        break;
    case WIRE_ARRAY:
        array_write(w, on_string, out, depth);
        break;
    case WIRE_MAP:
        map_write(w, on_string, out, depth);
        break;
    case WIRE_END:
    case WIRE_BIN:
    case WIRE_OTHER:
        wire_fail(w);
        break;
    }
}

void json_write(struct wire *w, json_on_string *on_string, struct buf *out)
{
    value_write(w, on_string, out, 0);
}
