/* form.h - application/x-www-form-urlencoded as flat pairs. Keys keep their brackets as text: "data[FIELDS][ID]".
 * Pure; any thread. Memory: a struct form owns what its pairs view. */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stddef.h>

#define FORM_PAIRS_MAX 1000 /* as PHP's max_input_vars */

struct form_pair {
    struct str key, value; /* decoded once; a NUL in them is a byte like others */
};

struct form {
    struct form_pair *pairs;
    size_t count;
    char *bytes;
};

/* Percent escapes and + are decoded, a broken escape stays as written (PHP does so). ERR_LIMIT: too many pairs. */
int form_parse(struct form *ret, struct str text, struct err *err) MUST_CHECK;
void form_free(struct form *f);
/* The value of a key, the last one where it is there twice; p NULL: absent. */
struct str form_get(const struct form *f, const char *key);
/* Element i of a list: "name[i]", else the i-th "name[]". */
struct str form_item(const struct form *f, const char *name, int i);
