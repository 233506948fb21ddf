#include "base/err.h"

#include "base/mem.h"
#include "base/str.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const kind_names[] = {
    [ERR_NONE] = "none",
    [ERR_TEMP] = "temp",
    [ERR_WAIT] = "wait",
    [ERR_PERM] = "perm",
    [ERR_AUTH] = "auth",
    [ERR_CONF] = "conf",
    [ERR_LIMIT] = "limit",
    [ERR_BUG] = "bug",
};
_Static_assert(ARRAY_SIZE(kind_names) == ERR_KINDS, "a name for each kind");

const char *(*err_translate)(const char *english); /* of the process, as its language is */

const char *err_tr(const char *english)
{
    return err_translate != NULL && english != NULL ? err_translate(english) : english;
}

const char *err_reason(int code)
{
    return err_tr(strerror(code));
}

/* One line, cut between characters: the text goes to logs, tables and terminals as it is. */
static void tidy(char *text, size_t length, size_t size)
{
    if (length >= size)
        text[utf8_cut(text, size, size - 1)] = '\0';
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            *p = ' ';
}

/* The arguments may point into err->text, so it is written last. `cut` needs a byte more than fits to see
 * what it cuts. */
__attribute__((format(printf, 2, 0))) static void put_text(struct err *err, const char *format, va_list args)
{
    char text[sizeof(err->text) + 4];
    int length = vsnprintf(text, sizeof(text), err_tr(format), args);

    if (length < 0)
        text[length = 0] = '\0';
    tidy(text, (size_t)length, sizeof(err->text));
    memcpy(err->text, text, strlen(text) + 1);
}

__attribute__((format(printf, 4, 0))) static void put(
    struct err *err, enum err_kind kind, int code, const char *format, va_list args)
{
    if (!err)
        return;
    put_text(err, format, args);
    err->kind = kind;
    err->code = code;
    err->retry_ms = 0;
}

int err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    put(err, kind, 0, format, args);
    va_end(args);
    return -1;
}

int err_code(struct err *err, enum err_kind kind, int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    put(err, kind, code, format, args);
    va_end(args);
    return -1;
}

int err_wrap(struct err *err, const char *format, ...)
{
    struct err outer;
    va_list args;

    if (!err)
        return -1;
    va_start(args, format);
    put_text(&outer, format, args);
    va_end(args);

    char text[sizeof(outer.text) + sizeof(err->text) + 3];
    int length = snprintf(text, sizeof(text), "%s: %s", outer.text, err->text);

    tidy(text, (size_t)length, sizeof(err->text));
    memcpy(err->text, text, strlen(text) + 1);
    return -1;
}

const char *err_kind_name(enum err_kind kind)
{
    return (unsigned)kind < ERR_KINDS ? kind_names[kind] : "bug";
}

enum err_kind err_kind_of(const char *name, size_t n)
{
    for (unsigned kind = 0; kind < ERR_KINDS; kind++)
        if (str_is((struct str){ name, n }, kind_names[kind]))
            return (enum err_kind)kind;
    return ERR_TEMP;
}
