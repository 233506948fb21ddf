/* http_call.h - one HTTP call as curl sees it: the request as options, the answer as it arrives, what a
 * failure means. For http_client.c only, which owns the call from http_call_new() to http_call_free(). Loop
 * thread only. */
#pragma once

#include "run/http_client.h"

#include <curl/curl.h>
#include <stdbool.h>

enum {
    HTTP_CALL_HOST = 128,
    /* What is believed of an answer. Beyond: ERR_TEMP, but a body larger than the request's max_bytes is
     * ERR_LIMIT, which may be asked for in smaller pieces. */
    HTTP_HEADERS_MAX_BYTES = 262144, /* with those of "100 Continue" answers before it */
    HTTP_INFLATED_MOST = 50, /* times, of a body that is too large: more is a gzip bomb, whatever was asked */
    HTTP_RETRY_AFTER_MAX_S = 86400, /* as if it were this */
    HTTP_CONNECT_TIMEOUT_MS = 20000,
};

struct http_call {
    struct http_client *client; /* this and the links are the client's */
    struct http_call *prev, *next;
    CURL *easy;
    struct curl_slist *headers;
    char *url;
    char *free_body;
    struct http_answer answer;
    size_t max_bytes;
    size_t header_bytes;
    size_t inflated_bytes; /* of a body that is too big: as far as it was unpacked */
    bool too_big, headers_too_big;
    bool watched; /* the client: the last that curl said of a descriptor of its was to watch it */
    uint64_t started_ms;
    char host[HTTP_CALL_HOST]; /* for errors: the rest of the URL is a secret */
    void (*on_done)(void *ctx, struct http_answer *answer);
    void *ctx;
};

/* Ready to be given to curl; free_body is not taken yet. NULL with ERR_TEMP: curl has no more handles. */
struct http_call *http_call_new(const struct http_request *r, const char *user_agent, struct err *err);
/* Not while curl's multi handle holds it. */
void http_call_free(struct http_call *call);
/* Whether a byte of the request left. */
bool http_call_sent(const struct http_call *call);
/* Says in the answer why there is none. */
void http_call_failed(struct http_call *call, CURLcode code);
