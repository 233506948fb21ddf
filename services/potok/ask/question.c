#include "question.h"

#include "base/mem.h"
#include "words/entity_word.h"
#include "words/say.h"

#include <errno.h>
#include <stdlib.h>

json_t *question_ids(const char *text, struct err *err)
{
    json_t *ids = json_array();
    const char *p = text;

    for (;;) {
        char *end = NULL;

        errno = 0;
        long long id = *p >= '0' && *p <= '9' ? strtoll(p, &end, 10) : 0;
        if (id <= 0 || errno != 0 || (*end != ',' && *end != '\0') ||
            json_array_size(ids) == QUESTION_IDS_MOST) {
            json_decref(ids);
            err_set(err, ERR_CONF, "--id %.40s: %s %d", text,
                say("нужны номера записей через запятую, не больше",
                    "wants ids separated by commas, at most"),
                QUESTION_IDS_MOST);
            return NULL;
        }
        json_array_append_new(ids, json_integer(id));
        if (*end == '\0')
            return ids;
        p = end + 1;
    }
}

/* The entities named by the command's words. NULL: err. */
static json_t *entities_of(const struct args *args, struct err *err)
{
    json_t *names = json_array();

    for (int i = 0; i < args->word_count; i++) {
        const struct entity *e = entity_word(args->words[i], err);

        if (e == NULL) {
            json_decref(names);
            return NULL;
        }
        json_array_append_new(names, json_string(e->plural));
    }
    return names;
}

char *question_of(const struct args *args, const char *portal, const char *ids, struct err *err)
{
    json_t *names = entities_of(args, err), *root, *numbers = NULL;
    char *text;

    if (names == NULL)
        return NULL;
    if (ids != NULL && args->word_count != 1)
        err_set(err, ERR_CONF, "%s",
            say("--id: назовите одну сущность: potok sync deals --id 42",
                "--id wants one entity: potok sync deals --id 42"));
    else if (ids != NULL)
        numbers = question_ids(ids, err);
    if (ids != NULL && numbers == NULL) {
        json_decref(names);
        return NULL;
    }
    root = json_object();
    if (portal != NULL)
        json_object_set_new(root, "portal", json_string(portal));
    if (args->word_count > 0)
        json_object_set(root, "entities", names);
    if (numbers != NULL)
        json_object_set_new(root, "ids", numbers);
    json_decref(names);
    text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}
