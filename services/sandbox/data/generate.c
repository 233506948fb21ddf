#include "generate.h"

#include "base/mem.h"
#include "dictionary.h"
#include "hash.h"
#include "record.h"

void make_id(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    ret->kind = VALUE_INT;
    ret->i = r->id;
}

void make_status(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    ret->kind = VALUE_TEXT;
    ret->text = str_of(dictionary_pick(a->dictionary, h)->id);
}

void make_char(const struct record *r, const struct attr *a, uint64_t h, struct value *ret) /* arg: % of Y */
{
    ret->kind = VALUE_BOOL;
    ret->i = (int)hash_below(h, 100) < a->arg;
}

void make_integer(
    const struct record *r, const struct attr *a, uint64_t h, struct value *ret) /* arg: below it */
{
    ret->kind = VALUE_INT;
    ret->i = a->arg > 0 ? hash_below(h, (uint32_t)a->arg) : 0;
    if (a->type->link && ret->i == 0)
        ret->i = 1;
}

void make_constant(const struct record *r, const struct attr *a, uint64_t h, struct value *ret) /* arg */
{
    ret->kind = VALUE_INT;
    ret->i = a->arg;
}

/* arg: the entity linked to. A record deleted since may still be named, as on a portal. */
void make_link(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    const struct crm *c = &r->store->crm[a->arg];

    if (c->base_count == 0)
        return;
    ret->kind = VALUE_INT;
    ret->i = c->ids[hash_below(h, c->base_count)];
}

void make_user(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    ret->kind = VALUE_INT;
    ret->i = 1 + hash_below(h, 24);
}

static void make_time(struct value *ret, int64_t unix_s)
{
    ret->kind = VALUE_TIME;
    ret->i = unix_s;
}

void make_created(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    make_time(ret, record_created_s(r));
}

void make_modified(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    make_time(ret, record_modified_s(r));
}

void make_moved(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    make_time(ret, record_moved_s(r));
}

/* Calls and letters happen without a change of the record: apart from DATE_MODIFY, but never in the future.
 */
void make_activity_time(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    const bool changed = r->patch != NULL && r->patch->modified_s != 0;

    make_time(ret, record_modified_s(r) + (changed ? 0 : hash_below(h, 100000)));
}

void make_phrase(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    ret->kind = VALUE_TEXT;
    ret->text = text_short(r, h);
}

void make_originator(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    static const char *const names[] = { "1C", "moysklad", "site/shop", "" };

    ret->kind = VALUE_TEXT;
    ret->text = str_of(names[hash_below(h, ARRAY_SIZE(names))]);
}

void make_origin(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    ret->kind = VALUE_TEXT;
    ret->text = arena_fmt(r->arena, "%08x-%04x", (unsigned)(h >> 32), (unsigned)(h & 0xffff));
}

void make_utm(
    const struct record *r, const struct attr *a, uint64_t h, struct value *ret) /* arg: which mark */
{
    static const char *const marks[5][4] = {
        { "yandex", "google", "vk", "email" },
        { "cpc", "organic", "referral", "banner" },
        { "brand_msk", "весна-2024", "sale&50%", "remarketing" },
        { "text1", "картинка", "v2", "b'1'" },
        { "купить оптом", "crm", "<none>", "доставка" },
    };

    ret->kind = VALUE_TEXT;
    ret->text = str_of(marks[a->arg][hash_below(h, 4)]);
}

void make_file(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    ret->kind = VALUE_FILE;
    ret->i = 30000 + hash_below(h, 60000);
    ret->extra = arena_fmt(
        r->arena, "&ownerId=%u&fieldName=%s&dynamic=Y&fileId=%lld", r->id, a->name, (long long)ret->i);
}
