#include "run/bus.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "base/log.h"
#include "base/mem.h"
#include "run/lock.h"
#include "support/check.h"
#include "turn.h"

/* What a plug got. */
struct inbox {
    int count, rooms;
    uint64_t last_job;
    struct bus_peer from;
    char correlation[UUID_SIZE];
    char payload[64];
    size_t payload_n;
    char order[64];             /* one letter a message, of several inboxes */
    char letter;
    struct inbox *order_in;
    struct bus_plug *pause_after_first;
};

static void on_msg(void *ctx, struct bus_plug *plug, struct bus_peer from, struct msg **m)
{
    struct inbox *in = ctx;

    if ((*m)->type == MSG_DONE)
        in->last_job = (*m)->done.job;
    if ((*m)->type == MSG_JOB)
        in->last_job = (*m)->job.job;
    if ((*m)->type == MSG_RECORDS)
        in->last_job = (*m)->records.job;
    in->from = from;
    memcpy(in->correlation, (*m)->correlation, UUID_SIZE);
    in->payload_n = (*m)->payload.n;
    if ((*m)->payload.n > 0 && (*m)->payload.n < sizeof(in->payload))
        memcpy(in->payload, (*m)->payload.p, (*m)->payload.n);
    if (in->order_in != NULL && strlen(in->order_in->order) < sizeof(in->order) - 1)
        in->order_in->order[strlen(in->order_in->order)] = in->letter;
    in->count++;
}

static void on_room(void *ctx, struct bus_plug *plug)
{
    ((struct inbox *)ctx)->rooms++;
}

static struct msg *done(uint64_t job)
{
    struct msg *m = msg_new(MSG_DONE);

    m->done = (struct msg_done){ .job = job, .d = 1, .portal = STR("main"), .entity = STR("deals"),
        .outcome = STR("ok") };
    return m;
}

static struct msg *records(uint64_t job, struct buf *payload)
{
    struct msg *m = msg_new(MSG_RECORDS);

    m->records = (struct msg_records){ .job = job, .d = 1, .epoch = 1, .portal = STR("main"), .kind = STR("range"),
        .entity = STR("deals"), .table = STR("crm_deals"), .schema = STR("\x80"), .count = 1 };
    msg_take_payload(m, payload);
    return m;
}

static struct msg *ready(void)
{
    struct msg *m = msg_new(MSG_READY);

    m->ready = (struct msg_ready){ .instance = STR("fetcher.1"), .boot = 7, .credit = 1 };
    return m;
}

static struct msg *job(uint64_t number)
{
    struct msg *m = msg_new(MSG_JOB);

    m->job = (struct msg_job){ .job = number, .d = 1, .epoch = 1, .portal = STR("main"), .kind = STR("probe") };
    return m;
}

/* Two services of one machine on one loop, each with a bus. */
struct pair {
    uv_loop_t loop;
    char dir[128];
    struct bus *a, *b;
};

static void pair_open(struct pair *p)
{
    static int number;

    uv_loop_init(&p->loop);
    snprintf(p->dir, sizeof(p->dir), "%s/%d", check_folder(), number++);
    CHECK_EQ(mkdir(p->dir, 0700), 0);
    p->a = bus_new(&p->loop, p->dir, "a.1");
    p->b = bus_new(&p->loop, p->dir, "b.1");
}

static void pair_close(struct pair *p)
{
    bus_free(&p->a);
    bus_free(&p->b);
    turn_end(&p->loop);
}

static struct bus_plug *plug(struct bus *bus, enum bus_kind kind, const char *service, const char *name,
    int high_water, struct inbox *in)
{
    struct err err = { 0 };
    struct bus_plug *ret = bus_open(bus, &(struct bus_def){ .kind = kind, .service = service, .plug = name,
        .where = "ipc", .high_water = high_water, .on_msg = in ? on_msg : NULL, .on_room = in ? on_room : NULL,
        .ctx = in }, &err);

    if (ret == NULL)
        check_ok(-1, &err, __FILE__, __LINE__);
    return ret;
}

/* Sends as soon as there is somebody; a plug without a peer says BUS_FULL. */
static void send_soon(struct pair *p, struct bus_plug *to, struct msg *m)
{
    for (int i = 0; i < 1000 && bus_send(to, &m) == BUS_FULL; i++)
        turn_for(&p->loop, 10);
    CHECK(m == NULL);
}

TEST(a_push_reaches_a_pull_with_its_payload)
{
    struct pair p;
    struct inbox in = { 0 };
    struct buf payload;

    pair_open(&p);
    plug(p.a, BUS_PULL_BIND, "mapper", "bulk", 0, &in);
    struct bus_plug *push = plug(p.b, BUS_PUSH_CONNECT, "mapper", "bulk", 0, NULL);
    CHECK_EQ(bus_peers(push), 1);
    buf_init(&payload, 100);
    buf_str(&payload, "three records");
    struct msg *m = records(42, &payload);
    char correlation[UUID_SIZE];
    memcpy(correlation, m->correlation, UUID_SIZE);
    send_soon(&p, push, m);
    turn_until(&p.loop, &in.count, 1);
    CHECK_EQ(in.last_job, 42);
    CHECK_EQ(in.payload_n, 13);
    CHECK_STR(in.payload, "three records");
    CHECK_STR(in.correlation, correlation);
    pair_close(&p);
}

TEST(a_router_answers_the_dealer_that_asked)
{
    struct pair p;
    struct inbox at_router = { 0 }, at_dealer = { 0 };

    pair_open(&p);
    struct bus_plug *dealer = plug(p.b, BUS_DEALER_CONNECT, "scheduler", "router", 0, &at_dealer);
    CHECK_EQ(bus_peers(dealer), 0);
    struct bus_plug *router = plug(p.a, BUS_ROUTER_BIND, "scheduler", "router", 0, &at_router);
    send_soon(&p, dealer, ready());
    turn_until(&p.loop, &at_router.count, 1);
    struct msg *m = job(5);
    CHECK_EQ(bus_send_to(router, at_router.from, &m), BUS_SENT);
    turn_until(&p.loop, &at_dealer.count, 1);
    CHECK_EQ(at_dealer.last_job, 5);
    pair_close(&p);
}

TEST(a_router_is_told_that_a_peer_is_gone)
{
    struct pair p;
    struct inbox at_router = { 0 };

    pair_open(&p);
    struct bus_plug *router = plug(p.a, BUS_ROUTER_BIND, "scheduler", "router", 0, &at_router);
    struct msg *m = job(5);
    CHECK_EQ(bus_send_to(router, (struct bus_peer){ .id = "nobody", .n = 6 }, &m), BUS_GONE);
    CHECK(m != NULL);

    struct bus_plug *dealer = plug(p.b, BUS_DEALER_CONNECT, "scheduler", "router", 0, NULL);
    send_soon(&p, dealer, ready());
    turn_until(&p.loop, &at_router.count, 1);
    bus_close(&dealer);
    int result = BUS_SENT;
    for (int i = 0; i < 500 && result != BUS_GONE; i++) {
        if (m == NULL)
            m = job(5);
        result = bus_send_to(router, at_router.from, &m);
        turn_for(&p.loop, 5);
    }
    CHECK_EQ(result, BUS_GONE);
    msg_free(&m);
    pair_close(&p);
}

TEST(status_reaches_who_subscribes_to_any_service)
{
    struct pair p;
    struct inbox in = { 0 };

    pair_open(&p);
    struct bus_plug *pub = plug(p.a, BUS_PUB_BIND, "mapper", "status", 0, NULL);
    plug(p.b, BUS_SUB_CONNECT, "*", "status", 0, &in);
    for (int i = 0; i < 500 && in.count == 0; i++) {
        struct msg *m = msg_new(MSG_STATUS);
        m->status = (struct msg_status){ .service = STR("mapper"), .instance = STR("mapper.1"), .pid = 1,
            .state = STR("ready") };
        CHECK_EQ(bus_send(pub, &m), BUS_SENT);
        turn_for(&p.loop, 10);
    }
    CHECK(in.count > 0);
    pair_close(&p);
}

TEST(the_urgent_lane_opened_first_is_read_first)
{
    struct pair p;
    struct inbox urgent = { .letter = 'u' }, bulk = { .letter = 'b', .order_in = &urgent };

    urgent.order_in = &urgent;
    pair_open(&p);
    struct bus_plug *urgent_in = plug(p.a, BUS_PULL_BIND, "writer", "urgent", 0, &urgent);
    struct bus_plug *bulk_in = plug(p.a, BUS_PULL_BIND, "writer", "bulk", 0, &bulk);
    struct bus_plug *to_bulk = plug(p.b, BUS_PUSH_CONNECT, "writer", "bulk", 0, NULL);
    struct bus_plug *to_urgent = plug(p.b, BUS_PUSH_CONNECT, "writer", "urgent", 0, NULL);
    bus_pause(urgent_in);
    bus_pause(bulk_in);
    for (uint64_t i = 0; i < 3; i++)
        send_soon(&p, to_bulk, done(i));
    for (uint64_t i = 0; i < 3; i++)
        send_soon(&p, to_urgent, done(i));
    turn_for(&p.loop, 100);
    CHECK_EQ(urgent.count + bulk.count, 0);
    bus_resume(bulk_in);
    bus_resume(urgent_in);
    turn_until(&p.loop, &bulk.count, 3);
    CHECK_STR(urgent.order, "uuubbb");
    pair_close(&p);
}

TEST(a_full_plug_says_so_and_tells_when_there_is_room)
{
    enum { SIZE = 1 << 20 };        /* so large that the sockets' own buffers hold none */
    struct pair p;
    struct inbox in = { 0 }, out = { 0 };
    int sent = 0;

    pair_open(&p);
    struct bus_plug *pull = plug(p.a, BUS_PULL_BIND, "mapper", "bulk", 2, &in);
    struct bus_plug *push = plug(p.b, BUS_PUSH_CONNECT, "mapper", "bulk", 2, &out);
    bus_pause(pull);
    struct msg *m = NULL;
    for (int quiet = 0; quiet < 20;) {
        struct buf payload;
        if (m == NULL) {
            buf_init(&payload, SIZE);
            CHECK(buf_room(&payload, SIZE));
            memset(payload.p, 'x', SIZE);
            payload.n = SIZE;
            m = records(1, &payload);
        }
        if (bus_send(push, &m) == BUS_SENT) {
            sent++;
            quiet = 0;
        } else {
            quiet++;
        }
        turn_for(&p.loop, 10);
    }
    CHECK(m != NULL);       /* refused: still ours */
    CHECK_EQ(m->payload.n, SIZE);
    CHECK(sent >= 2);
    CHECK(sent <= 8);       /* two water marks and what is on its way */
    out.rooms = 0;
    turn_for(&p.loop, 100);
    CHECK_EQ(out.rooms, 0);
    CHECK_EQ(in.count, 0);
    bus_resume(pull);
    turn_until(&p.loop, &in.count, sent);
    turn_until(&p.loop, &out.rooms, 1);
    CHECK_EQ(bus_send(push, &m), BUS_SENT);
    turn_until(&p.loop, &in.count, sent + 1);
    CHECK_EQ(in.payload_n, SIZE);
    pair_close(&p);
}

TEST(messages_wait_through_a_pause_longer_than_the_heartbeat)
{
    struct pair p;
    struct inbox in = { 0 }, out = { 0 };
    enum { SIZE = 1 << 20 };
    int sent = 0;

    pair_open(&p);
    struct bus_plug *pull = plug(p.a, BUS_PULL_BIND, "mapper", "bulk", 1, &in);
    struct bus_plug *push = plug(p.b, BUS_PUSH_CONNECT, "mapper", "bulk", 1, &out);
    bus_pause(pull);
    for (int i = 0; i < 50; i++) {
        struct buf payload;
        buf_init(&payload, SIZE);
        CHECK(buf_room(&payload, SIZE));
        memset(payload.p, 'x', SIZE);
        payload.n = SIZE;
        struct msg *m = records(1, &payload);
        sent += bus_send(push, &m) == BUS_SENT;
        msg_free(&m);
        turn_for(&p.loop, 10);
    }
    CHECK(sent >= 2);
    turn_for(&p.loop, 7000);     /* a heartbeat and its timeout are 6 s */
    bus_resume(pull);
    turn_until_within(&p.loop, &in.count, sent, 2000);
    CHECK_EQ(in.count, sent);
    pair_close(&p);
}

TEST_MAIN(
    CASE(a_push_reaches_a_pull_with_its_payload),
    CASE(a_router_answers_the_dealer_that_asked),
    CASE(a_router_is_told_that_a_peer_is_gone),
    CASE(status_reaches_who_subscribes_to_any_service),
    CASE(the_urgent_lane_opened_first_is_read_first),
    CASE(a_full_plug_says_so_and_tells_when_there_is_room),
    CASE(messages_wait_through_a_pause_longer_than_the_heartbeat))
