/* What the portal posts when an application is opened in a frame or a robot runs (facts sections 9.6, 10). */
#include "services/sandbox/events/letter.h"
#include "base/clock.h"
#include "base/mem.h"
#include "services/sandbox/events/events.h"
#include "support/check.h"
#include "tests/unit/sandbox/ask.h"

static const struct event_from from = { .address = "127.0.0.1:8080",
    .oauth_address = "127.0.0.1:8082",
    .member_id = "m",
    .application_token = "a/t",
    .access_token = "x",
    .refresh_token = "y",
    .expires_in_s = 3600,
    .scope = "crm,user" };

static void letter_is(struct letter *l, const char *url, const char *body)
{
    CHECK_STR(l->url, url);
    CHECK_STR(buf_cstr(&l->body), body);
    letter_free(l);
}

TEST(a_frame_is_told_half_in_the_query_and_half_in_the_body)
{
    letter_is(letter_frame("http://a/b?c=1", &from, "s", "DEFAULT", NULL),
        "http://a/b?c=1&DOMAIN=127.0.0.1:8080&PROTOCOL=0&LANG=ru&APP_SID=s",
        "AUTH_ID=x&AUTH_EXPIRES=3600&REFRESH_ID=y&SERVER_ENDPOINT=http%3A%2F%2F127.0.0.1%3A8082%2Frest%2F"
        "&APPLICATION_TOKEN=a%2Ft&APPLICATION_SCOPE=crm%2Cuser&member_id=m&status=L&PLACEMENT=DEFAULT");
    struct event_from tls = from;
    tls.tls = true;
    struct letter *l = letter_frame("http://a", &tls, "s", "CRM_DEAL_DETAIL_TAB", "{\"ID\":\"7\"}");
    CHECK_STR(l->url, "http://a?DOMAIN=127.0.0.1:8080&PROTOCOL=1&LANG=ru&APP_SID=s");
    CHECK_HAS(
        buf_cstr(&l->body), "&PLACEMENT=CRM_DEAL_DETAIL_TAB&PLACEMENT_OPTIONS=%7B%22ID%22%3A%227%22%7D");
    letter_free(l);
}

TEST(the_built_in_robot_names_a_document_and_no_token)
{
    const struct letter_robot robot = { .w = DEAL, .id = 54, .event_token = "t" };

    letter_is(letter_robot("http://a/?id={{ID}}&k=v", &from, &robot), "http://a/?id=54&k=v",
        "document_id%5B0%5D=crm&document_id%5B1%5D=CCrmDocumentDeal&document_id%5B2%5D=DEAL_54"
        "&auth%5Bdomain%5D=127.0.0.1%3A8080&auth%5Bclient_endpoint%5D=http%3A%2F%2F127.0.0.1%3A8080%2Frest%2F"
        "&auth%5Bserver_endpoint%5D=http%3A%2F%2F127.0.0.1%3A8082%2Frest%2F&auth%5Bmember_id%5D=m");
}

TEST(each_entity_has_its_document)
{
    static const char *const ids[KINDS] = { [DEAL] = "DEAL_7",
        [CONTACT] = "CONTACT_7",
        [COMPANY] = "COMPANY_7",
        [LEAD] = "LEAD_7",
        [QUOTE] = "QUOTE_7",
        [INVOICE] = "SMART_INVOICE_7",
        [SMART] = "DYNAMIC_156_7" };
    char end[60];

    for (int w = 0; w < KINDS; w++) {
        struct letter *l = letter_robot(
            "http://a", &from, &(struct letter_robot){ .w = (enum which)w, .id = 7, .event_token = "t" });
        snprintf(end, sizeof(end), "document_id%%5B2%%5D=%s&", ids[w]);
        CHECK_HAS(buf_cstr(&l->body), end);
        letter_free(l);
    }
}

TEST(a_robot_of_an_application_tells_more)
{
    json_t *properties = json_loads("{\"NAME\":\"ж\",\"n\":5}", 0, NULL);
    struct letter *l = letter_robot("http://a/{{ID}}", &from,
        &(struct letter_robot){
            .w = LEAD, .id = 3, .code = "my", .event_token = "t", .properties = properties, .ts_s = 9 });
    static const char *const parts[] = { "workflow_id=t.3&code=my&document_id%5B0%5D=crm",
        "&document_type%5B1%5D=CCrmDocumentLead&document_type%5B2%5D=LEAD&event_token=t",
        "&properties%5BNAME%5D=%D0%B6&properties%5Bn%5D=5&use_subscription=N&timeout_duration=0&ts=9",
        "&auth%5Baccess_token%5D=x", "&auth%5Bapplication_token%5D=a%2Ft" };

    CHECK_STR(l->url, "http://a/{{ID}}");
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        CHECK_HAS(buf_cstr(&l->body), parts[i]);
    letter_free(l);
    json_decref(properties);
}

TEST(letters_go_before_events_and_are_freed_unsent)
{
    struct portal_options o = ask_options();
    struct buf body;
    const char *url;
    char route[200];

    o.events.app = o.events.parallel = 2;
    o.events.webhooks[0] = "http://127.0.0.1:9/hook";
    struct portal *p = ask_open_with(o);
    snprintf(route, sizeof(route), "set?entity=deals&id=%u", p->store.crm[DEAL].ids[0]);
    ask_admin(p, route, "{\"TITLE\":\"x\"}");
    for (int i = 0; i < 3; i++) {
        snprintf(route, sizeof(route), "robot?entity=deals&id=%u&url=http://127.0.0.1:9/%d",
            p->store.crm[DEAL].ids[0], i);
        ask_admin(p, route, NULL);
    }
    ask_admin(p, "app/open?url=http://127.0.0.1:9/app", NULL);
    for (int i = 0; i < 2; i++) {
        char expected[60];
        CHECK(events_next(&p->events, clock_mono_ms(), clock_wall_ms(), &url, &body));
        snprintf(expected, sizeof(expected), "http://127.0.0.1:9/%d", i);
        CHECK_STR(url, expected);
        buf_fini(&body);
    }
    CHECK(!events_next(&p->events, clock_mono_ms(), clock_wall_ms(), &url, &body)); /* two at a time */
    outbox_done(&p->events.outbox, true);
    outbox_done(&p->events.outbox, true);
    CHECK_EQ(p->events.outbox.stats.answered, 2);
    ask_close(p);
}

TEST_MAIN(CASE(a_frame_is_told_half_in_the_query_and_half_in_the_body),
    CASE(the_built_in_robot_names_a_document_and_no_token), CASE(each_entity_has_its_document),
    CASE(a_robot_of_an_application_tells_more), CASE(letters_go_before_events_and_are_freed_unsent))
