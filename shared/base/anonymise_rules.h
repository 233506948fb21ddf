/* anonymise_rules.h - what of a portal's answer may stay: a list of keys. What is on no list is replaced. For
 * anonymise.c only. Pure. */
#pragma once

#include "base/str.h"

enum anon_rule {
    ANON_TEXT,  /* replaced, sign by sign */
    ANON_ID,    /* a number, or a link like CO_12, stays; anything else is replaced */
    ANON_CODE,  /* one word of Latin letters, digits and _ - : . # / * stays; anything else is replaced */
    ANON_DATE,  /* moved with all the others */
    ANON_TIME,  /* of the answer itself: a number or an instant stays */
    ANON_LABEL, /* the name of a field: stays when the field is a standard one */
    ANON_WORDS, /* an error's description: stays when it is a known one */
    ANON_RULES
};

/* Key as a portal writes it, UPPER_CASE or camelCase. False: not a standard one. */
bool anon_rule_of(struct str key, enum anon_rule *ret);
/* An error text that is printed in the vendor's documents (facts sections 2.3, 2.4, 4.4, 5). */
bool anon_words_known(const char *text);
/* Does a text look like what the rule lets stay? */
bool anon_is_id(const char *text);
bool anon_is_code(const char *text);
/* STAGE_ID of stageId, UF_CRM_1 of itself; false: too long or other signs than [A-Za-z0-9_]. */
#define ANON_NAME_SIZE 128
bool anon_name(struct str key, char ret[static ANON_NAME_SIZE]);
