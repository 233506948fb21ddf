#include "base/config.h"

#include "base/buf.h"
#include "base/mem.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *plural_of(struct str name)
{
    static const char *const names[][2] = { { "deal", "deals" }, { "contact", "contacts" },
        { "lead", "leads" } };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (str_is(name, names[i][0]) || str_is(name, names[i][1]))
            return names[i][1];
    return NULL;
}

static bool is_setting(const char *name)
{
    return strcmp(name, "JOB_DEADLINE") == 0 || strcmp(name, "SYNC_BATCH_SIZE") == 0;
}

static const struct config_checks checks = { plural_of, is_setting, "deals, contacts", NULL };

static void clear_environment(void)
{
    static const char *const names[] = { "POTOK_CONFIG", "BITRIX_WEBHOOK_URL", "BITRIX_WEBHOOK_URL_FILE",
        "BITRIX_TARIFF" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        unsetenv(names[i]);
}

/* The tests stand in a folder of their own, so messages read "potok.yaml:7:5". */
static void write_file(const char *name, const char *text)
{
    CHECK_EQ(chdir(check_folder()), 0);

    FILE *f = fopen(name, "w");
    CHECK(f != NULL);
    fputs(text, f);
    fclose(f);
}

static void check_loads(struct config *c, const char *text)
{
    struct err err = { 0 };

    write_file("potok.yaml", text);
    CHECK_OK(config_load(c, "potok.yaml", &checks, &err), err);
}

static void check_fails(const char *text, const char *why)
{
    struct config c = { .portal_count = 77 };
    struct err err = { 0 };

    write_file("potok.yaml", text);
    if (config_load(&c, "potok.yaml", &checks, &err) == 0)
        print_error("taken:\n%s", text);
    CHECK_EQ(c.portal_count, 77);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_HAS(err.text, why);
    CHECK(!strstr(err.text, "topsecret"));
}

TEST(a_whole_file_is_read)
{
    struct config c;
    const char *where = NULL;

    clear_environment();
    write_file("webhook", "https://second.bitrix24.ru/rest/9/xyz\n");
    check_loads(&c, "# mirrors of two portals\n"
                    "portals:\n"
                    "  main:\n"
                    "    url: https://example.bitrix24.ru/rest/1/abc/\n"
                    "    tariff: enterprise\n"
                    "    entities: [deal, contacts]\n"
                    "    prefix: crm_\n"
                    "  second-one:\n"
                    "    url_file: webhook\n"
                    "    tariff: 7/100\n"
                    "    prefix: two_\n"
                    "settings:\n"
                    "  JOB_DEADLINE: 10s\n"
                    "  SYNC_BATCH_SIZE: \"50\"\n");
    CHECK_EQ(c.portal_count, 2);

    const struct config_portal *p = config_portal(&c, STR("main"));
    CHECK_STR(p->url, "https://example.bitrix24.ru/rest/1/abc/");
    CHECK_EQ(p->drain_per_s, 5);
    CHECK_EQ(p->burst, 250);
    CHECK_EQ(p->entity_count, 2);
    CHECK_STR(p->entities[0], "deals");
    CHECK_STR(p->entities[1], "contacts");
    CHECK_STR(p->where, "potok.yaml:3:3");
    CHECK_STR(p->tariff_where, "potok.yaml:5:5");
    CHECK_STR(p->entities_where, "potok.yaml:6:5");
    CHECK_STR(p->prefix_where, "potok.yaml:7:5");

    p = config_portal(&c, STR("second-one"));
    CHECK_STR(p->url, "https://second.bitrix24.ru/rest/9/xyz/");
    CHECK_EQ(p->drain_per_s, 7);
    CHECK_EQ(p->burst, 100);
    CHECK_EQ(p->entity_count, 0);
    CHECK_STR(p->prefix, "two_");
    CHECK_STR(p->entities_where, "");

    CHECK(config_portal(&c, STR("mai")) == NULL);
    CHECK_STR(config_setting(&c, "SYNC_BATCH_SIZE", &where), "50");
    CHECK_STR(where, "potok.yaml:14:3");
    CHECK(config_setting(&c, "OTHER", &where) == NULL);
    config_free(&c);
    config_free(&c);
}

TEST(defaults_are_standard_and_crm)
{
    struct config c;

    clear_environment();
    check_loads(&c, "portals: {main: {url: 'https://p/rest/1/s'}}\n");
    CHECK_EQ(c.portals[0].drain_per_s, 2);
    CHECK_EQ(c.portals[0].burst, 50);
    CHECK_STR(c.portals[0].prefix, "crm_");
    config_free(&c);
}

TEST(a_file_may_be_empty)
{
    static const char *const texts[] = { "", "# nothing\n", "---\n", "portals:\nsettings:\n", "portals: {}\n",
        "{}" };

    clear_environment();
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct config c;

        check_loads(&c, texts[i]);
        CHECK_EQ(c.portal_count, 0);
        CHECK_EQ(c.pair_count, 0);
        config_free(&c);
    }
}

#define MAIN "portals:\n  main:\n    url: https://p/rest/1/topsecret/\n"

static const struct {
    const char *text, *why;
} mistakes[] = {
    /* keys */
    { "portal:\n", "potok.yaml:1:1: unknown key \"portal\" (did you mean \"portals\"?)" },
    { "x: 1\n", "potok.yaml:1:1: unknown key \"x\"" },
    { MAIN "    tarif: standard\n",
        "potok.yaml:4:5: unknown key \"tarif\" in portal main (did you mean \"tariff\"?)" },
    { MAIN "    password: 1\n", "potok.yaml:4:5: unknown key \"password\" in portal main" },
    { MAIN "    url: x\n", "potok.yaml:4:5: \"url\" is here a second time (first in line 3)" },
    { MAIN "  main:\n    prefix: b_\n", "potok.yaml:4:3: \"main\" is here a second time (first in line 2)" },
    { "settings:\n  JOB_DEADLINE: 1\n  JOB_DEADLINE: 2\n",
        "potok.yaml:3:3: \"JOB_DEADLINE\" is here a second time" },
    { "portals:\n  ? [a]\n  : b\n", "potok.yaml:2:5: a key must be a single word" },
    { "portals:\n  https://p/rest/1/topsecret/:\n", "is no portal name" },
    { "https://p/rest/1/topsecret/: 1\n", "unknown key \"https://p/rest/1/(masked)/\"" },
    { "https://p/rest/1/topsecret/: 1\nhttps://p/rest/1/topsecret/: 2\n",
        "\"https://p/rest/1/(masked)/\" is here a second time" },
    /* shapes */
    { "just text\n", "potok.yaml:1:1: the file must begin with portals: or settings:" },
    { "- a\n", "the file must begin with portals: or settings:" },
    { "portals: yes\n", "potok.yaml:1:1: portals wants names with values under it" },
    { "portals: [main]\n", "portals wants names with values under it" },
    { "portals:\n  main: https://p/rest/1/topsecret/\n", "potok.yaml:2:3: portal main wants keys under it" },
    { "portals:\n  main: [a]\n", "portal main wants keys under it" },
    { "portals:\n  main:\n    url: [a]\n", "potok.yaml:3:5: url wants a single value" },
    { "portals:\n  main:\n    url:\n", "potok.yaml:3:5: url is empty" },
    { "settings:\n  JOB_DEADLINE: {a: b}\n", "potok.yaml:2:3: JOB_DEADLINE wants a single value" },
    /* portals */
    { "portals:\n  Main:\n    url: x\n", "potok.yaml:2:3: \"Main\" is no portal name" },
    { "portals:\n  1a: {}\n", "is no portal name" },
    { "portals:\n  main:\n", "potok.yaml:2:3: portal main has neither url nor url_file" },
    { "portals:\n  main:\n    tariff: standard\n",
        "potok.yaml:2:3: portal main has neither url nor url_file" },
    { "portals:\n  main:\n    url: http://p/rest/1/topsecret/\n",
        "potok.yaml:3:5: portal main: url: \"http://p/(masked)\": plain http" },
    { "portals:\n  main:\n    url: https://p/rest/1/topsecret/profile.json\n", "take the method name away" },
    { MAIN "    url_file: potok.yaml\n", "potok.yaml:4:5: portal main: url and url_file exclude each other" },
    { "portals:\n  main:\n    url_file: /nowhere/x\n",
        "potok.yaml:3:5: portal main: url_file: /nowhere/x: No such file" },
    { "portals:\n  main:\n    url_file: potok.yaml\n", "potok.yaml:3:5: portal main: url_file: " },
    /* tariff */
    { MAIN "    tariff: gold\n",
        "potok.yaml:4:5: \"gold\" is no tariff: standard (2/50), enterprise (5/250) or RATE/BURST" },
    { MAIN "    tariff: 5\n", "is no tariff" },
    { MAIN "    tariff: 0/50\n", "is no tariff" },
    { MAIN "    tariff: 2/3\n", "is no tariff" },
    { MAIN "    tariff: -2/50\n", "is no tariff" },
    { MAIN "    tariff: 2/50/1\n", "is no tariff" },
    { MAIN "    tariff: 2.5/50\n", "is no tariff" },
    { MAIN "    tariff: [2, 50]\n", "tariff wants a single value" },
    /* entities */
    { MAIN "    entities: [deals, deels]\n",
        "potok.yaml:4:23: portal main: unknown entity \"deels\" (did you mean \"deals\"?)" },
    { MAIN "    entities: [orders]\n",
        "unknown entity \"orders\": there are deals, contacts; leave the list out" },
    { MAIN "    entities: [Deals]\n", "unknown entity \"Deals\" (did you mean \"deals\"?)" },
    { MAIN "    entities: [deals, deal]\n", "portal main: deal is in the list twice" },
    { MAIN "    entities: deals\n", "potok.yaml:4:5: portal main: entities wants a list: [deals, contacts]" },
    { MAIN "    entities: []\n", "the list of entities is empty; leave it out for all" },
    { MAIN "    entities: [[deals]]\n", "entities wants a list of names" },
    { MAIN "    entities: ['']\n", "unknown entity \"\"" },
    /* drift */
    { MAIN "    drift: frieze\n",
        "potok.yaml:4:5: drift: \"frieze\" is no policy (did you mean \"freeze\"?)" },
    { MAIN "    drift: never\n",
        "potok.yaml:4:5: drift: \"never\" is no policy: evolve (new fields are copied), freeze" },
    { MAIN "    drift: {contacts: freeze}\n", "potok.yaml:4:5: drift wants a single value; that of one "
                                              "entity stands in the list: entities: [deals, "
                                              "{contacts: {drift: freeze}}]" },
    { MAIN "    entities: {contacts: {drift: freeze}}\n",
        "entities wants a list: [deals, contacts], or [deals, {contacts: {drift: freeze}}]" },
    { MAIN "    drift: [freeze]\n", "potok.yaml:4:5: drift wants a single value" },
    { MAIN "    drift:\n", "drift is empty" },
    { MAIN "    drft: freeze\n", "unknown key \"drft\" in portal main (did you mean \"drift\"?)" },
    { MAIN "    entities: [deals, {contacts: {drift: frieze}}]\n",
        "potok.yaml:4:35: drift: \"frieze\" is no policy (did you mean \"freeze\"?)" },
    { MAIN "    entities:\n    - deals\n    - contacts:\n        drit: freeze\n",
        "potok.yaml:7:9: unknown key \"drit\" of an entity of portal main (did you mean \"drift\"?)" },
    { MAIN "    entities: [{deals: freeze}]\n",
        "potok.yaml:4:17: portal main: an entity's settings are a map: {contacts: {drift: freeze}}" },
    /* schedules */
    { MAIN "    schedule: \"61 * * * *\"\n", "potok.yaml:4:5: schedule: \"61\" is no minute: 0-59" },
    { MAIN "    schedule: hourly\n", "potok.yaml:4:5: schedule: \"hourly\" is no minute" },
    { MAIN "    schedule: \"@daily\"\n    interval: 10m\n",
        "potok.yaml:5:5: interval: schedule and interval exclude each other" },
    { MAIN "    interval: 9s\n", "potok.yaml:4:5: interval: \"9s\" is not never, nor 10s to 366d" },
    { MAIN "    interval: 367d\n", "\"367d\" is not never" },
    { MAIN "    interval: 10\n", "is not never, nor 10s" },
    { MAIN "    interval: 10 m\n", "is not never, nor 10s" },
    { MAIN "    interval: -5m\n", "is not never, nor 10s" },
    { MAIN "    missed: later\n", "potok.yaml:4:5: missed: missed is once" },
    { MAIN "    zone: Europe/Moskow\n", "potok.yaml:4:5: zone: no time zone \"Europe/Moskow\"" },
    { MAIN "    zone: ../../etc/passwd\n", "no time zone" },
    { MAIN "    schedul: x\n", "unknown key \"schedul\" in portal main (did you mean \"schedule\"?)" },
    { MAIN "    entities: [{deals: {interval: x}}]\n", "interval: \"x\" is not never" },
    { MAIN "    entities: [{deels: {drift: freeze}}]\n",
        "potok.yaml:4:17: portal main: unknown entity \"deels\" (did you mean \"deals\"?)" },
    { MAIN "    entities: [deals, {deal: {}}]\n", "portal main: deal is in the list twice" },
    { MAIN "    entities: [{deals: {}, contacts: {}}]\n",
        "potok.yaml:4:16: portal main: entities wants a list of names" },
    { MAIN "    entities: [{}]\n", "entities wants a list of names" },
    /* prefix */
    { MAIN "    prefix: 1x\n", "potok.yaml:4:5: portal main: prefix \"1x\" is not a small letter" },
    { MAIN "    prefix: 'a; drop table x'\n", "is not a small letter" },
    { MAIN "    prefix: abcdefghijklmnopqrstuvwxyz_01234\n", "is not a small letter" },
    { MAIN "  b:\n    url: https://q/rest/1/x/\n",
        "potok.yaml:4:3: portals main and b would write to the same tables (prefix crm_)" },
    { MAIN "    entities: [deals]\n  b:\n    url: https://q/rest/1/x/\n    entities: [leads, deal]\n",
        "the same tables" },
    /* settings */
    { "settings:\n  JOB_DEADLIN: 10s\n",
        "potok.yaml:2:3: unknown setting \"JOB_DEADLIN\" (did you mean \"JOB_DEADLINE\"?)" },
    { "settings:\n  job_deadline: 10s\n",
        "unknown setting \"job_deadline\" (did you mean \"JOB_DEADLINE\"?)" },
    { "settings:\n  NOTHING_LIKE_IT: 10s\n", "unknown setting \"NOTHING_LIKE_IT\"" },
    /* YAML */
    { "portals:\n\tmain: 1\n", "potok.yaml:2:1: a tab: YAML is indented with spaces" },
    { "portals: [\n", "potok.yaml:2:1: did not find expected node content" },
    { "portals: {a: 1\n", "potok.yaml:2:1: " },
    { "a: b: c\n", "potok.yaml:1:5: mapping values are not allowed" },
    { "portals:\n  main: 'abc\n", "found unexpected end of stream" },
    { "portals:\n  main: &x {}\n  b: *x\n", "potok.yaml:2:9: an anchor (&name) is not supported" },
    { "portals: *x\n", "potok.yaml:1:10: an alias (*name) is not supported" },
    { "portals: !vault x\n", "potok.yaml:1:10: a tag (!name) is not supported" },
    { "portals:\n  <<: *x\n", "an alias" },
    { "portals:\n---\nsettings:\n", "potok.yaml:2:1: a second document" },
    { "portals:\n  ma\xFFin: 1\n", "potok.yaml:2:5: invalid leading UTF-8 octet" },
    { "portals:\n  ma\x01in: 1\n", "potok.yaml:2:" },
    { "[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]\n", "too deep for a configuration" },
};

TEST(mistakes_are_told_with_their_place_and_a_hint)
{
    clear_environment();
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++)
        check_fails(mistakes[i].text, mistakes[i].why);
}

#define APP_PORTAL \
    "portals:\n  main:\n    app:\n      address: https://p.bitrix24.ru\n      client_id: local.1\n" \
    "      client_secret: secretsecretsecret\n"

TEST(a_portals_events_come_by_the_way_that_is_told)
{
    static const struct {
        const char *text;
        bool online, offline;
    } cases[] = {
        { APP_PORTAL, true, false },
        { APP_PORTAL "    events: online\n", true, false },
        { APP_PORTAL "    events: offline\n", false, true },
        { APP_PORTAL "    events: both\n", true, true },
    };

    clear_environment();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct config c;

        check_loads(&c, cases[i].text);
        CHECK_EQ(config_events_online(&c.portals[0]), cases[i].online);
        CHECK_EQ(config_events_offline(&c.portals[0]), cases[i].offline);
        config_free(&c);
    }
}

TEST(ways_of_events_that_cannot_be_are_refused)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        { APP_PORTAL "    events: offlin\n", "events: \"offlin\" is no way (did you mean \"offline\"?)" },
        { APP_PORTAL "    events: never\n", "events: \"never\" is no way: online" },
        { "portals:\n  main:\n    url: https://p.bitrix24.ru/rest/1/s3cr3t/\n    events: both\n",
            "portal main: events: both wants the portal as an application" },
    };

    clear_environment();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct config c;
        struct err err = { 0 };

        write_file("potok.yaml", cases[i].text);
        CHECK_EQ(config_load(&c, "potok.yaml", NULL, &err), -1);
        CHECK_EQ(err.kind, ERR_CONF);
        CHECK_HAS(err.text, cases[i].why);
    }
}

TEST(each_entity_has_a_schedule_of_its_own_or_its_portals)
{
    struct config_when when;
    struct config c;

    clear_environment();
    check_loads(&c,
        MAIN "    schedule: \"*/15 8-19 * * mon-fri\"\n    missed: skip\n    zone: \"+03:00\"\n"
             "    entities: [deals, {contacts: {interval: 2h, missed: all}}, {leads: {interval: never}}]\n");
    CHECK_STR(c.portals[0].zone, "+03:00");
    when = config_when(&c.portals[0], "deals");
    CHECK(when.told && when.by_cron && when.missed == CRON_SKIP);
    CHECK_EQ(when.cron.minutes, 1 | 1ULL << 15 | 1ULL << 30 | 1ULL << 45);
    when = config_when(&c.portals[0], "contacts");
    CHECK(when.told && !when.by_cron && when.missed == CRON_ALL);
    CHECK_EQ(when.interval_ms, 7200000);
    when = config_when(&c.portals[0], "leads");
    CHECK(when.told && when.interval_ms == 0 && when.missed == CRON_SKIP);
    config_free(&c);
    check_loads(&c, MAIN);
    CHECK(!config_when(&c.portals[0], "deals").told);
    CHECK_EQ(config_when(&c.portals[0], "deals").missed, CRON_ONCE);
    config_free(&c);
}

TEST(each_entity_has_a_policy_of_its_own_or_its_portals)
{
    struct config c;

    clear_environment();
    check_loads(
        &c, MAIN "    drift: quarantine\n    entities: [deals, {contact: {drift: freeze}}, {leads: }]\n");
    CHECK_EQ(c.portals[0].entity_count, 3);
    CHECK_EQ(config_drift(&c.portals[0], "deals"), DRIFT_QUARANTINE);
    CHECK_EQ(config_drift(&c.portals[0], "contacts"), DRIFT_FREEZE);
    CHECK_EQ(config_drift(&c.portals[0], "leads"), DRIFT_QUARANTINE);
    CHECK_STR(c.portals[0].drift_where, "potok.yaml:4:5");
    config_free(&c);
    check_loads(&c, MAIN "    entities: [{leads: {}}, {deals: {drift: evolve}}]\n");
    CHECK_EQ(config_drift(&c.portals[0], "leads"), DRIFT_EVOLVE);
    CHECK_EQ(config_drift(&c.portals[0], "deals"), DRIFT_EVOLVE);
    config_free(&c);
    check_loads(&c, MAIN "    drift: freeze\n"); /* all entities */
    CHECK_EQ(config_drift(&c.portals[0], "deals"), DRIFT_FREEZE);
    config_free(&c);
}

TEST(one_prefix_may_serve_portals_that_share_no_entity)
{
    struct config c;

    clear_environment();
    check_loads(
        &c, MAIN "    entities: [deals]\n  b:\n    url: https://q/rest/1/x/\n    entities: [leads]\n");
    CHECK_EQ(c.portal_count, 2);
    config_free(&c);
}

TEST(sizes_are_limited)
{
    struct buf text;

    clear_environment();
    buf_init(&text, 2 << 20);
    buf_str(&text, "portals:\n");
    for (int i = 0; i <= CONFIG_PORTALS_MAX; i++)
        buf_fmt(&text, "  p%d: {url: 'https://p/rest/1/topsecret', prefix: p%d_}\n", i, i);
    check_fails(buf_cstr(&text), "more than 32 portals");

    buf_clear(&text);
    buf_str(&text, "a: [");
    for (int i = 0; i < 6000; i++)
        buf_str(&text, "1,");
    buf_str(&text, "]\n");
    check_fails(buf_cstr(&text), "too much for a configuration");

    buf_clear(&text);
    for (int i = 0; i < (1 << 20); i++)
        buf_char(&text, '#');
    buf_char(&text, '\n');
    check_fails(buf_cstr(&text), "potok.yaml: the file is too long");
    buf_fini(&text);
}

TEST(the_environment_makes_the_portal_main)
{
    struct config c;
    struct err err = { 0 };

    clear_environment();
    write_file("empty.yaml", "");
    setenv("BITRIX_WEBHOOK_URL", "https://p/rest/1/s", 1);
    setenv("BITRIX_TARIFF", "enterprise", 1);
    CHECK_OK(config_load(&c, "empty.yaml", &checks, &err), err);
    CHECK_EQ(c.portal_count, 1);
    CHECK_STR(c.portals[0].name, "main");
    CHECK_STR(c.portals[0].url, "https://p/rest/1/s/");
    CHECK_STR(c.portals[0].where, "environment");
    CHECK_STR(c.portals[0].prefix, "crm_");
    CHECK_EQ(c.portals[0].burst, 250);
    config_free(&c);
}

TEST(the_environment_overrides_url_and_tariff_of_main_only)
{
    struct config c;

    clear_environment();
    write_file("webhook", "https://env/rest/2/t/\n");
    setenv("BITRIX_WEBHOOK_URL_FILE", "webhook", 1);
    setenv("BITRIX_TARIFF", "10/20", 1);
    check_loads(&c, "portals:\n  b: {url: 'https://q/rest/1/x/', prefix: b_}\n  main: {entities: [leads]}\n");
    CHECK_EQ(c.portal_count, 2);
    CHECK_STR(c.portals[1].url, "https://env/rest/2/t/");
    CHECK_EQ(c.portals[1].drain_per_s, 10);
    CHECK_EQ(c.portals[1].burst, 20);
    CHECK_EQ(c.portals[1].entity_count, 1);
    CHECK_STR(c.portals[0].url, "https://q/rest/1/x/");
    CHECK_EQ(c.portals[0].burst, 50);
    config_free(&c);
}

TEST(mistakes_in_the_environment_name_the_variable)
{
    static const struct {
        const char *name, *value, *why;
    } cases[] = {
        { "BITRIX_WEBHOOK_URL", "http://p/rest/1/topsecret/",
            "BITRIX_WEBHOOK_URL: \"http://p/(masked)\": plain http" },
        { "BITRIX_WEBHOOK_URL_FILE", "/nowhere/x", "BITRIX_WEBHOOK_URL_FILE: /nowhere/x: No such file" },
        { "BITRIX_TARIFF", "gold", "BITRIX_TARIFF: \"gold\" is no tariff" },
        { "BITRIX_TARIFF", "standard", "BITRIX_TARIFF is for the portal main, and there is none" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        clear_environment();
        setenv(cases[i].name, cases[i].value, 1);
        check_fails("portals:\n  b: {url: 'https://q/rest/1/x/'}\n", cases[i].why);
    }
    clear_environment();
}

/* Each once, and nothing that only follows from one; what is right is there. */
TEST(all_mistakes_are_told_when_all_are_wanted)
{
    static const char *const told[] = { ":3:5: unknown key \"ulr\"", ":4:16: portal main: unknown entity",
        ":5:3: ", ":9:5: ", ":11:3: unknown setting \"NO_SUCH\"", "BITRIX_TARIFF: \"gold\"" };
    struct mistakes all = { 0 };
    struct config_checks every = checks;
    struct config c;
    struct err err = { 0 };

    clear_environment();
    setenv("BITRIX_TARIFF", "gold", 1);
    write_file("potok.yaml", "portals:\n"
                             "  main:\n"
                             "    ulr: https://p/rest/1/topsecret/\n"
                             "    entities: [dogs, leads]\n"
                             "  Two: {url: 'https://q/rest/1/x/'}\n"
                             "  three: {url: 'https://r/rest/1/x/', prefix: r_}\n"
                             "  four:\n"
                             "    url: https://s/rest/1/x/\n"
                             "    tariff: slow\n"
                             "settings:\n"
                             "  NO_SUCH: 1\n"
                             "  JOB_DEADLINE: 2s\n");
    every.all = &all;
    CHECK_OK(config_load(&c, "potok.yaml", &every, &err), err);
    CHECK(c.wrong);
    CHECK_EQ(all.count, (int)ARRAY_SIZE(told));
    for (int i = 0; i < all.count; i++) {
        CHECK_HAS(all.list[i].text, told[i]);
        CHECK(!strstr(all.list[i].text, "topsecret"));
    }
    CHECK_EQ(c.portal_count, 1);
    CHECK_STR(c.portals[0].name, "three");
    CHECK_EQ(c.pair_count, 1);
    config_free(&c);
    mistakes_free(&all);
    clear_environment();
}

TEST(a_wrong_webhook_in_the_environment_is_one_mistake)
{
    struct mistakes all = { 0 };
    struct config_checks every = checks;
    struct config c;
    struct err err = { 0 };

    clear_environment();
    setenv("BITRIX_WEBHOOK_URL", "http://p/rest/1/topsecret/", 1);
    setenv("BITRIX_TARIFF", "enterprise", 1);
    write_file("potok.yaml", "portals:\n  b: {url: 'https://q/rest/1/x/'}\n");
    every.all = &all;
    CHECK_OK(config_load(&c, "potok.yaml", &every, &err), err);
    CHECK_EQ(all.count, 1);
    CHECK_HAS(all.list[0].text, "BITRIX_WEBHOOK_URL: ");
    CHECK_EQ(c.portal_count, 1);
    config_free(&c);
    mistakes_free(&all);
    clear_environment();
}

TEST(the_file_is_the_argument_else_the_variable_else_potok_yaml_where_it_exists)
{
    struct config c;
    struct err err = { 0 };

    clear_environment();
    write_file("other.yaml", "settings: {JOB_DEADLINE: 2s}\n");
    write_file("potok.yaml", "settings: {JOB_DEADLINE: 1s}\n");
    CHECK_OK(config_load(&c, NULL, NULL, &err), err);
    CHECK_STR(c.path, "potok.yaml");
    config_free(&c);

    setenv("POTOK_CONFIG", "other.yaml", 1);
    CHECK_OK(config_load(&c, NULL, NULL, &err), err);
    CHECK_STR(c.path, "other.yaml");
    CHECK_STR(c.pairs[0].value, "2s");
    config_free(&c);

    setenv("POTOK_CONFIG", "missing.yaml", 1);
    CHECK_EQ(config_load(&c, NULL, NULL, &err), -1);
    CHECK_STR(err.text, "missing.yaml: No such file or directory");
    CHECK_EQ(err.kind, ERR_CONF);

    clear_environment();
    CHECK_EQ(unlink("potok.yaml"), 0);
    CHECK_OK(config_load(&c, NULL, NULL, &err), err);
    CHECK(c.path == NULL);
    CHECK_EQ(c.portal_count, 0);
    config_free(&c);
    CHECK_EQ(config_load(&c, "potok.yaml", NULL, &err), -1);
}

TEST(without_checks_every_name_of_the_right_shape_is_taken)
{
    struct config c;
    struct err err = { 0 };

    clear_environment();
    write_file("potok.yaml",
        "portals: {main: {url: 'https://p/rest/1/s/', entities: [orders]}}\nsettings: {ANY: 1}\n");
    CHECK_OK(config_load(&c, "potok.yaml", NULL, &err), err);
    CHECK_STR(c.portals[0].entities[0], "orders");
    config_free(&c);
    write_file("potok.yaml", "portals: {main: {url: 'https://p/rest/1/s/', entities: [or-ders]}}\n");
    CHECK_EQ(config_load(&c, "potok.yaml", NULL, &err), -1);
}

TEST_MAIN(CASE(a_whole_file_is_read), CASE(defaults_are_standard_and_crm), CASE(a_file_may_be_empty),
    CASE(mistakes_are_told_with_their_place_and_a_hint), CASE(a_portals_events_come_by_the_way_that_is_told),
    CASE(ways_of_events_that_cannot_be_are_refused),
    CASE(each_entity_has_a_schedule_of_its_own_or_its_portals),
    CASE(each_entity_has_a_policy_of_its_own_or_its_portals),
    CASE(one_prefix_may_serve_portals_that_share_no_entity), CASE(sizes_are_limited),
    CASE(the_environment_makes_the_portal_main), CASE(the_environment_overrides_url_and_tariff_of_main_only),
    CASE(mistakes_in_the_environment_name_the_variable), CASE(all_mistakes_are_told_when_all_are_wanted),
    CASE(a_wrong_webhook_in_the_environment_is_one_mistake),
    CASE(the_file_is_the_argument_else_the_variable_else_potok_yaml_where_it_exists),
    CASE(without_checks_every_name_of_the_right_shape_is_taken))
