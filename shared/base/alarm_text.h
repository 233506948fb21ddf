/* alarm_text.h - what is told of an alarm: a message for people, JSON for programs. Pure; texts are masked once more. */
#pragma once

#include "base/alarm_book.h"
#include "base/buf.h"

struct alarm_teller {
    const char *host, *instance;    /* who tells */
    bool russian;
};

/* Is Russian what people read here: "ru", "en", or "" for the locale's (LC_ALL, LC_MESSAGES, LANG). */
bool alarm_speaks_russian(const char *language);
/* Some lines, at most 4096 characters: subject, since when, what to do, why in the words of logs, who says so. */
void alarm_message(const struct alarm_telling *t, const struct alarm_teller *who, struct buf *out);
/* {"name","level","state","portal","entity","subject","text","act","since","lasted_ms","host","instance","message"} */
void alarm_json(const struct alarm_telling *t, const struct alarm_teller *who, struct buf *out);
/* "3 мин", "2 h 5 min". */
void alarm_span(uint64_t ms, bool russian, char ret[static 40]);
