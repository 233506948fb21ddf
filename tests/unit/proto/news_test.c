#include "proto/news.h"

#include "support/check.h"

TEST(hosts_come_back_and_what_is_none_is_passed_over)
{
    struct str name, host, rest = STR("  one=a.example two three= =x four=b=c five=b.example:8443 ");
    struct buf b;

    CHECK(news_host_next(&rest, &name, &host));
    CHECK_VIEW(name, "one");
    CHECK_VIEW(host, "a.example");
    CHECK(news_host_next(&rest, &name, &host));
    CHECK_VIEW(name, "five");
    CHECK_VIEW(host, "b.example:8443");
    CHECK(!news_host_next(&rest, &name, &host));

    buf_init(&b, NEWS_HOSTS_MAX + 1);
    CHECK(news_host_put(&b, STR("main"), STR("new.example")));
    CHECK(!news_host_put(&b, STR("a b"), STR("new.example")));
    CHECK(!news_host_put(&b, STR("main"), STR("new=example")));
    CHECK(!news_host_put(&b, STR("main"), STR("")));
    CHECK(news_host_put(&b, STR("west"), STR("w.example")));
    CHECK_VIEW(buf_view(&b), "main=new.example west=w.example");
    while (news_host_put(&b, STR("more"), STR("portal-of-a-long-name.bitrix24.example")))
        ;
    CHECK(!b.failed && b.n <= NEWS_HOSTS_MAX);
    rest = buf_view(&b);
    while (news_host_next(&rest, &name, &host))
        CHECK(name.n == 4 && host.n > 8);
    buf_fini(&b);
}

TEST(portals_come_back)
{
    static const struct news_portal in[] = {
        { { "main", 4 }, { "m1", 2 }, { "0123456789abcdef0123456789abcdef", 32 }, { "", 0 } },
        { { "west", 4 }, { "", 0 }, { "", 0 }, { "f", 1 } },
        { { "", 0 }, { "m3", 2 }, { "nobody's", 8 }, { "", 0 } },
    };
    struct news_portal out[4];
    struct buf b;
    struct err err;
    int count;

    buf_init(&b, NEWS_SEALED_MAX);
    news_portals_encode(in, 3, &b);
    CHECK_OK(news_portals_decode(out, 4, &count, buf_view(&b), &err), err);
    CHECK_EQ(count, 2);
    for (int i = 0; i < count; i++)
        CHECK(str_eq(out[i].portal, in[i].portal) && str_eq(out[i].member, in[i].member) &&
              str_eq(out[i].token, in[i].token) && str_eq(out[i].former, in[i].former));
    CHECK_OK(news_portals_decode(out, 1, &count, buf_view(&b), &err), err);
    CHECK_EQ(count, 1);
    buf_fini(&b);
}

TEST(spoilt_portals_are_refused)
{
    static const struct str cases[] = {
        { "", 0 },
        { "\xc0", 1 },
        { "\x90\xc0", 2 },               /* bytes after the end */
        { "\xdd\xff\xff\xff\xff", 5 },   /* a count without portals */
        { "\x91\x92\xa1m\xa1t", 6 },     /* a member short */
        { "\x91\x93\xa1m\xa1t\x05", 7 }, /* a number for a token */
        { "\x91\x93\xa1m\xa1t\xa9"
          "cut",
            10 },
    };
    struct news_portal out[2];
    struct err err;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int count = 77;

        CHECK_EQ(news_portals_decode(out, 2, &count, cases[i], &err), -1);
        CHECK_EQ(err.kind, ERR_PERM);
        CHECK_EQ(count, 0);
    }
    int count;
    CHECK_OK(news_portals_decode(out, 2, &count, (struct str){ "\x91\x93\xa1m\xa1i\xa1t", 8 }, &err), err);
    CHECK_EQ(count, 1); /* an older scheduler tells less */
    CHECK_VIEW(out[0].token, "t");
    CHECK_VIEW(out[0].former, "");
    CHECK_OK(news_portals_decode(out, 2, &count,
                 (struct str){ "\x91\x95\xa1m\xa1i\xa1t\xa1"
                               "f\x07",
                     11 },
                 &err),
        err);
    CHECK_EQ(count, 1); /* a newer one more */
    CHECK_VIEW(out[0].former, "f");
}

TEST_MAIN(CASE(hosts_come_back_and_what_is_none_is_passed_over), CASE(portals_come_back),
    CASE(spoilt_portals_are_refused))
