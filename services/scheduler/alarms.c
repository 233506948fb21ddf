#include "alarms.h"

#include "access/access.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SILENT_MS       30000 /* nothing of what was read reached the database for so long, or for ALARM_AFTER */
#define CLOCK_STEP_MS   60000
#define DRIFT_EVERY_MS  5000
#define DRIFT_NAMES_MAX 300

/* ---- who is told of what ---- */

void alarms_mirror(struct scheduler *s, int portal, int mirror, const char *name, const char *text)
{
    const struct portal *p = &s->portals[portal].portal;
    const char *entity = mirror >= 0 ? p->mirrors[mirror].entity->plural : "";

    if (text != NULL)
        alarm_raise(s->alarms, &(struct alarm){ name, p->config->name, entity, text });
    else
        alarm_clear(s->alarms, p->config->name, entity, name);
}

void alarms_portal(struct scheduler *s, int portal, const char *name, const char *text)
{
    alarms_mirror(s, portal, -1, name, text);
}

void alarms_run(struct scheduler *s, int portal, int mirror, const char *state, const char *error)
{
    if (strcmp(state, "done") == 0)
        alarms_mirror(s, portal, mirror, "sync.failed", NULL);
    else if (strcmp(state, "partial") == 0 || strcmp(state, "failed") == 0)
        alarms_mirror(s, portal, mirror, "sync.failed", error);
}

/* A portal that is not asked at all has an alarm of its own. */
void alarms_mark(struct scheduler *s, struct str portal, struct str entity, int64_t age_ms)
{
    int i = scheduler_portal_of(s, portal),
        mirror = i < 0 ? -1 : portal_mirror(&s->portals[i].portal, entity);

    if (mirror < 0)
        return;
    const struct portal *p = &s->portals[i].portal;
    bool asked = !portal_is_shut(p) && !p->breaker.open && !portal_is_unwell(p) && !p->mirrors[mirror].paused;

    if (age_ms < s->alarm.mark_age_ms)
        alarms_mirror(s, i, mirror, "mark.old", NULL);
    else if (asked)
        alarms_mirror(s, i, mirror, "mark.old", "the oldest waits for longer than ALARM_MARK_AGE");
}

void alarms_fields_gone(struct scheduler *s, int portal, struct str entity, const char *names)
{
    int mirror = portal_mirror(&s->portals[portal].portal, entity);

    if (mirror >= 0)
        alarms_mirror(s, portal, mirror, "fields.gone", names);
}

/* ---- by looking ---- */

/* `potok portal logout`: who did it needs no alarm, and it is no word of the portal. */
static bool is_taken_back(const struct portal *p)
{
    return strncmp(p->error, ACCESS_TAKEN_BACK, strlen(ACCESS_TAKEN_BACK)) == 0;
}

static void look_at_portal(struct scheduler *s, int portal)
{
    const struct portal *p = &s->portals[portal].portal;
    uint64_t *ok_seen = &s->portals[portal].ok_when_stopped;

    alarms_portal(s, portal, "portal.unwell",
        portal_is_unwell(p) && !portal_is_shut(p) && !p->breaker.open ? p->error : NULL);
    alarms_portal(s, portal, "portal.overload",
        !p->breaker.open      ? NULL
        : p->error[0] != '\0' ? p->error
                              : "OVERLOAD_LIMIT");
    if (p->state == PORTAL_STOPPED) {
        *ok_seen = p->ok_count;
        alarms_portal(s, portal, "portal.stopped", is_taken_back(p) ? NULL : p->error);
    } else if (p->ok_count != *ok_seen) { /* that it is to be tried again does not make it well */
        alarms_portal(s, portal, "portal.stopped", NULL);
    }
}

static bool mirror_waits(const struct mirror *m)
{
    return !m->paused && !m->refused && (m->run > 0 || m->probe_wanted || m->marks_due[0] || m->marks_due[1]);
}

static bool work_waits(const struct scheduler *s)
{
    for (int i = 0; i < s->portal_count; i++) {
        const struct portal *p = &s->portals[i].portal;

        for (int k = 0; k < p->mirror_count && !portal_is_shut(p); k++)
            if (p->jobs != NULL || mirror_waits(&p->mirrors[k]))
                return true;
    }
    return false;
}

static void look_at(struct scheduler *s, const char *name, bool holds, const char *text)
{
    if (holds)
        alarm_raise(s->alarms, &(struct alarm){ name, "", "", text });
    else
        alarm_clear(s->alarms, "", "", name);
}

/* The wall clock against the other one; what is slewed stays far below. */
static void look_at_clock(struct scheduler *s, uint64_t now_ms)
{
    int64_t apart = (int64_t)(clock_wall_ms() - now_ms), step = apart - s->clocks_apart_ms;
    char text[80];

    if (s->clocks_seen && (step > CLOCK_STEP_MS || step < -CLOCK_STEP_MS)) {
        snprintf(text, sizeof(text), "by %+lld s", (long long)(step / 1000));
        alarm_raise(s->alarms, &(struct alarm){ "clock.step", "", "", text });
    }
    s->clocks_apart_ms = apart;
    s->clocks_seen = true;
}

/* ---- fields that somebody has to decide about ---- */

struct drift_look {
    struct scheduler *s;
    char names[CONFIG_PORTALS_MAX][PORTAL_ENTITIES_MAX][DRIFT_NAMES_MAX];
};

static int on_field(void *ctx, const struct db_val *row, int columns)
{
    struct drift_look *x = ctx;
    int portal = scheduler_portal_of(x->s, row[0].s);
    int mirror = portal < 0 ? -1 : portal_mirror(&x->s->portals[portal].portal, row[1].s);

    if (mirror < 0)
        return 0;
    char *names = x->names[portal][mirror];
    size_t n = strlen(names);

    if (n + row[2].s.n + 3 < DRIFT_NAMES_MAX)
        snprintf(names + n, DRIFT_NAMES_MAX - n, "%s" STR_FMT, n > 0 ? ", " : "", STR_ARG(row[2].s));
    return 0;
}

static int drift_work(void *ctx, struct db *db, struct err *err)
{
    return db_run(db,
        "SELECT f.portal, f.entity, f.name FROM potok_field f JOIN potok_entity e ON e.portal = f.portal "
        "AND e.entity = f.entity LEFT JOIN potok_column c ON c.tbl = e.tbl AND c.col = f.col "
        "WHERE f.gone_ms IS NULL AND (f.held <> 0 OR (c.kind <> f.kind AND f.name <> 'ID')) "
        "ORDER BY f.portal, f.entity, f.name",
        DB_NOARGS, on_field, ctx, NULL, err);
}

static void drift_done(void *ctx, int status, const struct err *err)
{
    struct drift_look *x = ctx;
    struct scheduler *s = x->s;

    for (int i = 0; i < s->portal_count && status == 0; i++)
        for (int k = 0; k < s->portals[i].portal.mirror_count; k++)
            alarms_mirror(s, i, k, "fields.drift", x->names[i][k][0] != '\0' ? x->names[i][k] : NULL);
    s->drift_at_ms = clock_mono_ms() + DRIFT_EVERY_MS;
    free(x);
}

static void look_at_fields(struct scheduler *s, uint64_t now_ms)
{
    if (s->pool == NULL || s->stopping || now_ms < s->drift_at_ms)
        return;
    struct drift_look *x = xcalloc(1, sizeof(*x));

    x->s = s;
    s->drift_at_ms = UINT64_MAX; /* until this one is done */
    db_pool_do(s->pool, DB_BULK, drift_work, drift_done, x);
}

void alarms_refresh(struct scheduler *s, uint64_t now_ms)
{
    uint64_t silent_ms = s->alarm.after_ms < SILENT_MS ? (uint64_t)s->alarm.after_ms : SILENT_MS;

    for (int i = 0; i < s->portal_count; i++)
        look_at_portal(s, i);
    look_at(s, "fetcher.none", s->crew.count == 0 && work_waits(s), "no READY of any fetcher");
    look_at(s, "writer.none", s->unwritten_ms > 0 && now_ms - s->unwritten_ms >= silent_ms,
        "no DONE for what fetchers sent on");
    look_at(s, "database.lost", s->step_lost, s->step_error);
    look_at_clock(s, now_ms);
    look_at_fields(s, now_ms);
}

/* ---- the table ---- */

struct keep {
    struct step step;
    struct store_who who;
    struct store_alarms store;
};

static int keep_work(struct step *step, struct db *db, struct err *err)
{
    struct keep *x = (struct keep *)step;

    return store_keep_alarms(db, &x->who, &x->store, err);
}

static void keep_done(struct step *step)
{
}

/* Alarms are worth no death. */
static void keep_failed(struct step *step, const struct err *err)
{
    struct keep *x = (struct keep *)step;

    log_ev(LOG_DEBUG, "alarm.unwritten", kv_err(err));
    if (err->kind == ERR_TEMP || err->kind == ERR_WAIT || err->kind == ERR_LIMIT)
        alarms_keep_again(step->s->alarms, x->store.list, x->store.count);
}

static void keep_free(struct step *step)
{
    struct keep *x = (struct keep *)step;

    free(x->store.list);
    free(x);
}

struct step *alarms_step(struct scheduler *s)
{
    if (s->portal_count == 0 || !alarms_changed(s->alarms))
        return NULL;
    struct keep *x = xcalloc(1, sizeof(*x));

    x->step = (struct step){ .name = "alarms",
        .work = keep_work,
        .done = keep_done,
        .failed = keep_failed,
        .free = keep_free,
        .once = true };
    x->who = scheduler_who(&s->portals[0].portal);
    x->store.list = xcalloc(ALARMS_MOST, sizeof(*x->store.list));
    x->store.count = alarms_take(s->alarms, x->store.list, ALARMS_MOST);
    return &x->step;
}

int alarms_last(struct scheduler *s, struct db *db, struct err *err)
{
    struct step *step = alarms_step(s);

    if (step == NULL)
        return 0;
    int failed = step->work(step, db, err);
    step->free(step);
    return failed;
}

int alarms_read(struct scheduler *s, struct db *db, struct err *err)
{
    free(s->alarms_kept.list);
    s->alarms_kept = (struct store_alarms){ 0 };
    return store_load_alarms(db, &s->alarms_kept, err);
}

/* Of mirrors that are no longer configured nobody would ever say that it is over. */
static bool is_ours(const struct scheduler *s, const struct alarm_row *r)
{
    int portal = scheduler_portal_of(s, str_of(r->portal));

    if (r->portal[0] == '\0')
        return true;
    return portal >= 0 &&
           (r->entity[0] == '\0' || portal_mirror(&s->portals[portal].portal, str_of(r->entity)) >= 0);
}

void alarms_begin(struct scheduler *s)
{
    for (int i = 0; i < s->alarms_kept.count; i++)
        if (is_ours(s, &s->alarms_kept.list[i]))
            alarms_load(s->alarms, &s->alarms_kept.list[i]);
    free(s->alarms_kept.list);
    s->alarms_kept = (struct store_alarms){ 0 };
}
