/* The certificate's files: read at start, and again when somebody renewed them. */
#include "gateway.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PEM_MAX  (1 << 20)
#define LOOK_MS  60000 /* certificates are renewed weeks before they end */
#define SHORT_MS (UINT64_C(7) * 24 * 3600 * 1000)

static void forget(struct gateway *g)
{
    free(g->tls_cert);
    free(g->tls_key);
    g->tls_cert = g->tls_key = NULL;
}

static void mark(const struct gateway *g, struct tls_mark ret[2])
{
    const char *const names[] = { g->tls_cert_file, g->tls_key_file };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct stat st;

        ret[i] = (struct tls_mark){ 0 };
        if (stat(names[i], &st) == 0)
            ret[i] =
                (struct tls_mark){ (uint64_t)st.st_ino, st.st_size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec };
    }
}

static bool same(const struct tls_mark a[2], const struct tls_mark b[2])
{
    for (int i = 0; i < 2; i++)
        if (a[i].inode != b[i].inode || a[i].size != b[i].size || a[i].s != b[i].s || a[i].ns != b[i].ns)
            return false;
    return true;
}

int tls_read(struct gateway *g, struct err *err)
{
    forget(g);
    if ((g->tls_cert_file[0] == '\0') != (g->tls_key_file[0] == '\0'))
        return err_set(err, ERR_CONF, "GATEWAY_TLS_CERT and GATEWAY_TLS_KEY: both or none");
    if (g->tls_cert_file[0] == '\0')
        return 0;
    mark(g, g->tls_marks);
    if (file_read(g->tls_cert_file, PEM_MAX, &g->tls_cert, err) < 0)
        return err_wrap(err, "GATEWAY_TLS_CERT");
    if (file_read(g->tls_key_file, PEM_MAX, &g->tls_key, err) < 0)
        return err_wrap(err, "GATEWAY_TLS_KEY");
    return http_server_check_tls(g->tls_cert, g->tls_key, err) < 0
               ? err_wrap(err, "GATEWAY_TLS_CERT, GATEWAY_TLS_KEY")
               : 0;
}

void tls_forget(struct gateway *g)
{
    forget(g);
}

static void tell_until(struct gateway *g)
{
    uint64_t until_ms = http_server_tls_until_ms(g->server), now_ms = clock_wall_ms();
    char until[CLOCK_ISO_SIZE];

    clock_iso(until_ms, until);
    if (until_ms > now_ms + SHORT_MS)
        log_ev(LOG_INFO, "tls.certificate", kv_s("until", until));
    else
        log_ev(LOG_WARNING, "tls.short", kv_s("until", until),
            kv_s("message",
                "the certificate ends soon, or has ended: portals refuse to call then; renew its files"));
}

void tls_started(struct gateway *g)
{
    if (g->tls_cert != NULL)
        tell_until(g);
    forget(g); /* the server has it; the key need not lie about */
}

static int renew(struct gateway *g, struct err *err)
{
    int result = tls_read(g, err);

    if (result == 0)
        result = http_server_renew_tls(g->server, g->tls_cert, g->tls_key, err);
    forget(g);
    return result;
}

/* Somebody writes two files, one after the other: what does not fit now may fit a minute later. */
void tls_look(struct gateway *g, uint64_t now_ms, bool asked)
{
    struct tls_mark marks[2], before[2];
    struct err err = { 0 };

    if (g->tls_cert_file[0] == '\0' || (!asked && now_ms < g->tls_look_ms))
        return;
    g->tls_look_ms = now_ms + LOOK_MS;
    mark(g, marks);
    if (!asked && same(marks, g->tls_marks))
        return;
    memcpy(before, g->tls_marks, sizeof(before));
    if (renew(g, &err) == 0) {
        g->tls_failed = false;
        tell_until(g);
        return;
    }
    if (!g->tls_failed || asked)
        log_ev(LOG_WARNING, "tls.unreadable", kv_err(&err),
            kv_s("message", "the certificate read before stays in use"));
    g->tls_failed = true;
    memcpy(g->tls_marks, before, sizeof(before));
}
