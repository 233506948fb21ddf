#include "base/config.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HEAD "portals:\n  main:\n"
#define APP \
    HEAD "    app:\n      address: p.bitrix24.ru\n      client_id: local.1\n      client_secret: " \
         "topsecret\n"

#define SECOND(address, id) \
    "  b:\n    entities: [leads]\n    app:\n      address: " address "\n      client_id: " id \
    "\n      client_secret: topsecret\n"

static void clear_environment(void)
{
    static const char *const names[] = { "POTOK_CONFIG", "BITRIX_WEBHOOK_URL", "BITRIX_WEBHOOK_URL_FILE",
        "BITRIX_TARIFF", "BITRIX_DOMAIN", "BITRIX_DOMAIN_FILE", "BITRIX_CLIENT_ID", "BITRIX_CLIENT_ID_FILE",
        "BITRIX_CLIENT_SECRET", "BITRIX_CLIENT_SECRET_FILE", "BITRIX_OAUTH_URL", "BITRIX_OAUTH_URL_FILE" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        unsetenv(names[i]);
}

static int load(struct config *c, const char *text, struct err *err)
{
    CHECK_EQ(chdir(check_folder()), 0);

    FILE *f = fopen("potok.yaml", "w");
    CHECK(f != NULL);
    fputs(text, f);
    fclose(f);
    return config_load(c, "potok.yaml", NULL, err);
}

static void fails(const char *text, const char *why)
{
    struct config c;
    struct err err = { 0 };

    if (load(&c, text, &err) == 0)
        print_error("taken:\n%s", text);
    CHECK_EQ(err.kind, ERR_CONF);
    CHECK_HAS(err.text, why);
    CHECK(strstr(err.text, "topsecret") == NULL);
}

TEST(an_application_has_an_address_an_id_and_a_secret)
{
    struct config c;
    struct err err;

    clear_environment();
    CHECK_OK(load(&c, APP, &err), err);
    CHECK(config_portal_is_app(&c.portals[0]));
    CHECK(c.portals[0].url == NULL);
    CHECK_STR(c.portals[0].address, "https://p.bitrix24.ru/");
    CHECK_STR(config_portal_url(&c.portals[0]), "https://p.bitrix24.ru/");
    CHECK_STR(c.portals[0].app.client_id, "local.1");
    CHECK_STR(c.portals[0].app.client_secret, "topsecret");
    CHECK_STR(c.portals[0].app.oauth, CONFIG_OAUTH_DEFAULT);
    config_free(&c);
}

TEST(a_webhook_has_an_address_too)
{
    struct config c;
    struct err err;

    clear_environment();
    CHECK_OK(load(&c, HEAD "    url: https://P.bitrix24.ru:443/rest/1/topsecret/\n", &err), err);
    CHECK(!config_portal_is_app(&c.portals[0]));
    CHECK_STR(c.portals[0].address, "https://p.bitrix24.ru/");
    config_free(&c);
}

TEST(the_environment_says_the_same_of_the_portal_main)
{
    struct config c;
    struct err err;

    clear_environment();
    setenv("BITRIX_DOMAIN", "p.bitrix24.ru", 1);
    setenv("BITRIX_CLIENT_ID", "local.1", 1);
    setenv("BITRIX_CLIENT_SECRET", "topsecret", 1);
    CHECK_OK(load(&c, "", &err), err);
    CHECK_EQ(c.portal_count, 1);
    CHECK_STR(c.portals[0].name, "main");
    CHECK_STR(c.portals[0].where, "environment");
    CHECK_STR(c.portals[0].address, "https://p.bitrix24.ru/");
    config_free(&c);
    CHECK_OK(load(&c, HEAD "    app:\n      oauth: http://127.0.0.1:99\n", &err), err);
    CHECK_STR(c.portals[0].app.oauth, "http://127.0.0.1:99/");
    config_free(&c);
    setenv("BITRIX_OAUTH_URL", "http://127.0.0.1:98", 1);
    CHECK_OK(load(&c, "", &err), err);
    CHECK_STR(c.portals[0].app.oauth, "http://127.0.0.1:98/");
    config_free(&c);
    setenv("BITRIX_OAUTH_URL", "http://oauth.example", 1);
    fails("", "BITRIX_OAUTH_URL: \"http://oauth.example\": plain http");
    unsetenv("BITRIX_OAUTH_URL");
    unsetenv("BITRIX_CLIENT_SECRET");
    fails("", "environment: portal main: an application has an address (BITRIX_DOMAIN)");
    fails("", "client_secret is missing");
    setenv("BITRIX_CLIENT_SECRET", "topsecret", 1);
    setenv("BITRIX_WEBHOOK_URL", "https://p/rest/1/topsecret/", 1);
    fails("", "given both as a webhook");
    clear_environment();
    setenv("BITRIX_DOMAIN", "http://p.bitrix24.ru", 1);
    fails("", "BITRIX_DOMAIN: \"http://p.bitrix24.ru\": plain http");
    clear_environment();
}

TEST(mistakes_are_told_with_their_place_and_a_hint)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        { HEAD "    app:\n      address: p.bitrix24.ru\n",
            "potok.yaml:2:3: portal main: an application has an address" },
        { HEAD "    app:\n      address: p.bitrix24.ru\n", "client_id is missing" },
        { HEAD "    app:\n      client_id: local.1\n      client_secret: topsecret\n", "address is missing" },
        { HEAD "    app: {}\n", "neither url nor url_file" },
        { HEAD "    app: topsecret\n", "potok.yaml:3:5: portal main: app wants keys under it: address" },
        { APP "    url: https://p/rest/1/topsecret/\n", "given both as a webhook (url, BITRIX_WEBHOOK_URL)" },
        { APP "      client_secret_file: potok.yaml\n",
            "potok.yaml:7:7: portal main: client_secret and client_secret_file exclude each other" },
        { APP "      client_sekret: topsecret\n", "potok.yaml:7:7: portal main: app: unknown key "
                                                  "\"client_sekret\" (did you mean \"client_secret\"?)" },
        { APP "      colour: red\n", "app: unknown key \"colour\"" },
        { APP "      oauth: [a]\n", "potok.yaml:7:7: oauth wants a single value" },
        { APP "      oauth: http://oauth.example\n",
            "potok.yaml:7:7: portal main: oauth: \"http://oauth.example\": plain http" },
        { HEAD "    app:\n      client_id: \"a b\"\n", "client_id: there is a space" },
        { HEAD "    app:\n      client_secret: ''\n", "client_secret: it is empty" },
        { HEAD "    app:\n      client_secret_file: /nowhere/x\n",
            "client_secret_file: /nowhere/x: No such file" },
        { HEAD "    app:\n      address: https://p.bitrix24.ru/rest/1/topsecret/\n",
            "it is scheme and host alone" },
        { APP "    entities: [deals]\n" SECOND("P.bitrix24.ru", "local.1"),
            "potok.yaml:8:3: portals main and b are one portal (https://p.bitrix24.ru/) through one "
            "application" },
        { HEAD "    ap: {}\n", "unknown key \"ap\" in portal main (did you mean \"app\"?)" },
    };

    clear_environment();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        fails(cases[i].text, cases[i].why);
}

TEST(another_portal_or_another_application_is_another)
{
    static const char *const cases[] = {
        APP "    entities: [deals]\n" SECOND("q.bitrix24.ru", "local.1"),
        APP "    entities: [deals]\n" SECOND("p.bitrix24.ru", "local.2"),
        APP "    entities: [deals]\n  b:\n    entities: [leads]\n    url: "
            "https://p.bitrix24.ru/rest/1/topsecret/\n",
    };

    clear_environment();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct config c;
        struct err err = { 0 };

        CHECK_OK(load(&c, cases[i], &err), err);
        CHECK_EQ(c.portal_count, 2);
        config_free(&c);
    }
}

TEST_MAIN(CASE(another_portal_or_another_application_is_another),
    CASE(an_application_has_an_address_an_id_and_a_secret), CASE(a_webhook_has_an_address_too),
    CASE(the_environment_says_the_same_of_the_portal_main),
    CASE(mistakes_are_told_with_their_place_and_a_hint))
