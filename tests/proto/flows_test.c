/* The flow pages speak of what exists: vectors, settings, metrics and tables, tests, links. */
#include "base/buf.h"
#include "base/mem.h"
#include "support/check.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FOLDER "proto/flows"

static struct buf sources; /* text of services/ and shared/ */
static const char *page;   /* file name of the one being read */
static int words;

static void load(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "rb");
    char part[4096];

    CHECK(f != NULL);
    for (size_t n; (n = fread(part, 1, sizeof(part), f)) > 0;)
        buf_add(out, part, n);
    fclose(f);
}

static int on_file(const char *path, const struct stat *st, int flag, struct FTW *at)
{
    const char *dot = strrchr(path, '.');

    if (flag == FTW_F && dot != NULL && (strcmp(dot, ".c") == 0 || strcmp(path, "shared/db/tables.md") == 0))
        load(path, &sources);
    return 0;
}

static int setup(void **state)
{
    buf_init(&sources, 64 << 20);
    nftw("services", on_file, 16, FTW_PHYS);
    nftw("shared", on_file, 16, FTW_PHYS);
    return sources.failed ? -1 : 0;
}

static int teardown(void **state)
{
    buf_fini(&sources);
    return 0;
}

static bool is_of(const char *word, const char *letters)
{
    return word[strspn(word, letters)] == '\0';
}

static void must_exist(const char *folder, const char *name, const char *suffix)
{
    char path[512];

    snprintf(path, sizeof(path), "%s%s%s", folder, name, suffix);
    if (access(path, R_OK) != 0)
        fail_msg("%s speaks of %s, which is not there", page, path);
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* A whole word of the sources. */
static bool is_known(const char *word)
{
    size_t n = strlen(word);

    for (const char *p = buf_cstr(&sources); (p = strstr(p, word)) != NULL; p += n)
        if (strchr(LOWER UPPER "_0123456789", p[n]) == NULL)
            return true;
    return false;
}

static void check_word(char *word)
{
    char *labels = strchr(word, '{');

    if (labels != NULL)
        *labels = '\0';
    words++;
    if (strstr(word, ".v1.") != NULL || strstr(word, ".v2.") != NULL)
        must_exist("proto/vectors/", word, ".hex");
    else if (strstr(word, "_test.py") != NULL)
        must_exist(strchr(word, '/') != NULL ? "" : "tests/flow/", word, "");
    else if (strncmp(word, "potok_", 6) == 0 && is_of(word, LOWER "_")) {
        if (!is_known(word))
            fail_msg("%s speaks of the metric or table %s, which no source knows", page, word);
    } else if (strchr(word, '_') != NULL && is_of(word, UPPER "_0123456789")) {
        if (!is_known(word))
            fail_msg("%s speaks of the setting %s, which no source knows", page, word);
    } else {
        words--;
    }
}

/* Calls check_word() for what stands between `...`, and for `](...)` the same as a file beside the page. */
static void check_page(const char *name)
{
    struct buf text;
    char path[512], word[256];

    page = name;
    snprintf(path, sizeof(path), FOLDER "/%s", name);
    buf_init(&text, 1 << 20);
    load(path, &text);
    for (const char *p = buf_cstr(&text); (p = strchr(p, '`')) != NULL; p++) {
        size_t n = strcspn(++p, "`");
        if (p[n] == '\0')
            break;
        snprintf(word, sizeof(word), "%.*s", (int)n, p);
        check_word(word);
        p += n;
    }
    for (const char *p = buf_cstr(&text); (p = strstr(p, "](")) != NULL;) {
        p += 2;
        snprintf(word, sizeof(word), "%.*s", (int)strcspn(p, ")"), p);
        must_exist(FOLDER "/", word, "");
    }
    buf_fini(&text);
}

TEST(flow_pages_speak_of_what_exists)
{
    DIR *dir = opendir(FOLDER);
    int pages = 0;

    CHECK(dir != NULL);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        size_t n = strlen(e->d_name);
        if (n < 3 || strcmp(e->d_name + n - 3, ".md") != 0)
            continue;
        check_page(e->d_name);
        pages++;
    }
    closedir(dir);
    CHECK(pages >= 3);
    CHECK(words > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = { CASE(flow_pages_speak_of_what_exists) };

    return cmocka_run_group_tests(tests, setup, teardown);
}
