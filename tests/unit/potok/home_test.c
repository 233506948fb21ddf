#include "services/potok/home.h"

#include "base/mem.h"
#include "services/potok/up/services.h"
#include "support/check.h"

#include <stdlib.h>

static void database_is(const char *home_dir, const char *url)
{
    struct home home;
    struct err err = { 0 };

    unsetenv("DATABASE_URL");
    setenv("POTOK_HOME", home_dir, 1);
    CHECK_OK(home_load(&home, NULL, &err), err);
    CHECK_STR(home.database_url, url);
    CHECK_STR(getenv("DATABASE_URL"), url);
    CHECK_STR(home.database_file, url + strlen("sqlite:///"));
    CHECK(home.database_default);
    home_free(&home);
}

TEST(the_database_lies_in_the_home_unless_told_otherwise)
{
    setenv("POTOK_CONFIG", "", 1);
    database_is("./var", "sqlite:///var/potok.db");
    database_is("/srv/potok", "sqlite:////srv/potok/potok.db");
    database_is("data", "sqlite:///data/potok.db");
}

TEST(an_address_that_is_no_database_is_refused_before_anything_starts)
{
    struct home home;
    struct err err = { 0 };

    setenv("DATABASE_URL", "oracle://u:secret@h/db", 1);
    CHECK_EQ(home_load(&home, NULL, &err), -1);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_HAS(err.text, "DATABASE_URL");
    CHECK(strstr(err.text, "secret") == NULL);
    unsetenv("DATABASE_URL");
}

TEST(the_number_of_services_comes_from_the_table_or_the_environment)
{
    static const struct {
        const char *value;
        int n; /* -1: refused */
    } cases[] = { { "", 1 }, { "3", 3 }, { "32", 32 }, { "0", -1 }, { "33", -1 }, { "-1", -1 },
        { "many", -1 } };
    static const struct service fetcher = { "fetcher", 1, 1 }, scheduler = { "scheduler", 1, 1 };
    struct err err = { 0 };
    int n;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        n = -1;
        setenv("FETCHERS", cases[i].value, 1);
        CHECK_EQ(service_instances(&fetcher, NULL, &n, &err), cases[i].n < 0 ? -1 : 0);
        CHECK_EQ(n, cases[i].n);
    }
    setenv("SCHEDULERS", "2", 1); /* the second one stands by */
    CHECK_OK(service_instances(&scheduler, NULL, &n, &err), err);
    CHECK_EQ(n, 2);
    unsetenv("SCHEDULERS");
    unsetenv("FETCHERS");
    struct config_pair pair = { "FETCHERS", "5", "potok.yaml:9:3" };
    struct config config = { .pairs = &pair, .pair_count = 1 };
    CHECK_OK(service_instances(&fetcher, &config, &n, &err), err);
    CHECK_EQ(n, 5);
    pair.value = "50";
    CHECK_EQ(service_instances(&fetcher, &config, &n, &err), -1);
    CHECK_HAS(err.text, "potok.yaml:9:3");
    CHECK_EQ(service_instances(&scheduler, NULL, &n, &err), 0);
    CHECK_EQ(n, 1);
}

TEST_MAIN(CASE(the_database_lies_in_the_home_unless_told_otherwise),
    CASE(an_address_that_is_no_database_is_refused_before_anything_starts),
    CASE(the_number_of_services_comes_from_the_table_or_the_environment))
