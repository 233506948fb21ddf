#include "unit/sandbox/ask.h"

static json_t *batch(struct portal *p, const char *body)
{
    json_t *answer = ask(p, "batch.json", body);
    json_t *result = json_incref(json_object_get(answer, "result"));

    json_decref(answer);
    return result;
}

static const json_t *part(const json_t *batch, const char *name, const char *key)
{
    const json_t *map = json_object_get(batch, name);

    return json_is_object(map) ? json_object_get(map, key) : NULL;
}

static const char *error_of(const json_t *batch, const char *key)
{
    return json_string_value(json_object_get(part(batch, "result_error", key), "error"));
}

static long long first_id(const json_t *batch, const char *key)
{
    const json_t *row = json_array_get(part(batch, "result", key), 0);

    return atoll(json_string_value(json_object_get(row, "ID")));
}

TEST(a_chain_of_pages_reads_on_where_the_page_before_ended)
{
    struct portal *p = ask_open();
    const uint32_t *id = p->store.crm[DEAL].ids;
    json_t *b =
        batch(p, "{\"halt\":1,\"cmd\":{"
                 "\"p00\":\"crm.deal.list?order[ID]=ASC&filter[>ID]=0&start=-1\","
                 "\"p01\":\"crm.deal.list?order[ID]=ASC&filter[>ID]=$result[p00][49][ID]&start=-1\","
                 "\"p02\":\"crm.deal.list?order%5BID%5D=ASC&filter%5B%3EID%5D=%24result%5Bp01%5D%5B49%5D%"
                 "5BID%5D&start=-1\","
                 "\"p03\":\"crm.deal.list?order[ID]=ASC&filter[>ID]=$result[p02][49][ID]&start=-1\"}}");

    CHECK_EQ(first_id(b, "p00"), id[0]);
    CHECK_EQ(first_id(b, "p01"), id[50]);
    CHECK_EQ(first_id(b, "p02"), id[100]);
    CHECK_EQ(json_array_size(part(b, "result", "p02")), 20);
    CHECK_EQ(first_id(b, "p03"), id[0]); /* the reference leads nowhere: the text is 0 to a number */
    CHECK_EQ(json_integer_value(part(b, "result_total", "p00")), 0);
    CHECK(json_is_object(part(b, "result_time", "p00")));
    CHECK_EQ(json_array_size(json_object_get(b, "result_error")), 0);
    CHECK(json_is_array(json_object_get(b, "result_next")));
    json_decref(b);
    ask_close(p);
}

TEST(references_reach_into_any_result)
{
    struct portal *p = ask_open();
    json_t *b = batch(p,
        "{\"cmd\":{"
        "\"me\":\"profile\","
        "\"u\":\"user.get?ID=$result[me][ID]\","
        "\"d\":\"crm.deal.list?order[ID]=ASC&select[]=CATEGORY_ID&start=-1\","
        "\"c\":\"crm.deal.list?filter[CATEGORY_ID]=$result[d][0][CATEGORY_ID]&filter[ID]=$result[d][0][ID]\","
        "\"s\":\"method.get?name=crm.$result[nothing][a].list\","
        "\"t\":\"server.time\",\"m\":\"method.get?name=$result[t]\"}}");

    CHECK_EQ(json_array_size(part(b, "result", "u")), 1);
    CHECK_EQ(first_id(b, "u"), 1);
    CHECK_EQ(json_array_size(part(b, "result", "c")), 1);
    CHECK(json_is_false(json_object_get(part(b, "result", "s"), "isExisting")));
    CHECK_EQ(json_integer_value(part(b, "result_total", "c")), 1);
    json_decref(b);
    ask_close(p);
}

TEST(halt_ends_at_the_first_failure_and_without_it_all_run)
{
    struct portal *p = ask_open();
    static const char commands[] =
        "\"cmd\":{\"a\":\"profile\",\"b\":\"crm.deal.get?id=999999\",\"c\":\"profile\"}}";
    char body[256];

    snprintf(body, sizeof(body), "{\"halt\":0,%s", commands);
    json_t *b = batch(p, body);
    CHECK(part(b, "result", "c") != NULL);
    CHECK_STR(error_of(b, "b"), "");
    CHECK(part(b, "result", "b") == NULL);
    CHECK(part(b, "result_time", "b") == NULL);
    json_decref(b);
    snprintf(body, sizeof(body), "{\"halt\":true,%s", commands);
    b = batch(p, body);
    CHECK(part(b, "result", "a") != NULL && part(b, "result", "c") == NULL && error_of(b, "c") == NULL);
    json_decref(b);
    ask_close(p);
}

TEST(commands_beyond_fifty_fail_one_by_one)
{
    struct portal *p = ask_open();
    char body[4096] = "{\"cmd\":{";

    for (int i = 0; i < 53; i++)
        snprintf(body + strlen(body), sizeof(body) - strlen(body), "%s\"k%d\":\"profile\"", i ? "," : "", i);
    strcat(body, "}}");
    json_t *b = batch(p, body);
    CHECK_EQ(json_object_size(json_object_get(b, "result")), 50);
    CHECK_STR(error_of(b, "k52"), "ERROR_BATCH_LENGTH_EXCEEDED");
    CHECK_EQ(json_object_size(json_object_get(b, "result_error")), 3);
    json_decref(b);
    ask_close(p);
}

TEST(what_cannot_run_in_a_batch_is_told_per_command)
{
    struct portal *p = ask_open();
    json_t *b = batch(
        p, "{\"cmd\":{\"a\":\"batch?cmd[x]=profile\",\"b\":\"no.such\",\"c\":\"crm.deal.list?filter=1\"}}");

    CHECK_STR(error_of(b, "a"), "ERROR_BATCH_METHOD_NOT_ALLOWED");
    CHECK_STR(error_of(b, "b"), "ERROR_METHOD_NOT_FOUND");
    CHECK_STR(error_of(b, "c"), "");
    json_decref(b);
    json_t *a = ask(p, "batch", "{}");
    CHECK_STR(ask_error(a), "Parameter 'cmd' must be array.");
    json_decref(a);
    ask_close(p);
}

TEST(numeric_keys_make_lists)
{
    struct portal *p = ask_open();
    json_t *b = batch(p, "{\"cmd\":[\"profile\",\"server.time\",\"no.such\"]}");

    CHECK(json_is_array(json_object_get(b, "result")));
    CHECK_EQ(json_array_size(json_object_get(b, "result")), 2);
    CHECK(json_is_object(json_object_get(b, "result_error"))); /* its only key is 2 */
    json_decref(b);
    b = batch(p, "{\"cmd\":{\"1\":\"no.such\",\"0\":\"no.such\"}}");
    CHECK(json_is_array(json_object_get(b, "result_error")));
    CHECK(json_is_array(json_object_get(b, "result")));
    json_decref(b);
    ask_close(p);
}

TEST(a_form_carries_a_batch_encoded_twice)
{
    struct portal *p = ask_open();
    char path[128];

    snprintf(path, sizeof(path), "/rest/1/%s/batch", p->secret);
    char *text = ask_raw(p, path,
        "halt=0&cmd[a]=crm.deal.list%3Forder%5BID%5D%3DASC%26filter%5B%253EID%5D%3D0%26start%3D-1",
        "application/x-www-form-urlencoded", NULL);
    CHECK_HAS(text, "\"result\":{\"result\":{\"a\":[{\"ID\":");
    free(text);
    ask_close(p);
}

TEST(operating_seconds_are_billed_to_the_commands_and_block_them)
{
    struct portal_options o = ask_options();
    o.operating_limit_s = 0.05;
    struct portal *p = ask_open_with(o);
    json_t *b = batch(p, "{\"cmd\":{\"a\":\"crm.deal.list?start=-1\",\"b\":\"crm.deal.list?start=-1\","
                         "\"c\":\"crm.deal.list?start=-1\",\"d\":\"crm.lead.list?start=-1\"}}");

    CHECK(part(b, "result", "b") != NULL);
    CHECK_STR(error_of(b, "c"), "OPERATION_TIME_LIMIT");
    CHECK(part(b, "result", "d") != NULL);
    CHECK(json_real_value(json_object_get(part(b, "result_time", "b"), "operating")) > 0.05);
    CHECK_EQ(p->stats.refused_429, 1);
    json_decref(b);
    json_t *a = ask(p, "crm.deal.list", "{}");
    CHECK_STR(json_string_value(json_object_get(a, "error")), "OPERATION_TIME_LIMIT");
    json_decref(a);
    ask_close(p);
}

/* false as PHP writes it: nothing; a list leads nowhere in either form. */
TEST(false_and_null_become_nothing_and_true_one)
{
    static const char commands[] =
        "{\"cmd\":{\"no\":\"crm.deal.contact.delete?id=%u&fields[CONTACT_ID]=99999999\","
        "\"one\":\"crm.deal.get?id=%u\",\"all\":\"crm.deal.list?order[ID]=ASC\","
        "\"yes\":\"crm.deal.update?id=%u&fields[TITLE]=1[$result[no]]2[$result[one][MOVED_BY]]3["
        "$result[all]]4[$result[one][PROBABILITY]]\",\"done\":\"crm.deal.update?id=%u&fields[COMMENTS]=<"
        "$result[yes]>\",\"seen\":\"crm.deal.get?id=%u\"}}";

    for (int literal = 0; literal < 2; literal++) {
        struct portal_options o = ask_options();
        o.quirks = literal ? quirk_bit("blank-literal") : 0;
        struct portal *p = ask_open_with(o);
        const unsigned id = p->store.crm[DEAL].ids[0];
        char body[1000];

        snprintf(body, sizeof(body), "set?entity=deals&id=%u", id);
        ask_admin(p, body, "{\"PROBABILITY\":null}");
        snprintf(body, sizeof(body), commands, id, id, id, id, id);
        json_t *b = batch(p, body);
        CHECK(json_is_false(part(b, "result", "no")));
        CHECK(json_is_null(json_object_get(part(b, "result", "one"), "PROBABILITY")));
        CHECK(json_is_true(part(b, "result", "yes")));
        CHECK_STR(json_string_value(json_object_get(part(b, "result", "seen"), "TITLE")),
            literal ? "1[$result[no]]2[$result[one][MOVED_BY]]3[$result[all]]4[$result[one][PROBABILITY]]"
                    : "1[]2[$result[one][MOVED_BY]]3[$result[all]]4[]");
        CHECK_STR(json_string_value(json_object_get(part(b, "result", "seen"), "COMMENTS")), "<1>");
        json_decref(b);
        ask_close(p);
    }
}

TEST(unresolved_references_may_be_empty_by_option)
{
    struct portal_options o = ask_options();
    o.quirks = quirk_bit("unresolved-empty");
    struct portal *p = ask_open_with(o);
    json_t *b = batch(p, "{\"cmd\":{\"a\":\"crm.deal.list?filter[TITLE]=$result[x][0][ID]&start=0\"}}");

    CHECK_EQ(json_integer_value(part(b, "result_total", "a")), 0);
    json_decref(b);
    ask_close(p);
}

TEST_MAIN(CASE(a_chain_of_pages_reads_on_where_the_page_before_ended), CASE(references_reach_into_any_result),
    CASE(halt_ends_at_the_first_failure_and_without_it_all_run), CASE(commands_beyond_fifty_fail_one_by_one),
    CASE(what_cannot_run_in_a_batch_is_told_per_command), CASE(numeric_keys_make_lists),
    CASE(a_form_carries_a_batch_encoded_twice),
    CASE(operating_seconds_are_billed_to_the_commands_and_block_them),
    CASE(false_and_null_become_nothing_and_true_one), CASE(unresolved_references_may_be_empty_by_option))
