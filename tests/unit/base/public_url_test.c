#include "base/public_url.h"

#include "base/mem.h"
#include "support/check.h"

TEST(addresses_become_handlers)
{
    static const struct {
        const char *setting;
        int count;
        const char *first, *second;
    } cases[] = {
        { NULL, 0, NULL, NULL },
        { "", 0, NULL, NULL },
        { "https://potok.example.com", 1, "https://potok.example.com/api/v1/webhooks/bitrix", NULL },
        { " https://Potok.Example.com/ ", 1, "https://potok.example.com/api/v1/webhooks/bitrix", NULL },
        { "https://example.com/a/potok/", 1, "https://example.com/a/potok/api/v1/webhooks/bitrix", NULL },
        { "http://127.0.0.1:8080", 1, "http://127.0.0.1:8080/api/v1/webhooks/bitrix", NULL },
        { "https://new.example, https://old.example:8443,", 2, "https://new.example/api/v1/webhooks/bitrix",
            "https://old.example:8443/api/v1/webhooks/bitrix" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct public_urls u;
        struct err err = { .kind = ERR_NONE };

        CHECK_OK(public_urls_read(&u, cases[i].setting, &err), err);
        CHECK_EQ(u.count, cases[i].count);
        if (u.count > 0)
            CHECK_STR(u.handlers[0], cases[i].first);
        if (u.count > 1)
            CHECK_STR(u.handlers[1], cases[i].second);
        public_urls_free(&u);
    }
}

TEST(what_no_portal_could_reach_is_refused)
{
    static const char *const cases[] = { "potok.example.com", "http://potok.example.com", "ftp://a.example",
        "https://", "https://user:word@a.example", "https://a.example/?a=b", "https://a.example#x",
        "https://a.example/p q",
        "https://a.example,https://b.example,https://c.example,https://d.example,"
        "https://e.example" };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct public_urls u;
        struct err err = { .kind = ERR_NONE };

        CHECK_EQ(public_urls_read(&u, cases[i], &err), -1);
        CHECK_EQ(err.kind, ERR_CONF);
        CHECK_HAS(err.text, "PUBLIC_URL");
    }
}

TEST_MAIN(CASE(addresses_become_handlers), CASE(what_no_portal_could_reach_is_refused))
