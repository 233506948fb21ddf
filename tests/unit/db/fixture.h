/* fixture.h - databases of the test's own, and rows read back as text. */
#pragma once

#include "support/check.h"

#include "base/buf.h"
#include "db/db.h"

#include <stdio.h>

/* "sqlite:////tmp/…/<name>"; valid until the next call. */
static inline const char *test_url(const char *name)
{
    static char url[256];

    snprintf(url, sizeof(url), "sqlite:///%s/%s", check_folder(), name);
    return url;
}

static inline const char *test_path(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", check_folder(), name);
    return path;
}

static inline struct db *test_open(const char *name)
{
    struct db *db = NULL;
    struct err err = { 0 };

    CHECK_OK(db_open(&db, test_url(name), &err), err);
    return db;
}

static inline void test_write(struct db *db, const char *sql)
{
    struct err err = { 0 };

    CHECK_OK(db_begin(db, &err), err);
    CHECK_OK(db_run(db, sql, DB_NOARGS, NULL, NULL, NULL, &err), err);
    CHECK_OK(db_commit(db, &err), err);
}

static inline int test_add_row(void *ctx, const struct db_val *row, int columns)
{
    struct buf *out = ctx;

    for (int i = 0; i < columns; i++) {
        if (i > 0)
            buf_char(out, ' ');
        if (row[i].type == DB_NULL)
            buf_str(out, "-");
        else if (row[i].type == DB_INT)
            buf_fmt(out, "%lld", (long long)row[i].i);
        else
            buf_add(out, row[i].s.p, row[i].s.n);
    }
    buf_char(out, ';');
    return 0;
}

/* "1 A;2 -;" - valid until the next call. */
static inline const char *test_rows(struct db *db, const char *sql)
{
    static char text[65536];
    struct err err = { 0 };
    struct buf out;

    buf_init(&out, sizeof(text) - 1);
    CHECK_OK(db_run(db, sql, DB_NOARGS, test_add_row, &out, NULL, &err), err);
    CHECK(!out.failed);
    snprintf(text, sizeof(text), "%s", buf_cstr(&out));
    buf_fini(&out);
    return text;
}

static inline int64_t test_i64(struct db *db, const char *sql)
{
    struct err err = { 0 };
    int64_t value = 0;

    CHECK_OK(db_get_i64(db, sql, DB_NOARGS, -1, &value, &err), err);
    return value;
}
