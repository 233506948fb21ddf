#include "gateway.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/webhook.h"

#include <stdio.h>
#include <string.h>

static struct metric waiting = {
    .name = "potok_gateway_waiting",
    .help = "Changes on disk that the scheduler has not acknowledged",
    .kind = METRIC_GAUGE,
};
static struct metric lag = {
    .name = "potok_gateway_lag_seconds",
    .help = "Age of the oldest change when it was acknowledged last",
    .kind = METRIC_GAUGE,
};
static struct metric connections = {
    .name = "active_connections",
    .help = "Requests under way",
    .kind = METRIC_GAUGE,
    .labels = "{service=\"gateway\"}",
};
static struct metric duration = {
    .name = "webhook_processing_duration_seconds",
    .help = "From the request to its answer",
    .kind = METRIC_HISTOGRAM,
};

static struct metric too_big = {
    .name = "webhook_errors_total",
    .help = "Webhooks refused",
    .kind = METRIC_COUNTER,
    .labels = "{error_type=\"too_big\"}",
};

static struct metric certificate = {
    .name = "potok_gateway_certificate_seconds",
    .help = "How long the certificate is still good",
    .kind = METRIC_GAUGE,
};

void count_init(void)
{
    metric_register(&waiting);
    metric_register(&lag);
    metric_register(&connections);
    metric_register(&duration);
    metric_register(&too_big);
}

/* Each is found once: webhooks come by tens of thousands a second. */
static struct metric *series(
    struct metric **known, const char *name, const char *help, const char *label, const char *value)
{
    char labels[200];

    if (*known == NULL) {
        metric_label(labels, sizeof(labels), label, str_of(value));
        *known = metric_series(name, help, METRIC_COUNTER, labels);
    }
    return *known;
}

/* Only our portals' names are labels: what strangers write is not. */
void count_received(const struct gateway *g, const struct intake *i)
{
    static struct metric *of_portals[ARRAY_SIZE(((struct intake_rules *)0)->portals)], *of_others, *of_none;
    struct metric **known = i->portal != NULL      ? &of_portals[i->portal - g->rules.portals]
                            : i->domain[0] != '\0' ? &of_others
                                                   : &of_none;

    metric_add(series(known, "webhook_received_total", "Webhooks received", "domain",
                   i->portal != NULL     ? i->portal->identity
                   : known == &of_others ? "other"
                                         : "none"),
        1);
}

static void count_reason(enum reason reason)
{
    static struct metric *known[REASONS];
    bool well = reason_status(reason) < 400;

    metric_add(series(&known[reason], well ? "webhook_processed_total" : "webhook_errors_total",
                   well ? "Webhooks answered well" : "Webhooks refused", well ? "status" : "error_type",
                   reason_name(reason)),
        1);
}

/* Each event of an array by itself. */
void count_answered(const struct intake *i, double seconds)
{
    if (i->reason != REASON_TAKEN || i->count == 0)
        count_reason(i->reason);
    else
        for (int k = 0; k < i->count; k++)
            count_reason(i->items[k].reason);
    metric_observe(&duration, seconds);
}

/* The domain of a request with a wrong token is only what it says of itself: enough to tell whose token to
 * look at. */
/* Whose events carry a wrong token, by the domain they tell of themselves: enough for a hint. NULL: nobody's
 * of ours. */
static const struct intake_portal *claimed(const struct intake_rules *rules, const char *domain)
{
    char url[sizeof(((struct intake *)0)->domain) + sizeof("https:///")];
    char identity[WEBHOOK_IDENTITY_SIZE];

    snprintf(url, sizeof(url), "https://%s/", domain);
    webhook_identity(url, identity);
    for (int p = 0; p < rules->portal_count; p++)
        if (strcmp(rules->portals[p].identity, identity) == 0)
            return &rules->portals[p];
    return NULL;
}

void count_refused(struct gateway *g, const struct intake *i, uint64_t now_ms)
{
    const struct intake_portal *p = NULL;

    g->refused++;
    g->refused_for[i->reason]++;
    if (i->domain[0] != '\0' &&
        (i->reason == REASON_BAD_TOKEN || i->reason == REASON_NO_TOKEN || i->reason == REASON_TOO_MANY_BAD))
        p = claimed(&g->rules, i->domain);
    if (p != NULL) {
        g->tokens_wrong[p - g->rules.portals].count++;
        g->tokens_wrong[p - g->rules.portals].last_ms = now_ms;
    }
}

void count_detail(const struct gateway *g, json_t *into)
{
    json_t *reasons = json_object(), *wrong = json_object();

    json_object_set_new(into, "refused", json_integer((json_int_t)g->refused));
    for (int r = 0; r < REASONS; r++)
        if (g->refused_for[r] > 0)
            json_object_set_new(reasons, reason_name(r), json_integer((json_int_t)g->refused_for[r]));
    for (int p = 0; p < g->rules.portal_count; p++)
        if (g->tokens_wrong[p].count > 0)
            json_object_set_new(wrong, g->rules.portals[p].name,
                json_pack("{s:I, s:I}", "count", (json_int_t)g->tokens_wrong[p].count, "last_ms",
                    (json_int_t)g->tokens_wrong[p].last_ms));
    json_object_set_new(into, "refused_for", reasons);
    json_object_set_new(into, "tokens_wrong", wrong);
}

void count_state(const struct gateway *g)
{
    metric_set(&waiting, (double)hand_waiting(&g->hand));
    metric_set(&lag, (double)g->hand.lag_ms / 1000);
    metric_set(&too_big, g->server != NULL ? (double)http_server_too_big(g->server) : 0);
    metric_set(&connections, g->server != NULL ? http_server_requests(g->server) : 0);
    if (g->server != NULL && http_server_tls_until_ms(g->server) > 0) {
        metric_register(&certificate); /* with plain HTTP there is none */
        metric_set(
            &certificate, ((double)http_server_tls_until_ms(g->server) - (double)clock_wall_ms()) / 1000);
    }
}
