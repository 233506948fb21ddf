#include "russian.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/utf8.h"
#include "say.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ARGUMENTS_MAX 12

static const struct {
    const char *en, *ru;
} TEXTS[] = {
#define RUSSIAN(en, ru) { en, ru },
#include "russian.def"
#undef RUSSIAN
};

const char *russian(const char *english)
{
    for (size_t i = 0; i < ARRAY_SIZE(TEXTS); i++)
        if (strcmp(TEXTS[i].en, english) == 0)
            return TEXTS[i].ru;
    return english;
}

void russian_init(void)
{
    err_translate = say("ru", "en")[0] == 'r' ? russian : NULL;
}

/* Length of the conversion at `p` ("%.*s"); 0: there is none. "%%" counts as text. */
static size_t conversion(const char *p)
{
    size_t n = 1;

    if (p[0] != '%' || p[1] == '%')
        return 0;
    n += strspn(p + n, "-+ #0123456789.*");
    n += strspn(p + n, "hlzjt");
    return p[n] != '\0' ? n + 1 : 0;
}

/* The text up to the next conversion, "%%" as one sign. */
static size_t literal(const char *format, char *ret, size_t size, size_t *ret_read)
{
    size_t n = 0, i = 0;

    while (format[i] != '\0' && conversion(format + i) == 0 && n + 1 < size) {
        i += format[i] == '%' && format[i + 1] == '%';
        ret[n++] = format[i++];
    }
    ret[n] = '\0';
    *ret_read = i;
    return n;
}

/* Does the text have the form of the format? Each argument goes to the nearest place where what follows fits.
 */
static bool read_by(const char *text, const char *format, struct str *args, int *ret_count)
{
    char words[400];
    size_t n, read;
    int count = 0;

    n = literal(format, words, sizeof(words), &read);
    if (strncmp(text, words, n) != 0)
        return false;
    text += n;
    format += read;
    while (*format != '\0' && count < ARGUMENTS_MAX) {
        format += conversion(format);
        n = literal(format, words, sizeof(words), &read);
        format += read;
        const char *end = n == 0 ? (*format == '\0' ? text + strlen(text) : text) : strstr(text, words);
        if (end != NULL && n > 0 && *format == '\0' && end[n] != '\0') /* the last words stand at the end */
            end = strlen(text) >= n && strcmp(text + strlen(text) - n, words) == 0 ? text + strlen(text) - n
                                                                                   : NULL;
        if (end == NULL)
            return false;
        args[count++] = (struct str){ text, (size_t)(end - text) };
        text = end + n;
    }
    *ret_count = count;
    return *text == '\0' && *format == '\0';
}

static void append(char *ret, size_t size, struct str text)
{
    size_t n = strlen(ret);

    snprintf(ret + n, size - n, STR_FMT, STR_ARG(text));
}

/* An argument may be a text of ours itself, with a range behind it: "is out of range (1..64)". */
static void add_argument(struct str arg, char *ret, size_t size)
{
    char word[ERR_TEXT_SIZE];

    snprintf(word, sizeof(word), STR_FMT, STR_ARG(arg));
    char *range = strstr(word, " (");

    if (russian(word) == word && strstr(word, ": ") != NULL) { /* what a wrapped error was */
        char said[2 * ERR_TEXT_SIZE];

        append(ret, size, str_of(russian_message(word, said, sizeof(said))));
        return;
    }
    if (range != NULL && russian(word) == word)
        *range = '\0';
    append(ret, size, str_of(russian(word)));
    if (range != NULL && *range == '\0')
        append(ret, size, (struct str){ arg.p + (range - word), arg.n - (size_t)(range - word) });
}

static void write_by(const char *format, const struct str *args, int count, char *ret, size_t size)
{
    char words[400];
    size_t read;

    ret[0] = '\0';
    for (int i = 0;; i++) {
        literal(format, words, sizeof(words), &read);
        append(ret, size, str_of(words));
        format += read;
        if (*format == '\0' || i == count)
            return;
        add_argument(args[i], ret, size);
        format += conversion(format);
    }
}

/* A format that is conversions alone fits everything. */
static bool says_something(const char *format)
{
    size_t letters = 0;

    while (*format != '\0') {
        size_t n = conversion(format);

        letters += n == 0 && *format >= 'a' && *format <= 'z';
        format += n > 0 ? n : 1;
    }
    return letters >= 4;
}

static bool whole_message(const char *english, char *ret, size_t size)
{
    struct str args[ARGUMENTS_MAX];
    int count;

    for (size_t i = 0; i < ARRAY_SIZE(TEXTS); i++) {
        if (!says_something(TEXTS[i].en) || !read_by(english, TEXTS[i].en, args, &count))
            continue;
        write_by(TEXTS[i].ru, args, count, ret, size);
        return true;
    }
    return false;
}

/* Errors read outside-in, "page 12: portal: HTTP 503": what no format fits as a whole is read part by part.
 */
const char *russian_message(const char *english, char *ret, size_t size)
{
    const char *rest = english, *next;
    char part[ERR_TEXT_SIZE], said[2 * ERR_TEXT_SIZE];
    bool known = false;

    ret[0] = '\0';
    if (err_translate == NULL)
        return english;
    for (; rest != NULL; rest = next) {
        if (whole_message(rest, said, sizeof(said))) {
            append(ret, size, str_of(said));
            return ret;
        }
        const char *end = strstr(rest, ": ");

        next = end != NULL ? end + 2 : NULL;
        snprintf(part, sizeof(part), "%.*s", end != NULL ? (int)(end - rest) : (int)strlen(rest), rest);
        bool this_known = whole_message(part, said, sizeof(said));

        known = known || this_known;
        append(ret, size, str_of(this_known ? said : part));
        append(ret, size, str_of(next != NULL ? ": " : ""));
    }
    return known ? ret : english;
}

void russian_in_place(char *text, size_t size)
{
    char said[2 * ERR_TEXT_SIZE];
    const char *words = russian_message(text, said, sizeof(said));

    if (words != text) {
        size_t n = utf8_cut(words, strlen(words), size - 1);

        memcpy(text, words, n);
        text[n] = '\0';
    }
}
