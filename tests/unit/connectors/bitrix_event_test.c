#include "connectors/bitrix_event.h"

#include "base/mem.h"
#include "support/check.h"

TEST(each_name_that_tells_of_an_entity_is_understood)
{
    for (int i = 0; i < ENTITY_COUNT; i++) {
        char names[BITRIX_EVENTS_MAX][BITRIX_EVENT_NAME_SIZE];
        int n = bitrix_events_of(&ENTITIES[i], names), records = 0, fields = 0;

        for (int k = 0; k < n; k++) {
            struct bitrix_event e = bitrix_event_of(str_of(names[k]));

            CHECK(e.entity == &ENTITIES[i]);
            records += e.class_ == EVENT_RECORD;
            fields += e.class_ == EVENT_FIELDS;
        }
        CHECK_EQ(records, strcmp(ENTITIES[i].singular, "deal") == 0 ? 4 : 3);
        CHECK_EQ(fields, 4);
    }
}

TEST(names_mean_what_the_portal_means_by_them)
{
    static const struct {
        const char *name;
        enum bitrix_event_class class_;
        const char *entity;
        enum change_kind kind;
    } cases[] = {
        { "ONCRMDEALADD", EVENT_RECORD, "deals", CHANGE_KIND_SET },
        { "OnCrmDealMoveToCategory", EVENT_RECORD, "deals", CHANGE_KIND_SET },
        { "ONCRMLEADDELETE", EVENT_RECORD, "leads", CHANGE_KIND_GONE },
        { "ONCRMCOMPANYUSERFIELDADD", EVENT_FIELDS, "companies", CHANGE_KIND_FIELDS },
        { "ONOFFLINEEVENT", EVENT_PORTAL, NULL, CHANGE_KIND_QUEUE },
        { "ONAPPUPDATE", EVENT_PORTAL, NULL, CHANGE_KIND_RENEWED },
        { "ONAPPINSTALL", EVENT_APP, NULL, CHANGE_KIND_SET },
        { "ONCRMQUOTEADD", EVENT_UNKNOWN, NULL, CHANGE_KIND_SET },
        { "", EVENT_UNKNOWN, NULL, CHANGE_KIND_SET },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bitrix_event e = bitrix_event_of(str_of(cases[i].name));

        CHECK_EQ(e.class_, cases[i].class_);
        CHECK_EQ(e.kind, cases[i].kind);
        CHECK((e.entity == NULL) == (cases[i].entity == NULL));
        if (e.entity != NULL)
            CHECK_STR(e.entity->plural, cases[i].entity);
    }
}

TEST_MAIN(
    CASE(each_name_that_tells_of_an_entity_is_understood), CASE(names_mean_what_the_portal_means_by_them))
