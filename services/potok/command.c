#include "command.h"

#include "words/say.h"

#include <stdio.h>

int command_failed(const struct err *err)
{
    fprintf(stderr, "potok: %s\n", err->text);
    return err->kind == ERR_CONF ? EXIT_USAGE : EXIT_FAILED;
}

int command_misused(const char *command, const struct err *err)
{
    fprintf(stderr, "potok %s: %s\n%s `potok help %s`\n", command, err->text,
        say("как надо, скажет", "how it is used:"), command);
    return EXIT_USAGE;
}
