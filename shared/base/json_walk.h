/* json_walk.h - JSON text walked token by token with every byte kept: who changes some tokens and copies the
 * rest leaves formatting, order of keys and kinds of escapes as they were. For small tools on whole answers;
 * portals' records are read by json.h. Accepts what RFC 8259 does. Allocates nothing; any thread. */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

#include <stdbool.h>

enum json_kind { JSON_IS_STRING, JSON_IS_NUMBER, JSON_IS_WORD, JSON_IS_OPEN, JSON_IS_CLOSE };

struct json_level {
    char open;      /* '{', '[' or, outermost, 0 */
    struct str key; /* of the member being walked: as written, without quotes */
    int index;      /* of the member or element, from 0 */
};

struct json_walk {
    struct str gap;   /* what lies before the token: white space, commas, colons */
    struct str token; /* as written: a string with its quotes */
    enum json_kind kind;
    bool is_key;
    int depth; /* containers around the token; a bracket lies outside of what it opens */
    struct json_level level[JSON_DEPTH_MAX + 1]; /* level[1] is the outermost container's */
    const char *p, *end;                         /* private from here on */
    int state;
};

void json_walk_init(struct json_walk *w, struct str text);
/* 1: a token; 0: the end, gap is what follows the document; -1 with ERR_PERM: it is no JSON. */
int json_walk_next(struct json_walk *w, struct err *err) MUST_CHECK;
/* The nth nearest key around the token (0: that of the member it belongs to), lists left out; empty: none. */
struct str json_walk_key(const struct json_walk *w, int n);
/* The token is JSON_IS_OPEN or a scalar: walks over the value and gives its text. */
int json_walk_value(struct json_walk *w, struct str *ret, struct err *err) MUST_CHECK;
