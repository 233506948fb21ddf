#include "base/setting.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/mistakes.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct state {
    char *listen, *secret;
    int64_t batch, deadline_ms, free_number;
    bool migrate;
};

static const struct setting table[] = {
    SET_STR(struct state, listen, "T_LISTEN", "127.0.0.1:9100", "address | of the metrics"),
    SET_SECRET(struct state, secret, "T_SECRET", "key of keys"),
    SET_INT(struct state, batch, "T_BATCH", "50", 1, 50, "records a call"),
    SET_MS(struct state, deadline_ms, "T_DEADLINE", "75s", 1000, 600000, "how long a job may take"),
    { "T_FREE", SETTING_INT, offsetof(struct state, free_number), NULL, 0, 0, "any number", "bytes" },
    SET_BOOL(struct state, migrate, "T_MIGRATE", "true", "migrate at start"),
    SET_END,
};

static void clear_environment(void)
{
    char name[64];

    for (const struct setting *s = table; s->name; s++) {
        unsetenv(s->name);
        snprintf(name, sizeof(name), "%s_FILE", s->name);
        unsetenv(name);
    }
}

/* {name, value} pairs, as from a file at lines 10, 11, ... */
static const char *from_file(void *ctx, const char *name, const char **ret_where)
{
    static char where[32];
    const char *const *pairs = ctx;

    for (int i = 0; pairs[i]; i += 2) {
        if (strcmp(pairs[i], name) == 0) {
            snprintf(where, sizeof(where), "potok.yaml:%d", 10 + i / 2);
            *ret_where = where;
            return pairs[i + 1];
        }
    }
    return NULL;
}

static void check_loads(struct state *s)
{
    struct err err = { 0 };

    CHECK_OK(settings_load(table, s, NULL, NULL, &err), err);
}

static void check_fails(const char *text)
{
    struct state s = { .batch = 77 };
    struct err err = { 0 };

    CHECK_EQ(settings_load(table, &s, NULL, NULL, &err), -1);
    CHECK_STR(err.text, text);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_EQ(s.batch, 77);
    CHECK(s.listen == NULL);
}

TEST(defaults_fill_what_nobody_sets)
{
    struct state s = { 0 };

    clear_environment();
    check_loads(&s);
    CHECK_STR(s.listen, "127.0.0.1:9100");
    CHECK_STR(s.secret, "");
    CHECK_EQ(s.batch, 50);
    CHECK_EQ(s.deadline_ms, 75000);
    CHECK_EQ(s.free_number, 0);
    CHECK(s.migrate);
    settings_free(table, &s);
    CHECK(s.listen == NULL);
    settings_free(table, &s);
}

TEST(the_environment_goes_before_the_file_and_the_file_before_the_default)
{
    static const char *const pairs[] = { "T_BATCH", "20", "T_DEADLINE", "10s", "T_LISTEN", "", NULL };
    struct state s = { 0 };
    struct err err = { 0 };

    clear_environment();
    setenv("T_BATCH", "30", 1);
    setenv("T_MIGRATE", "", 1); /* an empty variable is none */
    CHECK_OK(settings_load(table, &s, from_file, (void *)pairs, &err), err);
    CHECK_EQ(s.batch, 30);
    CHECK_EQ(s.deadline_ms, 10000);
    CHECK_STR(s.listen, "127.0.0.1:9100");
    CHECK(s.migrate);
    settings_free(table, &s);
}

TEST(a_bad_value_in_the_file_is_told_with_its_line)
{
    static const char *const pairs[] = { "T_DEADLINE", "10s", "T_BATCH", "51", NULL };
    struct state s = { 0 };
    struct err err = { 0 };

    clear_environment();
    CHECK_EQ(settings_load(table, &s, from_file, (void *)pairs, &err), -1);
    CHECK_STR(err.text, "T_BATCH: \"51\" from potok.yaml:11 is out of range (1..50)");
}

TEST(durations_are_read_in_all_units)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = { { "1000", 1000 }, { "1000ms", 1000 }, { "10s", 10000 }, { "10m", 600000 },
        { "2m", 120000 } };

    clear_environment();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct state s = { 0 };

        setenv("T_DEADLINE", cases[i].text, 1);
        check_loads(&s);
        CHECK_EQ(s.deadline_ms, cases[i].ms);
        settings_free(table, &s);
    }
}

TEST(bad_values_name_setting_value_origin_and_range)
{
    static const struct {
        const char *name, *value, *text;
    } cases[] = {
        { "T_DEADLINE", "abc",
            "T_DEADLINE: \"abc\" from environment is not a duration like 500ms, 10s or 2m (1s..10m)" },
        { "T_DEADLINE", "s",
            "T_DEADLINE: \"s\" from environment is not a duration like 500ms, 10s or 2m (1s..10m)" },
        { "T_DEADLINE", "1.5s",
            "T_DEADLINE: \"1.5s\" from environment is not a duration like 500ms, 10s or 2m (1s..10m)" },
        { "T_DEADLINE", "10 s",
            "T_DEADLINE: \"10 s\" from environment is not a duration like 500ms, 10s or 2m (1s..10m)" },
        { "T_DEADLINE", "9223372036854775807d",
            "T_DEADLINE: \"9223372036854775807d\" from environment is not a duration like 500ms, 10s or 2m "
            "(1s..10m)" },
        { "T_DEADLINE", "1h", "T_DEADLINE: \"1h\" from environment is out of range (1s..10m)" },
        { "T_DEADLINE", "-5s", "T_DEADLINE: \"-5s\" from environment is out of range (1s..10m)" },
        { "T_BATCH", "0", "T_BATCH: \"0\" from environment is out of range (1..50)" },
        { "T_BATCH", "50.0", "T_BATCH: \"50.0\" from environment is not a whole number (1..50)" },
        { "T_BATCH", " 5", "T_BATCH: \" 5\" from environment is not a whole number (1..50)" },
        { "T_FREE", "x", "T_FREE: \"x\" from environment is not a whole number" },
        { "T_MIGRATE", "maybe", "T_MIGRATE: \"maybe\" from environment is neither true nor false" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        clear_environment();
        setenv(cases[i].name, cases[i].value, 1);
        check_fails(cases[i].text);
    }
}

TEST(all_bad_values_are_told_when_all_are_wanted)
{
    struct mistakes all = { 0 };
    struct state s = { 0 };
    struct err err = { 0 };

    clear_environment();
    setenv("T_DEADLINE", "abc", 1);
    setenv("T_BATCH", "0", 1);
    setenv("T_FREE", "12", 1);
    CHECK_OK(settings_load_all(table, &s, NULL, NULL, &all, &err), err);
    CHECK_EQ(all.count, 2);
    CHECK_HAS(all.list[0].text, "T_");
    CHECK(mistakes_has(&all, "T_BATCH: \"0\" from environment is out of range (1..50)"));
    CHECK_EQ(s.deadline_ms, 75000); /* the default */
    CHECK_EQ(s.free_number, 12);
    settings_free(table, &s);
    mistakes_free(&all);
    clear_environment();
}

TEST(yes_and_no_have_many_words)
{
    static const struct {
        const char *word;
        bool value;
    } cases[] = { { "true", true }, { "FALSE", false }, { "Yes", true }, { "no", false }, { "on", true },
        { "off", false }, { "1", true }, { "0", false } };

    clear_environment();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct state s = { 0 };

        setenv("T_MIGRATE", cases[i].word, 1);
        check_loads(&s);
        CHECK_EQ(s.migrate, cases[i].value);
        settings_free(table, &s);
    }
}

static const char *write_file(const char *content, size_t n)
{
    static char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/secret", check_folder());
    f = fopen(path, "w");
    CHECK(f != NULL);
    CHECK_EQ(fwrite(content, 1, n, f), n);
    fclose(f);
    return path;
}

TEST(a_secret_is_read_from_a_file_without_its_line_end)
{
    static const struct {
        struct str content;
        const char *secret;
    } cases[] = { { STR("abc\n"), "abc" }, { STR("abc"), "abc" }, { STR("abc\r\n"), "abc" },
        { STR("abc\n\n"), "abc\n" }, { STR(" abc "), " abc " }, { STR("\n"), "" }, { STR(""), "" } };

    clear_environment();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct state s = { 0 };

        setenv("T_SECRET_FILE", write_file(cases[i].content.p, cases[i].content.n), 1);
        check_loads(&s);
        CHECK_STR(s.secret, cases[i].secret);
        settings_free(table, &s);
    }
}

TEST(the_variable_itself_goes_before_its_file)
{
    struct state s = { 0 };

    clear_environment();
    setenv("T_SECRET_FILE", "/nowhere", 1);
    setenv("T_SECRET", "direct", 1);
    check_loads(&s);
    CHECK_STR(s.secret, "direct");
    settings_free(table, &s);
}

TEST(a_secret_file_that_cannot_be_read_stops_the_start)
{
    static char big[70000];

    clear_environment();
    setenv("T_SECRET_FILE", "/nowhere/secret", 1);
    check_fails("T_SECRET_FILE: /nowhere/secret: No such file or directory");
    setenv("T_SECRET_FILE", "/", 1);
    check_fails("T_SECRET_FILE: /: Is a directory");
    memset(big, 'x', sizeof(big));
    setenv("T_SECRET_FILE", write_file(big, sizeof(big)), 1);
    struct state s = { 0 };
    struct err err = { 0 };
    CHECK_EQ(settings_load(table, &s, NULL, NULL, &err), -1);
    CHECK_HAS(err.text, "too long");
    setenv("T_SECRET_FILE", write_file("a\0b", 3), 1);
    CHECK_EQ(settings_load(table, &s, NULL, NULL, &err), -1);
    CHECK_HAS(err.text, "NUL");
}

TEST(the_dump_shows_no_secret)
{
    struct state s = { 0 };
    struct buf out;

    clear_environment();
    setenv("T_SECRET", "topsecret", 1);
    setenv("T_LISTEN", "https://p/rest/1/topsecret/", 1);
    check_loads(&s);
    buf_init(&out, 10000);
    settings_dump(table, &s, &out);
    CHECK_STR(buf_cstr(&out),
        "T_LISTEN=https://p/rest/1/(masked)/\nT_SECRET=(masked)\nT_BATCH=50\nT_DEADLINE=75s\nT_FREE=0\n"
        "T_MIGRATE=true\n");
    buf_fini(&out);
    settings_free(table, &s);
}

TEST(help_and_manual_come_from_the_table)
{
    struct buf out;

    buf_init(&out, 10000);
    settings_help(table, &out);
    CHECK_HAS(buf_cstr(&out), "  T_BATCH=50\n      records a call (1..50)\n");
    CHECK_HAS(buf_cstr(&out), "  T_SECRET\n      key of keys (secret; or T_SECRET_FILE)\n");
    CHECK_HAS(buf_cstr(&out), "  T_FREE\n      any number, bytes\n");
    buf_clear(&out);
    settings_markdown(table, &out);
    CHECK_HAS(buf_cstr(&out), "| `T_LISTEN` | text | `127.0.0.1:9100` |  | address \\| of the metrics |\n");
    CHECK_HAS(buf_cstr(&out), "| `T_DEADLINE` | duration | `75s` | 1s..10m | how long a job may take |\n");
    CHECK_HAS(buf_cstr(&out), "| `T_FREE` | whole number, bytes |  |  | any number |\n");
    buf_fini(&out);
}

TEST_MAIN(CASE(defaults_fill_what_nobody_sets),
    CASE(the_environment_goes_before_the_file_and_the_file_before_the_default),
    CASE(a_bad_value_in_the_file_is_told_with_its_line), CASE(durations_are_read_in_all_units),
    CASE(bad_values_name_setting_value_origin_and_range), CASE(all_bad_values_are_told_when_all_are_wanted),
    CASE(yes_and_no_have_many_words), CASE(a_secret_is_read_from_a_file_without_its_line_end),
    CASE(the_variable_itself_goes_before_its_file), CASE(a_secret_file_that_cannot_be_read_stops_the_start),
    CASE(the_dump_shows_no_secret), CASE(help_and_manual_come_from_the_table))
