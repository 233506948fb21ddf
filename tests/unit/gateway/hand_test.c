#include "services/gateway/hand.h"

#include "base/clock.h"
#include "base/mem.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A scheduler that takes or does not, in front of a real keeper and its spool. */
struct world {
    uv_loop_t loop;
    char folder[64], path[100];
    struct keeper *keeper;
    struct hand hand;
    bool deaf;
    int sent;
    uint64_t last, spool;
    int changes;
    int kept, moved;
};

static bool on_send(void *ctx, struct msg **m)
{
    struct world *w = ctx;
    struct change_list list;
    struct err err;

    if (w->deaf)
        return false;
    CHECK_OK(change_list_decode(&list, (*m)->event.changes, &err), err);
    w->sent++;
    w->last = (*m)->event.last;
    w->spool = (*m)->event.spool;
    w->changes = list.count;
    CHECK(list.list[list.count - 1].seq == w->last);
    change_list_free(&list);
    return true;
}

static void on_open(void *ctx, uint64_t spool, uint64_t last)
{
    hand_opened(&((struct world *)ctx)->hand, spool, last);
}

static void on_trouble(void *ctx, const struct err *err)
{
}

static void on_salvaged(void *ctx, int64_t saved)
{
}

static void on_moved(void *ctx, int64_t saved)
{
    ((struct world *)ctx)->moved += (int)saved;
}

static void start(struct world *w)
{
    struct keeper_events events = { on_open, on_trouble, on_salvaged, on_moved, w };

    uv_loop_init(&w->loop);
    w->keeper = keeper_new(&w->loop, w->path, &events);
    hand_init(&w->hand, w->keeper, "gateway.1", on_send, w);
}

static void stop(struct world *w)
{
    w->hand.stopping = true;
    keeper_free(&w->keeper);
    hand_fini(&w->hand);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    CHECK_EQ(uv_loop_close(&w->loop), 0);
}

static void fresh(struct world *w)
{
    memset(w, 0, sizeof(*w));
    strcpy(w->folder, "/tmp/potok-hand-XXXXXX");
    CHECK(mkdtemp(w->folder) != NULL);
    snprintf(w->path, sizeof(w->path), "%s/gateway.1.db", w->folder);
    start(w);
}

static void clean(struct world *w)
{
    char command[120];

    stop(w);
    snprintf(command, sizeof(command), "rm -r %s", w->folder);
    CHECK_EQ(system(command), 0);
}

/* Turns the loop until the condition holds; a test that waits in vain is ended by ctest. */
#define UNTIL(w, condition) \
    while (!(condition)) \
    uv_run(&(w)->loop, UV_RUN_ONCE)

struct addition {
    struct wish wish;
    struct spool_row row;
    bool added;
    struct world *world;
};

static void on_added(struct wish *wish)
{
    struct addition *a = wish->ctx;

    CHECK_EQ(wish->status, 0);
    a->world->kept++;
    hand_kept(&a->world->hand, wish->spool, a->row.seq);
    free(a);
}

static void add(struct world *w, uint64_t id)
{
    struct addition *a = xcalloc(1, sizeof(*a));

    a->world = w;
    a->row = (struct spool_row){ .id = id, .at_ms = 1, .portal = "main", .entity = "deals", .event = "x" };
    a->wish = (struct wish){
        .kind = WISH_ADD, .rows = &a->row, .added = &a->added, .count = 1, .done = on_added, .ctx = a
    };
    keeper_do(w->keeper, &a->wish);
}

static void acknowledge(struct world *w, uint64_t spool, uint64_t last)
{
    hand_acked(
        &w->hand, &(struct msg_event_ack){ .gateway = STR("gateway.1"), .spool = spool, .last = last }, 10);
}

TEST(one_event_at_a_time_and_the_next_after_its_acknowledgement)
{
    struct world w;

    fresh(&w);
    add(&w, 1);
    UNTIL(&w, w.sent == 1);
    add(&w, 2);
    add(&w, 3);
    UNTIL(&w, w.kept == 3);
    CHECK_EQ(w.sent, 1);
    acknowledge(&w, w.spool, w.last);
    UNTIL(&w, w.sent == 2);
    CHECK_EQ(w.changes, 2);
    CHECK(!hand_idle(&w.hand));
    acknowledge(&w, w.spool, w.last);
    CHECK(!hand_idle(&w.hand)); /* they are not forgotten on disk yet */
    UNTIL(&w, hand_idle(&w.hand));
    CHECK_EQ(hand_waiting(&w.hand), 0);
    CHECK_EQ(w.sent, 2);
    clean(&w);
}

TEST(what_was_not_acknowledged_is_handed_over_again_also_after_a_new_start)
{
    struct world w;
    uint64_t spool;

    fresh(&w);
    add(&w, 1);
    UNTIL(&w, w.sent == 1);
    hand_turn(&w.hand, w.hand.sent_ms + HAND_AGAIN_MS - 1);
    CHECK_EQ(w.sent, 1);
    hand_turn(&w.hand, w.hand.sent_ms + HAND_AGAIN_MS);
    CHECK_EQ(w.sent, 2);
    spool = w.spool;
    stop(&w);
    w.sent = 0;
    start(&w);
    UNTIL(&w, w.sent == 1);
    CHECK(w.spool == spool);
    CHECK_EQ(w.changes, 1);
    clean(&w);
}

TEST(the_very_first_change_is_handed_over)
{
    struct world w;

    fresh(&w);
    UNTIL(&w, w.hand.spool != 0);
    add(&w, 1);
    UNTIL(&w, w.sent == 1);
    CHECK(w.last == 1);
    clean(&w);
}

static void remove_file(const struct world *w)
{
    char command[400];

    snprintf(command, sizeof(command), "rm -f %s %s-wal %s-shm", w->path, w->path, w->path);
    CHECK_EQ(system(command), 0);
}

TEST(a_file_deleted_under_us_is_written_anew_and_its_numbers_are_not_mixed_with_the_old)
{
    struct world w;
    uint64_t former;

    fresh(&w);
    for (uint64_t id = 1; id <= 50; id++)
        add(&w, id);
    UNTIL(&w, w.kept == 50 && w.sent > 0);
    while (hand_waiting(&w.hand) > 0) {
        acknowledge(&w, w.spool, w.last);
        uv_run(&w.loop, UV_RUN_ONCE);
    }
    UNTIL(&w, !w.hand.forgetting && !w.hand.taking);
    former = w.spool;
    w.deaf = true;
    add(&w, 51);
    UNTIL(&w, w.kept == 51 && w.hand.under_way != 0);
    remove_file(&w);
    add(&w, 52);
    UNTIL(&w, w.kept == 52);
    CHECK_EQ(w.moved, 1);
    hand_turn(&w.hand, clock_mono_ms());
    UNTIL(&w, w.hand.under_way != 0);
    stop(&w); /* what was kept is in the file that has the name */

    w.deaf = false;
    w.sent = 0;
    start(&w);
    UNTIL(&w, w.sent == 1);
    CHECK(w.spool != former);
    CHECK_EQ(w.changes, 2);
    clean(&w);
}

static void on_done(struct wish *wish)
{
    CHECK_EQ(wish->status, 0);
    *(bool *)wish->ctx = true;
}

TEST(numbers_of_a_former_file_forget_nothing_of_this_one)
{
    struct world w;
    bool done = false;
    struct wish wish = { .kind = WISH_FORGET, .after = 1000, .spool = 7, .done = on_done, .ctx = &done };

    fresh(&w);
    w.deaf = true;
    add(&w, 1);
    UNTIL(&w, w.kept == 1);
    keeper_do(w.keeper, &wish);
    UNTIL(&w, done);
    hand_kept(&w.hand, 7, 1000);
    CHECK(hand_waiting(&w.hand) == 1);
    w.deaf = false;
    hand_turn(&w.hand, clock_mono_ms());
    UNTIL(&w, w.sent == 1);
    CHECK_EQ(w.changes, 1);
    clean(&w);
}

TEST(strange_acknowledgements_change_nothing)
{
    struct world w;

    fresh(&w);
    add(&w, 1);
    UNTIL(&w, w.sent == 1);
    acknowledge(&w, w.spool + 1, w.last);
    acknowledge(&w, w.spool, w.last + 1);
    acknowledge(&w, w.spool, 0);
    CHECK(w.hand.under_way == w.last);
    acknowledge(&w, w.spool, w.last);
    CHECK(w.hand.under_way == 0);
    acknowledge(&w, w.spool, w.last);
    UNTIL(&w, !w.hand.forgetting);
    clean(&w);
}

TEST(without_a_scheduler_it_waits_and_then_goes_on)
{
    struct world w;

    fresh(&w);
    w.deaf = true;
    add(&w, 1);
    UNTIL(&w, w.hand.under_way != 0);
    hand_turn(&w.hand, 5);
    CHECK_EQ(w.sent, 0);
    w.deaf = false;
    hand_turn(&w.hand, 6);
    CHECK_EQ(w.sent, 1);
    CHECK(w.hand.again == 0);
    clean(&w);
}

TEST_MAIN(CASE(one_event_at_a_time_and_the_next_after_its_acknowledgement),
    CASE(what_was_not_acknowledged_is_handed_over_again_also_after_a_new_start),
    CASE(the_very_first_change_is_handed_over), CASE(strange_acknowledgements_change_nothing),
    CASE(a_file_deleted_under_us_is_written_anew_and_its_numbers_are_not_mixed_with_the_old),
    CASE(numbers_of_a_former_file_forget_nothing_of_this_one),
    CASE(without_a_scheduler_it_waits_and_then_goes_on))
