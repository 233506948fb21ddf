/* err.h - one shape for everything that can fail.
 * A fallible function returns 0 or -1 and fills *err; its outputs are untouched on failure. Kinds say what to
 * do, not what broke. A function returns an error or logs it, never both. By value on the caller's stack;
 * nothing to free. `text` never holds a secret: whoever formats a URL passes it through url_mask() first. */
#pragma once

#include <stddef.h>

enum err_kind {
    ERR_NONE = 0,
    ERR_TEMP,   /* try again later: network, busy database, 5xx */
    ERR_WAIT,   /* try again after retry_ms: rate limit, operating limit */
    ERR_PERM,   /* this piece of work can never succeed: set it aside */
    ERR_AUTH,   /* credentials or rights: stop the portal, tell the user */
    ERR_CONF,   /* configuration: refuse to start */
    ERR_LIMIT,  /* too big: ask for less */
    ERR_BUG,    /* ours */
    ERR_KINDS
};

#define ERR_TEXT_SIZE 768   /* Russian takes two bytes a letter, and a cure may hold SQL to paste: none is cut */

struct err {
    enum err_kind kind;
    int code;               /* HTTP status, errno or SQLite code; 0 = none */
    unsigned retry_ms;      /* ERR_WAIT: how long */
    char text[ERR_TEXT_SIZE];   /* reads outside-in: "page 12 of deal: HTTP 503" */
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* Fills *err (NULL allowed) and returns -1. */
int err_set(struct err *err, enum err_kind kind, const char *format, ...) __attribute__((format(printf, 3, 4)));
int err_code(struct err *err, enum err_kind kind, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Puts "text: " before what is there; returns -1. */
int err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The words of people: `potok` sets the hook before any thread starts, services and logs stay English. It gives the same
 * text with the same conversions in the same order, or its argument where it knows no other. NULL: English. */
extern const char *(*err_translate)(const char *english) __attribute__((format_arg(1)));
const char *err_tr(const char *english) __attribute__((format_arg(1)));     /* a text that is an argument of the above */
const char *err_reason(int code);                       /* strerror(), by the hook */
const char *err_kind_name(enum err_kind kind);          /* "temp", "auth", ...; stable, on the wire */
enum err_kind err_kind_of(const char *name, size_t n);  /* unknown name: ERR_TEMP */
