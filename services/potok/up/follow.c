/* follow.c - the syncs that these services do, followed to their ends: by the scheduler's answers, one a
 * tick. */
#include "up.h"

#include "base/clock.h"
#include "command.h"
#include "words/say.h"

#include <stdio.h>
#include <string.h>

#define QUIET_MS 2000 /* ready, and no sync has begun: there is none to wait for */

static void runs_take(struct up *u, struct str body)
{
    run_set_take(&u->wanted, body);
    u->phase = UP_RUNNING;
    u->reached_ms = clock_mono_ms();
}

static void on_sync(void *ctx, int status, struct str body, const struct err *err)
{
    struct up *u = ctx;

    if (u->phase == UP_STOPPING)
        return;
    if (status == 0) {
        runs_take(u, body);
        if (u->wanted.count == 0)
            up_fail(u, EXIT_FAILED, "%s", say("нечего зеркалировать", "there is nothing to mirror"));
    } else if (err->kind != ERR_TEMP) {
        up_fail(u, EXIT_FAILED, "%s", err->text);
    }
}

/* A single sync is of what `sync` answered with: an entity that is paused is not waited for. */
static bool is_asked_for(const struct up *u, const struct run_view *r)
{
    for (int i = 0; i < u->view.now.run_count; i++) {
        const struct run_view *other = &u->view.now.runs[i];

        if (run_set_has(&u->wanted, other->id) && strcmp(other->portal, r->portal) == 0 &&
            strcmp(other->entity, r->entity) == 0)
            return true;
    }
    return false;
}

/* Ours to show: begun by these services, or left open by those before them. */
static bool is_ours(const struct up *u, const struct run_view *r)
{
    return (r->id > u->runs_before || !run_ended(r) || r->finished_ms > u->since_ms) &&
           (!u->once || is_asked_for(u, r));
}

/* A run of ours that is not on show yet is shown, whatever it came to meanwhile; one that ended is told once.
 * Failures are told together, and not here when the summary follows at once. */
static void runs_follow(struct up *u)
{
    struct run_set failed = { .count = 0 };
    char name[120];
    struct buf out;

    buf_init(&out, 65536);
    for (int i = 0; i < u->view.now.run_count; i++) {
        const struct run_view *r = &u->view.now.runs[i];

        if (is_ours(u, r) && !run_set_has(&u->wanted, r->id)) {
            run_set_add(&u->wanted, r->id);
            buf_fmt(&out, "%s: %s\n", view_name(&u->view, r, name, sizeof(name)),
                say("синхронизация началась", "the sync has begun"));
        }
        if (!run_set_has(&u->wanted, r->id) || !run_ended(r) || !view_tell_once(&u->view, r->id))
            continue;
        if (run_failed(r) && r->read == 0)
            run_set_add(&failed, r->id);
        else
            view_ended(&u->view, r, &out);
    }
    if (!view_all_ended(&u->view, &u->wanted))
        view_failures(&u->view, &failed, &out);
    if (out.n > 0)
        screen_print(&u->screen, buf_cstr(&out));
    buf_fini(&out);
}

/* Not --once: when all that was on show has ended, the table is shown and the slate is clean. */
static void runs_settle(struct up *u, uint64_t now_ms)
{
    bool quiet = u->told_ready && now_ms - u->ready_ms > QUIET_MS && u->wanted.count == 0 && !u->failed;

    if (view_all_ended(&u->view, &u->wanted)) {
        up_summary(u);
        u->failed = view_failed_count(&u->view, &u->wanted) > 0;
        for (int i = 0; i < u->wanted.count; i++) {
            const struct run_view *r = snapshot_run(&u->view.now, u->wanted.ids[i]);

            if (u->wanted.ids[i] > u->runs_before)
                u->runs_before = u->wanted.ids[i];
            if (r != NULL && r->finished_ms > u->since_ms)
                u->since_ms = r->finished_ms;
        }
        u->runs_since = u->runs_before;
        u->wanted.count = 0;
        quiet = true;
    }
    if (quiet && !u->told_steps)
        up_tell_staying(u);
}

/* No run on show is past its first questions. */
static bool only_probing(const struct up *u)
{
    for (int i = 0; i < u->view.now.run_count; i++) {
        const struct run_view *r = &u->view.now.runs[i];

        if (run_set_has(&u->wanted, r->id) && !run_ended(r) && strcmp(r->state, "probing") != 0)
            return false;
    }
    return true;
}

/* What keeps the sync from going on, or NULL while it goes: a portal in trouble, or one whose fields nobody
 * could learn yet. */
static const char *trouble(const struct up *u, const char **ret_what)
{
    bool stuck = only_probing(u);

    *ret_what = say("портал недоступен", "the portal is out of reach");

    for (int i = 0; i < u->view.now.portal_count; i++) {
        const struct portal_view *p = &u->view.now.portals[i];

        if (p->error[0] != '\0' && (stuck || strcmp(p->state, "ok") != 0))
            return p->error;
    }
    for (int i = 0; i < u->view.now.run_count && stuck; i++) {
        const struct run_view *r = &u->view.now.runs[i];

        if (run_set_has(&u->wanted, r->id) && !run_ended(r) && r->error[0] != '\0') {
            *ret_what = say("не удалось узнать поля", "fields could not be learnt");
            return r->error;
        }
    }
    return stuck ? say("описание полей не получено; см. `potok logs scheduler`",
                       "it did not describe its fields; see `potok logs scheduler`")
                 : NULL;
}

static void portals_watch(struct up *u, uint64_t now_ms)
{
    const char *what, *why = trouble(u, &what);
    const struct portal_view *waits = view_unconnected(&u->view, &u->wanted);

    if (waits != NULL)
        up_fail(u, EXIT_FAILED, "%s", waits->error);
    else if (why == NULL)
        u->reached_ms = now_ms;
    else if (now_ms - u->reached_ms >= (uint64_t)u->home->patience_ms)
        up_fail(u, EXIT_FAILED, "%s: %s", what, why);
}

static void once_settle(struct up *u, uint64_t now_ms)
{
    uint64_t failing, marks = view_marks(&u->view, &u->wanted, &failing);

    if (!view_all_ended(&u->view, &u->wanted)) {
        portals_watch(u, now_ms);
        return;
    }
    const struct portal_view *stopped = view_stopped(&u->view, &u->wanted);

    if (marks > 0 && view_failed_count(&u->view, &u->wanted) == 0 && stopped == NULL)
        return; /* what lists left out is asked for one by one */
    up_summary(u);
    if (stopped != NULL) {
        up_fail(u, EXIT_FAILED, "%s %s", say("портал остановлен:", "the portal is stopped:"), stopped->error);
        return;
    }
    if (view_failed_count(&u->view, &u->wanted) == 0)
        up_tell_steps(u);
    if (view_failed_count(&u->view, &u->wanted) > 0)
        up_fail(u, EXIT_FAILED, "%s", say("не всё удалось, см. выше", "not everything went well, see above"));
    else if (failing > 0)
        up_fail(u, EXIT_FAILED, "%s: %llu",
            say("записей, которые не удалось проверить", "records that could not be looked up"),
            (unsigned long long)failing);
    else
        up_stop(u, EXIT_WELL);
}

static void on_state(void *ctx, int status, struct str body, const struct err *err)
{
    struct up *u = ctx;
    struct snapshot *now = &u->fresh;
    struct err ignored;
    uint64_t now_ms = clock_mono_ms();

    if (u->phase == UP_STOPPING || status < 0 || snapshot_read(now, body, &ignored) < 0)
        return; /* asked again at the next tick */
    u->answered_ms = now_ms;
    view_seen(&u->view, now, now_ms);
    u->phase = UP_RUNNING;
    runs_follow(u);
    if (u->once)
        once_settle(u, now_ms);
    else
        runs_settle(u, now_ms);
}

void up_follow(struct up *u)
{
    char since[48];

    if (control_busy(&u->control))
        return;
    snprintf(since, sizeof(since), "{\"since\":%llu}", (unsigned long long)u->runs_since);
    if (u->once && u->phase == UP_STARTING)
        control_ask(&u->control, "sync", "{}", CONTROL_TIMEOUT_MS, on_sync, u);
    else
        control_ask(&u->control, "status", since, CONTROL_TIMEOUT_MS, on_state, u);
}
