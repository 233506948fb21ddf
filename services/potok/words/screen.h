/* screen.h - standard output as people see it: lines that stay, and on a terminal a block below them that is drawn
 * again and again. On anything else the block is not shown. One thread. */
#pragma once

#include "base/buf.h"

#include <stdbool.h>

struct screen {
    bool live;                  /* standard output is a terminal */
    int lines;                  /* of the block on show */
};

void screen_init(struct screen *s);
bool screen_colour(void);       /* a terminal that wants colours (NO_COLOR is honoured) */
/* Text with its line ends, above the block. */
void screen_print(struct screen *s, const char *text);
void screen_printf(struct screen *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Draws the block anew; lines are cut to the terminal's width. */
void screen_block(struct screen *s, struct str text);
/* What is on show stays, and the next block begins below it. */
void screen_keep(struct screen *s);
void screen_erase(struct screen *s);
