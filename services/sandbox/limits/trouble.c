#include "trouble.h"

#include <stdio.h>

#include "base/mem.h"
#include "methods/call.h"

#define HTML_TYPE "text/html; charset=utf-8"
#define HANG_MS   60000 /* a portal cuts its own requests after that (facts section 1.5) */

static const struct {
    enum fault_kind kind;
    int status;
    enum api_error error; /* JSON body; else html */
    const char *html;
} instead[] = {
    { FAULT_HTML502, 502, API_OK,
        "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
        "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n" },
    { FAULT_HTML200, 200, API_OK,
        "<!DOCTYPE html><html><head><title>Битрикс24</title></head><body>Портал обновляется"
        "</body></html>" },
    { FAULT_HTML403, 403, API_OK, "<html><head><title>403 Forbidden</title></head><body></body></html>" },
    { FAULT_HTML500, 500, API_OK,
        "<html><head><title>500 Internal Server Error</title></head><body></body></html>" },
    { FAULT_HTML504, 504, API_OK,
        "<html><head><title>504 Gateway Time-out</title></head><body></body></html>" },
    { FAULT_HANG, 504, API_OK, "<html><head><title>504 Gateway Time-out</title></head><body></body></html>" },
    { FAULT_RESET, 200, API_OK, "" },
    { FAULT_EMPTYBODY, 200, API_OK, "" },
    { FAULT_ERROR200, 200, API_INTERNAL, NULL },
    { FAULT_LIMIT503, 503, API_TOO_MANY, NULL },
    { FAULT_LIMIT429, 429, API_OPERATING, NULL },
    { FAULT_SCOPE401, 401, API_SCOPE, NULL },
    { FAULT_AUTH401, 401, API_CREDENTIALS, NULL },
    { FAULT_EXPIRED401, 401, API_EXPIRED, NULL },
    { FAULT_GENERAL400, 400, API_GENERAL, NULL },
    { FAULT_UNEXPECTED500, 500, API_UNEXPECTED, NULL },
    { FAULT_PAYMENT401, 401, API_UNPAID, NULL },
    { FAULT_TARIFF403, 403, API_NO_TARIFF, NULL },
    { FAULT_RIGHTS403, 403, API_RIGHTS, NULL },
    { FAULT_INACTIVE401, 401, API_USER_OFF, NULL },
    { FAULT_INTRANET403, 403, API_INTRANET, NULL },
    { FAULT_DELETED500, 500, API_PORTAL_DELETED, NULL },
    { FAULT_ZERO400, 400, API_ZERO, NULL },
    { FAULT_WIDE400, 400, API_WIDE, NULL },
    { FAULT_TEXT400, 400, API_SENTENCE, NULL },
    { FAULT_OVERLOAD, 503, API_OVERLOAD, NULL },
    { FAULT_COMMAND, 500, API_INTERNAL, NULL },
    { FAULT_REDIRECT302, 302, API_OK, "" },
};

static void set_manner(
    struct portal_answer *ret, const struct fault *f, enum fault_kind kind, const struct portal_request *in)
{
    switch (kind) {
    case FAULT_HANG:
        ret->delay_ms = f->ms ? f->ms : HANG_MS;
        break;
    case FAULT_RESET:
        ret->how = HOW_CUT;
        break;
    case FAULT_REDIRECT302:
        snprintf(ret->headers, sizeof(ret->headers), "Location: %s%s\n",
            f->to[0] ? f->to : "https://renamed.example", in->path);
        break;
    default:
        break;
    }
}

bool trouble_instead(struct portal *p, const struct fault *f, enum fault_kind kind,
    const struct portal_request *in, struct portal_answer *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(instead); i++) {
        if (instead[i].kind != kind)
            continue;
        ret->status = instead[i].status;
        if (instead[i].error != API_OK) {
            call_out_error(p, &ret->body, instead[i].error, "", false);
        } else {
            ret->content_type = HTML_TYPE;
            buf_str(&ret->body, instead[i].html);
        }
        set_manner(ret, f, kind, in);
        return true;
    }
    return false;
}

bool trouble_shows(enum fault_kind kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(instead); i++)
        if (instead[i].kind == kind)
            return true;
    return kind == FAULT_TRUNCATED;
}

/* One Cyrillic letter becomes bytes that are no UTF-8. */
static void break_letter(struct buf *b)
{
    for (size_t i = 0; i + 1 < b->n; i++) {
        if ((unsigned char)b->p[i] == 0xD0 && (unsigned char)b->p[i + 1] >= 0x80) {
            b->p[i + 1] = '(';
            return;
        }
    }
}

void trouble_after(const struct fault *f, enum fault_kind kind, struct portal_answer *ret)
{
    switch (kind) {
    case FAULT_TRUNCATED:
        ret->how = HOW_CUT;
        break;
    case FAULT_LATENCY:
        ret->delay_ms += f->ms;
        break;
    case FAULT_BADUTF8:
        break_letter(&ret->body);
        break;
    default:
        break;
    }
}

void trouble_shown(
    struct portal *p, const struct fault *f, const struct portal_request *in, struct portal_answer *ret)
{
    if (f->as == FAULT_TRUNCATED) {
        trouble_after(f, f->as, ret);
        return;
    }
    buf_clear(&ret->body);
    ret->headers[0] = '\0';
    trouble_instead(p, f, f->as, in, ret);
}
