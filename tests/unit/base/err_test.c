#include "base/err.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "support/check.h"

#include <errno.h>

TEST(a_wrapped_error_reads_from_outside_in_and_keeps_its_kind)
{
    struct err err = { 0 };

    CHECK_EQ(err_code(&err, ERR_TEMP, 503, "HTTP %d", 503), -1);
    CHECK_EQ(err_wrap(&err, "page %d of %s", 12, "deal"), -1);
    CHECK_STR(err.text, "page 12 of deal: HTTP 503");
    CHECK_EQ(err.kind, ERR_TEMP);
    CHECK_EQ(err.code, 503);
}

TEST(setting_an_error_forgets_the_one_before)
{
    struct err err = { .kind = ERR_WAIT, .code = 7, .retry_ms = 900 };

    err_set(&err, ERR_PERM, "over");
    CHECK_EQ(err.kind, ERR_PERM);
    CHECK_EQ(err.code, 0);
    CHECK_EQ(err.retry_ms, 0);
}

TEST(the_old_text_may_be_an_argument_of_the_new_one)
{
    struct err err = { 0 };

    err_set(&err, ERR_TEMP, "inner");
    err_set(&err, ERR_PERM, "outer (%s)", err.text);
    CHECK_STR(err.text, "outer (inner)");
    err_wrap(&err, "%s again", err.text);
    CHECK_STR(err.text, "outer (inner) again: outer (inner)");
}

TEST(nobody_has_to_want_the_error)
{
    CHECK_EQ(err_set(NULL, ERR_TEMP, "x"), -1);
    CHECK_EQ(err_code(NULL, ERR_TEMP, 1, "x"), -1);
    CHECK_EQ(err_wrap(NULL, "x"), -1);
}

__attribute__((format_arg(1))) static const char *in_another_language(const char *english)
{
    if (strcmp(english, "page %d of %s") == 0)
        return "Seite %d von %s";
    return strcmp(english, "full") == 0 ? "voll" : english;
}

TEST(a_program_for_people_may_give_the_words_in_their_language)
{
    struct err err = { 0 };

    err_translate = in_another_language;
    err_set(&err, ERR_TEMP, "disk %s: %d", err_tr("full"), 7);
    err_wrap(&err, "page %d of %s", 12, "deal");
    CHECK_STR(err.text, "Seite 12 von deal: disk voll: 7");
    CHECK(err_tr(NULL) == NULL);
    err_translate = NULL;
    CHECK_STR(err_tr("full"), "full");
    CHECK_STR(err_reason(ENOENT), "No such file or directory");
}

TEST(an_error_is_one_line)
{
    struct err err = { 0 };

    err_set(&err, ERR_TEMP, "a\nb\r\nc\td\x7f");
    CHECK_STR(err.text, "a b  c d ");
    err_wrap(&err, "x\ny");
    CHECK_STR(err.text, "x y: a b  c d ");
}

/* Letters of two bytes at every alignment: the cut must never leave half a letter. */
TEST(a_long_text_is_cut_between_characters)
{
    for (int shift = 0; shift < 4; shift++) {
        struct err err = { 0 };
        char text[1200] = "xxxx";

        text[shift] = '\0';
        for (int i = 0; i < 300; i++)
            strcat(text, i % 3 ? "ж" : "😀");
        err_set(&err, ERR_TEMP, "%s", text);
        for (int round = 0; round < 3; round++) {
            size_t n = strlen(err.text);

            CHECK(n < sizeof(err.text) && n > sizeof(err.text) - 8);
            for (size_t i = 0; i < n;) {
                size_t step = utf8_step(err.text + i, n - i);
                CHECK(step > 0);
                i += step;
            }
            err_wrap(&err, "portal %d", round);
        }
    }
}

TEST(every_kind_has_a_name_that_reads_back)
{
    for (enum err_kind kind = ERR_NONE; kind < ERR_KINDS; kind++) {
        const char *name = err_kind_name(kind);
        CHECK_EQ(err_kind_of(name, strlen(name)), kind);
    }
    CHECK_EQ(err_kind_of("whatever", 8), ERR_TEMP);
    CHECK_EQ(err_kind_of("", 0), ERR_TEMP);
    CHECK_STR(err_kind_name((enum err_kind)99), "bug");
}

TEST_MAIN(CASE(a_wrapped_error_reads_from_outside_in_and_keeps_its_kind),
    CASE(setting_an_error_forgets_the_one_before), CASE(the_old_text_may_be_an_argument_of_the_new_one),
    CASE(nobody_has_to_want_the_error), CASE(an_error_is_one_line),
    CASE(a_program_for_people_may_give_the_words_in_their_language),
    CASE(a_long_text_is_cut_between_characters), CASE(every_kind_has_a_name_that_reads_back))
