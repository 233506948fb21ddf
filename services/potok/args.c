#include "args.h"

#include <string.h>

#define WORD_MAX 32
#define NEAR     2 /* letters that may be wrong in a suggestion */

int args_distance(const char *a, const char *b)
{
    int row[WORD_MAX + 1];
    size_t n = strlen(b);

    if (strlen(a) > WORD_MAX || n > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = (int)j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        int diagonal = row[0];

        row[0] = (int)i;
        for (size_t j = 1; j <= n; j++) {
            int change = diagonal + (a[i - 1] != b[j - 1]);
            int least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;

            diagonal = row[j];
            row[j] = change < least ? change : least;
        }
    }
    return row[n];
}

static int unknown_option(const struct option_def *options, const char *word, struct err *err)
{
    for (int i = 0; options != NULL && options[i].name != NULL; i++) {
        if (args_distance(word, options[i].name) <= NEAR)
            return err_set(err, ERR_CONF, "unknown option %.40s, did you mean %s?", word, options[i].name);
    }
    return err_set(err, ERR_CONF, "unknown option %.40s", word);
}

/* The option's place in the table, or -1; *ret_value: what stands after '='. */
static int option_find(const struct option_def *options, const char *word, const char **ret_value)
{
    size_t n = strcspn(word, "=");

    *ret_value = word[n] == '=' ? word + n + 1 : NULL;
    for (int i = 0; options != NULL && options[i].name != NULL; i++) {
        if (strlen(options[i].name) == n && memcmp(options[i].name, word, n) == 0)
            return i;
        if (options[i].letter != 0 && word[0] == '-' && word[1] == options[i].letter && word[2] == '\0')
            return i;
    }
    return -1;
}

static int option_take(const struct option_def *option, const char *value, int argc, char *const *argv,
    int *at, const char **ret, struct err *err)
{
    if (!option->value) {
        if (value != NULL)
            return err_set(err, ERR_CONF, "%s takes no value", option->name);
        *ret = "";
        return 0;
    }
    if (value == NULL && *at + 1 < argc)
        value = argv[++*at];
    if (value == NULL || value[0] == '\0')
        return err_set(err, ERR_CONF, "%s needs a value", option->name);
    *ret = value;
    return 0;
}

int args_parse(
    const struct option_def *options, int argc, char *const *argv, struct args *ret, struct err *err)
{
    struct args args = { .word_count = 0 };
    bool only_words = false;

    for (int i = 0; i < argc; i++) {
        const char *value;

        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && argv[i][0] == '-' && argv[i][1] != '\0') {
            int at = option_find(options, argv[i], &value);

            if (at < 0)
                return unknown_option(options, argv[i], err);
            if (option_take(&options[at], value, argc, argv, &i, &args.option[at], err) < 0)
                return -1;
        } else if (args.word_count == ARGS_WORDS_MAX) {
            return err_set(err, ERR_CONF, "more than %d words", ARGS_WORDS_MAX);
        } else {
            args.words[args.word_count++] = argv[i];
        }
    }
    *ret = args;
    return 0;
}
