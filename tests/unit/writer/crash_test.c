/* Killed before the commit nothing happened; killed after it everything did, and the double is refused. */
#include "story.h"

#include "run/crash.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Commits in a process of its own, which dies at the point (or not at all). */
static bool dies(struct story *s, const char *at, const struct flight *f, struct note note)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        struct db *db = test_open(s->name); /* a connection must not cross a fork */
        setenv("POTOK_CRASH_AT", at, 1);
        make_table(db);
        commit(db, *f, &note, 1);
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

TEST(killed_before_the_commit_nothing_happened)
{
    struct story *s = fresh(NOTES({ 1, "A" }));

    mark(s, 1);
    struct flight f = fly_range(s, 1, END);
    CHECK(dies(s, "writer.before_commit:1", &f, (struct note){ 1, "B" }));
    CHECK_STR(deal(s, 1), "A");
    CHECK_STR(marks(s), "1 2;");
    CHECK_EQ(test_i64(s->other, "SELECT count(*) FROM potok_witness"), 0);
    CHECK_STR(commit(s->one, f, NOTES({ 1, "B" })), "ok");
    CHECK_STR(deal(s, 1), "B");
}

TEST(killed_after_the_commit_all_of_it_did)
{
    struct story *s = fresh(NOTES({ 1, "A" }));

    mark(s, 1);
    struct flight f = fly_range(s, 1, END);
    CHECK(dies(s, "writer.after_commit", &f, (struct note){ 1, "B" }));
    CHECK_STR(deal(s, 1), "B");
    CHECK_STR(marks(s), "");
    CHECK_STR(commit(s->one, f, NOTES({ 1, "B" })), "refused");
}

TEST(a_point_counts_its_passes)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight f = fly_range(s, 1, END);

    CHECK(!dies(s, "writer.before_commit:2", &f, (struct note){ 1, "B" }));
    CHECK_STR(deal(s, 1), "B");
    unsetenv("POTOK_CRASH_AT");
    crash_point(WRITER_BEFORE_COMMIT);
}

TEST(several_points_may_be_named_and_the_first_that_is_passed_kills)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight f = fly_range(s, 1, END);

    CHECK(!dies(s, "gateway.after_commit,writer.before_commit:9,writer.after", &f, (struct note){ 1, "B" }));
    CHECK_STR(deal(s, 1), "B");
    f = fly_range(s, 1, END);
    CHECK(dies(
        s, "gateway.after_commit,writer.after_commit,writer.before_commit:9", &f, (struct note){ 1, "C" }));
    CHECK_STR(deal(s, 1), "C");
}

TEST(a_file_of_points_kills_one_process_only)
{
    struct story *s = fresh(NOTES({ 1, "A" }));
    struct flight f = fly_range(s, 1, END);
    char path[128];

    snprintf(path, sizeof(path), "%s/crash", check_folder());
    CHECK(!dies(s, path, &f, (struct note){ 1, "B" }));
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    fputs("writer.before_commit:1", file);
    fclose(file);
    f = fly_range(s, 1, END);
    CHECK(dies(s, path, &f, (struct note){ 1, "C" }));
    CHECK_EQ(access(path, F_OK), -1);
    CHECK(!dies(s, path, &f, (struct note){ 1, "C" }));
    CHECK_STR(deal(s, 1), "C");
}

TEST_MAIN(CASE(killed_before_the_commit_nothing_happened), CASE(killed_after_the_commit_all_of_it_did),
    CASE(a_point_counts_its_passes), CASE(several_points_may_be_named_and_the_first_that_is_passed_kills),
    CASE(a_file_of_points_kills_one_process_only))
