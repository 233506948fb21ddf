#include "run/http_call.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

/* --- errors --- */

/* What a failure of curl means for the work. Not listed: the network's fault, try again. */
static const struct {
    CURLcode code;
    enum err_kind kind;
} kinds[] = {
    { CURLE_UNSUPPORTED_PROTOCOL, ERR_CONF },
    { CURLE_URL_MALFORMAT, ERR_CONF },
    { CURLE_PEER_FAILED_VERIFICATION, ERR_CONF },
    { CURLE_SSL_CERTPROBLEM, ERR_CONF },
    { CURLE_SSL_CIPHER, ERR_CONF },
    { CURLE_SSL_CACERT_BADFILE, ERR_CONF },
    { CURLE_SSL_ISSUER_ERROR, ERR_CONF },
    { CURLE_SSL_INVALIDCERTSTATUS, ERR_CONF },
    { CURLE_SSL_PINNEDPUBKEYNOTMATCH, ERR_CONF },
    { CURLE_NOT_BUILT_IN, ERR_CONF },
    { CURLE_UNKNOWN_OPTION, ERR_BUG },
    { CURLE_BAD_FUNCTION_ARGUMENT, ERR_BUG },
    { CURLE_FAILED_INIT, ERR_BUG },
    { CURLE_RECURSIVE_API_CALL, ERR_BUG },
};

enum err_kind http_client_kind(int curl_code)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (kinds[i].code == (CURLcode)curl_code)
            return kinds[i].kind;
    return ERR_TEMP;
}

/* The host (and port) of a URL, without credentials; what does not parse is not shown at all. */
static void name_host(const char *url, char ret[static HTTP_CALL_HOST])
{
    CURLU *parsed = curl_url();
    char *host = NULL;
    char *port = NULL;

    snprintf(ret, HTTP_CALL_HOST, "the URL");
    if (curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        if (curl_url_get(parsed, CURLUPART_PORT, &port, 0) != CURLUE_OK)
            port = NULL;
        snprintf(ret, HTTP_CALL_HOST, "%.100s%s%.6s", host, port ? ":" : "", port ? port : "");
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parsed);
}

bool http_call_sent(const struct http_call *call)
{
    long bytes = 0;

    return curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &bytes) != CURLE_OK || bytes > 0;
}

/* Curl names what is no HTTP as it names a URL that is none, but for the request that went out before. */
static bool is_no_http(const struct http_call *call, CURLcode code)
{
    return code == CURLE_UNSUPPORTED_PROTOCOL && http_call_sent(call);
}

/* The part that came was unpacked from very little. */
static bool is_bomb(const struct http_call *call)
{
    curl_off_t sent = 0;

    if (curl_easy_getinfo(call->easy, CURLINFO_SIZE_DOWNLOAD_T, &sent) != CURLE_OK || sent <= 0)
        return false;
    return call->inflated_bytes / (size_t)sent >= HTTP_INFLATED_MOST;
}

void http_call_failed(struct http_call *call, CURLcode code)
{
    struct http_answer *a = &call->answer;

    a->status = 0;
    if (call->headers_too_big)
        err_code(&a->err, ERR_TEMP, 0, "%s: the answer's headers are larger than %d bytes", call->host,
            HTTP_HEADERS_MAX_BYTES);
    else if (call->too_big && is_bomb(call))
        err_code(&a->err, ERR_TEMP, 0,
            "%s: the answer is larger than %zu bytes, more than %d times what was sent", call->host,
            call->max_bytes, HTTP_INFLATED_MOST);
    else if (call->too_big)
        err_code(
            &a->err, ERR_LIMIT, 0, "%s: the answer is larger than %zu bytes", call->host, call->max_bytes);
    else if (is_no_http(call, code))
        err_code(&a->err, ERR_TEMP, (int)code, "%s: the answer is no HTTP", call->host);
    else
        err_code(
            &a->err, http_client_kind((int)code), (int)code, "%s: %s", call->host, curl_easy_strerror(code));
}

/* --- the answer --- */

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    struct http_call *call = ctx;
    size_t n = size * count;

    if (n > call->max_bytes - call->answer.body.n) {
        call->too_big = true;
        call->inflated_bytes = call->answer.body.n + n;
        return 0; /* ends the transfer */
    }
    buf_add(&call->answer.body, data, n);
    return n;
}

static struct str trim(struct str s)
{
    while (s.n > 0 && strchr(" \t\r\n", s.p[s.n - 1]) != NULL)
        s.n--;
    while (s.n > 0 && (*s.p == ' ' || *s.p == '\t')) {
        s.p++;
        s.n--;
    }
    return s;
}

static void copy_text(char *ret, size_t size, struct str s)
{
    snprintf(ret, size, STR_FMT, STR_ARG(s));
}

static void take_content_type(struct http_answer *a, struct str value)
{
    copy_text(a->content_type, sizeof(a->content_type), value);
}

static void take_location(struct http_answer *a, struct str value)
{
    copy_text(a->location, sizeof(a->location), value);
}

/* Seconds or a date. */
static void take_retry_after(struct http_answer *a, struct str value)
{
    char text[64];
    int64_t seconds;

    if (!str_i64(value, &seconds)) {
        copy_text(text, sizeof(text), value);
        time_t at = curl_getdate(text, NULL);
        seconds = at < 0 ? 0 : (int64_t)at - (int64_t)(clock_wall_ms() / 1000);
    }
    if (seconds > HTTP_RETRY_AFTER_MAX_S)
        seconds = HTTP_RETRY_AFTER_MAX_S;
    if (seconds > 0)
        a->retry_after_ms = (uint64_t)seconds * 1000;
}

static const struct {
    const char *name;
    void (*take)(struct http_answer *a, struct str value);
} headers[] = {
    { "content-type", take_content_type },
    { "location", take_location },
    { "retry-after", take_retry_after },
};

static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
    struct http_call *call = ctx;
    size_t n = size * count;
    const char *colon = memchr(data, ':', n);
    struct http_answer *a = &call->answer;

    call->header_bytes += n;
    if (call->header_bytes > HTTP_HEADERS_MAX_BYTES) {
        call->headers_too_big = true;
        return 0; /* ends the transfer */
    }
    if (colon == NULL) {
        if (n > 5 && memcmp(data, "HTTP/", 5) == 0) { /* another answer begins: 100 Continue was before it */
            a->content_type[0] = a->location[0] = '\0';
            a->retry_after_ms = 0;
        }
        return n;
    }
    struct str name = { data, (size_t)(colon - data) };
    struct str value = trim((struct str){ colon + 1, n - name.n - 1 });
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
        if (str_case_eq(name, str_of(headers[i].name)))
            headers[i].take(a, value);
    return n;
}

/* --- the request --- */

static void set_body(struct http_call *call, const struct http_request *r)
{
    if (strcmp(r->method, "GET") == 0)
        return;
    if (strcmp(r->method, "POST") != 0)
        curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, r->method);
    curl_easy_setopt(call->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, r->body.p ? r->body.p : "");
    curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
}

static void set_headers(struct http_call *call, const struct http_request *r)
{
    char line[160];

    /* no "100 Continue" dance: it costs a round trip, and servers that ignore it cost a second */
    call->headers = curl_slist_append(call->headers, "Expect:");
    if (r->content_type != NULL)
        snprintf(line, sizeof(line), "Content-Type: %s", r->content_type);
    else
        snprintf(line, sizeof(line), "Content-Type:");
    call->headers = curl_slist_append(call->headers, line);
    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
}

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "[::1]", 5) == 0 ||
           strcmp(host, "localhost") == 0 || strncmp(host, "localhost:", 10) == 0;
}

static int on_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
    const unsigned unheard_ms = HTTP_ONCE_UNHEARD_MS;

    (void)ctx;
    (void)purpose;
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unheard_ms, sizeof(unheard_ms));
    return CURL_SOCKOPT_OK;
}

static void set_once(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L); /* or each would be kept beside those before it */
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
}

static void set_options(struct http_call *call, const struct http_request *r, const char *user_agent)
{
    CURL *easy = call->easy;

    curl_easy_setopt(easy, CURLOPT_URL, call->url);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    if (is_loopback(call->host)) /* http_proxy of the environment is for the world outside */
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, user_agent);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 262144L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)r->deadline_ms);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    if (r->once)
        set_once(easy);
    set_headers(call, r);
    set_body(call, r);
}

void http_call_free(struct http_call *call)
{
    if (call->easy != NULL)
        curl_easy_cleanup(call->easy);
    buf_fini(&call->answer.body);
    curl_slist_free_all(call->headers);
    free(call->free_body);
    free(call->url);
    free(call);
}

struct http_call *http_call_new(const struct http_request *r, const char *user_agent, struct err *err)
{
    struct http_call *call = xcalloc(1, sizeof(*call));

    call->url = xstrdup(r->url);
    call->max_bytes = r->max_bytes;
    call->on_done = r->on_done;
    call->ctx = r->ctx;
    call->started_ms = clock_mono_ms();
    buf_init(&call->answer.body, r->max_bytes + JSON_PADDING);
    name_host(r->url, call->host);
    call->easy = curl_easy_init();
    if (call->easy == NULL) {
        err_set(err, ERR_TEMP, "%s: no more HTTP calls", call->host);
        http_call_free(call);
        return NULL;
    }
    set_options(call, r, user_agent);
    return call;
}
