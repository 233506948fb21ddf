#include "proto/entity.h"

#include "base/mem.h"

const struct entity ENTITIES[] = {
#define ENTITY(plural, singular, method, id_field, changed_field, type_id, multifields) \
    { #plural, #singular, method, id_field, changed_field, type_id, multifields },
#include "proto/entities.def"
#undef ENTITY
};
const int ENTITY_COUNT = ARRAY_SIZE(ENTITIES);

static const char NAMES[] =
#define ENTITY(plural, singular, method, id_field, changed_field, type_id, multifields) ", " #plural
#include "proto/entities.def"
#undef ENTITY
    ;

const char *entity_names(void)
{
    return NAMES + 2;
}

const struct entity *entity_of(struct str name)
{
    for (int i = 0; i < ENTITY_COUNT; i++)
        if (str_case_eq(name, str_of(ENTITIES[i].plural)) || str_case_eq(name, str_of(ENTITIES[i].singular)))
            return &ENTITIES[i];
    return NULL;
}

const char *entity_plural(struct str name)
{
    const struct entity *entity = entity_of(name);

    return entity != NULL ? entity->plural : NULL;
}
