/* convert.h - one value of the portal to one canonical value, by the rule of its field. Every wire form of
 * facts/bitrix24.md section 6.3 is met: null, "", "0", false, [], {}, numbers and strings.
 * Pure; one struct convert per thread. */
#pragma once

#include "base/buf.h"
#include "proto/schema.h"
#include "proto/wire.h"

enum rule {
    RULE_TEXT,
    RULE_TEXT_USER,     /* of a user field: "" is NULL, since portals print the same empty text as either */
    RULE_INT,
    RULE_LINK,          /* id of another record: "0" says there is none */
    RULE_DECIMAL,
    RULE_MONEY,         /* "300|EUR": amount and currency, the one rule with two values */
    RULE_BOOL,
    RULE_DATE,
    RULE_TIME,
    RULE_JSON,          /* a value that is JSON by itself */
    RULE_LIST,          /* multiple: always a JSON array (or the object the portal sent) */
    RULE_LIST_DATE,
    RULE_LIST_TIME,
    RULE_FILE,          /* JSON; download tokens in its addresses are taken out */
    RULE_LIST_FILE,
    RULE_COUNT
};

enum rule rule_of(struct str type, bool multiple);
enum rule rule_of_field(const struct field *f);

/* A canonical value. Text lies in the record or, when `made`, in the converter's scratch at offset `at`
 * (the scratch moves while it grows). */
struct value {
    enum { VALUE_NULL, VALUE_TEXT, VALUE_INT, VALUE_BOOL } type;
    bool made;
    size_t at;
    struct str s;
    int64_t i;
};

struct convert {
    struct buf scratch;     /* made text of the current record */
};

void convert_init(struct convert *c, size_t max_bytes);
void convert_fini(struct convert *c);
void convert_clear(struct convert *c);      /* before each record: values made so far are gone */

/* Reads the value at the cursor into ret[0] (ret[1]: the currency of RULE_MONEY, untouched otherwise).
 * NULL = it fits; else the reason why not, for people, and *ret is NULL. Malformed bytes fail the cursor. */
const char *convert_value(struct convert *c, enum rule rule, struct wire *w, struct value *ret, struct value *ret_2);

struct str value_text(const struct convert *c, const struct value *v);     /* of VALUE_TEXT */
