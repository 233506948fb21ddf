/* A gateway that is removed for good: it takes nothing more, and what its spool holds goes to the scheduler
 * first. */
#include "gateway.h"

#include "base/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Looked for by `potok spool drain`. */
static void path_of_sign(const struct gateway *g, char ret[static 400])
{
    snprintf(ret, 400, "%s/%s.drained", g->app->run_dir, g->app->instance);
}

void drain_forget(const struct gateway *g)
{
    char path[400];

    path_of_sign(g, path);
    unlink(path);
}

static void leave_sign(const struct gateway *g)
{
    char path[400];
    int fd;

    path_of_sign(g, path);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0)
        close(fd);
}

void drain_begin(struct gateway *g)
{
    if (g->drained)
        leave_sign(g); /* asked once more: who asks took the sign away */
    if (g->draining)
        return;
    g->draining = true;
    log_ev(LOG_INFO, "spool.draining", kv_u("waiting", hand_waiting(&g->hand)));
}

/* Everything is acknowledged, and forgotten on disk too. */
static bool is_over(const struct gateway *g)
{
    return g->open && g->in_hand == 0 && hand_idle(&g->hand);
}

void drain_turn(struct gateway *g)
{
    if (!g->draining || g->drained || !is_over(g))
        return;
    g->drained = true;
    log_event(LOG_INFO, "spool.drained");
    leave_sign(g);
    if (g->drain)
        app_quit(g->app);
}
