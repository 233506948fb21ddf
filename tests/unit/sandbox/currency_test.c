/* crm.currency.{get,base.get,fields} beside the list (the vendor's pages). */
#include "tests/unit/sandbox/ask.h"

TEST(one_currency_has_its_languages_too)
{
    struct portal *p = ask_open();
    json_t *rows = ask_done(ask(p, "crm.currency.list", NULL));
    json_t *one = ask_done(ask(p, "crm.currency.get", "{\"id\":\"EUR\"}"));
    const json_t *ru = json_object_get(json_object_get(one, "LANG"), "ru");

    CHECK_EQ(json_object_size(one), json_object_size(json_array_get(rows, 2)) + 1);
    ask_has(one, "AMOUNT", "\"99.2000\"");
    ask_has(ru, "THOUSANDS_SEP", "null");
    ask_has(ru, "DECIMALS", "\"2\"");
    json_decref(one);
    json_decref(rows);
    ask_refused(p, "crm.currency.get", "{\"id\":\"XXX\"}", "", "Not found");
    ask_refused(p, "crm.currency.get", NULL, "", "Not found");
    ask_close(p);
}

TEST(the_base_currency_is_a_bare_text)
{
    struct portal *p = ask_open();
    json_t *answer = ask(p, "crm.currency.base.get", NULL);

    ask_has(answer, "result", "\"RUB\"");
    json_decref(answer);
    ask_close(p);
}

TEST(every_member_but_the_languages_is_described_and_listed)
{
    struct portal *p = ask_open();
    json_t *fields = ask_done(ask(p, "crm.currency.fields", NULL));
    json_t *one = ask_done(ask(p, "crm.currency.get", "{\"id\":\"USD\"}"));
    const char *name;
    json_t *value;

    json_object_foreach(one, name, value) {
        CHECK(json_object_get(fields, name) != NULL);
    }
    CHECK_EQ(json_object_size(fields), json_object_size(one));
    ask_has(json_object_get(fields, "LANG"), "isMultiple", "true");
    json_decref(one);
    json_decref(fields);
    ask_close(p);
}

TEST_MAIN(CASE(one_currency_has_its_languages_too), CASE(the_base_currency_is_a_bare_text),
    CASE(every_member_but_the_languages_is_described_and_listed))
