#include "gateway.h"

#include "services/ports.h"

static const struct setting SETTINGS[] = {
    SET_STR(struct gateway, listen, "GATEWAY_LISTEN", NULL,
        "where webhooks come in; default 0.0.0.0:8080, without any token 127.0.0.1:8080"),
    SET_SECRET(struct gateway, tokens, "BITRIX_APPLICATION_TOKEN",
        "application tokens of the portals' outgoing webhooks and applications, several by commas; each of "
        "32 "
        "characters at least"),
    SET_SECRET(struct gateway, keys, "API_KEY",
        "keys of programs that send changes (X-API-Key), several by commas; each of 32 characters at least"),
    SET_SECRET(struct gateway, bearers, "WEBHOOK_BEARER_TOKEN",
        "tokens of programs that send changes as OAuth 2.0 clients do (Authorization: Bearer), several by "
        "commas; each "
        "of 32 characters at least"),
    SET_STR(struct gateway, domains, "WEBHOOK_ALLOWED_DOMAINS", NULL,
        "hosts whose events are taken, as portal.bitrix24.ru, *.example.com; default: the portals' own"),
    SET_STR(struct gateway, tls_cert_file, "GATEWAY_TLS_CERT", NULL,
        "file of a certificate (PEM), with those of its chain: HTTPS, TLS 1.3; read again when it changes"),
    SET_STR(struct gateway, tls_key_file, "GATEWAY_TLS_KEY", NULL, "file of its key (PEM)"),
    SET_BOOL(struct gateway, drain, "GATEWAY_DRAIN", false,
        "take nothing, hand over what the spool holds and end; `potok spool drain` sets it"),
    SET_SECRET(struct gateway, secret_key, "POTOK_SECRET_KEY",
        "seals what a portal's application is given, on disk and on the way; the scheduler's"),
    SET_STR(struct gateway, bus_scheduler, "BUS_SCHEDULER", "ipc",
        "where the scheduler is: ipc or tcp://host:port"),
    ALARM_SETTINGS(struct gateway, alarm),
    SET_END,
};

const struct app_def GATEWAY = {
    .name = "gateway",
    .about = "takes webhooks, makes them durable, answers, hands them to the scheduler",
    .metrics_port = PORT_gateway,
    .settings = SETTINGS,
    .state_size = sizeof(struct gateway),
    .check = gateway_check,
    .start = gateway_start,
    .stop_soon = gateway_stop_soon,
    .stop = gateway_stop,
    .ready = gateway_ready,
    .busy = gateway_busy,
    .detail = gateway_detail,
};
