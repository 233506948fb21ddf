#include "base/webhook.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdlib.h>

TEST(addresses_as_people_paste_them_are_taken)
{
    static const struct {
        const char *text, *url;
    } cases[] = {
        { "https://p.bitrix24.ru/rest/1/abc123/", "https://p.bitrix24.ru/rest/1/abc123/" },
        { "https://p.bitrix24.ru/rest/1/abc123", "https://p.bitrix24.ru/rest/1/abc123/" },
        { "  https://p.bitrix24.ru/rest/1/abc123/ \r\n", "https://p.bitrix24.ru/rest/1/abc123/" },
        { "HTTPS://P/rest/17/A-b_9/", "HTTPS://P/rest/17/A-b_9/" },
        { "https://p:8443/rest/1/s/", "https://p:8443/rest/1/s/" },
        { "https://[2001:db8::1]:443/rest/1/s/", "https://[2001:db8::1]:443/rest/1/s/" },
        { "http://127.0.0.1:8080/rest/1/s/", "http://127.0.0.1:8080/rest/1/s/" },
        { "http://127.255.0.9/rest/1/s/", "http://127.255.0.9/rest/1/s/" },
        { "http://localhost:80/rest/1/s/", "http://localhost:80/rest/1/s/" },
        { "http://[::1]:80/rest/1/s/", "http://[::1]:80/rest/1/s/" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        char *url;

        CHECK_OK(webhook_parse(str_of(cases[i].text), &url, &err), err);
        CHECK_STR(url, cases[i].url);
        free(url);
    }
}

TEST(wrong_addresses_are_refused_with_a_hint_and_without_the_secret)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        { "", "the webhook address is empty" },
        { " \n", "the webhook address is empty" },
        { "p.bitrix24.ru/rest/1/topsecret/", "\"(masked)\": it must begin with https://" },
        { "topsecret", "\"(masked)\": it must begin with https://" },
        { "ftp://p/rest/1/topsecret/", "\"ftp://p/(masked)\": it must begin with https://" },
        { "\"https://p/rest/1/topsecret/\"", "take the quotes away" },
        { "https://p/rest/1/topsecret/ # mine", "there is a space" },
        { "https://p/rest/1/top\nsecret/", "there is a space" },
        { "http://p.bitrix24.ru/rest/1/topsecret/", "\"http://p.bitrix24.ru/(masked)\": plain http" },
        { "http://127.0.0.1.evil.com/rest/1/topsecret/", "plain http" },
        { "http://127.1/rest/1/topsecret/", "plain http" },
        { "http://128.0.0.1/rest/1/topsecret/", "plain http" },
        { "http://localhost.evil.com/rest/1/topsecret/", "plain http" },
        { "http://[::2]/rest/1/topsecret/", "plain http" },
        { "http://127.0.0.1@evil.com/rest/1/topsecret/", "user and password" },
        { "https://me:topsecret@p/rest/1/s/", "user and password" },
        { "https:///rest/1/topsecret/", "the host is not one" },
        { "https://p_x/rest/1/topsecret/", "the host is not one" },
        { "https://[::1/rest/1/topsecret/", "the host is not one" },
        { "https://[]/rest/1/topsecret/", "the host is not one" },
        { "https://p:/rest/1/topsecret/", "the port is not one" },
        { "https://p:0/rest/1/topsecret/", "the port is not one" },
        { "https://p:65536/rest/1/topsecret/", "the port is not one" },
        { "https://[::1]x/rest/1/topsecret/", "the port is not one" },
        { "https://p/rest/1/topsecret/?x=1", "take away what begins with ? or #" },
        { "https://p/rest/1/topsecret/#x", "take away what begins with ? or #" },
        { "https://p", "it must look like https://" },
        { "https://p/", "it must look like https://" },
        { "https://p/rest/", "it must look like https://" },
        { "https://p/rest/topsecret/", "it must look like https://" },
        { "https://p/rest/1/", "it must look like https://" },
        { "https://p/rest/1//", "it must look like https://" },
        { "https://p/rest/me/topsecret/", "it must look like https://" },
        { "https://p/crm/1/topsecret/", "it must look like https://" },
        { "https://p/rest/1/top secret/", "there is a space" },
        { "https://p/rest/1/top%20secret/", "it must look like https://" },
        { "https://p/rest/1/topsecret/profile.json", "take the method name away" },
        { "https://p/rest/1/topsecret/profile", "take the method name away" },
        { "https://p/rest/1/topsecret//", "take the method name away" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        char *url = NULL;

        if (webhook_parse(str_of(cases[i].text), &url, &err) == 0)
            print_error("taken: %s\n", cases[i].text);
        CHECK(url == NULL);
        CHECK_EQ(err.kind, ERR_CONF);
        CHECK_HAS(err.text, cases[i].why);
        CHECK(!strstr(err.text, "topsecret"));
    }
}

TEST(a_very_long_address_is_refused)
{
    struct err err = { 0 };
    char *url, *text = xmalloc(5000);

    memset(text, 'a', 4999);
    text[4999] = '\0';
    memcpy(text, "https://p/rest/1/", 17);
    CHECK_EQ(webhook_parse(str_of(text), &url, &err), -1);
    CHECK_HAS(err.text, "longer than 2048 bytes");
    free(text);
}

TEST(a_portal_is_known_by_its_host_and_not_by_its_user_or_secret)
{
    static const struct {
        const char *url, *identity;
    } cases[] = {
        { "https://portal.bitrix24.ru/rest/1/topsecret/", "portal.bitrix24.ru" },
        { "https://Portal.Bitrix24.RU/rest/77/another/", "portal.bitrix24.ru" },
        { "https://portal.bitrix24.ru:443/rest/1/s/", "portal.bitrix24.ru" },
        { "https://portal.bitrix24.ru./rest/1/s/", "portal.bitrix24.ru" },
        { "https://box.example:8443/rest/1/s/", "box.example:8443" },
        { "HTTPS://10.0.0.7:8443/rest/1/s/", "10.0.0.7:8443" },
        { "https://[2001:DB8::1]:8443/rest/1/s/", "[2001:db8::1]:8443" },
        { "http://127.0.0.1:49152/rest/1/s/", "localhost" },
        { "http://127.3.2.1/rest/1/s/", "localhost" },
        { "http://LOCALHOST:80/rest/1/s/", "localhost" },
        { "http://[::1]:9/rest/1/s/", "localhost" },
        { "https://localhost:8443/rest/1/s/", "localhost" },
        { "https://localhost.example/rest/1/s/", "localhost.example" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char identity[WEBHOOK_IDENTITY_SIZE];

        webhook_identity(cases[i].url, identity);
        CHECK_STR(identity, cases[i].identity);
    }
}

TEST(an_address_alone_is_scheme_and_host)
{
    static const struct {
        const char *text, *address; /* NULL: refused */
    } cases[] = {
        { "portal.bitrix24.ru", "https://portal.bitrix24.ru/" },
        { " https://Portal.Bitrix24.ru/ ", "https://portal.bitrix24.ru/" },
        { "https://box.example:8443", "https://box.example:8443/" },
        { "https://box.example:443/", "https://box.example/" },
        { "http://127.0.0.1:9980", "http://127.0.0.1:9980/" },
        { "http://portal.bitrix24.ru", NULL },
        { "https://portal.bitrix24.ru/rest/1/topsecret/", NULL },
        { "https://user:topsecret@portal.bitrix24.ru", NULL },
        { "ftp://portal.bitrix24.ru", NULL },
        { "https://", NULL },
        { "a b", NULL },
        { "", NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        char *address = NULL;

        CHECK_EQ(webhook_host_parse(str_of(cases[i].text), &address, &err), cases[i].address ? 0 : -1);
        if (cases[i].address)
            CHECK_STR(address, cases[i].address);
        else
            CHECK(err.kind == ERR_CONF && strstr(err.text, "topsecret") == NULL);
        free(address);
    }
}

TEST(a_portal_is_asked_at_another_host_as_safely_as_before)
{
    static const struct {
        const char *url, *host, *at; /* NULL: not there */
    } cases[] = {
        { "https://a.ru/rest/1/s/", "b.ru", "https://b.ru/rest/1/s/" },
        { "https://a.ru/rest/1/s/", "b.ru:8443", "https://b.ru:8443/rest/1/s/" },
        { "https://a.ru/", "b.ru", "https://b.ru/" },
        { "http://127.0.0.1:1/rest/1/s/", "127.0.0.1:2", "http://127.0.0.1:2/rest/1/s/" },
        { "http://127.0.0.1:1/rest/1/s/", "b.ru", "https://b.ru/rest/1/s/" },
        { "https://a.ru/rest/1/s/", "127.0.0.1:2", "https://127.0.0.1:2/rest/1/s/" },
        { "https://a.ru/rest/1/s/", "user@b.ru", NULL },
        { "https://a.ru/rest/1/s/", "b.ru/x", NULL },
        { "https://a.ru/rest/1/s/", "b.ru:99999", NULL },
        { "https://a.ru/rest/1/s/", "", NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *at = webhook_at(cases[i].url, str_of(cases[i].host));

        CHECK_EQ(at != NULL, cases[i].at != NULL);
        if (at)
            CHECK_STR(at, cases[i].at);
        free(at);
    }
}

TEST(a_renaming_keeps_the_path_and_is_no_less_safe)
{
    static const struct {
        const char *asked, *location, *host; /* NULL: none */
    } cases[] = {
        { "https://a.ru/rest/1/s/batch.json", "https://b.ru/rest/1/s/batch.json", "b.ru" },
        { "https://a.ru/rest/batch.json", "HTTPS://B.ru:443/rest/batch.json", "b.ru" },
        { "https://a.ru/rest/batch.json", "https://b.ru:8443/rest/batch.json", "b.ru:8443" },
        { "http://127.0.0.1:1/rest/batch.json", "http://127.0.0.1:2/rest/batch.json", "127.0.0.1:2" },
        { "https://a.ru/rest/1/s/batch.json", "http://b.ru/rest/1/s/batch.json", NULL },
        { "https://a.ru/rest/1/s/batch.json", "http://127.0.0.1/rest/1/s/batch.json", NULL },
        { "https://a.ru/rest/1/s/batch.json", "https://u:p@b.ru/rest/1/s/batch.json", NULL },
        { "https://a.ru/rest/1/s/batch.json", "https://b.ru/rest/1/s/", NULL },
        { "https://a.ru/rest/1/s/batch.json", "https://b.ru/x/rest/1/s/batch.json", NULL },
        { "https://a.ru/rest/1/s/batch.json", "https://b.ru/rest/1/s/batch.json?x=1", NULL },
        { "https://a.ru/rest/1/s/batch.json", "https://A.ru/rest/1/s/batch.json", NULL },
        { "https://a.ru/rest/1/s/batch.json", "/rest/1/s/batch.json", NULL },
        { "https://a.ru/rest/1/s/batch.json", "//b.ru/rest/1/s/batch.json", NULL },
        { "https://a.ru/rest/1/s/batch.json", "https:///rest/1/s/batch.json", NULL },
        { "https://a.ru/rest/1/s/batch.json", "", NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char host[WEBHOOK_HOST_SIZE] = "untouched";

        CHECK_EQ(webhook_moved(cases[i].asked, cases[i].location, host), cases[i].host != NULL);
        CHECK_STR(host, cases[i].host ? cases[i].host : "untouched");
    }
}

TEST(hosts_are_kin_below_one_registrable_name)
{
    static const struct {
        const char *url, *host;
        bool kin;
    } cases[] = {
        { "https://old.bitrix24.ru/", "new.bitrix24.ru", true },
        { "https://old.bitrix24.ru/", "NEW.Bitrix24.ru:8443", true },
        { "https://old.bitrix24.ru/", "old.bitrix24.com", false },
        { "https://old.bitrix24.ru/", "bitrix24.ru.evil.example", false },
        { "https://old.bitrix24.com.br/", "new.bitrix24.com.br", true },
        { "https://old.bitrix24.com.br/", "evil.com.br", false },
        { "https://crm.example.ru/", "example.ru", true },
        { "https://example.ru/", "evil.ru", false },
        { "http://127.0.0.1:80/", "127.0.0.1:99", true },
        { "https://10.1.0.1/", "66.6.0.1", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        if (webhook_is_kin(cases[i].url, str_of(cases[i].host)) != cases[i].kin)
            print_error("%s\n", cases[i].host);
        CHECK_EQ(webhook_is_kin(cases[i].url, str_of(cases[i].host)), cases[i].kin);
    }
}

TEST(the_host_of_an_address_is_a_view)
{
    CHECK(str_is(webhook_host_in(STR("https://oauth.bitrix.info/rest/")), "oauth.bitrix.info"));
    CHECK(str_is(webhook_host_in(STR("http://127.0.0.1:8080")), "127.0.0.1:8080"));
    CHECK_EQ(webhook_host_in(STR("oauth.bitrix.info")).n, 0);
    CHECK_EQ(webhook_host_in((struct str){ NULL, 0 }).n, 0);
}

TEST_MAIN(CASE(the_host_of_an_address_is_a_view), CASE(hosts_are_kin_below_one_registrable_name),
    CASE(an_address_alone_is_scheme_and_host), CASE(a_portal_is_asked_at_another_host_as_safely_as_before),
    CASE(a_renaming_keeps_the_path_and_is_no_less_safe), CASE(addresses_as_people_paste_them_are_taken),
    CASE(wrong_addresses_are_refused_with_a_hint_and_without_the_secret),
    CASE(a_very_long_address_is_refused), CASE(a_portal_is_known_by_its_host_and_not_by_its_user_or_secret))
