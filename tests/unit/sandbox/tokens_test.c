/* Pairs of tokens, authorization codes and rights (facts section 10). */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "services/sandbox/access/application.h"
#include "services/sandbox/access/scope.h"
#include "support/check.h"

#define DAY_MS (86400ull * 1000)

static struct tokens *open_tokens(struct tokens *t, const char *path)
{
    struct err err = { 0 };
    sqlite3 *db;

    CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
    CHECK_OK(tokens_open(t, db, 7, 3600000, &err), err);
    return t;
}

static void close_tokens(struct tokens *t)
{
    sqlite3 *db = t->db;

    tokens_close(t);
    CHECK_EQ(sqlite3_close(db), SQLITE_OK);
}

static struct token_pair issue(struct tokens *t, uint64_t now_ms)
{
    struct err err = { 0 };
    const struct token_pair *p = tokens_issue(t, now_ms, &err);

    CHECK(p != NULL);
    return *p;
}

TEST(an_access_token_lives_its_time_and_a_refresh_token_180_days)
{
    struct tokens t;
    const struct token_pair p = issue(open_tokens(&t, ":memory:"), 1000);

    CHECK_EQ(tokens_judge(&t, str_of(p.access), 1000), TOKEN_GOOD);
    CHECK_EQ(tokens_judge(&t, str_of(p.access), 3600999), TOKEN_GOOD);
    CHECK_EQ(tokens_judge(&t, str_of(p.access), 3601000), TOKEN_EXPIRED);
    CHECK_EQ(tokens_judge(&t, str_of(p.refresh), 1000), TOKEN_UNKNOWN);
    CHECK_EQ(tokens_judge(&t, STR(""), 1000), TOKEN_UNKNOWN);
    CHECK(tokens_refreshable(&t, str_of(p.refresh), 1000 + 180 * DAY_MS - 1, false) != NULL);
    CHECK(tokens_refreshable(&t, str_of(p.refresh), 1000 + 180 * DAY_MS, false) == NULL);
    CHECK(tokens_refreshable(&t, str_of(p.access), 1000, false) == NULL);
    close_tokens(&t);
}

TEST(a_refresh_token_is_good_once_unless_the_portal_is_lenient)
{
    struct tokens t;
    struct err err = { 0 };
    const struct token_pair p = issue(open_tokens(&t, ":memory:"), 0), other = issue(&t, 0);

    CHECK_OK(tokens_spend(&t, p.number, &err), err);
    CHECK(tokens_refreshable(&t, str_of(p.refresh), 1, false) == NULL);
    CHECK(tokens_refreshable(&t, str_of(p.refresh), 1, true) != NULL);
    CHECK(tokens_refreshable(&t, str_of(other.refresh), 1, false) != NULL);
    CHECK_EQ(tokens_judge(&t, str_of(p.access), 1), TOKEN_GOOD); /* its access token lives on */
    close_tokens(&t);
}

TEST(pairs_are_found_again_in_the_file_and_never_come_twice)
{
    char path[256];
    struct tokens t;
    struct err err = { 0 };

    snprintf(path, sizeof(path), "%s/tokens.db", check_folder());
    const struct token_pair first = issue(open_tokens(&t, path), 0), second = issue(&t, 0);
    CHECK_OK(tokens_spend(&t, first.number, &err), err);
    close_tokens(&t);
    open_tokens(&t, path);
    CHECK_EQ(t.count, 2);
    CHECK(tokens_refreshable(&t, str_of(first.refresh), 1, false) == NULL);
    CHECK_STR(tokens_newest(&t)->access, second.access);
    const struct token_pair third = issue(&t, 0);
    CHECK(strcmp(third.access, first.access) != 0 && strcmp(third.access, second.access) != 0);
    CHECK_OK(tokens_revoke(&t, &err), err);
    CHECK(tokens_newest(&t) == NULL);
    CHECK_EQ(tokens_judge(&t, str_of(third.access), 0), TOKEN_UNKNOWN);
    CHECK(strcmp(issue(&t, 0).access, first.access) != 0);
    close_tokens(&t);
}

TEST(all_pairs_can_be_ended_at_once)
{
    struct tokens t;
    struct err err = { 0 };
    const struct token_pair p = issue(open_tokens(&t, ":memory:"), 0);

    CHECK_OK(tokens_expire(&t, true, false, 10, &err), err);
    CHECK_EQ(tokens_judge(&t, str_of(p.access), 10), TOKEN_EXPIRED);
    CHECK(tokens_refreshable(&t, str_of(p.refresh), 10, false) != NULL);
    CHECK_OK(tokens_expire(&t, false, true, 10, &err), err);
    CHECK(tokens_refreshable(&t, str_of(p.refresh), 10, false) == NULL);
    for (int i = 0; i < 5000; i++) /* the oldest are forgotten */
        issue(&t, 10);
    CHECK_EQ(t.count, 4096);
    close_tokens(&t);
}

TEST(a_code_lives_thirty_seconds_and_is_used_once)
{
    struct application *a = xcalloc(1, sizeof(*a));
    const char *code = application_code(a, 1000);

    CHECK(!application_use_code(a, STR("x"), 1000));
    CHECK(!application_use_code(a, STR(""), 1000));
    CHECK(application_use_code(a, str_of(code), 30999));
    CHECK(!application_use_code(a, str_of(code), 30999));
    code = application_code(a, 1000);
    CHECK(!application_use_code(a, str_of(code), 31000));
    free(a);
}

TEST(an_application_is_read_from_the_command_line_or_made_from_the_seed)
{
    static const char *const wrong[] = { "x", ":x", "x:", "" };
    struct application a;
    struct err err = { 0 };
    sqlite3 *db;

    CHECK_EQ(sqlite3_open(":memory:", &db), SQLITE_OK);
    CHECK_OK(application_open(&a, &(struct application_options){ .client = "a.b:c:d" }, true, db, 7, 0, &err),
        err);
    CHECK_STR(a.client_id, "a.b");
    CHECK_STR(a.client_secret, "c:d");
    CHECK_EQ(a.tokens.count, 1);
    application_close(&a);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        CHECK(application_open(
                  &a, &(struct application_options){ .client = wrong[i] }, true, db, 7, 0, &err) < 0);
        CHECK_EQ(err.kind, ERR_CONF);
        application_close(&a);
    }
    CHECK_OK(application_open(&a, &(struct application_options){ 0 }, false, db, 7, 0, &err), err);
    CHECK_HAS(a.client_id, "local.");
    CHECK_EQ(strlen(a.client_secret), 48);
    application_close(&a);
    sqlite3_close(db);
}

TEST(rights_are_read_and_told_by_their_names)
{
    char room[SCOPE_TEXT];
    bool unknown;

    CHECK_EQ(scope_parse(STR("CRM, user"), &unknown), SCOPE_CRM | SCOPE_USER);
    CHECK(!unknown);
    CHECK_EQ(scope_parse(STR("crm,x"), &unknown), SCOPE_CRM);
    CHECK(unknown);
    CHECK_EQ(scope_parse(STR(""), &unknown), SCOPE_NONE);
    CHECK_STR(scope_text(SCOPE_CRM | SCOPE_USER, ' ', room), "crm user");
    CHECK_STR(scope_text(SCOPE_NONE, ' ', room), "");
}

TEST_MAIN(CASE(an_access_token_lives_its_time_and_a_refresh_token_180_days),
    CASE(a_refresh_token_is_good_once_unless_the_portal_is_lenient),
    CASE(pairs_are_found_again_in_the_file_and_never_come_twice), CASE(all_pairs_can_be_ended_at_once),
    CASE(a_code_lives_thirty_seconds_and_is_used_once),
    CASE(an_application_is_read_from_the_command_line_or_made_from_the_seed),
    CASE(rights_are_read_and_told_by_their_names))
