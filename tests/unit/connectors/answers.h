/* answers.h - jobs and portal answers for the tests of the Bitrix24 connector. */
#pragma once

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "connectors/bitrix.h"
#include "proto/wire.h"
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

/* A job that owns what its views point to. */
struct asked {
    struct msg_job job;
    struct buf schema;
};

/* Three plain fields, one multiple user field, one multifield. */
static inline struct asked asked_new(const char *kind)
{
    static const struct field fields[] = {
        { STR("ID"), STR("integer"), false, HOLD_NOT },
        { STR("PHONE"), STR("crm_multifield"), true, HOLD_NOT },
        { STR("TITLE"), STR("string"), false, HOLD_NOT },
        { STR("UF_CRM_LIST"), STR("enumeration"), true, HOLD_NOT },
        { STR("UF_CRM_ONE"), STR("string"), false, HOLD_NOT },
    };
    struct asked a = { .job = { .job = 7,
                           .d = 11,
                           .epoch = 1,
                           .portal = STR("main"),
                           .entity = STR("deals"),
                           .table = STR("crm_deals") } };

    a.job.kind = str_of(kind);
    buf_init(&a.schema, 1 << 20);
    schema_encode(fields, ARRAY_SIZE(fields), &a.schema);
    a.job.schema = buf_view(&a.schema);
    return a;
}

static inline struct asked asked_range(uint64_t first, uint64_t last, uint64_t pages)
{
    struct asked a = asked_new("range");

    a.job.first = first;
    a.job.last = last;
    a.job.pages = pages;
    return a;
}

/* 2026-11-21T02:37:00+00:00 */
#define SINCE_MS 1795228620000

static inline struct asked asked_changed(uint64_t first, uint64_t last, uint64_t pages)
{
    struct asked a = asked_new("changed");

    a.job.first = first;
    a.job.last = last;
    a.job.pages = pages;
    a.job.since = SINCE_MS;
    return a;
}

static inline struct asked asked_ids(const char *kind, uint64_t *ids, size_t n)
{
    struct asked a = asked_new(kind);

    a.job.ids = (struct ids){ ids, n };
    return a;
}

static inline void asked_free(struct asked *a)
{
    buf_fini(&a->schema);
}

/* As bitrix_read(), from a text that is not written to. */
static inline int read_status(const struct asked *asked, int status, const char *type, const char *location,
    struct str text, struct bitrix_answer *answer, struct err *err)
{
    char *copy = xcalloc(1, text.n + JSON_PADDING);

    if (text.n > 0)
        memcpy(copy, text.p, text.n);
    *answer = (struct bitrix_answer){ .count = 0 };
    *err = (struct err){ .kind = ERR_NONE };
    int result = bitrix_read(&asked->job, status, type, location, copy, text.n, answer, err);
    free(copy);
    return result;
}

static inline int read_text(
    const struct asked *asked, const char *text, struct bitrix_answer *answer, struct err *err)
{
    return read_status(asked, 200, "application/json", "", str_of(text), answer, err);
}

/* Appends `count` records with ids from..., or as many as there are up to `last`, as a JSON list. */
static inline void add_page(struct buf *b, uint64_t from, int count)
{
    buf_char(b, '[');
    for (int i = 0; i < count; i++)
        buf_fmt(b, "%s{\"ID\":\"%llu\",\"TITLE\":\"Deal %llu\"}", i > 0 ? "," : "",
            (unsigned long long)from + i, (unsigned long long)from + i);
    buf_char(b, ']');
}

/* Ids of the records of an answer as "1 2 3"; valid until the next call. */
static inline const char *ids_read(const struct bitrix_answer *a)
{
    static char text[8192];
    size_t n = 0;
    struct wire w;

    text[0] = '\0';
    wire_init(&w, a->records.p, a->records.n);
    while (!wire_done(&w) && wire_ok(&w)) {
        struct wire id = w;
        CHECK(wire_find(&id, "ID"));
        struct str s = wire_str(&id);
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s" STR_FMT, n > 0 ? " " : "", STR_ARG(s));
        wire_skip(&w);
    }
    CHECK(wire_ok(&w));
    return text;
}
