#include "run/http_server_tls.h"

#include <gnutls/x509.h>
#include <stdbool.h>
#include <string.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

#define CHAIN_MOST   16
#define KEY_ID_BYTES 64
#define HANDSHAKE_MS 600000 /* no connection is without a word for so long */

struct identity { /* a key, and the chain of certificates that tells whose it is */
    gnutls_pcert_st chain[CHAIN_MOST];
    unsigned count;
    gnutls_privkey_t key;
    uint64_t until_ms;
    uint64_t replaced_ms; /* monotonic */
    struct identity *before;
};

struct http_tls {
    struct identity *now; /* before it those of handshakes that were under way when they were replaced */
    int servers;
};

static struct http_tls *current; /* the callback is given nothing of ours: all servers have the same one */

static void identity_free(struct identity *i)
{
    if (i == NULL)
        return;
    identity_free(i->before);
    for (unsigned k = 0; k < i->count; k++)
        gnutls_pcert_deinit(&i->chain[k]);
    if (i->key != NULL)
        gnutls_privkey_deinit(i->key);
    free(i);
}

static gnutls_datum_t datum_of(const char *text)
{
    return (gnutls_datum_t){ (unsigned char *)text, (unsigned)strlen(text) };
}

static int read_chain(struct identity *i, const char *text, struct err *err)
{
    gnutls_datum_t pem = datum_of(text);
    unsigned count = CHAIN_MOST;
    int code = gnutls_pcert_list_import_x509_raw(
        i->chain, &count, &pem, GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_SORT);

    if (code < 0 || count == 0)
        return err_set(err, ERR_CONF, "the certificate cannot be read: %s",
            code < 0 ? gnutls_strerror(code) : "there is none");
    i->count = count;
    return 0;
}

static int read_key(struct identity *i, const char *text, struct err *err)
{
    gnutls_datum_t pem = datum_of(text);
    int code = gnutls_privkey_init(&i->key);

    if (code == 0)
        code = gnutls_privkey_import_x509_raw(i->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
    return code == 0 ? 0
                     : err_set(err, ERR_CONF, "the key of the certificate cannot be read: %s",
                           gnutls_strerror(code));
}

static bool same_key(const struct identity *i)
{
    unsigned char of_cert[KEY_ID_BYTES], of_key[KEY_ID_BYTES];
    size_t n = sizeof(of_cert), m = sizeof(of_key);
    gnutls_pubkey_t public = NULL;
    bool same;

    if (gnutls_pubkey_init(&public) < 0)
        return false;
    same = gnutls_pubkey_import_privkey(public, i->key, 0, 0) == 0 &&
           gnutls_pubkey_get_key_id(public, 0, of_key, &m) == 0 &&
           gnutls_pubkey_get_key_id(i->chain[0].pubkey, 0, of_cert, &n) == 0 && n == m &&
           memcmp(of_cert, of_key, n) == 0;
    gnutls_pubkey_deinit(public);
    return same;
}

static uint64_t read_until_ms(const struct identity *i)
{
    gnutls_x509_crt_t cert = NULL;
    time_t until = -1;

    if (gnutls_x509_crt_init(&cert) < 0)
        return 0;
    if (gnutls_x509_crt_import(cert, &i->chain[0].cert, GNUTLS_X509_FMT_DER) == 0)
        until = gnutls_x509_crt_get_expiration_time(cert);
    gnutls_x509_crt_deinit(cert);
    return until > 0 ? (uint64_t)until * 1000 : 0;
}

static int read_identity(struct identity **ret, const char *cert, const char *key, struct err *err)
{
    struct identity *i = xcalloc(1, sizeof(*i));
    int result = read_chain(i, cert, err) < 0 || read_key(i, key, err) < 0 ? -1 : 0;

    if (result == 0 && !same_key(i))
        result = err_set(err, ERR_CONF, "the key is not that of the certificate");
    if (result < 0) {
        identity_free(i);
        return -1;
    }
    i->until_ms = read_until_ms(i);
    *ret = i;
    return 0;
}

static bool same_bytes(const gnutls_datum_t *x, const gnutls_datum_t *y)
{
    return x->size == y->size && memcmp(x->data, y->data, x->size) == 0;
}

static int share(struct http_tls **ret, struct identity *i, struct err *err)
{
    const bool same = same_bytes(&current->now->chain[0].cert, &i->chain[0].cert);

    identity_free(i);
    if (!same)
        return err_set(err, ERR_BUG, "a second certificate in one process");
    current->servers++;
    *ret = current;
    return 0;
}

int http_tls_new(struct http_tls **ret, const char *cert, const char *key, struct err *err)
{
    struct identity *i;

    if (read_identity(&i, cert, key, err) < 0)
        return -1;
    if (current != NULL)
        return share(ret, i, err);
    *ret = current = xcalloc(1, sizeof(*current));
    current->now = i;
    current->servers = 1;
    return 0;
}

int http_tls_check(const char *cert, const char *key, struct err *err)
{
    struct identity *i;

    if (read_identity(&i, cert, key, err) < 0)
        return -1;
    identity_free(i);
    return 0;
}

static bool same_chain(const struct identity *a, const struct identity *b)
{
    bool same = a->count == b->count;

    for (unsigned k = 0; k < a->count && same; k++)
        same = same_bytes(&a->chain[k].cert, &b->chain[k].cert);
    return same;
}

/* Somebody may renew it twice within one handshake, which goes on with what it was given. */
static void forget_old(struct identity *i)
{
    const uint64_t now_ms = clock_mono_ms();

    while (i->before != NULL && now_ms < i->before->replaced_ms + HANDSHAKE_MS)
        i = i->before;
    identity_free(i->before);
    i->before = NULL;
}

int http_tls_renew(struct http_tls *t, const char *cert, const char *key, struct err *err)
{
    struct identity *i;

    if (read_identity(&i, cert, key, err) < 0)
        return -1;
    if (same_chain(t->now, i)) { /* asked twice */
        identity_free(i);
        return 0;
    }
    t->now->replaced_ms = clock_mono_ms();
    i->before = t->now;
    t->now = i;
    forget_old(i);
    return 0;
}

uint64_t http_tls_until_ms(const struct http_tls *t)
{
    return t->now->until_ms;
}

void http_tls_free(struct http_tls **tls)
{
    struct http_tls *t = *tls;

    *tls = NULL;
    if (t == NULL || --t->servers > 0)
        return;
    current = NULL;
    identity_free(t->now);
    free(t);
}

int http_tls_certificate(gnutls_session_t session, const gnutls_datum_t *wanted, int wanted_count,
    const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **ret, unsigned *ret_count,
    gnutls_privkey_t *ret_key)
{
    if (current == NULL)
        return -1;
    *ret = current->now->chain;
    *ret_count = current->now->count;
    *ret_key = current->now->key;
    return 0;
}
