#include "base/paths.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

TEST(the_folder_is_made_for_its_owner_alone)
{
    char home[200], want[300], path[300];
    struct err err = { 0 };
    struct stat st;

    snprintf(home, sizeof(home), "%s/deep/var", check_folder());
    for (int twice = 0; twice < 2; twice++) {
        CHECK_OK(paths_make(home, "run/scheduler.sock", path, sizeof(path), &err), err);
        snprintf(want, sizeof(want), "%s/run/scheduler.sock", home);
        CHECK_STR(path, want);
    }
    snprintf(want, sizeof(want), "%s/run", home);
    CHECK_EQ(stat(want, &st), 0);
    CHECK(S_ISDIR(st.st_mode));
    CHECK_EQ(st.st_mode & 0777, 0700);
    CHECK(access(path, F_OK) != 0);
}

TEST(a_name_that_ends_in_a_slash_is_a_folder)
{
    char path[300];
    struct err err = { 0 };

    CHECK_OK(paths_make(check_folder(), "spool/in/", path, sizeof(path), &err), err);
    CHECK_EQ(access(path, W_OK), 0);
}

TEST(a_file_in_the_way_is_told)
{
    char file[200], path[300] = "untouched";
    struct err err = { 0 };

    snprintf(file, sizeof(file), "%s/file", check_folder());
    fclose(fopen(file, "w"));
    CHECK_EQ(paths_make(file, "potok.db", path, sizeof(path), &err), -1);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_HAS(err.text, "POTOK_HOME: ");
    CHECK_HAS(err.text, "Not a directory");
    CHECK_STR(path, "untouched");
    CHECK_EQ(paths_make("/proc/nothing/here", "x", path, sizeof(path), &err), -1);
    CHECK_STR(path, "untouched");
}

TEST(a_path_that_does_not_fit_is_refused)
{
    char path[20] = "untouched";
    struct err err = { 0 };

    CHECK_EQ(paths_make("/tmp/0123456789", "0123456789", path, sizeof(path), &err), -1);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_STR(path, "untouched");
}

TEST(home_comes_from_the_environment)
{
    setenv("POTOK_HOME", "/srv/potok", 1);
    CHECK_STR(paths_home(), "/srv/potok");
    setenv("POTOK_HOME", "", 1);
    CHECK_STR(paths_home(), "./var");
    unsetenv("POTOK_HOME");
    CHECK_STR(paths_home(), "./var");
}

TEST_MAIN(CASE(the_folder_is_made_for_its_owner_alone), CASE(a_name_that_ends_in_a_slash_is_a_folder),
    CASE(a_file_in_the_way_is_told), CASE(a_path_that_does_not_fit_is_refused),
    CASE(home_comes_from_the_environment))
