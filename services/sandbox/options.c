#include "options.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

enum option_type { OPTION_COUNT, OPTION_NUMBER, OPTION_TEXT, OPTION_URLS, OPTION_QUIRK };

static const struct option_row {
    const char *name;
    enum option_type type;
    size_t offset;
    uint64_t most;
    const char *help;
} rows[] = {
#define ROW(name, type, field, most, help) \
    { \
        name, type, offsetof(struct options, field), most, help \
    }
    ROW("port", OPTION_COUNT, port, 65535, "port to listen on; 0 = a free one"),
    ROW("listen", OPTION_TEXT, listen, 0, "address to listen on"),
    ROW("seed", OPTION_COUNT, portal.store.seed, INT64_MAX, "everything generated follows from it"),
    ROW("deals", OPTION_COUNT, portal.store.counts[DEAL], 10000000, "deals to start with"),
    ROW("contacts", OPTION_COUNT, portal.store.counts[CONTACT], 10000000, "contacts"),
    ROW("companies", OPTION_COUNT, portal.store.counts[COMPANY], 10000000, "companies"),
    ROW("leads", OPTION_COUNT, portal.store.counts[LEAD], 10000000, "leads"),
    ROW("quotes", OPTION_COUNT, portal.store.counts[QUOTE], 10000000, "quotes, for crm.item.*"),
    ROW("invoices", OPTION_COUNT, portal.store.counts[INVOICE], 10000000, "smart invoices, for crm.item.*"),
    ROW("items", OPTION_COUNT, portal.store.counts[SMART], 10000000,
        "items of a smart process, for crm.item.*"),
    ROW("tls-cert", OPTION_TEXT, tls_cert, 0,
        "file of a certificate (PEM): everything is served by https, TLS 1.3; with --tls-key"),
    ROW("tls-key", OPTION_TEXT, tls_key, 0, "file of its key (PEM)"),
    ROW("data", OPTION_TEXT, data, 0, "file that keeps changes; without it they end with the process"),
    ROW("tariff", OPTION_TEXT, tariff, 0,
        "request limit: standard (2/50), enterprise (5/250), RATE/BURST or off"),
    ROW("operating-limit", OPTION_NUMBER, portal.operating_limit_s, 1000000,
        "operating seconds a method may use in a window; 0 = no limit (so too with --tariff off, unless "
        "given)"),
    ROW("operating-window", OPTION_NUMBER, portal.operating_window_ms, 86400, "that window in seconds"),
    ROW("operating-cost", OPTION_NUMBER, portal.operating_cost, 1000000, "factor of what calls cost"),
    ROW("latency", OPTION_COUNT, portal.latency_ms, 600000, "milliseconds every answer is late"),
    ROW("slowness", OPTION_NUMBER, portal.slowness, 1000000,
        "answers are late by the operating seconds they cost, times this; past 60 s they are cut"),
    ROW("keep-rows", OPTION_COUNT, portal.keep_rows, 1,
        "1: rows of records that nobody changed are printed once and kept in memory, for benches"),
    ROW("replay", OPTION_TEXT, replay, 0,
        "folder of a recording (potok record) that answers instead; of the other options --port, --listen, "
        "--tls-* and --latency count"),
    ROW("events", OPTION_URLS, webhooks, 0,
        "URL of an outgoing webhook: gets an event of every change; may be repeated"),
    ROW("app-events", OPTION_URLS, apps, 0,
        "URL of the application's handler, bound to every event; may be repeated, implies --app 1"),
    ROW("app", OPTION_COUNT, portal.events.app, 1,
        "1: an application is installed, its access token is printed"),
    ROW("app-client", OPTION_TEXT, app_client, 0, "ID:SECRET of the application; implies --app 1"),
    ROW("app-redirect", OPTION_TEXT, app_redirect, 0, "URL its users come back to from /oauth/authorize/"),
    ROW("app-install", OPTION_TEXT, app_install, 0, "URL that gets ONAPPINSTALL at start; implies --app 1"),
    ROW("app-token-life", OPTION_COUNT, portal.application.life_s, 86400, "seconds of an access token"),
    ROW("scope", OPTION_TEXT, scope, 0,
        "rights, with commas: crm,user,department,task,telephony; crm,user unless given"),
    ROW("application-token", OPTION_TEXT, application_token, 0, "events carry it; made from the seed"),
    ROW("events-parallel", OPTION_COUNT, portal.events.parallel, 1000, "events sent at a time"),
    ROW("event-drop", OPTION_COUNT, portal.events.faults.drop, 100, "of 100 events, how many are never sent"),
    ROW("event-double", OPTION_COUNT, portal.events.faults.twice, 100, "of 100, how many are sent twice"),
    ROW("event-late", OPTION_COUNT, portal.events.faults.late, 100, "of 100, how many are late"),
    ROW("event-late-ms", OPTION_COUNT, portal.events.faults.late_ms, 86400000, "how late"),
    ROW("event-hold", OPTION_COUNT, portal.events.faults.hold, 100,
        "of 100, how many wait until their handler's next event has gone"),
    ROW("event-shuffle", OPTION_COUNT, portal.events.faults.shuffle_ms, 600000,
        "each event waits a while of its own, at most so many milliseconds"),
    ROW("lag", OPTION_COUNT, portal.events.lag_ms, 600000, "milliseconds until methods see a change"),
    ROW("quirk", OPTION_QUIRK, portal.quirks, 0, "another portal's habit, may be repeated:"),
#undef ROW
};

static const char *const quirk_help[] = {
#define QUIRK(id, name, about) name ": " about,
#include "quirks.def"
#undef QUIRK
};

static void print_help(void)
{
    puts("potok-sandbox: a stand-in for a Bitrix24 portal. Prints its webhook URL when it is ready.\n"
         "usage: potok-sandbox [--option value]...\n");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        printf("  --%-17s %s\n", rows[i].name, rows[i].help);
    for (size_t i = 0; i < ARRAY_SIZE(quirk_help); i++)
        printf("  %19s   %s\n", "", quirk_help[i]);
    puts("  --help, --version");
}

static int set_count(const struct option_row *row, void *at, const char *value, struct err *err)
{
    uint64_t n;

    if (!str_u64(str_of(value), &n) || n > row->most)
        return err_set(err, ERR_CONF, "--%s %s: not a number from 0 to %llu", row->name, value,
            (unsigned long long)row->most);
    if (row->offset >= offsetof(struct options, portal.store.counts) &&
        row->offset < offsetof(struct options, portal.store.counts) + sizeof(uint32_t[KINDS]))
        *(uint32_t *)at = (uint32_t)n;
    else
        *(uint64_t *)at = n;
    return 0;
}

static int set_number(const struct option_row *row, void *at, const char *value, struct err *err)
{
    char *end;
    const double d = strtod(value, &end);

    if (end == value || *end != '\0' || !(d >= 0 && d <= (double)row->most))
        return err_set(err, ERR_CONF, "--%s %s: not a number from 0 to %llu", row->name, value,
            (unsigned long long)row->most);
    if (row->offset == offsetof(struct options, portal.operating_window_ms))
        *(uint64_t *)at = (uint64_t)(d * 1000);
    else
        *(double *)at = d;
    return 0;
}

static int add_url(const struct option_row *row, char **urls, const char *value, struct err *err)
{
    int i = 0;

    if (strncmp(value, "http://", 7) != 0 && strncmp(value, "https://", 8) != 0)
        return err_set(err, ERR_CONF, "--%s: not a URL", row->name);
    while (i < EVENT_URLS_MAX && urls[i] != NULL)
        i++;
    if (i == EVENT_URLS_MAX)
        return err_set(err, ERR_CONF, "--%s: at most %d times", row->name, EVENT_URLS_MAX);
    urls[i] = xstrdup(value);
    return 0;
}

static int set_option(struct options *o, const struct option_row *row, const char *value, struct err *err)
{
    void *at = (char *)o + row->offset;

    switch (row->type) {
    case OPTION_COUNT:
        return set_count(row, at, value, err);
    case OPTION_NUMBER:
        o->operating_given |= row->offset == offsetof(struct options, portal.operating_limit_s);
        return set_number(row, at, value, err);
    case OPTION_URLS:
        return add_url(row, at, value, err);
    case OPTION_QUIRK:
        if (quirk_bit(value) == 0)
            return err_set(err, ERR_CONF, "--quirk %s: unknown; --help lists them", value);
        o->portal.quirks |= quirk_bit(value);
        return 0;
    default:
        free(*(char **)at);
        *(char **)at = xstrdup(value);
        return 0;
    }
}

static const struct option_row *row_of(struct str name)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (str_is(name, rows[i].name))
            return &rows[i];
    }
    return NULL;
}

static int parse_one(struct options *o, int argc, char **argv, int *i, struct err *err)
{
    const char *word = argv[*i];
    const char *equals = strchr(word, '=');
    const struct str name = { word + 2, equals ? (size_t)(equals - word) - 2 : strlen(word) - 2 };
    const struct option_row *row = strncmp(word, "--", 2) == 0 ? row_of(name) : NULL;

    if (row == NULL)
        return err_set(err, ERR_CONF, "%s: unknown option; --help lists them", word);
    if (equals == NULL && *i + 1 >= argc)
        return err_set(err, ERR_CONF, "%s: a value is missing", word);
    return set_option(o, row, equals ? equals + 1 : argv[++*i], err);
}

int options_parse(struct options *ret, int argc, char **argv, struct err *err)
{
    *ret = (struct options){ .listen = xstrdup("127.0.0.1"),
        .tariff = xstrdup("standard"),
        .portal = { .store = { .seed = 1, .counts = { 3000, 2000, 500, 1000, 100, 100, 200 } },
            .operating_limit_s = 480,
            .operating_window_ms = 600000,
            .operating_cost = 1,
            .application = { .life_s = 3600 },
            .events = { .parallel = 16, .faults.late_ms = 1000 } } };
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "--version") == 0) {
            if (argv[i][2] == 'h')
                print_help();
            else
                puts("potok-sandbox " POTOK_VERSION);
            return 1;
        }
        if (strncmp(argv[i], "--", 2) != 0)
            return err_set(err, ERR_CONF, "%s: unknown word; --help lists the options", argv[i]);
        if (parse_one(ret, argc, argv, &i, err) < 0)
            return -1;
    }
    if (ret->portal.operating_window_ms < 1000)
        return err_set(err, ERR_CONF, "--operating-window: at least 1 second");
    if (strcmp(ret->tariff, "off") == 0 && !ret->operating_given)
        ret->portal.operating_limit_s = 0;
    if ((ret->tls_cert == NULL) != (ret->tls_key == NULL))
        return err_set(err, ERR_CONF, "--tls-cert and --tls-key: both or none");
    ret->portal.events.tls = ret->tls_cert != NULL;
    ret->portal.application.client = ret->app_client;
    ret->portal.application.redirect = ret->app_redirect;
    ret->portal.application.install = ret->app_install;
    bool unknown = false;
    ret->portal.scopes = ret->scope != NULL ? scope_parse(str_of(ret->scope), &unknown) : 0;
    if (unknown)
        return err_set(err, ERR_CONF, "--scope %s: crm, user, department, task, telephony", ret->scope);
    if (ret->application_token != NULL && strlen(ret->application_token) > 64)
        return err_set(err, ERR_CONF, "--application-token: at most 64 characters");
    ret->portal.events.application_token = ret->application_token;
    memcpy(ret->portal.events.webhooks, ret->webhooks, sizeof(ret->webhooks));
    memcpy(ret->portal.events.apps, ret->apps, sizeof(ret->apps));
    ret->portal.tariff = ret->tariff;
    ret->portal.store.path = ret->data;
    ret->portal.replay = ret->replay;
    if (ret->replay != NULL)
        memset(ret->portal.store.counts, 0, sizeof(ret->portal.store.counts));
    return 0;
}

void options_fini(struct options *o)
{
    free(o->listen);
    free(o->tariff);
    free(o->data);
    free(o->replay);
    free(o->tls_cert);
    free(o->tls_key);
    free(o->application_token);
    free(o->scope);
    free(o->app_client);
    free(o->app_redirect);
    free(o->app_install);
    for (int i = 0; i < EVENT_URLS_MAX; i++) {
        free(o->webhooks[i]);
        free(o->apps[i]);
    }
    *o = (struct options){ 0 };
}
