/* record.c - `potok record`: what a portal answers, without what is personal, as a folder that can be sent.
 */
#include "command.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "connectors/bitrix.h"
#include "entity_word.h"
#include "home.h"
#include "proto/probe.h"
#include "record_ask.h"
#include "record_dir.h"
#include "record_plan.h"
#include "say.h"

#include "base/anonymise.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RECORDS_DEFAULT "500"
#define RECORDS_MAX     25000
#define ENTITIES_MAX    16

enum { OPTION_OUT, OPTION_PORTAL, OPTION_ENTITIES, OPTION_RECORDS, OPTION_PLAN, OPTION_JSON };
static const struct option_def OPTIONS[] = {
    { "--out", 'o', true, "папка записи; её ещё не должно быть",
        "folder of the recording; it must not exist yet" },
    { "--portal", 0, true, "какой портал", "which portal" },
    { "--entities", 0, true, "какие сущности, через запятую", "which entities, separated by commas" },
    { "--records", 'n', true, "сколько записей каждой сущности (500)",
        "how many records of each entity (500)" },
    { "--plan", 0, false, "показать, что будет спрошено, и ничего не спрашивать",
        "show what would be asked, and ask nothing" },
    { "--json", 0, false, "ответ для программ", "for programs" },
    { NULL, 0, false, NULL, NULL },
};

struct entity_record {
    struct record_of of;
    uint64_t least, total;
    char *schema; /* encoded; NULL: the portal does not show this entity */
    size_t schema_n;
    uint64_t records; /* recorded */
    bool whole;       /* all there are */
};

struct recording {
    struct home home;
    const struct config_portal *portal;
    struct entity_record entities[ENTITIES_MAX];
    int entity_count;
    int records; /* asked for */
    bool json, progress;
    struct record_portal ask;
    struct record_dir dir;
    struct anonymise anon;
    char no_scope[64];
    struct buf left_out,
        left_out_rows; /* JSON objects, separated by commas; rows: without words, for others' eyes */
    struct buf left_out_words;
    bool stopped;
};

/* ---- what is asked for ---- */

static int take_entity(struct recording *r, const char *word, struct err *err)
{
    const struct entity *e = entity_word(word, err);

    if (e == NULL)
        return -1;
    for (int i = 0; i < r->entity_count; i++)
        if (r->entities[i].of.entity == e)
            return 0;
    if (r->entity_count == ENTITIES_MAX)
        return err_set(err, ERR_CONF, "at most %d entities", ENTITIES_MAX);
    r->entities[r->entity_count++].of.entity = e;
    return 0;
}

static int take_entities(struct recording *r, const char *list, struct err *err)
{
    int result = 0;

    if (list == NULL) {
        for (int i = 0; i < r->portal->entity_count && result == 0; i++)
            result = take_entity(r, r->portal->entities[i], err);
        for (int i = 0; r->portal->entity_count == 0 && i < ENTITY_COUNT && result == 0; i++)
            result = take_entity(r, ENTITIES[i].plural, err);
        return result;
    }
    char *copy = xstrdup(list), *left = copy;
    for (char *word; result == 0 && (word = strsep(&left, ", ")) != NULL;)
        if (word[0] != '\0')
            result = take_entity(r, word, err);
    free(copy);
    if (result == 0 && r->entity_count == 0)
        return err_set(
            err, ERR_CONF, "%s", say("--entities: ни одной сущности", "--entities: none is named"));
    return result;
}

static int take_portal(struct recording *r, const char *name, struct err *err)
{
    const struct config *c = &r->home.config;

    if (home_has_portal(&r->home, err) < 0)
        return -1;
    if (name == NULL && c->portal_count > 1)
        return err_set(err, ERR_CONF, "%s",
            say("порталов несколько: скажите --portal ИМЯ", "there are several portals: say --portal NAME"));
    r->portal = name == NULL ? &c->portals[0] : config_portal(c, str_of(name));
    if (r->portal == NULL)
        return err_set(err, ERR_CONF, "%s \"%.40s\"", say("нет портала", "there is no portal"), name);
    return 0;
}

static int take_args(struct recording *r, const struct args *args, struct err *err)
{
    const char *records = args->option[OPTION_RECORDS];
    uint64_t n;

    if (args->word_count > 0 || (args->option[OPTION_OUT] == NULL && args->option[OPTION_PLAN] == NULL))
        return err_set(err, ERR_CONF, "%s", say("нужно --out ПАПКА", "says --out DIR"));
    if (!str_u64(str_of(records ? records : RECORDS_DEFAULT), &n) || n > RECORDS_MAX)
        return err_set(
            err, ERR_CONF, "--records: %s %d", say("число от 0 до", "a number from 0 to"), RECORDS_MAX);
    r->records = (int)n;
    r->json = args->option[OPTION_JSON] != NULL;
    r->progress = !r->json && isatty(STDERR_FILENO);
    return 0;
}

/* ---- one exchange ---- */

static void leave_out(struct recording *r, const char *row, const char *method, const char *why)
{
    const char *comma = r->left_out.n > 0 ? "," : "";

    buf_fmt(&r->left_out_rows, "%s{\"row\":\"%s\",\"method\":\"%s\"}", comma, row, method);
    buf_fmt(&r->left_out, "%s{\"row\":\"%s\",\"method\":\"%s\",\"why\":", comma, row, method);
    buf_json(&r->left_out, str_of(why));
    buf_char(&r->left_out, '}');
    buf_fmt(&r->left_out_words, "  %s (%s): %s\n", row, method, why);
}

static void clean(struct recording *r, struct str body, enum anon_rule rule, struct buf *out)
{
    struct err err;

    if (anonymise_json(&r->anon, body, rule, out, &err) < 0)
        anonymise_text(&r->anon, body, out);
}

/* Asks and writes down. The answer is the caller's, as it came. -1: nothing was written and why is told. */
static int exchange(struct recording *r, struct record_exchange *x, enum anon_rule rule,
    struct http_answer *answer, struct err *err)
{
    struct buf body;

    if (record_ask(&r->ask, x->method, x->params, x->wrong_secret, answer, err) < 0)
        return -1;
    buf_init(&body, (size_t)256 << 20);
    clean(r, buf_view(&answer->body), rule, &body);
    x->status = answer->status;
    x->content_type = answer->content_type;
    x->moved = answer->location[0] != '\0';
    x->retry_after_ms = answer->retry_after_ms;
    x->took_ms = answer->took_ms;
    x->body = buf_view(&body);
    const int result = record_dir_add(&r->dir, x, err);
    buf_fini(&body);
    if (result < 0)
        buf_fini(&answer->body);
    if (r->progress)
        fprintf(stderr, "\r%s %d", say("запросов:", "requests:"), r->ask.calls);
    return result;
}

static struct record_exchange exchange_of(const struct record_row *row, const char *method, struct str params)
{
    return (struct record_exchange){ .row = row->name,
        .facts = row->facts,
        .why = row->why,
        .method = method,
        .params = params,
        .wrong_secret = (row->flags & RECORD_WRONG_SECRET) != 0 };
}

/* ---- the client's own requests ---- */

static void probe_learn(struct recording *r, const struct probe_entity *from)
{
    struct schema schema;
    struct err err;

    for (int i = 0; i < r->entity_count; i++) {
        struct entity_record *e = &r->entities[i];
        if (!str_is(from->entity, e->of.entity->plural) || from->error.n > 0)
            continue;
        e->least = from->least_id;
        e->total = from->total;
        if (e->least > 0)
            snprintf(e->of.id, sizeof(e->of.id), "%" PRIu64, e->least);
        e->schema = xmalloc(from->schema.n + 1);
        memcpy(e->schema, from->schema.p, from->schema.n);
        e->schema_n = from->schema.n;
        if (schema_decode(&schema, from->schema, &err) < 0)
            continue;
        for (int k = 0; k < schema.count; k++)
            anonymise_field(&r->anon, schema.fields[k].name, schema.fields[k].type);
        schema_free(&schema);
    }
}

/* bitrix_read() changes the text it reads. */
static int read_answer(
    const struct msg_job *job, const struct http_answer *answer, struct bitrix_answer *ret, struct err *err)
{
    char *text = xmalloc(answer->body.n + JSON_PADDING);

    memcpy(text, answer->body.p, answer->body.n);
    memset(text + answer->body.n, 0, JSON_PADDING);
    const int result = bitrix_read(
        job, answer->status, answer->content_type, answer->location, text, answer->body.n, ret, err);
    free(text);
    return result;
}

static void learn(
    struct recording *r, const struct msg_job *job, const struct http_answer *raw, const char *name)
{
    struct bitrix_answer answer = { .count = 0 };
    struct probe probe;
    struct err err = { 0 };

    if (read_answer(job, raw, &answer, &err) < 0) {
        leave_out(r, name, "batch", err.text);
    } else if (probe_decode(&probe, buf_view(&answer.learnt), &err) == 0) {
        for (int i = 0; i < probe.count; i++)
            probe_learn(r, &probe.entities[i]);
        probe_free(&probe);
    }
    bitrix_answer_fini(&answer);
}

/* User fields' types are learnt from the raw answer before it is written: they tell what may stay of it. */
static int do_probe(struct recording *r, const struct record_row *row, struct err *err)
{
    struct buf names, body, clean_body;
    struct http_answer answer;

    buf_init(&names, 4096);
    buf_init(&body, 1 << 20);
    buf_init(&clean_body, (size_t)256 << 20);
    for (int i = 0; i < r->entity_count; i++)
        buf_fmt(&names, "%s%s", i > 0 ? " " : "", r->entities[i].of.entity->plural);
    const struct msg_job job = { .kind = STR("probe"), .entities = buf_view(&names) };
    int result = bitrix_build(&job, &body, err);
    if (result == 0)
        result = record_ask(&r->ask, "batch", buf_view(&body), false, &answer, err);
    if (result == 0) {
        struct record_exchange x = exchange_of(row, "batch", buf_view(&body));
        learn(r, &job, &answer, row->name);
        clean(r, buf_view(&answer.body), ANON_TEXT, &clean_body);
        x.status = answer.status;
        x.content_type = answer.content_type;
        x.took_ms = answer.took_ms;
        x.body = buf_view(&clean_body);
        result = record_dir_add(&r->dir, &x, err);
        buf_fini(&answer.body);
    }
    buf_fini(&names);
    buf_fini(&body);
    buf_fini(&clean_body);
    return result;
}

/* One batch of pages from `first` on. *ret_next 0: that was the last of them. */
static int do_pages(struct recording *r, struct entity_record *e, uint64_t first, uint64_t pages,
    uint64_t *ret_next, struct err *err)
{
    const struct msg_job job = { .kind = STR("range"),
        .entity = str_of(e->of.entity->plural),
        .first = first,
        .last = RANGE_OPEN,
        .pages = pages,
        .schema = { e->schema, e->schema_n } };
    struct record_exchange x = { .row = "records",
        .facts = "5, 6.3",
        .why = "records as the client reads them",
        .method = "batch",
        .of_records = true };
    struct bitrix_answer read = { .count = 0 };
    struct http_answer answer;
    struct buf body;

    buf_init(&body, 4 << 20);
    int result = bitrix_build(&job, &body, err);
    x.params = buf_view(&body);
    if (result == 0)
        result = exchange(r, &x, ANON_TEXT, &answer, err);
    if (result == 0) {
        result = read_answer(&job, &answer, &read, err);
        e->records += read.count;
        *ret_next = read.next_first;
        bitrix_answer_fini(&read);
        buf_fini(&answer.body);
    }
    buf_fini(&body);
    return result;
}

static void do_records(struct recording *r, struct entity_record *e)
{
    uint64_t first = e->least, pages = ((uint64_t)r->records + PAGE_SIZE_RECORDS - 1) / PAGE_SIZE_RECORDS;
    struct err err = { 0 };

    e->whole = e->least == 0;
    while (e->schema != NULL && e->least > 0 && pages > 0) {
        const uint64_t now = pages < BATCH_COMMANDS ? pages : BATCH_COMMANDS;
        if (do_pages(r, e, first, now, &first, &err) < 0) {
            leave_out(r, "records", e->of.entity->plural, err.text);
            return;
        }
        e->whole = first == 0;
        pages = e->whole ? 0 : pages - now;
    }
}

/* ---- the rows ---- */

/* What the first answers say about all that follow. */
static int look(
    struct recording *r, const struct record_row *row, const struct http_answer *answer, struct err *err)
{
    const struct str body = buf_view(&answer->body);
    char code[64];
    const bool failed = record_error(body, code);

    if (failed && strcmp(code, "OVERLOAD_LIMIT") == 0) {
        r->stopped = true;
        return err_set(err, ERR_AUTH, "OVERLOAD_LIMIT: %s",
            say("портал остановил REST API, это снимает только поддержка Битрикс24",
                "the portal has blocked its REST API; only Bitrix24's support lifts that"));
    }
    if (strcmp(row->name, "scope") == 0 && record_no_scope(body) != NULL)
        snprintf(r->no_scope, sizeof(r->no_scope), "%s", record_no_scope(body));
    if (strcmp(row->name, "profile") != 0)
        return 0;
    if (answer->status == 200 && !failed)
        return 0;
    r->stopped = true;
    return err_set(err, ERR_AUTH, "%s: HTTP %d %s",
        say("портал не принимает этот вебхук", "the portal does not take this webhook"), answer->status,
        code);
}

static int do_row(
    struct recording *r, const struct record_row *row, const struct record_of *of, struct err *err)
{
    char method[64] = "";
    struct http_answer answer;
    struct buf params;
    int result = 0;

    buf_init(&params, 1 << 20);
    if (record_call(row, of, method, &params)) {
        if (row->flags & RECORD_NO_SCOPE)
            snprintf(method, sizeof(method), "%s", r->no_scope);
        struct record_exchange x = exchange_of(row, method, buf_view(&params));
        if (method[0] != '\0') {
            result = exchange(r, &x, record_rule(row), &answer, err);
            if (result < 0) {
                leave_out(r, row->name, method, err->text);
                r->stopped = strcmp(row->name, "profile") == 0;
            } else {
                result = look(r, row, &answer, err);
                buf_fini(&answer.body);
            }
        }
    }
    buf_fini(&params);
    return r->stopped ? -1 : 0;
}

static int do_rows(struct recording *r, struct err *err)
{
    for (int i = 0; i < RECORD_ROW_COUNT; i++) {
        const struct record_row *row = &RECORD_ROWS[i];
        const int times = row->flags & RECORD_EACH ? r->entity_count : 1;

        if (row->flags & RECORD_BY_CLIENT) {
            if (do_probe(r, row, err) < 0)
                leave_out(r, row->name, row->method, err->text);
            continue;
        }
        for (int k = 0; k < times; k++)
            if (do_row(r, row, &r->entities[k].of, err) < 0)
                return -1;
    }
    for (int i = 0; i < r->entity_count; i++)
        do_records(r, &r->entities[i]);
    return 0;
}

/* ---- manifest, summary ---- */

/* The end of a cloud portal's address, which its customer did not choose. */
static const char *zone_of(const char *host)
{
    const char *at = host != NULL ? strstr(host, ".bitrix24.") : NULL;

    return at != NULL ? at + 1 : "self-hosted";
}

static void put_entities(const struct recording *r, struct buf *out)
{
    buf_char(out, '{');
    for (int i = 0; i < r->entity_count; i++) {
        const struct entity_record *e = &r->entities[i];
        buf_fmt(out, "%s\"%s\":{\"records\":%" PRIu64 ",\"whole\":%s,\"total\":%" PRIu64 "}",
            i > 0 ? "," : "", e->of.entity->plural, e->records, e->whole ? "true" : "false", e->total);
    }
    buf_char(out, '}');
}

static int finish(struct recording *r, struct err *err)
{
    char day[CLOCK_ISO_SIZE];
    struct buf out;

    clock_iso(clock_wall_ms(), day);
    buf_init(&out, 4 << 20);
    buf_fmt(&out,
        "{\"format\":%d,\"made_by\":\"potok " POTOK_VERSION "\",\"recorded\":\"%.10s\",\"zone\":\"%s\",\n",
        RECORDING_FORMAT, day, zone_of(r->dir.host));
    buf_fmt(&out, " \"exchanges\":%d,\"requests\":%d,\n \"entities\":", r->dir.count, r->ask.calls);
    put_entities(r, &out);
    buf_fmt(&out, ",\n \"left_out\":[");
    buf_add(&out, r->left_out_rows.p, r->left_out_rows.n);
    buf_str(&out, "]}\n");
    const int result = record_dir_finish(&r->dir, buf_view(&out), err);
    buf_fini(&out);
    return result;
}

static void tell_json(struct recording *r)
{
    struct buf out;

    buf_init(&out, 4 << 20);
    buf_str(&out, "{\"out\":");
    buf_json(&out, str_of(r->dir.path));
    buf_fmt(&out, ",\"requests\":%d,\"exchanges\":%d,\"entities\":", r->ask.calls, r->dir.count);
    put_entities(r, &out);
    buf_str(&out, ",\"left_out\":[");
    buf_add(&out, r->left_out.p, r->left_out.n);
    buf_str(&out, "]}");
    printf("%s\n", buf_cstr(&out));
    buf_fini(&out);
}

static void tell(struct recording *r)
{
    if (r->json) {
        tell_json(r);
        return;
    }
    printf("%s%s: %d %s\n", r->progress ? "\n" : "", r->dir.path, r->dir.count,
        say_plural((uint64_t)r->dir.count, "ответ", "ответа", "ответов", "answer", "answers"));
    for (int i = 0; i < r->entity_count; i++) {
        const struct entity_record *e = &r->entities[i];
        printf("  %-10s %6" PRIu64 " %s%s\n", e->of.entity->plural, e->records,
            say_plural(e->records, "запись", "записи", "записей", "record", "records"),
            e->whole ? say(" (все)", " (all)") : "");
    }
    if (r->left_out_words.n > 0)
        printf("%s\n%s", say("Не записано:", "Not recorded:"), buf_cstr(&r->left_out_words));
    puts(say("Имена, названия, тексты, телефоны, адреса, ссылки и суммы заменены; номера записей и коды "
             "оставлены.\n"
             "Просмотрите папку, прежде чем отправлять её: что для вас тайна, знаете только вы.",
        "Names, titles, texts, phones, addresses, links and amounts are replaced; ids and codes are left.\n"
        "Look it through before you send it: only you know what is a secret of yours."));
}

static void show_plan(const struct recording *r)
{
    for (int i = 0; i < RECORD_ROW_COUNT; i++) {
        const struct record_row *row = &RECORD_ROWS[i];
        if (r->json)
            printf("{\"row\":\"%s\",\"each\":%s,\"method\":\"%s\",\"facts\":\"%s\",\"why\":\"%s\"}\n",
                row->name, row->flags & RECORD_EACH ? "true" : "false", row->method, row->facts, row->why);
        else
            printf("%-20s %-26s %s\n", row->name, row->method, row->why);
    }
}

static void announce(const struct recording *r)
{
    const int n = record_requests(r->entity_count, r->records);
    char span[SAY_COUNT_SIZE];

    fprintf(stderr, "%s %d %s, %s %s\n", say("Не больше чем", "At most"), n,
        say_plural((uint64_t)n, "запрос", "запроса", "запросов", "request", "requests"),
        say("только на чтение; времени:", "that only read; time:"),
        say_span((uint64_t)n * (2000 / (r->portal->drain_per_s > 0 ? r->portal->drain_per_s : 1)), span));
}

/* ---- the command ---- */

static int record(struct recording *r, const char *out, struct err *err)
{
    if (record_dir_open(&r->dir, out, r->portal->url, err) < 0)
        return -1;
    if (anonymise_init(&r->anon, err) < 0)
        return -1;
    record_portal_open(&r->ask, r->portal->url, r->portal->drain_per_s);
    int result = do_rows(r, err);
    if (result == 0)
        result = finish(r, err);
    if (result == 0)
        tell(r);
    record_portal_close(&r->ask);
    return result;
}

static int record_run(const struct args *args)
{
    struct recording *r = xcalloc(1, sizeof(*r));
    struct err err = { 0 };
    int code = EXIT_WELL;

    buf_init(&r->left_out, 1 << 20);
    buf_init(&r->left_out_rows, 1 << 20);
    buf_init(&r->left_out_words, 1 << 20);
    if (take_args(r, args, &err) < 0) {
        code = command_misused("record", &err);
    } else if (args->option[OPTION_PLAN] != NULL) {
        show_plan(r);
    } else if (home_load(&r->home, NULL, &err) < 0) {
        code = command_failed(&err);
    } else {
        if (take_portal(r, args->option[OPTION_PORTAL], &err) == 0 &&
            take_entities(r, args->option[OPTION_ENTITIES], &err) == 0) {
            announce(r);
            code = record(r, args->option[OPTION_OUT], &err) < 0 ? command_failed(&err) : EXIT_WELL;
        } else {
            code = command_failed(&err);
        }
        home_free(&r->home);
    }
    for (int i = 0; i < r->entity_count; i++)
        free(r->entities[i].schema);
    anonymise_fini(&r->anon);
    record_dir_close(&r->dir);
    buf_fini(&r->left_out);
    buf_fini(&r->left_out_rows);
    buf_fini(&r->left_out_words);
    free(r);
    return code;
}

const struct command COMMAND_RECORD = { "record", "--out DIR",
    "записать ответы портала без личного, чтобы показать другим",
    "write down what a portal answers, without what is personal, to show it to others", OPTIONS, record_run };
