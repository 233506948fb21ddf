/* table.h - text in columns, and how wide text is on a terminal. Pure; owned by the struct. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

#define TABLE_COLUMNS_MAX 12

struct table {
    int columns;
    bool right[TABLE_COLUMNS_MAX];  /* numbers */
    char **cells;                   /* rows * columns; the first row is the head */
    int rows;
};

/* Cells a terminal uses: Cyrillic letters one, emoji and East Asian letters two, combining marks none; escape
 * sequences (colours) none. */
size_t text_width(struct str s);
/* The longest beginning that is no wider than `width`. */
struct str text_fit(struct str s, size_t width);

/* heads: names of columns; one that begins with '>' is aligned to the right. */
void table_init(struct table *t, int columns, const char *const *heads);
void table_fini(struct table *t);
void table_add(struct table *t, const char *const *cells);      /* copied; NULL = empty */
void table_render(const struct table *t, bool colour, struct buf *out);
