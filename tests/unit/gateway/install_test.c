#include "services/gateway/install.h"

#include "base/access.h"
#include "base/mem.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY   "a-key-of-more-than-thirty-two-letters"
#define TOKEN "0123456789abcdef0123456789abcdef"
#define AUTH \
    "&auth[access_token]=acc&auth[refresh_token]=ref&auth[domain]=p.bitrix24.ru&auth[member_id]=m1" \
    "&auth[server_endpoint]=https://oauth.bitrix.info/rest/&auth[expires]=1736405807"
#define NOW 1736405807123

static struct intake_rules rules_with(const char *tokens, bool app)
{
    struct intake_rules r = { .domains = "", .portal_count = 2 };
    struct err err;

    CHECK_OK(secrets_parse(&r.tokens, tokens, "BITRIX_APPLICATION_TOKEN", &err), err);
    r.portals[0] =
        (struct intake_portal){ .name = "main", .identity = "p.bitrix24.ru", .mirrors = 3, .app = app };
    r.portals[1] = (struct intake_portal){ .name = "other", .identity = "q.bitrix24.ru", .mirrors = 3 };
    return r;
}

struct taken {
    bool mine;
    struct intake intake;
    struct install install;
    struct access given;
};

static struct taken take(const struct intake_rules *rules, const char *key, struct intake_in in)
{
    struct seal_keys keys;
    struct taken t = { .mine = false };
    struct buf plain;
    struct err err;

    CHECK_OK(seal_keys_read(&keys, key, &err), err);
    t.mine = install_read(rules, &keys, &in, NOW, &t.intake, &t.install);
    buf_init(&plain, 1 << 16);
    if (t.mine && t.intake.reason == REASON_TAKEN) {
        CHECK_OK(seal_open(&keys, STR("access:main"), buf_view(&t.install.sealed), &plain, &err), err);
        CHECK_OK(access_decode(&t.given, buf_view(&plain), &err), err);
        CHECK_EQ(t.intake.count, 1);
        CHECK_EQ(t.intake.items[0].kind, CHANGE_KIND_ACCESS);
        CHECK_STR(t.intake.items[0].portal->name, "main");
    }
    seal_wipe(&plain);
    return t;
}

static void done(struct taken *t)
{
    access_free(&t->given);
    buf_fini(&t->install.sealed);
}

static struct intake_in event(const char *body)
{
    return (struct intake_in){ .method = "POST",
        .path = "/webhook/bitrix",
        .content_type = "application/x-www-form-urlencoded",
        .query = STR(""),
        .body = str_of(body) };
}

TEST(events_of_an_application_are_taken_sealed)
{
    static const struct {
        const char *body, *tokens, *key;
        enum reason reason;
        bool stranger;
        enum access_kind kind;
        const char *by;
    } cases[] = {
        { "event=ONAPPINSTALL" AUTH, "", KEY, REASON_TAKEN, true, ACCESS_TOKENS, "stranger" },
        { "event=onappinstall" AUTH "&x=ONAPP", "", KEY, REASON_TAKEN, true, ACCESS_TOKENS, "stranger" },
        { "event=ONAPPINSTALL" AUTH "&auth[application_token]=" TOKEN, TOKEN, KEY, REASON_TAKEN, false,
            ACCESS_TOKENS, "event" },
        { "event=ONAPPINSTALL" AUTH "&auth[application_token]=x", TOKEN, KEY, REASON_TAKEN, true,
            ACCESS_TOKENS, "stranger" },
        { "event=ONAPPINSTALL" AUTH, "", NULL, REASON_NO_KEY, true, 0, NULL },
        { "event=ONAPPINSTALL&auth[domain]=p.bitrix24.ru", "", KEY, REASON_NO_TOKENS, true, 0, NULL },
        { "event=ONAPPINSTALL&auth[access_token]=a&auth[domain]=p.bitrix24.ru", "", KEY, REASON_NO_TOKENS,
            true, 0, NULL },
        { "event=ONAPPUNINSTALL&auth[domain]=p.bitrix24.ru", "", KEY, REASON_NO_TOKEN, true, 0, NULL },
        { "event=ONAPPUNINSTALL&auth[domain]=p.bitrix24.ru&auth[application_token]=" TOKEN, TOKEN, KEY,
            REASON_TAKEN, false, ACCESS_REMOVED, "event" },
        /* renamed meanwhile: there is but one application */
        { "event=ONAPPINSTALL&auth[access_token]=acc&auth[refresh_token]=ref&auth[domain]=new.bitrix24.ru",
            "", KEY, REASON_TAKEN, true, ACCESS_TOKENS, "stranger" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct intake_rules rules = rules_with(cases[i].tokens, true);
        struct taken t = take(&rules, cases[i].key, event(cases[i].body));

        CHECK(t.mine && !t.install.page);
        CHECK_STR(reason_name(t.intake.reason), reason_name(cases[i].reason));
        CHECK_EQ(t.install.stranger, cases[i].stranger);
        if (cases[i].reason == REASON_TAKEN) {
            CHECK_EQ(t.given.kind, cases[i].kind);
            CHECK_STR(t.given.by, cases[i].by);
            CHECK(memmem(t.install.sealed.p, t.install.sealed.n, "acc", 3) == NULL);
        }
        done(&t);
    }
}

/* At a public address, with nothing else that would keep strangers away. */
TEST(where_anybody_comes_an_installation_says_of_whom)
{
    static const char tokens[] = "&auth[access_token]=acc&auth[refresh_token]=ref";
    static const struct {
        const char *event, *more;
        bool learnt, mine, stranger;
        enum reason reason;
    } cases[] = {
        { "ONAPPINSTALL", "&auth[domain]=p.bitrix24.ru", false, true, true, REASON_TAKEN },
        { "ONAPPINSTALL", "&auth[domain]=new.bitrix24.ru", false, false, false, 0 },
        { "ONAPPINSTALL", "", false, false, false, 0 },
        { "ONAPPINSTALL", "&auth[domain]=new.bitrix24.ru&auth[member_id]=m1", true, true, true,
            REASON_TAKEN },
        { "ONAPPINSTALL", "&auth[member_id]=m1&auth[application_token]=" TOKEN, true, true, false,
            REASON_TAKEN },
        { "ONAPPUNINSTALL", "&auth[domain]=p.bitrix24.ru&auth[application_token]=" TOKEN, false, true, true,
            REASON_NOT_INSTALLED },
        { "ONAPPUNINSTALL", "&auth[domain]=p.bitrix24.ru&auth[application_token]=x", true, true, true,
            REASON_BAD_TOKEN },
        { "ONAPPUNINSTALL", "&auth[domain]=p.bitrix24.ru&auth[application_token]=" TOKEN, true, true, false,
            REASON_TAKEN },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct intake_rules rules = rules_with("", true);
        char body[400];

        rules.closed = true;
        if (cases[i].learnt) {
            strcpy(rules.portals[0].member, "m1");
            secret_make(&rules.tokens, STR(TOKEN), &rules.portals[0].token);
        }
        snprintf(body, sizeof(body), "event=%s%s%s", cases[i].event, tokens, cases[i].more);

        struct taken t = take(&rules, KEY, event(body));

        CHECK_EQ(t.mine, cases[i].mine);
        if (t.mine) {
            CHECK_STR(reason_name(t.intake.reason), reason_name(cases[i].reason));
            CHECK_EQ(t.install.stranger, cases[i].stranger);
        }
        done(&t);
    }
}

TEST(all_that_an_install_tells_is_kept)
{
    struct intake_rules rules = rules_with("", true);
    struct taken t = take(&rules, KEY, event("event=ONAPPINSTALL" AUTH "&auth[application_token]=" TOKEN));

    CHECK_STR(t.given.access_token, "acc");
    CHECK_STR(t.given.refresh_token, "ref");
    CHECK_STR(t.given.application_token, TOKEN);
    CHECK_STR(t.given.member_id, "m1");
    CHECK_STR(t.given.domain, "p.bitrix24.ru");
    CHECK_STR(t.given.server, "oauth.bitrix.info");
    CHECK_EQ(t.given.expires_ms, 1736405807000);
    done(&t);
}

TEST(the_end_of_the_token_is_told_or_reckoned)
{
    static const struct {
        const char *told;
        int64_t ends_ms;
    } cases[] = {
        { "&auth[expires]=1736405807", 1736405807000 },
        { "&auth[expires]=1736405807&ts=1000&auth[expires_in]=3600", 1736405807000 },
        { "&ts=1736402207&auth[expires_in]=3600", 1736405807000 }, /* as the vendor's page has it */
        { "&auth[expires_in]=3600", 0 },
        { "&ts=1736402207", 0 },
        { "&ts=1736402207&auth[expires_in]=-1", 0 },
        { "&ts=99999999999999999&auth[expires_in]=3600", 0 },
        { "&auth[expires]=99999999999999999", 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct intake_rules rules = rules_with("", true);
        char body[400];

        snprintf(body, sizeof(body),
            "event=ONAPPINSTALL&auth[access_token]=acc&auth[refresh_token]=ref&auth[domain]=p.bitrix24.ru"
            "&auth[member_id]=m1%s",
            cases[i].told);
        struct taken t = take(&rules, KEY, event(body));
        CHECK_EQ(t.given.expires_ms, cases[i].ends_ms);
        done(&t);
    }
}

TEST(everything_else_goes_its_usual_way)
{
    static const struct {
        const char *method, *path, *body;
        bool app;
    } cases[] = {
        { "POST", "/webhook/bitrix", "event=ONCRMDEALUPDATE&data[FIELDS][ID]=1", true },
        { "POST", "/webhook/bitrix", "event=ONAPPUPDATE&auth[domain]=p.bitrix24.ru", true },
        { "POST", "/webhook/bitrix", "event=ONAPPINSTALL" AUTH, false },
        { "POST", "/webhook/bitrix", "event=ONAPPINSTALL&auth[domain]=q.bitrix24.ru",
            true }, /* a webhook's portal */
        { "POST", "/webhook/deal", "event=ONAPPINSTALL" AUTH, true },
        { "GET", "/webhook/bitrix", "event=ONAPPINSTALL" AUTH, true },
        { "GET", "/oauth", "", true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct intake_rules rules = rules_with("", cases[i].app);
        struct taken t = take(&rules, KEY,
            (struct intake_in){ .method = cases[i].method,
                .path = cases[i].path,
                .content_type = "application/x-www-form-urlencoded",
                .query = STR(""),
                .body = str_of(cases[i].body) });

        CHECK(!t.mine);
        done(&t);
    }
}

TEST(a_browser_comes_back_with_a_code_and_our_state)
{
    struct intake_rules rules = rules_with("", true);
    struct seal_keys keys;
    struct buf made, query;
    struct err err;

    CHECK_OK(seal_keys_read(&keys, KEY, &err), err);
    buf_init(&made, 1024);
    buf_init(&query, 4096);
    CHECK_OK(access_state_make(&keys, "main", NOW - 60000, &made, &err), err);
    static const struct {
        const char *format, *method, *key;
        enum reason reason;
    } cases[] = {
        { "code=c1&state=%s&domain=p.bitrix24.ru&member_id=m1&server_domain=oauth.bitrix.info", "GET", KEY,
            REASON_TAKEN },
        { "code=c1&state=x%s", "GET", KEY, REASON_STATE },
        { "code=c1&stat=%s", "GET", KEY, REASON_NO_CODE },
        { "state=%s", "GET", KEY, REASON_NO_CODE },
        { "code=c1&state=%s", "POST", KEY, REASON_METHOD },
        { "code=c1&state=%s", "GET", NULL, REASON_NO_KEY },
        { "code=c1&state=%s", "GET", "another-key-of-more-than-thirty-two", REASON_STATE },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[600];
        struct buf page;

        const char *at = strstr(cases[i].format, "%s");
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - cases[i].format), cases[i].format,
            buf_cstr(&made), at + 2);
        struct taken t = take(&rules, cases[i].key,
            (struct intake_in){ .method = cases[i].method,
                .path = "/oauth/callback",
                .content_type = "",
                .query = str_of(text),
                .body = STR("") });

        CHECK(t.mine && t.install.page && !t.install.stranger);
        CHECK_STR(reason_name(t.intake.reason), reason_name(cases[i].reason));
        if (cases[i].reason == REASON_TAKEN) {
            CHECK_EQ(t.given.kind, ACCESS_CODE);
            CHECK_STR(t.given.code, "c1");
            CHECK_STR(t.given.by, "login");
        }
        buf_init(&page, 1 << 14);
        install_page(t.intake.reason, &page);
        CHECK_HAS(buf_cstr(&page), "<p lang=\"en\">");
        CHECK(strstr(buf_cstr(&page), "c1") == NULL);
        buf_fini(&page);
        done(&t);
    }
    buf_fini(&made);
    buf_fini(&query);
}

TEST_MAIN(CASE(events_of_an_application_are_taken_sealed),
    CASE(where_anybody_comes_an_installation_says_of_whom), CASE(all_that_an_install_tells_is_kept),
    CASE(the_end_of_the_token_is_told_or_reckoned), CASE(everything_else_goes_its_usual_way),
    CASE(a_browser_comes_back_with_a_code_and_our_state))
