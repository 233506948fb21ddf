/* hash.h - the one source of chance in the sandbox: everything follows from the seed through these. Pure. */
#pragma once

#include <stdint.h>

static inline uint64_t hash_mix(uint64_t x)     /* splitmix64: every bit of x moves every bit of the result */
{
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

static inline uint64_t hash_two(uint64_t a, uint64_t b)
{
    return hash_mix(a ^ (b * 0xD6E8FEB86659FD93u));
}

/* A number below n from the upper half of h; the lower half stays for others. */
static inline uint32_t hash_below(uint64_t h, uint32_t n)
{
    return (uint32_t)(((h >> 32) * n) >> 32);
}
