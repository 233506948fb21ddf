#include "proto/schema.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "proto/wire.h"

#define NAME_MAX_BYTES   128 /* of a field and of a type */
#define COLUMN_MAX_BYTES 160 /* of a column: a field name and a suffix such as "_currency" */

static const char *const kind_names[] = { "text", "int", "decimal", "bool", "date", "time", "json" };
static_assert(ARRAY_SIZE(kind_names) == COL_KINDS, "a name for each kind");

/* Only what is not text: facts/bitrix24.md section 6.2 and 6.3. Text stays text: string, text, url, address,
 * location, crm_status, crm_currency, enumeration, crm (a binding such as "CO_5") and types not known. */
static const struct {
    const char *type;
    enum col_kind kind;
} kinds[] = {
    { "integer", COL_INT },
    { "crm_category", COL_INT },
    { "crm_company", COL_INT },
    { "crm_contact", COL_INT },
    { "crm_lead", COL_INT },
    { "crm_quote", COL_INT },
    { "crm_deal", COL_INT },
    { "crm_entity", COL_INT },
    { "user", COL_INT },
    { "employee", COL_INT },
    { "iblock_element", COL_INT },
    { "iblock_section", COL_INT },
    { "double", COL_DECIMAL },
    { "money", COL_DECIMAL }, /* the amount; the mapper adds the text column <column>_currency */
    { "boolean", COL_BOOL },
    { "char", COL_BOOL },
    { "date", COL_DATE },
    { "datetime", COL_TIME },
    { "crm_multifield", COL_JSON },
    { "file", COL_JSON },
    { "resourcebooking", COL_JSON },
};

enum col_kind col_kind_of(struct str type, bool multiple)
{
    if (multiple)
        return COL_JSON;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (str_is(type, kinds[i].type))
            return kinds[i].kind;
    return COL_TEXT;
}

const char *col_kind_name(enum col_kind kind)
{
    return kind < COL_KINDS ? kind_names[kind] : "unknown";
}

int col_kind_parse(struct str name, enum col_kind *ret)
{
    for (int i = 0; i < COL_KINDS; i++) {
        if (str_is(name, kind_names[i])) {
            *ret = (enum col_kind)i;
            return 0;
        }
    }
    return -1;
}

static bool is_column_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

void col_name(struct str field, char ret[129])
{
    size_t n = 0;

    for (size_t i = 0; i < field.n && n < 128; i++) {
        char c = field.p[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (!is_column_char(c))
            c = '_';
        if (n == 0 && c == '_') /* a leading '_' is for columns of our own */
            ret[n++] = 'f';
        ret[n++] = c;
    }
    ret[n] = '\0';
}

/* ---- the schema ---- */

/* By name; of equal names the one given first comes first. */
static int by_name(const void *a, const void *b)
{
    const struct field *fa = *(const struct field *const *)a, *fb = *(const struct field *const *)b;
    int c = str_order(fa->name, fb->name);

    return c != 0 ? c : (fa > fb) - (fa < fb);
}

void schema_encode(const struct field *fields, int count, struct buf *out)
{
    const struct field **sorted = xcalloc((size_t)count + 1, sizeof(*sorted));
    uint32_t written = 0;

    for (int i = 0; i < count; i++)
        sorted[i] = &fields[i];
    qsort(sorted, (size_t)count, sizeof(*sorted), by_name);

    size_t at = wire_open_array(out);
    for (int i = 0; i < count; i++) {
        if (i > 0 && str_eq(sorted[i]->name, sorted[i - 1]->name))
            continue;
        wire_put_array(out, sorted[i]->hold == HOLD_NOT ? 3 : 4);
        wire_put_str(out, sorted[i]->name);
        wire_put_str(out, sorted[i]->type);
        wire_put_bool(out, sorted[i]->multiple);
        if (sorted[i]->hold != HOLD_NOT)
            wire_put_u64(out, sorted[i]->hold);
        written++;
    }
    wire_close(out, at, written);
    free(sorted);
}

/* A copy that never is NULL, so that an empty one can be owned, too. */
static char *copy_bytes(struct str bytes)
{
    char *copy = xmalloc(bytes.n + 1);

    if (bytes.n > 0)
        memcpy(copy, bytes.p, bytes.n);
    copy[bytes.n] = '\0';
    return copy;
}

static int decode_field(struct wire *w, const struct field *before, struct field *ret, struct err *err)
{
    uint32_t members = wire_array(w);

    ret->name = wire_str(w);
    ret->type = wire_str(w);
    ret->multiple = wire_bool(w);
    uint64_t hold = members == 4 ? wire_u64(w) : HOLD_NOT;
    if (!wire_ok(w) || members < 3 || members > 4)
        return err_set(err, ERR_PERM, "schema: malformed");
    if (hold >= HOLDS || (members == 4 && hold == HOLD_NOT)) /* equal schemas are equal bytes */
        return err_set(err, ERR_PERM, "schema: the hold of " STR_FMT " is not known", STR_ARG(ret->name));
    ret->hold = (enum field_hold)hold;
    if (ret->name.n == 0 || ret->name.n > NAME_MAX_BYTES || ret->type.n > NAME_MAX_BYTES)
        return err_set(
            err, ERR_PERM, "schema: a field's name or type is empty or over %d bytes", NAME_MAX_BYTES);
    if (memchr(ret->name.p, 0, ret->name.n) != NULL)
        return err_set(err, ERR_PERM, "schema: a NUL byte in a field's name");
    if (before != NULL && str_order(before->name, ret->name) >= 0)
        return err_set(
            err, ERR_PERM, "schema: field " STR_FMT " is twice or out of order", STR_ARG(ret->name));
    return 0;
}

static int decode_fields(struct schema *s, struct wire *w, struct err *err)
{
    for (int i = 0; i < s->count; i++)
        if (decode_field(w, i > 0 ? &s->fields[i - 1] : NULL, &s->fields[i], err) < 0)
            return -1;
    return wire_done(w) ? 0 : err_set(err, ERR_PERM, "schema: bytes after its end");
}

int schema_decode(struct schema *ret, struct str bytes, struct err *err)
{
    struct schema s = { .bytes = copy_bytes(bytes) };
    struct wire w;

    wire_init(&w, s.bytes, bytes.n);
    uint32_t count = wire_array(&w);
    if (!wire_ok(&w) || count > SCHEMA_FIELDS_MAX) {
        schema_free(&s);
        return err_set(err, ERR_PERM, "schema: malformed or over %d fields", SCHEMA_FIELDS_MAX);
    }
    s.count = (int)count;
    s.fields = xcalloc(count + 1, sizeof(*s.fields));
    if (decode_fields(&s, &w, err) < 0) {
        schema_free(&s);
        return -1;
    }
    *ret = s;
    return 0;
}

void schema_free(struct schema *s)
{
    if (s == NULL)
        return;
    free(s->fields);
    free(s->bytes);
    *s = (struct schema){ 0 };
}

const struct field *schema_find(const struct schema *s, struct str name)
{
    int from = 0, to = s->count;

    while (from < to) {
        int middle = from + (to - from) / 2;
        int c = str_order(name, s->fields[middle].name);
        if (c == 0)
            return &s->fields[middle];
        if (c < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

/* ---- the columns ---- */

void columns_encode(const struct column *list, int count, struct buf *out)
{
    wire_put_array(out, (uint32_t)count);
    for (int i = 0; i < count; i++) {
        wire_put_array(out, 2);
        wire_put_str(out, list[i].name);
        wire_put_str(out, str_of(col_kind_name(list[i].kind)));
    }
}

/* They become part of SQL: nothing but what col_name() makes passes. */
static bool is_column_name(struct str name)
{
    if (name.n == 0 || name.n > COLUMN_MAX_BYTES || name.p[0] == '_' || str_is(name, "id"))
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (!is_column_char(name.p[i]))
            return false;
    return true;
}

static int by_column(const void *a, const void *b)
{
    return str_order((*(const struct column *const *)a)->name, (*(const struct column *const *)b)->name);
}

static int refuse_twins(const struct columns *c, struct err *err)
{
    const struct column **sorted = xcalloc((size_t)c->count + 1, sizeof(*sorted));
    int result = 0;

    for (int i = 0; i < c->count; i++)
        sorted[i] = &c->list[i];
    qsort(sorted, (size_t)c->count, sizeof(*sorted), by_column);
    for (int i = 1; i < c->count && result == 0; i++)
        if (by_column(&sorted[i - 1], &sorted[i]) == 0)
            result = err_set(err, ERR_PERM, "columns: " STR_FMT " is twice", STR_ARG(sorted[i]->name));
    free(sorted);
    return result;
}

static int decode_columns(struct columns *c, struct wire *w, struct err *err)
{
    for (int i = 0; i < c->count; i++) {
        bool pair = wire_array(w) == 2;
        struct str name = wire_str(w), kind = wire_str(w);
        if (!wire_ok(w) || !pair)
            return err_set(err, ERR_PERM, "columns: malformed");
        if (!is_column_name(name))
            return err_set(err, ERR_PERM, "columns: the name of column %d cannot be one", i);
        if (col_kind_parse(kind, &c->list[i].kind) < 0)
            return err_set(err, ERR_PERM, "columns: the kind of " STR_FMT " is not known", STR_ARG(name));
        c->list[i].name = name;
    }
    if (!wire_done(w))
        return err_set(err, ERR_PERM, "columns: bytes after their end");
    return refuse_twins(c, err);
}

int columns_decode(struct columns *ret, struct str bytes, struct err *err)
{
    struct columns c = { .bytes = copy_bytes(bytes) };
    struct wire w;

    wire_init(&w, c.bytes, bytes.n);
    uint32_t count = wire_array(&w);
    if (!wire_ok(&w) || count > 2 * SCHEMA_FIELDS_MAX) {
        columns_free(&c);
        return err_set(err, ERR_PERM, "columns: malformed or over %d", 2 * SCHEMA_FIELDS_MAX);
    }
    c.count = (int)count;
    c.list = xcalloc(count + 1, sizeof(*c.list));
    if (decode_columns(&c, &w, err) < 0) {
        columns_free(&c);
        return -1;
    }
    *ret = c;
    return 0;
}

void columns_free(struct columns *c)
{
    if (c == NULL)
        return;
    free(c->list);
    free(c->bytes);
    *c = (struct columns){ 0 };
}
