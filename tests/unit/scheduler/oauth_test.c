#include "services/scheduler/rules/oauth.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- stories: what happens to one portal's tokens ---- */

enum event {
    LOAD,     /* a pair, as number 7 */
    LOAD_BAD, /* a pair that was of no use */
    LOAD_NONE,
    REFUSE, /* the portal refuses the current token */
    REFUSE_OLD,
    PROVE,
    ASK, /* it must be due */
    NOT_DUE,
    PAIR,   /* the server's answer, committed */
    AWAY,   /* no answer */
    UNWELL, /* an answer without a decision */
    NO,
    AGAIN,  /* the operator's sync */
    REMOVE, /* `ms`: the number in the database since, 0 = there is nothing */
    WAIT,   /* `ms` pass */
    END
};

struct beat {
    enum event event;
    int ms;     /* WAIT */
    int expect; /* REFUSE: enum oauth_refusal; AWAY, UNWELL: is it worth a warning? */
    enum oauth_state state;
};

static const struct {
    const char *name;
    struct beat beats[16];
    uint64_t number;
    bool unconfirmed;
} STORIES[] = {
    { "an ordinary renewal",
        { { LOAD, 0, 0, OAUTH_GOOD }, { NOT_DUE, 0, 0, OAUTH_GOOD },
            { REFUSE, 0, OAUTH_WAIT, OAUTH_RENEWING }, { REFUSE, 0, OAUTH_WAIT, OAUTH_RENEWING },
            { ASK, 0, 0, OAUTH_RENEWING }, { NOT_DUE, 0, 0, OAUTH_RENEWING }, { PAIR, 0, 0, OAUTH_GOOD },
            { REFUSE_OLD, 0, OAUTH_AGAIN, OAUTH_GOOD }, { PROVE, 0, 0, OAUTH_GOOD },
            { END, 0, 0, OAUTH_NONE } },
        8, false },
    { "a server that is away is asked again, each time later",
        { { LOAD, 0, 0, OAUTH_GOOD }, { REFUSE, 0, OAUTH_WAIT, OAUTH_RENEWING },
            { ASK, 0, 0, OAUTH_RENEWING }, { UNWELL, 0, 0, OAUTH_RENEWING },
            { NOT_DUE, 0, 0, OAUTH_RENEWING }, { WAIT, 500, 0, OAUTH_RENEWING },
            { ASK, 0, 0, OAUTH_RENEWING }, { UNWELL, 0, 0, OAUTH_RENEWING }, { WAIT, 999, 0, OAUTH_RENEWING },
            { NOT_DUE, 0, 0, OAUTH_RENEWING }, { WAIT, 1, 0, OAUTH_RENEWING }, { ASK, 0, 0, OAUTH_RENEWING },
            { UNWELL, 0, 1, OAUTH_RENEWING }, { WAIT, 2000, 0, OAUTH_RENEWING },
            { ASK, 0, 0, OAUTH_RENEWING }, { END, 0, 0, OAUTH_NONE } },
        7, false },
    { "an answer that was lost: the old refresh token is tried again",
        { { LOAD, 0, 0, OAUTH_GOOD }, { REFUSE, 0, OAUTH_WAIT, OAUTH_RENEWING },
            { ASK, 0, 0, OAUTH_RENEWING }, { AWAY, 0, 0, OAUTH_RENEWING }, { WAIT, 500, 0, OAUTH_RENEWING },
            { ASK, 0, 0, OAUTH_RENEWING }, { NO, 0, 0, OAUTH_LOST }, { REFUSE, 0, OAUTH_STOP, OAUTH_LOST },
            { NOT_DUE, 0, 0, OAUTH_LOST }, { END, 0, 0, OAUTH_NONE } },
        7, true },
    { "or works",
        { { LOAD, 0, 0, OAUTH_GOOD }, { REFUSE, 0, OAUTH_WAIT, OAUTH_RENEWING },
            { ASK, 0, 0, OAUTH_RENEWING }, { AWAY, 0, 0, OAUTH_RENEWING }, { WAIT, 500, 0, OAUTH_RENEWING },
            { ASK, 0, 0, OAUTH_RENEWING }, { PAIR, 0, 0, OAUTH_GOOD }, { END, 0, 0, OAUTH_NONE } },
        8, false },
    { "what was lost is tried once for each sync",
        { { LOAD_BAD, 0, 0, OAUTH_LOST }, { NOT_DUE, 0, 0, OAUTH_LOST }, { AGAIN, 0, 0, OAUTH_RENEWING },
            { ASK, 0, 0, OAUTH_RENEWING }, { NO, 0, 0, OAUTH_LOST }, { NOT_DUE, 0, 0, OAUTH_LOST },
            { AGAIN, 0, 0, OAUTH_RENEWING }, { ASK, 0, 0, OAUTH_RENEWING }, { PAIR, 0, 0, OAUTH_GOOD },
            { END, 0, 0, OAUTH_NONE } },
        8, false },
    { "nothing was ever given",
        { { LOAD_NONE, 0, 0, OAUTH_NONE }, { NOT_DUE, 0, 0, OAUTH_NONE }, { AGAIN, 0, 0, OAUTH_NONE },
            { REFUSE, 0, OAUTH_STOP, OAUTH_NONE }, { END, 0, 0, OAUTH_NONE } },
        0, false },
    { "each new token is refused at once",
        { { LOAD, 0, 0, OAUTH_GOOD }, { REFUSE, 0, OAUTH_WAIT, OAUTH_RENEWING },
            { ASK, 0, 0, OAUTH_RENEWING }, { PAIR, 0, 0, OAUTH_GOOD },
            { REFUSE, 0, OAUTH_WAIT, OAUTH_RENEWING }, { ASK, 0, 0, OAUTH_RENEWING },
            { PAIR, 0, 0, OAUTH_GOOD }, { REFUSE, 0, OAUTH_WAIT, OAUTH_RENEWING },
            { ASK, 0, 0, OAUTH_RENEWING }, { PAIR, 0, 0, OAUTH_GOOD }, { REFUSE, 0, OAUTH_STOP, OAUTH_LOST },
            { END, 0, 0, OAUTH_NONE } },
        10, false },
    { "each new token is taken for a while",
        { { LOAD, 0, 0, OAUTH_GOOD }, { REFUSE, 0, OAUTH_WAIT, OAUTH_RENEWING },
            { ASK, 0, 0, OAUTH_RENEWING }, { PAIR, 0, 0, OAUTH_GOOD }, { PROVE, 0, 0, OAUTH_GOOD },
            { REFUSE, 0, OAUTH_WAIT, OAUTH_RENEWING }, { ASK, 0, 0, OAUTH_RENEWING },
            { PAIR, 0, 0, OAUTH_GOOD }, { PROVE, 0, 0, OAUTH_GOOD },
            { REFUSE, 0, OAUTH_WAIT, OAUTH_RENEWING }, { ASK, 0, 0, OAUTH_RENEWING },
            { PAIR, 0, 0, OAUTH_GOOD }, { PROVE, 0, 0, OAUTH_GOOD },
            { REFUSE, 0, OAUTH_WAIT, OAUTH_RENEWING }, { END, 0, 0, OAUTH_NONE } },
        10, false },
    { "the application is removed",
        { { LOAD, 0, 0, OAUTH_GOOD }, { REMOVE, 0, 0, OAUTH_NONE }, { REFUSE_OLD, 0, OAUTH_STOP, OAUTH_NONE },
            { AGAIN, 0, 0, OAUTH_NONE }, { END, 0, 0, OAUTH_NONE } },
        8, false },
    { "and somebody had kept a newer pair",
        { { LOAD, 0, 0, OAUTH_GOOD }, { REMOVE, 9, 0, OAUTH_NONE }, { END, 0, 0, OAUTH_NONE } }, 9, false },
};

static struct access pair_of(const char *access)
{
    struct access a = { .kind = ACCESS_TOKENS };

    access_set(&a.access_token, str_of(access));
    access_set(&a.refresh_token, STR("refresh"));
    return a;
}

static void play(struct oauth *o, const struct beat *b, uint64_t *now_ms)
{
    struct access pair = pair_of("access");

    switch (b->event) {
    case LOAD:
        oauth_loaded(o, 7, &pair, "", *now_ms);
        break;
    case LOAD_BAD:
        oauth_loaded(o, 7, &pair, "it was of no use", *now_ms);
        break;
    case LOAD_NONE:
        oauth_loaded(o, 0, NULL, "", *now_ms);
        break;
    case REFUSE:
        CHECK_EQ(oauth_refused(o, o->number, *now_ms), b->expect);
        break;
    case REFUSE_OLD:
        CHECK_EQ(oauth_refused(o, o->number - 1, *now_ms), b->expect);
        break;
    case PROVE:
        oauth_proved(o, o->number);
        break;
    case ASK:
        CHECK(oauth_due(o, *now_ms));
        oauth_asked(o);
        break;
    case NOT_DUE:
        CHECK(!oauth_due(o, *now_ms));
        break;
    case PAIR:
        oauth_stored(o, o->number + 1, &pair);
        break;
    case AWAY:
    case UNWELL:
        CHECK_EQ(oauth_undecided(o, "why", b->event == AWAY, *now_ms), b->expect);
        break;
    case NO:
        oauth_lost(o, "no");
        break;
    case AGAIN:
        oauth_again(o, *now_ms);
        break;
    case REMOVE:
        oauth_forgotten(o, (uint64_t)b->ms);
        break;
    case WAIT:
        *now_ms += (uint64_t)b->ms;
        break;
    case END:
        break;
    }
    access_free(&pair);
}

TEST(each_story_ends_as_it_is_told)
{
    for (size_t i = 0; i < ARRAY_SIZE(STORIES); i++) {
        struct oauth o = { 0 };
        uint64_t now_ms = 1000;

        for (const struct beat *b = STORIES[i].beats; b->event != END; b++) {
            play(&o, b, &now_ms);
            if (o.state != b->state)
                print_error("%s, beat %td\n", STORIES[i].name, b - STORIES[i].beats);
            CHECK_EQ(o.state, b->state);
        }
        CHECK_EQ(o.number, STORIES[i].number);
        CHECK_EQ(o.unconfirmed, STORIES[i].unconfirmed);
        oauth_free(&o);
    }
}

TEST(waiting_has_an_end)
{
    struct oauth o = { 0 };
    struct access pair = pair_of("a");

    oauth_loaded(&o, 1, &pair, "", 0);
    oauth_refused(&o, 1, 0);
    for (int i = 0; i < 100; i++)
        oauth_undecided(&o, "why", false, 1000);
    CHECK_EQ(o.not_before_ms, 1000 + 32000);
    oauth_free(&o);
    access_free(&pair);
}

TEST(an_answer_is_of_the_pair_that_asked)
{
    struct oauth o = { 0 };
    struct access pair = pair_of("a");
    uint64_t asked;

    oauth_loaded(&o, 1, &pair, "", 0);
    oauth_refused(&o, 1, 0);
    asked = o.number;
    oauth_asked(&o);
    CHECK(oauth_is_of_today(&o, asked));
    oauth_stored(&o, 2, &pair); /* a login */
    CHECK(!oauth_is_of_today(&o, asked));
    asked = o.number;
    oauth_forgotten(&o, 0);
    CHECK(!oauth_is_of_today(&o, asked));
    oauth_free(&o);
    access_free(&pair);
}

TEST(without_access_the_database_is_asked_now_and_then)
{
    struct oauth o = { 0 };
    struct access pair = pair_of("a");

    CHECK(oauth_may_be_found(&o, 1000)); /* there never was any */
    oauth_loaded(&o, 1, &pair, "", 1000);
    CHECK(!oauth_may_be_found(&o, 1000));
    oauth_refused(&o, 1, 1000);
    CHECK(!oauth_may_be_found(&o, 1000)); /* its answer decides */
    oauth_lost(&o, "no");
    CHECK(oauth_may_be_found(&o, 1000));
    oauth_looks(&o);
    CHECK(!oauth_may_be_found(&o, 100000)); /* once at a time */
    oauth_looked(&o, 2000);
    CHECK(!oauth_may_be_found(&o, 2000 + OAUTH_LOOK_MS - 1));
    CHECK(oauth_may_be_found(&o, 2000 + OAUTH_LOOK_MS));
    oauth_stored(&o, 2, &pair);
    CHECK(!oauth_may_be_found(&o, 100000));
    oauth_free(&o);
    access_free(&pair);
}

/* ---- what somebody brings ---- */

TEST(who_brings_what_decides_whether_it_is_tried)
{
    static const struct {
        enum oauth_state state;
        const char *known; /* application_token we have */
        enum access_kind kind;
        const char *by, *token;
        bool tried;
    } cases[] = {
        { OAUTH_NONE, NULL, ACCESS_TOKENS, "stranger", "t1", true },
        { OAUTH_LOST, NULL, ACCESS_TOKENS, "stranger", "t1", false },
        { OAUTH_LOST, "t1", ACCESS_TOKENS, "stranger", "t1", true },
        { OAUTH_LOST, "t1", ACCESS_TOKENS, "stranger", "t2", false },
        { OAUTH_LOST, NULL, ACCESS_CODE, "login", NULL, true },
        { OAUTH_GOOD, NULL, ACCESS_TOKENS, "stranger", "t1", false },
        { OAUTH_RENEWING, NULL, ACCESS_TOKENS, "stranger", NULL, false },
        { OAUTH_GOOD, "t1", ACCESS_TOKENS, "stranger", "t1", true },
        { OAUTH_GOOD, "t1", ACCESS_TOKENS, "stranger", "t2", false },
        { OAUTH_GOOD, NULL, ACCESS_TOKENS, "event", "t2", true },
        { OAUTH_GOOD, NULL, ACCESS_TOKENS, NULL, NULL, false },
        { OAUTH_GOOD, "t1", ACCESS_CODE, "login", NULL, true },
        { OAUTH_GOOD, "t1", ACCESS_CODE, "operator", NULL, true },
        { OAUTH_GOOD, "t1", ACCESS_REMOVED, "stranger", "t1", true },
        { OAUTH_GOOD, "t1", ACCESS_REMOVED, "stranger", "t", false },
        { OAUTH_GOOD, NULL, ACCESS_REMOVED, "stranger", NULL, false },
        { OAUTH_LOST, NULL, ACCESS_REMOVED, "stranger", "t1", false },
        { OAUTH_GOOD, NULL, ACCESS_REMOVED, "operator", NULL, true },
    };

    for (size_t k = 0; k < 2 * ARRAY_SIZE(cases); k++) { /* one of before a login is known as well */
        const size_t i = k / 2;
        struct oauth o = { .state = cases[i].state };
        struct access given = pair_of("x");

        given.kind = cases[i].kind;
        access_set(k % 2 == 0 ? &o.pair.application_token : &o.pair.former_token, str_of(cases[i].known));
        access_set(&given.application_token, str_of(cases[i].token));
        access_set(&given.by, str_of(cases[i].by));
        if ((oauth_judge(&o, &given) == NULL) != cases[i].tried)
            print_error("case %zu\n", i);
        CHECK_EQ(oauth_judge(&o, &given) == NULL, cases[i].tried);
        access_free(&given);
        oauth_free(&o);
    }
}

TEST(a_login_makes_the_known_token_a_former_one_and_an_installation_tells_it_anew)
{
    static const struct {
        const char *what;
        enum access_kind kind;
        const char *given, *had, *had_former, *token, *former;
    } cases[] = {
        { "the first login", ACCESS_CODE, NULL, NULL, NULL, NULL, NULL },
        { "the first installation", ACCESS_TOKENS, "t", NULL, NULL, "t", NULL },
        { "a login after an installation", ACCESS_CODE, NULL, "t", NULL, NULL, "t" },
        { "and another", ACCESS_CODE, NULL, NULL, "t", NULL, "t" },
        { "an installation with the same token", ACCESS_TOKENS, "t", NULL, "t", "t", NULL },
        { "with another one", ACCESS_TOKENS, "u", NULL, "t", "u", NULL },
        { "with another one, and no login before", ACCESS_TOKENS, "u", "t", NULL, "u", NULL },
        { "what the operator brings is no login", ACCESS_TOKENS, NULL, "t", NULL, "t", NULL },
        { "nor after one", ACCESS_TOKENS, NULL, NULL, "t", NULL, "t" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct access pair = { 0 }, given = { .kind = cases[i].kind }, had = { 0 };

        print_message("%s\n", cases[i].what);
        access_set(&given.application_token, str_of(cases[i].given));
        access_set(&had.application_token, str_of(cases[i].had));
        access_set(&had.former_token, str_of(cases[i].had_former));
        oauth_complete(&pair, &given, &had);
        CHECK_VIEW(str_of(pair.application_token), cases[i].token != NULL ? cases[i].token : "");
        CHECK_VIEW(str_of(pair.former_token), cases[i].former != NULL ? cases[i].former : "");
        access_free(&pair);
        access_free(&given);
        access_free(&had);
    }
}

/* ---- the server ---- */

static const struct oauth_sent SENT = { "client-secret-2", "refresh-token-1", "c0de" };

#define GOOD \
    "{\"access_token\":\"acc\",\"refresh_token\":\"ref\",\"expires_in\":3600,\"client_endpoint\":\"https://" \
    "p.bitrix24.ru/rest/\"," \
    "\"server_endpoint\":\"https://oauth.bitrix.info/rest/" \
    "\",\"domain\":\"oauth.bitrix.info\",\"member_id\":\"m1\"," \
    "\"scope\":\"crm\",\"status\":\"L\""

TEST(each_answer_of_the_server_means_what_the_facts_say)
{
    static const struct {
        int status;
        const char *body;
        enum oauth_meaning meaning;
        const char *says;
    } cases[] = {
        { 200, GOOD "}", OAUTH_PAIR, "" },
        { 200, GOOD ",\"expires\":1736405807,\"user_id\":1}", OAUTH_PAIR, "" },
        { 400, "{\"error\":\"invalid_grant\"}", OAUTH_REFUSED, "potok portal login" },
        { 401, "{\"error\":\"INVALID_GRANT\",\"error_description\":\"x\"}", OAUTH_REFUSED,
            "potok portal login" },
        { 400, "{\"error\":\"bad_verification_code\"}", OAUTH_REFUSED, "potok portal login" },
        { 400, "{\"error\":\"invalid_client\"}", OAUTH_REFUSED, "BITRIX_CLIENT_SECRET" },
        { 401, "{\"error\":\"invalid_client\"}", OAUTH_REFUSED, "BITRIX_CLIENT_SECRET" },
        { 200, "{\"error\":\"wrong_client\"}", OAUTH_REFUSED, "BITRIX_CLIENT_ID" },
        { 400, "{\"error\":\"invalid_request\"}", OAUTH_REFUSED, "HTTP 400 invalid_request" },
        { 403, "{\"error\":\"invalid_scope\"}", OAUTH_REFUSED, "scope crm" },
        { 403, "{\"error\":\"insufficient_scope\"}", OAUTH_REFUSED, "scope crm" },
        { 401, "{\"error\":\"NOT_INSTALLED\"}", OAUTH_REFUSED, "removed" },
        { 401, "{\"error\":\"NO_AUTH_FOUND\"}", OAUTH_REFUSED, "potok portal login" },
        { 401, "{\"error\":\"PAYMENT_REQUIRED\"}", OAUTH_REFUSED, "plan" },
        { 404, "<html>", OAUTH_REFUSED, "nothing is there" },
        { 404, "{\"error\":\"x\"}", OAUTH_REFUSED, "HTTP 404" },
        { 502, "<html>", OAUTH_LATER, "HTTP 502" },
        { 500, "{\"error\":\"INTERNAL_SERVER_ERROR\"}", OAUTH_LATER, "unwell" },
        { 503, "{\"error\":\"anything\"}", OAUTH_LATER, "HTTP 503" },
        { 429, "{\"error\":\"QUERY_LIMIT_EXCEEDED\"}", OAUTH_LATER, "pause" },
        { 403, "<html>firewall", OAUTH_LATER, "no JSON" },
        { 200, "", OAUTH_LATER, "no JSON" },
        { 200, "[]", OAUTH_LATER, "no JSON" },
        { 200, "{}", OAUTH_LATER, "HTTP 200" },
        { 200, "{\"access_token\":\"acc\"}", OAUTH_LATER, "HTTP 200" },
        { 200, "{\"access_token\":\"a b\",\"refresh_token\":\"c\"}", OAUTH_LATER, "HTTP 200" },
        { 200, "{\"access_token\":7,\"refresh_token\":\"c\"}", OAUTH_LATER, "HTTP 200" },
        { 302, GOOD "}", OAUTH_LATER, "HTTP 302" },
        { 0, "", OAUTH_LATER, "no route" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct oauth_answer a;

        oauth_read(&a, cases[i].status, str_of(cases[i].body), "no route", &SENT, 1000);
        if (a.meaning != cases[i].meaning)
            print_error("%d %s\n", cases[i].status, cases[i].body);
        CHECK_EQ(a.meaning, cases[i].meaning);
        CHECK_HAS(a.text, cases[i].says);
        CHECK((a.meaning == OAUTH_PAIR) == (a.pair.access_token != NULL));
        access_free(&a.pair);
    }
}

TEST(a_pair_is_read_whole)
{
    struct oauth_answer a;

    oauth_read(&a, 200, STR(GOOD "}"), "", &SENT, 5000);
    CHECK_STR(a.pair.access_token, "acc");
    CHECK_STR(a.pair.refresh_token, "ref");
    CHECK_STR(a.pair.member_id, "m1");
    CHECK_STR(a.pair.domain, "p.bitrix24.ru"); /* "domain" of the answer is the OAuth server's */
    CHECK_STR(a.pair.server, "oauth.bitrix.info");
    CHECK_STR(a.portal, "https://p.bitrix24.ru/rest/");
    CHECK_EQ(a.pair.expires_ms, 3605000);
    access_free(&a.pair);
}

TEST(a_secret_that_an_answer_repeats_is_not_repeated)
{
    struct oauth_answer a;

    oauth_read(&a, 400,
        STR("{\"error\":\"invalid_request\",\"error_description\":\"?refresh_token=topsecret&x\"}"), "",
        &SENT, 0);
    CHECK(strstr(a.text, "topsecret") == NULL);
    access_free(&a.pair);
}

TEST(what_was_sent_is_masked_wherever_an_answer_repeats_it)
{
    static const struct {
        const char *body, *says;
    } cases[] = {
        { "{\"error\":\"x\",\"error_description\":\"no refresh-token-1, refresh-token-1!\"}",
            "no (masked), (masked)!" },
        { "{\"error\":\"x\",\"error_description\":\"bad client-secret-2 of c0de\"}",
            "bad (masked) of (masked)" },
        { "{\"error\":\"x\",\"error_description\":\"token refresh-tok...\"}", "token (masked)..." },
        { "{\"error\":\"refresh-token-1\"}", "HTTP 400 (masked)" },
        { "{\"error\":\"x\",\"error_description\":\"refreshing\"}", "refreshing" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct oauth_answer a;

        oauth_read(&a, 400, str_of(cases[i].body), "", &SENT, 0);
        CHECK_HAS(a.text, cases[i].says);
        CHECK(strstr(a.text, "refresh-to") == NULL && strstr(a.code, "refresh-to") == NULL);
        access_free(&a.pair);
    }
}

TEST(only_the_portals_word_makes_an_administrator)
{
    static const struct {
        int status;
        const char *body;
        enum oauth_rights rights;
    } cases[] = {
        { 200, "{\"result\":{\"ID\":\"1\",\"ADMIN\":true}}", OAUTH_ADMIN },
        { 200, "{\"result\":{\"ID\":\"7\",\"ADMIN\":false}}", OAUTH_USER },
        { 200, "{\"result\":{\"ID\":\"7\",\"ADMIN\":\"true\"}}", OAUTH_USER },
        { 200, "{\"result\":[]}", OAUTH_USER },
        { 401, "{\"error\":\"ACCESS_DENIED\"}", OAUTH_USER },
        { 503, "{\"error\":\"QUERY_LIMIT_EXCEEDED\"}", OAUTH_UNTOLD },
        { 403, "<html>", OAUTH_UNTOLD },
        { 200, "<html>", OAUTH_UNTOLD },
        { 302, "", OAUTH_UNTOLD },
        { 0, "", OAUTH_UNTOLD },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_EQ(oauth_rights(cases[i].status, str_of(cases[i].body)), cases[i].rights);
}

TEST(the_form_holds_what_is_asked_and_the_secret_goes_to_known_servers_alone)
{
    static const struct {
        const char *oauth, *server, *url;
    } cases[] = {
        { "https://oauth.bitrix24.tech/", NULL, "https://oauth.bitrix24.tech/oauth/token/" },
        { "https://oauth.bitrix24.tech/", "oauth.bitrix.info", "https://oauth.bitrix.info/oauth/token/" },
        { "https://oauth.bitrix24.tech/", "evil.example", "https://oauth.bitrix24.tech/oauth/token/" },
        { "https://oauth.bitrix24.tech/", "oauth.bitrix.info.evil.example",
            "https://oauth.bitrix24.tech/oauth/token/" },
        { "http://127.0.0.1:99/", "oauth.bitrix.info", "http://127.0.0.1:99/oauth/token/" },
    };
    struct config_app app = { .client_id = (char *)"local.1", .client_secret = (char *)"s&cret" };
    struct access by = { .kind = ACCESS_CODE, .code = (char *)"c+de" };
    struct access pair = { .refresh_token = (char *)"ref" };
    struct buf form;

    buf_init(&form, 4096);
    oauth_form(&app, &by, &form);
    CHECK_STR(buf_cstr(&form),
        "grant_type=authorization_code&client_id=local.1&client_secret=s%26cret&code=c%2Bde");
    buf_clear(&form);
    oauth_form(&app, &pair, &form);
    CHECK_STR(buf_cstr(&form),
        "grant_type=refresh_token&client_id=local.1&client_secret=s%26cret&refresh_token=ref");
    buf_fini(&form);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct access of = { .server = (char *)cases[i].server };
        char *url;

        app.oauth = (char *)cases[i].oauth;
        url = oauth_url(&app, &of);
        CHECK_STR(url, cases[i].url);
        free(url);
    }
}

TEST_MAIN(CASE(each_story_ends_as_it_is_told), CASE(waiting_has_an_end),
    CASE(an_answer_is_of_the_pair_that_asked), CASE(without_access_the_database_is_asked_now_and_then),
    CASE(who_brings_what_decides_whether_it_is_tried),
    CASE(a_login_makes_the_known_token_a_former_one_and_an_installation_tells_it_anew),
    CASE(each_answer_of_the_server_means_what_the_facts_say), CASE(a_pair_is_read_whole),
    CASE(a_secret_that_an_answer_repeats_is_not_repeated),
    CASE(what_was_sent_is_masked_wherever_an_answer_repeats_it),
    CASE(only_the_portals_word_makes_an_administrator),
    CASE(the_form_holds_what_is_asked_and_the_secret_goes_to_known_servers_alone))
