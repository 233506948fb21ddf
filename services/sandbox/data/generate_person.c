#include "generate.h"

#include <stdio.h>

#include "base/mem.h"
#include "calendar.h"
#include "hash.h"
#include "people.h"
#include "record.h"

static struct person person_of(const struct record *r)
{
    return person_pick(r->facet[FACET_PERSON]);
}

static void make_text(struct value *ret, struct str text)
{
    ret->kind = VALUE_TEXT;
    ret->text = text;
}

void make_honorific(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    make_text(ret, str_of(person_of(r).woman ? "HNR_RU_2" : "HNR_RU_1"));
}

void make_name(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    make_text(ret, str_of(person_of(r).name));
}

void make_second_name(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    const struct person p = person_of(r);

    make_text(ret, str_of(person_patronymic(&p)));
}

void make_last_name(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    const struct person p = person_of(r);

    make_text(ret, person_surname(&p, r->arena));
}

void make_birth_date(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    ret->kind = VALUE_DATE;
    ret->i = -7300 + hash_below(h, 20000); /* 1950 to 2004, most of them before the epoch of Unix */
}

void make_post(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    static const char *const posts[] = { "директор", "бухгалтер", "менеджер по закупкам", "зам. директора",
        "ИП", "инженер ПТО", "руководитель отдела \"Опт\"", "секретарь", "CEO & founder", "завхоз" };

    make_text(ret, str_of(posts[hash_below(h, ARRAY_SIZE(posts))]));
}

void make_address(
    const struct record *r, const struct attr *a, uint64_t h, struct value *ret) /* arg: which line */
{
    static const char *const cities[][4] = {
        /* city, postal code, province, street */
        { "Москва", "101000", "Москва", "ул. Тверская" },
        { "Санкт-Петербург", "190000", "Санкт-Петербург", "наб. р. Мойки" },
        { "Казань", "420000", "Респ. Татарстан", "ул. Баумана" },
        { "Йошкар-Ола", "424000", "Респ. Марий Эл", "б-р Победы" },
        { "Ростов-на-Дону", "344000", "Ростовская обл.", "пр. Будённовский" },
        { "Южно-Сахалинск", "693000", "Сахалинская обл.", "ул. Ленина" },
    };
    const uint64_t place = r->facet[FACET_ADDRESS];
    const char *const *city = cities[place % ARRAY_SIZE(cities)];
    const char *flat[] = { "офис 5", "кв. 12/1", "", "2 эт. (вход со двора)" };
    const char *house = arena_int(r->arena, 1 + (int64_t)(h % 180)).p;

    switch (a->arg) {
    case 0:
        make_text(ret, arena_join(r->arena, city[3], ", д. ", house, h & 4 ? " корп. \"А\"" : ""));
        return;
    case 1:
        make_text(ret, str_of(flat[h % 4]));
        return;
    default:
        make_text(ret, str_of((const char *[]){
                           "", "", city[0], city[1], "Центральный р-н", city[2], "Россия", "RU" }[a->arg]));
    }
}

void make_company_title(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    static const char *const forms[] = { "ООО", "АО", "ИП", "ПАО", "ГУП", "ЗАО" };
    static const char *const names[] = { "«Ромашка»", "\"Вектор\"", "Иванов & сыновья", "«Строй-Инвест»",
        "Рога и копыта", "&quot;Лидер&quot;", "<Альфа>", "Ёлки-Палки", "ТехноСервис+", "Север/Юг", "O'Key",
        "«Мир кровли» 🏠", "АБВ" };
    struct person p = person_pick(h);

    if (h % 6 == 2)
        make_text(ret, arena_join(r->arena, "ИП ", person_surname(&p, r->arena).p, " ", p.name));
    else
        make_text(ret, arena_join(r->arena, forms[(h >> 8) % ARRAY_SIZE(forms)], " ",
                           names[(h >> 16) % ARRAY_SIZE(names)], h & 0x100000 ? "" : "-",
                           h & 0x100000 ? "" : arena_int(r->arena, (int64_t)(h >> 24) % 1000).p));
}

void make_banking(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    make_text(ret, arena_fmt(r->arena, "р/с 40702810%012llu\r\nБИК 04452%04u\r\nИНН %010llu",
                       (unsigned long long)(h % 1000000000000u), (unsigned)(h >> 40) % 10000,
                       (unsigned long long)(hash_mix(h) % 9999999999u)));
}

void make_communication_time(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    char day[CALENDAR_DAY]; /* the portal's own format, although other times are ISO */

    calendar_day(record_modified_s(r) / DAY_S, day);
    make_text(ret, arena_fmt(r->arena, "%.2s.%.2s.%.4s %02u:%02u:%02u", day + 8, day + 5, day,
                       (unsigned)h % 24, (unsigned)(h >> 8) % 60, (unsigned)(h >> 16) % 60));
}

/* How many phones, e-mails… a record has: one lot for the list and for HAS_PHONE. */
static int comm_count(const struct record *r, int what)
{
    static const unsigned char most[COMMS] = { 3, 2, 1, 1, 1 }, share[COMMS] = { 80, 65, 12, 10, 2 };
    const uint64_t h = hash_two(r->facet[FACET_COMM], (uint64_t)what + 77);

    if (hash_below(h, 100) >= share[what])
        return 0;
    return h % 4 > 0 ? 1 : 1 + (int)((h >> 8) % most[what]);
}

void make_has(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    ret->kind = VALUE_BOOL;
    ret->i = comm_count(r, a->arg) > 0;
}

static struct str comm_text(const struct record *r, int what, uint64_t h)
{
    static const char *const phones[] = { "+7 (9%02u) %03u-%02u-%02u", "89%02u%03u%02u%02u",
        "+79%02u%03u%02u%02u", "8 (49%u) %u-%u-%u доб. 15" };
    const struct person p = person_of(r);

    switch (what) {
    case COMM_PHONE: {
        const unsigned f = (unsigned)(h >> 60) % 4, u = (unsigned)(h >> 8);
        char text[64];
        const unsigned part[] = { u % 90 + 10, u / 90 % 900 + 100, u / 81000 % 90 + 10,
            u / 7290000 % 90 + 10 };
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof(text), phones[f], part[0], part[1], part[2], part[3]);
#pragma GCC diagnostic pop
        return arena_copy(r->arena, str_of(text));
    }
    case COMM_EMAIL:
        return arena_join(r->arena, person_latin(&p), ".", arena_int(r->arena, (int64_t)(h % 9000)).p,
            h & 0x10000 ? "@example.ru" : "@пример.рф");
    case COMM_WEB:
        return arena_join(r->arena, "https://", person_latin(&p), ".example/?a=1&b='2'");
    case COMM_IM:
        return arena_join(r->arena, "@", person_latin(&p), arena_int(r->arena, (int64_t)(h % 100)).p);
    default:
        return arena_join(r->arena, "https://vk.example/", person_latin(&p));
    }
}

void make_comm(
    const struct record *r, const struct attr *a, uint64_t h, struct value *ret) /* arg: enum comm */
{
    static const char *const types[COMMS][4] = { { "WORK", "MOBILE", "HOME", "OTHER" },
        { "WORK", "HOME", "MAILING", "OTHER" }, { "WORK", "VK", "OTHER", "HOME" },
        { "TELEGRAM", "VK", "VIBER", "OPENLINE" }, { "USER", "USER", "USER", "USER" } };
    const int count = comm_count(r, a->arg);

    if (count == 0)
        return;
    struct value *items = arena_get(r->arena, (size_t)count * sizeof(*items));
    for (int i = 0; i < count; i++) {
        const uint64_t one = hash_two(h, (uint64_t)i);
        items[i] = (struct value){ .kind = VALUE_COMM,
            .i = 150 + (int64_t)r->n * 16 + a->arg * 3 + i,
            .text = comm_text(r, a->arg, one),
            .extra = str_of(types[a->arg][one % 4]),
            .more = str_of(a->name) };
    }
    *ret = (struct value){ .kind = VALUE_LIST, .form = ret->form, .items = items, .count = count };
}
