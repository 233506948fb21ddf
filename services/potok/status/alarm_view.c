#include "alarm_view.h"

#include "base/alarm_book.h"
#include "base/clock.h"
#include "reading.h"
#include "words/russian.h"
#include "words/say.h"
#include "words/screen.h"
#include "ask/status_ask.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define PAST_MS 86400000

static void put(json_t *o, const char *key, struct str text)
{
    json_object_set_new(o, key, json_stringn(text.p, text.n));
}

static void put_ms(json_t *o, const char *key, struct db_val v)
{
    json_object_set_new(o, key, v.type == DB_INT && v.i > 0 ? json_integer(v.i) : json_null());
}

/* The words of its kind. */
static void put_kind(json_t *o, struct str name)
{
    const struct alarm_kind *kind = alarm_kind_of(name);

    put(o, "name", name);
    json_object_set_new(o, "level", json_string(kind != NULL ? alarm_level_name(kind->level) : ""));
    json_object_set_new(o, "subject", json_string(kind != NULL ? say(kind->ru, kind->en) : ""));
    json_object_set_new(o, "act", json_string(kind != NULL ? say(kind->act_ru, kind->act_en) : ""));
}

static int on_row(void *ctx, const struct db_val *row, int columns)
{
    json_t *o = json_object();

    put(o, "portal", row[0].s);
    put(o, "entity", row[1].s);
    put_kind(o, row[2].s);
    put(o, "text", row[3].s);
    put_ms(o, "since_ms", row[4]);
    put_ms(o, "told_ms", row[5]);
    put_ms(o, "gone_ms", row[6]);
    json_array_append_new(ctx, o);
    return 0;
}

json_t *alarm_view_read(struct reading *r)
{
    json_t *list = json_array();

    if (reading_run(r,
            "SELECT portal, entity, name, coalesce(text, ''), since_ms, told_ms, gone_ms FROM potok_alarm "
            "ORDER BY CASE WHEN gone_ms IS NULL THEN 0 ELSE 1 END, since_ms",
            DB_NOARGS, on_row, list) == 0)
        return list;
    json_decref(list);
    return NULL;
}

void alarm_view_add(json_t *list, const struct ask *a)
{
    for (int i = 0; i < a->count; i++) {
        const json_t *said = json_object_get(a->services[i].detail, "alarms");
        size_t k;
        json_t *one;

        json_array_foreach(said, k, one) {
            json_t *o = json_copy(one);

            put_kind(o, str_of(json_string_value(json_object_get(one, "name"))));
            json_object_set_new(o, "gone_ms", json_null());
            json_object_set_new(o, "instance", json_string(a->services[i].instance));
            json_array_insert_new(list, 0, o);
        }
    }
}

static bool lasts(const json_t *o)
{
    return !json_is_integer(json_object_get(o, "gone_ms"));
}

int alarm_view_count(const json_t *list)
{
    int n = 0;
    size_t i;
    json_t *o;

    json_array_foreach(list, i, o)
        n += lasts(o);
    return n;
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    return text != NULL ? text : "";
}

static const char *level_of(const json_t *o)
{
    static const struct {
        const char *name, *ru, *en;
    } levels[] = { { "error", "АВАРИЯ", "ALARM" }, { "warning", "внимание", "warning" },
        { "info", "к сведению", "notice" } };

    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (strcmp(levels[i].name, text_of(o, "level")) == 0)
            return say(levels[i].ru, levels[i].en);
    return "";
}

static void when(const json_t *o, const char *key, char ret[static 40])
{
    time_t seconds = (time_t)(json_integer_value(json_object_get(o, key)) / 1000);
    struct tm tm;

    strftime(ret, 40, "%Y-%m-%d %H:%M:%S", localtime_r(&seconds, &tm));
}

static void show_one(const json_t *o)
{
    const char *portal = text_of(o, "portal"), *entity = text_of(o, "entity");
    const char *colour = screen_colour() && lasts(o) ? "\033[31m" : "";
    char since[40], gone[40] = "", said[2 * ERR_TEXT_SIZE];

    when(o, "since_ms", since);
    if (!lasts(o))
        when(o, "gone_ms", gone);
    printf("%s%s%s %s%s%s%s%s (%s %s", colour, lasts(o) ? level_of(o) : say("прошло:", "over:"),
        colour[0] != '\0' ? "\033[0m" : "", portal, entity[0] != '\0' ? "/" : "", entity,
        portal[0] != '\0' ? ": " : "", text_of(o, "subject"), say("с", "since"), since);
    if (gone[0] != '\0')
        printf(" %s %s", say("по", "until"), gone);
    printf(")\n");
    if (text_of(o, "text")[0] != '\0')
        printf("  %s\n", russian_message(text_of(o, "text"), said, sizeof(said)));
    if (lasts(o))
        printf("  %s\n", text_of(o, "act"));
}

void alarm_view_show(const json_t *list, bool past)
{
    int64_t now_ms = (int64_t)clock_wall_ms();
    size_t i;
    json_t *o;

    json_array_foreach(list, i, o) {
        if (lasts(o))
            show_one(o);
    }
    json_array_foreach(list, i, o) {
        if (past && !lasts(o) && now_ms - json_integer_value(json_object_get(o, "gone_ms")) < PAST_MS)
            show_one(o);
    }
}
