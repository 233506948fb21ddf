#include "xml_out.h"

#include <ctype.h>

#include "base/mem.h"
#include "params.h"

static void out_text(struct buf *out, struct str s)
{
    static const char *const entities[256] = {
        ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#039;"
    };

    for (size_t i = 0; i < s.n; i++) {
        const unsigned char c = (unsigned char)s.p[i];
        if (entities[c] != NULL)
            buf_str(out, entities[c]);
        else if (c >= ' ' || c == '\t' || c == '\n' || c == '\r') /* the others XML cannot hold */
            buf_char(out, s.p[i]);
    }
}

/* Keys of a batch may be anything; a number is the place in a list. */
static void out_name(struct buf *out, const char *key)
{
    if (isdigit((unsigned char)key[0]) || key[0] == '\0') {
        buf_str(out, "item");
        return;
    }
    for (const char *p = key; *p != '\0'; p++) {
        const unsigned char c = (unsigned char)*p;
        buf_char(out, isalnum(c) || c == '_' || c >= 0x80 || (p > key && (c == '-' || c == '.')) ? *p : '_');
    }
}

static void out_value(struct buf *out, const json_t *v);

static void out_member(struct buf *out, const char *key, const json_t *v)
{
    buf_char(out, '<');
    out_name(out, key);
    buf_char(out, '>');
    out_value(out, v);
    buf_str(out, "</");
    out_name(out, key);
    buf_char(out, '>');
}

static void out_value(struct buf *out, const json_t *v)
{
    struct params_walk walk = { .of = (json_t *)v };
    const char *key;
    json_t *one;
    char room[40];

    while (params_next(&walk, &key, &one))
        out_member(out, key, one);
    if (!params_is_array(v))
        out_text(out, params_text(v, room)); /* as PHP prints it: true is 1, false and null are nothing */
}

void xml_out(struct buf *out, const json_t *answer)
{
    buf_str(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>");
    out_member(out, "response", answer);
}
