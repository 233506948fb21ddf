#include "services/potok/args.h"

#include "base/mem.h"
#include "support/check.h"

static const struct option_def OPTIONS[] = {
    { "--full", 0, false, "", "" },
    { "--follow", 'f', false, "", "" },
    { "--level", 'l', true, "", "" },
    { NULL, 0, false, NULL, NULL },
};

static int parse(struct args *ret, struct err *err, const char *const *argv, int argc)
{
    return args_parse(OPTIONS, argc, (char *const *)argv, ret, err);
}

#define PARSE(ret, err, ...) \
    parse(ret, err, (const char *const[]){ __VA_ARGS__ }, \
        (int)ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ })))

TEST(options_and_words_in_any_order)
{
    struct args a;
    struct err err = { 0 };

    CHECK_OK(PARSE(&a, &err, "deals", "--full", "--level", "INFO", "-f", "leads"), err);
    CHECK_STR(a.option[0], "");
    CHECK_STR(a.option[1], "");
    CHECK_STR(a.option[2], "INFO");
    CHECK_EQ(a.word_count, 2);
    CHECK_STR(a.words[1], "leads");
}

TEST(values_after_an_equals_sign)
{
    struct args a;
    struct err err = { 0 };

    CHECK_OK(PARSE(&a, &err, "--level=INFO"), err);
    CHECK_STR(a.option[2], "INFO");
    CHECK(a.option[0] == NULL);
    CHECK_EQ(a.word_count, 0);
}

TEST(after_two_dashes_there_are_words_only)
{
    struct args a;
    struct err err = { 0 };

    CHECK_OK(PARSE(&a, &err, "--full", "--", "--level", "-"), err);
    CHECK_EQ(a.word_count, 2);
    CHECK_STR(a.words[0], "--level");
}

TEST(mistakes_are_told)
{
    static const struct {
        const char *argv[2];
        int argc;
        const char *text;
    } cases[] = {
        { { "--ful" }, 1, "did you mean --full?" },
        { { "--folow" }, 1, "did you mean --follow?" },
        { { "--nothing" }, 1, "unknown option --nothing" },
        { { "-x" }, 1, "unknown option -x" },
        { { "--level" }, 1, "--level needs a value" },
        { { "--level=" }, 1, "--level needs a value" },
        { { "--full=yes" }, 1, "--full takes no value" },
        { { "-ff" }, 1, "unknown option -ff" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct args a;
        struct err err = { 0 };

        CHECK_EQ(parse(&a, &err, cases[i].argv, cases[i].argc), -1);
        CHECK_EQ(err.kind, ERR_CONF);
        CHECK_HAS(err.text, cases[i].text);
    }
}

TEST(a_command_without_options_takes_none)
{
    struct args a;
    struct err err = { 0 };

    CHECK_EQ(args_parse(NULL, 1, (char *const[]){ (char *)"--json" }, &a, &err), -1);
    CHECK_EQ(args_parse(NULL, 1, (char *const[]){ (char *)"sync" }, &a, &err), 0);
}

TEST(too_many_words)
{
    const char *argv[ARGS_WORDS_MAX + 1];
    struct args a;
    struct err err = { 0 };

    for (int i = 0; i <= ARGS_WORDS_MAX; i++)
        argv[i] = "deals";
    CHECK_EQ(parse(&a, &err, argv, ARGS_WORDS_MAX), 0);
    CHECK_EQ(parse(&a, &err, argv, ARGS_WORDS_MAX + 1), -1);
}

TEST(distance_of_words)
{
    CHECK_EQ(args_distance("sync", "sync"), 0);
    CHECK_EQ(args_distance("snyc", "sync"), 2);
    CHECK_EQ(args_distance("dels", "deals"), 1);
    CHECK_EQ(args_distance("", "up"), 2);
    CHECK_EQ(args_distance("up", ""), 2);
    CHECK_EQ(args_distance("logs", "status"), 5);
    CHECK_EQ(args_distance("a-word-of-more-than-thirty-two-bytes!", "up"), 32);
}

TEST_MAIN(CASE(options_and_words_in_any_order), CASE(values_after_an_equals_sign),
    CASE(after_two_dashes_there_are_words_only), CASE(mistakes_are_told),
    CASE(a_command_without_options_takes_none), CASE(too_many_words), CASE(distance_of_words))
