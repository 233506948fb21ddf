#include "base/file.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_BYTES      4096
#define SECRET_MAX_BYTES 65536

static int refuse(struct err *err, const char *path, int reason, const char *why)
{
    err_code(err, ERR_CONF, reason, "%s: %s", path, reason ? err_reason(reason) : err_tr(why));
    return -1;
}

/* Reads to the end, not to the size that stat tells: pipes and /proc have none. */
static int read_all(int fd, const char *path, size_t most_bytes, char **ret, size_t *ret_n, struct err *err)
{
    size_t cap = FIRST_BYTES, n = 0;
    char *text = xmalloc(cap);

    for (;;) {
        ssize_t got = read(fd, text + n, cap - n - 1);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || n + (size_t)got > most_bytes) {
            int reason = got < 0 ? errno : 0;
            free(text);
            return refuse(err, path, reason, "the file is too long");
        }
        if (got == 0)
            break;
        n += (size_t)got;
        if (n + 1 == cap)
            text = xrealloc(text, cap *= 2);
    }
    text[n] = '\0';
    *ret = text;
    *ret_n = n;
    return 0;
}

int file_read(const char *path, size_t most_bytes, char **ret, struct err *err)
{
    char *text = NULL;
    size_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return refuse(err, path, errno, NULL);

    int result = read_all(fd, path, most_bytes, &text, &n, err);
    close(fd);
    if (result < 0)
        return -1;
    if (strlen(text) != n) {
        free(text);
        return refuse(err, path, 0, "not a text file: it holds a NUL byte");
    }
    *ret = text;
    return 0;
}

int file_read_secret(const char *path, char **ret, struct err *err)
{
    char *text = NULL;

    if (file_read(path, SECRET_MAX_BYTES, &text, err) < 0)
        return -1;

    size_t n = strlen(text);
    if (n > 0 && text[n - 1] == '\n')
        text[--n] = '\0';
    if (n > 0 && text[n - 1] == '\r')
        text[--n] = '\0';
    *ret = text;
    return 0;
}
