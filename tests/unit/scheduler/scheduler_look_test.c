/* What is looked for and must not be forgotten: changes and deletions that somebody wished to be looked for,
 * until that is a job; what a queue may have reserved. */
#include "unit/scheduler/rig.h"

static struct portal *portal_of_rig(struct rig *r)
{
    return &r->on.s->portals[0].portal;
}

/* A full sync that ended, but for the writer's cursor: nothing may be looked for yet. */
static struct mirror *synced(struct rig *r)
{
    struct msg *job = rig_first_range(r, 100);

    rig_send_report(r, rig_report(job, "sent"));
    rig_commit(r, job, true);
    WAIT_FOR(&r->on, portal_of_rig(r)->mirrors[0].run == 0);
    return &portal_of_rig(r)->mirrors[0];
}

static void may_be_looked_for(struct rig *r)
{
    rig_run(r, "INSERT INTO potok_cursor (portal, entity, name, value, at_ms) VALUES ('main', 'deals', "
               "'changed', 1, 1)");
}

TEST(a_look_that_may_not_begin_is_wished_on)
{
    struct rig *r = rig_new();
    struct mirror *m = synced(r);

    changed_look_now(r->on.s, 0, 1);
    changed_sweep_now(r->on.s, 0, 1);
    /* The database said no, and is not asked every turn. */
    WAIT_FOR(&r->on, m->changed_wait_ms > 0 && m->sweep_wait_ms > 0);
    CHECK(m->changed_wanted);
    CHECK(m->sweep_wanted);
    may_be_looked_for(r);
    struct msg *job = rig_next_job(r);
    CHECK(str_is(job->job.kind, "changed") || str_is(job->job.kind, "sweep"));
    WAIT_FOR(&r->on, !m->changed_wanted && !m->sweep_wanted);
    rig_free(r);
}

TEST(a_paused_entity_is_looked_through_when_it_goes_on)
{
    struct rig *r = rig_new();
    struct mirror *m = synced(r);

    may_be_looked_for(r);
    json_decref(rig_ask(r, "pause", "{\"entities\":[\"deal\"]}"));
    WAIT_FOR(&r->on, m->paused);
    changed_look_now(r->on.s, 0, 1);
    rig_turns(r, 300);
    CHECK(m->changed_wanted);
    CHECK_EQ(r->job_count, r->taken);
    json_decref(rig_ask(r, "resume", "{\"entities\":[\"deal\"]}"));
    CHECK_VIEW(rig_next_job(r)->job.kind, "changed");
    WAIT_FOR(&r->on, !m->changed_wanted);
    rig_free(r);
}

TEST(a_look_that_failed_for_good_is_wished_again_later)
{
    struct rig *r = rig_new();
    struct mirror *m = synced(r);

    may_be_looked_for(r);
    for (int i = 0; i < 2; i++) {
        const enum job_kind kind = i == 0 ? JOB_CHANGED : JOB_SWEEP;

        changed_failed(r->on.s, 0, 0, kind, "the list fails");
        CHECK(kind == JOB_CHANGED ? m->changed_wanted : m->sweep_wanted);
        CHECK((kind == JOB_CHANGED ? m->changed_wait_ms : m->sweep_wait_ms) > clock_mono_ms() + 10000);
    }
    rig_turns(r, 300);
    CHECK_EQ(r->job_count, r->taken);
    rig_free(r);
}

/* ---- an application's queue ---- */

static void stray_report(struct rig *r, uint64_t job, const char *outcome)
{
    const struct msg of = { .job = { .job = job, .d = 999 } };
    struct msg *m = rig_report(&of, outcome);

    WAIT_FOR(&r->on, bus_peers(r->fetcher) > 0 && bus_send(r->fetcher, &m) == BUS_SENT);
}

TEST(a_report_of_a_forgotten_call_leaves_the_queue_in_doubt)
{
    struct rig *r = rig_new();
    const struct offline *o = &portal_of_rig(r)->offline;

    stray_report(r, 7, "failed"); /* what has a row is none */
    stray_report(r, 0, "sent");
    stray_report(r, 0, "learnt"); /* it is answered: one look tells */
    WAIT_FOR(&r->on, o->unsure_ms > 0);
    CHECK(o->unsure_ms <= clock_mono_ms());
    stray_report(r, 0, "failed"); /* it may reserve yet */
    WAIT_FOR(&r->on, o->unsure_ms > clock_mono_ms() + 60000);
    rig_free(r);
}

TEST_MAIN(CASE(a_look_that_may_not_begin_is_wished_on),
    CASE(a_paused_entity_is_looked_through_when_it_goes_on),
    CASE(a_look_that_failed_for_good_is_wished_again_later),
    CASE(a_report_of_a_forgotten_call_leaves_the_queue_in_doubt))
