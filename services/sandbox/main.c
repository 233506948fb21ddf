/* potok-sandbox - a stand-in Bitrix24 portal over HTTP; see README.md. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "options.h"
#include "replay/replay.h"
#include "serve.h"

#define PEM_MAX (1 << 20)

struct sandbox {
    struct options options;
    struct portal portal;
    struct serve serve;
    uv_loop_t loop;
    uv_signal_t term, interrupt;
};

static void on_signal(uv_signal_t *signal, int number)
{
    struct sandbox *s = signal->data;

    if (uv_is_closing((uv_handle_t *)&s->term))
        return;
    serve_stop(&s->serve);
    uv_close((uv_handle_t *)&s->term, NULL);
    uv_close((uv_handle_t *)&s->interrupt, NULL);
}

static void listen_to(struct sandbox *s, uv_signal_t *signal, int number)
{
    uv_signal_init(&s->loop, signal);
    signal->data = s;
    uv_signal_start(signal, on_signal, number);
}

static int fail(const struct err *err)
{
    fprintf(stderr, "potok-sandbox: %s\n", err->text);
    return 2;
}

static void print_credentials(const struct sandbox *s)
{
    const struct events_options *o = &s->options.portal.events;

    const struct application *a = &s->portal.application;

    if (o->webhooks[0] != NULL || a->there)
        printf("BITRIX_APPLICATION_TOKEN=%s\n", s->portal.events.application_token);
    if (a->there) {
        printf("BITRIX_ACCESS_TOKEN=%s\n", tokens_newest(&a->tokens)->access);
        printf("BITRIX_CLIENT_ID=%s\nBITRIX_CLIENT_SECRET=%s\nBITRIX_OAUTH_URL=http%s://%s\n", a->client_id,
            a->client_secret, o->tls ? "s" : "", s->portal.doors[DOOR_OAUTH]);
    }
}

/* The texts of the certificate and its key are needed until the doors are open. */
static int start(struct sandbox *s, struct err *err)
{
    struct serve_place place = { .address = s->options.listen, .port = s->options.port };
    char *cert = NULL, *key = NULL;
    int code = -1;

    if (s->options.tls_cert == NULL || (file_read(s->options.tls_cert, PEM_MAX, &cert, err) == 0 &&
                                           file_read(s->options.tls_key, PEM_MAX, &key, err) == 0)) {
        place.tls_cert = cert;
        place.tls_key = key;
        code = serve_start(&s->serve, &s->loop, &s->portal, &place, err);
    }
    free(cert);
    free(key);
    return code;
}

static int run(struct sandbox *s)
{
    struct err err;
    if (portal_open(&s->portal, &s->options.portal, &err) < 0)
        return fail(&err);
    uv_loop_init(&s->loop);
    int code = 0;
    if (start(s, &err) < 0) {
        code = fail(&err);
    } else {
        listen_to(s, &s->term, SIGTERM);
        listen_to(s, &s->interrupt, SIGINT);
        printf("BITRIX_WEBHOOK_URL=http%s://%s/rest/1/%s/\n", s->options.portal.events.tls ? "s" : "",
            s->portal.doors[DOOR_PORTAL], s->portal.secret);
        print_credentials(s);
        fflush(stdout);
        if (s->portal.replay != NULL)
            log_ev(LOG_INFO, "replay.ready", kv_s("recording", replay_about(s->portal.replay)));
        log_ev(LOG_INFO, "service.ready", kv_s("address", s->portal.doors[DOOR_PORTAL]));
        uv_run(&s->loop, UV_RUN_DEFAULT);
        log_event(LOG_INFO, "service.stopped");
    }
    uv_loop_close(&s->loop);
    portal_close(&s->portal);
    return code;
}

int main(int argc, char **argv)
{
    struct sandbox *s = xcalloc(1, sizeof(*s));
    struct err err;

    mem_tune();
    mallopt(M_MMAP_THRESHOLD,
        1 << 28); /* answers of megabytes come and go: their memory stays, unlike a service's */
    mallopt(M_TRIM_THRESHOLD, 1 << 28);
    log_init("sandbox", LOG_INFO);
    const int parsed = options_parse(&s->options, argc, argv, &err);
    const int code = parsed < 0 ? fail(&err) : parsed > 0 ? 0 : run(s);
    options_fini(&s->options);
    free(s);
    return code;
}
