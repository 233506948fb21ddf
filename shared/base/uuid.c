#include "base/uuid.h"

#include "base/clock.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static uint64_t last_stamp; /* ms << 12 | order within the ms; atomic */

/* Strictly growing within the process, also when the clock steps back or many are made in one millisecond. */
static uint64_t next_stamp(void)
{
    uint64_t last = __atomic_load_n(&last_stamp, __ATOMIC_RELAXED), next;

    do {
        uint64_t now = clock_wall_ms() << 12;

        next = now > last ? now : last + 1;
    } while (
        !__atomic_compare_exchange_n(&last_stamp, &last, next, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return next;
}

void uuid7(char ret[static UUID_SIZE])
{
    uint64_t stamp = next_stamp(), random;
    char text[64];

    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
        abort(); /* 8 bytes are never given in part; no source of randomness at all */

    snprintf(text, sizeof(text), "%08x-%04x-7%03x-%04x-%012llx", (unsigned)(stamp >> 28 & 0xFFFFFFFF),
        (unsigned)(stamp >> 12 & 0xFFFF), (unsigned)(stamp & 0xFFF),
        (unsigned)(0x8000 | (random >> 48 & 0x3FFF)), (unsigned long long)(random & 0xFFFFFFFFFFFF));
    memcpy(ret, text, UUID_SIZE);
}
