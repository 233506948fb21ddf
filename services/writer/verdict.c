#include "verdict.h"

#include <string.h>

static bool looks_as_read(const struct reading *reading, const struct stored *stored)
{
    if (!stored->present)
        return false;
    if (!reading->there)
        return stored->ghost;
    return !stored->ghost && memcmp(reading->hash, stored->hash, HASH_BYTES) == 0;
}

enum verdict verdict_of(const struct reading *reading, const struct stored *stored)
{
    if (looks_as_read(reading, stored))
        return VERDICT_SAME; /* also when d <= hi: nothing would change */
    if (stored->witnessed || (stored->present && reading->d <= stored->hi))
        return VERDICT_LATE;
    return VERDICT_NEW;
}

enum verdict verdict_of_id(const struct stored *stored)
{
    return stored->present && !stored->ghost ? VERDICT_SAME : VERDICT_LATE;
}

/* A reading by id was made because of a mark, which stays; nobody would ask again after a list. */
enum mark_step verdict_mark(enum verdict verdict, bool walks)
{
    if (verdict != VERDICT_LATE)
        return MARK_CLEAR;
    return walks ? MARK_SET : MARK_KEEP;
}

bool verdict_changes_nothing(enum verdict verdict, bool there, const struct stored *stored)
{
    return verdict == VERDICT_SAME || (verdict == VERDICT_NEW && !there && !stored->present);
}

/* The bound is c, when the witness was written, not d, when its reading was sent: in between others may have
 * read an older state. */
bool witness_covers(const struct witness *list, size_t count, uint64_t d, uint64_t id)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].c >= d && list[i].first <= id && id <= list[i].last)
            return true;
    return false;
}
