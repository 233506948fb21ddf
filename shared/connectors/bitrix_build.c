#include "connectors/bitrix.h"

#include "connectors/bitrix_ask.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>

/* One command of the batch: "method?name=value&…" inside a JSON string. Every byte of name and value is
 * percent-encoded once, so nothing in the string needs a JSON escape. */
struct command {
    struct buf *body;
    char separator; /* '?' before the first parameter, '&' before the others */
};

static struct command command_open(struct buf *body, const struct bitrix_ask *ask, int number)
{
    char key[BITRIX_KEY_SIZE], method[BITRIX_METHOD_SIZE];
    bool first = body->n > 0 && body->p[body->n - 1] == '{';

    bitrix_key(number, key);
    bitrix_ask_method(ask, number, method);
    buf_fmt(body, "%s\"%s\":\"%s", first ? "" : ",", key, method);
    return (struct command){ body, '?' };
}

static void command_close(struct command *c)
{
    buf_char(c->body, '"');
}

static void param(struct command *c, const char *name, struct str value)
{
    buf_char(c->body, c->separator);
    buf_urlenc(c->body, str_of(name));
    buf_char(c->body, '=');
    buf_urlenc(c->body, value);
    c->separator = '&';
}

static void param_u64(struct command *c, const char *name, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    param(c, name, str_of(text));
}

/* With start=-1 the portal does not count (facts 4.1): fifty times cheaper on a large portal. */
static void param_uncounted(struct command *c)
{
    param(c, "start", STR("-1"));
}

/* "*" and "UF_*" leave out multiple user fields and multifields, which therefore go by name (facts 4.3), but
 * for those whose values nobody wants. */
static void param_select(struct command *c, const struct schema *schema)
{
    param(c, "select[]", STR("*"));
    param(c, "select[]", STR("UF_*"));
    for (int i = 0; i < schema->count; i++) {
        const struct field *f = &schema->fields[i];
        bool user_field = f->name.n > 3 && memcmp(f->name.p, "UF_", 3) == 0;

        if (f->hold != HOLD_OUT && ((user_field && f->multiple) || str_is(f->type, "crm_multifield")))
            param(c, "select[]", f->name);
    }
}

/* The bounds of a range, and the portal's word for what changed in it: in UTC, with its offset, as every
 * portal takes an instant (facts 7), in whole seconds. */
static void param_range(struct command *c, const struct bitrix_ask *ask, const char *after)
{
    const struct msg_job *job = ask->job;
    char name[64], iso[CLOCK_ISO_SIZE], when[32];

    param(c, "filter[>ID]", str_of(after));
    if (job->last != RANGE_OPEN)
        param_u64(c, "filter[<=ID]", job->last);
    if (ask->kind != JOB_CHANGED)
        return;
    clock_iso((uint64_t)job->since, iso);
    snprintf(when, sizeof(when), "%.19s+00:00", iso);
    snprintf(name, sizeof(name), "filter[>=%s]", ask->entities[0]->changed_field);
    param(c, name, str_of(when));
}

/* Page `number` of the chain begins after the last record of the page before it, whatever its id is. */
static void build_page(struct command *c, const struct bitrix_ask *ask, int number)
{
    const struct msg_job *job = ask->job;
    char after[64], key[BITRIX_KEY_SIZE];

    if (number == 0) {
        snprintf(after, sizeof(after), "%" PRIu64, job->first > 0 ? job->first - 1 : 0);
    } else {
        bitrix_key(number - 1, key);
        snprintf(after, sizeof(after), "$result[%s][%d][%s]", key, PAGE_SIZE_RECORDS - 1,
            ask->entities[0]->id_field);
    }
    param(c, "order[ID]", STR("ASC"));
    param_range(c, ask, after);
    if (ask->kind == JOB_SWEEP)
        param(c, "select[]", STR("ID"));
    else
        param_select(c, &ask->schema);
    param_uncounted(c);
}

/* Where the range ends, by which a list that is shorter than it should be is found out. Asked before the
 * pages: what is created meanwhile does not count. */
static void build_greatest(struct command *c, const struct bitrix_ask *ask)
{
    char after[24];

    snprintf(after, sizeof(after), "%" PRIu64, ask->job->first > 0 ? ask->job->first - 1 : 0);
    param(c, "order[ID]", STR("DESC"));
    param_range(c, ask, after);
    param(c, "select[]", STR("ID"));
    param_uncounted(c);
}

static void build_list(struct command *c, const struct bitrix_ask *ask, int number)
{
    struct ids ids = bitrix_ask_ids(ask, number);

    param(c, "order[ID]", STR("ASC"));
    for (size_t i = 0; i < ids.n; i++)
        param_u64(c, "filter[@ID][]", ids.p[i]);
    param_select(c, &ask->schema);
    param_uncounted(c);
}

static void build_get(struct command *c, const struct bitrix_ask *ask, int number)
{
    param_u64(c, "id", bitrix_ask_ids(ask, number).p[0]);
}

static void build_probe(struct command *c, const struct bitrix_ask *ask, int number)
{
    enum probe_command what = (enum probe_command)(number % PROBE_COMMANDS);

    if (what == PROBE_FIELDS || what == PROBE_USERFIELDS)
        return;
    param(c, "order[ID]", what == PROBE_LAST ? STR("DESC") : STR("ASC"));
    param(c, "select[]", STR("ID"));
    if (what == PROBE_COUNT)
        param(c, "start", STR("0")); /* the one place where counting is wanted */
    else
        param_uncounted(c);
}

/* What PHP makes of nested parameters (facts 1.3): name[key][key]=value; what is null is left out, true is 1.
 */
static void build_value(struct command *c, struct buf *name, const json_t *value)
{
    const size_t n = name->n;
    const char *key;
    json_t *inner;
    size_t i;

    json_object_foreach((json_t *)value, key, inner) {
        buf_fmt(name, n > 0 ? "[%s]" : "%s", key);
        build_value(c, name, inner);
        name->n = n;
    }
    json_array_foreach(value, i, inner) {
        buf_fmt(name, "[%zu]", i);
        build_value(c, name, inner);
        name->n = n;
    }
    struct buf text;
    buf_init(&text, c->body->max);
    if (json_is_string(value))
        buf_add(&text, json_string_value(value), json_string_length(value));
    else if (json_is_integer(value))
        buf_i64(&text, json_integer_value(value));
    else if (json_is_real(value))
        buf_f64(&text, json_real_value(value));
    else if (json_is_boolean(value))
        buf_char(&text, json_is_true(value) ? '1' : '0');
    if (!json_is_object(value) && !json_is_array(value) && !json_is_null(value))
        param(c, buf_cstr(name), buf_view(&text));
    buf_fini(&text);
}

static void build_call(struct command *c, const struct bitrix_ask *ask, int number)
{
    struct buf name;

    buf_init(&name, c->body->max);
    if (ask->params[number] != NULL)
        build_value(c, &name, ask->params[number]);
    buf_fini(&name);
}

static void (*const build_kind[JOB_KINDS])(struct command *, const struct bitrix_ask *, int) = {
    [JOB_PROBE] = build_probe,
    [JOB_RANGE] = build_page,
    [JOB_CHANGED] = build_page,
    [JOB_SWEEP] = build_page,
    [JOB_IDS] = build_list,
    [JOB_GET] = build_get,
    [JOB_CALL] = build_call,
};

int bitrix_build(const struct msg_job *job, struct buf *body, struct err *err)
{
    struct bitrix_ask ask;

    if (bitrix_ask_init(&ask, job, err) < 0)
        return -1;
    /* A command after a failed one would run with its unresolved "$result[...]" as a value: chains halt. */
    buf_fmt(body, "{\"halt\":%d,\"cmd\":{", job_kind_walks(ask.kind));
    if (ask.greatest >= 0) {
        struct command c = command_open(body, &ask, ask.greatest);
        build_greatest(&c, &ask);
        command_close(&c);
    }
    for (int i = 0; i < ask.commands; i++) {
        struct command c = command_open(body, &ask, i);
        build_kind[ask.kind](&c, &ask, i);
        command_close(&c);
    }
    buf_str(body, "}}");
    bitrix_ask_fini(&ask);
    if (body->failed)
        return err_set(err, ERR_LIMIT, "the request for this job is over %zu bytes", body->max);
    return 0;
}
