#include "proto/entity.h"

#include "support/check.h"

TEST(names_are_plural_or_singular_in_any_case)
{
    static const char *const cases[][2] = { { "deals", "deals" }, { "deal", "deals" },
        { "COMPANY", "companies" }, { "Leads", "leads" }, { "contact", "contacts" } };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_STR(entity_plural(str_of(cases[i][0])), cases[i][1]);
}

TEST(other_names_are_not_known)
{
    CHECK(entity_of(STR("invoice")) == NULL);
    CHECK(entity_of(STR("dealss")) == NULL);
    CHECK(entity_of(STR("")) == NULL);
    CHECK(entity_plural(STR("x")) == NULL);
}

TEST(all_names_make_one_text)
{
    CHECK_HAS(entity_names(), "deals, contacts, ");
}

TEST(every_entity_is_found_by_its_own_names)
{
    for (int i = 0; i < ENTITY_COUNT; i++) {
        CHECK(entity_of(str_of(ENTITIES[i].plural)) == &ENTITIES[i]);
        CHECK(entity_of(str_of(ENTITIES[i].singular)) == &ENTITIES[i]);
    }
}

TEST_MAIN(CASE(names_are_plural_or_singular_in_any_case), CASE(other_names_are_not_known),
    CASE(all_names_make_one_text), CASE(every_entity_is_found_by_its_own_names))
