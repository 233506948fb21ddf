#include "base/paths.h"

#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *paths_home(void)
{
    const char *home = getenv("POTOK_HOME");

    return home && home[0] ? home : "./var";
}

static int make_folder(const char *path, struct err *err)
{
    struct stat st;

    if (mkdir(path, 0700) == 0)
        return 0;

    int reason = errno; /* a parent may be there and yet refuse: only what is missing matters */
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return 0;
        reason = ENOTDIR;
    }
    return err_code(err, ERR_CONF, reason, "%s: %s", path, err_reason(reason));
}

/* Makes every folder named before a slash of path. */
static int make_folders(char *path, struct err *err)
{
    for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = '\0';
        int result = make_folder(path, err);
        *p = '/';
        if (result < 0)
            return -1;
    }
    return 0;
}

int paths_make(const char *home, const char *sub, char *ret, size_t size, struct err *err)
{
    char *path = xasprintf("%s/%s", home && home[0] ? home : paths_home(), sub);
    int result = -1;

    if (strlen(path) >= size)
        err_set(err, ERR_CONF, "POTOK_HOME: the path %s is longer than %zu bytes", path, size - 1);
    else if (make_folders(path, err) < 0)
        err_wrap(err, "POTOK_HOME");
    else {
        memcpy(ret, path, strlen(path) + 1);
        result = 0;
    }
    free(path);
    return result;
}
