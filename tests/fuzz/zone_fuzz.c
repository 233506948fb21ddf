#include "base/zone.h"
#include "support/fuzz.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct zone z;
    struct err err;
    int64_t at[2];

    if (zone_read(&z, (struct str){ (const char *)data, size }, &err) < 0)
        return 0;
    for (int64_t t = -4000000000; t < 8000000000; t += 500000003) {
        int32_t offset = zone_offset(&z, t);
        int count = zone_instants(&z, t, at);

        if (offset < -7 * 86400 || offset > 7 * 86400 || (count == 2 && at[0] >= at[1]))
            __builtin_trap();
    }
    zone_free(&z);
    return 0;
}
