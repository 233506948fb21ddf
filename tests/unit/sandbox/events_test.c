/* What people do in the portal, and the events that are made of it (facts sections 9.2, 9.3). */
#include "base/clock.h"
#include "services/sandbox/events/events.h"
#include "tests/unit/sandbox/ask.h"

static struct portal *listened(bool app)
{
    struct portal_options o = ask_options();

    o.events.parallel = 100000;
    if (app)
        o.events.apps[0] = "http://127.0.0.1:9/app";
    else
        o.events.webhooks[0] = "http://127.0.0.1:9/hook";
    return ask_open_with(o);
}

/* The next event as "NAME ID", with what more data holds as it was sent; "" = none. */
static const char *next_event(struct portal *p, char ret[static 1000])
{
    struct buf body;
    const char *url;
    char *ts;

    ret[0] = '\0';
    if (!events_next(&p->events, clock_mono_ms(), 1000000, &url, &body))
        return ret;
    outbox_done(&p->events.outbox, true);
    char *text = (char *)buf_cstr(&body), *data = strstr(text, "&data%5BFIELDS%5D%5BID%5D=");
    CHECK(data != NULL && (ts = strstr(text, "&ts=1000&")) != NULL);
    *ts = *strchr(text, '&') = '\0';
    snprintf(ret, 1000, "%s %s", text + strlen("event="), data + strlen("&data%5BFIELDS%5D%5BID%5D="));
    buf_fini(&body);
    return ret;
}

static long long first_id(struct portal *p, enum which w)
{
    return p->store.crm[w].ids[0];
}

static void admin(struct portal *p, const char *what, long long id, const char *body)
{
    char route[200];

    snprintf(route, sizeof(route), "%s&id=%lld", what, id);
    ask_admin(p, route, body);
}

static void event_is(struct portal *p, const char *name, long long id, const char *more)
{
    char got[1000], expected[1000];

    snprintf(expected, sizeof(expected), "%s %lld%s", name, id, more);
    CHECK_STR(next_event(p, got), expected);
}

static void no_event(struct portal *p)
{
    char got[1000];

    CHECK_STR(next_event(p, got), "");
}

TEST(one_edit_is_one_event_however_many_fields_it_sets)
{
    struct portal *p = listened(false);

    admin(p, "set?entity=contacts", first_id(p, CONTACT), "{\"NAME\":\"a\",\"LAST_NAME\":\"b\"}");
    admin(p, "set?entity=contacts", first_id(p, CONTACT), "{\"NAME\":\"c\"}");
    event_is(p, "ONCRMCONTACTUPDATE", first_id(p, CONTACT), "");
    event_is(p, "ONCRMCONTACTUPDATE", first_id(p, CONTACT), "");
    no_event(p);
    ask_close(p);
}

TEST(every_change_is_told_of)
{
    static const struct {
        const char *kind, *part;
    } cases[] = { { "update", "ONCRMLEADUPDATE " }, { "create", "ONCRMLEADADD " },
        { "delete", "ONCRMLEADDELETE " } };
    struct portal *p = listened(false);
    char route[100], got[1000];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        snprintf(route, sizeof(route), "change?entity=leads&count=12&kind=%s", cases[i].kind);
        ask_admin(p, route, NULL);
        for (int n = 0; n < 12; n++)
            CHECK_HAS(next_event(p, got), cases[i].part);
        no_event(p);
    }
    ask_close(p);
}

TEST(rights_are_no_change)
{
    struct portal *p = listened(false);

    admin(p, "hide?entity=deals", first_id(p, DEAL), NULL);
    no_event(p);
    ask_close(p);
}

TEST(a_move_to_another_funnel_is_told_to_applications_alone)
{
    static const char move[] = "{\"TITLE\":\"x\",\"CATEGORY_ID\":\"3\",\"STAGE_ID\":\"C3:NEW\"}";
    struct portal *hook = listened(false), *app = listened(true);
    const long long id = first_id(hook, DEAL);
    char got[1000];

    admin(hook, "set?entity=deals", id, "{\"CATEGORY_ID\":\"1\"}");
    admin(app, "set?entity=deals", id, "{\"CATEGORY_ID\":\"1\"}");
    next_event(hook, got); /* whatever they were told of that */
    next_event(app, got);
    admin(hook, "set?entity=deals", id, move);
    admin(app, "set?entity=deals", id, move);
    no_event(hook);
    event_is(app, "ONCRMDEALMOVETOCATEGORY", id,
        "&data%5BFIELDS%5D%5BCATEGORY_ID%5D=3&data%5BFIELDS%5D%5BSTAGE_ID%5D=C3%3ANEW");
    no_event(app);
    admin(hook, "set?entity=deals", id, move); /* the same funnel: an edit like others */
    event_is(hook, "ONCRMDEALUPDATE", id, "");
    ask_close(hook);
    ask_close(app);
}

TEST(edits_of_user_fields_are_told_of)
{
    static const struct {
        const char *route, *body, *event;
    } cases[] = {
        { "field?entity=deals", "{\"name\":\"UF_CRM_NEW\",\"type\":\"string\"}", "ADD" },
        { "field/rename?entity=deals&name=UF_CRM_NEW", "{\"label\":\"a\"}", "UPDATE" },
        { "field/type?entity=deals&name=UF_CRM_NEW", "{\"type\":\"double\"}", "UPDATE" },
        { "field/delete?entity=deals&name=UF_CRM_NEW", NULL, "DELETE" },
    };
    struct portal *p = listened(false);
    char got[1000], first[1000] = "", event[100];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ask_admin(p, cases[i].route, cases[i].body);
        next_event(p, got);
        snprintf(event, sizeof(event), "ONCRMDEALUSERFIELD%s ", cases[i].event);
        CHECK_HAS(got, event);
        CHECK_HAS(
            got, "&data%5BFIELDS%5D%5BENTITY_ID%5D=CRM_DEAL&data%5BFIELDS%5D%5BFIELD_NAME%5D=UF_CRM_NEW");
        if (i == 0)
            snprintf(first, sizeof(first), "%s", strchr(got, ' '));
        CHECK_STR(strchr(got, ' '), first); /* the same ID all along */
    }
    ask_admin(p, "field/items?entity=deals&name=UF_CRM_ENUM_M", "{\"add\":[\"x\"]}");
    CHECK_HAS(next_event(p, got), "ONCRMDEALUSERFIELDSETENUMVALUES ");
    no_event(p);
    ask_close(p);
}

TEST(without_listeners_nothing_is_written_down)
{
    struct portal *p = ask_open();

    ask_admin(p, "change?count=10", NULL);
    CHECK_EQ(p->store.journal.cap, 0);
    CHECK_EQ(p->events.outbox.stats.made, 0);
    ask_admin(p, "events/handler?url=http://127.0.0.1:9/", NULL);
    ask_admin(p, "change?count=10", NULL);
    CHECK(p->events.outbox.stats.made > 0);
    ask_admin(p, "events/handlers/clear", NULL);
    CHECK(!p->store.journal.on);
    ask_close(p);
}

TEST(what_was_unbound_meanwhile_is_lost)
{
    struct portal *p = listened(false);

    ask_admin(p, "change?entity=deals&count=3&kind=update", NULL);
    ask_admin(p, "events/handlers/clear", NULL);
    no_event(p);
    CHECK_EQ(p->events.outbox.stats.lost, 3);
    CHECK_EQ(p->events.outbox.stats.sent, 0);
    ask_close(p);
}

TEST(background_changes_and_those_within_a_batch_are_told_of)
{
    struct portal *p = listened(false);

    clock_set(1000, 1700000000000);
    ask_admin(p, "change/rate?per_s=100&seconds=1", NULL);
    clock_set(1500, 1700000000500);
    json_decref(ask(p, "batch", "{\"cmd\":{\"a\":\"profile\"}}"));
    const uint64_t within = p->events.outbox.stats.made;
    CHECK(within > 30);
    clock_set(2500, 1700000001500);
    portal_tick(p);
    CHECK(p->events.outbox.stats.made > within + 30);
    clock_set(0, 0);
    ask_close(p);
}

TEST(faults_and_handlers_are_shown_and_wrong_ones_refused)
{
    static const char *const wrong[] = { "events/faults?drop=101", "events/faults?late=x",
        "events/handler?url=ftp://x", "lag?ms=9000000", "lag?entity=cats&ms=1" };
    struct portal *p = listened(false);
    char path[100];
    int status;

    ask_admin(p, "events/faults?drop=5&shuffle_ms=70", NULL);
    ask_admin(p, "lag?entity=leads&ms=40", NULL);
    char *text = ask_raw(p, "/__admin/events", NULL, "", &status);
    CHECK_HAS(text,
        "{\"id\":201,\"app\":false,\"offline\":false,\"event\":\"*\",\"url\":\"http://127.0.0.1:9/hook\"}");
    CHECK_HAS(text,
        "\"drop\":5,\"double\":0,\"late\":0,\"late_ms\":1000,\"hold\":0,\"shuffle_ms\":70,\"pause_ms\":0}");
    CHECK_HAS(text, "\"lag_ms\":{\"deals\":0,\"contacts\":0,\"companies\":0,\"leads\":40}");
    free(text);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        snprintf(path, sizeof(path), "/__admin/%s", wrong[i]);
        free(ask_raw(p, path, "{}", "", &status));
        CHECK_EQ(status, 400);
    }
    text = ask_raw(p, "/__admin/stats", NULL, "", NULL);
    CHECK_HAS(text, "\"events\":{\"made\":0,\"sent\":0,\"answered\":0,\"failed\":0,\"dropped\":0");
    free(text);
    ask_close(p);
}

TEST_MAIN(CASE(one_edit_is_one_event_however_many_fields_it_sets), CASE(every_change_is_told_of),
    CASE(rights_are_no_change), CASE(a_move_to_another_funnel_is_told_to_applications_alone),
    CASE(edits_of_user_fields_are_told_of), CASE(without_listeners_nothing_is_written_down),
    CASE(what_was_unbound_meanwhile_is_lost), CASE(background_changes_and_those_within_a_batch_are_told_of),
    CASE(faults_and_handlers_are_shown_and_wrong_ones_refused))
