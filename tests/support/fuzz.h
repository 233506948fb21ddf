/* fuzz.h - what every fuzzer has: its entry, called with bytes of anybody's, and promises that must hold. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(cond) \
    do { \
        if (!(cond)) \
            abort(); \
    } while (0)
