/* `potok portal login`: the operator's browser asks the portal for a code; it comes back by the gateway, or
 * is pasted here. */
#include "cmd.h"

#include "ask/absence.h"
#include "base/clock.h"
#include "base/form.h"
#include "base/mem.h"
#include "words/say.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOK_EVERY_MS 500
#define ASK_EVERY_MS  2000

/* ---- what the browser shows ---- */

static struct str trim(struct str s)
{
    while (s.n > 0 && strchr(" \t\r\n", s.p[0]) != NULL)
        s = (struct str){ s.p + 1, s.n - 1 };
    while (s.n > 0 && strchr(" \t\r\n", s.p[s.n - 1]) != NULL)
        s.n--;
    return s;
}

static int no_code(struct err *err)
{
    return err_set(err, ERR_CONF, "%s",
        say("в этом адресе нет code=…: нужен адрес, на который портал вернул браузер",
            "there is no code=… in this address: it is the one to which the portal sent the browser back"));
}

int portal_code_read(struct str text, struct access *ret, char **ret_state, struct err *err)
{
    const char *query;
    struct form f;

    text = trim(text);
    query = text.n > 0 ? memchr(text.p, '?', text.n) : NULL;
    if (query == NULL || text.n > 4000)
        return no_code(err);
    query++;

    struct str rest = { query, (size_t)(text.p + text.n - query) };
    const char *hash = rest.n > 0 ? memchr(rest.p, '#', rest.n) : NULL;

    if (hash != NULL)
        rest.n = (size_t)(hash - rest.p);
    if (form_parse(&f, rest, err) < 0)
        return -1;
    *ret = (struct access){ .kind = ACCESS_CODE };
    access_set(&ret->code, form_get(&f, "code"));
    access_set(&ret->member_id, form_get(&f, "member_id"));
    access_set(&ret->domain, form_get(&f, "domain"));
    access_set(&ret->server, form_get(&f, "server_domain"));
    access_set(&ret->by, STR("operator"));
    *ret_state = str_dup(form_get(&f, "state").p != NULL ? form_get(&f, "state") : STR(""));
    form_free(&f);
    if (ret->code != NULL)
        return 0;
    access_free(ret);
    free(*ret_state);
    *ret_state = NULL;
    return no_code(err);
}

static void tell_done(const struct portal_cmd *c)
{
    printf("%s: %s\n", c->portal->name, say("портал подключён", "the portal is connected"));
}

/* The state says that it is the answer to a login of ours, and not one that somebody talked the operator
 * into. */
static int take_address(struct portal_cmd *c, const char *text, struct err *err)
{
    struct access given = { 0 };
    char *state = NULL;
    int result = portal_code_read(str_of(text), &given, &state, err);

    if (result < 0)
        return -1;
    result = access_state_check(&c->keys, c->portal->name, str_of(state), clock_wall_ms(), err);
    if (result == 0)
        result = portal_bring(c, &given, err);
    access_free(&given);
    free(state);
    if (result == 0)
        tell_done(c);
    return result;
}

/* ---- the login ---- */

static int print_address(struct portal_cmd *c, struct err *err)
{
    struct buf state, url;
    int result;

    buf_init(&state, 512);
    buf_init(&url, 4096);
    result = access_state_make(&c->keys, c->portal->name, clock_wall_ms(), &state, err);
    if (result == 0) {
        buf_fmt(&url, "%soauth/authorize/?client_id=", c->portal->address);
        buf_urlenc(&url, str_of(c->portal->app.client_id));
        buf_fmt(&url, "&state=%s", buf_cstr(&state));
        printf("%s\n\n  %s\n\n%s\n",
            say("Откройте в браузере (администратором портала, в течение 15 минут):",
                "Open this in a browser (as an administrator of the portal, within 15 minutes):"),
            buf_cstr(&url),
            say("Портал вернёт браузер к шлюзу (обработчик приложения — https://АДРЕС_ШЛЮЗА/oauth/callback), "
                "и здесь "
                "появится ответ.\nЕсли у шлюза нет адреса в интернете, вставьте сюда адрес, на котором "
                "браузер остановился "
                "(за 30 секунд):",
                "The portal sends the browser back to the gateway (the application's handler is "
                "https://GATEWAY/oauth/callback), and the answer appears here.\nWhere the gateway has no "
                "public address, "
                "paste here the address at which the browser ended (within 30 seconds):"));
        fflush(stdout);
    }
    buf_fini(&state);
    buf_fini(&url);
    return result;
}

/* 1: a line was typed; 0: not yet; -1: nobody will. */
static int read_line(char *line, size_t size, int wait_ms)
{
    struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };

    if (poll(&fd, 1, wait_ms) <= 0 || (fd.revents & (POLLIN | POLLHUP)) == 0)
        return 0;
    return fgets(line, (int)size, stdin) != NULL ? 1 : -1;
}

static int look_number(const struct portal_cmd *c, int64_t *ret)
{
    struct portal_look x;

    if (portal_look(&c->home, c->portal->name, &x, NULL) < 0)
        return -1;
    *ret = x.error[0] == '\0' && x.sealed ? x.number : 0;
    return 0;
}

/* What the scheduler has to say since: each reason once. */
static void tell_refusal(const struct portal_cmd *c, struct portal_refusal *told)
{
    struct portal_refusal now;

    if (!portal_refusal(&c->home, c->portal->name, &now) || now.number == told->number)
        return;
    if (strcmp(now.error, told->error) != 0)
        printf("%s: %s\n", say("пока не удалось", "no success yet"), now.error);
    fflush(stdout);
    *told = now;
}

static int wait_for(struct portal_cmd *c, int64_t before, struct portal_refusal *told, struct err *err)
{
    uint64_t until_ms = clock_mono_ms() + ACCESS_STATE_MS, ask_ms = 0;
    bool reads = true;
    char line[4096];
    int64_t number;

    while (clock_mono_ms() < until_ms) {
        int typed = reads ? read_line(line, sizeof(line), LOOK_EVERY_MS) : (poll(NULL, 0, LOOK_EVERY_MS), 0);

        reads = typed >= 0;
        if (typed > 0 && trim(str_of(line)).n > 0)
            return take_address(c, line, err);
        if (look_number(c, &number) == 0 && number > before) {
            tell_done(c);
            return 0;
        }
        if (clock_mono_ms() >= ask_ms) {
            tell_refusal(c, told);
            ask_ms = clock_mono_ms() + ASK_EVERY_MS;
        }
    }
    return err_set(err, ERR_TEMP, "%s",
        say("15 минут прошли, портал никого не прислал: начните снова",
            "15 minutes have passed and the portal sent nobody: begin again"));
}

int portal_login(struct portal_cmd *c, struct err *err)
{
    int64_t before = 0;
    struct portal_look x;
    struct portal_refusal told = { .number = 0 };

    if (c->args->option[PORTAL_CODE] != NULL)
        return take_address(c, c->args->option[PORTAL_CODE], err);
    if (absence_may_look(&c->home, err) < 0)
        return -1;
    if (portal_look(&c->home, c->portal->name, &x, NULL) == 0)
        before = x.number;
    if (portal_refusal(&c->home, c->portal->name, &told))
        told.error[0] = '\0'; /* of an earlier login: its number is known, its words may come again */
    if (print_address(c, err) < 0)
        return -1;
    return wait_for(c, before, &told, err);
}
