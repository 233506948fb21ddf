/* pause.c - `potok pause` and `potok resume`: the running scheduler leaves entities alone for a while. */
#include "command.h"

#include "ask/absence.h"
#include "ask/control.h"
#include "home.h"
#include "ask/question.h"
#include "words/say.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { OPTION_PORTAL, OPTION_JSON };
static const struct option_def OPTIONS[] = {
    { "--portal", 0, true, "только этот портал", "this portal only" },
    { "--json", 0, false, "ответ для программ", "for programs" },
    { NULL, 0, false, NULL, NULL },
};

static int list(const json_t *root, const char *key, const char *text)
{
    const json_t *o;
    size_t i;

    json_array_foreach(json_object_get(root, key), i, o)
        printf("%s %s/%s\n", text, json_string_value(json_object_get(o, "portal")),
            json_string_value(json_object_get(o, "entity")));
    return (int)json_array_size(json_object_get(root, key));
}

static void tell_paused(const json_t *root)
{
    list(root, "paused",
        say("приостановлено (продолжить: potok resume):", "paused (to go on: potok resume):"));
    list(root, "already", say("уже приостановлено:", "paused already:"));
}

/* Those that went on all the while are of interest only to who named them. */
static void tell_resumed(const json_t *root, bool named)
{
    int going = list(root, "resumed", say("идёт дальше:", "going on:"));

    if (named)
        list(root, "already", say("не было приостановлено:", "was not paused:"));
    else if (going == 0)
        printf("%s\n", say("ничего не было приостановлено", "nothing was paused"));
}

static int ask(const struct home *home, const struct args *args, bool pause, const char *question)
{
    struct err err = { 0 };
    char *body = NULL;

    if (absence_may_look(home, &err) < 0 || control_call(home->run_dir, home->bus_scheduler,
                                                pause ? "pause" : "resume", question, &body, &err) < 0)
        return absence_failed(home, &err);

    json_t *root = json_loads(body, 0, NULL);

    if (args->option[OPTION_JSON] != NULL)
        printf("%s\n", body);
    else if (pause)
        tell_paused(root);
    else
        tell_resumed(root, args->word_count > 0);
    json_decref(root);
    free(body);
    return EXIT_WELL;
}

static int run(const struct args *args, bool pause)
{
    struct err err = { 0 };
    struct home home;
    char *question = question_of(args, args->option[OPTION_PORTAL], NULL, &err);
    int code;

    if (question == NULL)
        return command_misused(pause ? "pause" : "resume", &err);
    if (home_load(&home, NULL, &err) < 0) {
        free(question);
        return command_failed(&err);
    }
    code = ask(&home, args, pause, question);
    free(question);
    home_free(&home);
    return code;
}

static int pause_run(const struct args *args)
{
    return run(args, true);
}

static int resume_run(const struct args *args)
{
    return run(args, false);
}

const struct command COMMAND_PAUSE = { "pause", "[ENTITY…]",
    "ничего не спрашивать у портала об этих сущностях; изменения копятся",
    "ask the portal nothing about these entities; changes gather", OPTIONS, pause_run };
const struct command COMMAND_RESUME = { "resume", "[ENTITY…]", "продолжить после potok pause",
    "go on after potok pause", OPTIONS, resume_run };
