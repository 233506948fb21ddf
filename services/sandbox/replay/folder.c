/* A recording as it lies in a folder: manifest.json, and an exchange a pair of files. */
#include "book.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"

#define RECORDING_FORMAT 1
#define BODY_BYTES_MAX   (64u << 20)
#define EXCHANGES_MAX    10000

static int read_whole(const char *path, char **ret, size_t *ret_n, struct err *err)
{
    FILE *f = fopen(path, "rb");
    struct buf b;
    char room[65536];
    size_t n;

    if (f == NULL)
        return err_set(err, ERR_CONF, "%s: cannot be read", path);
    buf_init(&b, BODY_BYTES_MAX);
    while ((n = fread(room, 1, sizeof(room), f)) > 0)
        buf_add(&b, room, n);
    const bool failed = b.failed || ferror(f);
    fclose(f);
    if (failed) {
        buf_fini(&b);
        return err_set(err, ERR_CONF, "%s: cannot be read, or is over %u bytes", path, BODY_BYTES_MAX);
    }
    (void)buf_cstr(&b);
    *ret = b.p;
    *ret_n = b.n;
    return 0;
}

static int load_one(struct replay_book *b, const char *folder, const char *name, struct err *err)
{
    char path[4096], *body;
    json_error_t why;
    size_t n;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    json_t *about = json_load_file(path, 0, &why);
    if (about == NULL)
        return err_set(err, ERR_CONF, "%s:%d: %s", path, why.line, why.text);
    snprintf(path, sizeof(path), "%s/%.*s.body", folder, (int)(strlen(name) - 5), name);
    int result = read_whole(path, &body, &n, err);
    if (result == 0 && replay_book_add(b, about, body, n, err) < 0)
        result = err_wrap(err, "%s/%s", folder, name);
    json_decref(about);
    return result;
}

static int check_manifest(const char *folder, struct err *err)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/manifest.json", folder);
    json_t *m = json_load_file(path, 0, NULL);
    const json_int_t format = json_integer_value(json_object_get(m, "format"));
    const bool there = m != NULL;
    json_decref(m);
    if (!there)
        return err_set(err, ERR_CONF, "%s: no recording, or one that was not finished", folder);
    if (format != RECORDING_FORMAT)
        return err_set(err, ERR_CONF, "%s: a recording of format %lld, this reads %d", folder,
            (long long)format, RECORDING_FORMAT);
    return 0;
}

static int is_exchange(const struct dirent *e)
{
    const size_t n = strlen(e->d_name);

    return n > 5 && e->d_name[0] >= '0' && e->d_name[0] <= '9' && strcmp(e->d_name + n - 5, ".json") == 0;
}

int replay_book_load(struct replay_book *b, const char *folder, struct err *err)
{
    struct dirent **names = NULL;
    int result = 0;

    *b = (struct replay_book){ .exchanges = NULL };
    if (check_manifest(folder, err) < 0)
        return -1;
    const int n = scandir(folder, &names, is_exchange, alphasort);
    if (n < 0 || n > EXCHANGES_MAX)
        result = err_set(err, ERR_CONF, "%s: cannot be listed", folder);
    for (int i = 0; i < n; i++) {
        if (result == 0)
            result = load_one(b, folder, names[i]->d_name, err);
        free(names[i]);
    }
    free(names);
    replay_book_sort(b);
    if (result < 0)
        replay_book_free(b);
    return result;
}
