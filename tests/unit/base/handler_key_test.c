#include "base/handler_key.h"

#include "base/mem.h"

#include <stdlib.h>

#include "support/check.h"

#define BARE  "https://potok.example/api/v1/webhooks/bitrix"
#define FIRST "aaaaaaaaaaaaaaaa-of-the-first-key"

TEST(the_address_of_each_portal_has_its_own_key)
{
    struct seal_keys keys, none = { 0 };
    struct err err;
    char key[HANDLER_KEY_SIZE];

    CHECK_OK(seal_keys_read(&keys, FIRST ",bbbbbbbbbbbbbbbb-of-the-second-key", &err), err);
    char *a = handler_keyed(BARE, &keys, "main"), *b = handler_keyed(BARE, &keys, "other");
    char *bare = handler_keyed(BARE, &none, "main");

    handler_key(&keys, 0, "main", key);
    CHECK(strncmp(a, BARE "?key=", strlen(BARE "?key=")) == 0);
    CHECK_STR(a + strlen(BARE "?key="), key);
    CHECK(strcmp(a, b) != 0);
    CHECK_STR(bare, BARE);
    handler_key(&keys, 1, "main", key);
    CHECK(strstr(a, key) == NULL);
    CHECK(handler_is_keyed(a, BARE) && handler_is_keyed(b, BARE) && !handler_is_keyed(bare, BARE));
    seal_free(a);
    seal_free(b);
    seal_free(bare);
}

TEST(only_what_looks_like_a_key_of_ours_is_one)
{
    static const struct {
        const char *handler;
        bool keyed;
    } cases[] = {
        { BARE "?key=0123456789abcdef0123456789abcdef", true },
        { BARE "?key=0123456789ABCDEF0123456789abcdef", false },
        { BARE "?key=0123456789abcdef0123456789abcde", false },
        { BARE "?key=0123456789abcdef0123456789abcdef0", false },
        { BARE "?key=0123456789abcdef0123456789abcdef&portal=x", false },
        { BARE "/?key=0123456789abcdef0123456789abcdef", false },
        { BARE "?portal=main", false },
        { BARE, false },
        { "", false },
        { "https://potok.example", false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_EQ(handler_is_keyed(cases[i].handler, BARE), cases[i].keyed);
}

TEST_MAIN(CASE(the_address_of_each_portal_has_its_own_key), CASE(only_what_looks_like_a_key_of_ours_is_one))
