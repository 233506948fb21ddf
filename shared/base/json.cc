/* json.cc - simdjson's first stage finds where tokens begin and checks the strings' bytes; what the tokens
 * mean is read here, in one walk over their places: numbers must stay exact and broken text must be mended,
 * which simdjson 3.0.1 does not offer, and its own walk takes twice the time on the short values of a portal.
 * No exception leaves: everything is noexcept and simdjson is asked for error codes. */
#include <simdjson.h>

#include <memory>

#include <stdlib.h>
#include <string.h>

extern "C" { /* the base headers are C's */
#include "base/json.h"

#include "base/json_token.h"
#include "base/mem.h"
#include "base/utf8.h"
}

namespace
{

using parser_ptr = std::unique_ptr<simdjson::internal::dom_parser_implementation>;

constexpr size_t KEEP_BYTES = 8u << 20; /* a parser grown beyond this is thrown away */
constexpr int INT_DIGITS_SURE = 18;     /* fit an int64 whatever they are */
static_assert(JSON_PADDING >= simdjson::SIMDJSON_PADDING, "simdjson reads this far past the end");

struct reader {
    const struct json_sink *sink;
    char *text;
    size_t n;
    const uint32_t
        *at; /* where tokens begin: structure, the quotes that open strings, the rest; then the end */
    uint32_t count, next;
    const char *backslash; /* the first one at or behind the string read last; before it: to be looked for */
    uint64_t repaired;
    int depth;
    size_t failed_at;
    const char *failed; /* why; nullptr = all well */
};

bool fail(reader &r, const char *at, const char *why) noexcept
{
    r.failed = why;
    r.failed_at = at >= r.text && at <= r.text + r.n ? size_t(at - r.text) : r.n;
    return false;
}

/* ---- tokens ---- */

/* Where the next token begins. Behind the last one that is the end of the text, where a NUL stands. */
char *here(const reader &r) noexcept
{
    return r.text + r.at[r.next];
}

bool at_end(const reader &r) noexcept
{
    return r.next == r.count;
}

bool is_space(char c) noexcept
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A number or a word: up to the next token, without the blanks before it. */
struct str take_plain(reader &r) noexcept
{
    const char *from = here(r);
    size_t n = r.at[r.next + 1] - r.at[r.next];

    r.next++;
    while (n > 0 && is_space(from[n - 1]))
        n--;
    return { from, n };
}

/* Digits that fit, with or without a sign; false: look closer. */
bool read_plain_int(struct str token, int64_t *ret) noexcept
{
    const bool negative = token.n > 0 && token.p[0] == '-';
    const char *p = token.p + negative, *end = token.p + token.n;
    int64_t value = 0;

    if (p == end || end - p > INT_DIGITS_SURE || (*p == '0' && (negative || end - p > 1)))
        return false;
    for (; p < end; p++) {
        if (*p < '0' || *p > '9')
            return false;
        value = value * 10 + (*p - '0');
    }
    *ret = negative ? -value : value;
    return true;
}

bool read_number(reader &r, struct str token) noexcept
{
    bool whole;
    int64_t value;

    if (read_plain_int(token, &value)) {
        r.sink->on_int(r.sink->ctx, value);
        return true;
    }
    if (!json_number_is(token, &whole))
        return fail(r, token.p, "not a value");
    if (whole && !str_is(token, "-0") && str_i64(token, &value))
        r.sink->on_int(r.sink->ctx, value);
    else
        r.sink->on_number(r.sink->ctx, token);
    return true;
}

bool read_word(reader &r, struct str token) noexcept
{
    if (str_eq(token, STR("null")))
        r.sink->on_null(r.sink->ctx);
    else if (str_eq(token, STR("true")))
        r.sink->on_bool(r.sink->ctx, 1);
    else if (str_eq(token, STR("false")))
        r.sink->on_bool(r.sink->ctx, 0);
    else
        return read_number(r, token);
    return true;
}

/* The first backslash from p on, or the end of the text. */
const char *find_backslash(const reader &r, const char *p) noexcept
{
    const char *end = r.text + r.n;
    const void *at = memchr(p, '\\', size_t(end - p));

    return at ? static_cast<const char *>(at) : end;
}

/* The token is the opening quote. The first stage has seen the closing one: an unclosed string does not get
 * here, and before the next token there are only blanks. Most strings have no escape and are followed at once
 * by a comma. */
bool take_string(reader &r, struct str *ret) noexcept
{
    char *begin = here(r) + 1, *p = r.text + r.at[++r.next];

    if (r.backslash < begin)
        r.backslash = find_backslash(r, begin);
    if (r.backslash < p) {
        p = r.text + (r.backslash - r.text);
        const char *bad = json_unescape(&p, &r.repaired);
        if (bad)
            return fail(r, bad, "bad escape");
    } else {
        while (*--p != '"')
            ;
    }
    *ret = { begin, size_t(p - begin) };
    return true;
}

/* ---- values ---- */

bool fail_here(reader &r) noexcept
{
    return fail(r, here(r), at_end(r) ? "text ends early" : "not JSON");
}

bool read_value(reader &r) noexcept;

bool read_member(reader &r) noexcept
{
    struct str key;

    if (*here(r) != '"')
        return fail_here(r);
    if (!take_string(r, &key))
        return false;
    r.sink->on_key(r.sink->ctx, key);
    if (*here(r) != ':')
        return fail_here(r);
    r.next++;
    return read_value(r);
}

/* What stands between the opening token, which is taken, and `close`: members or elements, with commas
 * between. */
template <char close, bool (*read)(reader &) noexcept>
bool read_items(reader &r, uint32_t *ret_count) noexcept
{
    if (*here(r) == close) {
        r.next++;
        return true;
    }
    for (;;) {
        if (!read(r))
            return false;
        ++*ret_count;
        const char c = *here(r);
        if (c != ',' && c != close)
            return fail_here(r);
        r.next++;
        if (c == close)
            return true;
    }
}

bool read_container(reader &r, char open) noexcept
{
    uint32_t count = 0;
    bool good;

    if (++r.depth > JSON_DEPTH_MAX)
        return fail(r, here(r), "too deep");
    r.next++;
    if (open == '{') {
        r.sink->on_map(r.sink->ctx);
        good = read_items<'}', read_member>(r, &count);
        if (good)
            r.sink->on_map_end(r.sink->ctx, count);
    } else {
        r.sink->on_array(r.sink->ctx);
        good = read_items<']', read_value>(r, &count);
        if (good)
            r.sink->on_array_end(r.sink->ctx, count);
    }
    r.depth--;
    return good;
}

bool read_value(reader &r) noexcept
{
    struct str s;

    switch (*here(r)) {
    case '"':
        if (!take_string(r, &s))
            return false;
        r.sink->on_str(r.sink->ctx, s);
        return true;
    case '{':
    case '[':
        return read_container(r, *here(r));
    case ',':
    case ':':
    case '}':
    case ']':
        return fail(r, here(r), "a value is missing");
    default:
        return at_end(r) ? fail_here(r) : read_word(r, take_plain(r));
    }
}

bool read_document(reader &r) noexcept
{
    if (!read_value(r))
        return false;
    return at_end(r) || fail(r, here(r), "text goes on after its end");
}

/* ---- the text ---- */

/* The first stage fails for the whole text; people want to know where. */
bool fail_first_stage(reader &r, simdjson::error_code code) noexcept
{
    bool inside = false;

    if (code == simdjson::EMPTY)
        return fail(r, r.text, "no text");
    if (code == simdjson::UNCLOSED_STRING)
        return fail(r, r.text + r.n, "text ends inside a string");
    for (size_t i = 0; i < r.n; i++) {
        char c = r.text[i];

        if (inside && c == '\\')
            i++;
        else if (c == '"')
            inside = !inside;
        else if (inside && (unsigned char)c < 0x20)
            return fail(r, r.text + i, "control character inside a string");
    }
    return fail(r, r.text, simdjson::error_message(code));
}

/* A copy with every piece of bad UTF-8 replaced; the caller frees. Offsets in errors then count in it. */
char *repair(reader &r) noexcept
{
    char *copy = static_cast<char *>(xmalloc(r.n * 3 + JSON_PADDING));
    size_t have = 0;

    for (size_t i = 0; i < r.n;) {
        size_t step = utf8_step(r.text + i, r.n - i);

        if (step == 0) {
            memcpy(copy + have, UTF8_REPLACEMENT, 3);
            have += 3;
            i += utf8_bad(r.text + i, r.n - i);
            r.repaired++;
        } else {
            memcpy(copy + have, r.text + i, step);
            have += step;
            i += step;
        }
    }
    r.text = copy;
    r.n = have;
    return copy;
}

/* Room for the places of that many bytes' tokens. */
simdjson::error_code make_parser(parser_ptr &parser, size_t n) noexcept
{
    if (parser && parser->capacity() >= n)
        return simdjson::SUCCESS;
    return simdjson::get_active_implementation()->create_dom_parser_implementation(n, JSON_DEPTH_MAX, parser);
}

simdjson::error_code first_stage(reader &r, parser_ptr &parser) noexcept
{
    if (r.n == 0)
        return simdjson::EMPTY;

    simdjson::error_code code = make_parser(parser, r.n);
    if (code)
        return code;
    memset(r.text + r.n, 0, JSON_PADDING);
    code = parser->stage1(reinterpret_cast<const uint8_t *>(r.text), r.n, simdjson::stage1_mode::regular);
    if (code)
        return code;
    r.at = parser->structural_indexes.get();
    r.count = parser->n_structural_indexes;
    r.backslash = nullptr;
    parser->structural_indexes[r.count] = uint32_t(r.n); /* simdjson leaves room for it */
    return simdjson::SUCCESS;
}

bool read_text(reader &r, parser_ptr &parser) noexcept
{
    char *copy = nullptr;
    simdjson::error_code code = first_stage(r, parser);

    if (code == simdjson::UTF8_ERROR) {
        copy = repair(r);
        code = first_stage(r, parser);
    }

    bool good = code ? fail_first_stage(r, code) : read_document(r);
    free(copy);
    return good;
}

} /* namespace */

int json_read(char *text, size_t n, const struct json_sink *sink, struct json_stats *stats, struct err *err)
{
    thread_local parser_ptr parser;
    const size_t bom = n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    reader r = { sink, text + bom, n - bom, nullptr, 0, 0, nullptr, 0, 0, 0, nullptr };

    const bool good = read_text(r, parser);
    if (parser && parser->capacity() > KEEP_BYTES)
        parser.reset();
    if (!good)
        return err_set(err, ERR_TEMP, "JSON at byte %zu: %s", r.failed_at + bom, r.failed);
    if (stats)
        stats->repaired = r.repaired;
    return 0;
}
