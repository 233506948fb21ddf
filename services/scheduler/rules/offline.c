#include "offline.h"

#include "base/mem.h"
#include "guardian.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *offline_outcome_name(enum offline_outcome o)
{
    static const char *const names[OFFLINE_OUTCOMES] = { [OFFLINE_MARKED] = "marked",
        [OFFLINE_FIELDS] = "fields",
        [OFFLINE_BLIND] = "blind",
        [OFFLINE_NOT_MIRRORED] = "not_mirrored",
        [OFFLINE_UNKNOWN] = "unknown" };

    return o < OFFLINE_OUTCOMES ? names[o] : "";
}

void offline_read_free(struct offline_read *r)
{
    free(r->changes);
    free(r->lines);
    *r = (struct offline_read){ 0 };
}

/* ---- one event ---- */

/* A number, or a text of digits; 0: neither. */
static uint64_t number_of(const json_t *v)
{
    uint64_t id;

    if (json_is_integer(v))
        return json_integer_value(v) > 0 ? (uint64_t)json_integer_value(v) : 0;
    return json_is_string(v) && bitrix_event_id(str_of(json_string_value(v)), &id) ? id : 0;
}

static const char *text_of(const json_t *entry, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, key));

    return text != NULL ? text : "";
}

static void add_change(struct offline_read *r, int entity, uint64_t id, bool gone)
{
    if (r->change_count == r->change_cap) {
        r->change_cap = r->change_cap == 0 ? 64 : 2 * r->change_cap;
        r->changes = xrealloc(r->changes, (size_t)r->change_cap * sizeof(*r->changes));
    }
    r->changes[r->change_count++] = (struct offline_change){ entity, id, gone };
}

static enum offline_outcome take_event(
    struct offline_read *r, struct offline_lines *l, const json_t *entry, uint64_t mirrored)
{
    const struct bitrix_event e = bitrix_event_of(str_of(text_of(entry, "EVENT_NAME")));
    const json_t *fields = json_object_get(json_object_get(entry, "EVENT_DATA"), "FIELDS");

    if (e.class_ != EVENT_RECORD && e.class_ != EVENT_FIELDS)
        return OFFLINE_UNKNOWN;
    const int entity = (int)(e.entity - ENTITIES);
    const uint64_t bit = (uint64_t)1 << entity, id = number_of(json_object_get(fields, "ID"));
    const bool gone = e.kind == CHANGE_KIND_GONE;
    if ((mirrored & bit) == 0)
        return OFFLINE_NOT_MIRRORED;
    if (e.class_ == EVENT_FIELDS) {
        r->fields |= bit;
        return OFFLINE_FIELDS;
    }
    if (id > 0) {
        add_change(r, entity, id, gone);
        return OFFLINE_MARKED;
    }
    *(gone ? &r->gone : &r->changed) |= bit;
    *(gone ? &l->gone : &l->changed) |= bit;
    return OFFLINE_BLIND;
}

/* ---- reservations ---- */

/* The lines of the reservation with room for one more: a great one is confirmed in parts. */
static struct offline_lines *lines_of(struct offline_read *r, const char *process)
{
    for (int i = 0; i < r->line_count; i++)
        if (r->lines[i].count < OFFLINE_LIMIT && strcmp(r->lines[i].process, process) == 0)
            return &r->lines[i];
    if (r->line_count == r->line_cap) {
        r->line_cap = r->line_cap == 0 ? 16 : 2 * r->line_cap;
        r->lines = xrealloc(r->lines, (size_t)r->line_cap * sizeof(*r->lines));
    }
    struct offline_lines *l = &r->lines[r->line_count++];
    *l = (struct offline_lines){ .count = 0 };
    snprintf(l->process, sizeof(l->process), "%s", process);
    return l;
}

static void take_line(struct offline_read *r, const char *process, const json_t *entry, uint64_t mirrored)
{
    struct offline_lines *l = lines_of(r, process);
    const uint64_t id = number_of(json_object_get(entry, "ID"));

    if (id > 0)
        l->ids[l->count++] = id;
    else
        l->whole = true;
    r->outcomes[take_event(r, l, entry, mirrored)]++;
    r->events++;
}

static bool process_is(const char *process)
{
    return process[0] != '\0' && strlen(process) < OFFLINE_PROCESS_SIZE;
}

int offline_got(struct offline_read *r, struct str text, uint64_t mirrored, struct err *err)
{
    json_t *answer = json_loadb(text.p, text.n, JSON_DECODE_ANY, NULL);
    const json_t *events = json_object_get(answer, "events"), *entry;
    const char *process = text_of(answer, "process_id");
    const size_t n = json_array_size(events);
    size_t i;

    if (!json_is_array(events) || (n > 0 && !process_is(process))) {
        json_decref(answer);
        return err_set(err, ERR_TEMP, "event.offline.get: no list of events, or no reservation of them");
    }
    json_array_foreach(events, i, entry)
        take_line(r, process, entry, mirrored);
    r->full |= n >= OFFLINE_LIMIT;
    json_decref(answer);
    return 0;
}

static bool is_known(const struct offline_lines *known, int count, const char *process)
{
    for (int i = 0; i < count; i++)
        if (strcmp(known[i].process, process) == 0)
            return true;
    return false;
}

int offline_left(struct offline_read *r, struct str text, uint64_t mirrored,
    const struct offline_lines *known, int count, struct err *err)
{
    json_t *list = json_loadb(text.p, text.n, JSON_DECODE_ANY, NULL);
    const json_t *entry;
    size_t i;

    if (!json_is_array(list)) {
        json_decref(list);
        return err_set(err, ERR_TEMP, "event.offline.list: no list of events");
    }
    r->left_full |= json_array_size(list) >= OFFLINE_LIMIT;
    json_array_foreach(list, i, entry) {
        const char *process = text_of(entry, "PROCESS_ID");

        if (process_is(process) && !is_known(known, count, process) &&
            number_of(json_object_get(entry, "ID")) > 0)
            take_line(r, process, entry, mirrored);
    }
    json_decref(list);
    return 0;
}

/* ---- what is asked ---- */

static struct str put(struct buf *room, const char *key, int n)
{
    const size_t at = room->n;

    if (n < 0)
        buf_str(room, key);
    else
        buf_fmt(room, "%s%d", key, n);
    return (struct str){ room->p + at, room->n - at };
}

static struct str put_params(struct buf *room, json_t *params)
{
    const size_t at = room->n;
    char *text = json_dumps(params, JSON_COMPACT);

    buf_str(room, text);
    free(text);
    json_decref(params);
    return (struct str){ room->p + at, room->n - at };
}

/* Of the queue that is ours: without a connector, the one that has none. */
static json_t *of_queue(const struct offline_ask *ask, json_t *params)
{
    if (ask->connector)
        json_object_set_new(params, "auth_connector", json_string(GUARDIAN_CONNECTOR));
    return params;
}

static json_t *clear_params(const struct offline_lines *l)
{
    json_t *params = json_pack("{s:s}", "process_id", l->process);
    json_t *ids = json_array();

    for (int i = 0; i < l->count; i++)
        json_array_append_new(ids, json_integer((json_int_t)l->ids[i]));
    if (l->whole)
        json_decref(ids);
    else
        json_object_set_new(params, "id", ids);
    return params;
}

int offline_calls(const struct offline_ask *ask, struct call ret[static CALLS_MAX], struct buf *room)
{
    int n = 0;

    buf_room(room, CALLS_BYTES_MAX); /* views into it stay where they are */
    for (int i = 0; i < ask->clear_count; i++, n++) {
        ret[n] = (struct call){ put(room, "clear", i), STR("event.offline.clear"), STR("") };
        ret[n].params = put_params(room, of_queue(ask, clear_params(&ask->clears[i])));
    }
    if (ask->left) {
        ret[n] = (struct call){ put(room, "left", -1), STR("event.offline.list"), STR("") };
        ret[n++].params =
            put_params(room, of_queue(ask, json_pack("{s:{s:s}, s:{s:s}, s:i}", "filter", "!PROCESS_ID", "",
                                               "order", "ID", "ASC", "start", 0)));
    }
    for (int i = 0; i < ask->readings; i++, n++) {
        ret[n] = (struct call){ put(room, "get", i), STR("event.offline.get"), STR("") };
        ret[n].params =
            put_params(room, of_queue(ask, json_pack("{s:i, s:i}", "clear", 0, "limit", OFFLINE_LIMIT)));
    }
    return n;
}

/* ---- what may be reserved ---- */

void offline_unsure(struct offline *o, uint64_t until_ms)
{
    if (until_ms > o->unsure_ms)
        o->unsure_ms = until_ms;
    o->left_ms = 0;
}

void offline_looked(struct offline *o, bool found, bool more, uint64_t now_ms)
{
    if (!found && !more && o->asked_ms >= o->unsure_ms)
        o->unsure_ms = 0;
    o->left_ms = found ? 0 : now_ms + (more || o->unsure_ms > 0 ? OFFLINE_LOOK_MS : OFFLINE_LEFT_MS);
}

uint64_t offline_reads_at(const struct offline *o, uint64_t pause_ms, uint64_t now_ms)
{
    const uint64_t at_ms = now_ms + pause_ms, soon_ms = now_ms + OFFLINE_CONFIRM_MS;
    const uint64_t look_ms = o->left_ms > soon_ms ? o->left_ms : soon_ms;

    return o->unsure_ms > 0 && look_ms < at_ms ? look_ms : at_ms;
}

void offline_fini(struct offline *o)
{
    free(o->kept);
    *o = (struct offline){ 0 };
}
