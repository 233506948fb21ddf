#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void check_has(const char *whole, const char *part, const char *file, int line)
{
    if (strstr(whole, part) != NULL)
        return;
    print_error("\"%s\" is not in \"%s\"\n", part, whole);
    _fail(file, line);
}

void check_view(struct str view, const char *text, const char *file, int line)
{
    if (str_is(view, text))
        return;
    print_error("\"%.*s\" is not \"%s\"\n", (int)view.n, view.p, text);
    _fail(file, line);
}

void check_ok(int result, const struct err *err, const char *file, int line)
{
    if (result == 0)
        return;
    print_error("failed: %s: %s\n", err_kind_name(err->kind), err->text);
    _fail(file, line);
}

static char folder[64];

static void remove_folder(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    if (system(command) != 0)
        fprintf(stderr, "cannot remove %s\n", folder);
}

const char *check_folder(void)
{
    if (folder[0] == '\0') {
        strcpy(folder, "/tmp/potok-test-XXXXXX");
        if (mkdtemp(folder) == NULL)
            abort();
        atexit(remove_folder);
    }
    return folder;
}
