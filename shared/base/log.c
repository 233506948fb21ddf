#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_MAX_BYTES   65536
#define STRING_MAX_BYTES 4096
#define REPEAT_MOST      20    /* lines of one event and level ... */
#define REPEAT_WINDOW_MS 10000 /* ... in this long; more are only counted */
#define REPEAT_SLOTS     64

/* What was said lately. An event finds its slot by its name; two events of one slot push each other out,
 * which costs a few lines too many and nothing else. */
struct repeat {
    char event[48];
    enum log_level level;
    uint64_t since_ms;
    unsigned said, held_back;
};

static struct {
    pthread_mutex_t lock; /* guards repeats */
    struct repeat repeats[REPEAT_SLOTS];
    char service[32];
    enum log_level least;
} state = { .lock = PTHREAD_MUTEX_INITIALIZER, .service = "potok", .least = LOG_INFO };

static __thread char correlation[64];

static const char *const level_names[] = { "DEBUG", "INFO", "WARNING", "ERROR" };

static void add_member(struct buf *b, const char *key)
{
    if (b->n > 0 && b->p[b->n - 1] != '{')
        buf_char(b, ',');
    buf_json(b, str_of(key));
    buf_char(b, ':');
}

static void add_text(struct buf *b, struct str s)
{
    size_t n = utf8_cut(s.p, s.n, STRING_MAX_BYTES);
    struct buf masked;

    buf_init(&masked, STRING_MAX_BYTES * 12);
    text_mask((struct str){ s.p, n }, &masked);
    if (n < s.n)
        buf_str(&masked, "...");
    buf_json(b, buf_view(&masked));
    buf_fini(&masked);
}

static void add_err(struct buf *b, const struct err *err)
{
    static const struct err none = { 0 };
    const struct err *e = err ? err : &none;

    add_member(b, "error_type");
    buf_json(b, str_of(err_kind_name(e->kind)));
    add_member(b, "error_code");
    buf_fmt(b, "%d", e->code);
    add_member(b, "error");
    add_text(b, str_of(e->text));
}

static void add_pair(struct buf *b, const struct kv *kv)
{
    if (kv->type == KV_ERR) {
        add_err(b, kv->v.err);
        return;
    }
    add_member(b, kv->key);
    switch (kv->type) {
    case KV_STR:
    case KV_URL: /* every text is masked: a URL only says what it is */
        add_text(b, kv->v.s);
        break;
    case KV_I64:
        buf_fmt(b, "%lld", (long long)kv->v.i);
        break;
    case KV_U64:
        buf_fmt(b, "%llu", (unsigned long long)kv->v.u);
        break;
    case KV_F64:
        if (isfinite(kv->v.f))
            buf_f64(b, kv->v.f);
        else
            buf_str(b, "null");
        break;
    case KV_BOOL:
        buf_str(b, kv->v.u ? "true" : "false");
        break;
    default:
        buf_str(b, "\"(masked)\"");
        break;
    }
}

static void add_head(struct buf *b, enum log_level level, const char *event)
{
    char now[CLOCK_ISO_SIZE];

    clock_iso(clock_wall_ms(), now);
    buf_char(b, '{');
    add_member(b, "timestamp");
    buf_json(b, str_of(now));
    add_member(b, "level");
    buf_json(b, str_of(level_names[level]));
    add_member(b, "service");
    buf_json(b, str_of(state.service));
    add_member(b, "event");
    buf_json(b, str_of(event));
    add_member(b, "correlation_id");
    if (correlation[0])
        buf_json(b, str_of(correlation));
    else
        buf_str(b, "null");
    buf_str(b, ",\"details\":");
}

/* One write, so that lines of several processes on one pipe do not mix. Nobody can be told when it fails. */
static void put_line(const struct buf *b)
{
    size_t done = 0;

    while (done < b->n) {
        ssize_t n = write(STDERR_FILENO, b->p + done, b->n - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        done += (size_t)n;
    }
}

static void say(enum log_level level, const char *event, const struct kv *kv, size_t n)
{
    struct buf line;

    buf_init(&line, LINE_MAX_BYTES);
    add_head(&line, level, event);

    size_t head = line.n;
    buf_char(&line, '{');
    for (size_t i = 0; i < n; i++)
        add_pair(&line, &kv[i]);
    buf_str(&line, "}}\n");
    if (line.failed) { /* the line still says that it happened */
        line.n = head;
        line.failed = false;
        buf_str(&line, "{\"truncated\":true}}\n");
    }
    put_line(&line);
    buf_fini(&line);
}

static void say_repeat(const struct repeat *r)
{
    struct kv kv[] = { kv_s("event", r->event), kv_u("count", r->held_back),
        kv_u("seconds", REPEAT_WINDOW_MS / 1000) };

    say(r->level, "log.repeated", kv, ARRAY_SIZE(kv));
}

/* Tells what was held back in windows that are over (`all`: in every window) and forgets them. */
static void tell_repeats(uint64_t now_ms, bool all)
{
    for (struct repeat *r = state.repeats; r < state.repeats + REPEAT_SLOTS; r++) {
        if (!r->event[0] || (!all && now_ms - r->since_ms < REPEAT_WINDOW_MS))
            continue;
        if (r->held_back)
            say_repeat(r);
        *r = (struct repeat){ 0 };
    }
}

static unsigned slot_of(enum log_level level, const char *event)
{
    unsigned hash = 5381 + (unsigned)level;

    for (; *event; event++)
        hash = hash * 33 ^ (unsigned char)*event;
    return hash % REPEAT_SLOTS;
}

static bool may_say(enum log_level level, const char *event)
{
    uint64_t now_ms = clock_mono_ms();
    struct repeat *r = &state.repeats[slot_of(level, event)];
    bool ret;

    pthread_mutex_lock(&state.lock);
    tell_repeats(now_ms, false);
    if (r->level != level || strncmp(r->event, event, sizeof(r->event) - 1) != 0) {
        if (r->held_back)
            say_repeat(r);
        *r = (struct repeat){ .level = level, .since_ms = now_ms };
        snprintf(r->event, sizeof(r->event), "%s", event);
    }
    ret = r->said < REPEAT_MOST;
    if (ret)
        r->said++;
    else
        r->held_back++;
    pthread_mutex_unlock(&state.lock);
    return ret;
}

static void tell_at_exit(void)
{
    pthread_mutex_lock(&state.lock);
    tell_repeats(0, true);
    pthread_mutex_unlock(&state.lock);
}

void log_init(const char *service, enum log_level least)
{
    static bool told;

    snprintf(state.service, sizeof(state.service), "%s", service);
    __atomic_store_n(&state.least, least, __ATOMIC_RELAXED);
    if (!__atomic_exchange_n(&told, true, __ATOMIC_RELAXED))
        atexit(tell_at_exit);
}

void log_correlate(const char *correlation_id)
{
    snprintf(correlation, sizeof(correlation), "%s", correlation_id ? correlation_id : "");
}

void log_write(enum log_level level, const char *event, const struct kv *kv, size_t n)
{
    if (level >= __atomic_load_n(&state.least, __ATOMIC_RELAXED) && may_say(level, event))
        say(level, event, kv, n);
}

int log_level_of(const char *name, enum log_level *ret)
{
    static const struct {
        const char *name;
        enum log_level level;
    } names[] = {
        { "DEBUG", LOG_DEBUG },
        { "INFO", LOG_INFO },
        { "WARNING", LOG_WARNING },
        { "WARN", LOG_WARNING },
        { "ERROR", LOG_ERROR },
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (str_case_eq(str_of(name), str_of(names[i].name))) {
            *ret = names[i].level;
            return 0;
        }
    }
    return -1;
}
