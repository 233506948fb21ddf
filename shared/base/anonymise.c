#include "base/anonymise.h"

#include <sodium.h>
#include <stdlib.h>

#include "base/anonymise_date.h"
#include "base/anonymise_text.h"
#include "base/json_walk.h"
#include "base/mem.h"

#define SHORT_SIZE 128 /* texts longer than this are no ids, codes, dates or known words */

static void derive(struct anonymise *a)
{
    uint8_t hash[16];

    crypto_generichash(hash, sizeof(hash), (const uint8_t *)"days", 4, a->key, sizeof(a->key));
    a->shift_days = 35 + (hash[0] << 8 | hash[1]) % 365;
}

int anonymise_init(struct anonymise *a, struct err *err)
{
    *a = (struct anonymise){ .fields = NULL };
    if (sodium_init() < 0)
        return err_set(err, ERR_BUG, "libsodium has no source of chance");
    randombytes_buf(a->key, sizeof(a->key));
    derive(a);
    return 0;
}

void anonymise_keyed(struct anonymise *a, const uint8_t key[static 32])
{
    *a = (struct anonymise){ .fields = NULL };
    if (sodium_init() < 0)
        abort(); /* it cannot fail where chance is not asked for, but says that it may */
    memcpy(a->key, key, sizeof(a->key));
    derive(a);
}

void anonymise_fini(struct anonymise *a)
{
    for (int i = 0; i < a->field_count; i++)
        free(a->fields[i].name);
    free(a->fields);
    sodium_memzero(a, sizeof(*a));
}

/* ---- which rule ---- */

void anonymise_field(struct anonymise *a, struct str name, struct str type)
{
    static const struct {
        const char *type;
        enum anon_rule rule;
    } types[] = {
        { "enumeration", ANON_ID },
        { "employee", ANON_ID },
        { "iblock_element", ANON_ID },
        { "iblock_section", ANON_ID },
        { "hlblock", ANON_ID },
        { "crm", ANON_CODE },
        { "crm_status", ANON_CODE },
    };

    if (name.n < 4 || memcmp(name.p, "UF_", 3) != 0)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (!str_is(type, types[i].type))
            continue;
        a->fields = xrealloc(a->fields, (size_t)(a->field_count + 1) * sizeof(*a->fields));
        a->fields[a->field_count++] = (struct anon_field){ str_dup(name), types[i].rule };
    }
}

static bool is_time_key(struct str key)
{
    static const char *const keys[] = { "start", "finish", "duration", "processing", "date_start",
        "date_finish", "operating_reset_at", "operating" };

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (str_is(key, keys[i]))
            return true;
    return false;
}

/* `title` describes the field that is the key around it; a record's TITLE is content. */
static enum anon_rule label_rule(const struct json_walk *w)
{
    enum anon_rule rule;
    const struct str field = json_walk_key(w, 1);

    return str_is(json_walk_key(w, 0), "title") && anon_rule_of(field, &rule) ? ANON_LABEL : ANON_TEXT;
}

static enum anon_rule rule_of(const struct anonymise *a, const struct json_walk *w, enum anon_rule of_result)
{
    const struct str key = json_walk_key(w, 0);
    enum anon_rule rule;

    if (str_is(key, "result") && w->depth <= 2)
        return of_result;
    if (is_time_key(key) &&
        (str_is(json_walk_key(w, 1), "time") || str_is(json_walk_key(w, 2), "result_time")))
        return ANON_TIME;
    if (str_is(json_walk_key(w, 1), "result_total") || str_is(json_walk_key(w, 1), "result_next"))
        return ANON_ID;
    for (int i = 0; i < a->field_count; i++)
        if (str_is(key, a->fields[i].name))
            return a->fields[i].rule;
    (void)anon_rule_of(key, &rule);
    return rule == ANON_LABEL ? label_rule(w) : rule;
}

/* ---- one value ---- */

static bool may_stay(enum anon_rule rule, const char *text)
{
    static const char *const plain[] = { "", "Y", "N", "0", "1" };
    int64_t days;

    for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
        if (strcmp(text, plain[i]) == 0)
            return true;
    switch (rule) {
    case ANON_ID:
        return anon_is_id(text);
    case ANON_CODE:
        return anon_is_code(text) || anon_words_known(text);
    case ANON_TIME:
        return anon_date_parse(text, &days) || strspn(text, "0123456789.") == strlen(text);
    case ANON_WORDS:
        return anon_words_known(text);
    default:
        return false;
    }
}

static uint32_t chance_of(const uint8_t seed[static 32])
{
    return (uint32_t)seed[0] | (uint32_t)seed[1] << 8 | (uint32_t)seed[2] << 16;
}

/* A date in one of its forms is replaced by another date in the same form. */
static bool move_date(
    const struct anonymise *a, enum anon_rule rule, const uint8_t seed[static 32], char *text)
{
    int64_t days;

    if (!anon_date_parse(text, &days))
        return false;
    anon_date_set(text, days - (rule == ANON_DATE ? a->shift_days : 35 + (int64_t)(chance_of(seed) % 1461)));
    return true;
}

/* The text between a JSON string's quotes, a number, or (escapes false) bytes of any kind. */
static void replace(
    const struct anonymise *a, struct str raw, bool escapes, enum anon_rule rule, struct buf *out)
{
    char text[SHORT_SIZE];
    uint8_t seed[32];
    struct signs signs;

    signs_read(&signs, raw, escapes);
    signs_seed(&signs, a->key, seed);
    const bool is_short = signs_text(&signs, text, sizeof(text));
    if (rule == ANON_LABEL || (is_short && may_stay(rule, text))) {
        buf_add(out, raw.p, raw.n);
    } else if (is_short &&
               move_date(a, rule, seed, text)) { /* one byte is one sign in every form of a date */
        for (size_t i = 0; i < signs.n; i++)
            signs.list[i].code = (uint8_t)text[i];
        signs_write(&signs, out);
    } else {
        signs_mark(&signs);
        signs_replace(&signs, seed);
        signs_write(&signs, out);
    }
    signs_fini(&signs);
}

/* Names of fields stay; a key that is no plain name may be anything. */
static bool key_may_stay(struct str key)
{
    char name[ANON_NAME_SIZE];

    if (key.n == 0)
        return true;
    return anon_name(key, name) && (strspn(name, "0123456789") < strlen(name) || key.n <= 10);
}

/* The exponent of a number is form. */
static void replace_number(const struct anonymise *a, struct str token, enum anon_rule rule, struct buf *out)
{
    size_t n = 0;

    while (n < token.n && (token.p[n] | 0x20) != 'e')
        n++;
    if (rule == ANON_ID || rule == ANON_CODE || rule == ANON_TIME)
        n = 0;
    else
        replace(a, (struct str){ token.p, n }, false, ANON_TEXT, out);
    buf_add(out, token.p + n, token.n - n);
}

static void replace_token(
    const struct anonymise *a, const struct json_walk *w, enum anon_rule of_result, struct buf *out)
{
    const struct str inner = { w->token.p + 1, w->token.n - 2 };

    if (w->kind == JSON_IS_STRING && !(w->is_key && key_may_stay(inner))) {
        buf_char(out, '"');
        replace(a, inner, true, w->is_key ? ANON_TEXT : rule_of(a, w, of_result), out);
        buf_char(out, '"');
    } else if (w->kind == JSON_IS_NUMBER) {
        replace_number(a, w->token, rule_of(a, w, of_result), out);
    } else {
        buf_add(out, w->token.p, w->token.n);
    }
}

int anonymise_json(
    struct anonymise *a, struct str text, enum anon_rule of_result, struct buf *out, struct err *err)
{
    const size_t before = out->n;
    struct json_walk w;
    int more;

    json_walk_init(&w, text);
    while ((more = json_walk_next(&w, err)) > 0) {
        buf_add(out, w.gap.p, w.gap.n);
        replace_token(a, &w, of_result, out);
    }
    if (more < 0) {
        out->n = before;
        return -1;
    }
    buf_add(out, w.gap.p, w.gap.n);
    return 0;
}

void anonymise_text(struct anonymise *a, struct str text, struct buf *out)
{
    replace(a, text, false, ANON_TEXT, out);
}
