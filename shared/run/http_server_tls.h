/* http_server_tls.h - the certificate that a server shows, and its replacement while the server runs. Loop
 * thread only. */
#pragma once

#include "base/err.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdint.h>

#define HTTP_TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3"

struct http_tls;

/* PEM texts. ERR_CONF: no certificate, no key, or they do not belong together. One a process, which all of its servers
 * share: the library asks for it without telling by whose connection. */
int http_tls_new(struct http_tls **ret, const char *cert, const char *key, struct err *err) MUST_CHECK;
int http_tls_check(const char *cert, const char *key, struct err *err) MUST_CHECK;
/* Handshakes from now on; a failure changes nothing. */
int http_tls_renew(struct http_tls *t, const char *cert, const char *key, struct err *err) MUST_CHECK;
uint64_t http_tls_until_ms(const struct http_tls *t); /* the certificate is good until then, wall clock */
void http_tls_free(struct http_tls **t);              /* after the server */

/* The library's callback. */
gnutls_certificate_retrieve_function2 http_tls_certificate;
