/* The file of an SQLite database and the turn of its writers.
 *
 * The turn is a lock file with two locks, each on one byte, held by the open file (not by the process, so
 * threads of one process take turns too). Byte 0 is the head of the line, byte 1 the turn: whoever wants the
 * turn first stands at the head, waits there for the turn, and only then leaves the head. With one lock alone
 * the writer that gives the turn would take it again before the one it woke has run, and a busy writer would
 * starve the others. */
#include "db/sqlite.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD = 0, TURN = 1 };

/* What was meant may be a server's address, with its password. */
static int refuse(struct str where, const char *why, struct err *err)
{
    struct buf url;
    char shown[256];

    buf_init(&url, where.n + 16);
    buf_str(&url, "sqlite://");
    buf_add(&url, where.p, where.n);
    url_mask(buf_view(&url), shown, sizeof(shown));
    buf_fini(&url);
    return err_set(err, ERR_CONF, "DATABASE_URL %s: %s", shown, err_tr(why));
}

int sqlite_path(struct str where, char **ret, struct err *err)
{
    char home[4096];

    if (where.n == 0) {
        if (paths_make(paths_home(), "potok.db", home, sizeof(home), err) < 0)
            return -1;
        *ret = xstrdup(home);
        return 0;
    }
    if (where.p[0] != '/')
        return refuse(where,
            "names a host: write sqlite:///relative/path (three slashes) or sqlite:////absolute/path (four)",
            err);

    struct str path = { where.p + 1, where.n - 1 }; /* behind the third slash */
    if (path.n == 0 || memmem(path.p, path.n, ":memory:", 8) != NULL)
        return refuse(where,
            "a database in memory is not possible, several programs share it: give a file, for instance "
            "sqlite:///var/potok.db",
            err);
    if (memchr(path.p, '?', path.n) != NULL || memchr(path.p, '\0', path.n) != NULL)
        return refuse(where, "parameters after '?' are not known: leave them out", err);
    if (path.p[path.n - 1] == '/')
        return refuse(where, "ends in '/': add the name of a file", err);
    *ret = str_dup(path);
    return 0;
}

int sqlite_make_folder(const char *path, struct err *err)
{
    char *copy = xstrdup(path);
    struct stat st;
    int result = 0;

    for (char *p = strchr(copy + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
        *p = '\0';
        if (stat(copy, &st) < 0 && mkdir(copy, 0700) < 0 && errno != EEXIST) {
            result = err_code(err, ERR_CONF, errno,
                "cannot make the folder %s of the database: %s: make it by hand, "
                "or give another DATABASE_URL",
                copy, err_reason(errno));
            break;
        }
        *p = '/';
    }
    free(copy);
    return result;
}

int sqlite_turn_open(struct sqlite *s, struct err *err)
{
    char *path = xasprintf("%s.turn", s->path);

    s->turn_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (s->turn_fd < 0)
        err_code(err, ERR_CONF, errno,
            "cannot write %s: %s: SQLite keeps files beside the database, so its folder "
            "must be writable for this user",
            path, err_reason(errno));
    free(path);
    return s->turn_fd < 0 ? -1 : 0;
}

static int lock_byte(int fd, int byte, short type)
{
    struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };
    int result;

    do
        result = fcntl(fd, F_OFD_SETLKW, &lock);
    while (result < 0 && errno == EINTR);
    return result;
}

int sqlite_turn_take(struct sqlite *s, struct err *err)
{
    if (lock_byte(s->turn_fd, HEAD, F_WRLCK) < 0)
        return err_code(
            err, ERR_TEMP, errno, "%s.turn: cannot stand in line: %s", s->path, err_reason(errno));
    if (lock_byte(s->turn_fd, TURN, F_WRLCK) < 0) {
        err_code(err, ERR_TEMP, errno, "%s.turn: cannot take the turn: %s", s->path, err_reason(errno));
        sqlite_turn_give(s);
        return -1;
    }
    lock_byte(s->turn_fd, HEAD, F_UNLCK);
    return 0;
}

void sqlite_turn_give(struct sqlite *s)
{
    lock_byte(s->turn_fd, TURN, F_UNLCK);
    lock_byte(s->turn_fd, HEAD, F_UNLCK);
}
