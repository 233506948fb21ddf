/* freshness.h - how far each mirror is behind its portal, for `potok status`: read from the database, services or not. */
#pragma once

#include <jansson.h>

struct reading;

/* A table on standard output; nothing where there is no database yet, or it cannot be read. */
void freshness_show(struct reading *r);
/* [{"portal", "entity", "marks", "mark_age_ms", "agreed_ms", "agreed_age_ms", "full_ms"}], null where it is not known or
 * there is nothing; JSON null without a database. The caller's. */
json_t *freshness_json(struct reading *r);
