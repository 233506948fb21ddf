#include "arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#define CHUNK_BYTES (256u << 10)

struct arena_chunk {
    struct arena_chunk *older;
    size_t used, size;
    _Alignas(16) char bytes[];
};

static struct arena_chunk *chunk_new(size_t size, struct arena_chunk *older)
{
    struct arena_chunk *c = xmalloc(sizeof(*c) + size);

    *c = (struct arena_chunk){ .older = older, .size = size };
    return c;
}

void arena_fini(struct arena *a)
{
    while (a->chunk != NULL) {
        struct arena_chunk *older = a->chunk->older;
        free(a->chunk);
        a->chunk = older;
    }
}

void arena_reset(struct arena *a)
{
    while (a->chunk != NULL && a->chunk->older != NULL) {
        struct arena_chunk *older = a->chunk->older;
        free(a->chunk);
        a->chunk = older;
    }
    if (a->chunk != NULL)
        a->chunk->used = 0;
}

void *arena_get(struct arena *a, size_t n)
{
    n = (n + 15) & ~(size_t)15;
    if (a->chunk == NULL || a->chunk->size - a->chunk->used < n)
        a->chunk = chunk_new(n > CHUNK_BYTES ? n : CHUNK_BYTES, a->chunk);
    char *p = a->chunk->bytes + a->chunk->used;
    a->chunk->used += n;
    return p;
}

struct str arena_copy(struct arena *a, struct str s)
{
    char *p = arena_get(a, s.n + 1);

    if (s.n > 0)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return (struct str){ p, s.n };
}

struct str arena_fmt(struct arena *a, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    const int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return arena_copy(a, (struct str){ text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1 });
}

static char *digits(char *end, uint64_t u)
{
    do
        *--end = (char)('0' + u % 10);
    while ((u /= 10) > 0);
    return end;
}

struct str arena_int(struct arena *a, int64_t value)
{
    char text[24], *end = text + sizeof(text);
    char *p = digits(end, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);

    if (value < 0)
        *--p = '-';
    return arena_copy(a, (struct str){ p, (size_t)(end - p) });
}

struct str arena_decimal(struct arena *a, int64_t units, int scale)
{
    char text[48], *end = text + sizeof(text), *p = end;
    uint64_t u = units < 0 ? 0 - (uint64_t)units : (uint64_t)units;

    for (int i = 0; i < scale; i++, u /= 10)
        *--p = (char)('0' + u % 10);
    if (scale > 0)
        *--p = '.';
    p = digits(p, u);
    if (units < 0)
        *--p = '-';
    return arena_copy(a, (struct str){ p, (size_t)(end - p) });
}

struct str arena_cat(struct arena *a, const char *const *parts, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += strlen(parts[i]);
    char *p = arena_get(a, n + 1), *end = p;
    *end = '\0';
    for (size_t i = 0; i < count; i++)
        end = stpcpy(end, parts[i]);
    return (struct str){ p, n };
}
