#include "services/potok/doctor/explain.h"

#include "base/mem.h"
#include "connectors/bitrix_rule.h"
#include "services/potok/words/say.h"
#include "support/check.h"

#include <ctype.h>

static bool is_russian(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text == 0xD0 || (unsigned char)*text == 0xD1)
            return true;
    return false;
}

TEST(every_row_of_the_classification_is_explained)
{
    for (int i = 0; i < BITRIX_RULE_COUNT; i++) {
        const struct bitrix_rule *r = &BITRIX_RULES[i];
        const char *code = r->code != NULL && r->code[0] != '(' ? r->code : "";
        const char *text = r->text == NULL ? "" : r->text + (r->text[0] == '=');
        const struct explanation *e =
            explain_error(r->least > 0 ? r->least : 500, str_of(code), str_of(text));

        if (e == NULL || (code[0] != '\0' && strchr(code, ' ') == NULL && e->code[0] == '\0') ||
            (text[0] != '\0' && e->text[0] == '\0'))
            fail_msg("explain.def has no row for %s", r->name);
    }
}

TEST(every_row_is_whole_in_both_languages)
{
    for (int i = 0; i < EXPLANATION_COUNT; i++) {
        const struct explanation *e = &EXPLANATIONS[i];

        CHECK(is_russian(e->ru) && is_russian(e->ru_cure));
        CHECK(!is_russian(e->en) && !is_russian(e->en_cure));
        CHECK(strlen(e->en) > 10 && strlen(e->en_cure) > 10);
        CHECK(e->code[0] != '\0' || e->text[0] != '\0' || e->least > 0);
        CHECK(e->most >= e->least);
        say_set(i % 2 ? LANGUAGE_RU : LANGUAGE_EN);
        CHECK(explain_blame(e->blame)[0] != '\0');
        CHECK(explain_habit(e->habit)[0] != '\0');
    }
    say_set(LANGUAGE_EN);
}

TEST(every_row_can_be_asked_for_by_its_name)
{
    char name[80];

    for (int i = 0; i < EXPLANATION_COUNT; i++) {
        const struct explanation *e = &EXPLANATIONS[i];
        const struct explanation *found = explain_words(str_of(explain_name(e, name, sizeof(name))));

        CHECK(found != NULL);
        if (e->code[0] != '\0')
            CHECK_STR(found->code, e->code);
        else if (e->text[0] != '\0')
            CHECK(found == e);
    }
}

TEST(a_code_a_status_or_the_text_of_an_error_is_understood)
{
    static const struct {
        const char *words, *code, *en; /* en: part of the meaning */
    } cases[] = {
        { "insufficient_scope", "insufficient_scope", "lacks a scope" },
        { " INSUFFICIENT_SCOPE\n", "insufficient_scope", "lacks a scope" },
        { "portal main: HTTP 401 insufficient_scope: The request requires higher privileges",
            "insufficient_scope", "" },
        { "error_not_found", "ERROR_NOT_FOUND", "" },
        { "HTTP 400 ERROR_NOT_FOUND: The entity with ID '5' is not found", "ERROR_NOT_FOUND", "" },
        { "HTTP 403 ACCESS_DENIED: REST API is available only on commercial plans", "ACCESS_DENIED",
            "commercial plans only" },
        { "HTTP 403 ACCESS_DENIED", "ACCESS_DENIED", "lacks the right" },
        { "deals: HTTP 400: Access denied.", "", "may not read this record" },
        { "Method not found!", "", "no such method" },
        { "Not found.", "", "no record of this id" },
        { "503", "", "does not serve now" },
        { "504", "", "gateway" },
        { "100", "100", "parameter is missing" },
        { "a.bitrix24.ru: HTTP 502: a web page, not a portal's answer", "", "web page" },
        { "the answer is HTTP 302", "", "renamed" },
        { "a.bitrix24.ru: Couldn't resolve host name", "", "DNS" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct explanation *e = explain_words(str_of(cases[i].words));

        if (e == NULL)
            fail_msg("not understood: %s", cases[i].words);
        CHECK_STR(e->code, cases[i].code);
        CHECK_HAS(e->en, cases[i].en);
    }
}

TEST(what_is_no_error_is_not_explained)
{
    static const char *const cases[] = { "", "  ", "deals", "7", "700", "99999999999999999999", "HTTP ",
        "HTTP 9" };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK(explain_words(str_of(cases[i])) == NULL);
}

TEST(a_mistyped_code_has_guesses)
{
    const struct explanation *guesses[3];
    char text[120];

    CHECK(explain_guess("insuficient_scope", guesses, 3) >= 1);
    CHECK_STR(guesses[0]->code, "insufficient_scope");
    CHECK(explain_guess("credentials", guesses, 3) >= 1);
    CHECK_STR(guesses[0]->code, "INVALID_CREDENTIALS");
    CHECK_EQ(explain_guess("potato salad", guesses, 3), 0);
    CHECK_STR(explain_hint("HTTP 401 insufficient_scope: …", text, sizeof(text)),
        "`potok doctor insufficient_scope` explains");
    CHECK_STR(
        explain_hint("Access denied.", text, sizeof(text)), "`potok doctor \"Access denied\"` explains");
    CHECK_STR(explain_hint("all is well", text, sizeof(text)), "");
}

TEST_MAIN(CASE(every_row_of_the_classification_is_explained), CASE(every_row_is_whole_in_both_languages),
    CASE(every_row_can_be_asked_for_by_its_name), CASE(a_code_a_status_or_the_text_of_an_error_is_understood),
    CASE(what_is_no_error_is_not_explained), CASE(a_mistyped_code_has_guesses))
