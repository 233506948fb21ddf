#include "run/bus_hold.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "support/check.h"
#include "turn.h"

enum { MOST = 400 };

/* What a plug got. */
struct inbox {
    int count, seen[MOST];
    char payload[8];
};

static void on_msg(void *ctx, struct bus_plug *plug, struct bus_peer from, struct msg **m)
{
    struct inbox *in = ctx;

    CHECK_EQ((*m)->type, MSG_RECORDS);
    CHECK_VIEW((*m)->records.entity, "deals");
    CHECK_EQ((*m)->records.asked.n, 2);
    CHECK_EQ((*m)->records.asked.p[1], 9);
    CHECK_EQ((*m)->payload.n, 3);
    memcpy(in->payload, (*m)->payload.p, 3);
    CHECK_STR(in->payload, "abc");
    if (in->count < MOST)
        in->seen[in->count] = (int)(*m)->records.job;
    in->count++;
}

static struct msg *records(int job)
{
    static uint64_t ids[] = { 3, 9 };
    struct msg *m = msg_new(MSG_RECORDS);
    struct buf payload;

    buf_init(&payload, 16);
    buf_str(&payload, "abc");
    m->records = (struct msg_records){ .job = (uint64_t)job,
        .d = 1,
        .epoch = 1,
        .portal = STR("main"),
        .kind = STR("ids"),
        .entity = STR("deals"),
        .table = STR("crm_deals"),
        .asked = { ids, 2 },
        .schema = STR("\x80"),
        .count = 1 };
    msg_take_payload(m, &payload);
    return m;
}

/* Sends that many and turns the loop until `goal` have come, or for half a second. */
static void through(const char *faults, int sent, int goal, struct inbox *in)
{
    static int number;
    char dir[128];
    struct err err = { 0 };
    uv_loop_t loop;

    setenv("POTOK_BUS_FAULTS", faults, 1);
    uv_loop_init(&loop);
    snprintf(dir, sizeof(dir), "%s/%d", check_folder(), number++);
    CHECK_EQ(mkdir(dir, 0700), 0);
    struct bus *a = bus_new(&loop, dir, "a.1"), *b = bus_new(&loop, dir, "b.1");
    struct bus_def def = { .kind = BUS_PULL_BIND,
        .service = "mapper",
        .plug = "bulk",
        .where = "ipc",
        .on_msg = on_msg,
        .ctx = in };
    CHECK(bus_open(a, &def, &err) != NULL);
    def = (struct bus_def){ .kind = BUS_PUSH_CONNECT, .service = "mapper", .plug = "bulk", .where = "ipc" };
    struct bus_plug *push = bus_open(b, &def, &err);
    for (int i = 0; i < sent; i++) {
        struct msg *m = records(i);

        for (int k = 0; k < 1000 && bus_send(push, &m) == BUS_FULL; k++)
            turn_for(&loop, 10);
        CHECK(m == NULL);
    }
    turn_until_within(&loop, &in->count, goal, goal == MOST ? 500 : TURN_DEADLINE_MS);
    bus_free(&a);
    bus_free(&b);
    turn_end(&loop);
}

static int out_of_order(const struct inbox *in)
{
    int n = 0;

    for (int i = 1; i < in->count; i++)
        n += in->seen[i] < in->seen[i - 1];
    return n;
}

TEST(all_come_without_the_setting)
{
    struct inbox in = { 0 };

    through("", 50, 50, &in);
    CHECK_EQ(out_of_order(&in), 0);
}

TEST(messages_are_lost)
{
    struct inbox in = { 0 };

    through("lose=50,seed=1", 200, MOST, &in);
    CHECK(in.count > 50 && in.count < 150);
}

TEST(messages_come_twice_and_whole)
{
    struct inbox in = { 0 };

    through("double=100,late_ms=50,seed=1", 100, 200, &in);
    CHECK_EQ(in.count, 200);
    CHECK(out_of_order(&in) > 0);
}

TEST(messages_come_late_and_out_of_order_and_all_of_them)
{
    struct inbox in = { 0 };
    int sum = 0;

    through("late=40,late_ms=100,shuffle=40,seed=1", 200, 200, &in);
    for (int i = 0; i < 200; i++)
        sum += in.seen[i];
    CHECK_EQ(sum, 199 * 200 / 2);
    CHECK(out_of_order(&in) > 0);
}

TEST(what_is_held_is_freed_with_the_plug)
{
    struct inbox in = { 0 };

    through("late=100,late_ms=600000,seed=1", 50, MOST, &in);
    CHECK(in.count < 5);
}

TEST(a_setting_that_is_none_changes_nothing)
{
    struct inbox in = { 0 };

    through("loose=3", 20, 20, &in);
    CHECK_EQ(in.count, 20);
}

TEST_MAIN(CASE(all_come_without_the_setting), CASE(messages_are_lost), CASE(messages_come_twice_and_whole),
    CASE(messages_come_late_and_out_of_order_and_all_of_them), CASE(what_is_held_is_freed_with_the_plug),
    CASE(a_setting_that_is_none_changes_nothing))
