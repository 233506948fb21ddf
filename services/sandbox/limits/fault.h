/* fault.h - bad days on order: each kind strikes the next so many matching requests (facts sections 1.4, 2, 11). */
#pragma once

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum fault_kind {
    FAULT_NONE,
#define FAULT(id, name, about) FAULT_##id,
#include "faults.def"
#undef FAULT
    FAULT_KINDS
};

struct fault {
    enum fault_kind kind;
    uint64_t times;
    char method[64];            /* lower case; "": any */
    uint64_t ms;                /* latency, hang: how long; late: how late */
    enum fault_kind as;         /* late, after-commit: what the caller sees */
    char to[192];               /* redirect302: new address */
};

#define FAULTS_MAX 32
struct faults {
    struct fault list[FAULTS_MAX];
    int count;
};

enum fault_kind fault_of(struct str name);      /* FAULT_NONE: unknown */
bool fault_add(struct faults *f, const struct fault *fault);            /* false: too many at once */
/* Takes the first that strikes a request for `method` (nested: a command of a batch); *ret says more. */
enum fault_kind fault_take(struct faults *f, const char *method, bool nested, struct fault *ret);
