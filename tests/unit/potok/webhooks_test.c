#include "services/potok/portal/webhooks_tell.h"

#include "base/mem.h"
#include "services/potok/doctor/facts.h"
#include "services/potok/words/say.h"
#include "support/check.h"

#define HOUR 3600000
#define NOW  UINT64_C(1795228620000)

static struct config_portal portal;
static struct public_urls urls;
static struct buf out;

/* What is told of a portal: app, its way, PUBLIC_URL or not, and the scheduler's state of it. */
static struct webhooks_view view(bool app, enum events_way way, bool url, json_t *events)
{
    static char *const handler = (char *)"https://potok.example/api/v1/webhooks/bitrix";

    portal = (struct config_portal){ .name = (char *)"main", .events = way };
    portal.app.client_id = app ? (char *)"local.1" : NULL;
    portal.entities[0] = (char *)"deals";
    portal.entity_count = 1;
    urls = (struct public_urls){ .handlers = { handler }, .count = url };
    return (struct webhooks_view){
        .portal = &portal, .urls = &urls, .incremental_s = 60, .events = events, .now_ms = NOW
    };
}

static const char *told(const struct webhooks_view *v)
{
    buf_fini(&out);
    buf_init(&out, 1 << 16);
    webhooks_tell(v, &out);
    return buf_cstr(&out);
}

/* Of the scheduler: state, bound of 8, hours since the last event (-1: none) and since the start, found
 * meanwhile. */
static json_t *known(const char *name, int bound, int heard_h, int since_h, int found)
{
    json_t *o = json_pack("{s:s, s:i, s:i, s:i, s:s, s:i, s:I, s:I}", "state", name, "wanted", 8, "bound",
        bound, "strays", 0, "error", "", "found", found, "since_ms",
        (json_int_t)(NOW - (uint64_t)since_h * HOUR), "looked_ms", (json_int_t)(NOW - 60000));

    json_object_set_new(o, "heard_ms",
        heard_h < 0 ? json_null() : json_integer((json_int_t)(NOW - (uint64_t)heard_h * HOUR)));
    return o;
}

TEST(health_follows_what_is_known)
{
    static const struct {
        bool app, url, answers;
        enum events_way way;
        const char *state;
        int heard_h, since_h, found;
        enum webhooks_health health;
    } cases[] = {
        { false, false, true, EVENTS_UNSET, "none", -1, 2, 0, WEBHOOKS_NO_URL },
        { false, false, true, EVENTS_UNSET, "none", 1, 2, 0, WEBHOOKS_WELL },
        { false, true, false, EVENTS_UNSET, "none", 1, 2, 0, WEBHOOKS_UNKNOWN },
        { false, true, true, EVENTS_UNSET, "none", 1, 30, 5, WEBHOOKS_WELL },
        { false, true, true, EVENTS_UNSET, "none", 25, 30, 5, WEBHOOKS_SILENT },
        { false, true, true, EVENTS_UNSET, "none", 25, 30, 0, WEBHOOKS_WELL },
        { false, true, true, EVENTS_UNSET, "none", -1, 30, 5, WEBHOOKS_SILENT },
        { false, true, true, EVENTS_UNSET, "none", -1, 3, 5, WEBHOOKS_WELL },
        { true, true, true, EVENTS_ONLINE, "well", 1, 30, 0, WEBHOOKS_WELL },
        { true, true, true, EVENTS_ONLINE, "partly", 1, 30, 0, WEBHOOKS_UNBOUND },
        { true, true, true, EVENTS_ONLINE, "refused", 1, 30, 0, WEBHOOKS_UNBOUND },
        { true, false, true, EVENTS_ONLINE, "none", 1, 30, 0, WEBHOOKS_NO_URL },
        { true, false, true, EVENTS_OFFLINE, "well", 1, 30, 0, WEBHOOKS_WELL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_t *o = known(cases[i].state, 8, cases[i].heard_h, cases[i].since_h, cases[i].found);
        struct webhooks_view v = view(cases[i].app, cases[i].way, cases[i].url, cases[i].answers ? o : NULL);

        CHECK_EQ(webhooks_health(&v), cases[i].health);
        json_decref(o);
    }
}

TEST(who_has_a_webhook_is_told_what_to_paste_where)
{
    json_t *o = known("none", 0, -1, 2, 3);
    struct webhooks_view v = view(false, EVENTS_UNSET, true, o);

    say_set(LANGUAGE_RU);
    CHECK_HAS(told(&v), "Разработчикам → Другое → Исходящий вебхук");
    CHECK_HAS(told(&v), "https://potok.example/api/v1/webhooks/bitrix");
    CHECK_HAS(told(&v), "сделки: ONCRMDEALADD ONCRMDEALUPDATE ONCRMDEALDELETE\n");
    CHECK_HAS(told(&v), "и поля: ONCRMDEALUSERFIELDADD");
    CHECK_HAS(told(&v), "BITRIX_APPLICATION_TOKEN");
    CHECK_HAS(told(&v), "не пришло ни одного события");
    CHECK_HAS(told(&v), "изменённых записей: 3");
    CHECK(strstr(told(&v), "MOVETOCATEGORY") == NULL);
    CHECK(strstr(told(&v), "ONCRMLEAD") == NULL);
    say_set(LANGUAGE_EN);
    CHECK_HAS(told(&v), "Developer resources → Other → Outbound webhook");
    CHECK_HAS(told(&v), "deals: ONCRMDEALADD");
    v = view(false, EVENTS_UNSET, false, o);
    CHECK_HAS(told(&v), "PUBLIC_URL=https://potok.example.com");
    CHECK(strstr(told(&v), "events: offline") == NULL);
    json_decref(o);
}

TEST(an_event_with_a_foreign_token_is_told_until_one_with_ours_came)
{
    json_t *o = known("none", 0, 1, 2, 0); /* one was heard an hour ago */
    struct webhooks_view v = view(false, EVENTS_UNSET, false, o);

    v.tokens_wrong = 4;
    v.tokens_wrong_ms = (int64_t)NOW - 2 * HOUR;
    CHECK_EQ(webhooks_health(&v), WEBHOOKS_WELL);
    CHECK(strstr(told(&v), "token that is not ours") == NULL);
    v.tokens_wrong_ms = (int64_t)NOW - 5000;
    CHECK_EQ(webhooks_health(&v), WEBHOOKS_REFUSED);
    CHECK_HAS(told(&v), "token that is not ours, refused: 4, the last 0:05 ago");
    CHECK_HAS(told(&v), "https://your-host/api/v1/webhooks/bitrix (PUBLIC_URL is not set)");
    CHECK_HAS(told(&v), "Compare BITRIX_APPLICATION_TOKEN");
    v.events = NULL; /* no scheduler */
    CHECK_EQ(webhooks_health(&v), WEBHOOKS_REFUSED);
    json_decref(o);

    o = known("well", 8, 1, 2, 0);
    v = view(true, EVENTS_ONLINE, true, o);
    v.tokens_wrong = 4;
    v.tokens_wrong_ms = (int64_t)NOW - 5000;
    v.keyed = true;
    CHECK_HAS(told(&v), "the same POTOK_SECRET_KEY");
    CHECK(strstr(told(&v), "BITRIX_APPLICATION_TOKEN") == NULL);
    json_decref(o);
}

TEST(where_no_key_is_in_play_no_login_is_advised)
{
    static const struct {
        bool url, keyed;
        const char *key;
        bool login, token, public_url;
    } cases[] = {
        { true, true, "bound", true, false, false },
        { true, true, NULL, true, false, false }, /* the scheduler does not answer */
        { true, true, "dropped", false, true, false }, { true, false, "none", false, true, false },
        { false, true, "none", true, true, true }, /* once it is bound */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_t *o = known("well", 8, 1, 2, 0);
        struct webhooks_view v = view(true, EVENTS_ONLINE, cases[i].url, cases[i].key != NULL ? o : NULL);

        if (cases[i].key != NULL)
            json_object_set_new(o, "key", json_string(cases[i].key));
        v.keyed = cases[i].keyed;
        v.tokens_wrong = 4;
        v.tokens_wrong_ms = (int64_t)NOW - 5000;
        CHECK_EQ(strstr(told(&v), "potok portal login") != NULL, cases[i].login);
        CHECK_EQ(strstr(told(&v), "BITRIX_APPLICATION_TOKEN=") != NULL, cases[i].token);
        CHECK_EQ(strstr(told(&v), "Or set PUBLIC_URL") != NULL, cases[i].public_url);
        CHECK_EQ(webhooks_have_key(&v), !cases[i].token);
        json_decref(o);
    }
}

TEST(of_an_application_its_subscriptions_are_told)
{
    json_t *o = known("refused", 3, 1, 2, 0);
    struct webhooks_view v = view(true, EVENTS_ONLINE, true, o);

    json_object_set_new(o, "strays", json_integer(2));
    json_object_set_new(o, "error", json_string("ONCRMDEALADD: Access denied!"));
    CHECK_HAS(told(&v), "Events bound: 3 of 8");
    CHECK_HAS(told(&v), "Access denied!");
    CHECK_HAS(told(&v), "an administrator of the portal must install");
    CHECK_HAS(told(&v), "other addresses: 2");
    v = view(true, EVENTS_ONLINE, false, o);
    CHECK_HAS(told(&v), "events: offline of the portal in potok.yaml");
    v = view(true, EVENTS_OFFLINE, false, o);
    json_object_set_new(o, "queue",
        json_pack("{s:i, s:s, s:I}", "events", 9, "error", "", "read_ms", (json_int_t)(NOW - 5000)));
    CHECK_HAS(told(&v), "queue was read 0:05 ago, events since the start: 9");
    json_object_set_new(o, "heard_ms", json_integer(0));
    json_object_del(o, "queue");
    CHECK(strstr(told(&v), "no event came") == NULL); /* before it was read once, too */
    json_object_set_new(o, "queue", json_pack("{s:i, s:s}", "events", 9, "error", ""));
    json_object_set_new(o, "found", json_integer(3));
    json_object_set_new(o, "since_ms", json_integer((json_int_t)NOW - 30 * 3600000LL));
    CHECK(strstr(told(&v), "no event came") == NULL); /* none is to come */
    CHECK_HAS(told(&v), "once a minute");
    CHECK_EQ(webhooks_health(&v), WEBHOOKS_UNBOUND);
    json_object_set_new(o, "state", json_string("well"));
    CHECK_EQ(webhooks_health(&v), WEBHOOKS_WELL);
    json_object_set_new(o, "state", json_string("refused"));
    json_object_set_new(o, "queue", json_pack("{s:s}", "error", "unavailable"));
    CHECK_HAS(told(&v), "This tariff has no queue");
    json_decref(o);
}

TEST(a_key_is_not_shown_but_that_there_is_one)
{
    json_t *o = known("well", 8, 1, 2, 0);
    struct webhooks_view v = view(true, EVENTS_ONLINE, true, o);

    CHECK_HAS(told(&v), "Handler: https://potok.example/api/v1/webhooks/bitrix\n");
    v.keyed = true;
    CHECK_HAS(told(&v), "Handler: https://potok.example/api/v1/webhooks/bitrix?key=(masked)\n");
    CHECK(strstr(told(&v), "drops the key") == NULL);
    json_object_set_new(o, "key", json_string("dropped"));
    CHECK_HAS(told(&v), "drops the key");
    CHECK_HAS(told(&v), "BITRIX_APPLICATION_TOKEN");
    json_t *program = webhooks_json(&v);
    CHECK_STR(json_string_value(json_object_get(program, "handler")),
        "https://potok.example/api/v1/webhooks/bitrix?key=(masked)");
    json_decref(program);
    json_decref(o);
}

TEST(programs_get_the_same)
{
    struct webhooks_view v = view(false, EVENTS_UNSET, true, NULL);
    json_t *o = webhooks_json(&v);

    CHECK_EQ(json_array_size(json_object_get(o, "events")), 7);
    CHECK_STR(json_string_value(json_object_get(o, "handler")), urls.handlers[0]);
    CHECK(json_is_null(json_object_get(o, "state")));
    json_decref(o);
    v = view(true, EVENTS_BOTH, true, NULL);
    o = webhooks_json(&v);
    CHECK_EQ(json_array_size(json_object_get(o, "events")), 8);
    json_decref(o);
}

static enum health judged(struct webhooks_look *look, const struct home *home)
{
    struct facts f = { .home = home, .webhooks = *look, .webhooks_looked = true };
    struct findings found = { .check = "events", .title = "events" };

    judge_events(&f, &found);
    CHECK_EQ(found.count, 1);
    enum health h = found.list[0].health;
    findings_fini(&found);
    return h;
}

TEST(the_doctor_warns)
{
    static struct home home;
    json_t *o = known("none", 0, 25, 30, 3), *portals = json_array();
    struct webhooks_look look = { .incremental_s = 60, .portals = portals, .now_ms = NOW };

    home.config.portals[0].name = (char *)"main";
    home.config.portal_count = 1;
    json_array_append_new(portals, json_pack("{s:s, s:O}", "name", "main", "events", o));
    CHECK_EQ(judged(&look, &home), HEALTH_WARNING); /* no address */
    look.urls = (struct public_urls){ .handlers = { (char *)"https://potok.example/x" }, .count = 1 };
    CHECK_EQ(judged(&look, &home), HEALTH_WARNING); /* silence */
    json_object_set_new(o, "found", json_integer(0));
    CHECK_EQ(judged(&look, &home), HEALTH_OK);
    look.portals = NULL;
    CHECK_EQ(judged(&look, &home), HEALTH_OK);
    json_decref(portals);
    json_decref(o);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { CASE(health_follows_what_is_known),
        CASE(who_has_a_webhook_is_told_what_to_paste_where),
        CASE(an_event_with_a_foreign_token_is_told_until_one_with_ours_came),
        CASE(where_no_key_is_in_play_no_login_is_advised), CASE(of_an_application_its_subscriptions_are_told),
        CASE(a_key_is_not_shown_but_that_there_is_one), CASE(programs_get_the_same), CASE(the_doctor_warns) };

    say_set(LANGUAGE_EN);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_fini(&out);
    return failed;
}
