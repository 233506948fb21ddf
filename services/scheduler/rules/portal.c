#include "portal.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An answer of one record tells as much of the envelope as of records: only a mean over many is one. */
#define SEEN_RECORDS 20000

void portal_init(struct portal *p, const struct config_portal *config, uint64_t limit_ms)
{
    *p = (struct portal){ .config = config, .name = str_of(config->name) };
    url_mask(str_of(config_portal_url(config)), p->url, sizeof(p->url));
    bucket_host(config_portal_url(config), p->bucket_host);
    operate_init(&p->operate, limit_ms);
    p->mirrors = xcalloc(PORTAL_ENTITIES_MAX, sizeof(*p->mirrors));
}

void portal_fini(struct portal *p)
{
    for (int i = 0; i < p->mirror_count; i++) {
        free(p->mirrors[i].schema);
        free(p->mirrors[i].unknown);
    }
    free(p->mirrors);
    zone_free(&p->zone);
    guardian_fini(&p->guardian);
    offline_fini(&p->offline);
    while (p->jobs != NULL) {
        struct job *job = p->jobs;

        job_take(&p->jobs, job);
        job_free(&job);
    }
    *p = (struct portal){ 0 };
}

static void add_mirror(struct portal *p, const struct entity *entity)
{
    struct mirror *m;

    if (entity == NULL || p->mirror_count == PORTAL_ENTITIES_MAX ||
        portal_mirror(p, str_of(entity->plural)) >= 0)
        return;
    m = &p->mirrors[p->mirror_count++];
    *m = (struct mirror){ .entity = entity, .marks_due = { true, true } };
    snprintf(m->table, sizeof(m->table), "%s%s", p->config->prefix, entity->plural);
}

int portal_add_mirrors(struct portal *p)
{
    if (p->config->entity_count == 0)
        for (int i = 0; i < ENTITY_COUNT; i++)
            add_mirror(p, &ENTITIES[i]);
    for (int i = 0; i < p->config->entity_count; i++)
        add_mirror(p, entity_of(str_of(p->config->entities[i])));
    return p->mirror_count;
}

int portal_mirror(const struct portal *p, struct str entity)
{
    for (int i = 0; i < p->mirror_count; i++)
        if (str_is(entity, p->mirrors[i].entity->plural) || str_is(entity, p->mirrors[i].entity->singular))
            return i;
    return -1;
}

void portal_good(struct portal *p)
{
    p->ok_count++;
    p->fails = 0;
    if (p->state == PORTAL_WAITING) {
        p->state = PORTAL_OK;
        p->error[0] = '\0';
    }
}

bool portal_is_unwell(const struct portal *p)
{
    return p->fails >= PORTAL_UNWELL;
}

bool portal_bad(struct portal *p, const char *why, uint64_t now_ms)
{
    p->fails++;
    uint64_t pause = portal_is_unwell(p) ? job_backoff(p->fails - PORTAL_UNWELL + 1, p->fails * 977) : 0;

    portal_pause(p, pause < PORTAL_UNWELL_PAUSE_MS ? pause : PORTAL_UNWELL_PAUSE_MS, why, now_ms);
    return p->fails == PORTAL_UNWELL;
}

void portal_pause(struct portal *p, uint64_t for_ms, const char *why, uint64_t now_ms)
{
    if (p->pause_ms < now_ms + for_ms)
        p->pause_ms = now_ms + for_ms;
    if (portal_is_shut(p))
        return;
    p->state = PORTAL_WAITING;
    snprintf(p->error, sizeof(p->error), "%s", why);
}

void portal_stop(struct portal *p, const char *why)
{
    p->state = PORTAL_STOPPED;
    snprintf(p->error, sizeof(p->error), "%s", why);
}

void portal_wait_access(struct portal *p, const char *what)
{
    p->state = PORTAL_UNCONNECTED;
    snprintf(p->error, sizeof(p->error), "%s", what);
}

bool portal_is_shut(const struct portal *p)
{
    return p->state == PORTAL_STOPPED || p->state == PORTAL_UNCONNECTED;
}

void portal_resume(struct portal *p)
{
    if (!portal_is_shut(p))
        return;
    p->state = PORTAL_OK;
    p->error[0] = '\0';
    p->fails = 0;
    p->pause_ms = 0;
}

enum portal_state portal_state_at(const struct portal *p, uint64_t now_ms)
{
    if (p->breaker.open)
        return PORTAL_BLOCKED;
    return p->state == PORTAL_OK && p->pause_ms > now_ms ? PORTAL_WAITING : p->state;
}

const char *portal_state_name(enum portal_state state)
{
    static const char *const names[] = { [PORTAL_OK] = "ok",
        [PORTAL_WAITING] = "waiting",
        [PORTAL_STOPPED] = "stopped",
        [PORTAL_BLOCKED] = "blocked",
        [PORTAL_UNCONNECTED] = "unconnected" };

    return names[state];
}

const char *portal_method(const struct mirror *m, enum job_kind kind, char ret[static 64])
{
    if (kind == JOB_PROBE)
        return NULL;
    snprintf(ret, 64, "%s.%s", m->entity->method, kind == JOB_GET ? "get" : "list");
    return ret;
}

void portal_count_calls(struct portal *p, uint64_t run, int64_t calls)
{
    int i = 0;

    while (i < p->run_calls_count && p->run_calls[i].run != run)
        i++;
    if (i == (int)ARRAY_SIZE(p->run_calls) || run == 0 || calls == 0)
        return;
    if (i == p->run_calls_count)
        p->run_calls[p->run_calls_count++] = (struct run_calls){ run, 0 };
    p->run_calls[i].calls += calls;
}

int64_t portal_calls_of(const struct portal *p, uint64_t run)
{
    for (int i = 0; i < p->run_calls_count; i++)
        if (p->run_calls[i].run == run)
            return p->run_calls[i].calls;
    return 0;
}

void mirror_set_schema(struct mirror *m, struct str schema)
{
    free(m->schema);
    m->schema = schema.n > 0 ? xmalloc(schema.n) : NULL;
    m->schema_bytes = schema.n;
    if (schema.n > 0)
        memcpy(m->schema, schema.p, schema.n);
}

void mirror_saw(struct mirror *m, uint64_t records, uint64_t bytes)
{
    if (records == 0)
        return;
    m->seen_bytes += bytes;
    m->seen_records += records;
    m->record_bytes = m->seen_bytes / m->seen_records + 1;
    if (m->seen_records < SEEN_RECORDS)
        return;
    m->seen_bytes /= 2;
    m->seen_records /= 2;
}

bool mirror_range_failed(struct mirror *m, uint64_t first, uint64_t last)
{
    if (m->one_page_fails++ == 0) {
        m->fail_first = first;
        m->fail_last = last;
        return false;
    }
    m->fail_first = first > m->fail_first ? first : m->fail_first;
    m->fail_last = last < m->fail_last ? last : m->fail_last;
    return m->one_page_fails >= MIRROR_LIST_FAILS && m->fail_first > m->fail_last;
}

void mirror_range_done(struct mirror *m)
{
    m->one_page_fails = 0;
}

static bool has_word(struct str words, struct str word)
{
    for (size_t i = 0; i + word.n <= words.n; i++)
        if ((i == 0 || words.p[i - 1] == ' ') && memcmp(words.p + i, word.p, word.n) == 0 &&
            (i + word.n == words.n || words.p[i + word.n] == ' '))
            return true;
    return false;
}

void mirror_probe_failed(struct mirror *m, const char *why)
{
    m->probe_fails++;
    snprintf(m->probe_error, sizeof(m->probe_error), "%s", why);
}

void mirror_probe_anew(struct mirror *m)
{
    m->probe_fails = 0;
    m->probe_error[0] = '\0';
}

void mirror_unknown(struct mirror *m, struct str names)
{
    size_t i = 0;

    while (i < names.n) {
        size_t from = i;
        while (i < names.n && names.p[i] != ' ')
            i++;
        struct str word = { names.p + from, i - from };
        i++;
        if (word.n == 0 || has_word(str_of(m->unknown), word))
            continue;
        char *more =
            m->unknown == NULL ? str_dup(word) : xasprintf("%s %.*s", m->unknown, (int)word.n, word.p);
        free(m->unknown);
        m->unknown = more;
    }
}

uint64_t portal_entities(const struct portal *p)
{
    uint64_t set = 0;

    for (int i = 0; i < p->mirror_count; i++)
        set |= (uint64_t)1 << (p->mirrors[i].entity - ENTITIES);
    return set;
}
