#include "services/potok/portal/cmd.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdlib.h>

TEST(the_address_at_which_a_browser_ended_is_read)
{
    static const char *const texts[] = {
        "https://gate.example/oauth/"
        "callback?code=c%2B1&state=s-t_1&domain=p.ru&member_id=m1&server_domain=oauth.bitrix.info",
        " \thttps://gate.example/oauth/"
        "callback?state=s-t_1&code=c%2B1&member_id=m1&domain=p.ru&server_domain="
        "oauth.bitrix.info#top\r\n",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct access a = { 0 };
        char *text = NULL;
        struct err err;

        CHECK_OK(portal_code_read(str_of(texts[i]), &a, &text, &err), err);
        CHECK_EQ(a.kind, ACCESS_CODE);
        CHECK_STR(a.code, "c+1");
        CHECK_STR(a.member_id, "m1");
        CHECK_STR(a.domain, "p.ru");
        CHECK_STR(a.server, "oauth.bitrix.info");
        CHECK_STR(a.by, "operator");
        CHECK_STR(text, "s-t_1");
        access_free(&a);
        free(text);
    }
}

TEST(what_holds_no_code_is_refused)
{
    static const char *const texts[] = { "", "\n", "c1", "https://gate.example/oauth/callback",
        "https://gate.example/oauth/callback?state=s", "https://gate.example/oauth/callback?code=&state=s",
        "https://gate.example/oauth/callback?#code=c1" };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct access a = { 0 };
        char *text = NULL;
        struct err err = { 0 };

        CHECK_EQ(portal_code_read(str_of(texts[i]), &a, &text, &err), -1);
        CHECK_EQ(err.kind, ERR_CONF);
        CHECK(a.code == NULL);
    }
}

TEST_MAIN(CASE(the_address_at_which_a_browser_ended_is_read), CASE(what_holds_no_code_is_refused))
