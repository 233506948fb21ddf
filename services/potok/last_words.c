#include "last_words.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* What an ERROR line says: details.error, else its event. False: the line is not one. */
static bool error_of(struct str line, bool *ret_is_json, char *ret, size_t size)
{
    json_t *root = json_loadb(line.p, line.n, 0, NULL);
    const char *level = json_string_value(json_object_get(root, "level"));
    const char *text = json_string_value(json_object_get(json_object_get(root, "details"), "error"));
    bool is_error = level != NULL && strcmp(level, "ERROR") == 0;

    *ret_is_json = root != NULL;
    if (text == NULL)
        text = json_string_value(json_object_get(root, "event"));
    if (is_error && text != NULL)
        snprintf(ret, size, "%s", text);
    json_decref(root);
    return is_error && text != NULL;
}

/* Takes the first line off `text`. */
static struct str line_take(struct str *text)
{
    const char *end = memchr(text->p, '\n', text->n);
    size_t n = end == NULL ? text->n : (size_t)(end - text->p);
    struct str line = { text->p, n };

    n += end != NULL;
    *text = (struct str){ text->p + n, text->n - n };
    return line;
}

void last_words(struct str log, char *ret, size_t size)
{
    struct str plain = { NULL, 0 }, latest = { NULL, 0 };
    bool is_json, found = false;

    ret[0] = '\0';
    while (log.n > 0) {
        struct str line = line_take(&log);

        if (line.n == 0)
            continue;
        found |= error_of(line, &is_json, ret, size);
        if (!is_json && plain.n == 0)
            plain = line;
        latest = line;
    }
    if (found)
        return;
    if (plain.n > 0)
        latest = plain;
    snprintf(ret, size, STR_FMT, STR_ARG(latest));
}
