/* log.h - one JSON object a line on standard error (design section 9):
 * {"timestamp":…,"level":…,"service":…,"event":…,"correlation_id":…,"details":{…}}
 * An event name ("noun.verb") and typed pairs, never a free format string. Secrets are masked by type: use
 * kv_url() for anything that may hold a webhook token, kv_secret() for keys. Thread-safe.
 * ERROR = someone must act, WARNING = we coped, INFO = life cycle, DEBUG = off unless LOG_LEVEL=DEBUG.
 * The same event of the same level more than 20 times in 10 s is counted, then told once. */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

struct kv {
    const char *key;
    enum { KV_STR, KV_I64, KV_U64, KV_F64, KV_BOOL, KV_URL, KV_SECRET, KV_ERR } type;
    union {
        struct str s;
        int64_t i;
        uint64_t u;
        double f;
        const struct err *err;
    } v;
};

static inline struct kv kv_s(const char *key, const char *s) { return (struct kv){ key, KV_STR, { .s = str_of(s) } }; }
static inline struct kv kv_str(const char *key, struct str s) { return (struct kv){ key, KV_STR, { .s = s } }; }
static inline struct kv kv_i(const char *key, int64_t i) { return (struct kv){ key, KV_I64, { .i = i } }; }
static inline struct kv kv_u(const char *key, uint64_t u) { return (struct kv){ key, KV_U64, { .u = u } }; }
static inline struct kv kv_f(const char *key, double f) { return (struct kv){ key, KV_F64, { .f = f } }; }
static inline struct kv kv_b(const char *key, bool b) { return (struct kv){ key, KV_BOOL, { .u = b } }; }
static inline struct kv kv_url(const char *key, const char *u) { return (struct kv){ key, KV_URL, { .s = str_of(u) } }; }
static inline struct kv kv_secret(const char *key) { return (struct kv){ key, KV_SECRET, { .u = 0 } }; }
/* Adds "error_type" (kind), "error_code" and "error" (text). */
static inline struct kv kv_err(const struct err *err) { return (struct kv){ "error", KV_ERR, { .err = err } }; }

void log_init(const char *service, enum log_level least);
/* correlation id of what the calling thread works on now; NULL = none */
void log_correlate(const char *correlation_id);
void log_write(enum log_level level, const char *event, const struct kv *kv, size_t n);
int log_level_of(const char *name, enum log_level *ret);   /* case-insensitive; -1 = unknown */

#define log_ev(level, event, ...) \
    log_write(level, event, (const struct kv[]){ __VA_ARGS__ }, sizeof((const struct kv[]){ __VA_ARGS__ }) / sizeof(struct kv))
#define log_event(level, event) log_write(level, event, NULL, 0)

/* "https://p.bitrix24.ru/rest/1/abcdef123/" -> "https://p.bitrix24.ru/rest/1/(masked)/"; passwords in authority and
 * query values of auth, access_token, refresh_token, client_secret, code masked too. ret is NUL-terminated. */
void url_mask(struct str url, char *ret, size_t size);
/* The same for any text, which may hold several URLs or pieces of them. Free text given to kv_s() passes here too. */
struct buf;
void text_mask(struct str text, struct buf *out);
