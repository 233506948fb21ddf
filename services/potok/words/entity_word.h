/* entity_word.h - an entity as a person types it. Constant; any thread. */
#pragma once

#include "base/err.h"
#include "proto/entity.h"

/* Plural or singular, any case. NULL: ERR_CONF with the one that was perhaps meant, or all there are. */
const struct entity *entity_word(const char *word, struct err *err);
