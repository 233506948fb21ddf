#include "multipart.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "params.h"

#define BOUNDARY_MAX 72 /* bytes of "--" and at most seventy */

static bool read_boundary(const char *content_type, char ret[static BOUNDARY_MAX + 1])
{
    const char *p = strcasestr(content_type, "boundary=");

    if (p == NULL)
        return false;
    p += strlen("boundary=");
    const bool quoted = *p == '"';
    const size_t n = strcspn(p + quoted, quoted ? "\"" : "; \t");
    if (n == 0 || n > BOUNDARY_MAX - 2)
        return false;
    snprintf(ret, BOUNDARY_MAX + 1, "--%.*s", (int)n, p + quoted);
    return true;
}

static const char *find(struct str in, const char *what, size_t n)
{
    return in.n >= n ? memmem(in.p, in.n, what, n) : NULL;
}

static struct str rest_of(struct str s, const char *from)
{
    return (struct str){ from, (size_t)(s.p + s.n - from) };
}

/* name="…" of a part's headers; empty: a file, or none. */
static struct str name_of(struct str headers)
{
    static const char mark[] = " name=\"";
    const char *p = find(headers, mark, sizeof(mark) - 1);

    if (p == NULL || find(headers, "filename=", 9) != NULL)
        return STR("");
    p += sizeof(mark) - 1;
    const struct str rest = rest_of(headers, p);
    const char *end = memchr(rest.p, '"', rest.n);
    return end != NULL ? (struct str){ p, (size_t)(end - p) } : STR("");
}

bool multipart_add(json_t *into, const char *content_type, struct str body)
{
    char boundary[BOUNDARY_MAX + 1], close[BOUNDARY_MAX + 3];

    if (!read_boundary(content_type, boundary))
        return false;
    snprintf(close, sizeof(close), "\r\n%s", boundary);
    const char *at = find(body, boundary, strlen(boundary));
    for (int count = 0; at != NULL && count < PARAMS_COUNT_MAX; count++) {
        const struct str part = rest_of(body, at + strlen(boundary));
        if (part.n >= 2 && memcmp(part.p, "--", 2) == 0)
            return true;
        const char *blank = find(part, "\r\n\r\n", 4);
        if (blank == NULL)
            return false;
        const struct str value = rest_of(body, blank + 4);
        const char *end = find(value, close, strlen(close));
        if (end == NULL)
            return false;
        const struct str name = name_of((struct str){ part.p, (size_t)(blank - part.p) });
        params_add_pair(into, name, (struct str){ value.p, (size_t)(end - value.p) });
        at = end + 2;
    }
    return at != NULL;
}
