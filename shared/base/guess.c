#include "base/guess.h"

#include "base/mem.h"

#define FAR 99

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Optimal string alignment, three rows of the table at a time. */
int guess_distance(const char *a, const char *b)
{
    int rows[3][GUESS_SIZE];
    size_t n = strlen(a), m = strlen(b);

    if (n >= GUESS_SIZE || m >= GUESS_SIZE)
        return FAR;
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        int *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

        row[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

const char *guess_word(const char *word, const char *const *known)
{
    const char *best = NULL;
    int best_distance = FAR;

    for (; *known; known++) {
        int distance = guess_distance(word, *known);

        if (distance < best_distance && distance <= 2 && distance < (int)strlen(*known)) {
            best = *known;
            best_distance = distance;
        }
    }
    return best;
}

struct ask {
    const char *(*entity)(struct str name);
    bool (*setting)(const char *name);
    char *ret;
};

static bool is_known(const struct ask *ask, const char *word)
{
    const char *found = NULL;

    if (ask->entity)
        found = ask->entity(str_of(word));
    else if (ask->setting(word))
        found = word;
    if (!found || strlen(found) >= GUESS_SIZE)
        return false;
    memcpy(ask->ret, found, strlen(found) + 1);
    return true;
}

/* The word with `cut` letters from `at` on replaced by c (0 = by nothing). */
static bool try_change(const struct ask *ask, const char *word, size_t at, size_t cut, char c)
{
    char changed[GUESS_SIZE + 2];
    size_t n = strlen(word), have = at;

    memcpy(changed, word, at);
    if (c)
        changed[have++] = c;
    memcpy(changed + have, word + at + cut, n - at - cut + 1);
    return is_known(ask, changed);
}

static bool try_swap(const struct ask *ask, const char *word, size_t at)
{
    char changed[GUESS_SIZE];

    memcpy(changed, word, strlen(word) + 1);
    changed[at] = word[at + 1];
    changed[at + 1] = word[at];
    return is_known(ask, changed);
}

static bool try_all(const struct ask *ask, const char *word, const char *alphabet)
{
    size_t n = strlen(word);

    if (n >= GUESS_SIZE)
        return false;
    if (is_known(ask, word)) /* after a change of case */
        return true;
    for (size_t at = 0; at < n; at++)
        if (try_change(ask, word, at, 1, 0) || (at + 1 < n && try_swap(ask, word, at)))
            return true;
    for (size_t at = 0; at <= n; at++)
        for (const char *c = alphabet; *c; c++)
            if (try_change(ask, word, at, 0, *c) || (at < n && try_change(ask, word, at, 1, *c)))
                return true;
    return false;
}

/* A-Z to a-z or back, and '-' to '_': what people mix up before they mistype. */
static bool copy_word(const char *word, bool upper, char ret[static GUESS_SIZE])
{
    size_t n = strlen(word);

    if (n >= GUESS_SIZE)
        return false;
    for (size_t i = 0; i <= n; i++) {
        char c = word[i] == '-' ? '_' : word[i];

        if (upper && c >= 'a' && c <= 'z')
            c = (char)(c - 32);
        if (!upper && c >= 'A' && c <= 'Z')
            c = (char)(c + 32);
        ret[i] = c;
    }
    return true;
}

bool guess_entity(const char *word, const char *(*ask)(struct str name), char ret[static GUESS_SIZE])
{
    char copy[GUESS_SIZE];

    return ask && copy_word(word, false, copy) &&
           try_all(&(struct ask){ .entity = ask, .ret = ret }, copy, "abcdefghijklmnopqrstuvwxyz_");
}

bool guess_setting(const char *word, bool (*ask)(const char *name), char ret[static GUESS_SIZE])
{
    char copy[GUESS_SIZE];

    return ask && copy_word(word, true, copy) &&
           try_all(
               &(struct ask){ .setting = ask, .ret = ret }, copy, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
}
