#include "base/utf8.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdio.h>

/* step = a valid character of so many bytes; 0: `bad` bytes belong to one replacement */
TEST(characters_are_told_from_bad_bytes)
{
    static const struct {
        const char *bytes;
        size_t step, bad;
    } cases[] = {
        /* clang-format off */
        { "a", 1, 0 },
        { "\x7F", 1, 0 },
        { "\xC2\x80", 2, 0 },
        { "\xD0\xB6", 2, 0 },
        { "\xE0\xA0\x80", 3, 0 },
        { "\xED\x9F\xBF", 3, 0 },
        { "\xEF\xBF\xBF", 3, 0 },
        { "\xF0\x90\x80\x80", 4, 0 },
        { "\xF4\x8F\xBF\xBF", 4, 0 },
        { "\x80", 0, 1 }, /* a tail alone */
        { "\xBF\xBF", 0, 1 },
        { "\xC0\x80", 0, 1 }, /* two bytes for one */
        { "\xC1\xBF", 0, 1 },
        { "\xC2", 0, 1 }, /* cut off */
        { "\xC2" "a", 0, 1 },
        { "\xE0\x80\x80", 0, 1 }, /* three for one */
        { "\xE2\x82", 0, 2 },
        { "\xE2\x82" "a", 0, 2 },
        { "\xED\xA0\x80", 0, 1 }, /* a surrogate */
        { "\xF0\x8F\xBF\xBF", 0, 1 },
        { "\xF0\x9F\x98", 0, 3 },
        { "\xF0\x9F\x98\"", 0, 3 },
        { "\xF4\x90\x80\x80", 0, 1 }, /* beyond U+10FFFF */
        { "\xF5\x80\x80\x80", 0, 1 },
        { "\xFF", 0, 1 },
        /* clang-format on */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t n = strlen(cases[i].bytes);

        CHECK_EQ(utf8_step(cases[i].bytes, n), cases[i].step);
        if (cases[i].step == 0)
            CHECK_EQ(utf8_bad(cases[i].bytes, n), cases[i].bad);
    }
}

TEST(a_cut_never_splits_a_character)
{
    static const char text[] = "a\xD0\xB6\xE2\x82\xAC\xF0\x9F\x98\x80"; /* 1 + 2 + 3 + 4 bytes */
    static const size_t cut[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10 };

    for (size_t most = 0; most < ARRAY_SIZE(cut); most++)
        CHECK_EQ(utf8_cut(text, sizeof(text) - 1, most), cut[most]);
    CHECK_EQ(utf8_cut("\x80\x80\x80\x80\x80\x80", 6, 5), 5); /* nothing to respect */
}

TEST(a_character_is_written_in_its_shortest_form)
{
    static const struct {
        uint32_t code;
        const char *bytes;
    } cases[] = {
        { 'a', "a" },
        { 0x7F, "\x7F" },
        { 0x80, "\xC2\x80" },
        { 0x7FF, "\xDF\xBF" },
        { 0x800, "\xE0\xA0\x80" },
        { 0xFFFD, UTF8_REPLACEMENT },
        { 0x10000, "\xF0\x90\x80\x80" },
        { 0x10FFFF, "\xF4\x8F\xBF\xBF" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char got[5] = "";
        char *end = utf8_put(got, cases[i].code);

        CHECK_EQ(end - got, strlen(cases[i].bytes));
        CHECK_STR(got, cases[i].bytes);
    }
}

TEST(two_alphabets_are_folded_and_all_else_stays)
{
    static const struct {
        const char *text, *folded;
    } cases[] = {
        { "", "" },
        { "Not FOUND @[`{", "not found @[`{" },
        { "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ", "абвгдежзийклмнопрстуфхцчшщъыьэюя" },
        { "Ёлка, ёлка; ЗАПРЕЩЁН", "елка, елка; запрещен" },
        { "ЀЂ ÀÉ Ωω €", "ЀЂ ÀÉ Ωω €" },
        { "\xD0", "\xD0" }, /* half a letter */
        { "\xD0\x41\xD1", "\xD0\x41\xD1" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char got[96];

        snprintf(got, sizeof(got), "%s", cases[i].text);
        utf8_fold(got, strlen(got));
        CHECK_STR(got, cases[i].folded);
    }
}

TEST_MAIN(CASE(two_alphabets_are_folded_and_all_else_stays), CASE(characters_are_told_from_bad_bytes),
    CASE(a_cut_never_splits_a_character), CASE(a_character_is_written_in_its_shortest_form))
