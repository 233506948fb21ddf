#include "table.h"

#include "base/mem.h"

#include <stdlib.h>

#define GAP 2

static const struct {
    uint32_t first, last;
    unsigned char width;
} WIDTHS[] = {
    { 0x0300, 0x036f, 0 },
    { 0x200b, 0x200f, 0 },
    { 0xfe00, 0xfe0f, 0 },
    { 0x1100, 0x115f, 2 },
    { 0x2e80, 0xa4cf, 2 },
    { 0xac00, 0xd7a3, 2 },
    { 0xf900, 0xfaff, 2 },
    { 0xfe30, 0xfe6f, 2 },
    { 0xff00, 0xff60, 2 },
    { 0xffe0, 0xffe6, 2 },
    { 0x1f300, 0x1faff, 2 },
    { 0x20000, 0x3fffd, 2 },
};

/* One character: its length in bytes and its width in cells. Bytes that are not UTF-8 count one each. */
struct glyph {
    size_t bytes, width;
};

static struct glyph escape_at(struct str s)
{
    size_t n = 2;

    while (n < s.n && (s.p[n] < '@' || s.p[n] > '~'))
        n++;
    return (struct glyph){ n < s.n ? n + 1 : s.n, 0 };
}

static struct glyph glyph_at(struct str s)
{
    static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    unsigned char c = (unsigned char)s.p[0];
    size_t bytes = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    uint32_t code = c & masks[bytes];

    if (s.n >= 2 && c == '\033' && s.p[1] == '[')
        return escape_at(s);
    if (bytes > s.n)
        return (struct glyph){ s.n, 1 };
    for (size_t i = 1; i < bytes; i++)
        code = code << 6 | ((unsigned char)s.p[i] & 0x3f);
    for (size_t i = 0; i < ARRAY_SIZE(WIDTHS); i++) {
        if (code >= WIDTHS[i].first && code <= WIDTHS[i].last)
            return (struct glyph){ bytes, WIDTHS[i].width };
    }
    return (struct glyph){ bytes, 1 };
}

size_t text_width(struct str s)
{
    size_t width = 0;

    while (s.n > 0) {
        struct glyph g = glyph_at(s);

        width += g.width;
        s = (struct str){ s.p + g.bytes, s.n - g.bytes };
    }
    return width;
}

struct str text_fit(struct str s, size_t width)
{
    size_t at = 0, used = 0;

    while (at < s.n) {
        struct glyph g = glyph_at((struct str){ s.p + at, s.n - at });

        if (used + g.width > width)
            break;
        used += g.width;
        at += g.bytes;
    }
    return (struct str){ s.p, at };
}

void table_init(struct table *t, int columns, const char *const *heads)
{
    const char *names[TABLE_COLUMNS_MAX] = { NULL };

    *t = (struct table){ .columns = columns < TABLE_COLUMNS_MAX ? columns : TABLE_COLUMNS_MAX };
    for (int i = 0; i < t->columns; i++) {
        t->right[i] = heads[i][0] == '>';
        names[i] = heads[i] + t->right[i];
    }
    table_add(t, names);
}

void table_fini(struct table *t)
{
    for (int i = 0; i < t->rows * t->columns; i++)
        free(t->cells[i]);
    free(t->cells);
    *t = (struct table){ .columns = 0 };
}

void table_add(struct table *t, const char *const *cells)
{
    t->cells = xrealloc(t->cells, (size_t)(t->rows + 1) * (size_t)t->columns * sizeof(*t->cells));
    for (int i = 0; i < t->columns; i++)
        t->cells[t->rows * t->columns + i] = xstrdup(cells[i] == NULL ? "" : cells[i]);
    t->rows++;
}

static void pad(struct buf *out, size_t n)
{
    while (n-- > 0)
        buf_char(out, ' ');
}

static size_t column_width(const struct table *t, int column)
{
    size_t most = 0;

    for (int row = 0; row < t->rows; row++) {
        size_t width = text_width(str_of(t->cells[row * t->columns + column]));

        most = width > most ? width : most;
    }
    return most;
}

static void row_render(const struct table *t, int row, const size_t *widths, struct buf *out)
{
    for (int i = 0; i < t->columns; i++) {
        const char *cell = t->cells[row * t->columns + i];
        size_t room = widths[i] - text_width(str_of(cell));

        if (i > 0)
            pad(out, GAP);
        if (t->right[i])
            pad(out, room);
        buf_str(out, cell);
        if (!t->right[i] && i + 1 < t->columns)
            pad(out, room);
    }
}

void table_render(const struct table *t, bool colour, struct buf *out)
{
    size_t widths[TABLE_COLUMNS_MAX] = { 0 };

    for (int i = 0; i < t->columns; i++)
        widths[i] = column_width(t, i);
    for (int row = 0; row < t->rows; row++) {
        if (colour && row == 0)
            buf_str(out, "\033[1m");
        row_render(t, row, widths, out);
        buf_str(out, colour && row == 0 ? "\033[0m\n" : "\n");
    }
}
