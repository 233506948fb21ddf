#include "connectors/bitrix_batch.h"

#include "connectors/bitrix_ask.h"

#include "connectors/bitrix_limits.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static struct wire cursor(struct str raw)
{
    struct wire w;

    wire_init(&w, raw.p, raw.n);
    return w;
}

bool bitrix_u64(struct wire *w, uint64_t *ret)
{
    int64_t value;

    switch (wire_peek(w)) {
    case WIRE_INT:
        value = wire_i64(w);
        if (value < 0)
            return false;
        *ret = (uint64_t)value;
        return true;
    case WIRE_STR:
        return str_u64(wire_str(w), ret);
    default:
        wire_skip(w);
        return false;
    }
}

bool bitrix_flag(struct wire *w)
{
    struct str word;

    switch (wire_peek(w)) {
    case WIRE_BOOL:
        return wire_bool(w);
    case WIRE_INT:
        return wire_i64(w) != 0;
    case WIRE_STR:
        word = wire_str(w);
        return str_case_eq(word, STR("Y")) || str_is(word, "1") || str_case_eq(word, STR("true"));
    default:
        wire_skip(w);
        return false;
    }
}

/* ---- lists ---- */

bool bitrix_list_open(struct bitrix_list *ret, struct str raw)
{
    *ret = (struct bitrix_list){ .w = cursor(raw) };
    ret->keyed = raw.n > 0 && wire_peek(&ret->w) == WIRE_MAP;
    if (raw.n == 0 || (!ret->keyed && wire_peek(&ret->w) != WIRE_ARRAY))
        return false;
    ret->n = ret->keyed ? wire_map(&ret->w) : wire_array(&ret->w);
    return true;
}

bool bitrix_list_next(struct bitrix_list *l)
{
    uint64_t number;

    return !l->keyed || (wire_peek(&l->w) == WIRE_STR && str_u64(wire_str(&l->w), &number));
}

/* ---- time ---- */

/* Seconds with or without a fraction, as a number or a string. False: nothing of the kind, or absurd. */
static bool seconds_read(struct wire *w, double *ret)
{
    char text[40], *end;
    struct str token;

    switch (wire_peek(w)) {
    case WIRE_INT:
        *ret = (double)wire_i64(w);
        return *ret >= 0 && *ret < LIMIT_UNIX_S;
    case WIRE_NUM:
        token = wire_number(w);
        break;
    case WIRE_STR:
        token = wire_str(w);
        break;
    default:
        wire_skip(w);
        return false;
    }
    if (token.n == 0 || token.n >= sizeof(text))
        return false;
    memcpy(text, token.p, token.n);
    text[token.n] = '\0';
    *ret = strtod(text, &end);
    return *end == '\0' && *ret >= 0 && *ret < LIMIT_UNIX_S;
}

/* To milliseconds; 0 when it is nothing of the kind. */
static uint64_t seconds_ms(struct wire *w)
{
    double s;

    return seconds_read(w, &s) ? (uint64_t)(s * 1000 + 0.5) : 0;
}

static bool operating_read(struct wire *w, uint64_t *ret_ms)
{
    double s;

    if (!seconds_read(w, &s) || s > LIMIT_OPERATING_S)
        return false;
    *ret_ms = (uint64_t)(s * 1000 + 0.5);
    return true;
}

static int64_t iso_ms(struct wire *w)
{
    int64_t ms = 0;
    int offset_min;

    if (wire_peek(w) != WIRE_STR) {
        wire_skip(w);
        return 0;
    }
    struct str s = wire_str(w);
    return clock_parse_iso(s.p, s.n, &ms, &offset_min) && ms > 0 ? ms : 0;
}

/* A Unix second, or, on one page of the documentation, an ISO instant. */
static uint64_t reset_s(struct wire *w)
{
    struct wire again = *w;
    uint64_t ms = seconds_ms(w);

    return ms > 0 ? ms / 1000 : (uint64_t)iso_ms(&again) / 1000;
}

void bitrix_time_read(struct bitrix_time *ret, struct str raw)
{
    struct wire w = cursor(raw);
    int64_t date_start_ms = 0, date_finish_ms = 0;

    *ret = (struct bitrix_time){ 0 };
    if (wire_peek(&w) != WIRE_MAP)
        return;
    for (uint32_t n = wire_map(&w); n > 0 && wire_ok(&w); n--) {
        struct str key = wire_str(&w);
        if (str_is(key, "start")) {
            ret->start_ms = (int64_t)seconds_ms(&w);
        } else if (str_is(key, "date_start")) {
            date_start_ms = iso_ms(&w);
        } else if (str_is(key, "finish")) {
            ret->finish_ms = (int64_t)seconds_ms(&w);
        } else if (str_is(key, "date_finish")) {
            date_finish_ms = iso_ms(&w);
        } else if (str_is(key, "operating")) {
            ret->operating_known = operating_read(&w, &ret->operating_ms);
        } else if (str_is(key, "operating_reset_at")) {
            ret->reset_s = reset_s(&w);
        } else {
            wire_skip(&w);
        }
    }
    if (ret->start_ms == 0)
        ret->start_ms = date_start_ms;
    if (ret->finish_ms == 0)
        ret->finish_ms = date_finish_ms;
}

/* ---- errors ---- */

/* Printable and short; what follows "/rest/" may be a webhook's secret. Cut between characters. */
static void text_copy(struct str s, char *ret, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n && n + 1 < size; i++) {
        ret[n++] = (unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f ? ' ' : s.p[i];
        if (n >= 6 && memcmp(ret + n - 6, "/rest/", 6) == 0)
            break;
    }
    while (n > 0 && n + 1 == size && ((unsigned char)ret[n - 1] & 0x80) != 0)
        n--;
    ret[n] = '\0';
}

/* A string, a number of any width, or nothing. */
static void scalar_copy(struct str raw, char *ret, size_t size)
{
    struct wire w = cursor(raw);

    ret[0] = '\0';
    switch (wire_peek(&w)) {
    case WIRE_STR:
        text_copy(wire_str(&w), ret, size);
        break;
    case WIRE_INT:
        snprintf(ret, size, "%" PRId64, wire_i64(&w));
        break;
    case WIRE_NUM:
        text_copy(wire_number(&w), ret, size);
        break;
    default:
        break;
    }
}

static struct str member(struct str map, const char *key)
{
    struct wire w = cursor(map);

    if (map.n == 0 || !wire_find(&w, key))
        return (struct str){ "", 0 };
    return wire_raw(&w);
}

void bitrix_error_of(struct bitrix_error *ret, struct str error, struct str description)
{
    struct wire w = cursor(error);

    if (wire_peek(&w) == WIRE_MAP) { /* v3 */
        description = member(error, "message");
        error = member(error, "code");
    }
    scalar_copy(error, ret->code, sizeof(ret->code));
    scalar_copy(description, ret->text, sizeof(ret->text));
    if (strcmp(ret->code, "0") == 0)
        ret->code[0] = '\0';
}

void bitrix_error_read(struct bitrix_error *ret, struct str raw)
{
    bitrix_error_of(ret, member(raw, "error"), member(raw, "error_description"));
}

/* ---- envelope ---- */

/* One of the maps "command -> what it got". PHP writes an empty one as []; a list with something in it has
 * lost the names of the commands. */
static void read_part(struct bitrix_batch *b, struct wire *w, enum bitrix_part part)
{
    if (wire_peek(w) != WIRE_MAP) {
        struct wire look = *w;
        if (wire_peek(w) != WIRE_NIL && (wire_peek(w) != WIRE_ARRAY || wire_array(&look) > 0))
            b->odd = true;
        wire_skip(w);
        return;
    }
    for (uint32_t n = wire_map(w); n > 0 && wire_ok(w); n--) {
        int command = bitrix_key_parse(wire_str(w));
        struct str raw = wire_raw(w);

        if (command >= 0 && b->part[part][command].n == 0)
            b->part[part][command] = raw;
        else
            b->odd = true; /* of two answers to one command neither is better */
    }
}

static void read_result(struct bitrix_batch *b, struct wire *w)
{
    static const char *const names[PARTS] = {
        [PART_RESULT] = "result",
        [PART_ERROR] = "result_error",
        [PART_TOTAL] = "result_total",
        [PART_NEXT] = "result_next",
        [PART_TIME] = "result_time",
    };

    if (wire_peek(w) != WIRE_MAP) {
        wire_skip(w);
        return;
    }
    b->odd |= b->has_result;
    for (uint32_t n = wire_map(w); n > 0 && wire_ok(w); n--) {
        struct str key = wire_str(w);
        int part = 0;

        while (part < PARTS && !str_is(key, names[part]))
            part++;
        if (part < PARTS)
            read_part(b, w, (enum bitrix_part)part);
        else
            wire_skip(w);
        b->has_result |= part == PART_RESULT;
    }
}

int bitrix_batch_read(struct bitrix_batch *b, struct str bytes, const struct wire_ends *ends, struct err *err)
{
    struct wire w = cursor(bytes);

    w.ends = ends;
    *b = (struct bitrix_batch){ .error = { "", 0 } };
    if (wire_peek(&w) != WIRE_MAP)
        return err_set(err, ERR_TEMP, "no object");
    for (uint32_t n = wire_map(&w); n > 0 && wire_ok(&w); n--) {
        struct str key = wire_str(&w);

        if (str_is(key, "result"))
            read_result(b, &w);
        else if (str_is(key, "error"))
            b->error = wire_peek(&w) == WIRE_NIL ? (wire_skip(&w), b->error) : wire_raw(&w);
        else if (str_is(key, "error_description"))
            b->description = wire_raw(&w);
        else if (str_is(key, "time"))
            b->time = wire_raw(&w);
        else
            wire_skip(&w);
    }
    return wire_ok(&w) ? 0 : err_set(err, ERR_TEMP, "no sound object");
}
