#include "bucket.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buckets_fini(struct buckets *b)
{
    free(b->list);
    *b = (struct buckets){ 0 };
}

void bucket_host(const char *url, char ret[static BUCKET_HOST_SIZE])
{
    const char *scheme = strstr(url, "://"), *at = scheme != NULL ? scheme + 3 : url;
    size_t n = strcspn(at, "/?#");

    snprintf(ret, BUCKET_HOST_SIZE, "%.*s", (int)n, at);
    for (char *p = ret; *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    n = strlen(ret);
    if (n > 4 && strncmp(url, "http:", 5) != 0 && strcmp(ret + n - 4, ":443") == 0)
        ret[n - 4] = '\0';
}

int bucket_find(const struct buckets *b, const char *host, const char *source)
{
    for (int i = 0; i < b->count; i++)
        if (strcmp(b->list[i].source, source) == 0 && strcmp(b->list[i].host, host) == 0)
            return i;
    return -1;
}

static bool is_idle(const struct bucket *b, uint64_t now_ms)
{
    return b->source[0] != '\0' && pace_level(&b->pace, now_ms) <= 0;
}

/* One whose source no longer calls is taken anew. -1: there are too many. */
static int place(struct buckets *b, uint64_t now_ms)
{
    if (b->count < BUCKETS_MAX) {
        if (b->list == NULL)
            b->list = xcalloc(BUCKETS_MAX, sizeof(*b->list));
        return b->count++;
    }
    for (int i = 0; i < b->count; i++)
        if (is_idle(&b->list[i], now_ms))
            return i;
    return -1;
}

static void lower(struct pace *p, const struct pace *to)
{
    if (to->room < p->room)
        p->room = to->room;
    if (to->drain_per_s < p->drain_per_s)
        p->drain_per_s = to->drain_per_s;
}

int bucket_of(
    struct buckets *b, const char *host, const char *source, struct bucket_tariff t, uint64_t now_ms)
{
    int i = bucket_find(b, host, source);
    struct pace tariff;

    pace_init(&tariff, t.burst, t.drain_per_s, now_ms);
    if (i >= 0) {
        lower(&b->list[i].pace, &tariff);
        return i;
    }

    int first = bucket_find(b, host, "");
    i = place(b, now_ms);
    if (i < 0)
        return first >= 0 ? first : 0;
    struct bucket *one = &b->list[i];
    *one = (struct bucket){ .pace = tariff, .restored = tariff };
    snprintf(one->host, sizeof(one->host), "%s", host);
    snprintf(one->source, sizeof(one->source), "%s", source);
    if (first < 0 || first == i)
        return i;
    lower(&one->pace, &b->list[first].pace);
    one->pace.level = pace_level(&b->list[first].restored, now_ms);
    return i;
}

double buckets_level(const struct buckets *b, const char *host, uint64_t now_ms)
{
    double level = 0;

    for (int i = 0; i < b->count; i++)
        if (strcmp(b->list[i].host, host) == 0 && pace_level(&b->list[i].pace, now_ms) > level)
            level = pace_level(&b->list[i].pace, now_ms);
    return level;
}

void bucket_restore(
    struct buckets *b, int i, double level, uint64_t saved_wall_ms, uint64_t now_wall_ms, uint64_t now_ms)
{
    struct bucket *one = &b->list[i];
    struct pace saved = one->pace;

    pace_restore(&saved, level, saved_wall_ms, now_wall_ms, now_ms);
    if (pace_level(&saved, now_ms) <= pace_level(&one->restored, now_ms))
        return;
    one->restored = saved;
    pace_raise(&one->pace, saved.level, now_ms);
}

void buckets_cover(struct buckets *b, const char *host, uint64_t now_ms)
{
    for (int i = 0; i < b->count; i++) {
        if (strcmp(b->list[i].host, host) != 0)
            continue;
        b->list[i].covered = BUCKET_COVER;
        b->list[i].covered_until_ms = now_ms + BUCKET_COVER_MS;
    }
}

bool bucket_covered(const struct bucket *b, uint64_t now_ms)
{
    return b->covered > 0 && now_ms < b->covered_until_ms;
}
