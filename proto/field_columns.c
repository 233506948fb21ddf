#include "proto/field_columns.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

/* Of a database's own: the key, and what every table of PostgreSQL has already. */
static const char *const OWN[] = { "id", "tableoid", "ctid", "xmin", "xmax", "cmin", "cmax" };

/* Names taken: open addressing; a slot holds a name of the result, which does not move. */
struct taken {
    const char **slots;
    unsigned mask;
};

static const char **slot_of(const struct taken *t, const char *name)
{
    unsigned h = 2166136261u; /* FNV-1a */

    for (const char *p = name; *p != '\0'; p++)
        h = (h ^ (unsigned char)*p) * 16777619u;
    for (unsigned i = h & t->mask;; i = (i + 1) & t->mask) {
        if (t->slots[i] == NULL || strcmp(t->slots[i], name) == 0)
            return &t->slots[i];
    }
}

/* What is too long loses the end of the field's own part. */
static void take(struct taken *t, struct str field, const char *ending, char ret[static FIELD_COLUMN_SIZE])
{
    char base[129], number[16] = "";
    const char **slot;

    col_name(field, base);
    for (unsigned i = 2;; i++) {
        int most = FIELD_COLUMN_BYTES_MAX - (int)(strlen(ending) + strlen(number));

        snprintf(ret, FIELD_COLUMN_SIZE, "%.*s%s%s", most, base[0] == '\0' ? "f" : base, ending, number);
        slot = slot_of(t, ret);
        if (*slot == NULL)
            break;
        snprintf(number, sizeof(number), "_%u", i);
    }
    *slot = ret;
}

bool field_is_money(const struct field *f)
{
    return !f->multiple && str_is(f->type, "money");
}

static bool has_column(const struct field *f)
{
    return f->hold == HOLD_NOT && !str_is(f->name, "ID");
}

struct field_column *field_columns(const struct field *fields, int count)
{
    struct field_column *ret = xcalloc((size_t)count + 1, sizeof(*ret));
    struct taken t = { .mask = 3 };

    while (t.mask < 4 * ((unsigned)count + ARRAY_SIZE(OWN)))
        t.mask = t.mask * 2 + 1;
    t.slots = xcalloc((size_t)t.mask + 1, sizeof(*t.slots));
    for (size_t i = 0; i < ARRAY_SIZE(OWN); i++)
        *slot_of(&t, OWN[i]) = OWN[i];
    for (int i = 0; i < count; i++)
        if (has_column(&fields[i]))
            take(&t, fields[i].name, "", ret[i].name);
    for (int i = 0; i < count; i++)
        if (has_column(&fields[i]) && field_is_money(&fields[i]))
            take(&t, fields[i].name, "_currency", ret[i].currency);
    free(t.slots);
    return ret;
}
