/* schema.c - `potok schema`: what the tables hold, read from the database itself, so the services need not
 * run. */
#include "schema.h"

#include "base/mem.h"

#include "command.h"
#include "db/db.h"
#include "words/entity_word.h"
#include "words/say.h"
#include "print.h"
#include "words/screen.h"

#include <stdio.h>
#include <stdlib.h>

static const struct option_def OPTIONS[] = {
    [SCHEMA_FORMAT] = { "--format", 0, true, "table (так и без неё), markdown или json",
        "table (also without it), markdown or json" },
    [SCHEMA_AS_JSON] = { "--json", 0, false, "то же, что --format json", "the same as --format json" },
    [SCHEMA_HISTORY] = { "--history", 0, false, "что менялось в полях портала, новое сверху",
        "what changed in the portal's fields, newest first" },
    [SCHEMA_PORTAL] = { "--portal", 0, true, "только этот портал", "this portal only" },
    [SCHEMA_DRY_RUN] = { "--dry-run", 0, false, "widen: только показать, что будет сделано",
        "widen: only show what would be done" },
    [SCHEMA_ALL] = { "--all", 0, false, "accept: все поля, которые ждут решения",
        "accept: every field that waits" },
    { NULL, 0, false, NULL, NULL },
};

static const struct {
    const char *word;
    schema_work *work;
} SUBCOMMANDS[] = { { "accept", schema_accept }, { "widen", schema_widen } };

static int format_of(const struct args *args, enum schema_format *ret, struct err *err)
{
    const char *name = args->option[SCHEMA_FORMAT];

    *ret = args->option[SCHEMA_AS_JSON] != NULL ? SCHEMA_JSON : SCHEMA_TABLE;
    if (name == NULL || schema_format_of(name, ret) == 0)
        return 0;
    return err_set(err, ERR_CONF, "--format %.40s: %s table, markdown, json", name,
        say("нужно одно из", "it is one of"));
}

static void print_json(json_t *root)
{
    char *text = json_dumps(root, JSON_COMPACT);

    printf("%s\n", text);
    free(text);
    json_decref(root);
}

static void print(const struct description *d, enum schema_format format, bool history)
{
    struct buf out;

    if (format == SCHEMA_JSON) {
        print_json(history ? schema_history_json(d) : schema_json(d));
        return;
    }
    buf_init(&out, 64 << 20);
    if (history)
        schema_print_history(d, format, screen_colour(), &out);
    else
        schema_print(d, format, screen_colour(), &out);
    fwrite(out.p, 1, out.n, stdout);
    buf_fini(&out);
}

static int show(const struct home *home, const struct args *args, struct err *err)
{
    const char *names[ARGS_WORDS_MAX];
    struct describe_ask ask = { args->option[SCHEMA_PORTAL], names, args->word_count };
    bool history = args->option[SCHEMA_HISTORY] != NULL;
    struct description d = { .count = 0 };
    enum schema_format format;
    struct db *db = NULL;
    int result;

    if (format_of(args, &format, err) < 0)
        return -1;
    for (int i = 0; i < args->word_count; i++) {
        const struct entity *e = entity_word(args->words[i], err);

        if (e == NULL)
            return -1;
        names[i] = e->plural;
    }
    if (db_open_read(&db, home->database_url, err) < 0)
        return -1;
    result = describe(db, &ask, &d, err);
    if (result == 0 && history)
        result = describe_changes(db, &d, err);
    db_close(&db);
    if (result == 0)
        print(&d, format, history);
    description_fini(&d);
    return result;
}

int schema_open(const struct home *home, struct db **ret, struct err *err)
{
    struct db *db = NULL;

    if (db_open_read(&db, home->database_url, err) < 0)
        return -1;
    db_close(&db);
    return db_open(ret, home->database_url, err);
}

static int schema_run(const struct args *args)
{
    schema_work *work = show;
    struct home home;
    struct err err = { 0 };
    int result;

    for (size_t i = 0; i < ARRAY_SIZE(SUBCOMMANDS) && args->word_count > 0; i++)
        if (strcmp(args->words[0], SUBCOMMANDS[i].word) == 0)
            work = SUBCOMMANDS[i].work;
    if (home_load(&home, NULL, &err) < 0)
        return command_failed(&err);
    result = work(&home, args, &err);
    home_free(&home);
    return result < 0 ? command_failed(&err) : result;
}

const struct command COMMAND_SCHEMA = { "schema",
    "[ENTITY…] | accept ENTITY FIELD… | widen [ENTITY [FIELD…]]",
    "какие таблицы и колонки есть, откуда они и что в них менялось; принять новые поля, расширить колонки",
    "which tables and columns there are, what they come from, what changed; accept new fields, widen columns",
    OPTIONS, schema_run };
