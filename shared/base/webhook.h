/* webhook.h - the address of a portal as people paste it. For config.c only. Pure. */
#pragma once

#include "base/err.h"
#include "base/str.h"

/* Checks https://host/rest/<user>/<secret>/ (http only to this machine), forgives white space around it and a
 * missing last slash. *ret = the address with its slash, caller frees. ERR_CONF: what is wrong and a hint;
 * the address in it is masked. */
int webhook_parse(struct str text, char **ret, struct err *err) MUST_CHECK;
