#include "services/gateway/intake.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN "0123456789abcdef0123456789abcdef"
#define KEY   "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
#define FORM  "application/x-www-form-urlencoded"
#define JSON  "application/json; charset=utf-8"

static struct intake_rules rules_with(const char *tokens, const char *keys)
{
    struct intake_rules r = { .domains = "", .portal_count = 1 };
    struct err err;

    CHECK_OK(secrets_parse(&r.tokens, tokens, "BITRIX_APPLICATION_TOKEN", &err), err);
    CHECK_OK(secrets_parse(&r.keys, keys, "API_KEY", &err), err);
    r.portals[0] = (struct intake_portal){ .name = "main", .identity = "p.bitrix24.ru", .mirrors = 0x3 };
    return r;
}

static struct intake take(
    const struct intake_rules *rules, const char *type, const char *path, const char *body)
{
    struct intake i;

    intake_read(rules,
        &(struct intake_in){
            .method = "POST", .path = path, .content_type = type, .query = STR(""), .body = str_of(body) },
        &i);
    return i;
}

#define EVENT(event, id) \
    "event=" event "&data[FIELDS][ID]=" id "&auth[domain]=p.bitrix24.ru&auth[application_token]=" TOKEN

TEST(every_body_has_its_reason)
{
    static const struct {
        const char *type, *path, *body;
        enum reason reason;
    } cases[] = {
        { FORM, "/webhook/bitrix", EVENT("ONCRMDEALUPDATE", "42"), REASON_TAKEN },
        { FORM, "/api/v1/webhooks/bitrix", EVENT("oncrmdealadd", "42"), REASON_TAKEN },
        { FORM, "/webhook/bitrix", EVENT("ONCRMDEALUPDATE", "0"), REASON_BAD_ID },
        { FORM, "/webhook/bitrix", EVENT("ONCRMDEALUPDATE", "-5"), REASON_BAD_ID },
        { FORM, "/webhook/bitrix", EVENT("ONCRMDEALUPDATE", "%2B5"), REASON_BAD_ID },
        { FORM, "/webhook/bitrix", EVENT("ONCRMDEALUPDATE", "42x"), REASON_BAD_ID },
        { FORM, "/webhook/bitrix", EVENT("ONCRMDEALUPDATE", ""), REASON_BAD_ID },
        { FORM, "/webhook/bitrix", EVENT("ONCRMDEALUPDATE", "99999999999999999999999"), REASON_BAD_ID },
        { FORM, "/webhook/bitrix", EVENT("ONCRMDEALUPDATE", "4611686018427387904"), REASON_BAD_ID },
        { FORM, "/webhook/bitrix", "data[FIELDS][ID]=1&auth[application_token]=" TOKEN, REASON_NO_FORM },
        { FORM, "/webhook/bitrix", "event[]=ONCRMDEALADD&auth[application_token]=" TOKEN, REASON_NO_FORM },
        { FORM, "/webhook/bitrix", "", REASON_NO_TOKEN },
        { FORM, "/webhook/bitrix", "event=ONCRMDEALUPDATE&data[FIELDS][ID]=1", REASON_NO_TOKEN },
        { FORM, "/webhook/bitrix", "event=ONCRMDEALUPDATE&data[FIELDS][ID]=1&auth[application_token]=x",
            REASON_BAD_TOKEN },
        { FORM, "/webhook/bitrix",
            "event=ONCRMDEALUPDATE&data[FIELDS][ID]=1&auth[domain]=evil.example&auth[application_token]"
            "=" TOKEN,
            REASON_DOMAIN_ },
        { FORM, "/webhook/bitrix", "event=ONCRMDEALADD&auth[domain]=evil.example", REASON_NO_TOKEN },
        { "text/plain", "/webhook/bitrix", EVENT("ONCRMDEALUPDATE", "42"), REASON_NO_TOKEN },
        { "application/json", "/webhook/bitrix", "{}", REASON_NO_TOKEN },
        { FORM, "/webhook", "", REASON_NO_PATH },
        { FORM, "/", "", REASON_NO_PATH },
        { JSON, "/webhook/deal",
            "{\"event\":\"ONCRMDEALUPDATE\",\"data\":{\"FIELDS\":{\"ID\":42}},\"auth\":{\"domain\":"
            "\"p.bitrix24.ru\",\"application_token\":\"" TOKEN "\"}}",
            REASON_TAKEN },
        { JSON, "/webhook/deal",
            "{\"event\":\"ONCRMDEALUPDATE\",\"data\":[],\"auth\":{\"application_token\":\"" TOKEN "\"}}",
            REASON_NO_TOKEN },
        { JSON, "/webhook/deal", "not json", REASON_NO_TOKEN },
    };
    struct intake_rules rules = rules_with(TOKEN, KEY);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct intake x = take(&rules, cases[i].type, cases[i].path, cases[i].body);

        if (x.reason != cases[i].reason)
            printf("case %zu: %s, not %s\n", i, reason_name(x.reason), reason_name(cases[i].reason));
        CHECK_EQ(x.reason, cases[i].reason);
    }
}

TEST(an_event_becomes_a_change_of_its_portal)
{
    struct intake_rules rules = rules_with(TOKEN, "");
    struct intake x = take(&rules, FORM, "/webhook/bitrix", EVENT("ONCRMDEALDELETE", "4611686018427387903"));

    CHECK_EQ(x.count, 1);
    CHECK_EQ(x.items[0].reason, REASON_TAKEN);
    CHECK_STR(x.items[0].portal->name, "main");
    CHECK_STR(x.items[0].entity->plural, "deals");
    CHECK_EQ(x.items[0].kind, CHANGE_KIND_GONE);
    CHECK(x.items[0].id == 4611686018427387903);
    x = take(&rules, FORM, "/webhook/bitrix", EVENT("ONCRMDEALUSERFIELDADD", "7"));
    CHECK_EQ(x.items[0].kind, CHANGE_KIND_FIELDS);
    CHECK(x.items[0].id == 0);
}

TEST(what_is_not_mirrored_is_skipped_and_what_is_unknown_is_kept)
{
    static const struct {
        const char *event;
        enum reason reason;
    } cases[] = {
        { "ONCRMLEADADD", REASON_NOT_MIRRORED }, /* bit 3 is not set */
        { "ONTASKADD", REASON_UNKNOWN },
        { "ONCRMDEALRECURRINGADD", REASON_UNKNOWN },
        { "ONCRMDYNAMICITEMADD", REASON_UNKNOWN },
        { "ONCRM", REASON_UNKNOWN },
        { "%D1%84%00", REASON_UNKNOWN },
        { "ONAPPINSTALL", REASON_APP },
        { "onappinstall", REASON_APP },
    };
    struct intake_rules rules = rules_with(TOKEN, "");

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char body[300];

        snprintf(
            body, sizeof(body), "event=%s&data[FIELDS][ID]=1&auth[application_token]=" TOKEN, cases[i].event);
        struct intake x = take(&rules, FORM, "/webhook/bitrix", body);

        CHECK_EQ(x.reason, REASON_TAKEN);
        CHECK_EQ(x.items[0].reason, cases[i].reason);
    }
}

TEST(robots_name_documents_in_body_or_query)
{
    struct intake_rules rules = rules_with("", KEY);
    struct intake x;

    intake_read(&rules,
        &(struct intake_in){ .method = "POST",
            .path = "/webhook/bitrix",
            .content_type = FORM,
            .query = STR("api_key=" KEY "&note=a"),
            .body = STR("document_id[0]=crm&document_id[1]=CCrmDocumentDeal&document_id[2]=DEAL_54&auth["
                        "domain]=p.bitrix24.ru") },
        &x);
    CHECK_EQ(x.reason, REASON_TAKEN);
    CHECK(x.items[0].id == 54);
    CHECK_STR(x.items[0].event, "DEAL_54");
    intake_read(&rules,
        &(struct intake_in){ .method = "GET",
            .path = "/webhook/bitrix",
            .content_type = "",
            .query = STR("document_id[]=crm&document_id[]=x&document_id[]=CONTACT_7&api_key=" KEY),
            .body = STR("") },
        &x);
    CHECK_EQ(x.reason, REASON_TAKEN);
    CHECK_STR(x.items[0].entity->plural, "contacts");
    x = take(
        &rules, FORM, "/webhook/bitrix", "document_id[2]=DEAL_54&api_key=" KEY); /* a key in a body is none */
    CHECK_EQ(x.reason, REASON_NO_TOKEN);
}

#define LEARNT "learnt-token-of-32-characters-at-least"

/* What the scheduler told of the portals stands beside what is configured, each token for its own portal
 * alone. */
TEST(what_was_learnt_of_a_portal_is_believed_of_it_alone)
{
    static const struct {
        const char *auth;
        bool learnt;         /* without it nothing was told */
        const char *domains; /* WEBHOOK_ALLOWED_DOMAINS */
        enum reason reason;
        const char *portal;
    } cases[] = {
        { "auth[domain]=p.bitrix24.ru&auth[application_token]=" LEARNT, false, "", REASON_NOT_INSTALLED,
            NULL },
        { "auth[domain]=p.bitrix24.ru", false, "", REASON_NOT_INSTALLED, NULL },
        { "auth[domain]=p.bitrix24.ru&auth[application_token]=" LEARNT, true, "", REASON_TAKEN, "main" },
        { "auth[domain]=p.bitrix24.ru&auth[application_token]=" LEARNT "x", true, "", REASON_BAD_TOKEN,
            NULL },
        { "auth[domain]=p.bitrix24.ru", true, "", REASON_NO_TOKEN, NULL },
        { "auth[application_token]=" LEARNT, true, "", REASON_BAD_TOKEN, NULL },
        { "portal=main&auth[application_token]=" LEARNT, true, "", REASON_BAD_TOKEN, NULL },
        { "auth[domain]=q.bitrix24.ru&auth[application_token]=" LEARNT, true, "", REASON_BAD_TOKEN, NULL },
        { "auth[domain]=q.bitrix24.ru&auth[member_id]=m1&auth[application_token]=" LEARNT, true, "",
            REASON_BAD_TOKEN, NULL },
        { "auth[domain]=moved.bitrix24.ru&auth[application_token]=" LEARNT, true, "", REASON_TAKEN, "main" },
        { "auth[domain]=moved.bitrix24.ru&auth[application_token]=" LEARNT, true, "p.bitrix24.ru",
            REASON_TAKEN, "main" },
        { "auth[domain]=other.bitrix24.ru&auth[application_token]=" LEARNT, true, "", REASON_BAD_TOKEN,
            NULL },
        { "auth[domain]=other.bitrix24.ru&auth[member_id]=m1&auth[application_token]=" LEARNT, true, "",
            REASON_TAKEN, "main" },
        { "auth[domain]=other.bitrix24.ru&auth[member_id]=m1&auth[application_token]=" LEARNT, true,
            "p.bitrix24.ru", REASON_TAKEN, "main" },
        { "auth[domain]=other.bitrix24.ru&auth[member_id]=m2&auth[application_token]=" LEARNT, true, "",
            REASON_BAD_TOKEN, NULL },
        { "auth[member_id]=m1&auth[application_token]=" LEARNT, true, "", REASON_TAKEN, "main" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct intake_rules rules = rules_with("", "");
        struct intake x;
        char body[400];

        rules.closed = true;
        rules.domains = cases[i].domains;
        rules.portals[1] =
            (struct intake_portal){ .name = "west", .identity = "q.bitrix24.ru", .mirrors = 0x3 };
        rules.portal_count = 2;
        if (cases[i].learnt) {
            strcpy(rules.portals[0].moved, "moved.bitrix24.ru");
            strcpy(rules.portals[0].member, "m1");
            secret_make(&rules.tokens, STR(LEARNT), &rules.portals[0].token);
        }
        snprintf(body, sizeof(body), "event=ONCRMDEALUPDATE&data[FIELDS][ID]=42&%s", cases[i].auth);
        x = take(&rules, FORM, "/webhook/bitrix", body);
        CHECK_STR(reason_name(x.reason), reason_name(cases[i].reason));
        if (cases[i].portal != NULL)
            CHECK_STR(x.portal->name, cases[i].portal);
    }
}

/* A portal that was renamed sends the token that is configured. */
TEST(a_new_address_needs_no_setting)
{
    struct intake_rules rules = rules_with(TOKEN, "");
    const char *body = "event=ONCRMDEALUPDATE&data[FIELDS][ID]=42&auth[domain]=moved.bitrix24.ru&auth["
                       "application_token]=" TOKEN;

    CHECK_EQ(take(&rules, FORM, "/webhook/bitrix", body).reason, REASON_DOMAIN_);
    strcpy(rules.portals[0].moved, "moved.bitrix24.ru");
    CHECK_EQ(take(&rules, FORM, "/webhook/bitrix", body).reason, REASON_TAKEN);
    rules.domains = "p.bitrix24.ru";
    CHECK_EQ(take(&rules, FORM, "/webhook/bitrix", body).reason, REASON_TAKEN);
    rules.portals[0].moved[0] = '\0';
    CHECK_EQ(take(&rules, FORM, "/webhook/bitrix", body).reason, REASON_DOMAIN_);
}

TEST(short_texts_are_no_secrets)
{
    struct intake_rules rules = rules_with("", "");
    struct secret s;

    secret_make(&rules.tokens, STR("short"), &s);
    CHECK(!s.any && !secret_is(&rules.tokens, &s, STR("short")) && !secret_is(&rules.tokens, &s, STR("")));
    secret_make(&rules.tokens, STR(LEARNT), &s);
    CHECK(secret_is(&rules.tokens, &s, STR(LEARNT)) && !secret_is(&rules.tokens, &s, STR(LEARNT " ")));
    CHECK(!secret_is(&rules.tokens, &s, (struct str){ NULL, 0 }));
}

TEST(keys_come_by_header)
{
    static const struct {
        const char *key, *authorization;
        enum reason reason;
    } cases[] = {
        { KEY, NULL, REASON_TAKEN },
        { NULL, "Bearer " KEY, REASON_TAKEN },
        { NULL, KEY, REASON_TAKEN },
        { "wrong", NULL, REASON_BAD_TOKEN },
        { NULL, "Bearer wrong", REASON_BAD_TOKEN },
        { "", "", REASON_NO_TOKEN },
        { KEY "x", NULL, REASON_BAD_TOKEN },
    };
    struct intake_rules rules = rules_with(TOKEN, "one-that-is-older-than-the-other-one, " KEY);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct intake x;

        intake_read(&rules,
            &(struct intake_in){ .method = "POST",
                .path = "/webhook/deal",
                .content_type = JSON,
                .query = STR(""),
                .body = STR("{\"event\":\"ONCRMDEALUPDATE\",\"data\":{\"FIELDS\":{\"ID\":\"42\"}}}"),
                .api_key = cases[i].key,
                .authorization = cases[i].authorization },
            &x);
        CHECK_EQ(x.reason, cases[i].reason);
    }
}

TEST(bearer_tokens_come_by_their_scheme_alone)
{
#define BEARER "bearer-token-of-32-characters-at-least"
    static const struct {
        const char *key, *authorization, *query;
        enum reason reason;
    } cases[] = {
        { NULL, "Bearer " BEARER, "", REASON_TAKEN },
        { NULL, "bearer   " BEARER, "", REASON_TAKEN },
        { NULL, "BEARER older-one-of-32-characters-at-least", "", REASON_TAKEN },
        { NULL, "Bearer " KEY, "", REASON_TAKEN }, /* keys always came so too */
        { KEY, "Bearer wrong", "", REASON_TAKEN },
        { NULL, "Bearer " TOKEN, "", REASON_BAD_TOKEN },
        { NULL, "Bearer " BEARER "x", "", REASON_BAD_TOKEN },
        { NULL, "Basic " BEARER, "", REASON_BAD_TOKEN },
        { NULL, BEARER, "", REASON_BAD_TOKEN },
        { BEARER, NULL, "", REASON_BAD_TOKEN },
        { NULL, NULL, "api_key=" BEARER, REASON_BAD_TOKEN },
        { NULL, "Bearer", "", REASON_BAD_TOKEN },
        { NULL, "Bearer ", "", REASON_NO_TOKEN },
        { NULL, NULL, "", REASON_NO_TOKEN },
    };
    struct intake_rules rules = rules_with(TOKEN, KEY);
    struct err err;

    CHECK_OK(secrets_parse(
                 &rules.bearers, "older-one-of-32-characters-at-least," BEARER, "WEBHOOK_BEARER_TOKEN", &err),
        err);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct intake x;

        intake_read(&rules,
            &(struct intake_in){ .method = "POST",
                .path = "/webhook/deal",
                .content_type = JSON,
                .query = str_of(cases[i].query),
                .body = STR("{\"event\":\"ONCRMDEALUPDATE\",\"data\":{\"FIELDS\":{\"ID\":\"42\"}}}"),
                .api_key = cases[i].key,
                .authorization = cases[i].authorization },
            &x);
        CHECK_EQ(x.reason, cases[i].reason);
    }
}

#define HANDLER "0123456789abcdeffedcba9876543210"
#define FORMER  "00000000000000001111111111111111"
#define OTHERS  "22222222222222223333333333333333"
#define CHANGED "event=ONCRMDEALUPDATE&data[FIELDS][ID]=1"
#define MAIN    "&auth[domain]=p.bitrix24.ru"
#define SENT(t) "&auth[application_token]=" t

TEST(a_key_in_the_handler_is_enough_while_the_token_is_not_known)
{
    static const struct {
        const char *what, *tokens, *learnt, *query, *body;
        bool closed;
        enum reason reason;
    } cases[] = {
        { "the key alone", TOKEN, "", "key=" HANDLER, CHANGED MAIN, false, REASON_TAKEN },
        { "that of before", TOKEN, "", "a=b&key=" FORMER, CHANGED MAIN, false, REASON_TAKEN },
        { "an event as portals send it", TOKEN, "", "key=" HANDLER, CHANGED MAIN SENT(LEARNT), false,
            REASON_TAKEN },
        { "at a public address", "", "", "key=" HANDLER, CHANGED MAIN SENT(LEARNT), true, REASON_TAKEN },
        { "by its member_id", TOKEN, "", "key=" HANDLER, CHANGED "&auth[member_id]=m1", false, REASON_TAKEN },
        { "in the body it is none", TOKEN, "", "", CHANGED MAIN "&key=" HANDLER, false, REASON_NO_TOKEN },
        { "a wrong one", TOKEN, "", "key=" HANDLER "0", CHANGED MAIN, false, REASON_BAD_TOKEN },
        { "a wrong one with a token", TOKEN, "", "key=" OTHERS, CHANGED MAIN SENT(LEARNT), false,
            REASON_BAD_TOKEN },
        { "a wrong one at a public address", "", "", "key=x", CHANGED MAIN, true, REASON_BAD_TOKEN },
        { "an empty one", TOKEN, "", "key=", CHANGED MAIN, false, REASON_NO_TOKEN },
        { "none at a public address", "", "", "", CHANGED MAIN SENT(LEARNT), true, REASON_NOT_INSTALLED },
        { "another portal's", TOKEN, "", "key=" OTHERS, CHANGED MAIN, false, REASON_BAD_TOKEN },
        { "ours, of another portal's events", TOKEN, "", "key=" HANDLER, CHANGED "&auth[domain]=q.example",
            false, REASON_BAD_TOKEN },
        { "of nobody's events", TOKEN, "", "key=" HANDLER, CHANGED, false, REASON_BAD_TOKEN },
        { "of a stranger's domain", TOKEN, "", "key=" HANDLER, CHANGED "&auth[domain]=evil.example", false,
            REASON_BAD_TOKEN },
        { "a configured token does without", TOKEN, "", "key=x", CHANGED MAIN SENT(TOKEN), false,
            REASON_TAKEN },
        { "the learnt token does without", "", LEARNT, "", CHANGED MAIN SENT(LEARNT), true, REASON_TAKEN },
        { "both are right", "", LEARNT, "key=" HANDLER, CHANGED MAIN SENT(LEARNT), true, REASON_TAKEN },
        { "the token is right, the key is not", "", LEARNT, "key=x", CHANGED MAIN SENT(LEARNT), true,
            REASON_TAKEN },
        { "the key is right, the token is not", "", LEARNT, "key=" HANDLER, CHANGED MAIN SENT(TOKEN), true,
            REASON_BAD_TOKEN },
        { "the key is right, the token is left out", "", LEARNT, "key=" HANDLER, CHANGED MAIN, true,
            REASON_BAD_TOKEN },
        { "everybody is believed", "", "", "key=x", CHANGED MAIN, false, REASON_TAKEN },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct intake_rules rules = rules_with(cases[i].tokens, "");
        struct intake x;

        print_message("%s\n", cases[i].what);
        rules.closed = cases[i].closed;
        rules.portal_count = 2;
        rules.portals[1] = (struct intake_portal){ .name = "q", .identity = "q.example", .mirrors = 0x3 };
        snprintf(rules.portals[0].member, sizeof(rules.portals[0].member), "m1");
        secret_make(&rules.tokens, STR(HANDLER), &rules.portals[0].handler_keys[0]);
        secret_make(&rules.tokens, STR(FORMER), &rules.portals[0].handler_keys[1]);
        secret_make(&rules.tokens, STR(OTHERS), &rules.portals[1].handler_keys[0]);
        secret_make(&rules.tokens, str_of(cases[i].learnt), &rules.portals[0].token);
        intake_read(&rules,
            &(struct intake_in){ .method = "POST",
                .path = "/api/v1/webhooks/bitrix",
                .content_type = FORM,
                .query = str_of(cases[i].query),
                .body = str_of(cases[i].body) },
            &x);
        CHECK_STR(reason_name(x.reason), reason_name(cases[i].reason));
    }
}

/* The learnt token is of an installation before the login: it may be that of today, and it may not. */
TEST(after_a_login_the_known_token_and_the_key_are_taken)
{
    static const struct {
        const char *what, *query, *body;
        enum reason reason;
    } cases[] = {
        { "the key, and the token of an installation anew", "key=" HANDLER, CHANGED MAIN SENT(TOKEN),
            REASON_TAKEN },
        { "the key alone", "key=" HANDLER, CHANGED MAIN, REASON_TAKEN },
        { "the token, where no key is in play", "", CHANGED MAIN SENT(LEARNT), REASON_TAKEN },
        { "neither", "key=" OTHERS, CHANGED MAIN SENT(TOKEN), REASON_BAD_TOKEN },
        { "nothing", "", CHANGED MAIN, REASON_NO_TOKEN },
        { "of another portal's events", "key=" HANDLER, CHANGED "&auth[domain]=q.example" SENT(LEARNT),
            REASON_BAD_TOKEN },
    };
    struct intake_rules rules = rules_with("", "");

    rules.closed = true;
    rules.portal_count = 2;
    rules.portals[1] = (struct intake_portal){ .name = "q", .identity = "q.example", .mirrors = 0x3 };
    secret_make(&rules.tokens, STR(HANDLER), &rules.portals[0].handler_keys[0]);
    secret_make(&rules.tokens, STR(LEARNT), &rules.portals[0].token);
    rules.portals[0].former = true;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct intake x;

        print_message("%s\n", cases[i].what);
        intake_read(&rules,
            &(struct intake_in){ .method = "POST",
                .path = "/api/v1/webhooks/bitrix",
                .content_type = FORM,
                .query = str_of(cases[i].query),
                .body = str_of(cases[i].body) },
            &x);
        CHECK_STR(reason_name(x.reason), reason_name(cases[i].reason));
    }
}

TEST(programs_have_no_key_of_a_handler)
{
    struct intake_rules rules = rules_with(TOKEN, KEY);
    struct intake x;

    secret_make(&rules.tokens, STR(HANDLER), &rules.portals[0].handler_keys[0]);
    intake_read(&rules,
        &(struct intake_in){ .method = "POST",
            .path = "/webhook/deal",
            .content_type = JSON,
            .query = STR("key=" HANDLER),
            .body = STR("{\"event\":\"ONCRMDEALUPDATE\",\"data\":{\"FIELDS\":{\"ID\":\"42\"}},\"auth\":{"
                        "\"domain\":\"p.bitrix24.ru\"}}") },
        &x);
    CHECK_EQ(x.reason, REASON_NO_TOKEN);
}

static char *array_of(int n)
{
    char *text = xmalloc((size_t)n * 80 + 10), *p = text;

    *p++ = '[';
    for (int i = 0; i < n; i++)
        p += sprintf(
            p, "%s{\"event\":\"ONCRMDEALUPDATE\",\"data\":{\"FIELDS\":{\"ID\":%d}}}", i > 0 ? "," : "", i);
    strcpy(p, "]");
    return text;
}

TEST(an_array_has_an_answer_for_each)
{
    struct intake_rules rules = rules_with("", "");
    char *fifty = array_of(50), *more = array_of(51);
    struct intake x = take(&rules, JSON, "/webhook/deal", fifty);

    CHECK_EQ(x.reason, REASON_TAKEN);
    CHECK(x.many);
    CHECK_EQ(x.count, 50);
    CHECK_EQ(x.items[0].reason, REASON_BAD_ID);
    CHECK_EQ(x.items[49].reason, REASON_TAKEN);
    CHECK_EQ(take(&rules, JSON, "/webhook/deal", more).reason, REASON_MANY_ITEMS);
    CHECK_EQ(take(&rules, JSON, "/webhook/deal", "[]").reason, REASON_NO_ITEMS);
    CHECK_EQ(take(&rules, JSON, "/webhook/deal", "[1]").reason, REASON_NO_JSON);
    CHECK_EQ(take(&rules, JSON, "/webhook/deal", "{\"a\":1,\"a\":2}").reason, REASON_NO_JSON);
    CHECK_EQ(take(&rules, JSON, "/webhook/deal", "{\"event\":\"\xff\"}").reason, REASON_NO_JSON);
    CHECK_EQ(take(&rules, FORM, "/webhook/deal", "a=1").reason, REASON_TYPE);
    free(fifty);
    free(more);
}

/* What is filed under another portal is never read, and 200 would say that it is safe. */
TEST(an_array_is_of_one_sender)
{
#define ITEM(auth) "{\"event\":\"ONCRMDEALUPDATE\",\"data\":{\"FIELDS\":{\"ID\":1}}" auth "}"
#define AT(host)   ",\"auth\":{\"domain\":\"" host "\"}"
    static const struct {
        const char *body;
        enum reason reason;
    } table[] = {
        { "[" ITEM(AT("a.example")) "," ITEM(AT("a.example")) "]", REASON_TAKEN },
        { "[" ITEM(AT("a.example")) "," ITEM("") "]", REASON_TAKEN },
        { "[" ITEM(AT("a.example")) "," ITEM(AT("b.example")) "]", REASON_MIXED },
        { "[" ITEM("") "," ITEM(AT("b.example")) "]", REASON_MIXED },
        { "[" ITEM(AT("a.example")) "," ITEM(",\"auth\":{\"member_id\":\"x\"}") "]", REASON_MIXED },
        { "[" ITEM(AT("a.example")) "," ITEM(",\"auth\":{\"application_token\":\"x\"}") "]", REASON_MIXED },
        { ITEM(AT("b.example")), REASON_TAKEN },
        { ITEM(""), REASON_NO_PORTAL },
    };
    struct intake_rules rules = rules_with("", "");

    rules.portal_count = 2;
    rules.portals[0] = (struct intake_portal){ .name = "a", .identity = "a.example", .mirrors = 0x3 };
    rules.portals[1] = (struct intake_portal){ .name = "b", .identity = "b.example", .mirrors = 0x3 };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        CHECK_EQ(take(&rules, JSON, "/webhook/deal", table[i].body).reason, table[i].reason);
#undef AT
#undef ITEM
}

TEST(json_of_many_values_is_refused_before_it_is_a_tree)
{
    struct intake_rules rules = rules_with(TOKEN, KEY);
    size_t n = 300000;
    char *body = xmalloc(n + 1);

    for (size_t i = 0; i < n; i += 3)
        memcpy(body + i, "{},", 3);
    body[0] = '[';
    body[n - 1] = ']';
    body[n] = '\0';
    rules.tokens.count = rules.keys.count = 0; /* so that it is told why */
    CHECK_EQ(take(&rules, JSON, "/webhook/deal", body).reason, REASON_MANY_VALUES);
    free(body);
}

TEST(portals_behind_ports_of_one_host_are_told_apart)
{
    struct intake_rules rules = rules_with(TOKEN, KEY);

    rules.portal_count = 2;
    rules.portals[0] = (struct intake_portal){ .name = "one", .identity = "b.example:8443", .mirrors = 0x3 };
    rules.portals[1] = (struct intake_portal){ .name = "two", .identity = "b.example:9443", .mirrors = 0x3 };
#define FROM(host) \
    "event=ONCRMDEALUPDATE&data[FIELDS][ID]=1&auth[domain]=" host "&auth[application_token]=" TOKEN
    CHECK_STR(take(&rules, FORM, "/webhook/bitrix", FROM("b.example:8443")).items[0].portal->name, "one");
    CHECK_STR(take(&rules, FORM, "/webhook/bitrix", FROM("b.example:9443")).items[0].portal->name, "two");
    CHECK_STR(take(&rules, FORM, "/webhook/bitrix", FROM("b.example")).items[0].portal->name, "one");
}

TEST(domains_are_patterns)
{
    static const struct {
        const char *patterns, *host;
        bool match;
    } cases[] = {
        { "p.bitrix24.ru", "p.bitrix24.ru", true },
        { "p.bitrix24.ru", "P.Bitrix24.RU:443", true },
        { "a.example, *.bitrix24.ru", "x.bitrix24.ru", true },
        { "*.bitrix24.ru", "bitrix24.ru", false },
        { "*.bitrix24.ru", "evilbitrix24.ru", false },
        { "*.bitrix24.ru", "bitrix24.ru.evil.example", false },
        { "*", "p.example", false },
        { "", "p.example", false },
        { ",,", "", false },
        { "[::1]", "[::1]:80", true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_EQ(domain_match(str_of(cases[i].patterns), str_of(cases[i].host)), cases[i].match);
}

TEST(secrets_are_long_enough)
{
    struct secrets s;
    struct err err;

    CHECK_EQ(secrets_parse(&s, TOKEN ", short-one", "API_KEY", &err), -1);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK(strstr(err.text, "number 2") != NULL && strstr(err.text, "short-one") == NULL);
    CHECK_OK(secrets_parse(&s, " , " TOKEN "\n", "API_KEY", &err), err);
    CHECK_EQ(s.count, 1);
    CHECK(secrets_match(&s, STR(TOKEN)));
    CHECK(!secrets_match(&s, (struct str){ NULL, 0 }));
}

TEST_MAIN(CASE(every_body_has_its_reason), CASE(an_event_becomes_a_change_of_its_portal),
    CASE(what_is_not_mirrored_is_skipped_and_what_is_unknown_is_kept),
    CASE(robots_name_documents_in_body_or_query), CASE(what_was_learnt_of_a_portal_is_believed_of_it_alone),
    CASE(a_key_in_the_handler_is_enough_while_the_token_is_not_known),
    CASE(after_a_login_the_known_token_and_the_key_are_taken), CASE(programs_have_no_key_of_a_handler),
    CASE(a_new_address_needs_no_setting), CASE(short_texts_are_no_secrets), CASE(keys_come_by_header),
    CASE(bearer_tokens_come_by_their_scheme_alone), CASE(an_array_has_an_answer_for_each),
    CASE(an_array_is_of_one_sender), CASE(json_of_many_values_is_refused_before_it_is_a_tree),
    CASE(portals_behind_ports_of_one_host_are_told_apart), CASE(domains_are_patterns),
    CASE(secrets_are_long_enough))
