#include "generate.h"

#include "base/mem.h"
#include "hash.h"
#include "record.h"

static const char *const phrases[] = {
    "перезвонить завтра",
    "Клиент просит скидку 5%",
    "КП отправлено на почту",
    "ждём оплату до пятницы",
    "см. \"приложение №1\"",
    "договор 12/А & доп. соглашение",
    "цена < 10 000 ₽",
    "C:\\Документы\\смета.xls",
    "ответ: 'нет'",
    "Звонил\tсекретарь",
    "http://example.com/?a=1&b=2",
    "тест 👩‍👩‍👧‍👦 семья",
    "𠀀𝄞 редкие знаки",
    "Ёж, ъезд, Ы",
    "100 %",
    "naïve café",
    "скидка &nbsp;10&#37;",
    "(без НДС)",
    "+7 900 000-00-00",
    "нулевой\u200Bпробел",
    "строка\u2028разделитель",
    "верт.\vтаб",
};

static const char *const paragraphs[] = {
    "[B]Важно:[/B] согласовать сроки с производством.\r\n",
    "Клиент уточнил: [COLOR=#ff0000]до 15-го числа[/COLOR], иначе уйдёт к конкурентам.\r\n",
    "[URL=https://example.com/?id=5&x='y']ссылка на ТЗ[/URL]\r\n",
    "Отправил КП на сумму 1&nbsp;250&nbsp;000 руб. &quot;под ключ&quot;.\n",
    "👍 Всё понравилось, спасибо! 🎉🎉\r\n",
    "[LIST]\r\n[*]доставка\r\n[*]монтаж <шеф>\r\n[/LIST]\r\n",
    "Созвонились, договорились о встрече в офисе на ул. Ленина, 5.\r\n",
    "NB: договор в папке \\\\server\\docs, пароль спросить у Ольги.\r\n",
    "\"Мы подумаем\" — стандартный ответ; перезвонить через неделю.\r\n",
};

struct str text_short(const struct record *r, uint64_t h)
{
    return str_of(phrases[hash_below(h, ARRAY_SIZE(phrases))]);
}

struct str text_long(const struct record *r, uint64_t h)
{
    const uint32_t lot = hash_below(h, 4000);
    size_t want = 20 + h % 150;

    if (lot < 2) /* somebody pasted a mail thread */
        want = 20000 + h % 40000;
    else if (lot < 40)
        want = 1000 + h % 3000;
    char *p = arena_get(r->arena, want + 256);
    size_t n = 0;
    for (uint64_t i = 0; n < want; i++) {
        const char *s = paragraphs[hash_two(h, i) % ARRAY_SIZE(paragraphs)];
        n = (size_t)(stpcpy(p + n, s) - p);
    }
    return (struct str){ p, n };
}

void make_comment(const struct record *r, const struct attr *a, uint64_t h, struct value *ret)
{
    ret->kind = VALUE_TEXT;
    ret->text = h % 3 == 0 ? text_long(r, h) : text_short(r, h);
}
