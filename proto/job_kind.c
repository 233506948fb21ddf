#include "proto/job_kind.h"

#include <assert.h>

#include "base/mem.h"

static const char *const names[] = { "probe", "range", "ids", "get", "changed", "sweep", "call" };
static_assert(ARRAY_SIZE(names) == JOB_KINDS, "a name for each kind");

const char *job_kind_name(enum job_kind kind)
{
    return kind < JOB_KINDS ? names[kind] : "unknown";
}

int job_kind_of(struct str name, enum job_kind *ret)
{
    for (int i = 0; i < JOB_KINDS; i++) {
        if (str_is(name, names[i])) {
            *ret = (enum job_kind)i;
            return 0;
        }
    }
    return -1;
}
