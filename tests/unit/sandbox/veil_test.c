/* Commits seen late: methods show the state before, the truth the newest. */
#include "base/clock.h"
#include "tests/unit/sandbox/ask.h"

static void at(uint64_t ms)
{
    clock_set(1000000 + ms, 1700000000000 + ms);
}

static struct portal *lagging(void)
{
    struct portal *p = ask_open();

    at(0);
    ask_admin(p, "lag?entity=deals&ms=500", NULL);
    return p;
}

static void close_portal(struct portal *p)
{
    clock_set(0, 0);
    ask_close(p);
}

static void set_title(struct portal *p, long long id, const char *title)
{
    char route[100], body[100];

    snprintf(route, sizeof(route), "set?entity=deals&id=%lld", id);
    snprintf(body, sizeof(body), "{\"TITLE\":\"%s\"}", title);
    ask_admin(p, route, body);
}

/* TITLE by crm.deal.list; "(none)" when it is not listed. */
static void title_is(struct portal *p, long long id, const char *expected)
{
    char body[100];

    snprintf(body, sizeof(body), "{\"filter\":{\"ID\":%lld},\"select\":[\"ID\",\"TITLE\"]}", id);
    json_t *answer = ask(p, "crm.deal.list", body);
    const json_t *row = json_array_get(json_object_get(answer, "result"), 0);
    const char *title = json_string_value(json_object_get(row, "TITLE"));
    CHECK_STR(row ? title : "(none)", expected);
    json_decref(answer);
}

static void truth_has(struct portal *p, const char *part, bool there)
{
    char *text = ask_raw(p, "/__admin/truth/deals", NULL, "", NULL);

    CHECK_EQ(strstr(text, part) != NULL, there);
    free(text);
}

TEST(a_change_is_seen_by_methods_only_after_the_lag)
{
    struct portal *p = lagging();
    const long long id = p->store.crm[DEAL].ids[0];

    ask_admin(p, "lag?ms=0", NULL);
    set_title(p, id, "old");
    ask_admin(p, "lag?entity=deals&ms=500", NULL);
    set_title(p, id, "new");
    truth_has(p, "\"title\":\"new\"", true);
    title_is(p, id, "old");
    at(499);
    title_is(p, id, "old");
    truth_has(p, "\"title\":\"new\"", true);
    at(500);
    title_is(p, id, "new");
    CHECK_EQ(p->store.veils.count, 0);
    close_portal(p);
}

TEST(each_change_becomes_seen_in_its_turn)
{
    struct portal *p = lagging();
    const long long id = p->store.crm[DEAL].ids[3];

    ask_admin(p, "lag?ms=0", NULL);
    set_title(p, id, "0");
    ask_admin(p, "lag?entity=deals&ms=500", NULL);
    set_title(p, id, "1");
    at(200);
    set_title(p, id, "2");
    at(400);
    set_title(p, id, "3");
    title_is(p, id, "0");
    at(500);
    title_is(p, id, "1");
    at(700);
    title_is(p, id, "2");
    at(900);
    title_is(p, id, "3");
    close_portal(p);
}

TEST(what_was_made_is_not_there_yet_and_what_was_deleted_still_is)
{
    struct portal *p = lagging();
    const uint32_t count = p->store.crm[DEAL].count, visible = p->store.crm[DEAL].visible;
    char body[64];

    ask_admin(p, "change?entity=deals&count=1&kind=create", NULL);
    const long long made = p->store.crm[DEAL].ids[count];
    snprintf(body, sizeof(body), "{\"id\":%lld}", made);
    json_t *answer = ask(p, "crm.deal.get", body);
    CHECK_STR(ask_error(answer), "Not found");
    json_decref(answer);
    ask_admin(p, "lag?ms=0", NULL);
    set_title(p, p->store.crm[DEAL].ids[1], "here");
    ask_admin(p, "lag?entity=deals&ms=500", NULL);
    ask_admin(p, "change?entity=deals&count=121&kind=delete", NULL); /* all of them */
    truth_has(p, "\"title\"", false);
    title_is(p, p->store.crm[DEAL].ids[1], "here");
    answer = ask(p, "crm.deal.list", "{\"select\":[\"ID\"]}");
    CHECK_EQ(json_integer_value(json_object_get(answer, "total")), visible);
    json_decref(answer);
    at(500);
    title_is(p, p->store.crm[DEAL].ids[1], "(none)");
    CHECK_EQ(p->store.crm[DEAL].visible, 0);
    close_portal(p);
}

TEST(date_modify_is_of_the_change_not_of_its_appearance)
{
    struct portal *p = lagging();
    const long long id = p->store.crm[DEAL].ids[0];
    char body[200];

    set_title(p, id, "x");
    at(600);
    snprintf(body, sizeof(body), "{\"filter\":{\"ID\":%lld},\"select\":[\"DATE_MODIFY\"]}", id);
    json_t *answer = ask(p, "crm.deal.list", body);
    CHECK_STR(json_string_value(
                  json_object_get(json_array_get(json_object_get(answer, "result"), 0), "DATE_MODIFY")),
        "2023-11-15T01:13:20+03:00");
    json_decref(answer);
    close_portal(p);
}

TEST(changes_between_the_commands_of_a_batch_lag_as_well)
{
    struct portal *p = lagging();

    ask_admin(p, "lag?ms=500", NULL);
    ask_admin(p, "change/rate?per_s=100000&seconds=1", NULL);
    at(10);
    json_t *answer = ask(p, "batch",
        "{\"cmd\":{\"a\":\"crm.deal.list?order[ID]=ASC\",\"b\":\"crm.deal.list?order[ID]=ASC\"}}");
    const json_t *result = json_object_get(json_object_get(answer, "result"), "result");
    char *a = json_dumps(json_object_get(result, "a"), JSON_COMPACT | JSON_SORT_KEYS);
    char *b = json_dumps(json_object_get(result, "b"), JSON_COMPACT | JSON_SORT_KEYS);
    CHECK(p->store.veils.count > 0 && !p->store.veils.drawn);
    CHECK_STR(a, b);
    free(a);
    free(b);
    json_decref(answer);
    close_portal(p);
}

TEST(an_edit_of_a_field_shows_everything_at_once)
{
    struct portal *p = lagging();
    const long long id = p->store.crm[DEAL].ids[0];
    char route[100];

    ask_admin(p, "field?entity=deals", "{\"name\":\"UF_CRM_NEW\",\"type\":\"string\"}");
    snprintf(route, sizeof(route), "set?entity=deals&id=%lld", id);
    ask_admin(p, route, "{\"UF_CRM_NEW\":\"a\"}");
    set_title(p, id, "seen");
    ask_admin(p, "field/delete?entity=deals&name=UF_CRM_NEW", NULL);
    title_is(p, id, "seen");
    CHECK_EQ(p->store.veils.count, 0);
    close_portal(p);
}

TEST(other_entities_do_not_lag)
{
    struct portal *p = lagging();

    ask_admin(p, "change?entity=leads&count=5&kind=update", NULL);
    CHECK_EQ(p->store.veils.count, 0);
    close_portal(p);
}

TEST_MAIN(CASE(a_change_is_seen_by_methods_only_after_the_lag), CASE(each_change_becomes_seen_in_its_turn),
    CASE(what_was_made_is_not_there_yet_and_what_was_deleted_still_is),
    CASE(date_modify_is_of_the_change_not_of_its_appearance),
    CASE(changes_between_the_commands_of_a_batch_lag_as_well),
    CASE(an_edit_of_a_field_shows_everything_at_once), CASE(other_entities_do_not_lag))
