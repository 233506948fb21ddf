#include "say.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static enum language spoken; /* of the process, as the locale is */

void say_init(void)
{
    static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);

        if (value == NULL || value[0] == '\0')
            continue;
        spoken = strncmp(value, "ru", 2) == 0 ? LANGUAGE_RU : LANGUAGE_EN;
        return;
    }
    spoken = LANGUAGE_EN;
}

void say_set(enum language language)
{
    spoken = language;
}

const char *say(const char *ru, const char *en)
{
    return spoken == LANGUAGE_RU ? ru : en;
}

const char *say_count(uint64_t n, char ret[static SAY_COUNT_SIZE])
{
    const char *comma = say("\xc2\xa0", ",");
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
    char *p = ret;

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            p = stpcpy(p, comma);
        *p++ = digits[i];
    }
    *p = '\0';
    return ret;
}

const char *say_span(uint64_t ms, char ret[static SAY_COUNT_SIZE])
{
    unsigned long long s = (ms + 500) / 1000;

    if (s < 3600)
        snprintf(ret, SAY_COUNT_SIZE, "%llu:%02llu", s / 60, s % 60);
    else
        snprintf(ret, SAY_COUNT_SIZE, "%llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
    return ret;
}

const char *say_every(uint64_t seconds, char ret[static SAY_COUNT_SIZE])
{
    static const struct {
        uint64_t seconds;
        const char *ru, *en, *ru_one, *en_one;
    } units[] = { { 3600, "ч", "h", "раз в час", "once an hour" },
        { 60, "мин", "min", "раз в минуту", "once a minute" },
        { 1, "с", "s", "раз в секунду", "once a second" } };
    size_t i = 0;

    while (i + 1 < ARRAY_SIZE(units) && (seconds < units[i].seconds || seconds % units[i].seconds != 0))
        i++;
    if (seconds == units[i].seconds)
        snprintf(ret, SAY_COUNT_SIZE, "%s", say(units[i].ru_one, units[i].en_one));
    else
        snprintf(ret, SAY_COUNT_SIZE, "%s %llu %s", say("раз в", "every"),
            (unsigned long long)(seconds / units[i].seconds), say(units[i].ru, units[i].en));
    return ret;
}

const char *say_time(uint64_t ms, enum say_exact exact, char ret[static SAY_COUNT_SIZE])
{
    static const size_t shown[] = { sizeof("2026-11-21") - 1, sizeof("2026-11-21 09:15") - 1,
        sizeof("2026-11-21 09:15:07") - 1 };
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;

    ret[0] = '\0';
    if (ms > 0)
        strftime(ret, shown[SAY_SECOND] + 1, "%Y-%m-%d %H:%M:%S", localtime_r(&seconds, &tm));
    ret[shown[exact]] = '\0';
    return ret;
}

const char *say_bytes(uint64_t bytes, char ret[static SAY_COUNT_SIZE])
{
    static const char *const ru[] = { "Б", "КБ", "МБ", "ГБ" };
    static const char *const en[] = { "B", "KB", "MB", "GB" };
    double value = (double)bytes;
    int unit = 0;

    for (; value >= 1024 && unit < 3; unit++)
        value /= 1024;
    snprintf(
        ret, SAY_COUNT_SIZE, unit > 0 && value < 10 ? "%.1f %s" : "%.0f %s", value, say(ru[unit], en[unit]));
    return ret;
}

const char *say_plural(uint64_t n, const char *ru_one, const char *ru_few, const char *ru_many,
    const char *en_one, const char *en_many)
{
    const char *ru = ru_many;

    if (n % 100 < 11 || n % 100 > 14) {
        if (n % 10 == 1)
            ru = ru_one;
        else if (n % 10 >= 2 && n % 10 <= 4)
            ru = ru_few;
    }
    return say(ru, n == 1 ? en_one : en_many);
}
