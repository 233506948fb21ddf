/* scope.h - sets of rights: bits, and their names as methods, tokens and events tell them. Pure. */
#pragma once

#include "base/str.h"

enum scope_number {
#define SCOPE(id, name) SCOPE_NUMBER_##id,
#include "scopes.def"
#undef SCOPE
    SCOPES
};
enum {
    SCOPE_NONE = 0,
#define SCOPE(id, name) SCOPE_##id = 1 << SCOPE_NUMBER_##id,
#include "scopes.def"
#undef SCOPE
    SCOPE_ALL = (1 << SCOPES) - 1,
    SCOPE_APP = 1 << 16, /* not a right: the method is for applications alone */
};

unsigned scope_of(struct str name);      /* any case; 0: no such right */
const char *scope_name(unsigned number); /* NULL past the end */
#define SCOPE_TEXT 256
/* "crm,user"; returns room. */
const char *scope_text(unsigned set, char separator, char room[static SCOPE_TEXT]);
/* Names with commas or spaces between them; *ret_unknown: one of them is no right. */
unsigned scope_parse(struct str names, bool *ret_unknown);
