#include "findings.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "words/say.h"
#include "words/table.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX_BYTES 4096
#define NAME_CELLS     11

static const struct {
    const char *name; /* for programs */
    const char *ru, *en;
    const char *colour;
} HEALTH[] = {
    [HEALTH_OK] = { "ok", "хорошо", "ok", "\033[32m" },
    [HEALTH_SKIPPED] = { "skipped", "пропущено", "skipped", "\033[2m" },
    [HEALTH_WARNING] = { "warning", "внимание", "warning", "\033[33m" },
    [HEALTH_BAD] = { "bad", "плохо", "bad", "\033[31m" },
};
_Static_assert(ARRAY_SIZE(HEALTH) == HEALTHS, "a name for each");

void findings_fini(struct findings *f)
{
    for (int i = 0; i < f->count; i++) {
        free(f->list[i].found);
        free(f->list[i].cure);
    }
    free(f->list);
    *f = (struct findings){ 0 };
}

static char *masked(const char *text)
{
    struct buf out;

    buf_init(&out, TEXT_MAX_BYTES);
    text_mask(str_of(text), &out);
    char *result = xstrdup(buf_cstr(&out));

    buf_fini(&out);
    return result;
}

void finding_add(
    struct findings *f, enum health health, const char *about, const char *cure, const char *format, ...)
{
    char text[TEXT_MAX_BYTES / 2];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    f->list = xrealloc(f->list, sizeof(*f->list) * (size_t)(f->count + 1));

    struct finding *x = &f->list[f->count++];
    *x = (struct finding){ .check = f->check, .title = f->title, .health = health };
    snprintf(x->about, sizeof(x->about), "%s", about != NULL ? about : "");
    x->found = masked(text);
    x->cure = xstrdup(cure != NULL ? cure : "");
}

int findings_count(const struct findings *f, enum health health)
{
    int n = 0;

    for (int i = 0; i < f->count; i++)
        n += f->list[i].health == health;
    return n;
}

/* ---- for people ---- */

static void finding_print(const struct finding *x, bool colour)
{
    const char *word = say(HEALTH[x->health].ru, HEALTH[x->health].en);
    int gap = NAME_CELLS - (int)text_width(str_of(word));

    printf("%s%s%s%*s  %s%s%s: %s\n", colour ? HEALTH[x->health].colour : "", word, colour ? "\033[0m" : "",
        gap > 0 ? gap : 0, "", x->title, x->about[0] != '\0' ? " " : "", x->about, x->found);
    if (x->cure[0] != '\0')
        printf("%*s  %s %s\n", NAME_CELLS, "", say("что делать:", "cure:"), x->cure);
}

void findings_print(const struct findings *f, bool colour)
{
    int bad = findings_count(f, HEALTH_BAD), warnings = findings_count(f, HEALTH_WARNING);

    for (int i = 0; i < f->count; i++)
        finding_print(&f->list[i], colour);
    if (bad == 0 && warnings == 0)
        printf("\n%s\n", say("Всё в порядке.", "All is well."));
    else
        printf("\n%s: %d, %s: %d\n", say("Плохо", "Bad"), bad, say("предупреждений", "warnings"), warnings);
}

/* ---- for programs ---- */

void findings_print_json(const struct findings *f)
{
    json_t *list = json_array();

    for (int i = 0; i < f->count; i++) {
        const struct finding *x = &f->list[i];

        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "check", x->check, "about", x->about, "health",
                      HEALTH[x->health].name, "found", x->found, "cure", x->cure));
    }
    json_t *root = json_pack("{s:b, s:i, s:i, s:o}", "healthy", findings_count(f, HEALTH_BAD) == 0, "bad",
        findings_count(f, HEALTH_BAD), "warnings", findings_count(f, HEALTH_WARNING), "findings", list);
    char *text = json_dumps(root, JSON_COMPACT);

    printf("%s\n", text);
    free(text);
    json_decref(root);
}
