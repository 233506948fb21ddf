/* A row lies on one page of the server, and only values of some length can lie elsewhere: some 450 long
 * texts, or a thousand numbers, fill it. The server refuses a row with more of them whole; here it is told
 * beforehand which of its values it cannot have. */
#include "db/postgres.h"

#define ROW_BYTES_MAX 8160 /* of a page of 8 KB, less its own head and a pointer */
#define POINTER_BYTES 18   /* to a value that lies elsewhere */
#define STAYS_SURELY  20   /* bytes of a text that the server never moves, nor compresses */
#define STAYS_PERHAPS 23
#define PRESSED_MOST  27 /* a compressed value that is too short to be moved, and the gap before it */
#define PRESSED_LEAST 11 /* beside one byte for each that the text has */
#define VARIED        15 /* different bytes in a text that no compression makes so short */

/* The row's head, and the columns of Potok's own; with the list of NULLs of the widest table, and gaps. */
#define HEAD_LEAST 72
#define HEAD_MOST  304

struct bytes {
    size_t least, most; /* depending on what lies before it, and on how it came to the server */
};

/* At most VARIED. A compressed text holds each of them once, whatever the method. */
static size_t count_different(struct str s)
{
    bool seen[256] = { false };
    size_t n = 0;

    for (size_t i = 0; i < s.n && n < VARIED; i++) {
        n += !seen[(uint8_t)s.p[i]];
        seen[(uint8_t)s.p[i]] = true;
    }
    return n;
}

static struct bytes bytes_of_text(struct str s)
{
    size_t different;

    if (s.n <= STAYS_SURELY)
        return (struct bytes){ s.n + 1, s.n + 1 };
    different = count_different(s);
    if (different == VARIED)
        return (struct bytes){ POINTER_BYTES, s.n <= STAYS_PERHAPS ? s.n + 1 : POINTER_BYTES };
    return (struct bytes){
        PRESSED_LEAST + different < POINTER_BYTES ? PRESSED_LEAST + different : POINTER_BYTES, PRESSED_MOST
    };
}

/* Four digits in two bytes, zeros at either end in none. */
static struct bytes bytes_of_decimal(size_t n)
{
    size_t most = 7 + 2 * (n / 4 + 2);

    return (struct bytes){ 3, most < PRESSED_MOST ? most : PRESSED_MOST };
}

static struct bytes bytes_of(enum col_kind kind, const struct db_val *v)
{
    if (v->type == DB_NULL)
        return (struct bytes){ 0, 0 };
    switch (kind) {
    case COL_BOOL:
        return (struct bytes){ 1, 1 };
    case COL_DATE:
        return (struct bytes){ 4, 7 };
    case COL_INT:
    case COL_TIME:
        return (struct bytes){ 8, 15 };
    case COL_DECIMAL:
        return bytes_of_decimal(v->s.n);
    default:
        return bytes_of_text(v->s);
    }
}

int pg_leave_out(const struct db_column *columns, const struct db_val *values, int count, bool *ret_out)
{
    size_t least = HEAD_LEAST, most = HEAD_MOST;
    int out = 0;

    for (int i = 0; i < count; i++) {
        struct bytes b = bytes_of(columns[i].kind, &values[i]);

        ret_out[i] = false;
        least += b.least;
        most += b.most;
    }
    if (least <= ROW_BYTES_MAX) /* it may have room: the server decides */
        return 0;
    for (int i = count - 1; i >= 0 && most > ROW_BYTES_MAX; i--) {
        ret_out[i] = values[i].type != DB_NULL;
        most -= bytes_of(columns[i].kind, &values[i]).most;
        out += ret_out[i];
    }
    return out;
}
