/* verify.c - `potok verify`: the portal read again and compared with the tables, value by value. */
#include "verify.h"

#include "ask/absence.h"
#include "base/mem.h"
#include "command.h"
#include "ask/control.h"
#include "db/db.h"
#include "words/entity_word.h"
#include "portal/identity.h"
#include "words/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SCHEMA_MAX   (1 << 20)
#define MADE_MAX     ((size_t)1 << 30)
#define ROUNDS       12 /* of looks at what differs: half a minute */
#define ROUNDS_ALONE 2  /* where nothing runs that would change a row */

enum { OPTION_PORTAL, OPTION_HEAL, OPTION_JSON };
static const struct option_def OPTIONS[] = {
    { "--portal", 0, true, "только этот портал", "this portal only" },
    { "--heal", 0, false, "перечитать то, что расходится", "have read again what differs" },
    { "--json", 0, false, "ответ для программ", "for programs" },
    { NULL, 0, false, NULL, NULL },
};

/* What was asked for: entities by the command's words (none: all), and what was found. */
struct job {
    const struct entity *words[ARGS_WORDS_MAX];
    int word_count;
    json_t *entities;
    bool differs;
    int requests;
};

static bool is_wanted(const struct job *j, const struct config_portal *p, const struct entity *e)
{
    bool wanted = j->word_count == 0, mirrored = p->entity_count == 0;

    for (int i = 0; i < j->word_count; i++)
        wanted |= j->words[i] == e;
    for (int i = 0; i < p->entity_count; i++)
        mirrored |= strcmp(p->entities[i], e->plural) == 0;
    return wanted && mirrored;
}

/* ---- one entity ---- */

static int on_schema(void *ctx, const struct db_val *row, int columns)
{
    struct verify_entity *e = ctx;

    (void)columns;
    buf_clear(&e->schema);
    if (row[0].type != DB_NULL)
        buf_add(&e->schema, row[0].s.p, row[0].s.n);
    return 1;
}

static int compare(struct verify *v, struct verify_entity *e, struct err *err)
{
    bool there;

    if (db_run(v->db, "SELECT schema FROM potok_entity WHERE portal = $1 AND entity = $2",
            DB_ARGS(dbv_c(v->portal->name), dbv_c(e->entity->plural)), on_schema, e, NULL, err) < 0)
        return -1;
    char *table = xasprintf("%s%s", v->portal->prefix, e->entity->plural);
    int result = db_has_table(v->db, str_of(table), &there, err);

    free(table);
    if (result < 0)
        return -1;
    if (e->schema.n == 0 || !there)
        return err_set(err, ERR_TEMP, "%s",
            say("ещё не читалось с портала: нужен `potok up`",
                "never read from the portal yet: `potok up` does that"));
    if (verify_prepare(v, e, err) < 0 || verify_walk(v, e, err) < 0 ||
        verify_settle(v, e, v->running ? ROUNDS : ROUNDS_ALONE, err) < 0)
        return -1;
    return v->heal ? verify_heal(v, e, err) : 0;
}

static void entity_init(struct verify_entity *e, const struct entity *entity)
{
    *e = (struct verify_entity){ .entity = entity, .list = json_array() };
    buf_init(&e->schema, SCHEMA_MAX);
    buf_init(&e->select, SCHEMA_MAX);
    buf_init(&e->unknown, SCHEMA_MAX);
    map_init(&e->map);
}

static void entity_fini(struct verify_entity *e)
{
    for (int i = 0; i < e->column_count; i++)
        free((char *)e->columns[i].name.p);
    free(e->columns);
    free(e->kinds);
    free(e->wants);
    free(e->out);
    free(e->records);
    free(e->doubts);
    json_decref(e->list);
    map_fini(&e->map);
    buf_fini(&e->schema);
    buf_fini(&e->select);
    buf_fini(&e->unknown);
}

/* An agreement that cannot be noted, for the lack of rights perhaps, is one all the same. */
static void note_agreement(struct verify *v, struct verify_entity *e)
{
    struct err err = { 0 };
    bool healed = e->marked > 0 && e->left == 0 && e->moving == 0 && e->unknown.n == 0 && v->running;

    if (e->err.kind == ERR_NONE && (verify_is_equal(e) || healed) && verify_note_agreement(v, e, &err) < 0)
        fprintf(stderr, "potok: %s: %s\n",
            say("время сверки не записано", "the time of this agreement is not noted"), err.text);
}

static void entity_run(struct verify *v, struct job *j, const struct entity *entity)
{
    struct verify_entity *e = xcalloc(1, sizeof(*e));
    struct err err = { 0 };

    entity_init(e, entity);
    if (compare(v, e, &err) < 0)
        e->err = err;
    note_agreement(v, e);
    if (v->json)
        json_array_append_new(j->entities, verify_json(v, e));
    else
        verify_tell(v, e);
    fflush(stdout);
    j->differs |= !verify_is_equal(e);
    entity_fini(e);
    free(e);
}

/* ---- all ---- */

static int portal_run(struct verify *v, struct job *j, const struct config_portal *portal, struct err *err)
{
    v->portal = portal;
    v->pages = BATCH_COMMANDS;
    if (record_portal_open(&v->ask, &v->home, portal, "verify", err) < 0)
        return -1;
    for (int i = 0; i < ENTITY_COUNT; i++)
        if (is_wanted(j, portal, &ENTITIES[i]))
            entity_run(v, j, &ENTITIES[i]);
    j->requests += v->ask.calls;
    record_portal_close(&v->ask);
    return 0;
}

static bool services_answer(const struct home *home)
{
    struct err ignored = { 0 };
    char *body = NULL;
    bool answer = control_call(home->run_dir, home->bus_scheduler, "status", "{}", &body, &ignored) == 0;

    free(body);
    return answer;
}

static int open_database(struct verify *v, struct err *err)
{
    if (absence_may_look(&v->home, err) < 0 || db_open_read(&v->db, v->home.database_url, err) < 0 ||
        identity_check(&v->home, v->db, err) < 0)
        return -1;
    v->takes_nul = db_takes_nul(v->db);
    v->running = services_answer(&v->home);
    return 0;
}

static int verify_all(struct verify *v, struct job *j, const char *only, struct err *err)
{
    const struct config *c = &v->home.config;
    int wanted = 0;

    if (home_has_portal(&v->home, err) < 0)
        return -1;
    if (only != NULL && config_portal(c, str_of(only)) == NULL)
        return err_set(err, ERR_CONF, "%s \"%.40s\"", say("нет портала", "there is no portal"), only);
    for (int i = 0; i < c->portal_count; i++)
        for (int k = 0; k < ENTITY_COUNT; k++)
            wanted += (only == NULL || strcmp(only, c->portals[i].name) == 0) &&
                      is_wanted(j, &c->portals[i], &ENTITIES[k]);
    if (wanted == 0)
        return err_set(
            err, ERR_CONF, "%s", say("таких сущностей зеркало не держит", "none of these is mirrored"));
    if (open_database(v, err) < 0)
        return -1;
    for (int i = 0; i < c->portal_count; i++)
        if ((only == NULL || strcmp(only, c->portals[i].name) == 0) &&
            portal_run(v, j, &c->portals[i], err) < 0)
            return -1;
    return 0;
}

static int take_words(const struct args *args, struct job *j, struct err *err)
{
    for (int i = 0; i < args->word_count; i++) {
        j->words[i] = entity_word(args->words[i], err);
        if (j->words[i] == NULL)
            return -1;
    }
    j->word_count = args->word_count;
    return 0;
}

static void print_json(const struct job *j)
{
    json_t *root =
        json_pack("{s:b, s:O, s:i}", "equal", !j->differs, "entities", j->entities, "requests", j->requests);
    char *text = json_dumps(root, JSON_COMPACT);

    printf("%s\n", text);
    free(text);
    json_decref(root);
}

static int verify_run(const struct args *args)
{
    struct verify *v = xcalloc(1, sizeof(*v));
    struct job job = { .entities = json_array() };
    struct err err = { 0 };
    int code;

    v->heal = args->option[OPTION_HEAL] != NULL;
    v->json = args->option[OPTION_JSON] != NULL;
    v->progress = !v->json && isatty(STDERR_FILENO) && isatty(STDOUT_FILENO);
    buf_init(&v->made, MADE_MAX);
    if (take_words(args, &job, &err) < 0) {
        code = command_misused("verify", &err);
    } else if (home_load(&v->home, NULL, &err) < 0) {
        code = command_failed(&err);
    } else {
        if (verify_all(v, &job, args->option[OPTION_PORTAL], &err) < 0)
            code = command_failed(&err);
        else
            code = job.differs ? EXIT_FAILED : EXIT_WELL;
        if (v->json && code != EXIT_USAGE && err.kind == ERR_NONE)
            print_json(&job);
        db_close(&v->db);
        home_free(&v->home);
    }
    json_decref(job.entities);
    buf_fini(&v->made);
    free(v);
    return code;
}

const struct command COMMAND_VERIFY = { "verify", "[ENTITY…]",
    "сверить таблицы с порталом, значение за значением", "compare the tables with the portal, value by value",
    OPTIONS, verify_run };
