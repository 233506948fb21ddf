#include "services/sandbox/data/people.h"

#include "base/mem.h"
#include "support/check.h"

static bool ends(const char *text, const char *ending)
{
    const size_t n = strlen(text), m = strlen(ending);

    return n >= m && strcmp(text + n - m, ending) == 0;
}

TEST(name_patronymic_and_surname_agree_in_sex)
{
    struct arena arena = { 0 };

    for (uint64_t h = 0; h < 20000; h++) {
        const struct person p = person_pick(h * 0x9E3779B97F4A7C15u);
        const char *patronymic = person_patronymic(&p);
        const struct str surname = person_surname(&p, &arena);

        CHECK(ends(patronymic, p.woman ? "на" : "ич"));
        CHECK(surname.n > 0);
        if (ends(surname.p, "ова") || ends(surname.p, "ина") || ends(surname.p, "ая"))
            CHECK(p.woman);
        if (ends(surname.p, "ов") || ends(surname.p, "ин") || ends(surname.p, "ий"))
            CHECK(!p.woman);
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

TEST_MAIN(CASE(name_patronymic_and_surname_agree_in_sex))
