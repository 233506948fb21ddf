#include "generate.h"

#include "base/mem.h"
#include "calendar.h"
#include "dictionary.h"
#include "hash.h"
#include "people.h"
#include "record.h"

static void make_text(struct value *ret, struct str text)
{
    ret->kind = VALUE_TEXT;
    ret->text = text;
}

void make_deal_title(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    static const char *const what[] = { "Поставка", "Договор", "Счёт", "Заказ", "Ремонт", "Монтаж", "Аренда",
        "Продление", "Доработка", "Консультация" };
    static const char *const of[] = { "оборудования", "для «Ромашки»", "№\u00A0", "кабеля 3×2,5", "<срочно>",
        "& доставка", "\"под ключ\"", "1С:УТ", "🔥 акция", "l'Étoile", "по ТЗ &quot;А&quot;", "окон ПВХ" };

    make_text(ret, arena_join(r->arena, what[h % ARRAY_SIZE(what)], " ", of[(h >> 8) % ARRAY_SIZE(of)], " ",
                       arena_int(r->arena, r->id).p));
}

void make_lead_title(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    static const char *const from[] = { "Заявка с сайта", "Входящий звонок", "CRM-форма «Обратная связь»",
        "Чат 💬", "Письмо: Re: КП", "Выставка \"Экспо\"", "Лид" };

    make_text(ret, arena_join(r->arena, from[h % ARRAY_SIZE(from)], " #", arena_int(r->arena, r->id).p));
}

/* CATEGORY_ID cannot change, so it hangs on the record alone. */
static int funnel_of(const struct record *r)
{
    const uint32_t lot = (uint32_t)(r->hash >> 40) % 10;

    return lot < 6 ? 0 : lot < 8 ? 1 : lot < 9 ? 2 : 3;
}

void make_category(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    ret->kind = VALUE_INT;
    ret->i = funnel_of(r);
}

void make_stage(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    const struct status *stage = stage_pick(r->facet[FACET_STAGE]);
    char prefix[8] = { 'C', (char)('0' + funnel_of(r)), ':', '\0' };

    make_text(ret, arena_join(r->arena, funnel_of(r) > 0 ? prefix : "", stage->id));
}

static const char *semantics_of(const struct status *s)
{
    return s->semantics ? s->semantics : "P";
}

void make_stage_semantic(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    make_text(ret, str_of(semantics_of(stage_pick(r->facet[FACET_STAGE]))));
}

void make_stage_new(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    ret->kind = VALUE_BOOL;
    ret->i = strcmp(stage_pick(r->facet[FACET_STAGE])->id, "NEW") == 0;
}

void make_stage_closed(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    ret->kind = VALUE_BOOL;
    ret->i = stage_pick(r->facet[FACET_STAGE])->semantics != NULL;
}

void make_lead_status(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    make_text(ret, str_of(lead_status_pick(r->facet[FACET_STAGE])->id));
}

void make_lead_semantic(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    make_text(ret, str_of(semantics_of(lead_status_pick(r->facet[FACET_STAGE]))));
}

void make_lead_closed(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    if (lead_status_pick(r->facet[FACET_STAGE])->semantics == NULL)
        return;
    ret->kind = VALUE_TIME;
    ret->i = record_moved_s(r);
}

void make_begin_date(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    ret->kind = VALUE_DATE;
    ret->i = record_created_s(r) / DAY_S;
}

void make_close_date(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    ret->kind = VALUE_DATE;
    ret->i = record_created_s(r) / DAY_S + 7 + hash_below(h, 60);
}

void make_currency(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    static const char *const codes[] = { "RUB", "RUB", "RUB", "RUB", "RUB", "RUB", "USD", "EUR", "KZT",
        "BYN" };

    make_text(ret, str_of(codes[hash_below(h, ARRAY_SIZE(codes))]));
}

static void make_decimal(const struct record *r, int64_t units, struct value *ret)
{
    ret->kind = VALUE_DECIMAL;
    ret->text = arena_decimal(r->arena, units, 2);
}

void make_amount(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    const uint32_t lot = hash_below(h, 2000);
    const int64_t u = (int64_t)(hash_mix(h) >> 2);

    if (lot < 80)
        make_decimal(r, 0, ret);
    else if (lot < 81) /* more digits than a double holds */
        make_decimal(r, INT64_C(1000000000000000000) + u % INT64_C(8000000000000000000), ret);
    else if (lot < 800) /* round sums */
        make_decimal(r, (1 + u % 5000) * 100000, ret);
    else
        make_decimal(r, 100 + u % 900000000, ret);
}

void make_tax(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    make_decimal(r, hash_below(h, 3) ? (int64_t)hash_below(h, 90000000) : 0, ret);
}

void make_revenue(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    ret->kind = VALUE_DECIMAL;
    if (hash_below(h, 10) < 4)
        ret->text = STR("0"); /* as captured: without decimals */
    else
        ret->text = arena_decimal(r->arena, (int64_t)hash_below(h, 2000000000) * 100, 2);
}
