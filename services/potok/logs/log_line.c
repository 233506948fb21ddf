#include "log_line.h"

#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s == NULL ? "" : s;
}

void log_line_read(struct log_line *ret, struct str text)
{
    *ret = (struct log_line){ json_loadb(text.p, text.n, 0, NULL), LOG_ERROR, "" };
    if (json_object_get(ret->root, "event") == NULL) {
        json_decref(ret->root);
        ret->root = NULL;
        return;
    }
    ret->timestamp = text_of(ret->root, "timestamp");
    if (log_level_of(text_of(ret->root, "level"), &ret->level) < 0)
        ret->level = LOG_INFO;
}

void log_line_fini(struct log_line *l)
{
    json_decref(l->root);
    l->root = NULL;
}

/* The clock of this place: who reads a log knows what time it was there. */
static void when_print(const char *timestamp, struct buf *out)
{
    int64_t ms;
    int offset_min;
    struct tm tm;
    char text[40];

    if (!clock_parse_iso(timestamp, strlen(timestamp), &ms, &offset_min)) {
        buf_fmt(out, "%-18s", timestamp);
        return;
    }
    time_t seconds = (time_t)(ms / 1000);

    strftime(text, sizeof(text), "%m-%d %H:%M:%S", localtime_r(&seconds, &tm));
    buf_fmt(out, "%s.%03d", text, (int)(ms % 1000));
}

static void detail_print(const char *key, json_t *value, struct buf *out)
{
    char *text;

    if (json_is_string(value)) {
        buf_fmt(out, "  %s=%s", key, json_string_value(value));
        return;
    }
    text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    buf_fmt(out, "  %s=%s", key, text == NULL ? "" : text);
    free(text);
}

void log_line_print(
    const struct log_line *l, struct str text, const char *origin, bool colour, struct buf *out)
{
    static const char *const colours[] = { "\033[90m", "", "\033[33m", "\033[31m" };
    const char *key;
    json_t *value;

    if (l->root == NULL) {
        buf_fmt(out, "%s%-18s %-7s %-10s " STR_FMT "%s", colour ? colours[LOG_ERROR] : "", "", "", origin,
            STR_ARG(text), colour ? "\033[0m" : "");
        return;
    }
    buf_str(out, colour ? colours[l->level] : "");
    when_print(l->timestamp, out);
    buf_fmt(out, " %-7s %-10s %s", text_of(l->root, "level"), text_of(l->root, "service"),
        text_of(l->root, "event"));
    json_object_foreach(json_object_get(l->root, "details"), key, value)
        detail_print(key, value, out);
    buf_str(out, colour && colours[l->level][0] != '\0' ? "\033[0m" : "");
}
