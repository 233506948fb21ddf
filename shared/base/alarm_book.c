#include "base/alarm_book.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HALF_MINUTE_MS 30000
#define TEXT_EVERY_MS  60000 /* a text that changes all the time is not written all the time */

#define INFO    ALARM_INFO
#define WARNING ALARM_WARNING
#define ERROR   ALARM_ERROR
#define NOW     ALARM_NOW
#define HELD    ALARM_HELD
#define HALF    ALARM_HALF
#define ONCE    ALARM_ONCE
const struct alarm_kind ALARM_KINDS[] = {
#define ALARM(name, level, after, ru, en, act_ru, act_en) { name, level, after, ru, en, act_ru, act_en },
#include "base/alarm.def"
#undef ALARM
};
#undef INFO
#undef WARNING
#undef ERROR
#undef NOW
#undef HELD
#undef HALF
#undef ONCE
const int ALARM_KIND_COUNT = ARRAY_SIZE(ALARM_KINDS);

const struct alarm_kind *alarm_kind_of(struct str name)
{
    for (int i = 0; i < ALARM_KIND_COUNT; i++)
        if (str_is(name, ALARM_KINDS[i].name))
            return &ALARM_KINDS[i];
    return NULL;
}

const char *alarm_level_name(enum alarm_level level)
{
    static const char *const names[] = { "info", "warning", "error" };

    return names[level];
}

const char *alarm_state_name(enum alarm_state state)
{
    static const char *const names[] = { "raised", "repeated", "resolved" };

    return names[state];
}

void alarm_book_init(struct alarm_book *b, const struct alarm_times *times)
{
    *b = (struct alarm_book){ .times = *times };
}

void alarm_book_fini(struct alarm_book *b)
{
    free(b->list);
    b->list = NULL;
    b->count = 0;
}

static int64_t after_ms(const struct alarm_book *b, const struct alarm_kind *kind)
{
    switch (kind->after) {
    case ALARM_HELD:
        return b->times.after_ms;
    case ALARM_HALF:
        return b->times.after_ms < HALF_MINUTE_MS ? b->times.after_ms : HALF_MINUTE_MS;
    case ALARM_NOW:
    case ALARM_ONCE:
        break;
    }
    return 0;
}

struct alarm_entry *alarm_book_find(
    const struct alarm_book *b, struct str portal, struct str entity, const char *name)
{
    for (int i = 0; i < b->count; i++) {
        struct alarm_entry *e = &b->list[i];

        if (strcmp(e->kind->name, name) == 0 && str_is(portal, e->portal) && str_is(entity, e->entity))
            return e;
    }
    return NULL;
}

static void forget(struct alarm_book *b, struct alarm_entry *e)
{
    *e = b->list[--b->count];
}

/* ---- raised ---- */

static struct alarm_entry *add(
    struct alarm_book *b, const struct alarm_kind *kind, const char *portal, const char *entity)
{
    if (b->count == ALARMS_MOST) {
        b->refused++;
        return NULL;
    }
    b->list = xrealloc(b->list, (size_t)(b->count + 1) * sizeof(*b->list));
    struct alarm_entry *e = &b->list[b->count++];

    *e = (struct alarm_entry){ .kind = kind, .told_ms = ALARM_NEVER, .gone_ms = ALARM_NEVER };
    snprintf(e->portal, sizeof(e->portal), "%s", portal != NULL ? portal : "");
    snprintf(e->entity, sizeof(e->entity), "%s", entity != NULL ? entity : "");
    return e;
}

static void set_text(struct alarm_entry *e, const char *text, int64_t now_ms)
{
    if (text == NULL)
        text = "";
    if (strncmp(e->text, text, sizeof(e->text) - 1) == 0)
        return;
    snprintf(e->text, sizeof(e->text), "%s", text);
    if (!e->shown || now_ms - e->text_ms < TEXT_EVERY_MS)
        return;
    e->text_ms = now_ms;
    e->changed = true;
}

bool alarm_book_raise(struct alarm_book *b, const struct alarm *what, struct alarm_now now)
{
    const struct alarm_kind *kind = alarm_kind_of(str_of(what->name));
    struct alarm_entry *e = alarm_book_find(b, str_of(what->portal), str_of(what->entity), what->name);

    if (e == NULL && kind != NULL)
        e = add(b, kind, what->portal, what->entity);
    if (e == NULL)
        return false;
    e->known = true;
    if (!e->raised && e->over) { /* nobody was told yet that it was over */
        e->raised = true;
        e->over = false;
    } else if (!e->raised) {
        e->raised = true;
        e->shown = false;
        e->since_ms = now.mono_ms;
        e->since_wall_ms = now.wall_ms;
    }
    set_text(e, what->text, now.mono_ms);
    return true;
}

static bool was_told(const struct alarm_entry *e)
{
    return e->told_ms != ALARM_NEVER && e->told_ms >= e->since_ms;
}

static void end(struct alarm_entry *e, struct alarm_now now)
{
    e->raised = false;
    e->gone_ms = now.mono_ms;
    e->gone_wall_ms = now.wall_ms;
}

bool alarm_book_clear(
    struct alarm_book *b, struct str portal, struct str entity, const char *name, struct alarm_now now)
{
    struct alarm_entry *e = alarm_book_find(b, portal, entity, name);

    if (e == NULL || !e->raised)
        return false;
    end(e, now);
    e->over = was_told(e);
    e->changed |= e->shown;
    if (!e->shown && e->told_ms == ALARM_NEVER && !e->changed)
        forget(b, e); /* it did not last: nobody needs to know */
    return true;
}

/* ---- told ---- */

static bool tell(
    struct alarm_entry *e, enum alarm_state state, struct alarm_now now, struct alarm_telling *ret)
{
    int64_t until = state == ALARM_RESOLVED ? e->gone_ms : now.mono_ms;

    *ret = (struct alarm_telling){ .kind = e->kind,
        .portal = e->portal,
        .entity = e->entity,
        .text = e->text,
        .state = state,
        .since_ms = e->since_wall_ms,
        .lasted_ms = until > e->since_ms ? (uint64_t)(until - e->since_ms) : 0 };
    e->changed = true;
    if (state == ALARM_RESOLVED) {
        e->over = false;
        return true;
    }
    e->told_ms = now.mono_ms;
    e->told_wall_ms = now.wall_ms;
    if (e->kind->after == ALARM_ONCE)
        end(e, now);
    return true;
}

static bool tell_raised(
    const struct alarm_book *b, struct alarm_entry *e, struct alarm_now now, struct alarm_telling *ret)
{
    if (!e->shown && now.mono_ms - e->since_ms >= after_ms(b, e->kind)) {
        e->shown = e->changed = true;
        e->text_ms = now.mono_ms;
    }
    if (!e->shown || !e->known)
        return false;

    int64_t ago_ms = e->told_ms != ALARM_NEVER ? now.mono_ms - e->told_ms : INT64_MAX;

    if (!was_told(e))
        return ago_ms >= b->times.quiet_ms && tell(e, ALARM_RAISED, now, ret);
    if (b->times.repeat_ms == 0 || e->kind->level == ALARM_INFO || ago_ms < b->times.repeat_ms)
        return false;
    return tell(e, ALARM_REPEATED, now, ret);
}

static bool is_past(const struct alarm_book *b, const struct alarm_entry *e, struct alarm_now now)
{
    return !e->raised && !e->over && !e->changed &&
           (e->told_ms == ALARM_NEVER || now.mono_ms - e->told_ms >= b->times.quiet_ms);
}

bool alarm_book_next(struct alarm_book *b, struct alarm_now now, struct alarm_telling *ret)
{
    for (int i = b->count - 1; i >= 0; i--)
        if (is_past(b, &b->list[i], now))
            forget(b, &b->list[i]);
    for (int i = 0; i < b->count; i++) {
        struct alarm_entry *e = &b->list[i];

        if (e->over && !e->raised)
            return tell(e, ALARM_RESOLVED, now, ret);
        if (e->raised && tell_raised(b, e, now, ret))
            return true;
    }
    return false;
}

/* ---- kept ---- */

/* An instant of the wall clock by ours; one that has not come yet was written before the clock was moved. */
static int64_t mono_of(uint64_t wall_ms, struct alarm_now now)
{
    return wall_ms < now.wall_ms ? now.mono_ms - (int64_t)(now.wall_ms - wall_ms) : now.mono_ms;
}

void alarm_book_load(struct alarm_book *b, const struct alarm_row *row, struct alarm_now now)
{
    const struct alarm_kind *kind = alarm_kind_of(str_of(row->name));

    if (kind == NULL || alarm_book_find(b, str_of(row->portal), str_of(row->entity), kind->name) != NULL)
        return;
    struct alarm_entry *e = add(b, kind, row->portal, row->entity);

    if (e == NULL)
        return;
    snprintf(e->text, sizeof(e->text), "%s", row->text);
    e->raised = row->gone_ms == 0;
    e->known = e->raised && kind->after == ALARM_ONCE; /* nobody will raise it again */
    e->shown = true;
    e->since_wall_ms = row->since_ms;
    e->since_ms = mono_of(row->since_ms, now);
    e->text_ms = now.mono_ms;
    e->told_wall_ms = row->told_ms;
    e->told_ms = row->told_ms > 0 ? mono_of(row->told_ms, now) : ALARM_NEVER;
    e->gone_wall_ms = row->gone_ms;
    e->gone_ms = row->gone_ms > 0 ? mono_of(row->gone_ms, now) : ALARM_NEVER;
}

void alarm_row_of(const struct alarm_entry *e, struct alarm_row *ret)
{
    *ret = (struct alarm_row){ .since_ms = e->since_wall_ms,
        .told_ms = e->told_ms != ALARM_NEVER ? e->told_wall_ms : 0,
        .gone_ms = e->raised ? 0 : e->gone_wall_ms };
    snprintf(ret->portal, sizeof(ret->portal), "%s", e->portal);
    snprintf(ret->entity, sizeof(ret->entity), "%s", e->entity);
    snprintf(ret->name, sizeof(ret->name), "%s", e->kind->name);
    snprintf(ret->text, sizeof(ret->text), "%s", e->text);
}
