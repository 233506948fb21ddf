/* A gateway that is newer than the scheduler: what it says is either understood or left with it. */
#include "unit/scheduler/rig.h"

#include "proto/change.h"

#define NEWER 40 /* a kind that nobody knows yet */

static void send_event(struct rig *r, const struct change *list, int count)
{
    struct msg *m = msg_new(MSG_EVENT);
    struct buf bytes;

    buf_init(&bytes, 10000);
    change_list_encode(list, count, &bytes);
    m->event = (struct msg_event){
        .gateway = STR("gateway.1"), .spool = 7, .last = list[count - 1].seq, .changes = buf_view(&bytes)
    };
    WAIT_FOR(&r->on, bus_peers(r->fetcher) > 0 && bus_send(r->fetcher, &m) == BUS_SENT);
    buf_fini(&bytes);
}

static struct change change_of(uint64_t seq, const char *entity, uint64_t id, int kind)
{
    return (struct change){ .seq = seq,
        .portal = STR("main"),
        .entity = str_of(entity),
        .id = id,
        .kind = (enum change_kind)kind,
        .at_ms = 1 };
}

TEST(a_hint_that_is_not_understood_is_answered_by_looking_at_everything)
{
    struct rig *r = rig_new();
    struct mirror *m = &r->on.s->portals[0].portal.mirrors[0];
    const struct change list[] = { change_of(1, "", 0, NEWER), change_of(2, "deals", 42, NEWER),
        change_of(3, "deals", 0, NEWER) };

    send_event(r, list, 3);
    WAIT_FOR(&r->on, rig_get(r, "SELECT count(*) FROM potok_mark WHERE id = 42") == 1);
    CHECK(m->changed_wanted);
    WAIT_FOR(&r->on, rig_get(r, "SELECT count(*) FROM potok_cursor WHERE name = 'fields'") == 1);
    WAIT_FOR(&r->on, r->acked == 3);
    rig_free(r);
}

TEST(what_is_sealed_and_not_understood_stays_with_its_gateway)
{
    struct rig *r = rig_new();
    struct change list[] = { change_of(1, "deals", 42, CHANGE_KIND_SET), change_of(2, "", 0, NEWER) };

    list[1].sealed = STR("something that is worth keeping");
    for (int i = 0; i < 2; i++)
        send_event(r, list, 2);
    rig_turns(r, 300);
    CHECK_EQ(r->acked, 0);
    CHECK_EQ(rig_get(r, "SELECT count(*) FROM potok_mark"), 0);
    send_event(r, list, 1); /* others are served */
    WAIT_FOR(&r->on, r->acked == 1);
    rig_free(r);
}

TEST_MAIN(CASE(a_hint_that_is_not_understood_is_answered_by_looking_at_everything),
    CASE(what_is_sealed_and_not_understood_stays_with_its_gateway))
