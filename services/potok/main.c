/* potok - the operator's command: runs the services of this machine and asks the running system; see
 * README.md. */
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "command.h"
#include "completion.h"
#include "words/russian.h"
#include "words/say.h"
#include "words/table.h"

#include <curl/curl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>
#include <zmq.h>

static int completion_run(const struct args *args);
static int version_run(const struct args *args);
static int help_run(const struct args *args);

static const struct command COMPLETION = { "completion", "bash",
    "дополнение команд в bash: eval \"$(potok completion bash)\" в ~/.bashrc",
    "bash completion: eval \"$(potok completion bash)\" in ~/.bashrc", NULL, completion_run };
static const struct command VERSION = { "version", "", "номер версии", "the version", NULL, version_run };
static const struct command HELP = { "help", "[COMMAND]", "что умеет команда", "what a command can do", NULL,
    help_run };

static const struct command *const COMMANDS[] = {
    &COMMAND_UP,
    &COMMAND_SYNC,
    &COMMAND_VERIFY,
    &COMMAND_PAUSE,
    &COMMAND_RESUME,
    &COMMAND_STATUS,
    &COMMAND_PORTAL,
    &COMMAND_WEBHOOKS,
    &COMMAND_ALARMS,
    &COMMAND_SCHEMA,
    &COMMAND_DOCTOR,
    &COMMAND_RECORD,
    &COMMAND_SPOOL,
    &COMMAND_LOGS,
    &COMMAND_CONFIG,
    &COMPLETION,
    &VERSION,
    &HELP,
};

static int completion_run(const struct args *args)
{
    struct err err = { 0 };
    struct buf out;

    if (args->word_count != 1 || strcmp(args->words[0], "bash") != 0) {
        err_set(&err, ERR_CONF, "%s", say("нужно слово bash", "it wants the word bash"));
        return command_misused("completion", &err);
    }
    buf_init(&out, 1 << 20);
    completion_bash(COMMANDS, (int)ARRAY_SIZE(COMMANDS), &out);
    fwrite(out.p, 1, out.n, stdout);
    buf_fini(&out);
    return EXIT_WELL;
}

static int version_run(const struct args *args)
{
    int zmq[3];

    zmq_version(&zmq[0], &zmq[1], &zmq[2]);
    printf("potok %s (libuv %s, libzmq %d.%d.%d, libcurl %s)\n", POTOK_VERSION, uv_version_string(), zmq[0],
        zmq[1], zmq[2], curl_version_info(CURLVERSION_NOW)->version);
    return EXIT_WELL;
}

static const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(COMMANDS); i++) {
        if (strcmp(COMMANDS[i]->name, name) == 0)
            return COMMANDS[i];
    }
    return NULL;
}

static int command_unknown(const char *name)
{
    fprintf(stderr, "potok: %s \"%.40s\"", say("нет команды", "no command"), name);
    for (size_t i = 0; i < ARRAY_SIZE(COMMANDS); i++) {
        if (args_distance(name, COMMANDS[i]->name) <= 2) {
            fprintf(stderr, "%s `potok %s`?", say("; может быть,", ", did you mean"), COMMANDS[i]->name);
            break;
        }
    }
    fprintf(stderr, "\n%s\n", say("`potok help` покажет все команды", "`potok help` lists the commands"));
    return EXIT_USAGE;
}

static void commands_print(FILE *to)
{
    fprintf(to, "%s: potok %s\n\n", say("Запуск", "Usage"), say("КОМАНДА [СЛОВА]", "COMMAND [WORDS]"));
    for (size_t i = 0; i < ARRAY_SIZE(COMMANDS); i++)
        fprintf(to, "  %-10s  %s\n", COMMANDS[i]->name, say(COMMANDS[i]->ru, COMMANDS[i]->en));
    fprintf(
        to, "\n%s\n", say("`potok help КОМАНДА` расскажет о ней больше", "`potok help COMMAND` tells more"));
}

static void options_print(const struct option_def *o)
{
    for (; o != NULL && o->name != NULL; o++) {
        char name[64];

        if (o->letter != 0)
            snprintf(name, sizeof(name), "-%c, %s%s", o->letter, o->name, o->value ? " …" : "");
        else
            snprintf(name, sizeof(name), "%s%s", o->name, o->value ? " …" : "");
        int gap = 16 - (int)text_width(str_of(name));

        printf("  %s%*s  %s\n", name, gap > 0 ? gap : 0, "", say(o->ru, o->en));
    }
}

static void command_print(const struct command *c)
{
    printf("potok %s %s\n  %s\n", c->name, c->words, say(c->ru, c->en));
    if (c == &COMMAND_SPOOL)
        options_print(SPOOL_VERBS);
    options_print(c->options);
}

static int help_run(const struct args *args)
{
    if (args->word_count == 0) {
        commands_print(stdout);
        return EXIT_WELL;
    }
    const struct command *c = command_find(args->words[0]);

    if (c == NULL)
        return command_unknown(args->words[0]);
    command_print(c);
    return EXIT_WELL;
}

static bool asks_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    }
    return false;
}

static int command_run(const struct command *c, int argc, char **argv)
{
    struct args args;
    struct err err = { 0 };

    if (asks_help(argc, argv)) {
        command_print(c);
        return EXIT_WELL;
    }
    if (args_parse(c->options, argc, argv, &args, &err) < 0)
        return command_misused(c->name, &err);
    return c->run(&args);
}

int main(int argc, char **argv)
{
    mem_tune();
    umask(077); /* databases, logs and sockets are their owner's alone */
    setlocale(LC_CTYPE, "");
    say_init();
    russian_init();
    log_init("potok", LOG_ERROR); /* people read this terminal; services have logs of their own */
    if (argc < 2) {
        commands_print(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return command_run(&HELP, 0, NULL);
    if (strcmp(argv[1], "--version") == 0)
        return command_run(&VERSION, 0, NULL);
    const struct command *c = command_find(argv[1]);

    return c == NULL ? command_unknown(argv[1]) : command_run(c, argc - 2, argv + 2);
}
