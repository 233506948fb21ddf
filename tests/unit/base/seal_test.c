#include "base/seal.h"

#include "base/mem.h"
#include "support/check.h"

#include <stdlib.h>
#include <string.h>

#define KEY_A "aaaaaaaaaaaaaaaa-of-the-first-key"
#define KEY_B "bbbbbbbbbbbbbbbb-of-the-second-key"

static struct seal_keys keys_of(const char *setting)
{
    struct seal_keys keys;
    struct err err;

    CHECK_OK(seal_keys_read(&keys, setting, &err), err);
    return keys;
}

static struct buf sealed_by(const char *setting, const char *purpose, struct str plain)
{
    struct seal_keys keys = keys_of(setting);
    struct buf out;
    struct err err;

    buf_init(&out, 1 << 20);
    CHECK_OK(seal(&keys, str_of(purpose), plain, &out, &err), err);
    return out;
}

/* The kind of the failure, ERR_NONE when it opens to `plain`. */
static enum err_kind opened(const char *setting, const char *purpose, struct str sealed, struct str plain)
{
    struct seal_keys keys = keys_of(setting);
    struct buf out;
    struct err err = { 0 };

    buf_init(&out, 1 << 20);
    if (seal_open(&keys, str_of(purpose), sealed, &out, &err) == 0)
        CHECK(str_eq(buf_view(&out), plain));
    else
        CHECK_EQ(out.n, 0);
    seal_wipe(&out);
    return err.kind;
}

TEST(what_is_sealed_opens_for_its_purpose_only)
{
    struct buf sealed = sealed_by(KEY_A, "token:main", STR("secret"));

    CHECK_EQ(sealed.n, 6 + SEAL_OVERHEAD);
    CHECK(memmem(sealed.p, sealed.n, "secret", 6) == NULL);
    CHECK_EQ(opened(KEY_A, "token:main", buf_view(&sealed), STR("secret")), ERR_NONE);
    CHECK_EQ(opened(KEY_A, "token:other", buf_view(&sealed), STR("")), ERR_PERM);
    CHECK_EQ(opened(KEY_A, "", buf_view(&sealed), STR("")), ERR_PERM);
    CHECK_EQ(opened(KEY_B, "token:main", buf_view(&sealed), STR("")), ERR_CONF);
    CHECK_EQ(opened(NULL, "token:main", buf_view(&sealed), STR("")), ERR_CONF);
    buf_fini(&sealed);
}

TEST(nothing_and_much_are_sealed_too)
{
    char *much = xcalloc(1, 100000);
    struct buf sealed = sealed_by(KEY_A, "p", STR(""));

    CHECK_EQ(opened(KEY_A, "p", buf_view(&sealed), STR("")), ERR_NONE);
    buf_fini(&sealed);
    sealed = sealed_by(KEY_A, "p", (struct str){ much, 100000 });
    CHECK_EQ(opened(KEY_A, "p", buf_view(&sealed), (struct str){ much, 100000 }), ERR_NONE);
    buf_fini(&sealed);
    free(much);
}

TEST(the_same_text_is_never_sealed_alike)
{
    struct buf one = sealed_by(KEY_A, "p", STR("text")), two = sealed_by(KEY_A, "p", STR("text"));

    CHECK(!str_eq(buf_view(&one), buf_view(&two)));
    buf_fini(&one);
    buf_fini(&two);
}

TEST(a_changed_byte_is_noticed_wherever_it_is)
{
    struct buf sealed = sealed_by(KEY_A, "p", STR("text"));

    for (size_t i = 0; i < sealed.n; i++) {
        sealed.p[i] ^= 1;
        CHECK(opened(KEY_A, "p", buf_view(&sealed), STR("")) != ERR_NONE);
        sealed.p[i] ^= 1;
    }
    for (size_t n = 0; n < sealed.n; n++)
        CHECK_EQ(opened(KEY_A, "p", (struct str){ sealed.p, n }, STR("")), ERR_PERM);
    buf_fini(&sealed);
}

TEST(a_key_is_changed_by_putting_the_new_one_in_front)
{
    struct buf old = sealed_by(KEY_A, "p", STR("old")), now = sealed_by(KEY_B ", " KEY_A, "p", STR("now"));

    CHECK_EQ(opened(KEY_B "," KEY_A, "p", buf_view(&old), STR("old")), ERR_NONE);
    CHECK_EQ(opened(KEY_B, "p", buf_view(&now), STR("now")), ERR_NONE);
    CHECK_EQ(opened(KEY_A, "p", buf_view(&now), STR("")), ERR_CONF);
    buf_fini(&old);
    buf_fini(&now);
}

TEST(settings_that_are_no_keys_are_refused_and_not_repeated)
{
    static const char *const wrong[] = { "short-secret", KEY_A ",,", KEY_A ",short-secret", "," KEY_A,
        KEY_A "," KEY_A "," KEY_A "," KEY_A "," KEY_A "," KEY_A "," KEY_A "," KEY_A "," KEY_A };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct seal_keys keys = { .n = 77 };
        struct err err = { 0 };

        CHECK_EQ(seal_keys_read(&keys, wrong[i], &err), -1);
        CHECK_EQ(err.kind, ERR_CONF);
        CHECK_EQ(keys.n, 77);
        CHECK(strstr(err.text, "short-secret") == NULL);
    }
    CHECK_EQ(keys_of(NULL).n, 0);
    CHECK_EQ(keys_of(" \n").n, 0);
    CHECK_EQ(keys_of(KEY_A "\n").n, 1);
    CHECK_EQ(keys_of(KEY_A ",").n, 1); /* a slip that harms nobody */
}

TEST(sealed_bytes_travel_as_text)
{
    static const char *const wrong[] = { "a", "a+b/", "YQ==", "Y Q", "!!!!" };
    struct buf sealed = sealed_by(KEY_A, "state:main", STR("now")), text, back;
    struct err err;

    buf_init(&text, 4096);
    buf_init(&back, 4096);
    seal_text(buf_view(&sealed), &text);
    CHECK(strspn(buf_cstr(&text), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
          text.n);
    CHECK_OK(seal_bytes(buf_view(&text), &back, &err), err);
    CHECK(str_eq(buf_view(&back), buf_view(&sealed)));
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        buf_clear(&back);
        CHECK_EQ(seal_bytes(str_of(wrong[i]), &back, &err), -1);
        CHECK_EQ(err.kind, ERR_PERM);
        CHECK_EQ(back.n, 0);
    }
    buf_fini(&sealed);
    buf_fini(&text);
    buf_fini(&back);
}

TEST(a_full_buffer_is_told)
{
    struct seal_keys keys = keys_of(KEY_A);
    struct buf small;
    struct err err;

    buf_init(&small, 16);
    CHECK_EQ(seal(&keys, STR("p"), STR("text"), &small, &err), -1);
    CHECK_EQ(err.kind, ERR_LIMIT);
    seal_wipe(&small);
    seal_wipe(NULL);
}

static const char *derived(const char *setting, int which, const char *purpose)
{
    static char text[4][SEAL_DERIVED_SIZE];
    static int next;
    struct seal_keys keys = keys_of(setting);
    char *ret = text[next++ % 4];

    seal_derive(&keys, which, str_of(purpose), ret);
    return ret;
}

TEST(of_a_key_others_are_made)
{
    CHECK_EQ(strlen(derived(KEY_A, 0, "handler:main")), 32);
    CHECK_EQ(strspn(derived(KEY_A, 0, "handler:main"), "0123456789abcdef"), 32);
    CHECK_STR(derived(KEY_A, 0, "handler:main"), derived(KEY_A "," KEY_B, 0, "handler:main"));
    CHECK_STR(derived(KEY_B, 0, "handler:main"), derived(KEY_A "," KEY_B, 1, "handler:main"));
    CHECK(strcmp(derived(KEY_A, 0, "handler:main"), derived(KEY_B, 0, "handler:main")) != 0);
    CHECK(strcmp(derived(KEY_A, 0, "handler:main"), derived(KEY_A, 0, "handler:other")) != 0);
    /* every handler that was ever bound hangs on it */
    CHECK_STR(derived(KEY_A, 0, "handler:main"), "2a2c073b313bfa637fdd6eaa6205861f");
}

TEST_MAIN(CASE(of_a_key_others_are_made), CASE(what_is_sealed_opens_for_its_purpose_only),
    CASE(nothing_and_much_are_sealed_too), CASE(the_same_text_is_never_sealed_alike),
    CASE(a_changed_byte_is_noticed_wherever_it_is), CASE(a_key_is_changed_by_putting_the_new_one_in_front),
    CASE(settings_that_are_no_keys_are_refused_and_not_repeated), CASE(sealed_bytes_travel_as_text),
    CASE(a_full_buffer_is_told))
