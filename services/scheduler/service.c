#include "scheduler.h"

#include "access/access.h"
#include "services/ports.h"

static const struct setting SETTINGS[] = {
    SET_SECRET(struct scheduler, database_url, "DATABASE_URL",
        "database: sqlite:///relative, sqlite:////absolute or postgresql://user:password@host/database; "
        "empty: potok.db in POTOK_HOME"),
    SET_SECRET(struct scheduler, secret_key, "POTOK_SECRET_KEY",
        "seals the tokens of portals that are reached as an application; 32 characters at least, several by "
        "commas: "
        "the first seals, any opens"),
    SET_STR(struct scheduler, bus_where, "BUS_SCHEDULER", "ipc",
        "where fetchers, writers and potok find it: ipc or tcp://127.0.0.1:port"),
    SET_MS(struct scheduler, job_deadline_ms, "JOB_DEADLINE", "75s", 1000, 600000,
        "from sending a job to its REPORT; the portal cuts a call at 60 s"),
    SET_MS(struct scheduler, done_deadline_ms, "DONE_DEADLINE", "10s", 100, 160000,
        "from REPORT to DONE; doubled for each attempt of the job"),
    SET_INT(struct scheduler, jobs_unfinished, "JOBS_UNFINISHED", "8", 1, 64,
        "jobs sent and not yet in the database, all portals: bounds memory"),
    SET_INT(
        struct scheduler, portal_parallel, "PORTAL_PARALLEL", "8", 1, 50, "calls under way at one portal"),
    SET_INT(struct scheduler, operating_limit_s, "OPERATING_LIMIT_SECONDS", "480", 0, 86400,
        "seconds a method may work in ten minutes; 0 = no such limit"),
    SET_INT(struct scheduler, sync_interval_min, "SYNC_DEFAULT_INTERVAL_MINUTES", "30", 0, 525600,
        "a full sync begins again so long after the last began; 0 = only on demand"),
    SET_INT(struct scheduler, incremental_s, "SYNC_INCREMENTAL_SECONDS", "60", 0, 86400,
        "how often each entity is asked what changed: one call; 0 = never. Unless told, "
        "SYNC_DEFAULT_INTERVAL_MINUTES where that is told"),
    SET_INT(struct scheduler, sweep_min, "SYNC_SWEEP_MINUTES", "60", 0, 525600,
        "how often all ids are listed to find what is gone, unless a full sync did it; 0 = on demand only"),
    SET_INT(struct scheduler, history_days, "SYNC_HISTORY_DAYS", "90", 0, 36500,
        "rows of potok_run are kept so long, of runs that moved nothing a tenth of it, the newest ten of an "
        "entity for ever; 0 = all are"),
    SET_MS(struct scheduler, floor_interval_ms, "FLOOR_INTERVAL", "5s", 50, 600000,
        "how often the floor rises and counters are written"),
    SET_MS(struct scheduler, takeover_ms, "SCHEDULER_TAKEOVER", "3s", 1500, 600000,
        "a standby takes over when the active scheduler's beat has stood still for so long"),
    SET_MS(struct scheduler, overload_pause_ms, "PORTAL_OVERLOAD_PAUSE", "10m", 100, 86400000,
        "a portal that blocked us for overload (OVERLOAD_LIMIT) is left alone so long, then twice as long, "
        "up to 24 times"),
    ALARM_SETTINGS(struct scheduler, alarm),
    SET_STR(struct scheduler, public_url, "PUBLIC_URL", "",
        "where portals reach the gateway: https://potok.example.com; former addresses after commas"),
    SET_INT(struct scheduler, guardian_min, "GUARDIAN_MINUTES", "60", 0, 525600,
        "how often an application's subscriptions to events are looked at; 0 = only at start"),
    SET_MS(struct scheduler, portal_limit_ms, "PORTAL_CALL_LIMIT", "60s", 1000, 3600000,
        "a portal has done or given up so late what it was called for: 60 s in the cloud, as its server is "
        "set "
        "elsewhere; what became of a write is not looked at before"),
    SET_INT(struct scheduler, offline_s, "OFFLINE_SECONDS", "5", 1, 3600,
        "how often an application's queue of events is read (events: offline)"),
    SET_END,
};

static void check(const struct config *config, void *state, struct mistakes *all)
{
    const struct scheduler *s = state;

    access_check(config, s, all);
    alarm_settings_check_all(&s->alarm, all);
}

const struct app_def SCHEDULER = {
    .name = "scheduler",
    .about = "cuts work into jobs and spends each portal's budget where it is worth most",
    .metrics_port = PORT_scheduler,
    .settings = SETTINGS,
    .state_size = sizeof(struct scheduler),
    .check = check,
    .start = scheduler_start,
    .stop_soon = scheduler_stop_soon,
    .stop = scheduler_stop,
    .ready = lease_ready,
    .standby = lease_stands_by,
    .busy = scheduler_busy,
    .detail = control_detail,
};
