/* What an application was given, and the state of a login, as anybody may send them: never a crash, and what
 * is taken reads back the same. */
#include "base/access.h"

#include "base/mem.h"
#include "base/seal.h"
#include "support/fuzz.h"

#include <stdlib.h>

static void same(const char *a, const char *b)
{
    EXPECT((a == NULL) == (b == NULL));
    EXPECT(a == NULL || strcmp(a, b) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str bytes = { (const char *)data, size };
    struct access a = { 0 }, b = { 0 };
    struct seal_keys keys;
    struct buf again, plain;

    EXPECT(seal_keys_read(&keys, "a-key-of-more-than-thirty-two-letters", NULL) == 0);
    EXPECT(access_state_check(&keys, "main", bytes, 1736405807123, NULL) < 0);
    buf_init(&plain, 1 << 16);
    EXPECT(seal_open(&keys, STR("access:main"), bytes, &plain, NULL) < 0 && plain.n == 0);
    buf_fini(&plain);
    if (access_decode(&a, bytes, NULL) < 0)
        return 0;
    buf_init(&again, 1 << 20);
    access_encode(&a, &again);
    EXPECT(!again.failed && access_decode(&b, buf_view(&again), NULL) == 0);
    EXPECT(a.kind == b.kind && a.expires_ms == b.expires_ms);
    same(a.access_token, b.access_token);
    same(a.refresh_token, b.refresh_token);
    same(a.code, b.code);
    same(a.member_id, b.member_id);
    same(a.by, b.by);
    access_free(&a);
    access_free(&b);
    buf_fini(&again);
    return 0;
}
