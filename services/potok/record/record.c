/* record.c - `potok record`: what a portal answers, without what is personal, as a folder that can be sent.
 */
#include "command.h"

#include "base/clock.h"
#include "base/mem.h"
#include "words/entity_word.h"
#include "recording.h"
#include "words/say.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RECORDS_DEFAULT "500"
#define RECORDS_MAX     25000

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

/* ---- what is asked for ---- */

static int take_entity(struct recording *r, const char *word, struct err *err)
{
    const struct entity *e = entity_word(word, err);

    if (e == NULL)
        return -1;
    for (int i = 0; i < r->entity_count; i++)
        if (r->entities[i].of.entity == e)
            return 0;
    if (r->entity_count == RECORD_ENTITIES_MAX)
        return err_set(err, ERR_CONF, "at most %d entities", RECORD_ENTITIES_MAX);
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
        return err_set(err, ERR_CONF, "%s", say("нужно --out ПАПКА", "wants --out DIR"));
    if (!str_u64(str_of(records ? records : RECORDS_DEFAULT), &n) || n > RECORDS_MAX)
        return err_set(
            err, ERR_CONF, "--records: %s %d", say("число от 0 до", "a number from 0 to"), RECORDS_MAX);
    r->records = (int)n;
    r->json = args->option[OPTION_JSON] != NULL;
    r->progress = !r->json && isatty(STDERR_FILENO);
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
        printf("%s\n%s", say("Не удалось:", "What failed:"), buf_cstr(&r->left_out_words));
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
            printf("%-20s %-26s %s\n", row->name, row->method, say(row->ru, row->why));
    }
}

static void announce(const struct recording *r)
{
    const int n = record_requests(r->entity_count, r->records);
    char span[SAY_COUNT_SIZE];

    fprintf(stderr, "%s %d %s, %s %s\n", say("Не больше", "At most"), n,
        say_plural((uint64_t)n, "запроса", "запросов", "запросов", "request", "requests"),
        say("только на чтение; времени:", "that only read; time:"),
        say_span((uint64_t)n * (2000 / (r->portal->drain_per_s > 0 ? r->portal->drain_per_s : 1)), span));
}

/* ---- the command ---- */

static int record(struct recording *r, const char *out, struct err *err)
{
    if (record_dir_open(&r->dir, out, config_portal_url(r->portal), err) < 0)
        return -1;
    if (anonymise_init(&r->anon, err) < 0)
        return -1;
    if (record_portal_open(&r->ask, &r->home, r->portal, "record", err) < 0)
        return -1;
    int result = recording_ask_rows(r, err);
    if (result == 0)
        result = finish(r, err);
    if (result == 0)
        tell(r);
    else if (r->dir.count == 0)
        record_dir_discard(&r->dir);
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
