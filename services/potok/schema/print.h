/* print.h - descriptions for people, for a wiki and for programs. Pure but for the language and the time zone. */
#pragma once

#include "base/buf.h"
#include "describe.h"

#include <jansson.h>

enum schema_format { SCHEMA_TABLE, SCHEMA_MARKDOWN, SCHEMA_JSON };

/* -1: no such format. */
int schema_format_of(const char *name, enum schema_format *ret);
/* Not for SCHEMA_JSON. */
void schema_print(const struct description *d, enum schema_format format, bool colour, struct buf *out);
void schema_print_history(const struct description *d, enum schema_format format, bool colour, struct buf *out);
/* {"mirrors": [{…, "fields": [{…}]}]}, {"changes": [{…}]}: README.md lists the keys. The caller's. */
json_t *schema_json(const struct description *d);
json_t *schema_history_json(const struct description *d);
/* "[[id, value], …]" as [{"id", "value"}, …]; NULL where it is none. */
json_t *schema_items(const char *items);
