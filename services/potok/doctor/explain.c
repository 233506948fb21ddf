#include "explain.h"

#include "base/guess.h"
#include "base/mem.h"
#include "words/say.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

const struct explanation EXPLANATIONS[] = {
#define EXPLAIN(code, text, least, most, blame, habit, ru, en, ru_cure, en_cure) \
    { code, text, least, most, blame, habit, ru, en, ru_cure, en_cure },
#include "explain.def"
#undef EXPLAIN
};
const int EXPLANATION_COUNT = ARRAY_SIZE(EXPLANATIONS);

static bool is_letter(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Is `part` in `whole`, in any case? word: not as a piece of a longer word. */
static bool has(struct str whole, const char *part, bool word)
{
    size_t n = strlen(part);

    for (size_t i = 0; i + n <= whole.n; i++) {
        if (strncasecmp(whole.p + i, part, n) != 0)
            continue;
        if (!word ||
            ((i == 0 || !is_letter(whole.p[i - 1])) && (i + n == whole.n || !is_letter(whole.p[i + n]))))
            return true;
    }
    return false;
}

/* A row that is known by words or a code. */
static const struct explanation *row_named(struct str code, struct str description)
{
    for (int i = 0; i < EXPLANATION_COUNT; i++) {
        const struct explanation *e = &EXPLANATIONS[i];

        if (e->code[0] != '\0'
                ? str_case_eq(code, str_of(e->code)) && has(description, e->text, false)
                : e->text[0] != '\0' && (has(description, e->text, false) || has(code, e->text, false)))
            return e;
    }
    return NULL;
}

static const struct explanation *row_of_status(int status)
{
    for (int i = 0; i < EXPLANATION_COUNT; i++) {
        const struct explanation *e = &EXPLANATIONS[i];

        if (e->least > 0 && e->text[0] == '\0' && status >= e->least && status <= e->most)
            return e;
    }
    return NULL;
}

const struct explanation *explain_error(int status, struct str code, struct str description)
{
    const struct explanation *e = row_named(code, description);

    return e != NULL ? e : row_of_status(status);
}

/* The longest code in the words that is no number: "ERROR_NOT_FOUND" rather than "NOT_FOUND". */
static const struct explanation *row_of_code_in(struct str words)
{
    const struct explanation *best = NULL;

    for (int i = 0; i < EXPLANATION_COUNT; i++) {
        const struct explanation *e = &EXPLANATIONS[i];

        if (e->code[0] == '\0' || isdigit((unsigned char)e->code[0]) || !has(words, e->code, true) ||
            !has(words, e->text, false))
            continue;
        if (best == NULL || strlen(e->code) > strlen(best->code))
            best = e;
    }
    return best;
}

/* "… HTTP 503 …" -> 503. */
static int status_in(struct str words)
{
    for (size_t i = 0; i + 8 <= words.n; i++) {
        if (strncasecmp(words.p + i, "HTTP ", 5) == 0 && isdigit((unsigned char)words.p[i + 5]))
            return atoi((char[]){ words.p[i + 5], words.p[i + 6], words.p[i + 7], '\0' });
    }
    return 0;
}

static struct str trim(struct str s)
{
    while (s.n > 0 && isspace((unsigned char)s.p[0]))
        s = (struct str){ s.p + 1, s.n - 1 };
    while (s.n > 0 && isspace((unsigned char)s.p[s.n - 1]))
        s.n--;
    return s;
}

const struct explanation *explain_words(struct str words)
{
    const struct explanation *e;
    uint64_t status;

    words = trim(words);
    if (words.n == 0)
        return NULL;
    e = row_named(words, words);
    if (e == NULL || e->code[0] == '\0') {
        const struct explanation *of_code = row_of_code_in(words);
        e = of_code != NULL ? of_code : e;
    }
    if (e != NULL)
        return e;
    if (str_u64(words, &status))
        return status < 600 ? row_of_status((int)status) : NULL;
    return row_of_status(status_in(words));
}

const char *explain_name(const struct explanation *e, char *ret, size_t size)
{
    if (e->code[0] != '\0')
        snprintf(ret, size, "%s", e->code);
    else if (e->text[0] != '\0')
        snprintf(ret, size, "%s", e->text);
    else
        snprintf(ret, size, "%d", e->least);
    return ret;
}

/* How far a code is from a word, in any case; a piece of it counts as near. */
static int distance(const char *word, const char *code)
{
    char lower[2][GUESS_SIZE];
    const char *texts[] = { word, code };

    for (int i = 0; i < 2; i++) {
        snprintf(lower[i], GUESS_SIZE, "%s", texts[i]);
        for (char *p = lower[i]; *p != '\0'; p++)
            *p = (char)tolower((unsigned char)*p);
    }
    if (strlen(lower[0]) >= 4 && strstr(lower[1], lower[0]) != NULL)
        return 1;
    if (strlen(lower[0]) >= 8 &&
        strlen(lower[1]) > strlen(lower[0]) + 1) /* its beginning may be all that was remembered */
        lower[1][strlen(lower[0]) + 1] = '\0';
    return guess_distance(lower[0], lower[1]);
}

int explain_guess(const char *word, const struct explanation **ret, int most)
{
    int far = (int)strlen(word) / 3, count = 0, distances[ARRAY_SIZE(EXPLANATIONS)];

    if (strlen(word) >= GUESS_SIZE)
        return 0;
    for (int i = 0; i < EXPLANATION_COUNT; i++) {
        const struct explanation *e = &EXPLANATIONS[i];
        bool again = i > 0 && strcmp(e->code, e[-1].code) == 0;

        distances[i] = e->code[0] == '\0' || again ? far + 1 : distance(word, e->code);
    }
    for (int wanted = 1; wanted <= far; wanted++)
        for (int i = 0; i < EXPLANATION_COUNT && count < most; i++)
            if (distances[i] == wanted)
                ret[count++] = &EXPLANATIONS[i];
    return count;
}

const char *explain_blame(enum blame blame)
{
    static const struct {
        const char *ru, *en;
    } names[] = {
        [BLAME_WEBHOOK] = { "вебхук и права его владельца на портале",
            "the webhook and its owner's rights on the portal" },
        [BLAME_ADDRESS] = { "адрес портала в настройках", "the portal's address in the configuration" },
        [BLAME_PLAN] = { "тариф и оплата портала", "the portal's plan and payment" },
        [BLAME_PORTAL] = { "сам Битрикс24", "Bitrix24 itself" },
        [BLAME_LOAD] = { "нагрузка на портал", "the load on the portal" },
        [BLAME_DATA] = { "данные портала", "the portal's data" },
        [BLAME_NETWORK] = { "сеть между этой машиной и порталом",
            "the network between this machine and the portal" },
        [BLAME_POTOK] = { "скорее всего, ошибка «Потока»", "most likely a mistake of Potok" },
    };
    _Static_assert(ARRAY_SIZE(names) == BLAMES, "words for each");

    return say(names[blame].ru, names[blame].en);
}

const char *explain_habit(enum habit habit)
{
    static const struct {
        const char *ru, *en;
    } names[] = {
        [HABIT_WAITS] = { "ждёт столько, сколько велит портал, и продолжает; ничего не теряется",
            "waits as long as the portal says and goes on; nothing is lost" },
        [HABIT_RETRIES] = { "спрашивает снова, всё реже и по одному запросу; ничего не теряется",
            "asks again, ever more slowly and one request at a time; nothing is lost" },
        [HABIT_STOPS] = { "останавливает портал до следующего `potok sync`; скопированное остаётся как есть",
            "stops the portal until the next `potok sync`; what was mirrored stays as it is" },
        [HABIT_PROBES] = { "десять минут не спрашивает ничего, потом пробует одним запросом, всё реже (до "
                           "четырёх "
                           "часов); сразу пробует по `potok sync`; ничего не теряется",
            "asks nothing for ten minutes, then tries with one request, ever more rarely (up to four hours); "
            "`potok sync` tries at once; nothing is lost" },
        [HABIT_ENTITY] = { "прекращает синхронизацию этой сущности, остальные идут дальше; одну закрытую "
                           "запись "
                           "оставляет как есть и отмечает в potok_reject",
            "ends the sync of this entity, the others go on; a single closed record is left as it is, with a "
            "line in "
            "potok_reject" },
        [HABIT_ASIDE] = { "делит запрос, пока не найдёт запись, на которой он не проходит; её откладывает в "
                          "potok_reject, итог синхронизации: «не всё»",
            "halves the request until it finds the record it cannot get; that one goes to potok_reject, and "
            "the sync "
            "ends as \"partial\"" },
        [HABIT_GONE] = { "отмечает запись удалённой (_deleted_at); последние значения остаются",
            "marks the record as deleted (_deleted_at); its last values stay" },
        [HABIT_SKIPS] = { "одну запись оставляет как есть и отмечает в potok_reject; когда закрыт весь "
                          "список, "
                          "прекращает синхронизацию этой сущности",
            "leaves a single record as it is, with a line in potok_reject; where the whole list is closed, "
            "ends the "
            "sync of this entity" },
        [HABIT_NEVER] = { "такого не вызывает: он только читает", "does not provoke it: it only reads" },
    };
    _Static_assert(ARRAY_SIZE(names) == HABITS, "words for each");

    return say(names[habit].ru, names[habit].en);
}

const char *explain_hint(const char *error_text, char *ret, size_t size)
{
    const struct explanation *e = explain_words(str_of(error_text));
    char name[80];

    ret[0] = '\0';
    if (e == NULL)
        return ret;
    explain_name(e, name, sizeof(name));
    snprintf(ret, size, strchr(name, ' ') != NULL ? "`potok doctor \"%s\"` %s" : "`potok doctor %s` %s", name,
        say("объяснит", "explains"));
    return ret;
}
