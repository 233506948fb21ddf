/* say.h - what people read: Russian where the locale says so, else English; numbers and times in their way.
 * The language is the process's; one thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum language { LANGUAGE_EN, LANGUAGE_RU };

/* From the first of LC_ALL, LC_MESSAGES, LANG that is set. main() calls it once; tests call it again. */
void say_init(void);
void say_set(enum language language);
const char *say(const char *ru, const char *en) __attribute__((format_arg(1), format_arg(2)));

#define SAY_COUNT_SIZE 40
/* 1234567 -> "1,234,567" or "1 234 567" (with no-break blanks). */
const char *say_count(uint64_t n, char ret[static SAY_COUNT_SIZE]);
/* 75000 ms -> "1:15", 3675000 -> "1:01:15". */
/* "раз в минуту", "every 90 s". */
const char *say_every(uint64_t seconds, char ret[static SAY_COUNT_SIZE]);
const char *say_span(uint64_t ms, char ret[static SAY_COUNT_SIZE]);
enum say_exact { SAY_DAY, SAY_MINUTE, SAY_SECOND };
/* Unix ms -> "2026-11-21", "… 09:15", "… 09:15:07", on this machine's clock; 0 -> "". */
const char *say_time(uint64_t ms, enum say_exact exact, char ret[static SAY_COUNT_SIZE]);
/* 1572864 -> "1.5 MB". */
const char *say_bytes(uint64_t bytes, char ret[static SAY_COUNT_SIZE]);
/* The form of a noun after n: запись, записи, записей; English takes one and many. */
const char *say_plural(uint64_t n, const char *ru_one, const char *ru_few, const char *ru_many, const char *en_one,
    const char *en_many);
