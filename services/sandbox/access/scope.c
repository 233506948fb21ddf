#include "scope.h"

#include <stdio.h>

static const char *const names[SCOPES] = {
#define SCOPE(id, name) [SCOPE_NUMBER_##id] = name,
#include "scopes.def"
#undef SCOPE
};

const char *scope_name(unsigned number)
{
    return number < SCOPES ? names[number] : NULL;
}

unsigned scope_of(struct str name)
{
    for (unsigned i = 0; i < SCOPES; i++) {
        if (str_case_eq(name, str_of(names[i])))
            return 1u << i;
    }
    return 0;
}

const char *scope_text(unsigned set, char separator, char room[static SCOPE_TEXT])
{
    size_t n = 0;

    room[0] = '\0';
    for (unsigned i = 0; i < SCOPES; i++) {
        if (!(set >> i & 1))
            continue;
        if (n > 0)
            room[n++] = separator;
        n += (size_t)snprintf(room + n, SCOPE_TEXT - n, "%s", names[i]);
    }
    return room;
}

unsigned scope_parse(struct str text, bool *ret_unknown)
{
    unsigned set = 0;

    *ret_unknown = false;
    for (size_t i = 0; i < text.n; i++) {
        size_t n = 0;
        while (i + n < text.n && text.p[i + n] != ',' && text.p[i + n] != ' ')
            n++;
        if (n == 0)
            continue;
        const unsigned one = scope_of((struct str){ text.p + i, n });
        *ret_unknown |= one == 0;
        set |= one;
        i += n;
    }
    return set;
}
