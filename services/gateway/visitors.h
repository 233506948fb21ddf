/* visitors.h - addresses that send wrong tokens: after VISITOR_BAD_MOST of them in a minute an address is answered without a
 * look. Who sends the right ones is never held up. Bounded: the table forgets the one heard of longest ago. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define VISITORS_MAX      1024
#define VISITOR_BAD_MOST  30
#define VISITOR_WINDOW_MS 60000

struct visitor {
    char address[64];
    unsigned bad;
    uint64_t since_ms, heard_ms;
};

struct visitors {
    struct visitor list[VISITORS_MAX];
    int count;
};

bool visitor_blocked(struct visitors *v, const char *address, uint64_t now_ms);
void visitor_bad(struct visitors *v, const char *address, uint64_t now_ms);
void visitor_good(struct visitors *v, const char *address);
