#include "services/potok/status/drift_view.h"

#include "base/mem.h"
#include "db/db.h"
#include "services/potok/home.h"
#include "services/potok/words/say.h"
#include "support/check.h"
#include "support/database.h"

#include <stdlib.h>

#define NOW_MS UINT64_C(1700000000000)

static struct home home_with(const char *name)
{
    static const char *const rows[] = {
        "INSERT INTO potok_entity (portal, entity, tbl) VALUES ('main', 'deals', 'crm_deals'), "
        "('main', 'leads', 'crm_leads')",
        "INSERT INTO potok_field (portal, entity, name, type, multiple, col, kind, title, held) VALUES "
        "('main', 'deals', 'UF_A', 'string', 0, 'uf_a', 'text', 'Бюджет', 1), "
        "('main', 'deals', 'UF_B', 'string', 0, 'uf_b', 'text', NULL, 0), "
        "('main', 'deals', 'UF_C', 'integer', 0, 'uf_c', 'int', NULL, 0), "
        "('main', 'leads', 'UF_D', 'string', 0, 'uf_d', 'text', '', 2), "
        "('main', 'leads', 'UF_E', 'string', 0, 'uf_e', 'text', '', 0)",
        "INSERT INTO potok_column (tbl, col, kind, made_ms) VALUES ('crm_deals', 'uf_b', 'int', 1), "
        "('crm_deals', 'uf_c', 'text', 1), ('crm_leads', 'uf_e', 'text', 1)",
        "INSERT INTO potok_field_change (portal, entity, name, at_ms, what, was, now) VALUES "
        "('main', 'deals', 'UF_OLD', 1, 'gone', 'string', NULL), "
        "('main', 'deals', 'UF_B', 1699999990000, 'retyped', 'integer', 'string'), "
        "('main', 'deals', 'UF_C', 1699999991000, 'items', '[[\"5\",\"Да\"]]', '[[\"7\",\"Нет\"],[\"\",\"3 "
        "more\"]]'), "
        "('main', 'deals', 'UF_A', 1699999992000, 'renamed', 'Цена', 'Бюджет')",
    };
    struct home home = { .database_url = xstrdup(check_database(name)) };
    struct db *db = NULL;
    struct err err = { 0 };

    CHECK_OK(db_open(&db, home.database_url, &err), err);
    CHECK_OK(db_migrate(db, &err), err);
    CHECK_OK(db_begin(db, &err), err);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        CHECK_OK(db_run(db, rows[i], DB_NOARGS, NULL, NULL, NULL, &err), err);
    CHECK_OK(db_commit(db, &err), err);
    db_close(&db);
    return home;
}

static void check_lines(
    const struct drift_view *v, enum language language, const char *const *lines, size_t count)
{
    struct buf out;

    say_set(language);
    buf_init(&out, 65536);
    drift_view_show(v, false, &out);
    for (size_t i = 0; i < count; i++)
        CHECK_HAS(buf_cstr(&out), lines[i]);
    CHECK(strstr(buf_cstr(&out), "UF_OLD") == NULL && strstr(buf_cstr(&out), "UF_E") == NULL);
    buf_fini(&out);
}

TEST(what_changed_and_what_waits_is_shown_with_its_cure)
{
    static const char *const ru[] = {
        "main/deals UF_A «Бюджет»: переименовано: Цена → Бюджет\n",
        "main/deals UF_C: другие значения списка: Да (5) → Нет (7), 3 more\n",
        "main/deals UF_B: другой тип: integer → string\n",
        "main/deals UF_A «Бюджет»: не копируется, пока не принято: potok schema accept deals UF_A\n",
        "main/deals UF_B: на портале теперь text, колонка хранит int: potok schema widen deals UF_B\n",
        "другого типа, чем их колонки:\n  main/deals UF_C: на портале теперь int, колонка хранит text и "
        "остаётся "
        "такой: что подходит, пишется как text, остальное идёт в potok_reject\n",
        "main/leads UF_D: значения откладываются в potok_reject, пока не принято: potok schema accept leads "
        "UF_D\n",
    };
    static const char *const en[] = { "main/deals UF_A \"Бюджет\": renamed: Цена → Бюджет\n", "items changed",
        "left out until accepted", "main/leads UF_D: its values are set aside in potok_reject until accepted",
        " --portal main\n" };
    struct home home = home_with("shown");
    struct drift_view v;
    struct reading r;

    reading_init(&r, &home);
    CHECK_OK(drift_view_read(&r, NOW_MS, &v), r.err);
    reading_fini(&r);
    CHECK_EQ(v.entity_count, 2);
    CHECK_EQ(v.entities[0].changes, 3);
    CHECK_EQ(v.entities[0].left_out, 1);
    CHECK_EQ(v.entities[0].retyped, 2);
    CHECK_EQ(v.entities[1].set_aside, 1);
    check_lines(&v, LANGUAGE_RU, ru, ARRAY_SIZE(ru));
    v.portal_count = 2;
    check_lines(&v, LANGUAGE_EN, en, ARRAY_SIZE(en));
    drift_view_fini(&v);
    free(home.database_url);
}

TEST(programs_get_the_same)
{
    struct home home = home_with("json");
    struct drift_view v;
    struct reading r;

    reading_init(&r, &home);
    CHECK_OK(drift_view_read(&r, NOW_MS, &v), r.err);
    reading_fini(&r);
    json_t *o = drift_view_json(&v);
    char *text = json_dumps(o, JSON_COMPACT);
    CHECK_HAS(text, "{\"portal\":\"main\",\"entity\":\"deals\",\"changes\":3,\"left_out\":1,\"set_aside\":0,"
                    "\"retyped\":2}");
    CHECK_HAS(text, "\"what\":\"items\",\"was\":[[\"5\",\"Да\"]],\"now\":[[\"7\",\"Нет\"],[\"\",\"3 more\"]],"
                    "\"at_ms\":1699999991000");
    CHECK_HAS(text, "\"held\":\"set aside\",\"kind\":\"text\",\"column_kind\":\"\",\"cure\":\"potok schema "
                    "accept leads UF_D\"");
    free(text);
    json_decref(o);
    drift_view_fini(&v);
    free(home.database_url);
}

TEST(where_nothing_is_known_nothing_is_shown)
{
    struct home home = { .database_url = "sqlite:////nowhere/x.db", .database_file = "/nowhere/x.db" };
    struct drift_view v;
    struct reading r;
    struct buf out;

    reading_init(&r, &home);
    CHECK_OK(drift_view_read(&r, NOW_MS, &v), r.err);
    reading_fini(&r);
    buf_init(&out, 65536);
    drift_view_show(&v, false, &out);
    CHECK_EQ(out.n, 0);
    buf_fini(&out);
    drift_view_fini(&v);
}

TEST_MAIN(CASE(what_changed_and_what_waits_is_shown_with_its_cure), CASE(programs_get_the_same),
    CASE(where_nothing_is_known_nothing_is_shown))
