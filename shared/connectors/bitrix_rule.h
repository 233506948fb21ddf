/* bitrix_rule.h - the table of what Bitrix24's errors mean (facts sections 2.3 and 2.4). Constant; any
 * thread. */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

/* Codes of ours for answers without one. */
#define BITRIX_NO_JSON "(no json)" /* a page of HTML, text cut short */

/* What an error says about the one record a `get` asked for. */
enum bitrix_says { SAYS_NOTHING, SAYS_ABSENT, SAYS_DENIED };

struct bitrix_rule {
    const char *name; /* tests/fixtures/bitrix/errors/<name>.http is a recorded answer of this kind */
    int least, most;  /* HTTP status; 200 for a command inside a batch */
    const char *code; /* any case; NULL = any; "" = the portal gave "", 0 or "0" */
    const char *text; /* part of the description, any case; "=…": all of it but for a trailing dot; NULL */
    enum err_kind kind;
    enum bitrix_says says;
    uint32_t wait_ms;   /* ERR_WAIT */
    const char *advice; /* for people: what to do; NULL = nothing to be done */
};

extern const struct bitrix_rule BITRIX_RULES[];
extern const int BITRIX_RULE_COUNT;

/* The first row that fits; the last row fits everything. */
const struct bitrix_rule *bitrix_rule_of(int status, struct str code, struct str description);
