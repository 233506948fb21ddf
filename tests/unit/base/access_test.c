#include "base/access.h"

#include "base/mem.h"
#include "base/seal.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

#define MINUTE_MS UINT64_C(60000)

static struct buf encoded(const struct access *a)
{
    struct buf out;

    buf_init(&out, 1 << 16);
    access_encode(a, &out);
    CHECK(!out.failed);
    return out;
}

TEST(what_was_given_reads_back_whatever_is_in_it)
{
    struct access a = { .kind = ACCESS_TOKENS, .expires_ms = 1736405807123 }, back = { 0 };
    struct err err;

    access_set(&a.access_token, STR("a&b=c%d+e f"));
    access_set(&a.refresh_token, STR("ключ\n\t\"'"));
    access_set(&a.application_token, STR("0123"));
    access_set(&a.member_id, STR("0862632569672304cdf8597029e500f4"));
    access_set(&a.scope, STR("crm,user"));
    struct buf bytes = encoded(&a);

    CHECK_OK(access_decode(&back, buf_view(&bytes), &err), err);
    CHECK_EQ(back.kind, ACCESS_TOKENS);
    CHECK_STR(back.access_token, a.access_token);
    CHECK_STR(back.refresh_token, a.refresh_token);
    CHECK_STR(back.application_token, "0123");
    CHECK_STR(back.member_id, a.member_id);
    CHECK_STR(back.scope, "crm,user");
    CHECK(back.code == NULL && back.domain == NULL && back.server == NULL && back.by == NULL);
    CHECK_EQ(back.expires_ms, a.expires_ms);
    access_free(&a);
    access_free(&back);
    access_free(&back);
    buf_fini(&bytes);
}

TEST(members_of_a_newer_version_are_skipped)
{
    struct access a = { 0 };
    struct err err;

    CHECK_OK(access_decode(&a, STR("kind=code&colour=red&code=abc&expires_ms=-5"), &err), err);
    CHECK_EQ(a.kind, ACCESS_CODE);
    CHECK_STR(a.code, "abc");
    CHECK_EQ(a.expires_ms, 0);
    access_free(&a);
}

TEST(what_is_none_is_refused_and_nothing_is_touched)
{
    static const char *const cases[] = { "", "kind=", "kind=other", "code=abc", "kind=code&code=a%00b",
        "&&&" };
    char *longer = xmalloc(ACCESS_TEXT_MAX + 40);

    snprintf(longer, ACCESS_TEXT_MAX + 40, "kind=code&code=%0*d", ACCESS_TEXT_MAX + 1, 7);
    for (size_t i = 0; i <= ARRAY_SIZE(cases); i++) {
        struct access a = { .kind = ACCESS_REMOVED };
        struct err err = { 0 };

        CHECK_EQ(access_decode(&a, str_of(i < ARRAY_SIZE(cases) ? cases[i] : longer), &err), -1);
        CHECK_EQ(err.kind, ERR_PERM);
        CHECK_EQ(a.kind, ACCESS_REMOVED);
    }
    free(longer);
}

TEST(a_copy_is_its_own)
{
    struct access a = { .kind = ACCESS_CODE }, b = { 0 };

    access_set(&a.code, STR("one"));
    access_set(&b.code, STR("two"));
    access_set(&b.scope, STR("crm"));
    access_copy(&b, &a);
    access_free(&a);
    CHECK_STR(b.code, "one");
    CHECK(b.scope == NULL);
    access_set(&b.code, STR(""));
    CHECK(b.code == NULL);
    access_free(&b);
}

TEST(a_login_is_known_by_its_state_for_a_quarter_of_an_hour)
{
    static const struct {
        const char *portal;
        int64_t later_ms;
        const char *why; /* NULL: it is taken */
    } cases[] = {
        { "main", 0, NULL },
        { "main", ACCESS_STATE_MS, NULL },
        { "main", -30000, NULL }, /* two machines' clocks */
        { "main", ACCESS_STATE_MS + 1, "15 minutes" },
        { "main", -(int64_t)(2 * MINUTE_MS), "not begun here" },
        { "other", 0, "not begun here" },
    };
    const uint64_t now_ms = 1736405807123;
    struct seal_keys keys = { 0 }, others = { 0 };
    struct buf text;
    struct err err;

    CHECK_OK(seal_keys_read(&keys, "a-key-of-more-than-thirty-two-letters", &err), err);
    CHECK_OK(seal_keys_read(&others, "another-key-of-more-than-thirty-two-letters", &err), err);
    buf_init(&text, 1024);
    CHECK_OK(access_state_make(&keys, "main", now_ms, &text, &err), err);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int result = access_state_check(
            &keys, cases[i].portal, buf_view(&text), now_ms + (uint64_t)cases[i].later_ms, &err);

        CHECK_EQ(result, cases[i].why ? -1 : 0);
        if (cases[i].why)
            CHECK_HAS(err.text, cases[i].why);
    }
    CHECK_EQ(access_state_check(&others, "main", buf_view(&text), now_ms, &err), -1);
    CHECK_EQ(access_state_check(&keys, "main", STR(""), now_ms, &err), -1);
    CHECK_EQ(access_state_check(&keys, "main", STR("x"), now_ms, &err), -1);
    text.p[5] ^= 1;
    CHECK_EQ(access_state_check(&keys, "main", buf_view(&text), now_ms, &err), -1);
    buf_fini(&text);
}

TEST_MAIN(CASE(what_was_given_reads_back_whatever_is_in_it), CASE(members_of_a_newer_version_are_skipped),
    CASE(what_is_none_is_refused_and_nothing_is_touched), CASE(a_copy_is_its_own),
    CASE(a_login_is_known_by_its_state_for_a_quarter_of_an_hour))
