/* Bytes of a portal's answer: what comes out has the same tokens in the same places, is accepted when the
 * bytes were, keeps every length in characters, and comes out the same a second time. */
#include "base/anonymise.h"

#include "base/json_walk.h"
#include "base/mem.h"
#include "support/fuzz.h"

#include <stdlib.h>

/* Markers, quotes and digits' places are where they were. */
static void same_build(struct str before, struct str after)
{
    struct json_walk a, b;
    struct err err;
    int more;

    json_walk_init(&a, before);
    json_walk_init(&b, after);
    do {
        more = json_walk_next(&a, &err);
        EXPECT(json_walk_next(&b, &err) == more && more >= 0);
        EXPECT(str_eq(a.gap, b.gap) && a.kind == b.kind && a.is_key == b.is_key && a.depth == b.depth);
        EXPECT(a.kind == JSON_IS_STRING || a.token.n == b.token.n);
        EXPECT((a.kind != JSON_IS_WORD && a.kind != JSON_IS_OPEN) || str_eq(a.token, b.token));
    } while (more > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[32] = "fuzz";
    struct str text = { (const char *)data, size };
    struct anonymise a;
    struct buf out, again;
    struct err err;
    struct json_walk w;
    int more;

    anonymise_keyed(&a, key);
    anonymise_field(&a, STR("UF_CRM_1"), STR("enumeration"));
    buf_init(&out, 64 << 20);
    buf_init(&again, 64 << 20);
    json_walk_init(&w, text);
    while ((more = json_walk_next(&w, &err)) > 0)
        ;
    const int result = anonymise_json(&a, text, ANON_TEXT, &out, &err);
    EXPECT((result < 0) == (more < 0));
    if (result < 0) {
        EXPECT(out.n == 0);
        anonymise_text(&a, text, &out);
    } else {
        same_build(text, buf_view(&out));
        EXPECT(anonymise_json(&a, text, ANON_TEXT, &again, &err) == 0);
        EXPECT(str_eq(buf_view(&out), buf_view(&again)));
    }
    buf_fini(&again);
    buf_fini(&out);
    anonymise_fini(&a);
    return 0;
}
