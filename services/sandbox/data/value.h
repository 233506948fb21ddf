/* value.h - what a field of a record holds, apart from how it is printed. The portal's answers (render.c) and the
 * truth (truth.c) are two independent prints of it. Views into the record's arena or constants. */
#pragma once

#include "base/str.h"

#include <stdint.h>

enum value_kind {
    VALUE_NULL,
    VALUE_TEXT,     /* text; may be empty, which is not NULL */
    VALUE_INT,      /* i */
    VALUE_DECIMAL,  /* text: digits as the portal prints them, "1000000.00" */
    VALUE_BOOL,     /* i: 0, 1 */
    VALUE_DATE,     /* i: days since 1970-01-01 */
    VALUE_TIME,     /* i: Unix seconds */
    VALUE_MONEY,    /* text: amount, extra: currency */
    VALUE_FILE,     /* i: file id, extra: "&ownerId=…" part of its URLs */
    VALUE_COMM,     /* a phone, e-mail…: i: row id, text: value, extra: VALUE_TYPE, more: TYPE_ID */
    VALUE_LIST,     /* items */
    VALUE_JSON,     /* raw says it all: a JSON value that is its own truth */
};

struct value {
    enum value_kind kind;
    uint32_t form;              /* chance: which of the allowed wire forms it takes */
    int64_t i;
    struct str text, extra, more;
    const struct value *items;
    int count;
    struct str raw;             /* set by hand: printed verbatim instead (already JSON); n = 0: none */
};
