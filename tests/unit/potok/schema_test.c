/* `potok schema`: what it reads, what it prints, and what accepting a field does. */
#include "services/potok/schema/schema.h"

#include "base/buf.h"
#include "base/mem.h"
#include "db/db.h"
#include "services/potok/command.h"
#include "services/potok/words/say.h"
#include "services/potok/schema/print.h"
#include "support/check.h"
#include "support/database.h"

#include <stdio.h>
#include <stdlib.h>

#define DAY "1724976000000" /* 2024-08-30 */

static char database[400];

static void run(struct db *db, const char *sql)
{
    struct err err = { 0 };

    CHECK_OK(db_begin(db, &err), err);
    CHECK_OK(db_run(db, sql, DB_NOARGS, NULL, NULL, NULL, &err), err);
    CHECK_OK(db_commit(db, &err), err);
}

static int64_t get(const char *sql)
{
    struct db *db = NULL;
    struct err err = { 0 };
    int64_t ret;

    CHECK_OK(db_open(&db, database, &err), err);
    CHECK_OK(db_get_i64(db, sql, DB_NOARGS, -1, &ret, &err), err);
    db_close(&db);
    return ret;
}

#define FIELD \
    "INSERT INTO potok_field (portal, entity, name, title, type, multiple, col, kind, held, first_ms, " \
    "gone_ms, items) VALUES "

/* Two mirrors, one with a table, and a field of every sort. */
static struct db *filled(const char *name)
{
    static const char *const statements[] = {
        "INSERT INTO potok_lease (portal, tick, epoch, bucket, bucket_ms, identity) VALUES ('main', 7, 1, 0, "
        "0, "
        "'p.example')",
        "INSERT INTO potok_entity (portal, entity, tbl, full_ms, schema_ms) VALUES ('main', 'deals', "
        "'crm_deals', " DAY ", " DAY "), ('main', 'leads', 'crm_leads', NULL, NULL)",
        "CREATE TABLE crm_deals (id BIGINT PRIMARY KEY, _deleted_at TEXT)",
        "INSERT INTO crm_deals VALUES (1, NULL), (2, NULL), (3, '2024-08-30T00:00:00Z')",
        FIELD
        "('main', 'deals', 'ID', 'ID', 'integer', 0, 'id', 'int', 0, " DAY ", NULL, NULL), "
        "('main', 'deals', 'OPPORTUNITY', 'Сумма | итог', 'money', 0, 'opportunity', 'decimal', 0, " DAY
        ", NULL, NULL), "
        "('main', 'deals', 'UF_COLOR', 'Цвет', 'enumeration', 1, 'uf_color', 'json', 0, " DAY
        ", NULL, '[[\"44\",\"красный\"],[\"46\",\"белый\"],[\"48\",\"синий\"],[\"50\",\"чёрный\"]]'), "
        "('main', 'deals', 'UF_GONE', NULL, 'string', 0, 'uf_gone', 'text', 0, " DAY ", " DAY ", NULL), "
        "('main', 'deals', 'UF_NEW', 'Новое', 'string', 0, 'uf_new', 'text', 1, " DAY ", NULL, NULL), "
        "('main', 'deals', 'UF_SIZE', 'Размер', 'string', 0, 'uf_size', 'text', 0, " DAY ", NULL, NULL), "
        "('main', 'leads', 'UF_LATER', 'Потом', 'date', 0, 'uf_later', 'date', 2, " DAY ", NULL, NULL)",
        "INSERT INTO potok_column (tbl, col, kind, made_ms) VALUES ('crm_deals', 'uf_size', 'int', 1), "
        "('crm_deals', "
        "'opportunity', 'decimal', 1), ('other', 'uf_color', 'int', 1)",
        "INSERT INTO potok_reject (portal, entity, id, field, value, reason, at_ms) VALUES ('main', 'deals', "
        "1, "
        "'UF_SIZE', 'XL', 'text', 5), ('main', 'deals', 2, 'UF_SIZE', 'L', 'text', 5), ('two', 'deals', 2, "
        "'UF_SIZE', "
        "'L', 'text', 5)",
        "INSERT INTO potok_field_change (portal, entity, name, at_ms, what, was, now) VALUES ('main', "
        "'deals', "
        "'UF_SIZE', " DAY ", 'retyped', 'integer', 'string'), ('main', 'leads', 'UF_LATER', " DAY
        "+60000, 'added', NULL, 'date')",
    };
    struct db *db = NULL;
    struct err err = { 0 };

    snprintf(database, sizeof(database), "%s", check_database(name));
    setenv("TZ", "UTC", 1);
    say_set(LANGUAGE_EN);
    CHECK_OK(db_open(&db, database, &err), err);
    CHECK_OK(db_migrate(db, &err), err);
    for (size_t i = 0; i < ARRAY_SIZE(statements); i++)
        run(db, statements[i]);
    return db;
}

static struct description described(const char *name, const struct describe_ask *ask)
{
    struct description d = { .count = 0 };
    struct db *db = filled(name);
    struct err err = { 0 };

    CHECK_OK(describe(db, ask, &d, &err), err);
    CHECK_OK(describe_changes(db, &d, &err), err);
    db_close(&db);
    return d;
}

static const struct describe_ask EVERYTHING = { NULL, NULL, 0 };

TEST(a_terminal_shows_columns_with_where_they_come_from)
{
    struct description d = described("table", &EVERYTHING);
    struct buf out;

    buf_init(&out, 1 << 20);
    schema_print(&d, SCHEMA_TABLE, false, &out);
    CHECK_STR(buf_cstr(&out),
        "main/deals -> crm_deals: 2 records, deleted: 1, 6 fields, last full sync 2024-08-30 00:00\n"
        "column                kind     title         field        portal type    since       notes\n"
        "id                    int      ID            ID           integer        2024-08-30  \n"
        "opportunity           decimal  Сумма | итог  OPPORTUNITY  money          2024-08-30  \n"
        "opportunity_currency  text     Сумма | итог  OPPORTUNITY  (currency)     2024-08-30  \n"
        "uf_color              json     Цвет          UF_COLOR     enumeration[]  2024-08-30  4 items: "
        "красный, белый, "
        "синий, …\n"
        "uf_gone               text                   UF_GONE      string         2024-08-30  gone since "
        "2024-08-30\n"
        "                               Новое         UF_NEW       string         2024-08-30  not copied "
        "(freeze)\n"
        "uf_size               int      Размер        UF_SIZE      string         2024-08-30  at the portal "
        "now text, "
        "the column holds int; values that do not fit: 2\n"
        "1 new field waits to be accepted: potok schema accept deals --all\n"
        "1 column is not of its field's kind: potok schema widen deals --dry-run\n"
        "\n"
        "main/leads -> crm_leads: there is no table yet, 1 field\n"
        "column  kind  title  field     portal type  since       notes\n"
        "              Потом  UF_LATER  date         2024-08-30  set aside (quarantine)\n"
        "1 new field waits to be accepted: potok schema accept leads --all\n");
    buf_fini(&out);
    description_fini(&d);
}

TEST(markdown_can_be_pasted_whatever_titles_hold)
{
    static const char *const deals[] = { "deals" };
    struct describe_ask ask = { "main", deals, 1 };
    struct description d = described("markdown", &ask);
    struct buf out;

    buf_init(&out, 1 << 20);
    say_set(LANGUAGE_RU);
    schema_print(&d, SCHEMA_MARKDOWN, false, &out);
    CHECK_HAS(buf_cstr(&out),
        "## crm_deals\n\nПортал main (p.example), сущность deals: 2 записи, удалённых: 1, 6 полей");
    CHECK_HAS(buf_cstr(&out), "| колонка | вид | название | поле | тип на портале | с | примечания |\n"
                              "| --- | --- | --- | --- | --- | --- | --- |\n");
    CHECK_HAS(
        buf_cstr(&out), "| opportunity | decimal | Сумма \\| итог | OPPORTUNITY | money | 2024-08-30 |  |\n");
    CHECK_HAS(buf_cstr(&out), "| uf\\_color | json | Цвет | UF\\_COLOR | enumeration\\[\\] |");
    CHECK_HAS(buf_cstr(&out), "`_deleted_at`");
    CHECK(strstr(buf_cstr(&out), "leads") == NULL);
    CHECK(strstr(buf_cstr(&out), "potok schema accept") == NULL);
    buf_fini(&out);
    description_fini(&d);
}

static void check_json(json_t *root, const char *expected)
{
    char *text = json_dumps(root, JSON_COMPACT);

    CHECK_HAS(text, expected);
    free(text);
}

TEST(json_says_null_where_nothing_is)
{
    struct description d = described("json", &EVERYTHING);
    json_t *root = schema_json(&d), *history = schema_history_json(&d);

    check_json(root,
        "{\"mirrors\":[{\"portal\":\"main\",\"host\":\"p.example\",\"entity\":\"deals\",\"table\":\"crm_"
        "deals\","
        "\"records\":2,\"deleted\":1,\"full_ms\":" DAY ",\"schema_ms\":" DAY ",\"fields\":[{\"name\":\"ID\"");
    check_json(root,
        "{\"name\":\"OPPORTUNITY\",\"title\":\"Сумма | "
        "итог\",\"type\":\"money\",\"multiple\":false,\"column\":"
        "\"opportunity\",\"currency_column\":\"opportunity_currency\",\"kind\":\"decimal\",\"column_kind\":"
        "\"decimal\",\"items\":null,\"held\":\"no\",\"first_ms\":" DAY
        ",\"gone_ms\":null,\"changed_ms\":null,\"rejected\":0}");
    check_json(root, "\"items\":[{\"id\":\"44\",\"value\":\"красный\"},");
    check_json(root, "\"column\":null,\"currency_column\":null,\"kind\":\"text\",\"column_kind\":null,"
                     "\"items\":null,\"held\":"
                     "\"left_out\"");
    check_json(root, "\"kind\":\"text\",\"column_kind\":\"int\"");
    check_json(root,
        "\"entity\":\"leads\",\"table\":\"crm_leads\",\"records\":null,\"deleted\":null,\"full_ms\":null");
    check_json(history, "{\"changes\":[{\"portal\":\"main\",\"entity\":\"leads\",\"name\":\"UF_LATER\",\"at_"
                        "ms\":1724976060000,"
                        "\"what\":\"added\",\"was\":null,\"now\":\"date\"},{");
    json_decref(root);
    json_decref(history);
    description_fini(&d);
}

TEST(items_that_are_none_are_no_items)
{
    static const char *const broken[] = { NULL, "", "{}", "7", "[[1", "null" };

    for (size_t i = 0; i < ARRAY_SIZE(broken); i++)
        CHECK(schema_items(broken[i]) == NULL);
    json_t *some = schema_items("[[1], 2, [\"3\", \"three\"], {}]");

    CHECK_EQ(json_array_size(some), 1);
    json_decref(some);
}

TEST(the_history_is_told_newest_first)
{
    struct description d = described("history", &EVERYTHING);
    struct buf out;

    buf_init(&out, 1 << 20);
    schema_print_history(&d, SCHEMA_TABLE, false, &out);
    CHECK_STR(buf_cstr(&out), "when              entity      field     what     was      now\n"
                              "2024-08-30 00:01  main/leads  UF_LATER  added             date\n"
                              "2024-08-30 00:00  main/deals  UF_SIZE   retyped  integer  string\n");
    buf_clear(&out);
    schema_print_history(&(struct description){ .count = 0 }, SCHEMA_MARKDOWN, false, &out);
    CHECK_STR(buf_cstr(&out), "no field has changed yet\n");
    buf_fini(&out);
    description_fini(&d);
}

TEST(who_is_not_there_is_named)
{
    static const char *const contacts[] = { "contacts" };
    const struct describe_ask no_entity = { NULL, contacts, 1 }, no_portal = { "two", NULL, 0 };
    struct db *db = filled("absent");
    struct description d = { .count = 0 };
    struct err err = { 0 };

    CHECK_EQ(describe(db, &no_entity, &d, &err), -1);
    CHECK_HAS(err.text, "contacts: the database does not know this entity yet");
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_EQ(describe(db, &no_portal, &d, &err), -1);
    CHECK_HAS(err.text, "the database does not know this portal: two");
    run(db, "DELETE FROM potok_entity");
    CHECK_EQ(describe(db, &EVERYTHING, &d, &err), -1);
    CHECK_HAS(err.text, "`potok up`");
    db_close(&db);
}

/* ---- accept ---- */

static int accept(struct err *err, const char *const *words, int count, bool all)
{
    struct home home = { .dir = (char *)check_folder(), .database_url = database };
    struct args args = { .word_count = count + 1, .words = { "accept" } };

    memcpy(args.words + 1, words, (size_t)count * sizeof(*words));
    args.option[SCHEMA_ALL] = all ? "" : NULL;
    snprintf(home.run_dir, sizeof(home.run_dir), "%s/run", home.dir);
    return schema_accept(&home, &args, err);
}

#define ACCEPT(err, all, ...) \
    accept(err, (const char *const[]){ __VA_ARGS__ }, \
        (int)ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ })), all)
#define HELD  "SELECT count(*) FROM potok_field WHERE held <> 0"
#define SHAPE "SELECT shape FROM potok_entity WHERE entity = 'deals'"
#define FULL  "SELECT count(*) FROM potok_entity WHERE full_ms IS NOT NULL"

TEST(an_accepted_field_is_copied_and_its_entity_is_read_anew)
{
    struct db *db = filled("accept");
    struct err err = { 0 };

    db_close(&db);
    CHECK_OK(ACCEPT(&err, false, "deal", "uf_new"), err);
    CHECK_EQ(get(HELD), 1);
    CHECK_EQ(get(SHAPE), 1);
    CHECK_EQ(get(FULL), 0);
    CHECK_EQ(ACCEPT(&err, false, "deals", "UF_NEW"), -1);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_EQ(get(SHAPE), 1);
    CHECK_OK(ACCEPT(&err, true, "leads"), err);
    CHECK_EQ(get(HELD), 0);
    CHECK_EQ(get("SELECT shape FROM potok_entity WHERE entity = 'leads'"), 1);
    CHECK_OK(ACCEPT(&err, true, "leads"), err);
    CHECK_EQ(get("SELECT shape FROM potok_entity WHERE entity = 'leads'"), 1);
}

TEST(a_mistyped_field_changes_nothing_and_names_those_that_wait)
{
    struct db *db = filled("mistyped");
    struct err err = { 0 };

    db_close(&db);
    CHECK_EQ(ACCEPT(&err, false, "deals", "UF_NEW", "UF_NEV"), -1);
    CHECK_HAS(err.text, "UF_NEV: no such field waits; these do: UF_NEW");
    CHECK_EQ(get(HELD), 2);
    CHECK_EQ(get(SHAPE), 0);
    CHECK_EQ(ACCEPT(&err, false, "deals"), -1);
    CHECK_HAS(err.text, "potok schema accept ENTITY FIELD");
    CHECK_EQ(ACCEPT(&err, true, "deals", "UF_NEW"), -1);
    CHECK_EQ(ACCEPT(&err, false, "dels", "UF_NEW"), -1);
    CHECK_HAS(err.text, "deals");
}

/* ---- widen ---- */

static int widen(struct err *err, const char *const *words, int count, bool dry)
{
    struct home home = { .dir = (char *)check_folder(), .database_url = database };
    struct args args = { .word_count = count + 1, .words = { "widen" } };

    if (count > 0)
        memcpy(args.words + 1, words, (size_t)count * sizeof(*words));
    args.option[SCHEMA_DRY_RUN] = dry ? "" : NULL;
    return schema_widen(&home, &args, err);
}

/* A mirror whose field was a number and is a text now; three records, the last two with values that did not
 * fit. */
static void retyped(const char *name)
{
    static const struct db_column size = { { "uf_size", 7 }, COL_INT };
    struct db *db = filled(name);
    struct err err = { 0 };

    run(db, "DROP TABLE crm_deals");
    run(db, "DELETE FROM potok_column");
    CHECK_OK(db_ensure_table(db, STR("crm_deals"), &size, 1, NULL, &err), err);
    run(db, "INSERT INTO crm_deals (id, _hi, _hash, uf_size) VALUES (1, 3, 'x', 40), (2, 3, 'y', NULL), (3, "
            "3, 'z', NULL)");
    run(db, "UPDATE potok_reject SET id = 3 WHERE id = 1");
    run(db, "INSERT INTO potok_mark (portal, entity, id, k, ask, not_before_ms) VALUES ('main', 'deals', 3, "
            "2, 1, 99)");
    db_close(&db);
}

#define KIND  "SELECT count(*) FROM potok_column WHERE tbl = 'crm_deals' AND col = 'uf_size' AND kind = "
#define FORTY "SELECT count(*) FROM crm_deals WHERE uf_size = '40'"

TEST(a_widened_column_keeps_its_values_and_what_did_not_fit_is_read_again)
{
    struct err err = { 0 };
    int64_t shape;

    retyped("widen");
    shape = get(SHAPE);
    CHECK_EQ(widen(&err, NULL, 0, true), EXIT_WELL);
    CHECK_EQ(get(KIND "'int'"), 1);
    CHECK_EQ(get(SHAPE), shape);
    CHECK_EQ(widen(&err, (const char *const[]){ "deals", "UF_SIZE" }, 2, false), EXIT_WELL);
    CHECK_EQ(get(KIND "'text'"), 1);
    CHECK_EQ(get(FORTY), 1);
    CHECK(get(SHAPE) > shape);
    CHECK_EQ(
        get("SELECT count(*) FROM potok_mark WHERE entity = 'deals' AND k = 7 AND not_before_ms = 0"), 2);
    CHECK_EQ(get("SELECT ask FROM potok_mark WHERE id = 3"), 1);
    CHECK_EQ(get("SELECT id FROM crm_deals WHERE _hash IS NOT NULL"), 1);
    CHECK_EQ(widen(&err, NULL, 0, false), EXIT_WELL);
    CHECK_EQ(get("SELECT count(*) FROM potok_mark"), 2);
}

TEST(what_would_lose_values_is_left_alone)
{
    struct db *db = NULL;
    struct err err = { 0 };

    retyped("lossy");
    CHECK_OK(db_open(&db, database, &err), err);
    run(db, "UPDATE potok_field SET kind = 'date' WHERE name = 'UF_SIZE'");
    db_close(&db);
    CHECK_EQ(widen(&err, (const char *const[]){ "deals" }, 1, false), EXIT_WELL);
    CHECK_EQ(widen(&err, (const char *const[]){ "deals", "uf_size" }, 2, false), EXIT_FAILED);
    CHECK_EQ(get(KIND "'int'"), 1);
    CHECK_EQ(get("SELECT count(*) FROM potok_mark"), 1);
    CHECK_EQ(widen(&err, (const char *const[]){ "deals", "uf_sise" }, 2, false), -1);
    CHECK_HAS(err.text, "deals: there is no field uf_sise");
}

TEST(nothing_is_made_where_no_database_is)
{
    struct err err = { 0 };

    ONLY_SQLITE();
    snprintf(database, sizeof(database), "%s", check_database("nowhere.db"));
    CHECK_EQ(ACCEPT(&err, true, "deals"), -1);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_HAS(err.text, "there is no database yet");
}

TEST_MAIN(CASE(a_terminal_shows_columns_with_where_they_come_from),
    CASE(markdown_can_be_pasted_whatever_titles_hold), CASE(json_says_null_where_nothing_is),
    CASE(items_that_are_none_are_no_items), CASE(the_history_is_told_newest_first),
    CASE(who_is_not_there_is_named), CASE(an_accepted_field_is_copied_and_its_entity_is_read_anew),
    CASE(a_widened_column_keeps_its_values_and_what_did_not_fit_is_read_again),
    CASE(what_would_lose_values_is_left_alone),
    CASE(a_mistyped_field_changes_nothing_and_names_those_that_wait),
    CASE(nothing_is_made_where_no_database_is))
