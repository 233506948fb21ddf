/* batch.c - up to fifty commands in one request, one after another (facts section 5). */
#include "call.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "json_out.h"
#include "params.h"
#include "refs.h"

#define COMMANDS_MAX 50

/* One of the five side-by-side maps of the answer. */
struct part {
    const char *name;
    struct buf text; /* the values one after another */
    struct {
        const char *key;
        size_t end; /* of its value in text */
    } * items;
    int count;
};
enum { PART_RESULT, PART_ERROR, PART_TOTAL, PART_NEXT, PART_TIME, PARTS };

struct batch {
    struct portal *portal;
    struct part parts[PARTS];
    struct refs refs;
    double most_operating; /* of any command */
    double cost_s;         /* of all */
};

static void part_close_item(struct part *p, const char *key)
{
    if (p->count % 64 == 0)
        p->items = xrealloc(p->items, (size_t)(p->count + 64) * sizeof(*p->items));
    p->items[p->count].key = key;
    p->items[p->count++].end = p->text.n;
}

/* A part whose keys are exactly 0..n-1, in whatever order, comes as a list, and so does an empty one. */
static bool part_is_list(const struct part *p)
{
    uint64_t number;

    for (int i = 0; i < p->count; i++) {
        const struct str key = str_of(p->items[i].key);
        const bool canonical = key.n == 1 || key.p[0] != '0';
        if (!canonical || !str_u64(key, &number) || number >= (uint64_t)p->count)
            return false;
    }
    return true;
}

static void out_part(struct buf *out, const struct part *p)
{
    const bool list = part_is_list(p);
    size_t at = 0;

    buf_fmt(out, "\"%s\":%c", p->name, list ? '[' : '{');
    for (int i = 0; i < p->count; i++) {
        if (i > 0)
            buf_char(out, ',');
        if (!list) {
            json_out_cstr(out, p->items[i].key);
            buf_char(out, ':');
        }
        json_out_raw(out, p->text.p + at, p->items[i].end - at);
        at = p->items[i].end;
    }
    buf_char(out, list ? ']' : '}');
}

static void keep_error(struct batch *b, const char *key, enum api_error e)
{
    call_out_error(b->portal, &b->parts[PART_ERROR].text, e, b->portal->detail, true);
    part_close_item(&b->parts[PART_ERROR], key);
}

static void keep_call(struct batch *b, const char *key, const struct call *c)
{
    struct part *parts = b->parts;

    part_close_item(&parts[PART_RESULT], key);
    if (c->listed) {
        json_out_int(&parts[PART_TOTAL].text, (int64_t)c->total);
        part_close_item(&parts[PART_TOTAL], key);
    }
    if (c->next >= 0) {
        json_out_int(&parts[PART_NEXT].text, c->next);
        part_close_item(&parts[PART_NEXT], key);
    }
    call_out_time(&parts[PART_TIME].text, c);
    part_close_item(&parts[PART_TIME], key);
    if (c->operating_s > b->most_operating)
        b->most_operating = c->operating_s;
}

/* `method?query` of one command; *ret_params is new. */
static const struct method *parse_command(const json_t *command, json_t **ret_params, bool *ret_nested)
{
    char room[40];
    const struct str text = params_text(command, room);
    const char *question = memchr(text.p, '?', text.n);
    const struct str name = { text.p, question ? (size_t)(question - text.p) : text.n };

    *ret_params = json_object();
    *ret_nested = str_case_eq(name, STR("batch"));
    if (question != NULL)
        params_add_query(*ret_params, (struct str){ question + 1, text.n - name.n - 1 });
    return method_find(name);
}

static enum api_error run_command(struct batch *b, const char *key, const json_t *command)
{
    struct buf *results = &b->parts[PART_RESULT].text;
    const size_t at = results->n;
    json_t *params;
    bool nested;
    struct call c = { .portal = b->portal, .out = results, .next = -1, .nested = true };

    c.method = parse_command(command, &params, &nested);
    refs_apply(&b->refs, params);
    c.params = params;
    portal_note_connector(b->portal, params);
    const enum api_error e = nested ? API_BATCH_METHOD : c.method == NULL ? API_METHOD : call_run(&c);
    b->cost_s += c.cost_s;
    if (e == API_OK) {
        keep_call(b, key, &c);
        refs_add(&b->refs, key, at, c.ids, c.id_count);
    } else {
        keep_error(b, key, e);
    }
    json_decref(params);
    return e;
}

/* What a command changed is told with its own auth_connector where it has one, else with the batch's; then
 * people go on working. */
static void tell(struct portal *p, const char *connector)
{
    portal_tick(p);
    snprintf(p->events.connector, sizeof(p->events.connector), "%s", connector);
}

static void run_commands(struct batch *b, json_t *commands, bool halt)
{
    char connector[sizeof(b->portal->events.connector)];
    struct params_walk walk = { .of = commands };
    const char *key;
    json_t *command;
    int count = 0;

    memcpy(connector, b->portal->events.connector, sizeof(connector));
    while (params_next(&walk, &key, &command)) {
        enum api_error e = API_BATCH_LENGTH;
        b->portal->detail[0] = '\0';
        if (json_is_array(commands)) /* the walk's own text does not last */
            key = arena_copy(&b->portal->arena, str_of(key)).p;
        if (count++ < COMMANDS_MAX)
            e = run_command(b, key, command);
        else
            keep_error(b, key, e);
        tell(b->portal, connector);
        if (e != API_OK && halt)
            return;
    }
}

static bool is_true(const json_t *v)
{
    char room[40];
    const struct str text = params_text(v, room);

    return text.n > 0 && !str_is(text, "0") && !str_case_eq(text, STR("false"));
}

enum api_error batch_run(struct call *call)
{
    static const char *const names[PARTS] = { "result", "result_error", "result_total", "result_next",
        "result_time" };
    json_t *commands = params_get(call->params, "cmd");
    struct batch b = { .portal = call->portal };

    if (!params_is_array(commands))
        return API_CMD_TYPE;
    for (int i = 0; i < PARTS; i++) {
        b.parts[i].name = names[i];
        buf_init(&b.parts[i].text, PORTAL_ANSWER_BYTES);
    }
    b.refs = (struct refs){ .results = &b.parts[PART_RESULT].text,
        .empty = portal_has(call->portal, QUIRK_UNRESOLVED_EMPTY),
        .literal = portal_has(call->portal, QUIRK_BLANK_LITERAL) };
    run_commands(&b, commands, is_true(params_get(call->params, "halt")));
    buf_char(call->out, '{');
    for (int i = 0; i < PARTS; i++) {
        if (i > 0)
            buf_char(call->out, ',');
        out_part(call->out, &b.parts[i]);
        call->out->failed |= b.parts[i].text.failed;
        buf_fini(&b.parts[i].text);
        free(b.parts[i].items);
    }
    buf_char(call->out, '}');
    refs_fini(&b.refs);
    call->cost_s = b.cost_s; /* for portals that bill it to the batch */
    if (portal_has(call->portal, QUIRK_BATCH_OPERATING))
        call->operating_s = b.most_operating;
    return API_OK;
}
