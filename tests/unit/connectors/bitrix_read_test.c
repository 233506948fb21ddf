#include "connectors/bitrix.h"

#include "answers.h"

#include <inttypes.h>

#define TIME_ \
    "\"time\":{\"start\":1778747192,\"finish\":1778747193.53,\"duration\":1,\"operating_reset_at\":" \
    "1778747792," \
    "\"operating\":3.3}"

/* {"result":{"result":{...},...}} around pages; close with answer_end(). */
static void answer_begin(struct buf *b)
{
    buf_init(b, 16 << 20);
    buf_str(b, "{\"result\":{\"result\":{");
}

static void answer_page(struct buf *b, int number, uint64_t from, int count)
{
    buf_fmt(b, "%s\"p%02d\":", b->p[b->n - 1] == '{' ? "" : ",", number);
    add_page(b, from, count);
}

static void answer_end(struct buf *b)
{
    buf_str(b, "},\"result_error\":[],\"result_total\":[],\"result_next\":[],\"result_time\":[]}," TIME_ "}");
}

/* The range's greatest id, 0 = it is empty; the pages follow. */
static void answer_greatest(struct buf *b, uint64_t id)
{
    buf_str(b, "\"p49\":");
    if (id > 0)
        buf_fmt(b, "[{\"ID\":\"%llu\"}]", (unsigned long long)id);
    else
        buf_str(b, "[]");
}

#define NOT_TOLD UINT64_MAX

/* An answer of pages given as {first id, count}, ended by {0, -1}; the answer is the caller's. */
static int read_pages(const struct asked *asked, uint64_t greatest, const int64_t (*pages)[2],
    struct bitrix_answer *answer, struct err *err)
{
    struct buf b;

    answer_begin(&b);
    if (greatest != NOT_TOLD)
        answer_greatest(&b, greatest);
    for (int i = 0; pages[i][1] >= 0; i++)
        answer_page(&b, i, (uint64_t)pages[i][0], (int)pages[i][1]);
    answer_end(&b);
    int result = read_text(asked, buf_cstr(&b), answer, err);
    buf_fini(&b);
    return result;
}

/* ids_read() for ids that are numbers. */
static const char *ids_of_numbers(const struct bitrix_answer *a)
{
    static char text[256];
    size_t n = 0;
    struct wire w;

    wire_init(&w, a->records.p, a->records.n);
    while (!wire_done(&w) && wire_ok(&w)) {
        struct wire id = w;
        CHECK(wire_find(&id, "ID"));
        n += (size_t)snprintf(
            text + n, sizeof(text) - n, "%s%lld", n > 0 ? " " : "", (long long)wire_i64(&id));
        wire_skip(&w);
    }
    return text;
}

/* ---- ranges ---- */

struct range_case {
    const char *name;
    uint64_t first, last, pages, greatest;
    int64_t answer[6][2]; /* first id and count of each page */
    uint64_t count, covered_last, next_first;
};

TEST(a_range_ends_with_its_greatest_id_and_is_gone_on_with_where_a_list_is_shorter)
{
    static const struct range_case cases[] = {
        { "one short page", 1, RANGE_OPEN, 3, 20, { { 1, 20 }, { 1, 20 }, { 1, 20 }, { 0, -1 } }, 20,
            RANGE_OPEN, 0 },
        { "nothing at all", 1, 500, 2, 0, { { 0, 0 }, { 0, 0 }, { 0, -1 } }, 0, 500, 0 },
        { "two pages", 1, 500, 3, 57, { { 1, 50 }, { 51, 7 }, { 1, 50 }, { 0, -1 } }, 57, 500, 0 },
        { "garbage behind a short page", 1, 500, 3, 60, { { 1, 50 }, { 60, 1 }, { 9999, 50 }, { 0, -1 } }, 51,
            500, 0 },
        { "a record came meanwhile", 1, 500, 3, 19, { { 1, 20 }, { 0, -1 } }, 20, 500, 0 },
        { "the last one went meanwhile", 1, 500, 3, 21, { { 1, 20 }, { 0, -1 } }, 20, 20, 21 },
        { "a page too short", 1, 500, 3, 90, { { 1, 50 }, { 51, 30 }, { 1, 50 }, { 0, -1 } }, 80, 80, 81 },
        { "the first page too short", 1, RANGE_OPEN, 2, 90, { { 1, 1 }, { 1, 50 }, { 0, -1 } }, 1, 1, 2 },
        { "all full", 1, 500, 2, 300, { { 1, 50 }, { 101, 50 }, { 0, -1 } }, 100, 150, 151 },
        { "all full and no more", 1, 500, 2, 150, { { 1, 50 }, { 101, 50 }, { 0, -1 } }, 100, 500, 0 },
        { "all full, open", 7, RANGE_OPEN, 1, 60, { { 7, 50 }, { 0, -1 } }, 50, 56, 57 },
        { "all full up to the last id", 1, 100, 2, 100, { { 1, 50 }, { 51, 50 }, { 0, -1 } }, 100, 100, 0 },
        { "full, then empty though there is more", 1, RANGE_OPEN, 3, 70,
            { { 1, 50 }, { 0, 0 }, { 0, 0 }, { 0, -1 } }, 50, 50, 51 },
        { "full, then empty", 1, RANGE_OPEN, 3, 50, { { 1, 50 }, { 0, 0 }, { 0, 0 }, { 0, -1 } }, 50,
            RANGE_OPEN, 0 },
        { "the first page again", 1, RANGE_OPEN, 2, 70, { { 1, 50 }, { 1, 50 }, { 0, -1 } }, 50, 50, 51 },
        { "an earlier page", 1, 500, 2, 400, { { 101, 50 }, { 51, 50 }, { 0, -1 } }, 50, 150, 151 },
        { "one record again", 1, RANGE_OPEN, 3, 200, { { 1, 50 }, { 51, 50 }, { 100, 20 }, { 0, -1 } }, 100,
            100, 101 },
        { "the first page again, short", 1, RANGE_OPEN, 2, 70, { { 1, 50 }, { 1, 20 }, { 0, -1 } }, 50, 50,
            51 },
        { "full to the end, then again", 1, 50, 2, 50, { { 1, 50 }, { 1, 50 }, { 0, -1 } }, 50, 50, 0 },
        { "full to the end, then empty", 1, 50, 2, 50, { { 1, 50 }, { 0, 0 }, { 0, -1 } }, 50, 50, 0 },
        { "a page that is not answered", 1, 500, 3, 90, { { 1, 50 }, { 0, -1 } }, 50, 50, 51 },
        { "no room to ask for the end", 1, 500, 50, NOT_TOLD, { { 1, 50 }, { 51, 7 }, { 0, -1 } }, 57, 57,
            58 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct range_case *c = &cases[i];
        struct asked a = asked_range(c->first, c->last, c->pages);
        struct bitrix_answer answer;
        struct err err;

        if (read_pages(&a, c->greatest, c->answer, &answer, &err) < 0 ||
            answer.covered_last != c->covered_last)
            print_error("%s: %s, covered to %" PRIu64 "\n", c->name, err.text, answer.covered_last);
        CHECK_EQ(err.kind, ERR_NONE);
        CHECK_EQ(answer.count, c->count);
        CHECK_EQ(answer.covered_last, c->covered_last);
        CHECK_EQ(answer.next_first, c->next_first);
        bitrix_answer_fini(&answer);
        asked_free(&a);
    }
}

TEST(pages_that_cannot_be_true_are_refused)
{
    static const struct range_case cases[] = {
        { "an id below the range", 100, 500, 1, 300, { { 99, 3 }, { 0, -1 } }, 0, 0, 0 },
        { "an id above the range", 100, 500, 1, 500, { { 499, 3 }, { 0, -1 } }, 0, 0, 0 },
        { "51 records", 1, RANGE_OPEN, 1, 51, { { 1, 51 }, { 0, -1 } }, 0, 0, 0 },
        { "a first page that is not there", 1, RANGE_OPEN, 2, 51, { { 0, -1 } }, 0, 0, 0 },
        { "the end is not told", 1, RANGE_OPEN, 2, NOT_TOLD, { { 1, 50 }, { 51, 1 }, { 0, -1 } }, 0, 0, 0 },
        { "an end above the range", 1, 500, 2, 501, { { 1, 50 }, { 51, 1 }, { 0, -1 } }, 0, 0, 0 },
        { "an end below the range", 100, 500, 2, 99, { { 101, 1 }, { 0, -1 } }, 0, 0, 0 },
        { "nothing, though there is more", 1, 500, 2, 90, { { 0, 0 }, { 0, 0 }, { 0, -1 } }, 0, 0, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct range_case *c = &cases[i];
        struct asked a = asked_range(c->first, c->last, c->pages);
        struct bitrix_answer answer;
        struct err err;

        CHECK_EQ(read_pages(&a, c->greatest, c->answer, &answer, &err), -1);
        CHECK_EQ(err.kind, ERR_TEMP);
        CHECK_HAS(err.text, "portal answered nonsense: ");
        CHECK(answer.nonsense);
        bitrix_answer_fini(&answer);
        asked_free(&a);
    }
}

#define PAGE(list) \
    "{\"result\":{\"result\":{\"p49\":[{\"ID\":500}],\"p00\":" list "},\"result_error\":[]}," TIME_ "}"

TEST(answers_that_are_no_records_are_refused)
{
    static const char *const cases[] = {
        PAGE("[[]]"),
        PAGE("[1]"),
        PAGE("[null]"),
        PAGE("{\"a\":{\"ID\":\"1\"}}"),
        PAGE("{\"0\":{\"ID\":\"1\"},\"x\":{\"ID\":\"2\"}}"),
        PAGE("{\"1\":{\"ID\":\"2\"},\"2\":{\"ID\":\"1\"}}"),
        PAGE("[{\"ID\":\"42 \"}]"),
        PAGE("[{\"ID\":[42]}]"),
        PAGE("[{\"ID\":true}]"),
        PAGE("[{\"ID\":1e400}]"),
        PAGE("[{\"ID\":99999999999999999999}]"),
        "{\"result\":{\"result\":{\"p49\":[],\"p00\":[],\"p00\":[{\"ID\":1}]}}}",
        "{\"result\":{\"result\":{\"p49\":[],\"p00\":[]}},\"result\":{\"result\":{\"p01\":[]}}}",
        "{\"result\":{\"result\":{\"p49\":[{}],\"p00\":[{\"ID\":1}]}}}",
        "{\"result\":{\"result\":{\"p49\":{\"a\":1},\"p00\":[{\"ID\":1}]}}}",
        PAGE("\"x\""),
        PAGE("[{\"TITLE\":\"no id\"}]"),
        PAGE("[{\"ID\":\"\"}]"),
        PAGE("[{\"ID\":\"0\"}]"),
        PAGE("[{\"ID\":-1}]"),
        PAGE("[{\"ID\":\"1x\"}]"),
        PAGE("[{\"ID\":null}]"),
        PAGE("[{\"ID\":1,\"ID\":2}]"),
        PAGE("[{\"ID\":1.5}]"),
        PAGE("[{\"ID\":2},{\"ID\":1}]"),
        PAGE("[{\"ID\":1},{\"ID\":1}]"),
        PAGE("[{\"ID\":1,\"\":2}]"),
        PAGE("[{\"ID\":1,\"A B\":2}]"),
        PAGE("[{\"ID\":\"4611686018427387904\"}]"),
        "{\"result\":{\"result\":[[]],\"result_error\":[]}}",
        "{\"result\":{\"result\":[],\"result_error\":[{\"error\":\"\"}]}}",
        "{\"result\":{\"result\":{\"p00\":[],\"p77\":[]},\"result_error\":[]}}",
        "{\"result\":{\"result\":[],\"result_error\":[]}}",
        "{\"result\":{\"result_error\":[]}}",
        "{\"result\":[]}",
        "{\"result\":true}",
        "{}",
        "[]",
        "1",
        "null",
        "\"result\"",
    };
    struct asked a = asked_range(1, 500, 1);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bitrix_answer answer;
        struct err err;

        if (read_text(&a, cases[i], &answer, &err) == 0)
            fail_msg("taken: %s", cases[i]);
        CHECK_EQ(err.kind, ERR_TEMP);
        CHECK_HAS(err.text, "nonsense");
        bitrix_answer_fini(&answer);
    }
    asked_free(&a);
}

TEST(ids_come_as_numbers_or_as_strings)
{
    struct asked a = asked_range(1, 500, 1);
    struct bitrix_answer answer;
    struct err err;

    CHECK_OK(read_text(&a, PAGE("[{\"ID\":1},{\"TITLE\":null,\"ID\":\"2\"}]"), &answer, &err), err);
    CHECK_EQ(answer.count, 2);
    bitrix_answer_fini(&answer);
    asked_free(&a);
}

TEST(a_record_is_passed_on_as_it_came)
{
    struct asked a = asked_range(1, 500, 1);
    struct bitrix_answer answer;
    struct err err;
    struct buf json;
    struct wire w;

    CHECK_OK(read_text(&a,
                 PAGE("[{\"ID\":\"1\",\"TITLE\":\"\\u0027\\u003Cb\\u003E \\/ \xf0\x9f\x98\x80\","
                      "\"UF_CRM_LIST\":[1,2.50,{}],\"UF_CRM_ONE\":12345678901234567890,\"PHONE\":false}]"),
                 &answer, &err),
        err);
    buf_init(&json, 4096);
    wire_init(&w, answer.records.p, answer.records.n);
    wire_json(&w, &json);
    CHECK(wire_done(&w));
    CHECK_STR(buf_cstr(&json),
        "{\"ID\":\"1\",\"TITLE\":\"'<b> / \xf0\x9f\x98\x80\",\"UF_CRM_LIST\":[1,2.50,{}],"
        "\"UF_CRM_ONE\":12345678901234567890,\"PHONE\":false}");
    CHECK_EQ(answer.fetched_ms, 1778747193530);
    buf_fini(&json);
    bitrix_answer_fini(&answer);
    asked_free(&a);
}

TEST(bad_bytes_are_mended_and_counted)
{
    struct asked a = asked_range(1, 500, 1);
    struct bitrix_answer answer;
    struct err err;

    CHECK_OK(read_text(&a,
                 PAGE("[{\"ID\":\"1\",\"TITLE\":\"a\xff"
                      "b\"}]"),
                 &answer, &err),
        err);
    CHECK_EQ(answer.count, 1);
    CHECK_EQ(answer.repaired, 1);
    bitrix_answer_fini(&answer);
    asked_free(&a);
}

TEST(fields_that_are_not_described_are_told_and_nothing_is_sent_on)
{
    struct asked a = asked_range(1, 500, 1);
    struct bitrix_answer answer;
    struct err err;

    CHECK_EQ(read_text(&a, PAGE("[{\"ID\":1,\"NEW_B\":1},{\"ID\":2,\"NEW_A\":1,\"NEW_B\":2,\"TITLE\":\"\"}]"),
                 &answer, &err),
        -1);
    CHECK_EQ(err.kind, ERR_TEMP);
    CHECK_HAS(err.text, "NEW_B NEW_A");
    CHECK_STR(buf_cstr(&answer.unknown), "NEW_B NEW_A");
    CHECK(!answer.nonsense);
    bitrix_answer_fini(&answer);
    asked_free(&a);
}

/* An answer with so many fields that are not described, with names of so many bytes. */
static int read_unknown(int fields, int width, struct bitrix_answer *answer, struct err *err)
{
    struct asked a = asked_range(1, 500, 1);
    struct buf b;

    buf_init(&b, 1 << 20);
    buf_str(&b, "{\"result\":{\"result\":{\"p49\":[],\"p00\":[{\"ID\":1");
    for (int i = 0; i < fields; i++)
        buf_fmt(&b, ",\"UF_CRM_%0*d\":1", width - 7, i);
    buf_str(&b, "}]}}}");
    int result = read_text(&a, buf_cstr(&b), answer, err);
    buf_fini(&b);
    asked_free(&a);
    return result;
}

TEST(more_unknown_fields_than_a_report_takes_are_cut_between_names)
{
    struct bitrix_answer answer;
    struct err err;

    CHECK_EQ(read_unknown(64, 100, &answer, &err), -1);
    CHECK_EQ(err.kind, ERR_TEMP);
    CHECK(answer.unknown.n > 3850 && answer.unknown.n <= 4000 && !answer.unknown.failed);
    CHECK_EQ((answer.unknown.n + 1) % 101, 0);
    bitrix_answer_fini(&answer);
}

TEST(a_record_with_fields_without_end_is_at_fault_itself)
{
    struct bitrix_answer answer;
    struct err err;

    CHECK_EQ(read_unknown(65, 20, &answer, &err), -1);
    CHECK_EQ(err.kind, ERR_PERM);
    CHECK_HAS(err.text, "more than 64 fields that are not described");
    CHECK_EQ(answer.unknown.n, 0);
    bitrix_answer_fini(&answer);
}

#define CHAIN(tail) "{\"result\":{\"result\":{\"p49\":[{\"ID\":1}],\"p00\":[{\"ID\":1}]}," tail "}}"

TEST(what_comes_after_the_end_of_a_chain_means_nothing)
{
    struct asked a = asked_range(1, 500, 3);
    struct bitrix_answer answer;
    struct err err;

    CHECK_OK(read_text(&a,
                 CHAIN("\"result_error\":{\"p01\":{\"error\":\"ERROR_CORE\",\"error_description\":\"x\"}}"),
                 &answer, &err),
        err);
    CHECK_EQ(answer.count, 1);
    CHECK_EQ(answer.covered_last, 500);
    bitrix_answer_fini(&answer);
    asked_free(&a);
}

/* `pages` full pages, then an error; 100 is the greatest id. */
static int read_broken_chain(int pages, const char *error, struct bitrix_answer *answer, struct err *err)
{
    struct asked a = asked_range(1, 500, 3);
    struct buf b;

    answer_begin(&b);
    answer_greatest(&b, 100);
    for (int i = 0; i < pages; i++)
        answer_page(&b, i, 1 + 50 * (uint64_t)i, 50);
    buf_fmt(&b,
        "},\"result_error\":{\"p%02d\":%s},\"result_time\":{\"p00\":{\"finish\":1778747193,\"operating\":"
        "481.25,\"operating_reset_at\":1778747200}}}," TIME_ "}",
        pages, error);
    int result = read_text(&a, buf_cstr(&b), answer, err);
    buf_fini(&b);
    asked_free(&a);
    return result;
}

TEST(an_error_inside_a_chain_leaves_what_was_read_before_it)
{
    static const char *const error = "{\"error\":\"INTERNAL_SERVER_ERROR\",\"error_description\":\"oops\"}";
    struct bitrix_answer answer;
    struct err err;

    CHECK_EQ(read_broken_chain(0, error, &answer, &err), -1);
    CHECK_EQ(err.kind, ERR_TEMP);
    CHECK_STR(err.text, "crm.deal.list INTERNAL_SERVER_ERROR: oops");
    CHECK(!answer.nonsense);
    bitrix_answer_fini(&answer);

    CHECK_OK(read_broken_chain(1, error, &answer, &err), err);
    CHECK_EQ(answer.count, 50);
    CHECK_EQ(answer.covered_last, 50);
    CHECK_EQ(answer.next_first, 51);
    CHECK_EQ(answer.partial.kind, ERR_TEMP);
    CHECK_STR(answer.partial.text, "crm.deal.list INTERNAL_SERVER_ERROR: oops");
    bitrix_answer_fini(&answer);

    CHECK_OK(read_broken_chain(2, error, &answer, &err), err); /* behind the end */
    CHECK_EQ(answer.covered_last, 500);
    CHECK_EQ(answer.partial.kind, ERR_NONE);
    bitrix_answer_fini(&answer);
}

TEST(a_blocked_method_waits_until_the_portal_says)
{
    static const char *const error = "{\"error\":\"OPERATION_TIME_LIMIT\",\"error_description\":\"\"}";

    for (int pages = 0; pages < 2; pages++) {
        struct bitrix_answer answer;
        struct err err;

        CHECK_EQ(read_broken_chain(pages, error, &answer, &err), pages - 1);
        const struct err *why = pages == 0 ? &err : &answer.partial;
        CHECK_EQ(why->kind, ERR_WAIT);
        CHECK_STR(answer.blocked, "crm.deal.list");
        CHECK_EQ(answer.retry_ms, 1778747200000 - 1778747193530);
        CHECK_EQ(why->retry_ms, answer.retry_ms);
        CHECK_EQ(answer.operating_count, 2);
        CHECK_STR(answer.operating[0].method, "crm.deal.list");
        CHECK_EQ(answer.operating[0].used_ms, 481250);
        CHECK_EQ(answer.operating[0].reset_s, 1778747200);
        CHECK_STR(answer.operating[1].method, "batch");
        CHECK_EQ(answer.operating[1].used_ms, 3300);
        bitrix_answer_fini(&answer);
    }
}

/* From there on the next look at what changed begins: better too early than too late. */
TEST(a_reading_began_with_its_first_command)
{
    static const struct {
        const char *first, *second, *all;
        int64_t started_ms;
    } cases[] = {
        { "{\"start\":1778747192.25}", "{\"start\":1778747195}", "{\"start\":1778747192}", 1778747192000 },
        { "{\"start\":1778747192.25}", "{\"start\":1778747191}", "{\"start\":1778747192.5}", 1778747191000 },
        { "{\"date_start\":\"2026-05-14T10:26:32+02:00\"}", "[]", "[]", 1778747192000 },
        { "[]", "[]", "{\"start\":\"1778747192\"}", 1778747192000 },
        { "{\"start\":-1}", "{\"start\":1e300}", "{\"start\":\"soon\",\"date_start\":\"2026\"}", 0 },
    };
    struct asked a = asked_changed(1, RANGE_OPEN, 1);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bitrix_answer answer;
        struct err err;
        struct buf b;

        buf_init(&b, 4096);
        buf_fmt(&b,
            "{\"result\":{\"result\":{\"p49\":[{\"ID\":\"7\"}],\"p00\":[{\"ID\":\"7\"}]},"
            "\"result_time\":{\"p49\":%s,\"p00\":%s}},\"time\":%s}",
            cases[i].first, cases[i].second, cases[i].all);
        CHECK_OK(read_text(&a, buf_cstr(&b), &answer, &err), err);
        CHECK_EQ(answer.started_ms, cases[i].started_ms);
        CHECK_EQ(answer.covered_last, RANGE_OPEN);
        CHECK_STR(ids_read(&answer), "7");
        buf_fini(&b);
        bitrix_answer_fini(&answer);
    }
    asked_free(&a);
}

TEST(nothing_changed_is_an_answer_and_more_than_a_call_holds_goes_on)
{
    static const int64_t none[][2] = { { 0, 0 }, { 0, -1 } }, full[][2] = { { 1, 50 }, { 0, -1 } };
    struct asked a = asked_changed(1, RANGE_OPEN, 1);
    struct bitrix_answer answer;
    struct err err;

    CHECK_OK(read_pages(&a, 0, none, &answer, &err), err);
    CHECK_EQ(answer.count, 0);
    CHECK_EQ(answer.next_first, 0);
    CHECK_EQ(answer.covered_last, RANGE_OPEN);
    bitrix_answer_fini(&answer);
    CHECK_OK(read_pages(&a, 900, full, &answer, &err), err);
    CHECK_EQ(answer.covered_last, 50);
    CHECK_EQ(answer.next_first, 51);
    bitrix_answer_fini(&answer);
    asked_free(&a);
}

/* The portal's clock, or its figures, are not of this world: every pause stays within the window. */
TEST(times_out_of_this_world_are_bounded_or_not_told)
{
    static const struct {
        const char *time;
        int64_t fetched_ms;
        uint64_t retry_ms;
        int operating;
    } cases[] = {
        { "{\"finish\":1000,\"operating\":1,\"operating_reset_at\":999}", 1000000, 1000, 1 },
        { "{\"finish\":1000,\"operating\":1,\"operating_reset_at\":99999999999}", 1000000, 600000, 1 },
        { "{\"finish\":1000,\"operating\":\"3.5\",\"operating_reset_at\":1010}", 1000000, 10000, 1 },
        { "{\"finish\":1e300,\"operating\":1e300,\"operating_reset_at\":1e300}", 0, 60000, 0 },
        { "{\"finish\":-5,\"operating\":-5,\"operating_reset_at\":-5}", 0, 60000, 0 },
        { "{\"finish\":\"nan\",\"operating\":\"inf\",\"operating_reset_at\":\"soon\"}", 0, 60000, 0 },
        { "{\"finish\":[],\"operating\":[],\"operating_reset_at\":{}}", 0, 60000, 0 },
        { "{\"finish\":null,\"operating\":null,\"operating_reset_at\":null}", 0, 60000, 0 },
        { "{\"finish\":99999999999999999999,\"operating\":86401}", 0, 60000, 0 },
        { "[]", 0, 60000, 0 },
        { "\"now\"", 0, 60000, 0 },
        { "17", 0, 60000, 0 },
    };
    uint64_t ids[] = { 3 };
    struct asked a = asked_ids("get", ids, 1);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bitrix_answer answer;
        struct err err;
        struct buf b;

        buf_init(&b, 4096);
        buf_fmt(&b,
            "{\"result\":{\"result\":[],\"result_error\":{\"p00\":{\"error\":\"OPERATION_TIME_LIMIT\"}},"
            "\"result_time\":{\"p00\":%s}},\"time\":%s}",
            cases[i].time, cases[i].time);
        CHECK_EQ(read_text(&a, buf_cstr(&b), &answer, &err), -1);
        if (answer.retry_ms != cases[i].retry_ms || answer.fetched_ms != cases[i].fetched_ms)
            print_error("%s\n", cases[i].time);
        CHECK_EQ(err.kind, ERR_WAIT);
        CHECK_EQ(answer.retry_ms, cases[i].retry_ms);
        CHECK_EQ(answer.fetched_ms, cases[i].fetched_ms);
        CHECK_EQ(answer.operating_count > 0, cases[i].operating);
        buf_fini(&b);
        bitrix_answer_fini(&answer);
    }
    asked_free(&a);
}

TEST(a_blocked_method_without_a_time_waits_a_minute)
{
    struct asked a = asked_range(1, 500, 1);
    struct bitrix_answer answer;
    struct err err;

    CHECK_EQ(
        read_text(&a,
            "{\"result\":{\"result\":[],\"result_error\":{\"p49\":{\"error\":\"OPERATION_TIME_LIMIT\"}}}}",
            &answer, &err),
        -1);
    CHECK_EQ(err.kind, ERR_WAIT);
    CHECK_EQ(answer.retry_ms, 60000);
    CHECK_STR(answer.blocked, "crm.deal.list");
    CHECK_EQ(answer.operating_count, 0);
    CHECK_EQ(answer.fetched_ms, 0);
    bitrix_answer_fini(&answer);
    asked_free(&a);
}

/* ---- ids ---- */

TEST(ids_left_out_of_a_list_are_unlisted)
{
    uint64_t ids[] = { 3, 5, 8, 9 };
    struct asked a = asked_ids("ids", ids, 4);
    struct bitrix_answer answer;
    struct err err;

    CHECK_OK(read_text(&a, PAGE("[{\"ID\":\"5\"},{\"ID\":\"8\"}]"), &answer, &err), err);
    CHECK_STR(ids_read(&answer), "5 8");
    CHECK_EQ(answer.unlisted.n, 2);
    CHECK_EQ(answer.unlisted.p[0], 3);
    CHECK_EQ(answer.unlisted.p[1], 9);
    CHECK_EQ(answer.absent.n, 0);
    bitrix_answer_fini(&answer);
    asked_free(&a);
}

TEST(lists_of_ids_are_read_command_by_command)
{
    uint64_t ids[120];
    for (int i = 0; i < 120; i++)
        ids[i] = 1 + (uint64_t)i;
    struct asked a = asked_ids("ids", ids, 120);
    struct bitrix_answer answer;
    struct err err;

    CHECK_OK(read_pages(&a, NOT_TOLD, (const int64_t[][2]){ { 1, 50 }, { 0, 0 }, { 101, 19 }, { 0, -1 } },
                 &answer, &err),
        err);
    CHECK_EQ(answer.count, 69);
    CHECK_EQ(answer.unlisted.n, 51);
    CHECK_EQ(answer.unlisted.p[0], 51);
    CHECK_EQ(answer.unlisted.p[50], 120);
    bitrix_answer_fini(&answer);
    asked_free(&a);
}

TEST(an_id_that_was_not_asked_for_is_refused)
{
    uint64_t ids[] = { 3, 5 };
    struct asked a = asked_ids("ids", ids, 2);
    static const char *const cases[] = { PAGE("[{\"ID\":\"4\"}]"), PAGE("[{\"ID\":\"3\"},{\"ID\":\"6\"}]"),
        PAGE("[{\"ID\":\"5\"},{\"ID\":\"3\"}]"), PAGE("[{\"ID\":\"2\"}]"),
        PAGE("[{\"ID\":\"3\"},{\"ID\":\"3\"}]") };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bitrix_answer answer;
        struct err err;
        CHECK_EQ(read_text(&a, cases[i], &answer, &err), -1);
        CHECK_EQ(err.kind, ERR_TEMP);
        CHECK(answer.nonsense);
        bitrix_answer_fini(&answer);
    }
    asked_free(&a);
}

/* ---- get ---- */

#define GET(results, errors) "{\"result\":{\"result\":" results ",\"result_error\":" errors "}," TIME_ "}"
#define NOT_FOUND_           "{\"error\":\"\",\"error_description\":\"Not found\"}"
#define DENIED_              "{\"error\":\"\",\"error_description\":\"Access denied.\"}"

TEST(a_get_knows_there_from_gone_from_forbidden)
{
    uint64_t ids[] = { 3, 5, 8 };
    struct asked a = asked_ids("get", ids, 3);
    struct bitrix_answer answer;
    struct err err;

    CHECK_OK(
        read_text(&a,
            GET("{\"p00\":{\"ID\":\"3\",\"TITLE\":\"x\"}}", "{\"p01\":" NOT_FOUND_ ",\"p02\":" DENIED_ "}"),
            &answer, &err),
        err);
    CHECK_STR(ids_read(&answer), "3");
    CHECK_EQ(answer.absent.n, 1);
    CHECK_EQ(answer.absent.p[0], 5);
    CHECK_EQ(answer.denied.n, 1);
    CHECK_EQ(answer.denied.p[0], 8);
    CHECK_EQ(answer.unlisted.n, 0);
    bitrix_answer_fini(&answer);
    asked_free(&a);
}

#define REFUSED_(text) "{\"error\":\"\",\"error_description\":\"" text "\"}"

TEST(a_get_knows_them_in_the_portals_language)
{
    uint64_t ids[] = { 3, 5, 8, 9 };
    struct asked a = asked_ids("get", ids, 4);
    struct bitrix_answer answer;
    struct err err;

    CHECK_OK(
        read_text(&a,
            GET("[]",
                "{\"p00\":" REFUSED_("Не найдено") ",\"p01\":" REFUSED_(
                    "Доступ запрещён.") ",\"p02\":" REFUSED_("Сделка не найдена.") ",\"p03\":" REFUSED_("Etwa"
                                                                                                        "s "
                                                                                                        "ande"
                                                                                                        "res") "}"),
            &answer, &err),
        err);
    CHECK_EQ(answer.absent.n, 2);
    CHECK_EQ(answer.absent.p[0], 3);
    CHECK_EQ(answer.absent.p[1], 8);
    CHECK_EQ(answer.denied.n, 1);
    CHECK_EQ(answer.denied.p[0], 5);
    CHECK_EQ(answer.left.n, 1);
    CHECK_EQ(answer.left.p[0], 9);
    CHECK_HAS(answer.partial.text, "Etwas anderes");
    bitrix_answer_fini(&answer);
    asked_free(&a);
}

/* Rule 7 of the model: a list that is refused says nothing of the records. */
TEST(a_list_with_the_words_says_nothing_of_records)
{
    uint64_t ids[] = { 3, 5 };
    struct asked a = asked_ids("ids", ids, 2);
    struct bitrix_answer answer;
    struct err err;

    CHECK_EQ(read_text(&a, GET("[]", "{\"p00\":" REFUSED_("Элемент не найден") "}"), &answer, &err), -1);
    CHECK_EQ(err.kind, ERR_TEMP);
    CHECK_EQ(answer.absent.n + answer.unlisted.n, 0);
    bitrix_answer_fini(&answer);
    asked_free(&a);
}

TEST(a_get_drops_fields_that_are_not_described)
{
    uint64_t ids[] = { 3 };
    struct asked a = asked_ids("get", ids, 1);
    struct bitrix_answer answer;
    struct err err;
    struct buf json;
    struct wire w;

    CHECK_OK(
        read_text(&a,
            GET("{\"p00\":{\"FACE_ID\":null,\"ID\":3,\"A B\":{\"c\":[1]},\"TITLE\":\"x\",\"\":1}}", "[]"),
            &answer, &err),
        err);
    buf_init(&json, 4096);
    wire_init(&w, answer.records.p, answer.records.n);
    wire_json(&w, &json);
    CHECK(wire_done(&w));
    CHECK_STR(buf_cstr(&json), "{\"ID\":3,\"TITLE\":\"x\"}");
    CHECK_EQ(answer.unknown.n, 0);
    buf_fini(&json);
    bitrix_answer_fini(&answer);
    asked_free(&a);
}

TEST(a_get_that_fails_or_lies_fails_the_job)
{
    static const struct {
        const char *text;
        enum err_kind kind;
    } cases[] = {
        { GET("[]", "{\"p00\":{\"error\":\"INTERNAL_SERVER_ERROR\"},\"p01\":{\"error\":\"INTERNAL_SERVER_"
                    "ERROR\"}}"),
            ERR_TEMP },
        { GET("[]", "[]"), ERR_TEMP },
        { GET("[]",
              "{\"p00\":{\"error\":\"insufficient_scope\"},\"p01\":{\"error\":\"insufficient_scope\"}}"),
            ERR_AUTH },
        { GET("{\"p00\":{\"ID\":\"3\"},\"p01\":[]}", "[]"), ERR_TEMP },
        { GET("{\"p00\":{\"ID\":\"4\"},\"p01\":{\"ID\":\"5\"}}", "[]"), ERR_TEMP },
    };
    uint64_t ids[] = { 3, 5 };
    struct asked a = asked_ids("get", ids, 2);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bitrix_answer answer;
        struct err err;
        CHECK_EQ(read_text(&a, cases[i].text, &answer, &err), -1);
        CHECK_EQ(err.kind, cases[i].kind);
        bitrix_answer_fini(&answer);
    }
    asked_free(&a);
}

TEST(what_was_answered_in_part_is_read_in_part)
{
    static const struct {
        const char *errors;
        enum err_kind why;
    } cases[] = {
        { "{\"p01\":{\"error\":\"INTERNAL_SERVER_ERROR\"}}", ERR_TEMP },
        { "[]", ERR_TEMP },
        { "{\"p01\":[]}", ERR_TEMP },
        { "{\"p01\":{\"error\":\"\",\"error_description\":\"Method not found!\"}}", ERR_CONF },
        { "{\"p01\":{\"error\":\"OPERATION_TIME_LIMIT\"}}", ERR_WAIT },
    };
    uint64_t ids[] = { 3, 5, 8 };
    struct asked a = asked_ids("get", ids, 3);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bitrix_answer answer;
        struct err err;
        struct buf b;

        buf_init(&b, 4096);
        buf_fmt(&b, "{\"result\":{\"result\":{\"p00\":{\"ID\":3},\"p02\":{\"ID\":8}},\"result_error\":%s}}",
            cases[i].errors);
        CHECK_OK(read_text(&a, buf_cstr(&b), &answer, &err), err);
        CHECK_STR(ids_of_numbers(&answer), "3 8");
        CHECK_EQ(answer.left.n, 1);
        CHECK_EQ(answer.left.p[0], 5);
        CHECK_EQ(answer.partial.kind, cases[i].why);
        CHECK_EQ(answer.retry_ms > 0, cases[i].why == ERR_WAIT);
        CHECK(!answer.nonsense);
        buf_fini(&b);
        bitrix_answer_fini(&answer);
    }
    asked_free(&a);
}

TEST(a_list_of_ids_that_failed_leaves_its_ids)
{
    uint64_t ids[120];
    for (int i = 0; i < 120; i++)
        ids[i] = 1 + (uint64_t)i;
    struct asked a = asked_ids("ids", ids, 120);
    struct bitrix_answer answer;
    struct err err;
    struct buf b;

    answer_begin(&b);
    answer_page(&b, 0, 1, 50);
    buf_str(&b, ",\"p02\":{\"7\":{\"ID\":\"120\"}}"); /* PHP's list with a hole */
    buf_str(&b, "},\"result_error\":{\"p01\":{\"error\":\"INTERNAL_SERVER_ERROR\"}}}}");
    CHECK_OK(read_text(&a, buf_cstr(&b), &answer, &err), err);
    CHECK_EQ(answer.count, 51);
    CHECK_EQ(answer.unlisted.n, 19);
    CHECK_EQ(answer.left.n, 50);
    CHECK_EQ(answer.left.p[0], 51);
    CHECK_EQ(answer.left.p[49], 100);
    CHECK_EQ(answer.partial.kind, ERR_TEMP);
    buf_fini(&b);
    bitrix_answer_fini(&answer);
    asked_free(&a);
}

/* ---- hostile answers ---- */

TEST(pages_of_html_and_cut_texts_are_temporary_and_named)
{
    static const struct {
        int status;
        const char *type, *text, *says;
    } cases[] = {
        { 200, "text/html; charset=utf-8", "<html><body>Log in</body></html>",
            "a web page (text/html; charset=utf-8)" },
        { 200, "", " \r\n\t<!doctype html>", "a web page (type not told) in place of JSON" },
        { 200, "application/json", "", "an empty body" },
        { 502, "text/html", "<html>", "HTTP 502" },
        { 504, "text/html", "<html>", "HTTP 504" },
        { 200, "application/json", "{\"result\":{\"result\":{\"p00\":[{\"ID\":\"1\",\"TIT", "HTTP 200" },
        { 200, "application/json", "{\"result\":{\"result\":{\"p00\":[]}}} trailing", "HTTP 200" },
        { 200, "application/json", "{\"result\":{\"result\":{\"p00\":[}}}", "HTTP 200" },
        { 200, "application/json", "\xff\xfe", "HTTP 200" },
        { 500, "application/json", "{\"error\":\"INTERNAL_SERVER_ERROR\"", "HTTP 500" },
    };
    struct asked a = asked_range(1, 500, 1);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bitrix_answer answer;
        struct err err;
        CHECK_EQ(
            read_status(&a, cases[i].status, cases[i].type, "", str_of(cases[i].text), &answer, &err), -1);
        CHECK_EQ(err.kind, ERR_TEMP);
        CHECK_EQ(err.code, cases[i].status);
        CHECK_HAS(err.text, cases[i].says);
        bitrix_answer_fini(&answer);
    }
    asked_free(&a);
}

TEST(a_renamed_portal_is_told_by_its_new_host_alone)
{
    static const struct {
        const char *location, *says;
    } cases[] = {
        { "https://new.bitrix24.ru/rest/1/abcdef/batch.json",
            "the portal was renamed to new.bitrix24.ru: set the URL" },
        { "https://new.bitrix24.ru:8443?x", "renamed to new.bitrix24.ru:8443:" },
        { "https://user:abcdef@new.bitrix24.ru/", "another address" },
        { "//new.bitrix24.ru/rest/1/abcdef/batch.json", "another address" },
        { "https:///rest/1/abcdef", "another address" },
        { "", "another address" },
    };
    struct asked a = asked_range(1, 500, 1);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bitrix_answer answer;
        struct err err;
        CHECK_EQ(read_status(&a, 302, "text/html", cases[i].location, STR(""), &answer, &err), -1);
        CHECK_EQ(err.kind, ERR_CONF);
        CHECK_HAS(err.text, cases[i].says);
        CHECK(strstr(err.text, "abcdef") == NULL);
        bitrix_answer_fini(&answer);
    }
    asked_free(&a);
}

TEST(a_redirect_within_the_portal_passes)
{
    struct asked a = asked_range(1, 500, 1);
    struct bitrix_answer answer;
    struct err err;

    CHECK_EQ(read_status(&a, 302, "text/html", "/rest/1/abcdef/batch.json", STR(""), &answer, &err), -1);
    CHECK_EQ(err.kind, ERR_TEMP);
    CHECK_STR(err.text, "HTTP 302: the portal sends its callers to another page of its own");
    bitrix_answer_fini(&answer);
    asked_free(&a);
}

TEST(errors_tell_a_person_what_to_do)
{
    static const struct {
        int status;
        const char *text;
        enum err_kind kind;
        const char *says;
    } cases[] = {
        { 401, "{\"error\":\"INVALID_CREDENTIALS\",\"error_description\":\"Invalid request credentials\"}",
            ERR_AUTH,
            "HTTP 401 INVALID_CREDENTIALS: Invalid request credentials: the webhook's secret or user id is "
            "wrong or was "
            "revoked: make a new inbound webhook" },
        { 404, "{\"error\":\"ERROR_METHOD_NOT_FOUND\",\"error_description\":\"Method not found!\"}", ERR_CONF,
            "is the user id left out?" },
        { 401, "{\"error\":\"insufficient_scope\",\"error_description\":\"\"}", ERR_AUTH,
            "lacks the scope crm" },
        { 403,
            "{\"error\":\"ACCESS_DENIED\",\"error_description\":\"REST API is available only on commercial "
            "plans\"}",
            ERR_AUTH, "plan must allow the REST API" },
        { 503, "{\"error\":\"QUERY_LIMIT_EXCEEDED\",\"error_description\":\"Too many requests\"}", ERR_WAIT,
            "HTTP 503" },
        { 503, "{\"error\":\"OVERLOAD_LIMIT\"}", ERR_AUTH, "ask its support" },
        { 200, "{\"error\":\"wrong_client\"}", ERR_AUTH, "wrong_client" },
        { 200, "{\"error\":0,\"error_description\":\"text\\u003Cbr\\u003E\"}", ERR_TEMP,
            "HTTP 200: text<br>" },
        { 400, "{\"error\":200040300010,\"error_description\":\"x\"}", ERR_PERM, "HTTP 400 200040300010: x" },
        { 400, "{\"error\":{\"code\":\"BITRIX_REST_V3\",\"message\":\"m\"}}", ERR_PERM,
            "HTTP 400 BITRIX_REST_V3: m" },
        { 400, "{\"error\":\"X\",\"error_description\":\"see https:\\/\\/p\\/rest\\/1\\/s3cr3t\\/\"}",
            ERR_PERM, "see https://p/rest/" },
        { 500, "{\"status\":\"down\"}", ERR_TEMP, "HTTP 500" },
        { 429, "{\"error\":\"OPERATION_TIME_LIMIT\",\"error_description\":\"Method is blocked\"}", ERR_WAIT,
            "Method is" },
    };
    struct asked a = asked_range(1, 500, 1);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bitrix_answer answer;
        struct err err;
        CHECK_EQ(
            read_status(&a, cases[i].status, "application/json", "", str_of(cases[i].text), &answer, &err),
            -1);
        CHECK_EQ(err.kind, cases[i].kind);
        CHECK_HAS(err.text, cases[i].says);
        CHECK(strstr(err.text, "s3cr3t") == NULL);
        CHECK(!answer.nonsense);
        bitrix_answer_fini(&answer);
    }
    asked_free(&a);
}

/* A job that makes no sense is refused before the answer is looked at. */
TEST(an_answer_to_an_impossible_job_is_not_read)
{
    struct asked a = asked_range(1, 500, 1);
    struct bitrix_answer answer;
    struct err err;

    a.job.kind = STR("dream");
    CHECK_EQ(read_text(&a, "{}", &answer, &err), -1);
    CHECK_EQ(err.kind, ERR_PERM);
    bitrix_answer_fini(&answer);
    asked_free(&a);
}

TEST_MAIN(CASE(a_range_ends_with_its_greatest_id_and_is_gone_on_with_where_a_list_is_shorter),
    CASE(pages_that_cannot_be_true_are_refused), CASE(answers_that_are_no_records_are_refused),
    CASE(ids_come_as_numbers_or_as_strings), CASE(a_record_is_passed_on_as_it_came),
    CASE(a_reading_began_with_its_first_command),
    CASE(nothing_changed_is_an_answer_and_more_than_a_call_holds_goes_on),
    CASE(bad_bytes_are_mended_and_counted),
    CASE(fields_that_are_not_described_are_told_and_nothing_is_sent_on),
    CASE(more_unknown_fields_than_a_report_takes_are_cut_between_names),
    CASE(a_record_with_fields_without_end_is_at_fault_itself),
    CASE(what_comes_after_the_end_of_a_chain_means_nothing),
    CASE(an_error_inside_a_chain_leaves_what_was_read_before_it),
    CASE(a_blocked_method_waits_until_the_portal_says), CASE(a_blocked_method_without_a_time_waits_a_minute),
    CASE(times_out_of_this_world_are_bounded_or_not_told), CASE(what_was_answered_in_part_is_read_in_part),
    CASE(a_list_of_ids_that_failed_leaves_its_ids), CASE(ids_left_out_of_a_list_are_unlisted),
    CASE(lists_of_ids_are_read_command_by_command), CASE(an_id_that_was_not_asked_for_is_refused),
    CASE(a_get_knows_there_from_gone_from_forbidden), CASE(a_get_knows_them_in_the_portals_language),
    CASE(a_list_with_the_words_says_nothing_of_records), CASE(a_get_drops_fields_that_are_not_described),
    CASE(a_get_that_fails_or_lies_fails_the_job), CASE(pages_of_html_and_cut_texts_are_temporary_and_named),
    CASE(a_renamed_portal_is_told_by_its_new_host_alone), CASE(a_redirect_within_the_portal_passes),
    CASE(errors_tell_a_person_what_to_do), CASE(an_answer_to_an_impossible_job_is_not_read))
