#include "services/sandbox/replay/book.h"
#include "services/sandbox/replay/key.h"
#include "services/sandbox/replay/list.h"
#include "services/sandbox/replay/time.h"

#include "base/mem.h"
#include "services/sandbox/methods/params.h"
#include "services/sandbox/portal.h"
#include "services/sandbox/replay/replay.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- keys ---- */

static char *key_of(const char *method, const char *query, const char *json)
{
    json_t *params = json_object();

    params_add_query(params, str_of(query));
    if (json != NULL)
        CHECK(params_add_json(params, str_of(json)));
    char *key = replay_key(str_of(method), params);
    json_decref(params);
    return key;
}

TEST(a_request_has_one_key_however_it_is_written)
{
    static const struct {
        const char *method, *query, *json;
    } same[] = {
        { "crm.deal.list", "start=-1&filter[>ID]=5&select[]=ID&select[]=TITLE", NULL },
        { "CRM.Deal.List", "FILTER%5B%3EID%5D=5&select[0]=ID&select[1]=TITLE&Start=-1&bx24_request_id=77",
            NULL },
        { "crm.deal.list", "",
            "{\"select\":[\"ID\",\"TITLE\"],\"filter\":{\">ID\":5},\"start\":-1,\"auth\":\"x\"}" },
        { "crm.deal.list", "start=-1",
            "{\"order\":[],\"filter\":{\">ID\":\"5\"},\"select\":{\"0\":\"ID\",\"1\":\"TITLE\"}}" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
        char *key = key_of(same[i].method, same[i].query, same[i].json);
        CHECK_STR("crm.deal.list?filter[>ID]=5&select[0]=ID&select[1]=TITLE&start=-1", key);
        free(key);
    }
    char *other = key_of("crm.deal.list", "filter[>id]=5", NULL);
    CHECK_STR("crm.deal.list?filter[>id]=5", other);
    free(other);
}

TEST(the_nearest_key_is_of_the_same_method)
{
    static const char *const keys[] = { "a.get?id=1", "a.list?filter[ID]=1", "a.list?start=0", "b.list?" };

    CHECK_STR("a.list?start=0", replay_key_near("a.list?start=-1", keys, 4));
    CHECK_STR("a.list?filter[ID]=1", replay_key_near("a.list?filter[X]=1", keys, 4));
    CHECK(replay_key_near("c.list?start=0", keys, 4) == NULL);
    CHECK(replay_key_near("a.lists?", keys, 4) == NULL);
}

/* ---- the clock ---- */

static void moved(const char *text, bool bare, bool of_result, int64_t by_ms, const char *want)
{
    struct buf out;

    buf_init(&out, 4096);
    replay_time_move(str_of(text), bare, of_result, by_ms, &out);
    CHECK_STR(want, buf_cstr(&out));
    buf_fini(&out);
}

TEST(times_move_and_keep_their_form)
{
    moved("{\"start\":1000.25,\"finish\":1000,\"duration\":0.5,\"date_start\":\"1970-01-01T03:16:40+03:00\"}",
        true, false, 1500,
        "{\"start\":1001.75,\"finish\":1001,\"duration\":0.5,\"date_start\":\"1970-01-01T03:16:41+03:00\"}");
    moved("{\"result\":[{\"start\":1}],\"time\":{\"start\":1000.123456,\"operating_reset_at\":2000}}", false,
        false, -1000,
        "{\"result\":[{\"start\":1}],\"time\":{\"start\":999.123456,\"operating_reset_at\":1999}}");
    moved("{\"result\":{\"result_time\":{\"p00\":{\"finish\":10.5,\"date_finish\":\"1970-01-01T00:00:10-05:"
          "00\"}}}}",
        false, false, 86400000,
        "{\"result\":{\"result_time\":{\"p00\":{\"finish\":86410.5,\"date_finish\":\"1970-01-02T00:00:10-05:"
        "00\"}}}}");
    moved("{\"result\":\"2026-05-14T23:59:59+02:00\"}", false, true, 1000,
        "{\"result\":\"2026-05-15T00:00:00+02:00\"}");
    moved("{\"time\":{\"start\":0,\"date_start\":\"no date\"}}", false, false, 1000,
        "{\"time\":{\"start\":0,\"date_start\":\"no date\"}}");
    moved("<html>", false, false, 1000, "<html>");
}

TEST(an_answer_tells_when_it_was_finished)
{
    CHECK_EQ(
        12500, replay_time_finish(STR("{\"result\":{\"finish\":7},\"time\":{\"start\":1,\"finish\":12.5}}")));
    CHECK_EQ(10000, replay_time_finish(STR("{\"time\":{\"date_finish\":\"1970-01-01T03:00:10+03:00\"}}")));
    CHECK_EQ(12500, replay_time_finish(STR("{\"finish\":12.5}")));
    CHECK_EQ(0, replay_time_finish(STR("{\"error\":\"\"}")));
}

/* ---- the book ---- */

#define PAGE \
    "[{\"ID\":\"2\",\"TITLE\":\"b\"},{\"ID\":3,\"TITLE\" : \"c\\u0041\"},{\"TITLE\":\"e\",\"ID\":\"5\"}]"

static void add(struct replay_book *b, const char *about, const char *body)
{
    json_t *j = json_loads(about, 0, NULL);
    struct err err = { 0 };

    CHECK(j != NULL);
    CHECK_OK(replay_book_add(b, j, xstrdup(body), strlen(body), &err), err);
    json_decref(j);
}

static void fill(struct replay_book *b)
{
    *b = (struct replay_book){ .exchanges = NULL };
    add(b, "{\"method\":\"profile\",\"params\":{},\"status\":200}",
        "{\"result\":{\"ID\":\"1\"},\"time\":{\"finish\":5.0}}");
    add(b, "{\"method\":\"crm.deal.get\",\"params\":{\"id\":\"2000000000\"},\"status\":400}",
        "{\"error\":\"\",\"error_description\":\"Gone.\"}");
    add(b, "{\"method\":\"profile\",\"params\":{},\"status\":401,\"secret\":\"wrong\"}",
        "{\"error\":\"NO\"}");
    add(b,
        "{\"method\":\"batch\",\"status\":200,\"records\":true,\"params\":{\"cmd\":{\"p00\":\"crm.deal.list?"
        "select[]=*&"
        "filter[>ID]=1&start=-1\",\"p01\":\"crm.deal.list?select[]=*&filter[>ID]=$result[p00][49][ID]\","
        "\"p49\":"
        "\"crm.deal.list?select[]=ID&order[ID]=DESC\"}}}",
        "{\"result\":{\"result\":{\"p00\":" PAGE ",\"p01\":" PAGE
        ",\"p49\":[{\"ID\":\"900\"}]},\"result_total\":{\"p00\":"
        "0},\"result_error\":[]}}");
    add(b,
        "{\"method\":\"batch\",\"status\":200,\"params\":{\"cmd\":{\"a\":\"crm.deal.list?start=0\",\"b\":\"x."
        "y\"}}}",
        "{\"result\":{\"result\":{\"a\":[7]},\"result_error\":{\"b\":{\"error\":\"E\"}},\"result_total\":{"
        "\"a\":900},"
        "\"result_next\":{\"a\":50}}}");
    replay_book_sort(b);
}

TEST(single_answers_and_commands_of_batches_are_pieces)
{
    struct replay_book b;

    fill(&b);
    const struct replay_piece *p = replay_book_piece(&b, "profile?");
    CHECK(p != NULL && !p->failed);
    CHECK_VIEW(p->text, "{\"ID\":\"1\"}");
    p = replay_book_piece(&b, "crm.deal.list?start=0");
    CHECK_VIEW(p->text, "[7]");
    CHECK_VIEW(p->total, "900");
    CHECK_VIEW(p->next, "50");
    p = replay_book_piece(&b, "x.y?");
    CHECK(p->failed);
    CHECK_VIEW(p->text, "{\"error\":\"E\"}");
    CHECK_VIEW(b.time, "{\"finish\":5.0}");
    CHECK(replay_book_piece(&b, "crm.deal.list?order[ID]=DESC&select[0]=ID") == NULL);
    CHECK_EQ(200, replay_book_exchange(&b, "profile?")->status);
    replay_book_free(&b);
}

static void list(const struct replay_book *b, const char *query, const char *want)
{
    json_t *params = json_object();
    struct replay_page page;
    struct buf out;

    params_add_query(params, str_of(query));
    buf_init(&out, 4096);
    if (replay_list(replay_book_shelf(b, STR("CRM.deal.list")), params, &out, &page))
        buf_fmt(&out, " %d/%llu/%lld", page.count, (unsigned long long)page.total, (long long)page.next);
    CHECK_STR(want, buf_cstr(&out));
    buf_fini(&out);
    json_decref(params);
}

TEST(lists_by_id_give_the_records_as_they_were_written)
{
    struct replay_book b;

    fill(&b);
    list(&b, "filter[>ID]=1&filter[<%3DID]=3&select[]=*&start=-1",
        "[{\"ID\":\"2\",\"TITLE\":\"b\"},{\"ID\":3,\"TITLE\" : \"c\\u0041\"}] 2/2/-1");
    list(&b, "order[ID]=desc&select[]=ID&start=1", "[{\"ID\":3},{\"ID\":\"2\"}] 2/3/-1");
    list(&b, "FILTER[@ID][]=5&FILTER[@ID][]=7&select[]=TITLE", "[{\"TITLE\":\"e\",\"ID\":\"5\"}] 1/1/-1");
    list(&b, "filter[ID]=2&select[]=ID", "[{\"ID\":\"2\"}] 1/1/-1");
    list(&b, "filter[!ID]=2&filter[>%3DID]=3&filter[<ID]=5&select[]=ID", "[{\"ID\":3}] 1/1/-1");
    list(&b, "filter[>ID]=$result[none][49][ID]&select[]=ID&start=-1",
        "[{\"ID\":\"2\"},{\"ID\":3},{\"ID\":\"5\"}] 3/3/-1");
    list(&b, "filter[>ID]=900", "[] 0/0/-1");
    list(&b, "filter[TITLE]=b", "");
    list(&b, "order[TITLE]=ASC", "");
    list(&b, "filter=x", "");
    list(&b, "unheard=1", "");
    replay_book_free(&b);
}

/* ---- the portal on a recording ---- */

static void save(const char *folder, const char *name, const char *text)
{
    char path[600];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    CHECK(f != NULL);
    CHECK(fputs(text, f) >= 0);
    fclose(f);
}

static void ask(struct portal *p, const char *path, const char *body, int status, const char *part)
{
    struct portal_answer answer;

    portal_answer(p,
        &(struct portal_request){ .method = "POST",
            .path = path,
            .body = str_of(body),
            .content_type = "application/json",
            .remote = "127.0.0.1",
            .query = STR("") },
        &answer);
    CHECK_EQ(status, answer.status);
    CHECK_HAS(buf_cstr(&answer.body), part);
    buf_fini(&answer.body);
}

TEST(a_recording_answers_in_the_portals_place)
{
    const char *folder = check_folder();
    struct portal *p = xmalloc(sizeof(*p));
    struct portal_options options = {
        .store = { .seed = 1 }, .tariff = "off", .operating_window_ms = 600000, .replay = folder
    };
    struct err err = { 0 };
    char path[128];

    CHECK_EQ(-1, portal_open(p, &options, &err));
    CHECK_HAS(err.text, "not finished");
    save(folder, "manifest.json", "{\"format\":2}");
    CHECK_EQ(-1, portal_open(p, &options, &err));
    CHECK_HAS(err.text, "format 2");
    save(folder, "manifest.json", "{\"format\":1}");
    save(folder, "001-profile.json",
        "{\"method\":\"profile\",\"params\":{},\"status\":200,\"headers\":{\"content-type\":\"text/"
        "x\",\"retry-after\":\"5\"}}");
    save(folder, "001-profile.body", "{\"result\":{\"ID\":\"1\"},\"time\":{\"finish\":5.0}}");
    save(folder, "002-wrong.json",
        "{\"method\":\"profile\",\"params\":{},\"status\":403,\"secret\":\"wrong\"}");
    save(folder, "002-wrong.body", "{\"error\":\"NO\"}");
    CHECK_OK(portal_open(p, &options, &err), err);
    snprintf(path, sizeof(path), "/rest/1/%s/profile.json", p->secret);
    ask(p, path, "{}", 200, "{\"result\":{\"ID\":\"1\"},\"time\":{\"finish\":1");
    ask(p, path, "{\"x\":\"1\"}", 501, "profile?x=1; nearest: profile?");
    ask(p, "/rest/1/another/profile", "{}", 403, "\"NO\"");
    ask(p, "/rest/profile", "{}", 401, "NO_AUTH_FOUND");
    snprintf(path, sizeof(path), "/rest/1/%s/batch", p->secret);
    ask(p, path, "{\"cmd\":[\"profile\",\"no\"]}", 200,
        "{\"result\":{\"result\":{\"0\":{\"ID\":\"1\"}},\"result_error\":{\"1\":{\"error\":\"REPLAY_NOT_"
        "RECORDED\"");
    portal_close(p);
    free(p);
}

TEST_MAIN(CASE(a_request_has_one_key_however_it_is_written), CASE(the_nearest_key_is_of_the_same_method),
    CASE(times_move_and_keep_their_form), CASE(an_answer_tells_when_it_was_finished),
    CASE(single_answers_and_commands_of_batches_are_pieces),
    CASE(lists_by_id_give_the_records_as_they_were_written), CASE(a_recording_answers_in_the_portals_place))
