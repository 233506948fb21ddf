/* Every story of one write, as far as a handful of mishaps goes: a portal that executes or does not, answers
 * or does not, refuses, says an unexplained no before or after it executed, lands late, shows late or not at
 * all, takes its time, and a caller that is killed at any step and goes on from what it kept. What the portal
 * says is JSON, read by the reader of real answers. */
#include "connectors/bitrix_write_answer.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdio.h>

enum { LIMIT = 3, MARGIN = 1, LAG = 2, TAPE = 400, SENDINGS = 12, NEVER = INT32_MAX };

static const struct write_pace PACE = { .limit_ms = LIMIT,
    .margin_ms = MARGIN,
    .lag_ms = LAG,
    .pause_ms = 1,
    .pause_most_ms = 2,
    .attempts_most = 8 };

/* What chance decides, in order; the next story is the next number of this kind. */
struct tape {
    int said[TAPE], of[TAPE];
    int n, at, left; /* mishaps that may still happen */
};

static int choose(struct tape *t, int of)
{
    if (t->left == 0)
        return 0;
    assert_true(t->at < TAPE);
    if (t->at == t->n) {
        t->said[t->n] = 0;
        t->of[t->n++] = of;
    }
    CHECK_EQ(t->of[t->at], of);
    t->left -= t->said[t->at] > 0;
    return t->said[t->at++];
}

static bool tape_next(struct tape *t)
{
    while (t->n > 0 && t->said[t->n - 1] + 1 == t->of[t->n - 1])
        t->n--;
    if (t->n == 0)
        return false;
    t->said[t->n - 1]++;
    return true;
}

/* What a story is about, and what does not change in it. */
struct setting {
    enum write_kind kind;
    int mishaps;
    const struct write_pace *pace;
    bool forgets;  /* a restart goes on as if nothing had been under way */
    bool late_get; /* what is no list shows late, too */
    bool blind;    /* a look never shows what was added: it is another's record */
    bool trusts;   /* and the caller takes it that it would */
};

struct story {
    struct tape *chance;
    const struct write_pace *pace;
    struct setting set;
    struct write_task task;
    struct bitrix_write live;
    char kept[1024];
    int64_t now;
    int64_t lands[SENDINGS]; /* by sending; NEVER */
    int sendings;
    bool refused; /* somewhere the portal refused, or said no */
};

static void keep(struct story *s)
{
    struct buf text;

    buf_init(&text, sizeof(s->kept) - 1);
    bitrix_write_encode(&s->live, &text);
    CHECK(!text.failed);
    snprintf(s->kept, sizeof(s->kept), "%s", buf_cstr(&text));
    buf_fini(&text);
}

/* True: killed, and up again at once. */
static bool killed(struct story *s)
{
    struct err err;

    if (choose(s->chance, 2) == 0)
        return false;
    CHECK_OK(bitrix_write_decode(&s->live, str_of(s->kept), &err), err);
    if (s->set.forgets && s->live.state == WRITE_SENDING)
        s->live.state = WRITE_READY;
    bitrix_write_resumed(&s->live, s->pace, s->now);
    return true;
}

static int effects(const struct story *s, int64_t until)
{
    int n = 0;

    for (int i = 0; i < s->sendings; i++)
        n += s->lands[i] <= until;
    return n;
}

static uint64_t first(const struct story *s, int64_t until)
{
    uint64_t id = 0;

    for (int i = s->sendings - 1; i >= 0; i--)
        if (s->lands[i] <= until)
            id = 100 + (uint64_t)i;
    return id;
}

/* ---- what the portal says ---- */

#define ORIGIN "\"ORIGINATOR_ID\":\"potok\",\"ORIGIN_ID\":\"A:7\""
#define LINE   "{\"event\":\"ONCRMDEALADD\",\"handler\":\"https://a/b\",\"offline\":0}"

static const struct write_task tasks[WRITE_KINDS] = {
    [WRITE_ADD] = { .type_id = 2, .originator = STR("potok"), .origin = STR("A:7"), .fields = STR("{}") },
    [WRITE_ROWS] = { .type_id = 3,
        .id = 9,
        .fields = STR("{\"PHONE\":[{\"VALUE\":\" +7 (999) 12\"}],\"EMAIL\":[{\"VALUE\":\" a@b.c \"}]}") },
    [WRITE_UPDATE] = { .type_id = 2, .id = 9, .fields = STR("{\"TITLE\":\"x\"}") },
    [WRITE_DELETE] = { .type_id = 2, .id = 9 },
    [WRITE_BIND] = { .event = STR("ONCRMDEALADD"), .handler = STR("https://a/b") },
    [WRITE_UNBIND] = { .event = STR("ONCRMDEALADD"), .handler = STR("https://a/b") },
};

static struct bitrix_said said(int status, json_t **body, const char *text)
{
    *body = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(*body);
    return bitrix_said(status, *body, NULL, false);
}

static struct bitrix_said refusal(json_t **body, const char *code, const char *text)
{
    char error[160];

    snprintf(error, sizeof(error), "{\"error\":\"%s\",\"error_description\":\"%s\"}", code, text);
    return said(400, body, error);
}

/* What a look shows of what had landed by then. */
static struct bitrix_said shown(const struct story *s, int64_t by, json_t **body)
{
    const int n = effects(s, by);
    char text[2048], *p = text, *end = text + sizeof(text);

    p += snprintf(p, (size_t)(end - p), "{\"result\":%s",
        s->task.kind == WRITE_ROWS ? "{\"ID\":\"9\",\"PHONE\":[" : "[");
    switch (s->task.kind) {
    case WRITE_ADD:
        for (int i = 0, told = 0; i < s->sendings && !s->set.blind; i++)
            if (s->lands[i] <= by)
                p += snprintf(
                    p, (size_t)(end - p), "%s{\"ID\":\"%d\"," ORIGIN "}", told++ > 0 ? "," : "", 100 + i);
        break;
    case WRITE_ROWS:
        for (int i = 0; i < n; i++)
            p += snprintf(p, (size_t)(end - p), "%s{\"VALUE\":\"+799912\"}", i > 0 ? "," : "");
        p += snprintf(p, (size_t)(end - p), "],\"EMAIL\":[%s", n > 0 ? "{\"VALUE\":\"a@b.c\"}" : "");
        break;
    case WRITE_DELETE:
        return n > 0 ? refusal(body, "", "Not found") : said(200, body, "{\"result\":{\"ID\":\"9\"}}");
    default:
        if ((n > 0) == (s->task.kind == WRITE_BIND))
            p += snprintf(p, (size_t)(end - p), LINE);
    }
    snprintf(p, (size_t)(end - p), s->task.kind == WRITE_ROWS ? "]}}" : "]}");
    return said(200, body, text);
}

enum fate {
    DONE,
    DONE_LOST, /* executed, the answer is lost */
    LIMITED,   /* certainly not */
    LOST,      /* not, and the answer is lost */
    REFUSED,
    DONE_NO, /* executed, and then a robot of the portal failed */
    NO,      /* the same words, and not executed */
    LATE,    /* the answer is lost, and it lands later: 1, 2, ... after the caller's end of it */
    FATES = LATE + LIMIT + MARGIN
};

static struct bitrix_said answer(const struct story *s, enum fate fate, json_t **body)
{
    char text[64];
    struct err cut;

    switch (fate) {
    case DONE:
        snprintf(text, sizeof(text), "{\"result\":%d}", 100 + s->sendings - 1);
        return said(200, body, s->task.kind == WRITE_ADD ? text : "{\"result\":true}");
    case LIMITED:
        return refusal(body, "QUERY_LIMIT_EXCEEDED", "Too many requests");
    case REFUSED:
        return refusal(body, "", "Access denied.");
    case DONE_NO:
    case NO:
        return refusal(body, "BIZPROC_START_FAILED", "the robot failed");
    default:
        err_set(&cut, ERR_TEMP, "cut");
        return bitrix_said_nothing(true, &cut);
    }
}

static void send(struct story *s)
{
    struct write_heard heard;
    json_t *body = NULL;

    bitrix_write_sent(&s->live);
    keep(s);
    if (killed(s))
        return;
    const enum fate fate = (enum fate)choose(s->chance, FATES);
    const bool done = fate == DONE || fate == DONE_LOST || fate == DONE_NO;
    const int64_t began = s->now;
    assert_true(s->sendings < SENDINGS);
    s->now += choose(s->chance, 2);
    s->lands[s->sendings++] = done ? began : fate < LATE ? NEVER : s->now + (int)fate - LATE + 1;
    s->refused |= fate == REFUSED || fate == NO || fate == DONE_NO;
    if (killed(s))
        return;
    const struct bitrix_said said = answer(s, fate, &body);
    bitrix_write_hear(&s->task, &said, &heard);
    json_decref(body);
    bitrix_write_answered(&s->live, s->pace, &heard, s->now);
    if (!killed(s))
        keep(s);
}

/* Fate 0: as it is. Then: no answer, refused, as it was one, two, ... ago. */
static void look(struct story *s)
{
    const bool lags = s->set.late_get || s->task.kind == WRITE_ADD || s->task.kind == WRITE_ROWS;
    const int fate = choose(s->chance, lags ? 3 + LAG : 3);
    struct bitrix_said said;
    struct write_found found;
    json_t *body = NULL;

    if (fate == 1)
        said = bitrix_said_nothing(true, &(struct err){ .kind = ERR_TEMP, .text = "cut" });
    else if (fate == 2)
        said = refusal(&body, "", "Access denied.");
    else
        said = shown(s, s->now - (fate > 2 ? fate - 2 : 0), &body);
    s->refused |= fate == 2;
    s->now += choose(s->chance, 2);
    if (!killed(s)) {
        bitrix_write_find(&s->task, &said, &found);
        bitrix_write_looked(&s->live, s->pace, &found, s->now);
        if (!killed(s))
            keep(s);
    }
    json_decref(body);
}

/* ---- stories ---- */

static struct story begin(struct tape *chance, struct setting set)
{
    struct story s = { .chance = chance, .set = set, .pace = set.pace != NULL ? set.pace : &PACE };

    s.task = tasks[set.kind];
    s.task.kind = set.kind;
    s.task.sees_all = !set.blind || set.trusts;
    chance->at = 0;
    chance->left = set.mishaps;
    bitrix_write_init(&s.live, set.kind);
    return s;
}

static void tell(struct story *s)
{
    keep(s);
    for (int i = 0; i < 200; i++) {
        struct write_step step = bitrix_write_next(&s->live, s->now);

        if (step.act == WRITE_DO_SEND)
            send(s);
        else if (step.act == WRITE_DO_LOOK)
            look(s);
        else if (step.act != WRITE_DO_WAIT)
            return;
        else if (!killed(s))
            s->now = step.until_ms;
    }
    fail_msg("it comes to no end");
}

struct count {
    long stories, twice, none, failed, wrong; /* none: said to be done; wrong: said to be certainly not */
};

static void weigh(const struct story *s, struct count *c)
{
    const int n = effects(s, NEVER - 1);
    const struct bitrix_write *w = &s->live;

    c->stories++;
    c->twice += n > 1;
    c->none += w->state == WRITE_DONE && n == 0;
    c->failed += w->state == WRITE_FAILED;
    c->wrong += w->state == WRITE_FAILED && !w->unsure && n > 0;
    CHECK(w->state == WRITE_DONE || s->refused || s->set.blind); /* mishaps end, and so does every story */
    if (n == 1 && w->state == WRITE_DONE && w->kind == WRITE_ADD) {
        CHECK_EQ(w->id, first(s, NEVER - 1));
        CHECK_EQ(w->twin_count, 0);
    }
}

static struct count explore(struct setting set)
{
    struct count c = { 0 };
    struct tape tape = { .n = 0 };

    do {
        struct story s = begin(&tape, set);

        tell(&s);
        weigh(&s, &c);
    } while (tape_next(&tape));
    return c;
}

TEST(never_twice_and_never_not_at_all)
{
    static const struct {
        enum write_kind kind;
        int mishaps, stories; /* at least */
    } cases[] = { { WRITE_ADD, 4, 10000 }, { WRITE_ROWS, 3, 1000 } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct count c = explore((struct setting){ cases[i].kind, .mishaps = cases[i].mishaps });

        print_message("%s: %ld stories, %ld of them a person's turn\n", write_kind_name(cases[i].kind),
            c.stories, c.failed);
        CHECK(c.stories > cases[i].stories);
        CHECK(c.failed > 100);
        CHECK_EQ(c.twice, 0);
        CHECK_EQ(c.none, 0);
        CHECK_EQ(c.wrong, 0);
    }
}

TEST(what_may_be_repeated_takes_effect_in_every_story)
{
    static const enum write_kind of[] = { WRITE_UPDATE, WRITE_DELETE, WRITE_BIND, WRITE_UNBIND };

    for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
        struct count c = explore((struct setting){ of[i], .mishaps = 3 });

        CHECK_EQ(c.none, 0);
        CHECK_EQ(c.wrong, 0);
    }
}

/* Another's record is hidden from who may only add. */
TEST(who_cannot_see_what_was_added_does_not_add_it_twice)
{
    struct count c = explore((struct setting){ WRITE_ADD, .mishaps = 3, .blind = true });

    CHECK_EQ(c.twice, 0);
    CHECK_EQ(c.none, 0);
    CHECK_EQ(c.wrong, 0);
    CHECK(c.failed > 0);
    CHECK(explore((struct setting){ WRITE_ADD, .mishaps = 3, .blind = true, .trusts = true }).twice > 0);
}

TEST(a_shorter_wait_a_single_look_or_a_forgotten_sending_show_it_twice)
{
    struct write_pace hasty = PACE, trusting = PACE;

    hasty.limit_ms = LIMIT - LAG - MARGIN - 1;
    trusting.lag_ms = LAG - 1;
    CHECK(explore((struct setting){ WRITE_ADD, .pace = &hasty, .mishaps = 2 }).twice > 0);
    CHECK(explore((struct setting){ WRITE_ADD, .pace = &trusting, .mishaps = 3 }).twice > 0);
    CHECK(explore((struct setting){ WRITE_ADD, .forgets = true, .mishaps = 2 }).twice > 0);
    /* of those whose repetition does no harm */
    CHECK(explore((struct setting){ WRITE_DELETE, .late_get = true, .mishaps = 3 }).twice > 0);
}

/* ---- two updates of one record ---- */

/* What stands in the record when everything has landed: the value that landed last. */
static int last_value(const struct story *s, const int value[static SENDINGS])
{
    int ret = 0;
    int64_t when = -1;

    for (int i = 0; i < s->sendings; i++) {
        if (s->lands[i] != NEVER && s->lands[i] >= when) {
            when = s->lands[i];
            ret = value[i];
        }
    }
    return ret;
}

/* The second one is there from the beginning, waits until nothing of the first can take effect any more, and
 * takes its place then. */
static int overtake(struct tape *tape, bool waits)
{
    struct story s = begin(tape, (struct setting){ WRITE_UPDATE, .mishaps = 4 });
    int value[SENDINGS] = { 0 };

    keep(&s);
    send(&s);
    for (int i = 0; i < s.sendings; i++)
        value[i] = 1;
    while (waits && !bitrix_write_rests(&s.live, s.now))
        s.now++;
    s.now++;
    bitrix_write_init(&s.live, WRITE_UPDATE);
    for (int i = s.sendings; i < SENDINGS; i++)
        value[i] = 2;
    tell(&s);
    return s.live.state == WRITE_DONE ? last_value(&s, value) : 2;
}

TEST(a_newer_update_waits_for_the_rest_of_the_older_and_stays)
{
    for (int waits = 0; waits < 2; waits++) {
        struct tape tape = { .n = 0 };
        long stories = 0, wrong = 0;

        do {
            wrong += overtake(&tape, waits) != 2;
            stories++;
        } while (tape_next(&tape));
        CHECK(stories > 100);
        if (waits)
            CHECK_EQ(wrong, 0);
        else
            CHECK(wrong > 0);
    }
}

TEST_MAIN(CASE(never_twice_and_never_not_at_all), CASE(what_may_be_repeated_takes_effect_in_every_story),
    CASE(who_cannot_see_what_was_added_does_not_add_it_twice),
    CASE(a_shorter_wait_a_single_look_or_a_forgotten_sending_show_it_twice),
    CASE(a_newer_update_waits_for_the_rest_of_the_older_and_stays))
