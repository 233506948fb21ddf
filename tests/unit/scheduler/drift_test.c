#include "services/scheduler/rules/drift.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdlib.h>

#define FIELD(name, type) \
    { \
        STR(name), STR(type), false, HOLD_NOT \
    }
#define KNOWN(name_, type_) \
    { \
        .field = FIELD(name_, type_) \
    }

/* What a description says beside what is known; labels may be NULL. */
static struct drift see(const struct field *fields, int count, const struct label *labels, int label_count,
    const struct known_field *known, int known_count, enum drift_policy policy)
{
    const struct labels called = { (struct label *)labels, label_count };
    const struct drift_said said = { fields, count, &called, STR("") };
    struct drift d;

    drift_see(&d, &said, known, known_count, policy);
    return d;
}

/* "what name was > now" of each change, a line each. */
static void check_changes(struct drift *d, const char *expected)
{
    struct buf got;

    buf_init(&got, 65536);
    for (int i = 0; i < d->change_count; i++) {
        const struct field_change *c = &d->changes[i];
        buf_fmt(&got, "%s %s %s > %s%s\n", change_name(c->what), c->name, c->was ? c->was : "-",
            c->now ? c->now : "-", c->act ? " !" : "");
    }
    CHECK_STR(got.n > 0 ? buf_cstr(&got) : "", expected);
    buf_fini(&got);
    drift_fini(d);
}

TEST(nothing_is_new_where_nothing_was_known)
{
    static const struct field fields[] = { FIELD("ID", "integer"), FIELD("TITLE", "string") };
    struct drift d = see(fields, 2, NULL, 0, NULL, 0, DRIFT_QUARANTINE);

    CHECK(d.first);
    CHECK_EQ(d.count, 2);
    CHECK_EQ(d.fields[1].field.hold, HOLD_NOT);
    CHECK_EQ(d.empty_count, 0);
    check_changes(&d, "");
}

TEST(what_was_never_told_is_no_change_and_what_is_not_told_stays)
{
    static const struct field fields[] = { FIELD("A", "string"), FIELD("B", "enumeration") };
    static const struct label labels[] = { { STR("A"), STR("Имя"), STR("") } };
    struct known_field known[] = { KNOWN("A", "string"), KNOWN("B", "enumeration") };

    known[1].title = STR("Вид");
    known[1].items = STR("[[\"5\",\"Да\"]]");
    struct drift d = see(fields, 2, labels, 1, known, 2, DRIFT_EVOLVE);
    CHECK_VIEW(d.fields[0].title, "Имя");
    CHECK(d.fields[1].title.p == NULL && d.fields[1].items.p == NULL);
    check_changes(&d, "");
}

TEST(a_title_may_come_and_go)
{
    static const struct field fields[] = { FIELD("A", "string"), FIELD("B", "string") };
    static const struct label labels[] = { { STR("A"), STR("Имя"), STR("") },
        { STR("B"), STR(""), STR("") } };
    struct known_field known[] = { KNOWN("A", "string"), KNOWN("B", "string") };

    known[0].title = STR("");
    known[1].title = STR("Вид");
    struct drift d = see(fields, 2, labels, 2, known, 2, DRIFT_EVOLVE);
    check_changes(&d, "renamed A  > Имя\nrenamed B Вид > \n");
}

TEST(items_in_another_form_or_order_are_the_same_items)
{
    static const struct field fields[] = { FIELD("A", "enumeration") };
    static const struct label labels[] = { { STR("A"), STR(""), STR("[[\"7\",\"Нет\"],[\"5\",\"Да\"]]") } };
    struct known_field known[] = { KNOWN("A", "enumeration") };

    known[0].items = STR("[ [\"5\",\"Да\"], [\"7\",\"Нет\"] ]");
    struct drift d = see(fields, 1, labels, 1, known, 1, DRIFT_EVOLVE);
    check_changes(&d, "");
    known[0].items = STR("spoilt by somebody");
    d = see(fields, 1, labels, 1, known, 1, DRIFT_EVOLVE);
    check_changes(&d, "items A - > [[\"7\",\"Нет\"],[\"5\",\"Да\"]]\n");
}

TEST(what_changed_is_told_within_bounds)
{
    static const struct field fields[] = { FIELD("A", "enumeration") };
    struct known_field known[] = { KNOWN("A", "enumeration") };
    struct label label = { STR("A"), STR(""), STR("") };
    struct buf many;

    buf_init(&many, 65536);
    for (int i = 0; i < 300; i++)
        buf_fmt(&many, "%c[\"%d\",\"значение %d\"]", i == 0 ? '[' : ',', i, i);
    buf_char(&many, ']');
    label.items = buf_view(&many);
    known[0].items = STR("[]");
    struct drift d = see(fields, 1, &label, 1, known, 1, DRIFT_EVOLVE);
    CHECK_EQ(d.change_count, 1);
    CHECK(d.changes[0].was == NULL);
    CHECK(strlen(d.changes[0].now) <= CHANGE_TEXT_MAX);
    CHECK_HAS(d.changes[0].now, " more\"]]");
    drift_fini(&d);
    buf_fini(&many);
}

/* policy, held before, gone, expected */
TEST(who_is_held)
{
    static const struct {
        enum drift_policy policy;
        bool known;
        enum field_hold before;
        bool gone;
        enum field_hold expected;
    } cases[] = {
        { DRIFT_EVOLVE, false, HOLD_NOT, false, HOLD_NOT },
        { DRIFT_FREEZE, false, HOLD_NOT, false, HOLD_OUT },
        { DRIFT_QUARANTINE, false, HOLD_NOT, false, HOLD_ASIDE },
        { DRIFT_FREEZE, true, HOLD_NOT, false, HOLD_NOT },
        { DRIFT_QUARANTINE, true, HOLD_NOT, true, HOLD_NOT }, /* back: it has its column */
        { DRIFT_FREEZE, true, HOLD_ASIDE, false, HOLD_OUT },  /* the policy of today */
        { DRIFT_QUARANTINE, true, HOLD_OUT, true, HOLD_ASIDE },
        { DRIFT_EVOLVE, true, HOLD_OUT, false, HOLD_NOT },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        static const struct field fields[] = { FIELD("A", "string"), FIELD("ID", "integer") };
        struct known_field known[] = { KNOWN("A", "string"), KNOWN("ID", "integer") };

        known[0].field.hold = cases[i].before;
        known[0].gone = cases[i].gone;
        struct drift d = cases[i].known ? see(fields, 2, NULL, 0, known, 2, cases[i].policy)
                                        : see(fields, 2, NULL, 0, known + 1, 1, cases[i].policy);
        CHECK_EQ(d.fields[0].field.hold, cases[i].expected);
        CHECK_EQ(d.columns[0].name[0] != '\0', cases[i].expected == HOLD_NOT);
        CHECK_EQ(d.fields[1].field.hold, HOLD_NOT);
        drift_fini(&d);
    }
}

TEST(the_id_is_never_held)
{
    static const struct field fields[] = { FIELD("ID", "integer") };
    const struct known_field known[] = { KNOWN("A", "string") };
    struct drift d = see(fields, 1, NULL, 0, known, 1, DRIFT_FREEZE);

    CHECK_EQ(d.fields[0].field.hold, HOLD_NOT);
    drift_fini(&d);
}

/* A column that passes from one field to another, because both names make the same one, is nobody's heritage.
 */
TEST(columns_that_begin_to_be_filled_are_emptied)
{
    static const struct field fields[] = { FIELD("PRICE", "money"), FIELD("PRICE_CURRENCY", "string"),
        FIELD("SUM", "money"), FIELD("X", "string") };
    struct known_field known[] = { KNOWN("PRICE", "money"), KNOWN("SUM", "string"), KNOWN("X", "string") };

    known[2].gone = true;
    struct drift d = see(fields, 4, NULL, 0, known, 3, DRIFT_EVOLVE);
    CHECK_EQ(d.empty_count, 3);
    CHECK_VIEW(d.empty[0], "price_currency_2"); /* the one without number goes on being filled */
    CHECK_VIEW(d.empty[1], "sum_currency");
    CHECK_VIEW(d.empty[2], "x");
    drift_fini(&d);
}

TEST(a_retyped_field_needs_somebody_only_where_its_column_is_of_another_kind)
{
    static const struct {
        const char *was, *now;
        enum col_kind column;
        enum field_hold hold;
        bool act;
    } cases[] = {
        { "integer", "string", COL_INT, HOLD_NOT, true },
        { "string", "url", COL_TEXT, HOLD_NOT, false },
        { "string", "integer", COL_INT, HOLD_NOT, false },
        { "string", "date", COL_TEXT, HOLD_NOT, true },
        { "integer", "string", COL_INT, HOLD_OUT, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct field fields[] = { { STR("A"), str_of(cases[i].now), false, HOLD_NOT } };
        const struct known_field known[] = {
            { .field = { STR("A"), str_of(cases[i].was), false, cases[i].hold }, .column = cases[i].column }
        };
        struct drift d = see(fields, 1, NULL, 0, known, 1, DRIFT_FREEZE);
        CHECK_EQ(d.counts[CHANGE_RETYPED], 1);
        CHECK_EQ(d.changes[0].act, cases[i].act);
        drift_fini(&d);
    }
}

TEST_MAIN(CASE(nothing_is_new_where_nothing_was_known),
    CASE(what_was_never_told_is_no_change_and_what_is_not_told_stays), CASE(a_title_may_come_and_go),
    CASE(items_in_another_form_or_order_are_the_same_items), CASE(what_changed_is_told_within_bounds),
    CASE(who_is_held), CASE(the_id_is_never_held), CASE(columns_that_begin_to_be_filled_are_emptied),
    CASE(a_retyped_field_needs_somebody_only_where_its_column_is_of_another_kind))
