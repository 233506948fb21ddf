#include "base/log.h"

#include "base/buf.h"
#include "base/mem.h"
#include "support/check.h"

static const struct {
    const char *text, *masked;
} cases[] = {
    { "https://p.bitrix24.ru/rest/1/abcdef123/", "https://p.bitrix24.ru/rest/1/(masked)/" },
    { "https://p.bitrix24.ru/rest/1/abcdef123", "https://p.bitrix24.ru/rest/1/(masked)" },
    { "https://p.bitrix24.ru/rest/1/abcdef123/crm.deal.list.json?start=50",
        "https://p.bitrix24.ru/rest/1/(masked)/crm.deal.list.json?start=50" },
    { "HTTPS://P/REST/17/abc/x", "HTTPS://P/REST/17/(masked)/x" },
    { "https://p/rest/api/1/abc/x", "https://p/rest/api/1/(masked)/x" },
    { "https://p/rest/abcdef12345/", "https://p/rest/(masked)/" },
    { "https://p/rest/crm.deal.list", "https://p/rest/crm.deal.list" },
    { "https://p/rest/crm.deal.list?auth=abc&start=1", "https://p/rest/crm.deal.list?auth=(masked)&start=1" },
    { "?ACCESS_TOKEN=a&refresh_token=b&client_secret=c&code=d",
        "?ACCESS_TOKEN=(masked)&refresh_token=(masked)&client_secret=(masked)&code=(masked)" },
    { "https://p/x?a[application_token]=abc#frag", "https://p/x?a[application_token]=(masked)#frag" },
    { "https://p/x?postcode=12&authority=x&code=", "https://p/x?postcode=12&authority=x&code=" },
    { "postgres://potok:pa/s?s@db/crm",
        "postgres://potok:(masked)@db/crm" }, /* should have been percent-encoded */
    { "postgres://potok:12@db/crm", "postgres://potok:(masked)@db/crm" },
    { "http://127.0.0.1:9100/x?mail=a@b http://h:1", "http://127.0.0.1:9100/x?mail=a@b http://h:1" },
    { "postgres://potok:p@ss@db:5432/crm", "postgres://potok:(masked)@db:5432/crm" },
    { "http://127.0.0.1:8080/rest/1/s/", "http://127.0.0.1:8080/rest/1/(masked)/" },
    { "got 503 from https://a/rest/1/abc/batch, then \"https://b/rest/2/def\"",
        "got 503 from https://a/rest/1/(masked)/batch, then \"https://b/rest/2/(masked)\"" },
    { "/rest/1/(masked)/ and /rest/2/abc/?auth=(masked)",
        "/rest/1/(masked)/ and /rest/2/(masked)/?auth=(masked)" },
    { "https://potok.example/api/v1/webhooks/bitrix?key=0123456789abcdef0123456789abcdef",
        "https://potok.example/api/v1/webhooks/bitrix?key=(masked)" },
    { "{\"event\":\"ONCRMDEALADD\",\"handler\":\"https:\\/\\/p\\/x?key=0123\",\"offline\":0}",
        "{\"event\":\"ONCRMDEALADD\",\"handler\":\"https:\\/\\/p\\/x?key=(masked)\",\"offline\":0}" },
    { "event.bind?event=ONCRMDEALADD&handler=https%3A%2F%2Fp%2Fx%3Fkey%3D0123%26a%3Db&x=1",
        "event.bind?event=ONCRMDEALADD&handler=https%3A%2F%2Fp%2Fx%3Fkey%3D(masked)%26a%3Db&x=1" },
    { "%3fKEY%3d0123 %3Fmonkey%3D1 %3Fkey 100%", "%3fKEY%3d(masked) %3Fmonkey%3D1 %3Fkey 100%" },
    { "/rest/", "/rest/" },
    { "/rest/1", "/rest/1" },
    { "/rest/1/", "/rest/1/" },
    { "/rest//", "/rest//" },
    { "/rest/1/\xFF\xFE/", "/rest/1/(masked)/" },
    { "no secret: none? a & b, 50% c=d", "no secret: none? a & b, 50% c=d" },
    { "https://api.telegram.org/bot12:AB-c_d/sendMessage",
        "https://api.telegram.org/bot12:(masked)/sendMessage" },
    { "at /bot7:AB and /bot:x/ /bots/7:x /bot7", "at /bot7:(masked) and /bot:x/ /bots/7:x /bot7" },
    { "://", "://" },
    { "a://b:", "a://b:" },
    { "", "" },
};

TEST(secrets_leave_urls_and_the_rest_stays)
{
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char masked[300];

        url_mask(str_of(cases[i].text), masked, sizeof(masked));
        CHECK_STR(masked, cases[i].masked);
    }
}

TEST(masking_twice_is_masking_once)
{
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char masked[300];

        url_mask(str_of(cases[i].masked), masked, sizeof(masked));
        CHECK_STR(masked, cases[i].masked);
    }
}

TEST(a_short_place_gets_the_beginning)
{
    static const char url[] = "https://портал.рф/rest/1/abcdef123/";
    char masked[64];

    for (size_t size = 1; size < sizeof(masked); size++) {
        memset(masked, 'x', sizeof(masked));
        url_mask(str_of(url), masked, size);
        CHECK(strlen(masked) < size);
        CHECK(!strstr(masked, "abc"));
    }
    url_mask(str_of(url), masked, 0);
}

TEST_MAIN(CASE(secrets_leave_urls_and_the_rest_stays), CASE(masking_twice_is_masking_once),
    CASE(a_short_place_gets_the_beginning))
