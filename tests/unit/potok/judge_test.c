#include "services/potok/doctor/facts.h"

#include "base/mem.h"
#include "services/potok/words/say.h"
#include "support/check.h"

#include <errno.h>
#include <stdio.h>

/* Facts of a machine and a portal that are well; each case spoils one. */
static struct home home;
static struct portal_facts portal;
static struct facts facts;

static void all_well(void)
{
    memset(&portal, 0, sizeof(portal));
    home = (struct home){ .dir = "/srv/potok", .database_url = "sqlite:////srv/potok/potok.db" };
    facts = (struct facts){ .home = &home, .portals = &portal, .portal_count = 1, .database_looked = true };
    struct machine_facts *m = &facts.machine;

    m->home = (struct place){ .what = "POTOK_HOME",
        .path = "/srv/potok",
        .there = true,
        .mode = 0700,
        .free_bytes = UINT64_C(1) << 40,
        .files_free = 1000000,
        .files_told = true,
        .kind = 0xEF53 };
    m->database = m->home;
    snprintf(m->database_file, sizeof(m->database_file), "/srv/potok/potok.db");
    m->file_there = m->file_writable = true;
    m->file_mode = 0600;
    m->files_most = 1024;
    facts.database = (struct db_look){
        .there = true, .engine = "sqlite", .version = "3.40.1", .tables = 2, .tables_known = 2
    };
    snprintf(portal.name, sizeof(portal.name), "main");
    snprintf(portal.identity, sizeof(portal.identity), "a.bitrix24.ru");
    for (int i = 0; i < CALLS; i++)
        portal.calls[i] = (struct call_facts){ .asked = true, .status = 200, .json = true, .took_ms = 20 };
    portal.user_known = portal.admin = portal.scopes_known = portal.clock_known = portal.operating = true;
    snprintf(portal.scopes, sizeof(portal.scopes), " crm user ");
    portal.lists[0] = (struct list_facts){ .entity = "deals", .told = true, .rows = 50 };
    portal.list_count = 1;
}

/* The worst a check finds, with all it says. */
static enum health judged(judge *check, char *ret, size_t size)
{
    struct findings out = { .check = "x", .title = "x" };
    enum health worst = HEALTH_OK;

    ret[0] = '\0';
    check(&facts, &out);
    CHECK(out.count > 0);
    for (int i = 0; i < out.count; i++) {
        size_t n = strlen(ret);

        worst = out.list[i].health > worst ? out.list[i].health : worst;
        snprintf(ret + n, size - n, "%s | %s\n", out.list[i].found, out.list[i].cure);
        CHECK(out.list[i].health != HEALTH_BAD || strlen(out.list[i].found) > 8);
    }
    findings_fini(&out);
    return worst;
}

#define JUDGED(check, wanted, words) \
    do { \
        char said_[4000]; \
        enum health worst_ = judged(check, said_, sizeof(said_)); \
        if (worst_ != (wanted)) \
            print_error("%s\n", said_); \
        CHECK_EQ(worst_, wanted); \
        CHECK_HAS(said_, words); \
        all_well(); \
    } while (0)

TEST(what_is_well_is_called_well)
{
    static judge *const checks[] = { judge_environment, judge_home, judge_disk, judge_file_system,
        judge_limits, judge_services, judge_ports, judge_sockets, judge_database, judge_database_rights,
        judge_tables, judge_identity, judge_portal, judge_webhook, judge_scope, judge_entities, judge_budget,
        judge_clock };

    all_well();
    for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
        JUDGED(checks[i], HEALTH_OK, "");
}

TEST(without_a_configuration_nothing_is_guessed)
{
    static judge *const checks[] = { judge_home, judge_disk, judge_file_system, judge_services, judge_ports,
        judge_sockets, judge_database, judge_tables, judge_portal, judge_clock };

    for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
        all_well();
        facts.home = NULL;
        facts.portal_count = 0;
        facts.database_looked = false;
        JUDGED(checks[i], HEALTH_SKIPPED, "not checked");
    }
}

TEST(folders_and_disks)
{
    struct machine_facts *m = &facts.machine;

    all_well();
    m->home.refused = EROFS;
    JUDGED(judge_home, HEALTH_BAD, "remount,rw");
    m->home.refused = EACCES;
    JUDGED(judge_home, HEALTH_BAD, "chown");
    m->home.mode = 0755;
    JUDGED(judge_home, HEALTH_WARNING, "chmod 700 /srv/potok");
    m->file_mode = 0644;
    JUDGED(judge_home, HEALTH_WARNING, "chmod 600 /srv/potok/potok.db");
    m->file_writable = false;
    JUDGED(judge_home, HEALTH_BAD, "cannot be written");
    m->home.there = false;
    JUDGED(judge_home, HEALTH_OK, "first start makes it");
    m->home.free_bytes = 500 << 20;
    JUDGED(judge_disk, HEALTH_WARNING, "500 MB free");
    m->home.free_bytes = 10 << 20;
    JUDGED(judge_disk, HEALTH_BAD, "free some space");
    m->home.files_free = 5;
    JUDGED(judge_disk, HEALTH_BAD, "inodes");
    m->home.files_free = 0;
    m->home.files_told = false;
    JUDGED(judge_disk, HEALTH_OK, "");
}

TEST(file_systems_that_do_not_carry_a_database)
{
    static const struct {
        long kind;
        enum health health;
        const char *words;
    } cases[] = { { 0x6969, HEALTH_WARNING, "never be shared between hosts" },
        { 0x01021997, HEALTH_WARNING, "9p" }, { (int32_t)0xFF534D42, HEALTH_WARNING, "CIFS" },
        { 0x794C7630, HEALTH_WARNING, "volume" }, { 0x01021994, HEALTH_WARNING, "restart" },
        { 0x9123683E, HEALTH_OK, "" } };

    all_well();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        facts.machine.database.kind = cases[i].kind;
        JUDGED(judge_file_system, cases[i].health, cases[i].words);
    }
    facts.machine.database.kind = 0x6969;
    facts.machine.database_file[0] = '\0';
    JUDGED(judge_file_system, HEALTH_OK, "no file");
}

TEST(limits_services_and_ports)
{
    struct machine_facts *m = &facts.machine;

    all_well();
    m->files_most = 256;
    JUDGED(judge_limits, HEALTH_WARNING, "ulimit -n");
    m->files_most = 20;
    JUDGED(judge_limits, HEALTH_BAD, "20 files");
    m->memory_most_bytes = UINT64_C(128) << 20;
    JUDGED(judge_limits, HEALTH_WARNING, "128 MB");
    m->up_pid = 7;
    JUDGED(judge_services, HEALTH_WARNING, "pid 7");
    m->stale = 3;
    JUDGED(judge_services, HEALTH_OK, "harmless");
    m->port_count = 2;
    m->ports[0] = (struct port){ .service = "fetcher", .address = "127.0.0.1:9103", .state = PORT_TAKEN };
    m->ports[1] = (struct port){ .service = "mapper", .address = "127.0.0.1:9101", .state = PORT_OURS };
    JUDGED(judge_ports, HEALTH_WARNING, "127.0.0.1:9103");
    m->port_count = 2;
    m->ports[0] = m->ports[1] =
        (struct port){ .service = "fetcher", .address = "127.0.0.1:9103", .wished = true };
    JUDGED(judge_ports, HEALTH_BAD, "want one address");
    m->port_count = 2;
    m->ports[0] = m->ports[1] =
        (struct port){ .service = "fetcher", .address = "127.0.0.1:0", .wished = true };
    JUDGED(judge_ports, HEALTH_OK, "");
}

TEST(databases)
{
    struct db_look *d = &facts.database;

    all_well();
    err_set(&facts.database_error, ERR_TEMP, "is the server running?");
    JUDGED(judge_database, HEALTH_BAD, "is the server running?");
    facts.database_error.kind = ERR_TEMP;
    JUDGED(judge_tables, HEALTH_SKIPPED, "not checked");
    d->tables = 3;
    JUDGED(judge_tables, HEALTH_BAD, "newer");
    d->tables = 1;
    JUDGED(judge_tables, HEALTH_OK, "brings them to 2");
    d->lease_count = 1;
    snprintf(d->leases[0].portal, sizeof(d->leases[0].portal), "main");
    snprintf(d->leases[0].identity, sizeof(d->leases[0].identity), "b.bitrix24.ru");
    JUDGED(judge_identity, HEALTH_BAD, "potok config moved main");
    facts.deep = true;
    snprintf(d->damage, sizeof(d->damage), "page 7 is never used");
    JUDGED(judge_damage, HEALTH_BAD, "page 7");
    snprintf(d->engine, sizeof(d->engine), "postgresql");
    snprintf(d->user, sizeof(d->user), "guest");
    d->may_create = d->may_temporary = true;
    d->standby = true;
    JUDGED(judge_database, HEALTH_BAD, "address of the primary");
    snprintf(d->engine, sizeof(d->engine), "postgresql");
    snprintf(d->user, sizeof(d->user), "guest");
    JUDGED(judge_database_rights, HEALTH_BAD, "GRANT TEMPORARY");
    snprintf(d->engine, sizeof(d->engine), "postgresql");
    d->may_temporary = true;
    JUDGED(judge_database_rights, HEALTH_WARNING, "GRANT USAGE, CREATE");
}

TEST(portals)
{
    struct call_facts *c = &portal.calls[CALL_PROFILE];

    all_well();
    *c = (struct call_facts){ .asked = true, .failure = "a.bitrix24.ru: Couldn't resolve host name" };
    JUDGED(judge_portal, HEALTH_BAD, "DNS");
    *c = (struct call_facts){ .asked = true, .unstarted = true, .failure = "only while the scheduler runs" };
    JUDGED(judge_portal, HEALTH_WARNING, "potok up");
    *c = (struct call_facts){
        .asked = true, .unconnected = true, .failure = "portal main: not connected yet"
    };
    JUDGED(judge_portal, HEALTH_BAD, "potok portal login");
    *c = (struct call_facts){
        .asked = true, .status = 302, .location = "https://b.bitrix24.ru/rest/1/(masked)/profile"
    };
    JUDGED(judge_portal, HEALTH_BAD, "https://b.bitrix24.ru/");
    *c = (struct call_facts){ .asked = true, .status = 502 };
    JUDGED(judge_portal, HEALTH_BAD, "HTTP 502");
    for (int i = 0; i < CALLS; i++)
        portal.calls[i].took_ms = 4000;
    JUDGED(judge_portal, HEALTH_WARNING, "4000 ms");
    c->refused = true;
    c->status = 503;
    snprintf(c->code, sizeof(c->code), "QUERY_LIMIT_EXCEEDED");
    JUDGED(judge_webhook, HEALTH_WARNING, "smaller share");
    c->refused = true;
    c->status = 401;
    snprintf(c->code, sizeof(c->code), "authorization_error");
    JUDGED(judge_webhook, HEALTH_BAD, "deactivated");
    portal.admin = false;
    JUDGED(judge_webhook, HEALTH_WARNING, "no administrator");
    snprintf(portal.scopes, sizeof(portal.scopes), " user ");
    JUDGED(judge_scope, HEALTH_BAD, "lacks the scope crm");
    snprintf(portal.scopes, sizeof(portal.scopes), " ");
    JUDGED(judge_scope, HEALTH_BAD, "nothing");
    portal.lists[0] =
        (struct list_facts){ .entity = "deals", .told = true, .refused = true, .code = "ACCESS_DENIED" };
    JUDGED(judge_entities, HEALTH_BAD, "Access permissions");
    portal.lists[0].rows = 0;
    JUDGED(judge_entities, HEALTH_OK, "no record");
    portal.lists[0].rows = 0;
    portal.admin = false;
    JUDGED(judge_entities, HEALTH_WARNING, "no record");
    portal.drain_per_s = 5;
    JUDGED(judge_budget, HEALTH_OK, "Enterprise");
}

TEST(clocks)
{
    static const struct {
        int64_t ahead_ms;
        enum health health;
        const char *words;
    } cases[] = { { 0, HEALTH_OK, "+05:30" }, { 4999, HEALTH_OK, "" },
        { -6000, HEALTH_WARNING, "0:06 behind" }, { 3600000, HEALTH_BAD, "1:00:00 ahead" },
        { INT64_MIN + 1, HEALTH_BAD, "behind" } };

    all_well();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        portal.ahead_ms = cases[i].ahead_ms;
        portal.offset_min = 330;
        JUDGED(judge_clock, cases[i].health, cases[i].words);
    }
    portal.clock_known = false;
    JUDGED(judge_clock, HEALTH_SKIPPED, "not checked");
}

TEST(a_secret_in_what_was_found_is_masked)
{
    struct findings out = { .check = "x", .title = "x" };

    finding_add(&out, HEALTH_BAD, "main", NULL, "%s", "https://a.bitrix24.ru/rest/1/topsecret12345/profile");
    CHECK(strstr(out.list[0].found, "topsecret") == NULL);
    CHECK_EQ(findings_count(&out, HEALTH_BAD), 1);
    findings_fini(&out);
}

TEST_MAIN(CASE(what_is_well_is_called_well), CASE(without_a_configuration_nothing_is_guessed),
    CASE(folders_and_disks), CASE(file_systems_that_do_not_carry_a_database), CASE(limits_services_and_ports),
    CASE(databases), CASE(portals), CASE(clocks), CASE(a_secret_in_what_was_found_is_masked))
