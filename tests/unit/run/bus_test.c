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
    char order[64]; /* one letter a message, of several inboxes */
    char letter;
    struct inbox *order_in;
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

    m->done = (struct msg_done){
        .job = job, .d = 1, .portal = STR("main"), .entity = STR("deals"), .outcome = STR("ok")
    };
    return m;
}

static struct msg *records(uint64_t job, struct buf *payload)
{
    struct msg *m = msg_new(MSG_RECORDS);

    m->records = (struct msg_records){ .job = job,
        .d = 1,
        .epoch = 1,
        .portal = STR("main"),
        .kind = STR("range"),
        .entity = STR("deals"),
        .table = STR("crm_deals"),
        .schema = STR("\x80"),
        .count = 1 };
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

    m->job =
        (struct msg_job){ .job = number, .d = 1, .epoch = 1, .portal = STR("main"), .kind = STR("probe") };
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
    struct bus_plug *ret = bus_open(bus,
        &(struct bus_def){ .kind = kind,
            .service = service,
            .plug = name,
            .where = "ipc",
            .high_water = high_water,
            .on_msg = in ? on_msg : NULL,
            .on_room = in ? on_room : NULL,
            .ctx = in },
        &err);

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
        m->status = (struct msg_status){
            .service = STR("mapper"), .instance = STR("mapper.1"), .pid = 1, .state = STR("ready")
        };
        CHECK_EQ(bus_send(pub, &m), BUS_SENT);
        turn_for(&p.loop, 10);
    }
    CHECK(in.count > 0);
    pair_close(&p);
}

static void on_listener(void *ctx, struct bus_plug *pub)
{
    struct msg *m = msg_new(MSG_STATUS);

    m->status = (struct msg_status){
        .service = STR("mapper"), .instance = STR("mapper.1"), .pid = 1, .state = STR("ready")
    };
    CHECK_EQ(bus_send(pub, &m), BUS_SENT);
    ++*(int *)ctx;
}

TEST(each_who_begins_to_listen_is_heard_and_can_be_told_at_once)
{
    struct pair p;
    struct inbox first = { 0 }, second = { 0 };
    struct err err = { 0 };
    int heard = 0;

    pair_open(&p);
    struct bus_plug *pub = bus_open(p.a,
        &(struct bus_def){ .kind = BUS_PUB_BIND,
            .service = "mapper",
            .plug = "status",
            .where = "ipc",
            .on_listener = on_listener,
            .ctx = &heard },
        &err);
    CHECK_OK(pub != NULL ? 0 : -1, err);
    plug(p.b, BUS_SUB_CONNECT, "*", "status", 0, &first);
    turn_until(&p.loop, &first.count, 1);
    CHECK_EQ(heard, 1);
    struct bus_plug *other = plug(p.b, BUS_SUB_CONNECT, "*", "status", 0, &second);
    turn_until(&p.loop, &second.count, 1);
    CHECK_EQ(heard, 2);
    bus_close(&other);
    turn_for(&p.loop, 50);
    CHECK_EQ(heard, 2); /* who leaves is no listener */
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
    enum { SIZE = 1 << 20 }; /* so large that the sockets' own buffers hold none */
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
    CHECK(m != NULL); /* refused: still ours */
    CHECK_EQ(m->payload.n, SIZE);
    CHECK(sent >= 2);
    CHECK(sent <= 8); /* two water marks and what is on its way */
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
    turn_for(&p.loop, 7000); /* a heartbeat and its timeout are 6 s */
    bus_resume(pull);
    turn_until_within(&p.loop, &in.count, sent, 2000);
    CHECK_EQ(in.count, sent);
    pair_close(&p);
}

/* --- payloads --- */

static int released; /* by a thread of the library */

static void on_release(void *owner)
{
    free(owner);
    __atomic_fetch_add(&released, 1, __ATOMIC_SEQ_CST);
}

static struct msg *owned(size_t n)
{
    struct msg *m = msg_new(MSG_RECORDS);
    char *p = xmalloc(n);

    memset(p, 'y', n);
    m->records = (struct msg_records){ .job = 9,
        .d = 1,
        .epoch = 1,
        .portal = STR("main"),
        .kind = STR("range"),
        .entity = STR("deals"),
        .table = STR("crm_deals"),
        .schema = STR("\x80"),
        .count = 1 };
    m->payload = (struct frame){ p, n, on_release, p };
    return m;
}

static void wait_for_release(struct pair *p, int goal)
{
    for (int i = 0; i < 1000 && __atomic_load_n(&released, __ATOMIC_SEQ_CST) < goal; i++)
        turn_for(&p->loop, 10);
    CHECK_EQ(__atomic_load_n(&released, __ATOMIC_SEQ_CST), goal);
}

TEST(a_payload_is_released_once_when_it_has_left)
{
    struct pair p;
    struct inbox in = { 0 };

    released = 0;
    pair_open(&p);
    plug(p.a, BUS_PULL_BIND, "mapper", "bulk", 0, &in);
    struct bus_plug *push = plug(p.b, BUS_PUSH_CONNECT, "mapper", "bulk", 0, NULL);
    for (int i = 1; i <= 3; i++) {
        send_soon(&p, push, owned(3 << 20));
        turn_until(&p.loop, &in.count, i);
        CHECK_EQ(in.payload_n, 3 << 20);
        wait_for_release(&p, i);
    }
    pair_close(&p);
}

TEST(a_payload_nobody_took_is_released_with_the_plug)
{
    struct pair p;
    struct inbox in = { 0 };

    released = 0;
    pair_open(&p);
    struct bus_plug *pull = plug(p.a, BUS_PULL_BIND, "mapper", "bulk", 1, &in);
    struct bus_plug *push = plug(p.b, BUS_PUSH_CONNECT, "mapper", "bulk", 1, NULL);
    bus_pause(pull);
    int sent = 0;
    for (int i = 0; i < 30; i++) {
        struct msg *m = owned(4 << 20);
        if (bus_send(push, &m) == BUS_SENT)
            sent++;
        else
            released--; /* by us, below */
        msg_free(&m);
        turn_for(&p.loop, 5);
    }
    CHECK(sent >= 2);
    bus_close(&push);
    wait_for_release(&p, sent);
    CHECK_EQ(in.count, 0);
    pair_close(&p);
}

TEST(a_message_over_its_own_limits_is_lost_and_told)
{
    struct pair p;
    struct inbox in = { 0 };
    char text[65];

    pair_open(&p);
    plug(p.a, BUS_PULL_BIND, "scheduler", "done", 0, &in);
    struct bus_plug *push = plug(p.b, BUS_PUSH_CONNECT, "scheduler", "done", 0, NULL);
    send_soon(&p, push, done(1));
    turn_until(&p.loop, &in.count, 1);
    struct msg *m = done(1);
    memset(text, 'x', sizeof(text));
    m->done.portal = (struct str){ text, sizeof(text) };
    CHECK_EQ(bus_send(push, &m), BUS_SENT);
    CHECK(m == NULL);
    send_soon(&p, push, done(2));
    turn_until(&p.loop, &in.count, 2);
    CHECK_EQ(in.last_job, 2);
    pair_close(&p);
}

/* --- garbage --- */

static void send_frames(struct pair *p, void *zmq, const char *const *frames, int count)
{
    for (int i = 0; i < count; i++) {
        int flags = ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0);
        for (int tries = 0; tries < 500 && zmq_send(zmq, frames[i], strlen(frames[i]), flags) < 0; tries++)
            turn_for(&p->loop, 10);
    }
}

TEST(garbage_is_counted_and_the_next_message_is_read)
{
    static const char *const cases[][6] = {
        { "" },
        { "hello" },
        { "hello", "world" },
        { "", "" },
        { "\x95\xa4PTK1\x06\x01", "\x80" },
        { "a", "b", "c" },
        { "a", "b", "c", "d" },
        { "a", "b", "c", "d", "e", "f" },
    };
    struct pair p;
    struct inbox in = { 0 };
    char endpoint[256];

    pair_open(&p);
    struct bus_plug *pull = plug(p.a, BUS_PULL_BIND, "scheduler", "done", 0, &in);
    struct bus_plug *router = plug(p.a, BUS_ROUTER_BIND, "scheduler", "router", 0, &in);
    struct bus_plug *push = plug(p.b, BUS_PUSH_CONNECT, "scheduler", "done", 0, NULL);
    void *context = zmq_ctx_new();
    void *to_pull = zmq_socket(context, ZMQ_PUSH), *to_router = zmq_socket(context, ZMQ_DEALER);
    snprintf(endpoint, sizeof(endpoint), "ipc://%s/scheduler.1.done.sock", p.dir);
    CHECK_EQ(zmq_connect(to_pull, endpoint), 0);
    snprintf(endpoint, sizeof(endpoint), "ipc://%s/scheduler.1.router.sock", p.dir);
    CHECK_EQ(zmq_connect(to_router, endpoint), 0);
    int total = (int)(sizeof(cases) / sizeof(cases[0]));
    for (int i = 0; i < total; i++) {
        int count = 0;
        while (count < 6 && cases[i][count] != NULL)
            count++;
        send_frames(&p, to_pull, cases[i], count);
        send_frames(&p, to_router, cases[i], count);
    }
    for (int i = 0;
         i < 1000 && (bus_garbage(pull) < (uint64_t)total || bus_garbage(router) < (uint64_t)total); i++)
        turn_for(&p.loop, 5);
    CHECK_EQ(bus_garbage(pull), total);
    CHECK_EQ(bus_garbage(router), total);
    CHECK_EQ(in.count, 0);
    send_soon(&p, push, done(77));
    turn_until(&p.loop, &in.count, 1);
    CHECK_EQ(in.last_job, 77);
    zmq_close(to_pull);
    zmq_close(to_router);
    zmq_ctx_term(context);
    pair_close(&p);
}

/* --- who may bind what --- */

static struct bus_plug *try_open(struct bus *bus, enum bus_kind kind, const char *where, struct err *err)
{
    *err = (struct err){ 0 };
    return bus_open(
        bus, &(struct bus_def){ .kind = kind, .service = "mapper", .plug = "bulk", .where = where }, err);
}

TEST(two_binders_of_one_path_are_kept_apart)
{
    struct pair p;
    struct err err;
    char path[256];

    pair_open(&p);
    struct bus_plug *first = try_open(p.a, BUS_PULL_BIND, "ipc", &err);
    CHECK(first != NULL);
    CHECK(try_open(p.b, BUS_PULL_BIND, "ipc", &err) == NULL);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_HAS(err.text, "mapper.1.bulk.lock");
    snprintf(path, sizeof(path), "%s/mapper.1.bulk.sock", p.dir);
    CHECK_EQ(access(path, F_OK), 0); /* the loser removed nothing */
    bus_close(&first);
    CHECK_EQ(access(path, F_OK), -1);
    struct bus_plug *second = try_open(p.b, BUS_PULL_BIND, "ipc", &err);
    CHECK(second != NULL);
    pair_close(&p);
}

TEST(the_second_instance_gets_its_share)
{
    struct pair p;
    struct inbox one = { 0 }, two = { 0 };

    pair_open(&p);
    struct bus *c = bus_new(&p.loop, p.dir, "mapper.2");
    plug(p.a, BUS_PULL_BIND, "mapper", "bulk", 0, &one);
    plug(c, BUS_PULL_BIND, "mapper", "bulk", 0, &two);
    struct bus_plug *push = plug(p.b, BUS_PUSH_CONNECT, "mapper", "bulk", 0, NULL);
    CHECK_EQ(bus_peers(push), 2);
    for (uint64_t i = 0; i < 200 && (one.count == 0 || two.count == 0); i++) {
        send_soon(&p, push, done(i));
        turn_for(&p.loop, 5);
    }
    CHECK(one.count > 0);
    CHECK(two.count > 0);
    bus_free(&c);
    pair_close(&p);
}

TEST(tcp_beyond_loopback_is_refused)
{
    static const struct {
        const char *where;
        const char *part; /* NULL: accepted */
    } cases[] = {
        { "tcp://0.0.0.0:7000", "BUS_MAPPER: tcp beyond loopback is refused: it is not encrypted" },
        { "tcp://192.168.1.1:7000", "BUS_MAPPER: tcp beyond loopback" },
        { "tcp://mapper:7000", "BUS_MAPPER: tcp beyond loopback" },
        { "tcp://127.evil.example:7000", "BUS_MAPPER: tcp beyond loopback" },
        { "tcp://*:7000", "BUS_MAPPER: tcp beyond loopback" },
        { "tcp://[::]:7000", "BUS_MAPPER: tcp beyond loopback" },
        { "tcp://127.0.0.1", "BUS_MAPPER: \"tcp://127.0.0.1\" is neither" },
        { "tcp://127.0.0.1:0", "BUS_MAPPER: " },
        { "udp://127.0.0.1:7000", "BUS_MAPPER: " },
        { "", "BUS_MAPPER: " },
        { "tcp://127.0.0.1:7000", NULL },
        { "tcp://localhost:7000", NULL },
    };
    struct pair p;
    struct err err;

    pair_open(&p);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bus_plug *got = try_open(p.b, BUS_PUSH_CONNECT, cases[i].where, &err);
        CHECK_EQ(got == NULL, cases[i].part != NULL);
        if (cases[i].part != NULL) {
            CHECK_EQ(err.kind, ERR_CONF);
            CHECK_HAS(err.text, cases[i].part);
        }
        bus_close(&got);
    }
    pair_close(&p);
}

TEST(tcp_on_loopback_carries_messages)
{
    struct pair p;
    struct inbox in = { 0 };
    struct err err = { 0 };
    struct bus_plug *pull = NULL;
    char where[64];

    pair_open(&p);
    for (int port = 20000 + (int)getpid() % 20000; pull == NULL && port < 60000; port += 7) {
        snprintf(where, sizeof(where), "tcp://127.0.0.1:%d", port);
        pull = bus_open(p.a,
            &(struct bus_def){ .kind = BUS_PULL_BIND,
                .service = "mapper",
                .plug = "urgent",
                .where = where,
                .port_offset = 1,
                .on_msg = on_msg,
                .ctx = &in },
            &err);
    }
    CHECK(pull != NULL);
    struct bus_plug *push = bus_open(p.b,
        &(struct bus_def){ .kind = BUS_PUSH_CONNECT,
            .service = "mapper",
            .plug = "urgent",
            .where = where,
            .port_offset = 1 },
        &err);
    CHECK_EQ(bus_peers(push), 1);
    send_soon(&p, push, done(3));
    turn_until(&p.loop, &in.count, 1);
    CHECK_EQ(in.last_job, 3);
    CHECK(bus_open(p.b,
              &(struct bus_def){ .kind = BUS_PULL_BIND,
                  .service = "mapper",
                  .plug = "other",
                  .where = where,
                  .port_offset = 1 },
              &err) == NULL);
    CHECK_HAS(err.text, "in use");
    pair_close(&p);
}

TEST(a_path_too_long_for_a_socket_is_refused_with_advice)
{
    uv_loop_t loop;
    struct err err;
    char dir[256];

    uv_loop_init(&loop);
    snprintf(dir, sizeof(dir), "%s/%090d", check_folder(), 1);
    struct bus *bus = bus_new(&loop, dir, "mapper.1");
    CHECK(try_open(bus, BUS_PULL_BIND, "ipc", &err) == NULL);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_HAS(err.text, "set POTOK_HOME to a shorter path");
    CHECK(try_open(bus, BUS_PUSH_CONNECT, "ipc", &err) == NULL);
    CHECK_HAS(err.text, "set POTOK_HOME to a shorter path");
    bus_free(&bus);
    turn_end(&loop);
}

/* --- a binder that dies: a process of its own, this program started again --- */

static void write_got(void *ctx, struct bus_plug *plug, struct bus_peer from, struct msg **m)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof(path), "%s/got.%llu", (char *)ctx, (unsigned long long)(*m)->done.job);
    f = fopen(path, "w");
    if (f != NULL)
        fclose(f);
}

static int bind_for_ever(char *dir)
{
    uv_loop_t loop;
    struct err err = { 0 };

    uv_loop_init(&loop);
    struct bus *bus = bus_new(&loop, dir, "mapper.1");
    if (bus_open(bus,
            &(struct bus_def){ .kind = BUS_PULL_BIND,
                .service = "mapper",
                .plug = "bulk",
                .where = "ipc",
                .on_msg = write_got,
                .ctx = dir },
            &err) == NULL) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    alarm(60); /* never outlives a broken test by much */
    return uv_run(&loop, UV_RUN_DEFAULT);
}

static pid_t start_binder(struct pair *p)
{
    pid_t pid = fork();

    if (pid == 0) {
        setenv("POTOK_TEST_BINDER", p->dir, 1);
        execl("/proc/self/exe", "binder", (char *)NULL);
        _exit(99);
    }
    return pid;
}

static void kill_binder(pid_t pid)
{
    int status;

    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    CHECK(WIFSIGNALED(status));
}

static void wait_for_peers(struct pair *p, struct bus_plug *push, int count)
{
    for (int i = 0; i < 500 && bus_peers(push) != count; i++)
        turn_for(&p->loop, 10);
    CHECK_EQ(bus_peers(push), count);
}

static void wait_for_got(struct pair *p, int job)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/got.%d", p->dir, job);
    for (int i = 0; i < 500 && access(path, F_OK) != 0; i++)
        turn_for(&p->loop, 10);
    CHECK_EQ(access(path, F_OK), 0);
}

TEST(a_killed_binder_is_dropped_and_its_successor_found)
{
    struct pair p;
    struct inbox out = { 0 };
    char path[256];

    pair_open(&p);
    struct bus_plug *push = plug(p.b, BUS_PUSH_CONNECT, "mapper", "bulk", 0, &out);
    struct msg *m = done(1);
    CHECK_EQ(bus_send(push, &m), BUS_FULL); /* nobody there: nothing queues */
    pid_t pid = start_binder(&p);
    wait_for_peers(&p, push, 1);
    turn_until(&p.loop, &out.rooms, 1);
    CHECK_EQ(bus_send(push, &m), BUS_SENT);
    wait_for_got(&p, 1);

    kill_binder(pid);
    snprintf(path, sizeof(path), "%s/mapper.1.bulk.sock", p.dir);
    CHECK_EQ(access(path, F_OK), 0); /* what a killed process leaves */
    wait_for_peers(&p, push, 0);
    m = done(2);
    CHECK_EQ(bus_send(push, &m), BUS_FULL);

    pid = start_binder(&p);
    wait_for_peers(&p, push, 1);
    send_soon(&p, push, m);
    wait_for_got(&p, 2);

    kill_binder(pid); /* and a restart faster than the scan */
    pid = start_binder(&p);
    snprintf(path, sizeof(path), "%s/mapper.1.bulk.lock", p.dir);
    for (int i = 0; i < 500 && !lock_is_held(path); i++)
        turn_for(&p.loop, 10);
    for (int i = 3; i < 6; i++)
        send_soon(&p, push, done((uint64_t)i));
    wait_for_got(&p, 5);
    kill_binder(pid);
    pair_close(&p);
}

TEST(a_dealer_follows_the_newest_scheduler)
{
    struct pair p;
    struct inbox old = { 0 }, young = { 0 };

    pair_open(&p);
    struct bus *c = bus_new(&p.loop, p.dir, "scheduler.2");
    struct bus_plug *first = plug(p.a, BUS_ROUTER_BIND, "scheduler", "router", 0, &old);
    struct bus_plug *dealer = plug(p.b, BUS_DEALER_CONNECT, "scheduler", "router", 0, NULL);
    send_soon(&p, dealer, ready());
    turn_until(&p.loop, &old.count, 1);
    turn_for(&p.loop, 20); /* a clock tick of the file system */
    plug(c, BUS_ROUTER_BIND, "scheduler", "router", 0, &young);
    for (int i = 0; i < 500 && young.count == 0; i++) {
        send_soon(&p, dealer, ready());
        turn_for(&p.loop, 10);
    }
    CHECK(young.count > 0);
    CHECK_EQ(bus_peers(dealer), 1);
    bus_close(&first);
    bus_free(&c);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_push_reaches_a_pull_with_its_payload),
        CASE(a_router_answers_the_dealer_that_asked),
        CASE(a_router_is_told_that_a_peer_is_gone),
        CASE(status_reaches_who_subscribes_to_any_service),
        CASE(each_who_begins_to_listen_is_heard_and_can_be_told_at_once),
        CASE(the_urgent_lane_opened_first_is_read_first),
        CASE(a_full_plug_says_so_and_tells_when_there_is_room),
        CASE(messages_wait_through_a_pause_longer_than_the_heartbeat),
        CASE(a_payload_is_released_once_when_it_has_left),
        CASE(a_payload_nobody_took_is_released_with_the_plug),
        CASE(a_message_over_its_own_limits_is_lost_and_told),
        CASE(garbage_is_counted_and_the_next_message_is_read),
        CASE(two_binders_of_one_path_are_kept_apart),
        CASE(the_second_instance_gets_its_share),
        CASE(tcp_beyond_loopback_is_refused),
        CASE(tcp_on_loopback_carries_messages),
        CASE(a_path_too_long_for_a_socket_is_refused_with_advice),
        CASE(a_killed_binder_is_dropped_and_its_successor_found),
        CASE(a_dealer_follows_the_newest_scheduler),
    };

    if (getenv("POTOK_TEST_BINDER") != NULL)
        return bind_for_ever(getenv("POTOK_TEST_BINDER"));
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    bus_shutdown();
    return failed;
}
