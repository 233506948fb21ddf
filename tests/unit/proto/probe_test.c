#include "proto/probe.h"

#include "base/mem.h"
#include "proto/wire.h"
#include "support/check.h"

TEST(what_is_learnt_comes_back)
{
    struct probe_entity entities[] = {
        { .entity = STR("deals"),
            .schema = STR("\x90"),
            .least_id = 3,
            .most_id = 9000000000,
            .total = 42,
            .labels = STR("\x90") },
        { .entity = STR("leads"), .error = STR("no rights"), .error_kind = STR("auth") },
    };
    struct probe in = { entities, ARRAY_SIZE(entities), -1 }, p;
    struct buf b;
    struct err err;

    buf_init(&b, 4096);
    probe_encode(&in, &b);
    CHECK_OK(probe_decode(&p, buf_view(&b), &err), err);
    CHECK_EQ(p.count, 2);
    CHECK(p.server_ms == -1);
    CHECK_VIEW(p.entities[0].entity, "deals");
    CHECK_VIEW(p.entities[0].schema, "\x90");
    CHECK_VIEW(p.entities[0].labels, "\x90");
    CHECK_EQ(p.entities[1].labels.n, 0);
    CHECK(p.entities[0].most_id == 9000000000);
    CHECK_EQ(p.entities[0].total, 42);
    CHECK_EQ(p.entities[0].error.n, 0);
    CHECK_VIEW(p.entities[1].error, "no rights");
    CHECK_VIEW(p.entities[1].error_kind, "auth");
    probe_free(&p);
    buf_fini(&b);
}

TEST(newer_keys_are_skipped)
{
    struct probe p;
    struct buf b;
    struct err err;

    buf_init(&b, 4096);
    wire_put_map(&b, 2);
    wire_put_str(&b, STR("weather"));
    wire_put_array(&b, 0);
    wire_put_str(&b, STR("entities"));
    wire_put_array(&b, 1);
    wire_put_map(&b, 2);
    wire_put_str(&b, STR("mood"));
    wire_put_nil(&b);
    wire_put_str(&b, STR("entity"));
    wire_put_str(&b, STR("deals"));
    CHECK_OK(probe_decode(&p, buf_view(&b), &err), err);
    CHECK_EQ(p.count, 1);
    probe_free(&p);
    buf_fini(&b);
}

TEST(spoilt_probes_are_refused)
{
    static const struct str cases[] = {
        /* clang-format off */
        { "", 0 },
        { "\xc0", 1 },
        { "\x80\xc0", 2 },                                          /* bytes after the end */
        { "\x81\xa8" "entities\x91\x80", 12 },                      /* an entity without a name */
        { "\x82\xa8" "entities\x90\xa8" "entities\x90", 21 },       /* twice */
        { "\x81\xa8" "entities\xdc\xff\xff", 13 },
        /* clang-format on */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct probe p = { .count = 77 };
        struct err err;
        CHECK_EQ(probe_decode(&p, cases[i], &err), -1);
        CHECK_EQ(err.kind, ERR_PERM);
        CHECK_EQ(p.count, 77);
    }
}

TEST_MAIN(CASE(what_is_learnt_comes_back), CASE(newer_keys_are_skipped), CASE(spoilt_probes_are_refused))
