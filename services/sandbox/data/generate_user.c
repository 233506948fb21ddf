#include "generate.h"

#include "base/mem.h"
#include "calendar.h"
#include "dictionary.h"
#include "hash.h"
#include "record.h"

/* One value of a user field. Inside a list ids are numbers though alone they are strings (facts section 6.3).
 */
typedef void make_one(const struct record *r, const struct attr *a, uint64_t h, struct value *ret);

static void one_text(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    make_phrase(r, a, h, ret);
}

static void one_integer(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    const uint32_t lot = hash_below(h, 100);

    ret->kind = VALUE_INT;
    ret->i = lot < 3    ? 0
             : lot < 8  ? -(int64_t)(h % 5000)
             : lot < 10 ? INT64_C(9007199254740993)
                        : (int64_t)(h % 100000);
}

static void one_double(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    const uint32_t lot = hash_below(h, 100);

    ret->kind = VALUE_DECIMAL;
    if (lot < 3)
        ret->text = STR("0");
    else if (lot < 5 && !(a->flags & ATTR_MULTIPLE))
        ret->text = STR("123456789012345678.125");
    else if (lot < 40)
        ret->text = arena_int(r->arena, (int64_t)(h % 20000) - 5000);
    else
        ret->text = arena_decimal(r->arena, (int64_t)(h % 20000000) - 2000000, 1 + (int)(h >> 40) % 4);
}

static void one_boolean(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    ret->kind = VALUE_BOOL;
    ret->i = h & 1;
}

static void one_enumeration(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    const struct attr_item *item = &a->items[hash_below(h, ENUM_ITEMS)];
    const int id = item->id;

    if (item->text == NULL)
        return; /* deleted: nothing is left of it */
    if (a->flags & ATTR_MULTIPLE) {
        ret->kind = VALUE_INT;
        ret->i = id;
    } else {
        ret->kind = VALUE_TEXT;
        ret->text = arena_int(r->arena, id);
    }
}

static void one_date(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    ret->kind = VALUE_DATE;
    ret->i = 18000 + hash_below(h, 3000);
}

static void one_datetime(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    ret->kind = VALUE_TIME;
    ret->i = INT64_C(1500000000) + (int64_t)(h % 300000000);
}

static void one_money(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    static const char *const codes[] = { "RUB", "RUB", "EUR", "USD" };

    ret->kind = VALUE_MONEY;
    ret->extra = str_of(codes[h >> 60 & 3]);
    ret->text = h % 10 == 0  ? STR("0")
                : h % 3 == 0 ? arena_decimal(r->arena, (int64_t)(h >> 8) % 90000000, 2)
                             : arena_int(r->arena, (int64_t)(h >> 8) % 1000000);
}

static void one_url(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    ret->kind = VALUE_TEXT;
    ret->text = arena_join(
        r->arena, "https://example.com/путь/", arena_int(r->arena, (int64_t)(h % 10000)).p, "?utm=<b>&q='x'");
}

static void one_address(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    ret->kind = VALUE_TEXT;
    ret->text = arena_fmt(r->arena, "Россия, Москва, ул. \"Новая\", %u|55.%06u;37.%06u|%u", (unsigned)h % 200,
        (unsigned)(h >> 8) % 1000000, (unsigned)(h >> 16) % 1000000, (unsigned)(h >> 32) % 50000);
}

static void one_number(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    ret->kind = VALUE_INT;
    ret->i = 1 + hash_below(h, 500);
}

/* A single field is bound to contacts alone, a multiple one to five types (describe.c says so in its
 * settings). */
static void one_binding(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    static const enum which types[] = { CONTACT, DEAL, COMPANY, LEAD, SMART };
    const bool one_type = !(a->flags & ATTR_MULTIPLE);
    const enum which w = types[one_type ? 0 : (h >> 8) % ARRAY_SIZE(types)];
    struct value id = { 0 };

    make_link(r, &(const struct attr){ .arg = (int)w }, h, &id);
    const struct str number = arena_int(r->arena, id.i > 0 ? id.i : 6);
    ret->kind = VALUE_TEXT;
    ret->text =
        one_type && r->store->bare_bindings ? number : arena_join(r->arena, WHICH[w].letter, "_", number.p);
}

static const struct {
    const char *type;
    make_one *make;
} makers[] = {
    { "string", one_text },
    { "integer", one_integer },
    { "double", one_double },
    { "boolean", one_boolean },
    { "enumeration", one_enumeration },
    { "date", one_date },
    { "datetime", one_datetime },
    { "money", one_money },
    { "url", one_url },
    { "address", one_address },
    { "file", make_file },
    { "employee", make_user },
    { "crm_status", make_status },
    { "iblock_element", one_number },
    { "iblock_section", one_number },
    { "crm", one_binding },
    { "resourcebooking", one_number },
};

static make_one *maker_of(const struct attr *a)
{
    for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
        if (strcmp(makers[i].type, a->type->name) == 0)
            return makers[i].make;
    }
    return one_text;
}

void make_user_field(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    make_one *make = maker_of(a);

    if (!(a->flags & ATTR_MULTIPLE)) {
        make(r, a, h, ret);
        return;
    }
    const int count = 1 + (int)(h % 7 % 4);
    struct value *items = arena_get(r->arena, (size_t)count * sizeof(*items));
    int made = 0;
    for (int i = 0; i < count; i++) {
        const uint64_t one = hash_two(h, (uint64_t)i + 5);
        items[made] = (struct value){ .form = (uint32_t)one };
        make(r, a, one, &items[made]);
        made += items[made].kind != VALUE_NULL;
    }
    if (made > 0)
        *ret = (struct value){ .kind = VALUE_LIST, .form = ret->form, .items = items, .count = made };
}
