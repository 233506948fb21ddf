#include "services/writer/verdict.h"

#include "base/mem.h"
#include "support/check.h"

static const uint8_t A[HASH_BYTES] = "AAAAAAAAAAAAAAA", B[HASH_BYTES] = "BBBBBBBBBBBBBBB";

/* How the row looks, and the reading of it (d = 5). */
static const struct {
    const char *what;
    bool present, ghost, witnessed;
    uint64_t hi;
    const uint8_t *hash;
    bool there;
    const uint8_t *read;
    enum verdict verdict;
} CASES[] = {
    { "no row, there", false, false, false, 0, NULL, true, A, VERDICT_NEW },
    { "no row, not there", false, false, false, 0, NULL, false, NULL, VERDICT_NEW },
    { "no row, witnessed, there", false, false, true, 0, NULL, true, A, VERDICT_LATE },
    { "no row, witnessed, not there", false, false, true, 0, NULL, false, NULL, VERDICT_LATE },
    { "equal", true, false, false, 3, A, true, A, VERDICT_SAME },
    { "equal, of the same tick", true, false, false, 5, A, true, A, VERDICT_SAME },
    { "equal, of a later tick", true, false, false, 9, A, true, A, VERDICT_SAME },
    { "equal, witnessed", true, false, true, 9, A, true, A, VERDICT_SAME },
    { "differs, older", true, false, false, 4, A, true, B, VERDICT_NEW },
    { "differs, of the same tick", true, false, false, 5, A, true, B, VERDICT_LATE },
    { "differs, of a later tick", true, false, false, 6, A, true, B, VERDICT_LATE },
    { "differs, older, witnessed", true, false, true, 4, A, true, B, VERDICT_LATE },
    { "gone, older", true, false, false, 4, A, false, NULL, VERDICT_NEW },
    { "gone, of the same tick", true, false, false, 5, A, false, NULL, VERDICT_LATE },
    { "gone, witnessed", true, false, true, 4, A, false, NULL, VERDICT_LATE },
    { "ghost, not there", true, true, false, 4, NULL, false, NULL, VERDICT_SAME },
    { "ghost of a later tick, not there", true, true, true, 9, NULL, false, NULL, VERDICT_SAME },
    { "ghost, there again", true, true, false, 4, NULL, true, A, VERDICT_NEW },
    { "ghost of a later tick, there", true, true, false, 5, NULL, true, A, VERDICT_LATE },
    { "ghost, witnessed, there", true, true, true, 4, NULL, true, A, VERDICT_LATE },
};

TEST(each_state_has_one_verdict)
{
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        struct stored stored = { CASES[i].present, CASES[i].ghost, CASES[i].witnessed, CASES[i].hi, { 0 } };
        struct reading reading = { 5, CASES[i].there, CASES[i].read };
        if (CASES[i].hash != NULL)
            memcpy(stored.hash, CASES[i].hash, HASH_BYTES);
        if (verdict_of(&reading, &stored) != CASES[i].verdict)
            print_error("%s\n", CASES[i].what);
        CHECK_EQ(verdict_of(&reading, &stored), CASES[i].verdict);
    }
}

TEST(a_hash_of_zeros_is_not_a_ghost)
{
    static const uint8_t zeros[HASH_BYTES] = { 0 };
    struct stored ghost = { .present = true, .ghost = true, .hi = 1 };
    struct reading reading = { 5, true, zeros };

    CHECK_EQ(verdict_of(&reading, &ghost), VERDICT_NEW);
}

TEST(marks_go_stay_or_are_set)
{
    CHECK_EQ(verdict_mark(VERDICT_SAME, true), MARK_CLEAR);
    CHECK_EQ(verdict_mark(VERDICT_SAME, false), MARK_CLEAR);
    CHECK_EQ(verdict_mark(VERDICT_NEW, true), MARK_CLEAR);
    CHECK_EQ(verdict_mark(VERDICT_NEW, false), MARK_CLEAR);
    CHECK_EQ(verdict_mark(VERDICT_LATE, true), MARK_SET);
    CHECK_EQ(verdict_mark(VERDICT_LATE, false), MARK_KEEP);
}

TEST(what_changes_nothing_is_the_same_or_a_stranger_that_is_not_there)
{
    static const struct stored none = { .present = false }, live = { .present = true };

    CHECK(verdict_changes_nothing(VERDICT_SAME, true, &live));
    CHECK(verdict_changes_nothing(VERDICT_SAME, false, &live));
    CHECK(verdict_changes_nothing(VERDICT_NEW, false, &none));
    CHECK(!verdict_changes_nothing(VERDICT_NEW, false, &live));
    CHECK(!verdict_changes_nothing(VERDICT_NEW, true, &none));
    CHECK(!verdict_changes_nothing(VERDICT_NEW, true, &live));
    CHECK(!verdict_changes_nothing(VERDICT_LATE, false, &none));
    CHECK(!verdict_changes_nothing(VERDICT_LATE, true, &live));
}

TEST(a_witness_covers_its_range_up_to_its_tick)
{
    static const struct witness list[] = { { 10, 20, 7 }, { 30, (uint64_t)1 << 62, 5 } };
    static const struct {
        uint64_t d, id;
        bool covered;
    } cases[] = {
        { 7, 10, true },
        { 7, 20, true },
        { 7, 9, false },
        { 7, 21, false },
        { 8, 15, false },
        { 1, 15, true },
        { 5, 30, true },
        { 5, (uint64_t)1 << 61, true },
        { 6, 30, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_EQ(witness_covers(list, ARRAY_SIZE(list), cases[i].d, cases[i].id), cases[i].covered);
    CHECK(!witness_covers(NULL, 0, 1, 1));
}

TEST_MAIN(CASE(each_state_has_one_verdict), CASE(a_hash_of_zeros_is_not_a_ghost),
    CASE(marks_go_stay_or_are_set), CASE(what_changes_nothing_is_the_same_or_a_stranger_that_is_not_there),
    CASE(a_witness_covers_its_range_up_to_its_tick))
