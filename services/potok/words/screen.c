#include "screen.h"

#include "table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_UNKNOWN 80

void screen_init(struct screen *s)
{
    const char *term = getenv("TERM");

    *s = (struct screen){ .live = isatty(STDOUT_FILENO) && (term == NULL || strcmp(term, "dumb") != 0) };
}

bool screen_colour(void)
{
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL && (term == NULL || strcmp(term, "dumb") != 0);
}

static size_t width(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return WIDTH_UNKNOWN;
    return size.ws_col;
}

void screen_erase(struct screen *s)
{
    if (s->lines > 0)
        printf("\033[%dA\r\033[J", s->lines);
    s->lines = 0;
}

void screen_print(struct screen *s, const char *text)
{
    screen_erase(s);
    fputs(text, stdout);
    fflush(stdout);
}

void screen_printf(struct screen *s, const char *format, ...)
{
    va_list args;

    screen_erase(s);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    fflush(stdout);
}

void screen_block(struct screen *s, struct str text)
{
    size_t room = width();

    if (!s->live)
        return;
    screen_erase(s);
    while (text.n > 0) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t n = end == NULL ? text.n : (size_t)(end - text.p);
        struct str line = text_fit((struct str){ text.p, n }, room - 1);

        printf("%.*s\033[0m\n", STR_ARG(line));
        s->lines++;
        n += end != NULL;
        text = (struct str){ text.p + n, text.n - n };
    }
    fflush(stdout);
}

void screen_keep(struct screen *s)
{
    s->lines = 0;
}
