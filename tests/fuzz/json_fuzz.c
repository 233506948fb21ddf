/* Bytes of a portal's answer, with a plain reader beside that only says yes or no and counts: simdjson is
 * lenient in places, and json.cc promises not to be. */
#include "base/json.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "support/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>

struct counts {
    unsigned maps, arrays, strings, keys, numbers, words;
};

/* --- what json_read() tells, checked for sense --- */

struct told {
    struct counts seen;
    uint32_t members[JSON_DEPTH_MAX + 1]; /* so far, of each open container; [0] = the document */
    bool is_map[JSON_DEPTH_MAX + 1];
    int depth;
    bool key_given;
};

static void check_text(struct str s)
{
    for (size_t i = 0; i < s.n;) {
        size_t step = utf8_step(s.p + i, s.n - i);

        EXPECT(step > 0);
        i += step;
    }
}

static void count_value(struct told *t)
{
    EXPECT(t->is_map[t->depth] == t->key_given);
    t->key_given = false;
    t->members[t->depth]++;
}

static void open_container(struct told *t, bool is_map)
{
    count_value(t);
    EXPECT(t->depth < JSON_DEPTH_MAX);
    t->depth++;
    t->is_map[t->depth] = is_map;
    t->members[t->depth] = 0;
}

static void close_container(struct told *t, bool is_map, uint32_t count)
{
    EXPECT(t->depth > 0 && t->is_map[t->depth] == is_map && t->members[t->depth] == count && !t->key_given);
    t->depth--;
}

static void on_null(void *ctx)
{
    struct told *t = ctx;

    count_value(t);
    t->seen.words++;
}

static void on_bool(void *ctx, int value)
{
    EXPECT(value == 0 || value == 1);
    on_null(ctx);
}

static void on_int(void *ctx, int64_t value)
{
    struct told *t = ctx;

    count_value(t);
    t->seen.numbers++;
}

static void on_number(void *ctx, struct str token)
{
    EXPECT(token.n > 0 && strspn(token.p, "+-.0123456789eE") >= token.n);
    on_int(ctx, 0);
}

static void on_str(void *ctx, struct str value)
{
    struct told *t = ctx;

    check_text(value);
    count_value(t);
    t->seen.strings++;
}

static void on_key(void *ctx, struct str key)
{
    struct told *t = ctx;

    check_text(key);
    EXPECT(t->is_map[t->depth] && !t->key_given);
    t->key_given = true;
    t->seen.keys++;
}

static void on_map(void *ctx)
{
    struct told *t = ctx;

    open_container(t, true);
    t->seen.maps++;
}

static void on_map_end(void *ctx, uint32_t count)
{
    close_container(ctx, true, count);
}

static void on_array(void *ctx)
{
    struct told *t = ctx;

    open_container(t, false);
    t->seen.arrays++;
}

static void on_array_end(void *ctx, uint32_t count)
{
    close_container(ctx, false, count);
}

/* --- the plain reader: RFC 8259 by the letter; bytes above ASCII pass inside strings --- */

struct plain {
    const char *p, *end;
    struct counts seen;
    int depth;
};

static void skip_space(struct plain *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
        r->p++;
}

static bool take(struct plain *r, char c)
{
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

static bool take_word(struct plain *r, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0)
        return false;
    r->p += n;
    r->seen.words++;
    return true;
}

static bool take_digits(struct plain *r)
{
    const char *from = r->p;

    while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
        r->p++;
    return r->p > from;
}

static bool take_number(struct plain *r)
{
    take(r, '-');
    if (!take(r, '0') && !take_digits(r))
        return false;
    if (take(r, '.') && !take_digits(r))
        return false;
    if (take(r, 'e') || take(r, 'E')) {
        if (!take(r, '+'))
            take(r, '-');
        if (!take_digits(r))
            return false;
    }
    r->seen.numbers++;
    return true;
}

static bool take_escape(struct plain *r)
{
    if (r->p == r->end)
        return false;

    char c = *r->p++;
    if (c != 'u')
        return c != '\0' && strchr("\"\\/bfnrt", c) != NULL;
    for (int i = 0; i < 4; i++, r->p++)
        if (r->p == r->end || *r->p == '\0' || !strchr("0123456789abcdefABCDEF", *r->p))
            return false;
    return true;
}

static bool take_string(struct plain *r)
{
    if (!take(r, '"'))
        return false;
    while (r->p < r->end) {
        unsigned char c = (unsigned char)*r->p++;

        if (c == '"')
            return true;
        if (c < 0x20 || (c == '\\' && !take_escape(r)))
            return false;
    }
    return false;
}

static bool take_value(struct plain *r);

static bool take_member(struct plain *r, bool is_map)
{
    skip_space(r);
    if (is_map) {
        if (!take_string(r))
            return false;
        r->seen.keys++;
        skip_space(r);
        if (!take(r, ':'))
            return false;
    }
    return take_value(r);
}

/* Behind the opening bracket. */
static bool take_members(struct plain *r, bool is_map, char close)
{
    if (++r->depth > JSON_DEPTH_MAX)
        return false;
    skip_space(r);
    if (!take(r, close)) {
        do {
            if (!take_member(r, is_map))
                return false;
        } while (take(r, ','));
        if (!take(r, close))
            return false;
    }
    r->depth--;
    return true;
}

static bool take_value(struct plain *r)
{
    bool good;

    skip_space(r);
    if (r->p < r->end && *r->p == '"') {
        good = take_string(r);
        r->seen.strings++;
    } else if (take(r, '{')) {
        r->seen.maps++;
        good = take_members(r, true, '}');
    } else if (take(r, '[')) {
        r->seen.arrays++;
        good = take_members(r, false, ']');
    } else {
        good = take_word(r, "null") || take_word(r, "true") || take_word(r, "false") || take_number(r);
    }
    skip_space(r);
    return good;
}

static bool read_plain(const char *text, size_t n, struct counts *ret)
{
    size_t bom = n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    struct plain r = { .p = text + bom, .end = text + n };

    if (!take_value(&r) || r.p != r.end)
        return false;
    *ret = r.seen;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct told told = { 0 };
    struct counts plain = { 0 };
    struct json_sink sink = { &told, on_null, on_bool, on_int, on_number, on_str, on_key, on_map, on_map_end,
        on_array, on_array_end };
    struct json_stats stats;
    struct err err = { 0 };
    bool good = read_plain((const char *)data, size, &plain);
    char *text = xmalloc(size + JSON_PADDING);

    if (size > 0)
        memcpy(text, data, size);
    memset(text + size, '"', JSON_PADDING);
    if (json_read(text, size, &sink, &stats, &err) < 0) {
        EXPECT(!good && err.kind == ERR_TEMP);
    } else {
        EXPECT(good && told.depth == 0 && told.members[0] == 1);
        EXPECT(memcmp(&plain, &told.seen, sizeof(plain)) == 0);
    }
    free(text);
    return 0;
}
