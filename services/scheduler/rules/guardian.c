#include "guardian.h"

#include "base/handler_key.h"
#include "base/mem.h"
#include "connectors/bitrix_write_answer.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is wanted ---- */

static bool is_unknown(const struct guardian_wish *w, const char *event)
{
    for (int i = 0; i < w->unknown_count; i++)
        if (strcmp(w->unknown[i], event) == 0)
            return true;
    return false;
}

static void add_line(
    struct guardian_plan *p, enum guardian_do what, bool offline, const char *event, const char *handler)
{
    if (p->count == p->cap) {
        p->cap = p->cap == 0 ? 64 : 2 * p->cap;
        p->lines = xrealloc(p->lines, (size_t)p->cap * sizeof(*p->lines));
    }
    p->lines[p->count] = (struct guardian_line){ what, offline, "", xstrdup(handler) };
    snprintf(p->lines[p->count].event, BITRIX_EVENT_NAME_SIZE, "%s", event);
    p->count++;
}

void guardian_plan_free(struct guardian_plan *p)
{
    for (int i = 0; i < p->count; i++)
        free(p->lines[i].handler);
    free(p->lines);
    *p = (struct guardian_plan){ 0 };
}

static void want(struct guardian_plan *p, const struct guardian_wish *w, const char *event, bool offline)
{
    if (is_unknown(w, event) || (!offline && w->urls->count == 0))
        return;
    add_line(p, GUARDIAN_BIND, offline, event, offline ? "" : w->handler);
    p->wanted++;
}

static void want_all(struct guardian_plan *p, const struct guardian_wish *w)
{
    char names[BITRIX_EVENTS_MAX][BITRIX_EVENT_NAME_SIZE];

    for (int i = 0; i < ENTITY_COUNT; i++) {
        const int n = w->entities >> i & 1 ? bitrix_events_of(&ENTITIES[i], names) : 0;

        for (int k = 0; k < n && w->online; k++)
            want(p, w, names[k], false);
        for (int k = 0; k < n && w->offline; k++)
            want(p, w, names[k], true);
    }
    if (w->offline)
        want(p, w, BITRIX_EVENT_QUEUE_NAME, false); /* wakes us up, where there is an address for it */
}

/* ---- what there is ---- */

static const char *text_of(const json_t *entry, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, key));

    return text != NULL ? text : "";
}

/* 1, "1", true, "Y" */
static bool flag_of(const json_t *entry, const char *key)
{
    const json_t *v = json_object_get(entry, key);
    const char *text = json_string_value(v);

    return json_is_true(v) || json_integer_value(v) != 0 ||
           (text != NULL && (strcmp(text, "1") == 0 || strcasecmp(text, "Y") == 0));
}

static bool is_ours(const struct guardian_wish *w, const json_t *entry)
{
    const char *connector = text_of(entry, "connector_id");

    if (connector[0] == '\0')
        connector = text_of(entry, "auth_connector");
    if (!w->connector)
        return connector[0] == '\0';
    return connector[0] == '\0' ? w->offline_sure : strcmp(connector, GUARDIAN_CONNECTOR) == 0;
}

static void drop_line(struct guardian_plan *p, int i)
{
    free(p->lines[i].handler);
    p->count--;
    memmove(&p->lines[i], &p->lines[i + 1], (size_t)(p->count - i) * sizeof(p->lines[0]));
    p->bound++;
}

static int find_line(const struct guardian_plan *p, const char *event, bool offline)
{
    for (int i = 0; i < p->count; i++)
        if (p->lines[i].what == GUARDIAN_BIND && p->lines[i].offline == offline &&
            strcasecmp(p->lines[i].event, event) == 0)
            return i;
    return -1;
}

/* Where our events go, as the portal shows it. */
static bool is_wanted_at(const struct guardian_plan *p, const struct guardian_wish *w, const char *handler)
{
    return w->urls->count > 0 && strcmp(handler, p->bare ? w->urls->handlers[0] : w->handler) == 0;
}

static void there_is(
    struct guardian_plan *p, const struct guardian_wish *w, const json_t *entry, bool offline)
{
    const int i = find_line(p, text_of(entry, "event"), offline);

    if (i >= 0 && (offline ? is_ours(w, entry) : is_wanted_at(p, w, text_of(entry, "handler"))))
        drop_line(p, i);
}

/* Some Potok's, whichever key it has. */
static bool has_our_path(const char *handler)
{
    const char *path = strstr(handler, PUBLIC_WEBHOOK_PATH);

    return path != NULL &&
           (strcmp(path, PUBLIC_WEBHOOK_PATH) == 0 || handler_is_keyed(path, PUBLIC_WEBHOOK_PATH));
}

/* Bound to our address, but not to the wanted one: with the key of another POTOK_SECRET_KEY, or from before
 * there were keys. It goes when its successor is seen to be there. Without one (nobody wants the event) a key
 * says that it was ours; an address alone does not. */
static bool is_replaced(struct guardian_plan *p, const struct guardian_wish *w,
    const struct guardian_plan *wanted, const char *event, const char *handler)
{
    const bool keyed = handler_is_keyed(handler, w->urls->handlers[0]);

    if (find_line(p, event, false) < 0)
        return keyed || find_line(wanted, event, false) >= 0;
    p->again = true;
    return false;
}

/* Of what is bound to one of our addresses and not wanted there, only what was bound to a former one goes: it
 * is certain that nobody needs it. */
static void look_at_handler(struct guardian_plan *p, const struct guardian_wish *w,
    const struct guardian_plan *wanted, const json_t *entry)
{
    const char *handler = text_of(entry, "handler"), *event = text_of(entry, "event");

    for (int i = 0; i < w->urls->count; i++) {
        const char *bare = w->urls->handlers[i];

        if (strcmp(handler, bare) != 0 && !handler_is_keyed(handler, bare))
            continue;
        if (strlen(event) < BITRIX_EVENT_NAME_SIZE && !is_wanted_at(p, w, handler) &&
            (i > 0 || is_replaced(p, w, wanted, event, handler)))
            add_line(p, GUARDIAN_UNBIND, false, event, handler);
        return;
    }
    p->strays += has_our_path(handler);
}

/* The portal took the wanted address, shows it nowhere, and shows the same one without its query. */
static bool is_bare(const struct guardian_wish *w, const json_t *list)
{
    const json_t *entry;
    bool bare = false, whole = false;
    size_t i;

    if (!w->tried || w->urls->count == 0)
        return false;
    json_array_foreach(list, i, entry) {
        whole |= strcmp(text_of(entry, "handler"), w->handler) == 0;
        bare |= strcmp(text_of(entry, "handler"), w->urls->handlers[0]) == 0;
    }
    return bare && !whole;
}

static void compare(struct guardian_plan *p, const struct guardian_wish *w, const json_t *list)
{
    struct guardian_plan wanted = { 0 };
    const json_t *entry;
    size_t i;

    want_all(&wanted, w);
    want_all(p, w);
    p->connector = w->connector;
    p->bare = is_bare(w, list);
    json_array_foreach(list, i, entry) {
        there_is(p, w, entry, flag_of(entry, "offline"));
    }
    for (int k = 0; k < p->count; k++) /* does the portal show what it takes? */
        p->again |= !p->lines[k].offline && strcmp(w->handler, w->urls->handlers[0]) != 0;
    json_array_foreach(list, i, entry) {
        if (!flag_of(entry, "offline"))
            look_at_handler(p, w, &wanted, entry);
    }
    guardian_plan_free(&wanted);
}

int guardian_compare(
    struct guardian_plan *ret, const struct guardian_wish *wish, struct str have, struct err *err)
{
    json_t *list = json_loadb(have.p, have.n, JSON_DECODE_ANY, NULL);

    *ret = (struct guardian_plan){ 0 };
    if (!json_is_array(list)) {
        json_decref(list);
        return err_set(err, ERR_TEMP, "event.get: no list of subscriptions");
    }
    compare(ret, wish, list);
    json_decref(list);
    return 0;
}

/* ---- what is asked, and what was answered ---- */

static struct str params_of(const struct guardian_line *l, bool connector, struct buf *room)
{
    const size_t at = room->n;
    json_t *params = l->offline ? json_pack("{s:s, s:s}", "event", l->event, "event_type", "offline")
                                : json_pack("{s:s, s:s}", "event", l->event, "handler", l->handler);

    if (l->offline && connector)
        json_object_set_new(params, "auth_connector", json_string(GUARDIAN_CONNECTOR));
    char *text = json_dumps(params, JSON_COMPACT);

    buf_str(room, text);
    free(text);
    json_decref(params);
    return (struct str){ room->p + at, room->n - at };
}

int guardian_calls(
    const struct guardian_plan *p, int from, struct call ret[static CALLS_MAX], struct buf *room)
{
    static const struct str methods[] = {
        [GUARDIAN_BIND] = STR("event.bind"), [GUARDIAN_UNBIND] = STR("event.unbind")
    };
    int n = 0;

    buf_room(room, (size_t)CALLS_MAX * 1024); /* views into it stay where they are */
    for (int i = from; i < p->count && n < CALLS_MAX; i++, n++) {
        const size_t at = room->n;

        buf_fmt(room, "line%d", i);
        ret[n] = (struct call){ { room->p + at, room->n - at }, methods[p->lines[i].what], STR("") };
        ret[n].params = params_of(&p->lines[i], p->connector, room);
    }
    return room->failed ? 0 : n;
}

/* Of a command that was answered with an error. */
static bool is_lost(const struct call_answer *a)
{
    const struct write_task bind = { .kind = WRITE_BIND };
    struct bitrix_said said = { .status = 200, .sent = true, .is_error = true };
    struct write_heard heard;

    snprintf(said.code, sizeof(said.code), "%.*s", (int)(a->code.n < 63 ? a->code.n : 63), a->code.p);
    snprintf(said.text, sizeof(said.text), "%.*s", (int)(a->text.n < 199 ? a->text.n : 199), a->text.p);
    bitrix_write_hear(&bind, &said, &heard);
    return heard.verdict == WRITE_WAS_LOST;
}

enum guardian_said guardian_judge(const struct call_answer *a)
{
    if (a == NULL)
        return GUARDIAN_SAID_LOST;
    if (a->result.n > 0 || (a->text.n > 0 && memmem(a->text.p, a->text.n, "already binded", 14) != NULL))
        return GUARDIAN_SAID_DONE;
    if (str_case_eq(a->code, STR("ERROR_EVENT_NOT_FOUND")))
        return GUARDIAN_SAID_UNKNOWN;
    if (str_is(a->kind, "auth") || str_is(a->kind, "conf") || str_case_eq(a->code, STR("ACCESS_DENIED")) ||
        str_case_eq(a->code, STR("WRONG_AUTH_TYPE")) || str_case_eq(a->code, STR("insufficient_scope")))
        return GUARDIAN_SAID_REFUSED;
    return is_lost(a) ? GUARDIAN_SAID_LOST : GUARDIAN_SAID_LATER;
}

struct guardian_ways guardian_ways(bool online, bool offline, bool has_queue, bool has_url)
{
    struct guardian_ways w = { .online = online && has_url, .offline = offline && has_queue };

    w.no_queue = offline && !has_queue;
    if (w.no_queue) /* the next best: else what changed is looked for by date alone */
        w.online = has_url;
    return w;
}

bool guardian_suspects(uint64_t event_ms, uint64_t looked_ms, uint64_t found, uint64_t now_ms)
{
    return found > 0 && now_ms >= event_ms + GUARDIAN_SILENCE_MS && now_ms >= looked_ms + GUARDIAN_SILENCE_MS;
}

const char *guardian_state_name(enum guardian_state s)
{
    static const char *const names[] = { [GUARDIAN_NONE] = "none",
        [GUARDIAN_LOOKING] = "looking",
        [GUARDIAN_WELL] = "well",
        [GUARDIAN_PARTLY] = "partly",
        [GUARDIAN_REFUSED] = "refused" };

    return names[s];
}

void guardian_sends(struct guardian *g)
{
    bitrix_write_init(&g->write, WRITE_BIND); /* of what was before, the look told */
    bitrix_write_sent(&g->write);
}

void guardian_heard(struct guardian *g, const struct write_pace *pace, bool lost, uint64_t now_ms)
{
    const struct write_heard heard = { .verdict = lost ? WRITE_WAS_LOST : WRITE_WAS_DONE };

    bitrix_write_answered(&g->write, pace, &heard, (int64_t)now_ms);
}

uint64_t guardian_looks_at(const struct guardian *g, uint64_t now_ms)
{
    const struct write_step step = bitrix_write_next(&g->write, (int64_t)now_ms);

    return step.act == WRITE_DO_WAIT ? (uint64_t)step.until_ms : now_ms;
}

void guardian_fini(struct guardian *g)
{
    guardian_plan_free(&g->plan);
}
