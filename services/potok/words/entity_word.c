#include "entity_word.h"

#include "args.h"
#include "say.h"

#include <stdio.h>

static void entity_list(char *ret, size_t size)
{
    size_t n = 0;

    ret[0] = '\0';
    for (int i = 0; i < ENTITY_COUNT && n < size; i++)
        n += (size_t)snprintf(ret + n, size - n, "%s%s", i > 0 ? ", " : "", ENTITIES[i].plural);
}

static int entity_unknown(const char *word, struct err *err)
{
    char list[200];

    for (int i = 0; i < ENTITY_COUNT; i++) {
        if (args_distance(word, ENTITIES[i].plural) <= 2 || args_distance(word, ENTITIES[i].singular) <= 1)
            return err_set(err, ERR_CONF, "%s \"%.40s\"; %s %s?", say("нет сущности", "no entity"), word,
                say("может быть,", "did you mean"), ENTITIES[i].plural);
    }
    entity_list(list, sizeof(list));
    return err_set(err, ERR_CONF, "%s \"%.40s\"; %s: %s", say("нет сущности", "no entity"), word,
        say("есть", "there are"), list);
}

const struct entity *entity_word(const char *word, struct err *err)
{
    const struct entity *e = entity_of(str_of(word));

    if (e == NULL)
        entity_unknown(word, err);
    return e;
}
