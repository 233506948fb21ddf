#include "events_line.h"

#include "base/buf.h"
#include "words/russian.h"
#include "words/say.h"

#include <stdio.h>

static long long number(const json_t *o, const char *key)
{
    return (long long)json_integer_value(json_object_get(o, key));
}

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s != NULL ? s : "";
}

static void put_part(struct buf *out)
{
    buf_str(out, out->n > 0 ? "; " : "");
}

static void put_ago(struct buf *out, long long at_ms, uint64_t now_ms)
{
    char span[SAY_COUNT_SIZE];

    buf_fmt(out, say("%s назад", "%s ago"),
        say_span((long long)now_ms > at_ms ? now_ms - (uint64_t)at_ms : 0, span));
}

static void put_error(struct buf *out, const char *error)
{
    char said[256];

    if (error[0] != '\0')
        buf_fmt(out, " (%s)", russian_message(error, said, sizeof(said)));
}

/* What an application is subscribed to. */
static void put_bound(struct buf *out, const json_t *events)
{
    if (!json_is_true(json_object_get(events, "app")))
        return;
    if (number(events, "looked_ms") > 0 || number(events, "wanted") > 0)
        buf_fmt(out, say("привязано %lld из %lld", "bound %lld of %lld"), number(events, "bound"),
            number(events, "wanted"));
    else
        buf_str(out, say("подписки ещё не смотрели", "subscriptions not looked at yet"));
    put_error(out, text(events, "error"));
}

static void put_heard(struct buf *out, const json_t *events, uint64_t now_ms)
{
    const long long heard_ms = number(events, "heard_ms");
    const bool app = json_is_true(json_object_get(events, "app"));

    if (heard_ms == 0 && (!app || json_is_null(json_object_get(events, "handler"))))
        return;
    put_part(out);
    buf_str(out,
        heard_ms > 0 ? say("последнее ", "the last ") : say("ни одного с запуска", "none since the start"));
    if (heard_ms > 0)
        put_ago(out, heard_ms, now_ms);
}

static void put_queue(struct buf *out, const json_t *queue, uint64_t now_ms)
{
    const long long read_ms = number(queue, "read_ms"), unconfirmed = number(queue, "unconfirmed");

    if (queue == NULL)
        return;
    put_part(out);
    if (json_object_get(queue, "events") == NULL) {
        buf_str(out, say("очереди у приложения нет", "the application has no queue"));
        return;
    }
    buf_fmt(out, say("из очереди %lld", "from the queue %lld"), number(queue, "events"));
    if (unconfirmed > 0)
        buf_fmt(out, say(", не подтверждено %lld", ", unconfirmed %lld"), unconfirmed);
    if (read_ms > 0) {
        buf_str(out, say(", читали ", ", read "));
        put_ago(out, read_ms, now_ms);
    }
    put_error(out, text(queue, "error"));
}

/* What no event had told though it should have: events are lost somewhere. */
static void put_found(struct buf *out, const json_t *events)
{
    const long long found = number(events, "found");

    if (found == 0 || out->n == 0)
        return;
    put_part(out);
    buf_fmt(out, say("без события найдено по дате %lld", "found by date without an event %lld"), found);
}

const char *events_line(const json_t *events, uint64_t now_ms, char ret[static EVENTS_LINE_SIZE])
{
    struct buf out;

    buf_init(&out, EVENTS_LINE_SIZE - 1);
    put_bound(&out, events);
    put_heard(&out, events, now_ms);
    put_queue(&out, json_object_get(events, "queue"), now_ms);
    put_found(&out, events);
    snprintf(ret, EVENTS_LINE_SIZE, STR_FMT, (int)out.n, out.n > 0 ? out.p : "");
    buf_fini(&out);
    return ret;
}
