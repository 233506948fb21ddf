#include "last_words.h"

#include "log_line.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum line_kind { LINE_EVENT, LINE_PLAIN, LINE_ERROR }; /* the more telling, the greater */

/* Of an ERROR line its details.error, else its event; of another log line its event. */
static enum line_kind line_read(struct str line, char *ret, size_t size)
{
    struct log_line l;

    log_line_read(&l, line);
    const char *event = json_string_value(json_object_get(l.root, "event"));
    const char *error = json_string_value(json_object_get(json_object_get(l.root, "details"), "error"));
    bool is_error = l.level == LOG_ERROR;
    if (event != NULL)
        snprintf(ret, size, "%s", is_error && error != NULL ? error : event);
    log_line_fini(&l);
    return event == NULL ? LINE_PLAIN : is_error ? LINE_ERROR : LINE_EVENT;
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
    enum line_kind best = LINE_EVENT;
    char text[512];

    ret[0] = '\0';
    while (log.n > 0) {
        struct str line = line_take(&log);
        enum line_kind kind;

        if (line.n == 0)
            continue;
        kind = line_read(line, text, sizeof(text));
        if (kind < best || (kind == LINE_PLAIN && best == LINE_PLAIN))
            continue;
        if (kind == LINE_PLAIN)
            snprintf(ret, size, STR_FMT, STR_ARG(line));
        else
            snprintf(ret, size, "%s", text);
        best = kind;
    }
}
