#include "dir.h"

#include "base/buf.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char *part(const char *from, size_t n)
{
    return n > 0 ? xstrndup(from, n) : NULL;
}

/* https://HOST[:port]/rest/USER/SECRET/ */
static void take_url(struct record_dir *d, const char *url)
{
    const char *host = strstr(url, "://"), *user = strstr(url, "/rest/");

    if (host != NULL)
        d->host = part(host + 3, strcspn(host + 3, ":/"));
    const char *secret = user != NULL ? strchr(user + 6, '/') : NULL;
    if (secret != NULL)
        d->secret = part(secret + 1, strcspn(secret + 1, "/"));
}

static int check_empty(const char *path, struct err *err)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    bool empty = true;

    if (dir == NULL)
        return err_set(err, ERR_CONF, "%s: %s", path, strerror(errno));
    while ((e = readdir(dir)) != NULL)
        empty &= strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    closedir(dir);
    return empty ? 0 : err_set(err, ERR_CONF, "%s is not empty: give a folder that does not exist yet", path);
}

int record_dir_open(struct record_dir *d, const char *path, const char *url, struct err *err)
{
    *d = (struct record_dir){ .path = NULL };
    if (mkdir(path, 0700) < 0) {
        if (errno != EEXIST)
            return err_set(err, ERR_CONF, "%s: %s", path, strerror(errno));
        if (check_empty(path, err) < 0)
            return -1;
    }
    d->path = xstrdup(path);
    take_url(d, url);
    return 0;
}

void record_dir_close(struct record_dir *d)
{
    free(d->path);
    free(d->secret);
    free(d->host);
    *d = (struct record_dir){ .path = NULL };
}

void record_dir_discard(struct record_dir *d)
{
    (void)rmdir(d->path);
}

static int write_file(const struct record_dir *d, const char *name, struct str text, struct err *err)
{
    char path[4096];
    size_t done = 0;
    ssize_t n = 0;

    snprintf(path, sizeof(path), "%s/%s", d->path, name);
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    while (fd >= 0 && done < text.n && (n = write(fd, text.p + done, text.n - done)) >= 0)
        done += (size_t)n;
    const int failed = fd < 0 || n < 0 ? errno : 0;
    if (fd >= 0 && close(fd) < 0 && failed == 0)
        return err_set(err, ERR_PERM, "%s: %s", path, strerror(errno));
    return failed != 0 ? err_set(err, ERR_CONF, "%s: %s", path, strerror(failed)) : 0;
}

static bool holds(struct str text, const char *word)
{
    const size_t n = word != NULL ? strlen(word) : 0;

    for (size_t i = 0; n > 0 && i + n <= text.n; i++)
        if (strncasecmp(text.p + i, word, n) == 0)
            return true;
    return false;
}

static void describe(const struct record_dir *d, const struct record_exchange *x, struct buf *out)
{
    buf_fmt(out, "{\"n\":%d,\"row\":\"%s\",\"facts\":\"%s\",\n \"why\":", d->count, x->row, x->facts);
    buf_json(out, str_of(x->why));
    buf_fmt(out, ",\n \"method\":\"%s\",\n \"params\":" STR_FMT ",\n", x->method, STR_ARG(x->params));
    if (x->wrong_secret)
        buf_str(out, " \"secret\":\"wrong\",\n");
    if (x->of_records)
        buf_str(out, " \"records\":true,\n");
    buf_fmt(out, " \"status\":%d,\"ms\":%" PRIu64 ",\"headers\":{\"content-type\":", x->status, x->took_ms);
    buf_json(out, str_of(x->content_type));
    if (x->retry_after_ms > 0)
        buf_fmt(out, ",\"retry-after\":\"%" PRIu64 "\"", x->retry_after_ms / 1000);
    if (x->moved)
        buf_str(out, ",\"location\":\"https://portal.example/\"");
    buf_str(out, "}}\n");
}

int record_dir_add(struct record_dir *d, const struct record_exchange *x, struct err *err)
{
    char name[128];
    struct buf about;
    int result = -1;

    d->count++;
    buf_init(&about, 1 << 20);
    describe(d, x, &about);
    if (holds(x->body, d->secret) || holds(x->body, d->host) || holds(buf_view(&about), d->secret) ||
        holds(buf_view(&about), d->host)) {
        err_set(err, ERR_PERM, "the answer shows the webhook or the portal's address");
        d->count--;
    } else {
        snprintf(name, sizeof(name), "%03d-%.20s-%.64s.body", d->count, x->row, x->method);
        result = write_file(d, name, x->body, err);
        snprintf(name, sizeof(name), "%03d-%.20s-%.64s.json", d->count, x->row, x->method);
        if (result == 0)
            result = write_file(d, name, buf_view(&about), err);
    }
    buf_fini(&about);
    return result;
}

int record_dir_finish(struct record_dir *d, struct str manifest, struct err *err)
{
    return write_file(d, "manifest.json", manifest, err);
}
