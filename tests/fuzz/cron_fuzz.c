#include "base/cron.h"
#include "support/fuzz.h"

#include <stdint.h>
#include <string.h>

/* A schedule, a line end, and the rule of a zone. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t n = end != NULL ? (size_t)(end - data) : size;
    struct zone z = { .at = NULL };
    struct err err;
    struct cron c;
    int64_t t = 1767225600;

    if (end != NULL && !zone_rule_parse((struct str){ (const char *)end + 1, size - n - 1 }, &z.rule))
        return 0;
    if (cron_parse((struct str){ (const char *)data, n }, &c, &err) < 0)
        return 0;
    for (int i = 0; i < 5 && t != CRON_NEVER; i++) {
        int64_t next = cron_next(&c, &z, t);
        if (next <= t)
            __builtin_trap();
        t = next;
    }
    struct cron_due due = cron_due(&c, &z, CRON_ONCE, 1767225600, 1767312000);
    if (due.last > 1767312000 || due.next <= due.last)
        __builtin_trap();
    return 0;
}
