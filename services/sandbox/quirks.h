/* quirks.h - the switches of quirks.def and sets of them. */
#pragma once

enum quirk {
#define QUIRK(id, name, about) QUIRK_##id,
#include "quirks.def"
#undef QUIRK
    QUIRKS
};

typedef unsigned __int128 quirk_set;    /* 64 bits are not enough for them */
#define QUIRKS_MOST 128
/* The set of one, by its name; 0: unknown. */
quirk_set quirk_bit(const char *name);
