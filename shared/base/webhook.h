/* webhook.h - the address of a portal as people paste it, and which portal it is. Pure. */
#pragma once

#include "base/err.h"
#include "base/str.h"

/* Checks https://host/rest/<user>/<secret>/ (http only to this machine), forgives white space around it and a
 * missing last slash. *ret = the address with its slash, caller frees. ERR_CONF: what is wrong and a hint;
 * the address in it is masked. */
int webhook_parse(struct str text, char **ret, struct err *err) MUST_CHECK;

#define WEBHOOK_IDENTITY_SIZE 280
/* The portal an address (as webhook_parse() gives it) leads to, whatever its user and secret: "portal.bitrix24.ru",
 * "portal.example:8443", in small letters. All addresses of this machine are "localhost", whatever the port: what
 * stands there is a sandbox, and its port is chance. */
void webhook_identity(const char *url, char ret[static WEBHOOK_IDENTITY_SIZE]);
