/* What of a text is form and stays: tags, entities, schemes, currencies. */
#include "base/anonymise_text.h"

#include <string.h>

/* The ASCII word of letters and digits at `at`, in lower case; its size, 0 when it is none or too long. */
static size_t word_at(const struct signs *s, size_t at, char ret[static 16])
{
    size_t n = 0;

    while (at + n < s->n && (sign_is_letter(s->list[at + n].code) || sign_is_digit(s->list[at + n].code))) {
        if (n == 15)
            return 0;
        ret[n] = (char)s->list[at + n].code;
        if (sign_is_letter(s->list[at + n].code))
            ret[n] = (char)(ret[n] | 0x20);
        n++;
    }
    ret[n] = '\0';
    return n;
}

static bool is_listed(const char *word, const char *list)
{
    const size_t n = strlen(word);

    for (const char *p = list; (p = strstr(p, word)) != NULL; p += n)
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
            return true;
    return false;
}

static bool code_at(const struct signs *s, size_t at, uint32_t code)
{
    return at < s->n && s->list[at].code == code;
}

static void keep(struct signs *s, size_t at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        s->list[at + i].keep = true;
}

#define ATTRIBUTES_SIGNS_MAX 4096

/* Names of attributes up to the end of the tag; their values are content. */
static void mark_attributes(struct signs *s, size_t at)
{
    const size_t most = at + ATTRIBUTES_SIGNS_MAX;
    char word[16];

    while (at < s->n && at < most && s->list[at].code != '>' && s->list[at].code != '<') {
        size_t n = word_at(s, at, word);
        if (n > 0 && code_at(s, at + n, '=') &&
            is_listed(word, "href src style class target width height alt title"))
            keep(s, at, n);
        at += n > 0 ? n : 1;
    }
}

static void mark_tag(struct signs *s, size_t at)
{
    static const char tags[] =
        "a b i u s p br hr div span ul ol li table thead tbody tr td th strong em img font "
        "h1 h2 h3 h4 h5 h6 blockquote pre code html head body title meta center";
    char word[16];

    at += code_at(s, at, '/');
    size_t n = word_at(s, at, word);
    if (n == 0 || !is_listed(word, tags))
        return;
    if (code_at(s, at + n, '>') || code_at(s, at + n, '/') || code_at(s, at + n, ' ')) {
        keep(s, at, n);
        mark_attributes(s, at + n);
    }
}

static void mark_bbcode(struct signs *s, size_t at)
{
    char word[16];

    at += code_at(s, at, '/');
    size_t n = word_at(s, at, word);
    if (n > 0 && (code_at(s, at + n, ']') || code_at(s, at + n, '=')) &&
        is_listed(word,
            "b i u s p url user list quote code img color size font table tr td th br left right center"))
        keep(s, at, n);
}

static void mark_entity(struct signs *s, size_t at)
{
    char word[16];
    bool numeric = code_at(s, at, '#');
    size_t n = word_at(s, at + numeric, word);

    if (n > 0 && code_at(s, at + numeric + n, ';') &&
        is_listed(word, numeric
                            ? "039 39 34 38 60 62 160"
                            : "amp lt gt quot apos nbsp laquo raquo mdash ndash hellip copy reg bull rub"))
        keep(s, at + numeric, n);
}

/* The scheme before the colon at `at`. */
static void mark_scheme(struct signs *s, size_t at)
{
    char word[16];
    size_t from = at;

    while (from > 0 && at - from < 8 && sign_is_letter(s->list[from - 1].code))
        from--;
    size_t n = word_at(s, from, word);
    if (n > 0 && from + n == at && is_listed(word, "http https mailto tel ftp"))
        keep(s, from, n);
}

/* "1200.50|RUB": what a money field holds. */
static void mark_currency(struct signs *s)
{
    size_t at = 0;

    at += code_at(s, 0, '-');
    while (at < s->n && (sign_is_digit(s->list[at].code) || s->list[at].code == '.'))
        at++;
    if (at + 4 != s->n || !code_at(s, at, '|'))
        return;
    for (size_t i = at + 1; i < s->n; i++)
        if (s->list[i].code < 'A' || s->list[i].code > 'Z')
            return;
    keep(s, at + 1, 3);
}

void signs_mark(struct signs *s)
{
    mark_currency(s);
    for (size_t i = 0; i < s->n; i++) {
        switch (s->list[i].code) {
        case '<':
            mark_tag(s, i + 1);
            break;
        case '[':
            mark_bbcode(s, i + 1);
            break;
        case '&':
            mark_entity(s, i + 1);
            break;
        case ':':
            mark_scheme(s, i);
            break;
        default:
            break;
        }
    }
}
