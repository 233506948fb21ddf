#include "holder.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define UNKNOWN "-"

/* A word without blanks: they part the fields. */
static void put_word(char *ret, size_t size, size_t *n, const char *word)
{
    *n += (size_t)snprintf(ret + *n, size - *n, "%s", word[0] != '\0' ? word : UNKNOWN);
    for (char *p = ret; *p != '\0'; p++)
        if (*p == ' ')
            *p = '_';
}

void holder_write(const struct holder *h, char ret[static HOLDER_TEXT_SIZE])
{
    char pid[24];
    const char *words[] = { h->instance, h->host, pid, h->place, h->id };
    size_t n = 0;

    snprintf(pid, sizeof(pid), "%" PRIu64, h->pid);

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        char word[144];
        size_t used = 0;

        put_word(word, sizeof(word), &used, words[i]);
        n += (size_t)snprintf(ret + n, HOLDER_TEXT_SIZE - n, "%s%s", i > 0 ? " " : "", word);
    }
}

/* The next word of the text, cut to fit; "" at its end. */
static void take_word(struct str *text, char *ret, size_t size)
{
    size_t n = 0;

    while (n < text->n && text->p[n] != ' ')
        n++;
    snprintf(ret, size, "%.*s", (int)n, n > 0 ? text->p : "");
    n += n < text->n;
    text->p += n;
    text->n -= n;
}

void holder_read(struct str text, struct holder *ret)
{
    char pid[24];

    *ret = (struct holder){ .pid = 0 };
    if (text.n == 0)
        return;
    take_word(&text, ret->instance, sizeof(ret->instance));
    take_word(&text, ret->host, sizeof(ret->host));
    take_word(&text, pid, sizeof(pid));
    take_word(&text, ret->place, sizeof(ret->place));
    take_word(&text, ret->id, sizeof(ret->id));
    if (!str_u64(str_of(pid), &ret->pid))
        ret->pid = 0;
}

bool holder_is(const struct holder *a, const struct holder *b)
{
    return a->id[0] != '\0' && strcmp(a->id, b->id) == 0 && strcmp(a->instance, b->instance) == 0;
}

bool holder_is_near(const struct holder *a, const struct holder *b)
{
    return a->place[0] != '\0' && strcmp(a->place, UNKNOWN) != 0 && strcmp(a->place, b->place) == 0;
}

void holder_name(const struct holder *h, char ret[static HOLDER_NAME_SIZE])
{
    if (h->instance[0] == '\0')
        snprintf(ret, HOLDER_NAME_SIZE, "nobody");
    else if (h->host[0] == '\0')
        snprintf(ret, HOLDER_NAME_SIZE, "%s", h->instance);
    else
        snprintf(ret, HOLDER_NAME_SIZE, "%s on %s (pid %" PRIu64 ")", h->instance, h->host, h->pid);
}
