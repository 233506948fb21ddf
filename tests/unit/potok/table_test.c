#include "services/potok/words/table.h"

#include "base/mem.h"
#include "support/check.h"

TEST(width_is_counted_in_cells)
{
    static const struct {
        const char *text;
        size_t width;
    } cases[] = {
        { "", 0 },
        { "deals", 5 },
        { "сделки", 6 },
        { "Ёж", 2 },
        { "и\xcc\x86", 1 },
        { "😀", 2 },
        { "日本", 4 },
        { "\033[31mнет\033[0m", 3 },
        { "\033[", 0 },
        { "█·", 2 },
        { "1\xc2\xa0"
          "000",
            5 },
        { "\xff", 1 },
        { "\xd0", 1 },
        { "\xf0\x9f", 1 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        if (text_width(str_of(cases[i].text)) != cases[i].width)
            print_error("%s\n", cases[i].text);
        CHECK_EQ(text_width(str_of(cases[i].text)), cases[i].width);
    }
}

TEST(text_is_cut_between_characters)
{
    CHECK_VIEW(text_fit(STR("сделки"), 3), "сде");
    CHECK_VIEW(text_fit(STR("😀😀"), 3), "😀");
    CHECK_VIEW(text_fit(STR("abc"), 10), "abc");
    CHECK_VIEW(text_fit(STR("abc"), 0), "");
    CHECK_VIEW(text_fit(STR("\033[31mнет"), 1), "\033[31mн");
}

TEST(columns_stand_below_each_other)
{
    static const char *const heads[] = { "сущность", ">строк", "итог" };
    struct table t;
    struct buf out;

    buf_init(&out, 65536);
    table_init(&t, 3, heads);
    table_add(&t, (const char *[]){ "deals", "1 000", "готово" });
    table_add(&t, (const char *[]){ "сделки 😀 длинные", "7", NULL });
    table_render(&t, false, &out);
    CHECK_STR(buf_cstr(&out), "сущность           строк  итог\n"
                              "deals              1 000  готово\n"
                              "сделки 😀 длинные      7  \n");
    buf_clear(&out);
    table_render(&t, true, &out);
    CHECK_HAS(buf_cstr(&out), "\033[1mсущность");
    buf_fini(&out);
    table_fini(&t);
}

TEST_MAIN(CASE(width_is_counted_in_cells), CASE(text_is_cut_between_characters),
    CASE(columns_stand_below_each_other))
