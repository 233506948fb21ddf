#include "base/zone.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZONE_FILE_MAX (1 << 20)
#define OFFSET_MOST_S 93600 /* RFC 8536: less than 25 h, more than -26 h */
#define FOLDER        "/usr/share/zoneinfo/"

/* ---- TZif ---- */

struct reader {
    const uint8_t *p, *end;
};

static bool has(const struct reader *r, uint64_t n)
{
    return (uint64_t)(r->end - r->p) >= n;
}

static int64_t big(const uint8_t *p, int bytes)
{
    uint64_t n = bytes > 0 && (p[0] & 0x80) != 0 ? UINT64_MAX : 0;

    for (int i = 0; i < bytes; i++)
        n = n << 8 | p[i];
    return (int64_t)n;
}

struct header {
    int version;
    uint32_t utc, standard, leap, time, type, chars;
};

static bool read_header(struct reader *r, struct header *h)
{
    if (!has(r, 44) || memcmp(r->p, "TZif", 4) != 0)
        return false;
    h->version = r->p[4];
    uint32_t *const counts[] = { &h->utc, &h->standard, &h->leap, &h->time, &h->type, &h->chars };
    for (int i = 0; i < 6; i++)
        *counts[i] = (uint32_t)big(r->p + 20 + 4 * i, 4);
    r->p += 44;
    return true;
}

/* Bytes of the block that a header announces; wide: times of eight bytes. */
static uint64_t block_bytes(const struct header *h, int wide)
{
    return (uint64_t)h->time * (uint64_t)(wide + 1) + (uint64_t)h->type * 6 + h->chars +
           (uint64_t)h->leap * (uint64_t)(wide + 4) + h->standard + h->utc;
}

/* False: an index or a time that cannot be. */
static bool read_block(struct zone *z, const uint8_t *p, const struct header *h, int wide)
{
    const uint8_t *index = p + (uint64_t)h->time * (uint64_t)wide, *types = index + h->time;

    z->at = xcalloc(h->time + 1, sizeof(*z->at));
    z->offset = xcalloc(h->time + 1, sizeof(*z->offset));
    z->count = h->time;
    z->first = (int32_t)big(types, 4);
    if (z->first > OFFSET_MOST_S || z->first < -OFFSET_MOST_S)
        return false;
    for (uint32_t i = 0; i < h->time; i++) {
        z->at[i] = big(p + (uint64_t)i * (uint64_t)wide, wide);
        if (index[i] >= h->type || (i > 0 && z->at[i] <= z->at[i - 1]))
            return false;
        z->offset[i] = (int32_t)big(types + 6 * index[i], 4);
        if (z->offset[i] > OFFSET_MOST_S || z->offset[i] < -OFFSET_MOST_S)
            return false;
    }
    return true;
}

static int no_zone(struct zone *z, struct err *err)
{
    zone_free(z);
    return err_set(err, ERR_CONF, "not a file of the time zone database");
}

/* Without a rule the last offset stays. */
static bool read_rule(struct zone *z, struct reader *r)
{
    int32_t last = z->count > 0 ? z->offset[z->count - 1] : z->first;
    const uint8_t *end;

    z->rule = (struct zone_rule){ .standard = last };
    if (!has(r, 2) || *r->p != '\n')
        return false;
    r->p++;
    end = memchr(r->p, '\n', (size_t)(r->end - r->p));
    if (end == NULL)
        return false;
    struct str text = { (const char *)r->p, (size_t)(end - r->p) };
    return text.n == 0 || zone_rule_parse(text, &z->rule);
}

int zone_read(struct zone *ret, struct str file, struct err *err)
{
    struct reader r = { (const uint8_t *)file.p, (const uint8_t *)file.p + file.n };
    struct zone z = { .at = NULL };
    struct header h;
    int wide = 4;

    if (!read_header(&r, &h))
        return no_zone(&z, err);
    if (h.version >= '2') { /* the same again with eight bytes a time, and the rule */
        if (!has(&r, block_bytes(&h, 4)))
            return no_zone(&z, err);
        r.p += block_bytes(&h, 4);
        wide = 8;
        if (!read_header(&r, &h))
            return no_zone(&z, err);
    }
    if (h.type == 0 || !has(&r, block_bytes(&h, wide)) || !read_block(&z, r.p, &h, wide))
        return no_zone(&z, err);
    r.p += block_bytes(&h, wide);
    z.rule = (struct zone_rule){ .standard = z.count > 0 ? z.offset[z.count - 1] : z.first };
    if (wide == 8 && !read_rule(&z, &r))
        return no_zone(&z, err);
    *ret = z;
    return 0;
}

void zone_free(struct zone *z)
{
    free(z->at);
    free(z->offset);
    *z = (struct zone){ .at = NULL };
}

/* ---- names ---- */

/* [+-]hh[[:]mm] */
static bool fixed_offset(const char *name, int32_t *ret)
{
    int hours, minutes = 0, n = 0;

    if (strcmp(name, "UTC") == 0 || strcmp(name, "Z") == 0) {
        *ret = 0;
        return true;
    }
    if ((name[0] != '+' && name[0] != '-') || name[1] < '0' || name[1] > '9')
        return false;
    if (sscanf(name + 1, "%2d%n", &hours, &n) != 1)
        return false;
    const char *rest = name + 1 + n;
    rest += *rest == ':';
    if (*rest != '\0' && (strlen(rest) != 2 || strspn(rest, "0123456789") != 2))
        return false;
    if (*rest != '\0')
        minutes = (rest[0] - '0') * 10 + rest[1] - '0';
    if (hours > 15 || minutes > 59)
        return false;
    *ret = (name[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

/* A name, and no way out of the folder. */
static bool is_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/";
    size_t n = strlen(name);

    return n > 0 && n <= 64 && strspn(name, letters) == n && name[0] != '/' && name[n - 1] != '/' &&
           strstr(name, "//") == NULL;
}

static int read_path(struct zone *ret, const char *path, struct err *err)
{
    FILE *file = fopen(path, "rbe");
    char *bytes;

    if (file == NULL)
        return err_set(err, ERR_CONF, "%s cannot be read", path);
    bytes = xmalloc(ZONE_FILE_MAX);
    size_t n = fread(bytes, 1, ZONE_FILE_MAX, file);
    fclose(file);
    int failed = zone_read(ret, (struct str){ bytes, n }, err);
    free(bytes);
    return failed;
}

int zone_load(struct zone *ret, const char *name, struct err *err)
{
    char path[128];
    struct err why = { 0 };
    int32_t offset;

    if (fixed_offset(name, &offset)) {
        *ret = (struct zone){ .first = offset, .rule = { .standard = offset } };
        return 0;
    }
    if (name[0] != '\0' && !is_name(name))
        return err_set(err, ERR_CONF, "no time zone \"%s\"", name);
    snprintf(path, sizeof(path), "%s%s", name[0] == '\0' ? "/etc/localtime" : FOLDER, name);
    int failed = read_path(ret, path, &why);
    if (failed && name[0] == '\0') { /* a machine that keeps none is at UTC */
        *ret = (struct zone){ .at = NULL };
        return 0;
    }
    return failed ? err_set(err, ERR_CONF, "no time zone \"%s\" (such as Europe/Moscow or +03:00)", name) : 0;
}

/* ---- use ---- */

/* How many changes lie at or before t. */
static size_t changes_until(const struct zone *z, int64_t t)
{
    size_t low = 0, high = z->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (z->at[middle] <= t)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int32_t zone_offset(const struct zone *z, int64_t t)
{
    size_t n = changes_until(z, t);

    if (n == z->count)
        return zone_rule_offset(&z->rule, t);
    return n > 0 ? z->offset[n - 1] : z->first;
}

/* The first instant in (low, high] with the offset of high; that of low is another. */
static int64_t change_between(const struct zone *z, int64_t low, int64_t high)
{
    int32_t after = zone_offset(z, high);

    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (zone_offset(z, middle) == after)
            high = middle;
        else
            low = middle;
    }
    return high;
}

int zone_instants(const struct zone *z, int64_t local, int64_t ret[2])
{
    int32_t before = zone_offset(z, local - 2 * OFFSET_MOST_S),
            after = zone_offset(z, local + 2 * OFFSET_MOST_S);
    int64_t a = local - (before > after ? before : after), b = local - (before > after ? after : before);
    bool first = zone_offset(z, a) == local - a, second = zone_offset(z, b) == local - b;

    if (!first && !second) { /* a gap */
        ret[0] = change_between(z, local - 2 * OFFSET_MOST_S, local + 2 * OFFSET_MOST_S);
        return 0;
    }
    ret[0] = first ? a : b;
    ret[1] = b;
    return first && second && a != b ? 2 : 1;
}
