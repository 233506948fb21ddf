/* accept.c - `potok schema accept`: fields that a policy holds back are copied from here on. The
 * scheduler, or the next one, reads the entity anew. */
#include "schema.h"

#include "ask/absence.h"
#include "base/buf.h"
#include "base/mem.h"
#include "command.h"
#include "db/db.h"
#include "words/entity_word.h"
#include "words/say.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

struct waiting { /* a field held back */
    char *portal, *entity, *name, *column;
    bool chosen;
};

struct accept {
    const char *portal, *entity; /* NULL = any */
    struct waiting *list;        /* by portal, entity and name */
    int count, chosen;
};

static int on_waiting(void *ctx, const struct db_val *row, int columns)
{
    struct accept *a = ctx;

    if ((a->portal != NULL && !str_is(row[0].s, a->portal)) ||
        (a->entity != NULL && !str_is(row[1].s, a->entity)))
        return 0;
    a->list = xrealloc(a->list, (size_t)(a->count + 1) * sizeof(*a->list));
    a->list[a->count++] =
        (struct waiting){ str_dup(row[0].s), str_dup(row[1].s), str_dup(row[2].s), str_dup(row[3].s), false };
    return 0;
}

static void accept_fini(struct accept *a)
{
    for (int i = 0; i < a->count; i++) {
        free(a->list[i].portal);
        free(a->list[i].entity);
        free(a->list[i].name);
        free(a->list[i].column);
    }
    free(a->list);
}

/* ---- which ---- */

static int nothing_like_it(const struct accept *a, const char *word, struct err *err)
{
    struct buf names;
    int result;

    buf_init(&names, 200);
    for (int i = 0; i < a->count && !names.failed; i++)
        buf_fmt(&names, "%s%s", i > 0 ? ", " : "", a->list[i].name);
    if (a->count == 0)
        result = err_set(err, ERR_CONF, "%.64s: %s", word,
            say("такого поля среди ждущих решения нет: не ждёт ни одно", "no such field waits: none does"));
    else
        result = err_set(err, ERR_CONF, "%.64s: %s: %s", word,
            say("такого поля среди ждущих решения нет; ждут", "no such field waits; these do"),
            buf_cstr(&names));
    buf_fini(&names);
    return result;
}

static int choose_word(struct accept *a, const char *word, struct err *err)
{
    bool found = false;

    for (int i = 0; i < a->count; i++) {
        struct waiting *w = &a->list[i];

        if (!str_case_eq(str_of(word), str_of(w->name)) && strcmp(word, w->column) != 0)
            continue;
        found = w->chosen = true;
    }
    return found ? 0 : nothing_like_it(a, word, err);
}

static int choose(struct accept *a, const struct args *args, struct err *err)
{
    for (int i = 2; i < args->word_count; i++)
        if (choose_word(a, args->words[i], err) < 0)
            return -1;
    for (int i = 0; i < a->count; i++) {
        a->list[i].chosen |= args->option[SCHEMA_ALL] != NULL;
        a->chosen += a->list[i].chosen;
    }
    return 0;
}

/* ---- the transaction ---- */

/* The entity's turn first: no writer's commit crosses it. */
static int raise_shape(struct db *db, const struct waiting *w, struct err *err)
{
    return db_run(db,
        "UPDATE potok_entity SET shape = shape + 1, full_ms = NULL WHERE portal = $1 AND entity = $2",
        DB_ARGS(dbv_c(w->portal), dbv_c(w->entity)), NULL, NULL, NULL, err);
}

static bool same_mirror(const struct waiting *a, const struct waiting *b)
{
    return strcmp(a->portal, b->portal) == 0 && strcmp(a->entity, b->entity) == 0;
}

static int release(struct db *db, const struct accept *a, struct err *err)
{
    const struct waiting *last = NULL;

    for (int i = 0; i < a->count; i++) {
        const struct waiting *w = &a->list[i];

        if (!w->chosen)
            continue;
        if ((last == NULL || !same_mirror(last, w)) && raise_shape(db, w, err) < 0)
            return -1;
        last = w;
        if (db_run(db, "UPDATE potok_field SET held = 0 WHERE portal = $1 AND entity = $2 AND name = $3",
                DB_ARGS(dbv_c(w->portal), dbv_c(w->entity), dbv_c(w->name)), NULL, NULL, NULL, err) < 0)
            return -1;
    }
    return 0;
}

static int accept_in(struct db *db, struct accept *a, const struct args *args, struct err *err)
{
    if (db_run(db,
            "SELECT portal, entity, name, coalesce(col, '') FROM potok_field WHERE held <> 0 AND gone_ms IS "
            "NULL "
            "ORDER BY portal, entity, name",
            DB_NOARGS, on_waiting, a, NULL, err) < 0 ||
        choose(a, args, err) < 0)
        return -1;
    if (a->chosen == 0)
        return 0;
    if (db_begin(db, err) < 0)
        return -1;
    if (release(db, a, err) < 0) {
        db_rollback(db);
        return -1;
    }
    return db_commit(db, err);
}

/* ---- what is told ---- */

static void tell_json(const struct accept *a)
{
    json_t *list = json_array(), *root = json_object();
    char *text;

    for (int i = 0; i < a->count; i++)
        if (a->list[i].chosen)
            json_array_append_new(
                list, json_pack("{s:s, s:s, s:s, s:s}", "portal", a->list[i].portal, "entity",
                          a->list[i].entity, "name", a->list[i].name, "column", a->list[i].column));
    json_object_set_new(root, "accepted", list);
    text = json_dumps(root, JSON_COMPACT);
    printf("%s\n", text);
    free(text);
    json_decref(root);
}

static void tell(const struct home *home, const struct accept *a)
{
    for (int i = 0; i < a->count; i++)
        if (a->list[i].chosen)
            printf("%s/%s: %s -> %s\n", a->list[i].portal, a->list[i].entity, a->list[i].name,
                a->list[i].column);
    if (a->chosen == 0)
        printf("%s\n", say("ни одно поле не ждёт решения", "no field waits to be accepted"));
    else if (absence_up_pid(home) != 0)
        printf("%s\n", say("колонки заполнит полная синхронизация: она начнётся сама",
                           "a full sync fills the columns: it begins by itself"));
    else
        printf("%s\n", say("колонки заполнит полная синхронизация: она начнётся с `potok up`",
                           "a full sync fills the columns: it begins with `potok up`"));
}

static int check_words(const struct args *args, struct err *err)
{
    bool all = args->option[SCHEMA_ALL] != NULL;

    if (args->option[SCHEMA_FORMAT] != NULL || args->option[SCHEMA_HISTORY] != NULL ||
        args->option[SCHEMA_DRY_RUN] != NULL)
        return err_set(err, ERR_CONF, "%s",
            say("accept понимает только --all, --portal и --json",
                "accept knows --all, --portal and --json only"));
    if (all ? args->word_count > 2 : args->word_count < 3)
        return err_set(err, ERR_CONF, "%s",
            say("нужно: potok schema accept СУЩНОСТЬ ПОЛЕ…, или --all вместо полей",
                "it is: potok schema accept ENTITY FIELD…, or --all instead of fields"));
    return 0;
}

int schema_accept(const struct home *home, const struct args *args, struct err *err)
{
    struct accept a = { .portal = args->option[SCHEMA_PORTAL] };
    struct db *db = NULL;
    int result;

    if (check_words(args, err) < 0)
        return -1;
    if (args->word_count > 1) {
        const struct entity *e = entity_word(args->words[1], err);

        if (e == NULL)
            return -1;
        a.entity = e->plural;
    }
    if (schema_open(home, &db, err) < 0)
        return -1;
    result = accept_in(db, &a, args, err);
    db_close(&db);
    if (result == 0 && args->option[SCHEMA_AS_JSON] != NULL)
        tell_json(&a);
    else if (result == 0)
        tell(home, &a);
    accept_fini(&a);
    return result;
}
