/* widen.c - `potok schema widen`: columns whose fields the portal retyped are given a kind that holds
 * both, and the records whose values did not fit are read again. */
#include "schema.h"

#include "base/clock.h"
#include "base/mem.h"
#include "command.h"
#include "db/db.h"
#include "db/widen.h"
#include "words/entity_word.h"
#include "words/say.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum widen_state { WIDEN_WOULD, WIDEN_DONE, WIDEN_NEVER, WIDEN_FAILED };

struct widening { /* one column */
    const struct described *mirror;
    const struct described_field *field;
    enum col_kind from, to;
    enum widen_state state;
    int64_t records; /* to be read again */
    struct err err;
};

struct widen {
    struct description d;
    struct widening *list;
    int count;
};

/* ---- which ---- */

static bool is_named(const struct described_field *f, const char *word)
{
    return str_case_eq(str_of(word), str_of(f->name)) || strcmp(word, f->column) == 0;
}

static bool is_wanted(const struct described_field *f, const struct args *args)
{
    bool wanted = args->word_count < 3;

    for (int i = 2; i < args->word_count && !wanted; i++)
        wanted = is_named(f, args->words[i]);
    return wanted && described_retyped(f);
}

/* What cannot be done is told of a field that was named. */
static void add(struct widen *w, const struct described *m, const struct described_field *f, bool named)
{
    struct widening one = { .mirror = m, .field = f };

    if (col_kind_parse(str_of(f->column_kind), &one.from) < 0 || col_kind_parse(str_of(f->kind), &one.to) < 0)
        return;
    one.state = col_kind_widens(one.from, one.to) ? WIDEN_WOULD : WIDEN_NEVER;
    if (one.state == WIDEN_NEVER && !named)
        return;
    one.records = f->rejected;
    w->list = xrealloc(w->list, (size_t)(w->count + 1) * sizeof(*w->list));
    w->list[w->count++] = one;
}

/* A field that was named must be there, whether there is anything to do or not. */
static int check_named(const struct widen *w, const struct args *args, struct err *err)
{
    for (int i = 2; i < args->word_count; i++) {
        bool found = false;

        for (int m = 0; m < w->d.count && !found; m++)
            for (int k = 0; k < w->d.list[m].count && !found; k++)
                found = is_named(&w->d.list[m].fields[k], args->words[i]);
        if (!found)
            return err_set(err, ERR_CONF, "%s: %s %.64s", w->d.list[0].entity,
                say("нет поля", "there is no field"), args->words[i]);
    }
    return 0;
}

static int choose(struct db *db, const struct args *args, struct widen *w, struct err *err)
{
    const char *entity = NULL;
    struct describe_ask ask = { args->option[SCHEMA_PORTAL], &entity, args->word_count > 1 };

    if (args->word_count > 1) {
        const struct entity *e = entity_word(args->words[1], err);

        if (e == NULL)
            return -1;
        entity = e->plural;
    }
    if (describe(db, &ask, &w->d, err) < 0 || check_named(w, args, err) < 0)
        return -1;
    for (int m = 0; m < w->d.count; m++)
        for (int k = 0; k < w->d.list[m].count; k++)
            if (is_wanted(&w->d.list[m].fields[k], args))
                add(w, &w->d.list[m], &w->d.list[m].fields[k], args->word_count > 2);
    return 0;
}

/* ---- how ---- */

/* The entity's turn first. Without its hash a row is written whatever is read, and the mark has it read soon.
 */
static int renew_in(struct db *db, struct widening *one, struct err *err)
{
    struct db_val portal = dbv_c(one->mirror->portal), entity = dbv_c(one->mirror->entity);
    size_t n = strlen(one->mirror->table);
    char *table = xmalloc(2 * n + 3), *sql, turn[120];
    int64_t ignored;
    int result;

    snprintf(turn, sizeof(turn), "SELECT shape FROM potok_entity WHERE portal = $1 AND entity = $2%s",
        db_for_update(db));
    db_quote(db, (struct str){ one->mirror->table, n }, table);
    sql = xasprintf("UPDATE %s SET _hash = NULL WHERE _deleted_at IS NULL AND id IN "
                    "(SELECT id FROM potok_reject WHERE portal = $1 AND entity = $2 AND field = $3)",
        table);
    result = db_get_i64(db, turn, DB_ARGS(portal, entity), 0, &ignored, err);
    if (result == 0)
        result = db_run(db, sql, DB_ARGS(portal, entity, dbv_c(one->field->name)), NULL, NULL, NULL, err);
    if (result == 0)
        result = db_run(db,
            "INSERT INTO potok_mark (portal, entity, id, k, ask, set_ms) "
            "SELECT r.portal, r.entity, r.id, l.tick, 0, $4 FROM potok_reject r "
            "JOIN potok_lease l ON l.portal = r.portal WHERE r.portal = $1 AND r.entity = $2 AND r.field = "
            "$3 "
            "ON CONFLICT (portal, entity, id) DO UPDATE SET not_before_ms = 0, "
            "k = CASE WHEN excluded.k > potok_mark.k THEN excluded.k ELSE potok_mark.k END",
            DB_ARGS(portal, entity, dbv_c(one->field->name), dbv_i((int64_t)clock_wall_ms())), NULL, NULL,
            &one->records, err);
    free(sql);
    free(table);
    return result;
}

static int renew(struct db *db, struct widening *one, struct err *err)
{
    if (db_begin(db, err) < 0)
        return -1;
    if (renew_in(db, one, err) < 0) {
        db_rollback(db);
        return -1;
    }
    return db_commit(db, err);
}

/* Twice: a reading that came before the column was ready settled what the first one asked for, and whoever is
 * killed between the two has lost no record. */
static void widen_one(struct db *db, struct widening *one)
{
    if (renew(db, one, &one->err) < 0 ||
        db_widen(db, str_of(one->mirror->table), str_of(one->field->column), one->to, &one->err) < 0 ||
        renew(db, one, &one->err) < 0)
        one->state = WIDEN_FAILED;
    else
        one->state = WIDEN_DONE;
}

/* ---- what is told ---- */

static const char *state_word(enum widen_state state)
{
    static const struct {
        const char *ru, *en;
    } words[] = {
        [WIDEN_WOULD] = { "будет расширена", "would be widened" },
        [WIDEN_DONE] = { "расширена", "widened" },
        [WIDEN_NEVER] = { "не расширить без потерь: остаётся как есть",
            "cannot hold every value then: stays as it is" },
        [WIDEN_FAILED] = { "не удалось", "failed" },
    };

    return say(words[state].ru, words[state].en);
}

static void tell_json(const struct widen *w)
{
    static const char *const states[] = { "would_widen", "widened", "not_possible", "failed" };
    json_t *list = json_array(), *root = json_object();
    char *text;

    for (int i = 0; i < w->count; i++) {
        const struct widening *one = &w->list[i];

        json_array_append_new(list,
            json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s?}", "portal", one->mirror->portal,
                "entity", one->mirror->entity, "table", one->mirror->table, "field", one->field->name,
                "column", one->field->column, "from", col_kind_name(one->from), "to", col_kind_name(one->to),
                "state", states[one->state], "records", (json_int_t)one->records, "error",
                one->state == WIDEN_FAILED ? one->err.text : NULL));
    }
    json_object_set_new(root, "columns", list);
    text = json_dumps(root, JSON_COMPACT);
    printf("%s\n", text);
    free(text);
    json_decref(root);
}

static void tell(const struct widen *w)
{
    int64_t marked = 0;

    for (int i = 0; i < w->count; i++) {
        const struct widening *one = &w->list[i];

        printf("%s.%s: %s -> %s: %s", one->mirror->table, one->field->column, col_kind_name(one->from),
            col_kind_name(one->to), state_word(one->state));
        if (one->records > 0 && one->state <= WIDEN_DONE)
            printf(
                ", %s: %lld", say("записей перечитать", "records to be read again"), (long long)one->records);
        marked += one->state == WIDEN_DONE ? one->records : 0;
        printf("%s%s\n", one->state == WIDEN_FAILED ? ": " : "",
            one->state == WIDEN_FAILED ? one->err.text : "");
    }
    if (marked > 0)
        printf("%s\n",
            say("Работающий potok up перечитает их за несколько секунд; сколько ждут: potok status",
                "A running `potok up` reads them again within seconds; `potok status` tells how many wait"));
    if (w->count == 0)
        printf("%s\n", say("расширять нечего", "there is nothing to widen"));
}

static int check_options(const struct args *args, struct err *err)
{
    if (args->option[SCHEMA_FORMAT] == NULL && args->option[SCHEMA_HISTORY] == NULL &&
        args->option[SCHEMA_ALL] == NULL)
        return 0;
    return err_set(err, ERR_CONF, "%s",
        say("widen понимает только --dry-run, --portal и --json",
            "widen knows --dry-run, --portal and --json only"));
}

static int exit_code(const struct widen *w, const struct args *args)
{
    for (int i = 0; i < w->count; i++)
        if (w->list[i].state == WIDEN_FAILED || (w->list[i].state == WIDEN_NEVER && args->word_count > 2))
            return EXIT_FAILED;
    return EXIT_WELL;
}

int schema_widen(const struct home *home, const struct args *args, struct err *err)
{
    bool dry = args->option[SCHEMA_DRY_RUN] != NULL;
    struct widen w = { .count = 0 };
    struct db *db = NULL;
    int result;

    if (check_options(args, err) < 0 ||
        (dry ? db_open_read(&db, home->database_url, err) : schema_open(home, &db, err)) < 0)
        return -1;
    result = choose(db, args, &w, err);
    for (int i = 0; i < w.count && result == 0 && !dry; i++)
        if (w.list[i].state == WIDEN_WOULD)
            widen_one(db, &w.list[i]);
    db_close(&db);
    if (result == 0) {
        if (args->option[SCHEMA_AS_JSON] != NULL)
            tell_json(&w);
        else
            tell(&w);
        result = exit_code(&w, args);
    }
    free(w.list);
    description_fini(&w.d);
    return result;
}
