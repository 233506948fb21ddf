#include "people.h"

#include "base/mem.h"
#include "hash.h"

static const struct {
    const char *name, *son, *daughter;
} men[] = {
    { "Александр", "Александрович", "Александровна" },
    { "Сергей", "Сергеевич", "Сергеевна" },
    { "Дмитрий", "Дмитриевич", "Дмитриевна" },
    { "Андрей", "Андреевич", "Андреевна" },
    { "Алексей", "Алексеевич", "Алексеевна" },
    { "Иван", "Иванович", "Ивановна" },
    { "Никита", "Никитич", "Никитична" },
    { "Илья", "Ильич", "Ильинична" },
    { "Михаил", "Михайлович", "Михайловна" },
    { "Павел", "Павлович", "Павловна" },
    { "Пётр", "Петрович", "Петровна" },
    { "Фёдор", "Фёдорович", "Фёдоровна" },
    { "Лев", "Львович", "Львовна" },
    { "Яков", "Яковлевич", "Яковлевна" },
    { "Николай", "Николаевич", "Николаевна" },
    { "Юрий", "Юрьевич", "Юрьевна" },
    { "Артём", "Артёмович", "Артёмовна" },
    { "Тимур", "Тимурович", "Тимуровна" },
    { "Рустам", "Рустамович", "Рустамовна" },
    { "Игорь", "Игоревич", "Игоревна" },
    { "Владислав", "Владиславович", "Владиславовна" },
    { "Кузьма", "Кузьмич", "Кузьминична" },
};

static const char *const women[] = {
    "Анна",
    "Мария",
    "Елена",
    "Ольга",
    "Наталья",
    "Екатерина",
    "Татьяна",
    "Ирина",
    "Светлана",
    "Юлия",
    "Алёна",
    "Софья",
    "Дарья",
    "Ксения",
    "Любовь",
    "Зульфия",
    "Айгуль",
    "Марина",
    "Вера",
    "Нина",
};

/* stem + ending of the man's and the woman's form; a surname that does not decline has both alike. */
static const struct {
    const char *stem, *man, *woman, *latin;
} surnames[] = {
    { "Иванов", "", "а", "ivanov" },
    { "Петров", "", "а", "petrov" },
    { "Ковалёв", "", "а", "kovalev" },
    { "Соловьёв", "", "а", "solovyov" },
    { "Кузнецов", "", "а", "kuznetsov" },
    { "Зайцев", "", "а", "zaytsev" },
    { "Пушкин", "", "а", "pushkin" },
    { "Ильин", "", "а", "ilyin" },
    { "Мухин", "", "а", "muhin" },
    { "Достоевск", "ий", "ая", "dostoevskiy" },
    { "Чайковск", "ий", "ая", "chaykovskiy" },
    { "Полев", "ой", "ая", "polevoy" },
    { "Толст", "ой", "ая", "tolstoy" },
    { "Бел", "ый", "ая", "belyy" },
    { "Шевченко", "", "", "shevchenko" },
    { "Остапчук", "", "", "ostapchuk" },
    { "Черных", "", "", "chernyh" },
    { "Дурново", "", "", "durnovo" },
    { "Мицкевич", "", "", "mitskevich" },
    { "Гарифуллин", "", "а", "garifullin" },
    { "О'Нил", "", "", "onil" },
    { "Римский-Корсаков", "", "а", "rimskiy-korsakov" },
    { "Щербаков", "", "а", "scherbakov" },
    { "Объедков", "", "а", "obedkov" },
    { "Ёлкин", "", "а", "yolkin" },
    { "Ци", "", "", "tsi" },
    { "Магомедов", "", "а", "magomedov" },
    { "Оганесян", "", "", "oganesyan" },
    { "Ким", "", "", "kim" },
    { "Морозов", "", "а", "morozov" },
};

struct person person_pick(uint64_t h)
{
    struct person p = { .woman = h & 1, .surname = (unsigned)((h >> 1) % ARRAY_SIZE(surnames)) };

    p.father = men[(h >> 12) % ARRAY_SIZE(men)].name;
    p.name = p.woman ? women[(h >> 24) % ARRAY_SIZE(women)] : men[(h >> 24) % ARRAY_SIZE(men)].name;
    return p;
}

const char *person_patronymic(const struct person *p)
{
    for (size_t i = 0; i < ARRAY_SIZE(men); i++) {
        if (men[i].name == p->father)
            return p->woman ? men[i].daughter : men[i].son;
    }
    return "";
}

struct str person_surname(const struct person *p, struct arena *a)
{
    const char *ending = p->woman ? surnames[p->surname].woman : surnames[p->surname].man;

    return arena_join(a, surnames[p->surname].stem, ending);
}

const char *person_latin(const struct person *p)
{
    return surnames[p->surname].latin;
}
