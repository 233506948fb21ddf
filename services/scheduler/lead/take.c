/* Taking up the work: what the former scheduler left in the database, read before anything is sent. */
#include "scheduler.h"

#include "alarms.h"
#include "access/access.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/webhook.h"
#include "work/overload.h"
#include "work/spend.h"

#include <stdlib.h>

static void take_up(struct scheduler *s, struct mirror *m, const struct store_mirror *row, struct portal *p)
{
    mirror_set_schema(m, buf_view(&row->schema));
    m->run = row->run;
    m->run_state = row->run == 0 ? RUN_NONE : row->probing ? RUN_PROBING : RUN_OPEN;
    /* Of an open run the bounds were only remembered. */
    m->probe_wanted = m->run_state == RUN_OPEN || row->wished[CURSOR_FIELDS];
    m->sweep_wanted = row->wished[CURSOR_SWEEP];
    m->ever_full = m->ghosts = row->ever_full;
    m->shape = row->shape;
    m->paused = row->paused;
    m->run_started_ms = row->started_ms;
    struct config_when plan = config_when(p->config, m->entity->plural);
    when_init(
        &m->when, &plan, s->sync_interval_min * 60000, row->ever_full, row->started_ms, clock_wall_ms());
    if (row->floor > p->floor)
        p->floor = row->floor;
}

/* What the views of one portal's identity point into. */
struct mine {
    struct str tables[PORTAL_ENTITIES_MAX];
    char host[WEBHOOK_IDENTITY_SIZE];
};

/* Whose copy the tables are to be. The views point into the portal and into `ret`. */
static struct db_identity identity_of(const struct portal *p, struct mine *ret)
{
    webhook_identity(config_portal_url(p->config), ret->host);
    for (int i = 0; i < p->mirror_count; i++)
        ret->tables[i] = str_of(p->mirrors[i].table);
    return (struct db_identity){ p->name, str_of(ret->host), ret->tables, p->mirror_count };
}

/* Every portal is looked at before any lease is taken: a mistake in one changes nothing of the others. */
int take_check(struct scheduler *s, struct db *db, struct err *err)
{
    struct mine mine;

    for (int i = 0; i < s->portal_count; i++) {
        struct db_identity who = identity_of(&s->portals[i].portal, &mine);

        if (db_identity_check(db, &who, err) < 0)
            return -1;
    }
    return 0;
}

static int take_leases(
    struct scheduler *s, struct db *db, uint64_t patience_ms, bool *ret_taken, struct err *err)
{
    struct store_take *list = xcalloc((size_t)s->portal_count, sizeof(*list));
    struct mine *mine = xcalloc((size_t)s->portal_count, sizeof(*mine));
    uint64_t now = clock_mono_ms(), wall = clock_wall_ms();

    for (int i = 0; i < s->portal_count; i++) {
        list[i].who = identity_of(&s->portals[i].portal, &mine[i]);
        list[i].seen = s->lease.seen[i];
    }
    int failed = store_take_leases(
        db, str_of(s->lease.holder), wall, patience_ms, list, s->portal_count, ret_taken, err);
    for (int i = 0; i < s->portal_count && failed == 0 && *ret_taken; i++) {
        struct portal *p = &s->portals[i].portal;
        const struct store_lease *lease = &list[i].lease;

        p->epoch = lease->epoch;
        p->tick = lease->tick;
        bucket_restore(&s->buckets, spend_bucket(s, p, "", now), lease->bucket, lease->bucket_ms, wall, now);
    }
    free(mine);
    free(list);
    return failed;
}

static int load_portal(struct scheduler *s, struct db *db, struct portal *p, struct err *err)
{
    for (int i = 0; i < p->mirror_count; i++) {
        struct store_who who = scheduler_who(p);
        struct store_mirror row = { .entity = str_of(p->mirrors[i].entity->plural),
            .table = str_of(p->mirrors[i].table) };
        int failed = store_load_mirror(db, &who, &row, err);

        if (failed == 0)
            take_up(s, &p->mirrors[i], &row, p);
        if (failed == 0 && row.lifted)
            log_ev(LOG_INFO, "sync.again", kv_str("portal", p->name), kv_str("entity", row.entity),
                kv_u("run", row.run));
        if (failed == 0 && row.former[0] != '\0')
            log_ev(LOG_INFO, "mirror.moved", kv_str("portal", p->name), kv_str("entity", row.entity),
                kv_s("from", row.former), kv_str("to", row.table));
        store_mirror_fini(&row);
        if (failed < 0)
            return -1;
    }
    if (overload_read(s, p, db, err) < 0)
        return -1;
    if (access_load(s, db, scheduler_portal_of(s, p->name), err) < 0)
        return -1;
    p->scan_wanted = true;
    log_ev(LOG_INFO, "portal.opened", kv_str("portal", p->name), kv_url("url", config_portal_url(p->config)),
        kv_u("epoch", p->epoch), kv_u("tick", p->tick), kv_i("entities", p->mirror_count));
    return 0;
}

int take_all(struct scheduler *s, struct db *db, uint64_t patience_ms, bool *ret_taken, struct err *err)
{
    int failed = take_leases(s, db, patience_ms, ret_taken, err);

    for (int i = 0; i < s->portal_count && failed == 0 && *ret_taken; i++)
        failed = load_portal(s, db, &s->portals[i].portal, err);
    if (failed == 0 && *ret_taken)
        failed = alarms_read(s, db, err);
    return failed;
}
