/* webhook.h - the address of a portal as people paste it, which portal it is, and where it has moved to. Pure. */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

/* Checks https://host/rest/<user>/<secret>/ (http only to this machine), forgives white space around it and a
 * missing last slash. *ret = the address with its slash, caller frees. ERR_CONF: what is wrong and a hint;
 * the address in it is masked. */
int webhook_parse(struct str text, char **ret, struct err *err) MUST_CHECK;

#define WEBHOOK_IDENTITY_SIZE 280
/* The portal an address (as webhook_parse() gives it) leads to, whatever its user and secret: "portal.bitrix24.ru",
 * "portal.example:8443", in small letters. All addresses of this machine are "localhost", whatever the port: what
 * stands there is a sandbox, and its port is chance. */
void webhook_identity(const char *url, char ret[static WEBHOOK_IDENTITY_SIZE]);

/* An address without a secret: "portal.bitrix24.ru", "https://portal.bitrix24.ru/" (http only to this machine).
 * *ret = "https://portal.bitrix24.ru/" in small letters, caller frees. ERR_CONF. */
int webhook_host_parse(struct str text, char **ret, struct err *err) MUST_CHECK;
/* The same of an address that webhook_parse() gave; caller frees. */
char *webhook_address(const char *url);

#define WEBHOOK_HOST_SIZE 256
/* "portal.example:8443" of an address: small letters, no default port. "" when it is none. */
void webhook_host(const char *url, char ret[static WEBHOOK_HOST_SIZE]);
/* "https://oauth.bitrix.info/rest/" -> "oauth.bitrix.info", a view, as it is written; empty when it is no address. */
struct str webhook_host_in(struct str url);
/* `url` at another host[:port]; caller frees. NULL: that is no host, or what is asked by https would be asked by http:
 * plain http stays between addresses of this machine. */
char *webhook_at(const char *url, struct str host);
/* A redirect of a renamed portal (facts 1.4): `location` is what was asked, at another host, and no less safe. Then
 * ret = its host[:port]; else ret is untouched. */
bool webhook_moved(const char *asked, const char *location, char ret[static WEBHOOK_HOST_SIZE]);
/* Is host[:port] of the same registrable name as the address: "old.bitrix24.ru" and "new.bitrix24.ru"? Numbers are of
 * nobody but themselves. */
bool webhook_is_kin(const char *url, struct str host);
