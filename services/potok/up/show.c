/* show.c - what `potok up` shows: the plan, services and progress while they go, what hinders them, and at
 * the end what one may do next. */
#include "up.h"

#include "base/clock.h"
#include "base/log.h"
#include "words/say.h"
#include "service_state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LINES_EVERY_MS  5000 /* progress where there is no terminal */
#define SILENT_MS       3000 /* no answer for so long is told */
#define TROUBLE_TOLD_MS 1000

/* A path as a shell takes it. */
static void shell_word(const char *path, struct buf *out)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./+:,@%";

    if (path[strspn(path, plain)] == '\0') {
        buf_str(out, path);
        return;
    }
    buf_char(out, '\'');
    for (const char *p = path; *p != '\0'; p++) {
        if (*p == '\'')
            buf_str(out, "'\\''");
        else
            buf_char(out, *p);
    }
    buf_char(out, '\'');
}

void up_tell_steps(struct up *u)
{
    const char *path = u->home->database_file;
    const struct run_view *r = u->view.now.run_count > 0 ? &u->view.now.runs[0] : NULL;
    struct buf out;

    for (int i = 0; i < u->view.now.run_count; i++) {
        if (str_is(str_of(u->view.now.runs[i].entity), "deals"))
            r = &u->view.now.runs[i];
    }
    if (path == NULL || r == NULL || r->table[0] == '\0')
        return;
    buf_init(&out, 65536);
    buf_fmt(&out, "%s:\n  sqlite3 ", say("Попробуйте", "Try"));
    shell_word(path, &out);
    if (str_is(str_of(r->entity), "deals"))
        buf_fmt(&out,
            " \"SELECT stage_id, currency_id, count(*), printf('%%.2f', sum(opportunity)) FROM %s "
            "WHERE _deleted_at IS NULL GROUP BY 1, 2\"\n",
            r->table);
    else
        buf_fmt(&out, " \"SELECT count(*) FROM %s WHERE _deleted_at IS NULL\"\n", r->table);
    screen_print(&u->screen, buf_cstr(&out));
    buf_fini(&out);
}

void up_summary(struct up *u)
{
    struct buf out;

    buf_init(&out, 1 << 20);
    view_summary(&u->view, &u->wanted, screen_colour(), &out);
    screen_printf(&u->screen, "\n");
    screen_print(&u->screen, buf_cstr(&out));
    buf_fini(&out);
}

void up_tell_staying(struct up *u)
{
    if (u->failed) {
        screen_printf(&u->screen, "%s\n",
            say("Не всё зеркалируется. Исправьте, затем: potok sync. Ctrl-C остановит всё.",
                "Not everything is mirrored. Put it right, then: potok sync. Ctrl-C stops everything."));
        return;
    }
    struct buf self; /* as it was started: what is not on PATH has to be called by its path */

    u->told_steps = true;
    up_tell_steps(u);
    buf_init(&self, 65536);
    shell_word(program_invocation_name, &self);
    screen_printf(&u->screen, "  %s status\n", buf_cstr(&self));
    screen_printf(&u->screen, "  %s logs -f\n", buf_cstr(&self));
    buf_fini(&self);
    screen_printf(&u->screen, "%s\n",
        say("Зеркало работает; Ctrl-C остановит всё.", "The mirror is up; Ctrl-C stops everything."));
}

static const char *state_word(const struct child *c)
{
    if (c->state[0] != '\0')
        return service_state_name(c->state);
    return c->pid == 0 ? say("ждёт запуска", "waits") : "…";
}

static void services_block(const struct up *u, struct buf *out)
{
    for (int i = 0; i < u->supervise.count; i++) {
        const struct child *c = &u->supervise.list[i];

        buf_fmt(out, "%s%s %s", i > 0 ? "   " : "  ", c->instance, state_word(c));
    }
    buf_char(out, '\n');
}

/* Why nothing moves: services that do not answer or say they cannot, portals that are not well. */
static void troubles_collect(struct up *u, uint64_t now_ms)
{
    uint64_t silent_ms = now_ms - u->answered_ms;
    struct buf out;

    buf_init(&out, 65536);
    const char *holder = supervise_stands_by(&u->supervise);

    if (u->told_ready && holder != NULL)
        buf_fmt(&out, "%s: %s\n", say("в резерве: аренда у планировщика", "standby: the lease is held by"),
            holder);
    else if (u->told_ready && silent_ms > SILENT_MS)
        buf_fmt(&out, "scheduler.1: %s\n", say("не отвечает дольше 3 с", "no answer for over 3 s"));
    for (int i = 0; i < u->supervise.count; i++) {
        if (u->supervise.list[i].trouble[0] != '\0')
            buf_fmt(&out, "%s: %s\n", u->supervise.list[i].instance, u->supervise.list[i].trouble);
    }
    view_troubles(&u->view, &out);
    if (strncmp(u->trouble, buf_cstr(&out), sizeof(u->trouble) - 1) != 0) {
        snprintf(u->trouble, sizeof(u->trouble), "%s", buf_cstr(&out));
        u->trouble_ms = now_ms;
    }
    buf_fini(&out);
}

/* Once, and when it changes; what comes and goes within a second is nobody's business. */
static void troubles_tell(struct up *u, uint64_t now_ms)
{
    if (now_ms - u->trouble_ms < TROUBLE_TOLD_MS || strcmp(u->trouble, u->told_trouble) == 0)
        return;
    screen_print(
        &u->screen, u->trouble[0] != '\0' ? u->trouble : say("дальше без помех\n", "going on again\n"));
    memcpy(u->told_trouble, u->trouble, sizeof(u->trouble));
}

void up_draw(struct up *u, uint64_t now_ms)
{
    struct buf out;

    troubles_collect(u, now_ms);
    troubles_tell(u, now_ms);
    buf_init(&out, 1 << 20);
    if (u->screen.live) {
        services_block(u, &out);
        view_block(&u->view, &u->wanted, screen_colour(), &out);
        screen_block(&u->screen, buf_view(&out));
    } else if (now_ms - u->lines_ms >= LINES_EVERY_MS) {
        u->lines_ms = now_ms;
        view_lines(&u->view, &u->wanted, &out);
        screen_print(&u->screen, buf_cstr(&out));
    }
    buf_fini(&out);
}

/* Where webhooks come in, and who may send them. */
static void webhooks_tell(struct up *u)
{
    struct held_wish wish;

    if (u->listen_fd == 0 || held_wish(&wish, u->home, &(struct err){ 0 }) < 0)
        return;
    screen_printf(&u->screen, "%s: %s://%s/webhook/bitrix (%s)\n", say("Вебхуки", "Webhooks"),
        wish.tls ? "https" : "http", u->listen_address,
        wish.secret ? say("по токену", "by token")
        : wish.installs ? say("по токену, который принесёт установка приложения",
                              "by the token that the application's installation brings")
                        : say("только с этой машины", "from this machine only"));
}

/* What is about to happen: from where to where. */
void up_tell_plan(struct up *u)
{
    char url[512];

    for (int i = 0; i < u->home->config.portal_count; i++) {
        url_mask(str_of(config_portal_url(&u->home->config.portals[i])), url, sizeof(url));
        screen_printf(
            &u->screen, "%s %s: %s\n", say("Портал", "Portal"), u->home->config.portals[i].name, url);
    }
    url_mask(str_of(u->home->database_url), url, sizeof(url));
    screen_printf(&u->screen, "%s: %s\n", say("База данных", "Database"), url);
    webhooks_tell(u);
}
