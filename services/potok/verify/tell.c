/* tell.c - what was found, for people and for programs. Values go to standard output alone. */
#include "verify.h"

#include "words/say.h"

#include <stdio.h>

bool verify_is_equal(const struct verify_entity *e)
{
    return e->err.kind == ERR_NONE && e->missing + e->extra + e->different + e->moving == 0 &&
           e->unknown.n == 0;
}

void verify_tell_progress(const struct verify *v, const struct verify_entity *e)
{
    char read[SAY_COUNT_SIZE];

    if (v->progress)
        fprintf(stderr, "\r%s/%s: %s %s\033[K", v->portal->name, e->entity->plural, say_count(e->read, read),
            say("сверено", "compared"));
}

static void tell_difference(const json_t *d)
{
    static const struct {
        const char *what, *ru, *en;
    } words[] = {
        { "missing", "нет здесь", "missing" },
        { "extra", "нет на портале", "extra" },
        { "different", "различается", "different" },
    };
    const char *what = json_string_value(json_object_get(d, "what"));
    const json_t *fields = json_object_get(d, "fields"), *f;
    size_t i;

    for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++)
        if (strcmp(what, words[k].what) == 0)
            printf("  %lld: %s%s\n", (long long)json_integer_value(json_object_get(d, "id")),
                say(words[k].ru, words[k].en),
                json_is_true(json_object_get(d, "altered_here")) ? say(", изменено здесь", ", changed here")
                                                                 : "");
    json_array_foreach(fields, i, f) {
        const char *here = json_string_value(json_object_get(f, "here"));
        const char *portal = json_string_value(json_object_get(f, "portal"));

        printf("    %s: %s %s, %s %s\n", json_string_value(json_object_get(f, "column")),
            say("здесь", "here"), here != NULL ? here : "?", say("на портале", "at the portal"),
            portal != NULL ? portal : "?");
    }
}

static void tell_counts(const struct verify *v, const struct verify_entity *e)
{
    char read[SAY_COUNT_SIZE], rows[SAY_COUNT_SIZE];

    printf("%s/%s: %s %s, %s %s", v->portal->name, e->entity->plural, say_count(e->read, read),
        say_plural(e->read, "запись", "записи", "записей", "record", "records"), say_count(e->rows, rows),
        say_plural(e->rows, "строка", "строки", "строк", "row", "rows"));
    if (e->missing + e->extra + e->different == 0)
        printf(": %s", e->moving == 0 ? say("расхождений нет", "no difference") : "");
    else
        printf(": %s %llu, %s %llu, %s %llu", say("нет здесь", "missing"), (unsigned long long)e->missing,
            say("нет на портале", "extra"), (unsigned long long)e->extra, say("различаются", "different"),
            (unsigned long long)e->different);
    if (e->moving > 0)
        printf("%s%s: %llu", e->missing + e->extra + e->different > 0 ? ", " : "",
            say("ещё ждут чтения или меняются", "still waiting to be read or changing"),
            (unsigned long long)e->moving);
    if (e->missing + e->extra + e->different + e->moving + e->denied == 0 && e->read != e->rows)
        printf(" %s", say("(копия менялась во время сверки)", "(the copy changed meanwhile)"));
    printf("\n");
}

static void tell_healing(const struct verify *v, const struct verify_entity *e)
{
    if (!v->heal || e->marked == 0)
        return;
    printf("  %s: %llu; ", say("помечено для перечитывания", "marked to be read again"),
        (unsigned long long)e->marked);
    if (v->running)
        printf("%s: %llu, %s: %llu\n", say("исправлено", "repaired"), (unsigned long long)e->healed,
            say("осталось", "left"), (unsigned long long)e->left);
    else
        printf("%s\n", say("службы не работают: исправит следующий `potok up`",
                           "no service runs: the next `potok up` repairs them"));
}

void verify_tell(const struct verify *v, const struct verify_entity *e)
{
    size_t listed = json_array_size(e->list);
    uint64_t all = e->missing + e->extra + e->different;

    if (v->progress)
        fprintf(stderr, "\r\033[K");
    if (e->err.kind != ERR_NONE)
        printf("%s/%s: %s: %s\n", v->portal->name, e->entity->plural,
            all == 0 ? say("не сверено", "not compared")
                     : say("не доведено до конца", "not brought to its end"),
            e->err.text);
    if (e->err.kind != ERR_NONE && all == 0)
        return;
    tell_counts(v, e);
    for (size_t i = 0; i < listed; i++)
        tell_difference(json_array_get(e->list, i));
    if (all > listed)
        printf("  … %s %llu\n", say("и ещё", "and more:"), (unsigned long long)(all - listed));
    if (e->denied > 0)
        printf("  %s: %llu\n",
            say("строк, записи которых вебхуку не показаны", "rows whose records the webhook may not see"),
            (unsigned long long)e->denied);
    if (e->unknown.n > 0)
        printf("  %s: " STR_FMT "\n",
            say("новые поля портала; их узнает следующая синхронизация",
                "new fields of the portal; the next sync learns them"),
            STR_ARG(e->unknown));
    tell_healing(v, e);
}

json_t *verify_json(const struct verify *v, const struct verify_entity *e)
{
    json_t *o = json_pack("{s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "portal", v->portal->name,
        "entity", e->entity->plural, "equal", verify_is_equal(e), "records", (json_int_t)e->read, "rows",
        (json_int_t)e->rows, "missing", (json_int_t)e->missing, "extra", (json_int_t)e->extra, "different",
        (json_int_t)e->different, "unsettled", (json_int_t)e->moving, "hidden", (json_int_t)e->denied);

    json_object_set(o, "differences", e->list);
    json_object_set_new(
        o, "new_fields", json_stringn(e->unknown.p != NULL ? e->unknown.p : "", e->unknown.n));
    if (v->heal) {
        json_object_set_new(o, "marked", json_integer((json_int_t)e->marked));
        json_object_set_new(o, "repaired", v->running ? json_integer((json_int_t)e->healed) : json_null());
        json_object_set_new(o, "left", v->running ? json_integer((json_int_t)e->left) : json_null());
    }
    json_object_set_new(o, "error", e->err.kind != ERR_NONE ? json_string(e->err.text) : json_null());
    return o;
}
