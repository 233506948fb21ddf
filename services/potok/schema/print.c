/* Descriptions as a table of a terminal and as Markdown: the same cells. */
#include "print.h"

#include "base/mem.h"
#include "words/say.h"
#include "words/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TITLE_CELLS 40 /* of a title or value on a terminal */
#define ITEMS_SHOWN 3

int schema_format_of(const char *name, enum schema_format *ret)
{
    static const char *const names[] = { "table", "markdown", "json" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(names[i], name) == 0) {
            *ret = (enum schema_format)i;
            return 0;
        }
    return -1;
}

/* ---- cells ---- */

/* What a portal's user typed, on one line; on a terminal no wider than a column may be. */
static char *shown(const char *text, enum schema_format format)
{
    char *copy = xstrdup(text);
    struct str fit;

    for (char *p = copy; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = ' ';
    fit = text_fit(str_of(copy), TITLE_CELLS);
    if (format == SCHEMA_TABLE && copy[fit.n] != '\0') {
        char *cut = xasprintf(STR_FMT "…", STR_ARG(fit));
        free(copy);
        copy = cut;
    }
    return copy;
}

__attribute__((format(printf, 2, 3))) static void note(struct buf *out, const char *format, ...)
{
    va_list args;
    char text[400];

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    buf_fmt(out, "%s%s", out->n > 0 ? "; " : "", text);
}

static void items_note(const char *json, struct buf *out)
{
    json_t *items = schema_items(json), *item;
    size_t n = json_array_size(items), i;
    struct buf list;

    buf_init(&list, 4096);
    json_array_foreach(items, i, item) {
        const char *value = json_string_value(json_object_get(item, "value"));

        if (i < ITEMS_SHOWN)
            buf_fmt(&list, "%s%.80s", i > 0 ? ", " : "", value != NULL ? value : "?");
    }
    if (n > 0)
        note(out, "%zu %s: %s%s", n, say_plural(n, "значение", "значения", "значений", "item", "items"),
            buf_cstr(&list), n > ITEMS_SHOWN ? ", …" : "");
    buf_fini(&list);
    json_decref(items);
}

static void notes_of(const struct described_field *f, struct buf *out)
{
    char day[SAY_COUNT_SIZE];

    if (f->gone_ms > 0)
        note(out, "%s %s", say("удалено на портале", "gone since"),
            say_time((uint64_t)f->gone_ms, SAY_DAY, day));
    if (f->held == HOLD_OUT)
        note(out, "%s", say("не копируется (freeze)", "not copied (freeze)"));
    if (f->held == HOLD_ASIDE)
        note(out, "%s", say("отложено (quarantine)", "set aside (quarantine)"));
    if (strcmp(f->type, "unknown") == 0)
        note(out, "%s", say("портал его не описывает", "the portal does not describe it"));
    if (described_retyped(f))
        note(out, "%s %s, %s %s", say("на портале теперь", "at the portal now"), f->kind,
            say("колонка", "the column holds"), f->column_kind);
    if (f->rejected > 0)
        note(out, "%s: %lld", say("не поместилось значений", "values that do not fit"),
            (long long)f->rejected);
    items_note(f->items, out);
}

static void field_add(struct table *t, const struct described_field *f, enum schema_format format)
{
    char day[SAY_COUNT_SIZE], *type = xasprintf("%s%s", f->type, f->multiple ? "[]" : "");
    char *title = shown(f->title, format), *notes;
    const char *kind = f->column[0] == '\0' ? "" : f->column_kind[0] != '\0' ? f->column_kind : f->kind;
    struct buf text;

    buf_init(&text, 8192);
    notes_of(f, &text);
    notes = shown(buf_cstr(&text), SCHEMA_MARKDOWN);
    say_time((uint64_t)f->first_ms, SAY_DAY, day);
    table_add(t, (const char *[]){ f->column, kind, title, f->name, type, day, notes });
    if (described_has_currency(f)) {
        char *column = xasprintf("%s_currency", f->column);

        table_add(
            t, (const char *[]){ column, "text", title, f->name, say("(валюта)", "(currency)"), day, "" });
        free(column);
    }
    buf_fini(&text);
    free(notes);
    free(title);
    free(type);
}

/* ---- tables ---- */

static void markdown_cell(const char *cell, struct buf *out)
{
    buf_str(out, " ");
    for (; *cell != '\0'; cell++) {
        if (strchr("|\\`*_<>[]#", *cell) != NULL)
            buf_char(out, '\\');
        buf_char(out, *cell);
    }
    buf_str(out, " |");
}

static void markdown_render(const struct table *t, struct buf *out)
{
    for (int row = 0; row < t->rows; row++) {
        buf_char(out, '|');
        for (int i = 0; i < t->columns; i++)
            markdown_cell(t->cells[row * t->columns + i], out);
        buf_char(out, '\n');
        if (row > 0)
            continue;
        buf_char(out, '|');
        for (int i = 0; i < t->columns; i++)
            buf_str(out, " --- |");
        buf_char(out, '\n');
    }
}

static void render(const struct table *t, enum schema_format format, bool colour, struct buf *out)
{
    if (format == SCHEMA_MARKDOWN)
        markdown_render(t, out);
    else
        table_render(t, colour, out);
}

/* "12,345 records, 3 deleted, 87 fields, last full sync 2024-08-30 12:30". */
static void figures(const struct described *m, struct buf *out)
{
    char records[SAY_COUNT_SIZE], deleted[SAY_COUNT_SIZE], when[SAY_COUNT_SIZE];

    if (m->records < 0)
        buf_str(out, say("таблицы ещё нет", "there is no table yet"));
    else
        buf_fmt(out, "%s %s, %s: %s", say_count((uint64_t)m->records, records),
            say_plural((uint64_t)m->records, "запись", "записи", "записей", "record", "records"),
            say("удалённых", "deleted"), say_count((uint64_t)m->deleted, deleted));
    buf_fmt(
        out, ", %d %s", m->count, say_plural((uint64_t)m->count, "поле", "поля", "полей", "field", "fields"));
    if (m->full_ms > 0)
        buf_fmt(out, ", %s %s", say("последняя полная синхронизация", "last full sync"),
            say_time((uint64_t)m->full_ms, SAY_MINUTE, when));
}

static void heading(const struct described *m, enum schema_format format, bool colour, struct buf *out)
{
    if (format == SCHEMA_MARKDOWN)
        buf_fmt(out, "## %s\n\n%s %s%s%s%s, %s %s: ", m->table, say("Портал", "Portal"), m->portal,
            m->host[0] != '\0' ? " (" : "", m->host, m->host[0] != '\0' ? ")" : "", say("сущность", "entity"),
            m->entity);
    else
        buf_fmt(out, "%s%s/%s -> %s%s: ", colour ? "\033[1m" : "", m->portal, m->entity, m->table,
            colour ? "\033[0m" : "");
    figures(m, out);
    buf_str(out, format == SCHEMA_MARKDOWN ? ".\n\n" : "\n");
}

/* What a person can do about it. */
static void hints(const struct described *m, struct buf *out)
{
    int held = 0, retyped = 0;

    for (int i = 0; i < m->count; i++) {
        held += m->fields[i].held != HOLD_NOT && m->fields[i].gone_ms == 0;
        retyped += described_retyped(&m->fields[i]);
    }
    if (held > 0)
        buf_fmt(out, "%d %s: potok schema accept %s --all\n", held,
            say_plural((uint64_t)held, "новое поле ждёт решения", "новых поля ждут решения",
                "новых полей ждут решения", "new field waits to be accepted",
                "new fields wait to be accepted"),
            m->entity);
    if (retyped > 0)
        buf_fmt(out, "%d %s: potok schema widen %s --dry-run\n", retyped,
            say_plural((uint64_t)retyped, "колонка не того вида, что поле", "колонки не того вида, что поля",
                "колонок не того вида, что поля", "column is not of its field's kind",
                "columns are not of their fields' kind"),
            m->entity);
}

void schema_print(const struct description *d, enum schema_format format, bool colour, struct buf *out)
{
    const char *heads[] = { say("колонка", "column"), say("вид", "kind"), say("название", "title"),
        say("поле", "field"), say("тип на портале", "portal type"), say("с", "since"),
        say("примечания", "notes") };

    for (int i = 0; i < d->count; i++) {
        const struct described *m = &d->list[i];
        struct table t;

        if (i > 0)
            buf_char(out, '\n');
        heading(m, format, colour, out);
        table_init(&t, ARRAY_SIZE(heads), heads);
        for (int k = 0; k < m->count; k++)
            field_add(&t, &m->fields[k], format);
        render(&t, format, colour, out);
        table_fini(&t);
        if (format == SCHEMA_TABLE)
            hints(m, out);
    }
    if (format == SCHEMA_MARKDOWN)
        buf_fmt(out, "\n%s\n",
            say("У каждой таблицы есть также `_fetched_at` (когда прочитано с портала), `_written_at` (когда "
                "записано) "
                "и `_deleted_at`: не NULL, если записи на портале больше нет.",
                "Every table also has `_fetched_at` (read from the portal), `_written_at` (written here) and "
                "`_deleted_at`: not NULL when the portal no longer has the record."));
}

/* ---- history ---- */

static const char *what_word(const char *what)
{
    static const struct {
        const char *what, *ru, *en;
    } words[] = {
        { "added", "появилось", "added" },
        { "gone", "исчезло", "gone" },
        { "back", "вернулось", "back" },
        { "retyped", "сменило тип", "retyped" },
        { "renamed", "переименовано", "renamed" },
        { "items", "другие значения", "items" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(words[i].what, what) == 0)
            return say(words[i].ru, words[i].en);
    return what;
}

void schema_print_history(
    const struct description *d, enum schema_format format, bool colour, struct buf *out)
{
    const char *heads[] = { say("когда", "when"), say("сущность", "entity"), say("поле", "field"),
        say("что", "what"), say("было", "was"), say("стало", "now") };
    struct table t;

    table_init(&t, ARRAY_SIZE(heads), heads);
    for (int i = 0; i < d->change_count; i++) {
        const struct described_change *c = &d->changes[i];
        char when[SAY_COUNT_SIZE], *entity = xasprintf("%s/%s", c->portal, c->entity);
        char *was = shown(c->was, format), *now = shown(c->now, format);

        say_time((uint64_t)c->at_ms, SAY_MINUTE, when);
        table_add(&t, (const char *[]){ when, entity, c->name, what_word(c->what), was, now });
        free(entity);
        free(was);
        free(now);
    }
    if (d->change_count > 0)
        render(&t, format, colour, out);
    else
        buf_fmt(out, "%s\n", say("поля ещё не менялись", "no field has changed yet"));
    table_fini(&t);
}
