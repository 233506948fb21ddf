#include "base/form.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdlib.h>
#include <string.h>

static struct form parse(const char *text)
{
    struct form f;
    struct err err;

    CHECK_OK(form_parse(&f, str_of(text), &err), err);
    return f;
}

TEST(an_event_of_a_portal_is_read)
{
    struct form f =
        parse("event=ONCRMDEALUPDATE&data%5BFIELDS%5D%5BID%5D=759&ts=1736405807&auth[domain]=p.bitrix24.com");

    CHECK_VIEW(form_get(&f, "event"), "ONCRMDEALUPDATE");
    CHECK_VIEW(form_get(&f, "data[FIELDS][ID]"), "759");
    CHECK_VIEW(form_get(&f, "auth[domain]"), "p.bitrix24.com");
    CHECK(form_get(&f, "auth").p == NULL);
    form_free(&f);
}

TEST(odd_forms_are_read_as_php_does)
{
    static const struct {
        const char *text, *key, *value;
    } cases[] = {
        { "a=1&a=2", "a", "2" },
        { "a+b=c+d", "a b", "c d" },
        { "a=%", "a", "%" },
        { "a=%4", "a", "%4" },
        { "a=%zz", "a", "%zz" },
        { "a=%41%", "a", "A%" },
        { "a", "a", "" },
        { "&&a=1&", "a", "1" },
        { "a=b=c", "a", "b=c" },
        { "%D1%84=%D1%8B", "ф", "ы" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct form f = parse(cases[i].text);

        CHECK_VIEW(form_get(&f, cases[i].key), cases[i].value);
        form_free(&f);
    }
}

TEST(nothing_gives_nothing)
{
    static const char *const cases[] = { "", "&", "=", "=1", "&=&" };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct form f = parse(cases[i]);

        CHECK_EQ(f.count, 0);
        form_free(&f);
    }
}

TEST(lists_are_numbered_or_not)
{
    struct form a = parse("document_id[0]=crm&document_id[2]=DEAL_54");
    struct form b = parse("document_id[]=crm&x=1&document_id[]=CCrmDocumentDeal&document_id[]=DEAL_54");

    CHECK_VIEW(form_item(&a, "document_id", 2), "DEAL_54");
    CHECK_VIEW(form_item(&b, "document_id", 2), "DEAL_54");
    CHECK(form_item(&a, "document_id", 1).p == NULL);
    CHECK(form_item(&b, "document_id", 3).p == NULL);
    form_free(&a);
    form_free(&b);
}

TEST(too_many_pairs_are_refused)
{
    size_t n = (FORM_PAIRS_MAX + 1) * 4;
    char *text = xmalloc(n + 1);
    struct form f;
    struct err err;

    for (size_t i = 0; i < n; i += 4)
        memcpy(text + i, "a=1&", 4);
    CHECK_EQ(form_parse(&f, (struct str){ text, n - 1 }, &err), -1);
    CHECK_EQ(err.kind, ERR_LIMIT);
    CHECK_OK(form_parse(&f, (struct str){ text, n - 5 }, &err), err);
    CHECK_EQ(f.count, FORM_PAIRS_MAX);
    form_free(&f);
    free(text);
}

TEST_MAIN(CASE(an_event_of_a_portal_is_read), CASE(odd_forms_are_read_as_php_does),
    CASE(nothing_gives_nothing), CASE(lists_are_numbered_or_not), CASE(too_many_pairs_are_refused))
