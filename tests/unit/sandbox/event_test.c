#include "services/sandbox/events/event.h"

#include "base/mem.h"
#include "support/check.h"

static const struct event_from from = { .address = "127.0.0.1:8080",
    .oauth_address = "oauth.bitrix.info",
    .member_id = "m",
    .application_token = "a/t",
    .access_token = "x",
    .expires_in_s = 3600,
    .scope = "crm,user" };

#define WHERE \
    "auth%5Bdomain%5D=127.0.0.1%3A8080&auth%5Bclient_endpoint%5D=http%3A%2F%2F127.0.0.1%3A8080%2Frest%2F" \
    "&auth%5Bserver_endpoint%5D=https%3A%2F%2Foauth.bitrix.info%2Frest%2F"
#define WHO "&auth%5Bmember_id%5D=m&auth%5Bapplication_token%5D=a%2Ft"
#define SERVER \
    "auth%5Bdomain%5D=127.0.0.1%3A8080&auth%5Bserver_endpoint%5D=https%3A%2F%2Foauth.bitrix.info%2Frest%2F"
#define CLIENT    "&auth%5Bclient_endpoint%5D=http%3A%2F%2F127.0.0.1%3A8080%2Frest%2F"
#define APP_WHERE SERVER "&auth%5Bstatus%5D=L" CLIENT

static void body_is(const struct event_from *f, bool app, const char *more, uint64_t id, const char *expected)
{
    struct buf out;

    buf_init(&out, 10000);
    event_body(&out, f, &(struct event_to){ .handler_id = 201, .app = app }, event_of(STR("onCrmDealUpdate")),
        id, more, 1736405807);
    CHECK_STR(buf_cstr(&out), expected);
    buf_fini(&out);
}

TEST(an_outgoing_webhook_gets_the_form_of_the_captures)
{
    body_is(&from, false, NULL, 759,
        "event=ONCRMDEALUPDATE&event_handler_id=201&data%5BFIELDS%5D%5BID%5D=759&ts=1736405807&" WHERE WHO);
}

TEST(an_application_gets_tokens_as_well)
{
    body_is(&from, true, NULL, 759,
        "event=ONCRMDEALUPDATE&event_handler_id=201&data%5BFIELDS%5D%5BID%5D=759&ts=1736405807"
        "&auth%5Baccess_token%5D=x&auth%5Bexpires_in%5D=3600&auth%5Bscope%5D=crm%2Cuser&" APP_WHERE WHO);
}

TEST(the_second_forms_differ_as_told)
{
    struct event_from f = from;

    f.no_handler_id = f.short_auth = true;
    body_is(&f, false, NULL, 1,
        "event=ONCRMDEALUPDATE&data%5BFIELDS%5D%5BID%5D=1&ts=1736405807&auth%5Bdomain%5D=127.0.0.1%"
        "3A8080" WHO);
    f.no_tokens = true;
    body_is(&f, true, NULL, 1,
        "event=ONCRMDEALUPDATE&event_handler_id=201&data%5BFIELDS%5D%5BID%5D=1&ts=1736405807&" SERVER CLIENT
            WHO);
    f.no_tokens = false;
    f.scope = "crm user";
    body_is(&f, true, NULL, 1,
        "event=ONCRMDEALUPDATE&event_handler_id=201&data%5BFIELDS%5D%5BID%5D=1&ts=1736405807"
        "&auth%5Baccess_token%5D=x&auth%5Bexpires_in%5D=3600&auth%5Bscope%5D=crm%20user&" APP_WHERE WHO);
    f.scope = from.scope;
    f.tells_user = true;
    f.expires_s = 1736409407;
    body_is(&f, true, NULL, 1,
        "event=ONCRMDEALUPDATE&event_handler_id=201&data%5BFIELDS%5D%5BID%5D=1&ts=1736405807"
        "&auth%5Baccess_token%5D=x&auth%5Bexpires%5D=1736409407&auth%5Bexpires_in%5D=3600&auth%5Bscope%5D="
        "crm%2Cuser&" APP_WHERE
        "&auth%5Bmember_id%5D=m&auth%5Buser_id%5D=1&auth%5Bapplication_token%5D=a%2Ft");
}

TEST(data_may_hold_more_or_nothing)
{
    body_is(&from, false, "data%5BA%5D=1", 0,
        "event=ONCRMDEALUPDATE&event_handler_id=201&data%5BA%5D=1&ts=1736405807&" WHERE WHO);
    body_is(&from, false, "", 0, "event=ONCRMDEALUPDATE&event_handler_id=201&ts=1736405807&" WHERE WHO);
}

TEST(each_deed_has_its_code)
{
    static const struct {
        enum which w;
        enum deed_kind kind;
        const char *name;
    } cases[] = {
        { DEAL, DEED_ADD, "ONCRMDEALADD" },
        { CONTACT, DEED_UPDATE, "ONCRMCONTACTUPDATE" },
        { COMPANY, DEED_DELETE, "ONCRMCOMPANYDELETE" },
        { LEAD, DEED_FIELD_ADD, "ONCRMLEADUSERFIELDADD" },
        { DEAL, DEED_FIELD_UPDATE, "ONCRMDEALUSERFIELDUPDATE" },
        { DEAL, DEED_FIELD_DELETE, "ONCRMDEALUSERFIELDDELETE" },
        { CONTACT, DEED_FIELD_ITEMS, "ONCRMCONTACTUSERFIELDSETENUMVALUES" },
        { DEAL, DEED_MOVE, "ONCRMDEALMOVETOCATEGORY" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_STR(event_row(event_of_deed(cases[i].w, cases[i].kind))->name, cases[i].name);
    CHECK_EQ(event_of_deed(LEAD, DEED_MOVE), EVENT_NONE);
    CHECK_EQ(event_of(STR("ONCRMDEALDANCE")), EVENT_NONE);
    CHECK_STR(event_row(event_app_test())->name, "ONAPPTEST");
    CHECK_STR(event_row(event_offline())->name, "ONOFFLINEEVENT");
    for (int code = 0; code < event_count(); code++)
        CHECK_EQ(event_of(str_of(event_row(code)->name)), code);
}

TEST_MAIN(CASE(an_outgoing_webhook_gets_the_form_of_the_captures), CASE(an_application_gets_tokens_as_well),
    CASE(the_second_forms_differ_as_told), CASE(data_may_hold_more_or_nothing), CASE(each_deed_has_its_code))
