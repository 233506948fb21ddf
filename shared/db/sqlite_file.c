/* The file of an SQLite database. */
#include "db/sqlite.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/paths.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

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
