#include "base/config_when.h"

#include "base/config.h"
#include "base/setting.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What is told where, and the seconds between two looks for what changed. */
static const struct {
    const char *file;                   /* settings of potok.yaml */
    const char *incremental, *interval; /* environment */
    int64_t seconds;
} CASES[] = {
    { "", NULL, NULL, 60 },
    { "", "", "", 60 },
    { "", NULL, "5", 300 },
    { "", NULL, "30", 1800 }, /* its default, but told */
    { "", NULL, "0", 60 },    /* no full sync by itself is no word on changes */
    { "", "7", "5", 7 },
    { "", "0", "5", 0 },
    { "SYNC_DEFAULT_INTERVAL_MINUTES: 2", NULL, NULL, 120 },
    { "SYNC_DEFAULT_INTERVAL_MINUTES: 2, SYNC_INCREMENTAL_SECONDS: 9", NULL, NULL, 9 },
    { "SYNC_INCREMENTAL_SECONDS: 9", NULL, "2", 9 },
};

struct state {
    int64_t incremental_s, interval_min;
};

static const struct setting SETTINGS[] = {
    SET_INT(struct state, incremental_s, "SYNC_INCREMENTAL_SECONDS", "60", 0, 86400, ""),
    SET_INT(struct state, interval_min, "SYNC_DEFAULT_INTERVAL_MINUTES", "30", 0, 525600, ""),
    SET_END,
};

static void tell(const char *name, const char *value)
{
    if (value != NULL)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

static int64_t seconds_of(const char *settings)
{
    struct config c;
    struct state s = { 0 };
    struct err err = { 0 };
    CHECK_EQ(chdir(check_folder()), 0);

    FILE *f = fopen("when.yaml", "w");

    CHECK(f != NULL);
    fprintf(f, "settings: {%s}\n", settings);
    CHECK_EQ(fclose(f), 0);
    CHECK_OK(config_load(&c, "when.yaml", NULL, &err), err);
    CHECK_OK(settings_load(SETTINGS, &s, config_setting, &c, &err), err);
    int64_t seconds = when_incremental_s(&c, s.incremental_s, s.interval_min);

    config_free(&c);
    return seconds;
}

TEST(changes_are_looked_for_as_often_as_is_told_for_them_or_for_everything)
{
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        tell("SYNC_INCREMENTAL_SECONDS", CASES[i].incremental);
        tell("SYNC_DEFAULT_INTERVAL_MINUTES", CASES[i].interval);
        CHECK_EQ(seconds_of(CASES[i].file), CASES[i].seconds);
    }
}

TEST_MAIN(CASE(changes_are_looked_for_as_often_as_is_told_for_them_or_for_everything))
