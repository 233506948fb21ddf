/* alarm_book.h - what an operator should know of: what is raised, what was told, what is to be told now. Pure: the clock is an
 * argument; who tells is shared/run/alarm.h. At most ALARMS_MOST entries; one more is refused.
 *
 * Raising what is raised changes nothing but the text. A condition is told when it has lasted as long as its kind wants; again
 * every `repeat_ms` while it lasts; once that it is over, if it was told. One that comes and goes is told at most once in
 * `quiet_ms`. */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define ALARMS_MOST 256

enum alarm_level { ALARM_INFO, ALARM_WARNING, ALARM_ERROR };
enum alarm_after { ALARM_NOW, ALARM_HELD, ALARM_HALF, ALARM_ONCE };
enum alarm_state { ALARM_RAISED, ALARM_REPEATED, ALARM_RESOLVED };

struct alarm_kind {                 /* a row of alarm.def */
    const char *name;
    enum alarm_level level;
    enum alarm_after after;
    const char *ru, *en;            /* subject */
    const char *act_ru, *act_en;
};
extern const struct alarm_kind ALARM_KINDS[];
extern const int ALARM_KIND_COUNT;
const struct alarm_kind *alarm_kind_of(struct str name);        /* NULL: none */
const char *alarm_level_name(enum alarm_level level);           /* "error" */
const char *alarm_state_name(enum alarm_state state);           /* "resolved" */

/* What is wrong where, as who raises it says. NULL texts are empty ones. No secret in them. */
struct alarm {
    const char *name;               /* of alarm.def */
    const char *portal;             /* "": no portal's */
    const char *entity;             /* "": the portal's */
    const char *text;               /* why, for people */
};

struct alarm_now {
    int64_t mono_ms;                /* what is waited for */
    uint64_t wall_ms;               /* what people read */
};

struct alarm_entry {
    const struct alarm_kind *kind;
    char portal[40], entity[65], text[ERR_TEXT_SIZE];
    int64_t since_ms, told_ms, gone_ms, text_ms;    /* monotonic; may lie before 0; ALARM_NEVER */
    uint64_t since_wall_ms, told_wall_ms, gone_wall_ms;
    bool raised;                    /* the condition holds */
    bool shown;                     /* and has lasted long enough; stays when it is over */
    bool known;                     /* somebody said so in this life: it is not only read from a table */
    bool over;                      /* that it is over is to be told */
    bool changed;                   /* what a table holds of it is no longer so */
};
#define ALARM_NEVER INT64_MIN

struct alarm_times {
    int64_t after_ms, quiet_ms, repeat_ms;          /* repeat_ms 0: never */
};

struct alarm_book {
    struct alarm_times times;
    struct alarm_entry *list;       /* owned */
    int count;
    uint64_t refused;               /* for want of room */
};

/* A thing to tell. Views are valid until the book is touched. */
struct alarm_telling {
    const struct alarm_kind *kind;
    const char *portal, *entity, *text;
    enum alarm_state state;
    uint64_t since_ms;              /* wall */
    uint64_t lasted_ms;             /* so far, or in all */
};

/* As a table keeps it. */
struct alarm_row {
    char portal[40], entity[65], name[32], text[ERR_TEXT_SIZE];
    uint64_t since_ms, told_ms, gone_ms;            /* wall; 0: not */
};

void alarm_book_init(struct alarm_book *b, const struct alarm_times *times);
void alarm_book_fini(struct alarm_book *b);
/* False: there is no such name, or no room. */
bool alarm_book_raise(struct alarm_book *b, const struct alarm *what, struct alarm_now now);
/* True: it was raised. */
bool alarm_book_clear(struct alarm_book *b, struct str portal, struct str entity, const char *name, struct alarm_now now);
struct alarm_entry *alarm_book_find(const struct alarm_book *b, struct str portal, struct str entity, const char *name);
/* What is to be told now, one thing a call; it counts as told. Also forgets what is over. */
bool alarm_book_next(struct alarm_book *b, struct alarm_now now, struct alarm_telling *ret);
/* From a table, before anything was raised: not told again, and not repeated until somebody raises it anew. */
void alarm_book_load(struct alarm_book *b, const struct alarm_row *row, struct alarm_now now);
void alarm_row_of(const struct alarm_entry *e, struct alarm_row *ret);
