/* Events of the application: which codes there are, of one type of items, whose right they need, what an
 * update does (facts sections 9.1, 9.2). */
#include "base/clock.h"
#include "base/mem.h"
#include "services/sandbox/events/events.h"
#include "tests/unit/sandbox/ask.h"

static struct portal *open_with(const char *quirk, unsigned scopes)
{
    struct portal_options o = ask_options();

    o.quirks = quirk != NULL ? quirk_bit(quirk) : 0;
    o.scopes = scopes;
    o.events.app = 1;
    o.events.parallel = 1000;
    o.store.counts[SMART] = o.store.counts[INVOICE] = 5;
    return ask_open_with(o);
}

static void bind(struct portal *p, const char *event)
{
    char body[200];

    snprintf(body, sizeof(body), "{\"event\":\"%s\",\"handler\":\"http://127.0.0.1:9/%s\"}", event, event);
    json_decref(ask_done(ask_app(p, "event.bind", body)));
}

/* The next event's name, and what it must hold; "" = none. */
static void event_is(struct portal *p, const char *name, const char *part)
{
    struct buf body;
    const char *url;

    if (!events_next(&p->events, clock_mono_ms(), clock_wall_ms(), &url, &body)) {
        CHECK_STR("", name);
        return;
    }
    outbox_done(&p->events.outbox, true);
    char *text = (char *)buf_cstr(&body);
    CHECK_HAS(text, part);
    *strchr(text, '&') = '\0';
    CHECK_STR(text + strlen("event="), name);
    buf_fini(&body);
}

static size_t count_codes(struct portal *p, const char *body, const char *has)
{
    json_t *codes = ask_done(ask_app(p, "events", body)), *code;
    bool found = false;
    size_t i;

    json_array_foreach(codes, i, code)
        found |= strcmp(json_string_value(code), has) == 0;
    CHECK(found);
    const size_t count = json_array_size(codes);
    json_decref(codes);
    return count;
}

TEST(codes_are_shown_by_right)
{
    struct portal *p = open_with(NULL, SCOPE_CRM);
    const size_t mine = count_codes(p, NULL, "ONAPPTEST"),
                 crm = count_codes(p, "{\"SCOPE\":\"crm\"}", "ONCRMLEADADD"),
                 task = count_codes(p, "{\"SCOPE\":\"task\"}", "ONTASKCOMMENTADD"),
                 all = count_codes(p, "{\"FULL\":true}", "ONVOXIMPLANTCALLEND");

    CHECK_EQ(task, 6);
    CHECK_EQ(count_codes(p, "{\"SCOPE\":\"user\",\"FULL\":true}", "ONUSERADD"), 1);
    CHECK(crm > 90 && mine > crm && all > mine + task);
    CHECK_EQ(all, (size_t)event_count());
    ask_close(p);
}

TEST(every_code_can_be_bound_once)
{
    struct portal *p = open_with(NULL, SCOPE_ALL);

    for (int i = 0; i < event_count(); i++) {
        bind(p, event_row(i)->name);
        for (int k = 0; k < i; k++)
            CHECK(strcmp(event_row(i)->name, event_row(k)->name) != 0);
    }
    json_t *bound = ask_done(ask_app(p, "event.get", NULL));
    CHECK_EQ(json_array_size(bound), (size_t)event_count());
    json_decref(bound);
    ask_close(p);
}

TEST(items_have_codes_of_their_type_as_well)
{
    static const struct {
        int type;
        enum which w;
    } cases[] = { { 156, SMART }, { 31, INVOICE } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct portal *p = open_with(NULL, 0);
        char name[60], body[100], part[100];
        bind(p, "ONCRMDYNAMICITEMADD");
        bind(p, "ONCRMDYNAMICITEMADD_156");
        bind(p, "ONCRMDYNAMICITEMADD_31");
        snprintf(body, sizeof(body), "{\"entityTypeId\":%d,\"fields\":{}}", cases[i].type);
        json_decref(ask_done(ask(p, "crm.item.add", body)));
        snprintf(part, sizeof(part),
            "&data%%5BFIELDS%%5D%%5BID%%5D=%u&data%%5BFIELDS%%5D%%5BENTITY_TYPE_ID%%5D=%d&ts=",
            p->store.crm[cases[i].w].ids[p->store.crm[cases[i].w].count - 1], cases[i].type);
        event_is(p, "ONCRMDYNAMICITEMADD", part);
        snprintf(name, sizeof(name), "ONCRMDYNAMICITEMADD_%d", cases[i].type);
        event_is(p, name, part);
        event_is(p, "", "");
        ask_close(p);
    }
}

TEST(user_fields_of_items_are_told_of)
{
    struct portal *p = open_with(NULL, 0);

    bind(p, "ONCRMTYPEUSERFIELDADD");
    ask_admin(p, "field?entity=items", "{\"name\":\"UF_CRM_3_NEW\",\"type\":\"string\"}");
    event_is(p, "ONCRMTYPEUSERFIELDADD", "&data%5BFIELDS%5D%5BENTITY_ID%5D=CRM_3&");
    ask_close(p);
}

static void refused(json_t *answer, const char *text)
{
    CHECK_STR(ask_error(answer), text);
    CHECK_STR(json_string_value(json_object_get(answer, "error")), "ACCESS_DENIED");
    json_decref(answer);
}

TEST(who_is_no_administrator_keeps_to_his_own_handlers)
{
    static const char *const queues[] = { "event.offline.get", "event.offline.list", "event.offline.clear",
        "event.offline.error" };
    struct portal *p = open_with("no-admin", 0);

    for (size_t i = 0; i < ARRAY_SIZE(queues); i++)
        refused(ask_app(p, queues[i], "{\"process_id\":\"x\",\"message_id\":[\"y\"]}"), "Access denied!");
    refused(ask_app(p, "event.bind", "{\"event\":\"ONCRMDEALADD\",\"event_type\":\"offline\"}"),
        "Access denied! Offline events binding requires administrator access rights");
    refused(ask_app(p, "event.unbind", "{\"event\":\"ONCRMDEALADD\",\"event_type\":\"offline\"}"),
        "Access denied! Offline events unbinding requires administrator access rights");
    refused(ask_app(p, "event.bind",
                "{\"event\":\"ONCRMDEALADD\",\"handler\":\"http://a.example/\",\"auth_type\":5}"),
        "Access denied! Event binding with AUTH_TYPE requires administrator access rights");
    refused(ask_app(p, "event.unbind",
                "{\"event\":\"ONCRMDEALADD\",\"handler\":\"http://a.example/\",\"auth_type\":5}"),
        "Access denied! Event unbinding with AUTH_TYPE requires administrator access rights");
    bind(p, "ONCRMDEALADD");
    ask_close(p);
}

TEST(an_update_of_the_application_takes_its_handlers)
{
    for (int renewed = 0; renewed < 2; renewed++) {
        struct portal *p = open_with(NULL, 0);
        char before[65], part[120];
        snprintf(before, sizeof(before), "%s", p->events.application_token);
        bind(p, "ONAPPUPDATE");
        bind(p, "ONCRMDEALUPDATE");
        ask_admin(p, renewed ? "app/update?token=1" : "app/update", NULL);
        CHECK_EQ(strcmp(before, p->events.application_token) != 0, renewed);
        snprintf(part, sizeof(part), "auth%%5Bapplication_token%%5D=%s", p->events.application_token);
        event_is(p, "ONAPPUPDATE", part);
        ask_admin(p, "change?entity=deals&count=1&kind=update", NULL);
        event_is(p, "", "");
        json_t *bound = ask_done(ask_app(p, "event.get", NULL));
        CHECK_EQ(json_array_size(bound), 1);
        json_decref(bound);
        ask_close(p);
    }
}

TEST_MAIN(CASE(codes_are_shown_by_right), CASE(every_code_can_be_bound_once),
    CASE(items_have_codes_of_their_type_as_well), CASE(user_fields_of_items_are_told_of),
    CASE(who_is_no_administrator_keeps_to_his_own_handlers),
    CASE(an_update_of_the_application_takes_its_handlers))
