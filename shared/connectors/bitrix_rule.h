/* bitrix_rule.h - the table of what Bitrix24's errors mean (facts sections 2.3 and 2.4). Constant; any
 * thread. */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Codes of ours for answers without one. */
#define BITRIX_NO_JSON "(no json)" /* a page of HTML, text cut short */
#define BITRIX_WITHIN  "(within)"  /* a redirect to another page of the same address */

/* In place of a status that tells nothing: older portals refuse a whole request under 200. */
#define BITRIX_STATUS_UNTOLD 0

/* What an error says about the one record a `get` asked for, or about the credential. */
enum bitrix_says {
    SAYS_NOTHING,
    SAYS_ABSENT,
    SAYS_ABSENT_ALONE, /* only where one record was asked for or deleted by its id; else nothing */
    SAYS_ABSENT_DELETED, /* only where one was deleted */
    SAYS_DENIED,
    SAYS_EXPIRED
};

/* What is done about an error. It follows from the kind, which travels, and from what the error says. */
enum bitrix_act {
    ACT_RETRY,       /* again, with growing delay */
    ACT_RETRY_AFTER, /* again when the portal allows it */
    ACT_REFRESH, /* with a new credential: an application's; a webhook has none, so the portal is stopped */
    ACT_STOP,    /* the portal (or the entity alone) until the next sync command */
    ACT_ASIDE, /* the question is narrowed to the record that fails; that one is set aside with the reason */
    ACT_TELL,  /* stopped as well: what is configured here is wrong, and only a person can put it right */
    ACTS
};

struct bitrix_rule {
    const char *name; /* tests/fixtures/bitrix/errors/<name>.http is a recorded answer of this kind */
    int least, most;  /* HTTP status; 200 for a command inside a batch, BITRIX_STATUS_UNTOLD below */
    const char *code; /* any case; NULL = any; "" = the portal gave "", 0 or "0" */
    /* Part of the description in small letters, ё as е; "=…": all of it but for a trailing dot; "~…": whole
     * words of it, of no method, user or portal; `|` between several. NULL = any. */
    const char *text;
    enum err_kind kind;
    enum bitrix_says says;
    uint32_t wait_ms;   /* ERR_WAIT */
    const char *advice; /* for people who have a webhook: what to do; NULL = nothing to be done */
};

extern const struct bitrix_rule BITRIX_RULES[];
extern const int BITRIX_RULE_COUNT;

/* Of the refusal of a get or a deletion of one record by its id: is it gone? */
bool bitrix_is_absent(const struct bitrix_rule *rule);
enum bitrix_act bitrix_act_of(const struct bitrix_rule *rule);
/* The advice to who is an application: some differs. */
const char *bitrix_advice(const struct bitrix_rule *rule, bool app);
const char *bitrix_act_name(enum bitrix_act act); /* "retry" */

/* The status by which an error is looked up: of a whole request, or of a command in an answered batch. */
int bitrix_status_of(int status, bool whole, struct str code);
/* The first row that fits; the last row fits everything. */
const struct bitrix_rule *bitrix_rule_of(int status, struct str code, struct str description);
