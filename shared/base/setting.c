#include "base/setting.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/mistakes.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

/* What is known of one setting before any of them is put into the state. */
struct value {
    char *text;      /* owned; never NULL when found */
    char where[320]; /* "environment", "potok.yaml:12", "the file of NAME_FILE" */
    int64_t number;  /* parsed: INT, MS, BOOL */
};

static const struct {
    const char *suffix;
    int64_t ms;
} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 }, { "", 1 } };

static bool parse_ms(struct str s, int64_t *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        size_t n = strlen(units[i].suffix);
        int64_t count;

        if (s.n > n && str_eq((struct str){ s.p + s.n - n, n }, str_of(units[i].suffix)) &&
            str_i64((struct str){ s.p, s.n - n }, &count))
            return !__builtin_mul_overflow(count, units[i].ms, ret);
    }
    return false;
}

static bool parse_bool(struct str s, int64_t *ret)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = { { "true", true }, { "false", false }, { "yes", true }, { "no", false }, { "on", true },
        { "off", false }, { "1", true }, { "0", false } };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (str_case_eq(s, str_of(words[i].word))) {
            *ret = words[i].value;
            return true;
        }
    }
    return false;
}

/* The biggest unit that says it exactly: 60000 -> "1m". */
static void add_ms(struct buf *b, int64_t ms)
{
    for (size_t i = ARRAY_SIZE(units) - 1; i-- > 0;) {
        if (ms != 0 && ms % units[i].ms == 0) {
            buf_fmt(b, "%lld%s", (long long)(ms / units[i].ms), units[i].suffix);
            return;
        }
    }
    buf_fmt(b, "%lld", (long long)ms);
}

static void add_number(struct buf *b, enum setting_type type, int64_t number)
{
    if (type == SETTING_MS)
        add_ms(b, number);
    else
        buf_fmt(b, "%lld", (long long)number);
}

static bool has_range(const struct setting *s)
{
    return (s->type == SETTING_INT || s->type == SETTING_MS) && (s->least != 0 || s->most != 0);
}

static void add_range(struct buf *b, const struct setting *s)
{
    if (!has_range(s))
        return;
    add_number(b, s->type, s->least);
    buf_str(b, "..");
    add_number(b, s->type, s->most);
}

static int refuse(const struct setting *s, const struct value *v, const char *why, struct err *err)
{
    struct buf range;

    buf_init(&range, 128);
    if (has_range(s)) {
        buf_str(&range, " (");
        add_range(&range, s);
        buf_char(&range, ')');
    }
    if (s->type == SETTING_SECRET)
        err_set(err, ERR_CONF, "%s: the value from %s %s", s->name, err_tr(v->where), err_tr(why));
    else
        err_set(err, ERR_CONF, "%s: \"%.64s\" from %s %s%s", s->name, v->text, err_tr(v->where), err_tr(why),
            buf_cstr(&range));
    buf_fini(&range);
    return -1;
}

static int parse(const struct setting *s, struct value *v, struct err *err)
{
    static const char *const kinds[] = {
        [SETTING_INT] = "is not a whole number",
        [SETTING_MS] = "is not a duration like 500ms, 10s or 2m",
        [SETTING_BOOL] = "is neither true nor false",
    };
    struct str text = str_of(v->text);
    bool good = true;

    if (s->type == SETTING_INT)
        good = str_i64(text, &v->number);
    else if (s->type == SETTING_MS)
        good = parse_ms(text, &v->number);
    else if (s->type == SETTING_BOOL)
        good = parse_bool(text, &v->number);
    if (!good)
        return refuse(s, v, kinds[s->type], err);
    if (has_range(s) && (v->number < s->least || v->number > s->most))
        return refuse(s, v, "is out of range", err);
    return 0;
}

static void take(struct value *v, const char *text, const char *where)
{
    v->text = xstrdup(text);
    snprintf(v->where, sizeof(v->where), "%s", where);
}

static int find_in_environment(const struct setting *s, struct value *v, struct err *err)
{
    char name[128];
    const char *text = getenv(s->name);

    if (text && text[0]) {
        take(v, text, "environment");
        return 0;
    }
    snprintf(name, sizeof(name), "%s_FILE", s->name);
    text = getenv(name);
    if (!text || !text[0])
        return 0;
    if (file_read_secret(text, &v->text, err) < 0)
        return err_wrap(err, "%s", name);
    snprintf(v->where, sizeof(v->where), err_tr("the file of %s"), name);
    if (!v->text[0]) {
        free(v->text);
        v->text = NULL;
    }
    return 0;
}

static int find(const struct setting *s, setting_lookup *lookup, void *ctx, struct value *v, struct err *err)
{
    const char *where = "configuration file";

    if (find_in_environment(s, v, err) < 0)
        return -1;
    if (v->text)
        return 0;

    const char *text = lookup ? lookup(ctx, s->name, &where) : NULL;
    if (text && text[0])
        take(v, text, where);
    else
        take(v, s->fallback ? s->fallback : "", "its default");
    return 0;
}

bool setting_is_told(const char *name, setting_lookup *lookup, void *ctx)
{
    const char *where, *text = getenv(name);
    char file[128];

    if (text && text[0])
        return true;
    snprintf(file, sizeof(file), "%s_FILE", name);
    text = getenv(file);
    if (text && text[0])
        return true;
    text = lookup ? lookup(ctx, name, &where) : NULL;
    return text && text[0];
}

/* A number without any default stays 0, in range or not. */
static bool is_absent(const struct setting *s, const struct value *v)
{
    return !v->text[0] && !s->fallback;
}

static void put(const struct setting *s, void *state, struct value *v)
{
    char *at = (char *)state + s->offset;

    switch (s->type) {
    case SETTING_STR:
    case SETTING_SECRET:
        *(char **)at = v->text;
        v->text = NULL;
        break;
    case SETTING_INT:
    case SETTING_MS:
        *(int64_t *)at = v->number;
        break;
    case SETTING_BOOL:
        *(bool *)at = v->number != 0;
        break;
    case SETTING_END:
        break;
    }
}

static size_t count_of(const struct setting *table)
{
    size_t n = 0;

    while (table[n].name)
        n++;
    return n;
}

static int read_value(
    const struct setting *s, setting_lookup *lookup, void *ctx, struct value *v, struct err *err)
{
    if (find(s, lookup, ctx, v, err) < 0)
        return -1;
    return is_absent(s, v) ? 0 : parse(s, v, err);
}

static void read_default(const struct setting *s, struct value *v)
{
    struct err never;

    free(v->text);
    take(v, s->fallback ? s->fallback : "", "its default");
    if (!is_absent(s, v) && parse(s, v, &never) < 0)
        v->number = 0;
}

int settings_load(
    const struct setting *table, void *state, setting_lookup *lookup, void *ctx, struct err *err)
{
    return settings_load_all(table, state, lookup, ctx, NULL, err);
}

int settings_load_all(const struct setting *table, void *state, setting_lookup *lookup, void *ctx,
    struct mistakes *all, struct err *err)
{
    size_t count = count_of(table);
    struct value *values = xcalloc(count, sizeof(*values));
    int result = 0;

    for (size_t i = 0; i < count && result == 0; i++) {
        if (read_value(&table[i], lookup, ctx, &values[i], err) == 0)
            continue;
        result = mistakes_note(all, err);
        if (result == 0)
            read_default(&table[i], &values[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (result == 0)
            put(&table[i], state, &values[i]);
        free(values[i].text);
    }
    free(values);
    return result;
}

void settings_free(const struct setting *table, void *state)
{
    for (const struct setting *s = table; s->name; s++) {
        if (s->type != SETTING_STR && s->type != SETTING_SECRET)
            continue;

        char **at = (char **)((char *)state + s->offset);
        if (*at && s->type == SETTING_SECRET)
            explicit_bzero(*at, strlen(*at));
        free(*at);
        *at = NULL;
    }
}

static bool is_unit_told(const struct setting *s)
{
    return s->unit && s->type != SETTING_MS; /* a duration carries its unit in the value */
}

void settings_help(const struct setting *table, struct buf *out)
{
    for (const struct setting *s = table; s->name; s++) {
        buf_fmt(out, "  %s", s->name);
        if (s->fallback)
            buf_fmt(out, "=%s", s->fallback);
        buf_fmt(out, "\n      %s", s->help);
        if (is_unit_told(s))
            buf_fmt(out, ", %s", s->unit);
        if (has_range(s)) {
            buf_str(out, " (");
            add_range(out, s);
            buf_char(out, ')');
        }
        if (s->type == SETTING_SECRET)
            buf_fmt(out, " (secret; or %s_FILE)", s->name);
        buf_char(out, '\n');
    }
}

static void add_cell(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            buf_char(out, '\\');
        buf_char(out, *text == '\n' ? ' ' : *text);
    }
}

void settings_markdown(const struct setting *table, struct buf *out)
{
    static const char *const kinds[] = { "text", "whole number", "yes/no", "duration", "secret" };

    buf_str(out, "| setting | kind | default | range | what |\n| --- | --- | --- | --- | --- |\n");
    for (const struct setting *s = table; s->name; s++) {
        buf_fmt(out, "| `%s` | %s", s->name, kinds[s->type]);
        if (is_unit_told(s))
            buf_fmt(out, ", %s", s->unit);
        buf_str(out, " | ");
        if (s->fallback && s->fallback[0]) {
            buf_char(out, '`');
            add_cell(out, s->fallback);
            buf_char(out, '`');
        }
        buf_str(out, " | ");
        add_range(out, s);
        buf_str(out, " | ");
        add_cell(out, s->help);
        buf_str(out, " |\n");
    }
}

void settings_dump(const struct setting *table, const void *state, struct buf *out)
{
    for (const struct setting *s = table; s->name; s++) {
        const char *at = (const char *)state + s->offset;

        buf_fmt(out, "%s=", s->name);
        switch (s->type) {
        case SETTING_STR:
            text_mask(str_of(*(char *const *)at), out);
            break;
        case SETTING_SECRET:
            buf_str(out, *(char *const *)at && (*(char *const *)at)[0] ? "(masked)" : "");
            break;
        case SETTING_INT:
        case SETTING_MS:
            add_number(out, s->type, *(const int64_t *)at);
            break;
        case SETTING_BOOL:
            buf_str(out, *(const bool *)at ? "true" : "false");
            break;
        case SETTING_END:
            break;
        }
        buf_char(out, '\n');
    }
}
