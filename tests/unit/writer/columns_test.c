/* Columns that are not what the message says: of another kind, dropped, altered under way. */
#include "story.h"

static const char *rejects(struct story *s)
{
    return test_rows(s->other, "SELECT id, field, value FROM potok_reject ORDER BY id, field");
}

/* Somebody gives the title's column another type; SQLite has no word for it. */
static void alter_title(struct story *s, const char *type, const char *sqlite_type)
{
    if (check_is_postgres()) {
        tell(s, "ALTER TABLE crm_deals ALTER COLUMN title TYPE %s USING NULL", type);
    } else {
        tell(s, "ALTER TABLE crm_deals DROP COLUMN title");
        tell(s, "ALTER TABLE crm_deals ADD COLUMN title %s", sqlite_type);
    }
}

static struct story *mended(const struct note *notes, size_t n)
{
    static struct story s;

    if (s.one == NULL)
        open_story(&s, "columns.db");
    alter_title(&s, "text", "TEXT");
    tell(&s, "DELETE FROM potok_field");
    forget_all(&s);
    CHECK_STR(commit(s.one, fly_get(&s), notes, n), "ok");
    return &s;
}

TEST(what_fits_is_written_and_what_does_not_is_rejected_with_its_record_written)
{
    struct story *s = mended(NOTES({ 9, "A" }));

    tell(s, "INSERT INTO potok_field (portal, entity, name, col) VALUES ('main', 'deals', 'TITLE', 'title')");
    alter_title(s, "bigint", "INTEGER");
    CHECK_STR(commit(s->one, fly_range(s, 1, 8), NOTES({ 1, "7" }, { 2, "007" }, { 3, "B" })), "ok");
    CHECK_STR(test_rows(s->other,
                  "SELECT id, CAST(title AS TEXT), length(_hash) FROM crm_deals WHERE id < 9 ORDER BY id"),
        "1 7 16;2 - 16;3 - 16;");
    CHECK_STR(rejects(s), "2 TITLE 007;3 TITLE B;");
    CHECK_HAS(test_rows(s->other, "SELECT reason FROM potok_reject WHERE id = 2"),
        "field is now text, the column is int: `potok schema widen deals title` changes it");
    CHECK_STR(commit(s->two, fly_range(s, 1, 8), NOTES({ 1, "7" }, { 2, "007" }, { 3, "8" })), "ok");
    CHECK_STR(test_rows(s->other, "SELECT id, CAST(title AS TEXT) FROM crm_deals WHERE id < 9 ORDER BY id"),
        "1 7;2 -;3 8;");
    CHECK_STR(rejects(s), "2 TITLE 007;"); /* also of a row that did not change */
}

TEST(an_altered_column_is_filled_anew_and_the_hash_stays_that_of_the_reading)
{
    struct story *s = mended(NOTES({ 1, "7" }));

    alter_title(s, "bigint", "INTEGER");
    CHECK_STR(commit(s->one, fly_range(s, 1, END), NOTES({ 1, "7" })), "ok");
    CHECK_STR(test_rows(s->other, "SELECT CAST(title AS TEXT) FROM crm_deals"), "7;");
    CHECK_STR(rejects(s), "");
    uint64_t hi = (uint64_t)test_i64(s->other, "SELECT _hi FROM crm_deals");
    tick(s);
    CHECK_STR(commit(s->one, fly_range(s, 1, END), NOTES({ 1, "7" })), "ok");
    CHECK_EQ(test_i64(s->other, "SELECT _hi FROM crm_deals"), hi); /* same: nothing is written */
}

static int try(struct db *db, struct flight f, const struct note *notes, size_t n, struct err *err)
{
    struct msg *m = read_flight(&f, notes, n);
    struct apply a;
    int result = apply_begin(&a, db, m, err);

    if (result == 0)
        result = apply_end(&a, err);
    msg_free(&m);
    return result;
}

TEST(a_column_dropped_in_mid_run_is_filled_by_all_later_readings)
{
    struct story *s = mended(NOTES({ 1, "A" }, { 2, "B" }));

    tell(s, "INSERT INTO potok_run (id, portal, entity, state) VALUES (7, 'main', 'deals', 'open')");
    s->run = 7;
    struct flight first = fly_range(s, 1, 1), second = fly_range(s, 2, END);
    CHECK_STR(commit(s->one, first, NOTES({ 1, "A" })), "ok");
    tell(s, "ALTER TABLE crm_deals DROP COLUMN title");
    CHECK_STR(commit(s->one, second, NOTES({ 2, "C" })), "ok");
    CHECK_STR(test_rows(s->other, "SELECT id, CAST(title AS TEXT) FROM crm_deals WHERE id < 9 ORDER BY id"),
        "1 -;2 C;");
    CHECK_STR(test_rows(s->other, "SELECT state FROM potok_run"), "done;");
    CHECK_STR(test_rows(s->other, "SELECT full_ms FROM potok_entity"), "-;"); /* it passed record 1 */
    tell(s, "INSERT INTO potok_run (id, portal, entity, state) VALUES (8, 'main', 'deals', 'open')");
    s->run = 8;
    CHECK_STR(commit(s->two, fly_range(s, 1, END), NOTES({ 1, "A" }, { 2, "C" })), "ok");
    CHECK_STR(test_rows(s->other, "SELECT id, CAST(title AS TEXT) FROM crm_deals WHERE id < 9 ORDER BY id"),
        "1 A;2 C;");
    CHECK_EQ(test_i64(s->other, "SELECT full_ms IS NULL FROM potok_entity"), 0);
}

TEST(a_type_of_somebody_elses_ends_in_what_to_do)
{
    struct story *s = mended(NOTES({ 1, "A" }));
    struct err err = { 0 };

    alter_title(s, "varchar(20)", "REAL");
    CHECK_EQ(try(s->one, fly_range(s, 1, END), NOTES({ 1, "B" }), &err), -1);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_HAS(err.text, "column title of table crm_deals is of type");
    CHECK_HAS(err.text, "run ALTER TABLE \"crm_deals\"");
    tell(s, check_is_postgres() ? "ALTER TABLE crm_deals ALTER COLUMN title TYPE TEXT"
                                : "ALTER TABLE crm_deals DROP COLUMN title");
    CHECK_STR(commit(s->one, fly_range(s, 1, END), NOTES({ 1, "B" })), "ok");
}

TEST(a_rule_that_somebody_added_ends_in_what_to_do)
{
    struct story *s = mended(NOTES({ 1, "A" }));
    struct err err = { 0 };

    if (check_is_postgres())
        tell(s, "ALTER TABLE crm_deals ADD CONSTRAINT short CHECK (title < 'M')");
    else
        tell(s, "CREATE TRIGGER short BEFORE INSERT ON crm_deals WHEN new.title > 'M' BEGIN SELECT "
                "RAISE(ABORT, 'no'); "
                "END");
    CHECK_EQ(try(s->one, fly_range(s, 1, END), NOTES({ 1, "Z" }), &err), -1);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_HAS(err.text, check_is_postgres() ? "run ALTER TABLE \"crm_deals\" DROP CONSTRAINT \"short\""
                                            : "trigger that somebody added");
    tell(s, check_is_postgres() ? "ALTER TABLE crm_deals DROP CONSTRAINT short" : "DROP TRIGGER short");
    if (check_is_postgres()) {
        tell(s, "ALTER TABLE crm_deals ADD COLUMN mine TEXT NOT NULL DEFAULT ''");
        tell(s, "ALTER TABLE crm_deals ALTER COLUMN mine DROP DEFAULT");
        CHECK_EQ(try(s->one, fly_get(s), NOTES({ 5, "A" }), &err), -1);
        CHECK_EQ(err.kind, ERR_CONF);
        CHECK_HAS(err.text, "run ALTER TABLE \"crm_deals\" ALTER COLUMN \"mine\" DROP NOT NULL");
        tell(s, "ALTER TABLE crm_deals DROP COLUMN mine");
    }
    CHECK_STR(commit(s->one, fly_get(s), NOTES({ 1, "Z" })), "ok");
}

TEST_MAIN(CASE(what_fits_is_written_and_what_does_not_is_rejected_with_its_record_written),
    CASE(an_altered_column_is_filled_anew_and_the_hash_stays_that_of_the_reading),
    CASE(a_column_dropped_in_mid_run_is_filled_by_all_later_readings),
    CASE(a_type_of_somebody_elses_ends_in_what_to_do), CASE(a_rule_that_somebody_added_ends_in_what_to_do))
