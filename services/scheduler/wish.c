/* Which entities of which portals a command names. */
#include "scheduler.h"

#include <stdio.h>
#include <string.h>

static void list_entities(const struct portal *p, char *ret, size_t size)
{
    size_t n = 0;

    ret[0] = '\0';
    for (int i = 0; i < p->mirror_count && n < size; i++)
        n += (size_t)snprintf(ret + n, size - n, "%s%s", i > 0 ? ", " : "", p->mirrors[i].entity->plural);
}

/* The mirrors of one portal that `entities` names (NULL = all); -1 with a text. */
static int wish_of(const struct scheduler *s, int portal, const json_t *entities, struct sync_wish *ret,
    char *why, size_t size)
{
    const struct portal *p = &s->portals[portal].portal;
    char known[256];

    *ret = (struct sync_wish){ portal, 0 };
    if (json_array_size(entities) == 0) {
        ret->mirrors = p->mirror_count == 64 ? UINT64_MAX : ((uint64_t)1 << p->mirror_count) - 1;
        return 0;
    }
    for (size_t i = 0; i < json_array_size(entities); i++) {
        const char *name = json_string_value(json_array_get(entities, i));
        const struct entity *entity = name != NULL ? entity_of(str_of(name)) : NULL;
        int mirror = entity != NULL ? portal_mirror(p, str_of(entity->plural)) : -1;

        if (mirror < 0) {
            list_entities(p, known, sizeof(known));
            snprintf(why, size, "%s entity \"%.64s\": portal %s mirrors %s",
                entity == NULL ? "unknown" : "not mirrored:", name != NULL ? name : "?", p->config->name,
                known);
            return -1;
        }
        ret->mirrors |= (uint64_t)1 << mirror;
    }
    return 0;
}

int wish_read(const struct scheduler *s, const json_t *args, struct sync_wish ret[CONFIG_PORTALS_MAX],
    char *why, size_t size)
{
    const char *only = json_string_value(json_object_get(args, "portal"));
    const json_t *entities = json_object_get(args, "entities");
    int count = 0;

    why[0] = '\0';
    for (int i = 0; i < s->portal_count; i++) {
        if (only != NULL && strcmp(only, s->portals[i].portal.config->name) != 0)
            continue;
        if (wish_of(s, i, entities, &ret[count], why, size) == 0)
            count++;
        else if (only != NULL || s->portal_count == 1)
            break; /* with several portals an entity may be mirrored from some of them */
    }
    if (count == 0 && why[0] == '\0')
        snprintf(why, size, "no portal \"%.64s\": see potok config check", only != NULL ? only : "");
    return count > 0 ? count : -1;
}

/* Leaves out what is paused. */
static void leave_paused(const struct portal *p, struct sync_wish *wish, char *names, size_t size)
{
    for (int i = 0; i < p->mirror_count; i++) {
        size_t n = strlen(names);

        if ((wish->mirrors & (uint64_t)1 << i) == 0 || !p->mirrors[i].paused)
            continue;
        wish->mirrors &= ~((uint64_t)1 << i);
        snprintf(names + n, size - n, "%s%s", n > 0 ? " " : "", p->mirrors[i].entity->plural);
    }
}

int wish_unpaused(
    const struct scheduler *s, bool named, struct sync_wish *wishes, int count, char *why, size_t size)
{
    char names[256] = "";
    int left = 0;

    for (int i = 0; i < count; i++) {
        leave_paused(&s->portals[wishes[i].portal].portal, &wishes[i], names, sizeof(names));
        if (wishes[i].mirrors != 0)
            wishes[left++] = wishes[i];
    }
    if (names[0] == '\0' || (!named && left > 0))
        return left;
    snprintf(why, size, "paused: %s; to go on: potok resume %s", names, names);
    return -1;
}
