/* doctor.c - `potok doctor`: everything that can keep a mirror from working, looked at once, each with its
 * cure; and `potok doctor CODE`: what an error means. Reads only, whether services run or not. */
#include "command.h"

#include "base/mem.h"
#include "explain.h"
#include "facts.h"
#include "findings.h"
#include "proto/entity.h"
#include "run/app.h"
#include "words/say.h"
#include "words/screen.h"
#include "up/services.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { OPTION_JSON, OPTION_DEEP };
static const struct option_def OPTIONS[] = {
    { "--json", 0, false, "ответ для программ", "for programs" },
    { "--deep", 0, false, "проверить и файл базы целиком (долго)",
        "check the whole database file too (slow)" },
    { NULL, 0, false, NULL, NULL },
};

static const struct check {
    const char *name; /* stable: programs know it */
    const char *ru, *en;
    judge *judge;
} CHECKS[] = {
    { "configuration", "настройки", "configuration", judge_config },
    { "environment", "окружение", "environment", judge_environment },
    { "home", "папка состояния", "folder of the state", judge_home },
    { "disk", "место на диске", "disk space", judge_disk },
    { "file_system", "файловая система", "file system", judge_file_system },
    { "limits", "пределы системы", "limits of the system", judge_limits },
    { "services", "службы", "services", judge_services },
    { "ports", "порты", "ports", judge_ports },
    { "sockets", "сокеты", "sockets", judge_sockets },
    { "database", "база данных", "database", judge_database },
    { "rights", "права в базе", "rights in the database", judge_database_rights },
    { "tables", "таблицы", "tables", judge_tables },
    { "identity", "чья это копия", "whose copy it is", judge_identity },
    { "damage", "целость базы", "the database's soundness", judge_damage },
    { "portal", "портал", "portal", judge_portal },
    { "webhook", "вебхук", "webhook", judge_webhook },
    { "scope", "права вебхука", "scope", judge_scope },
    { "entities", "сущности", "entities", judge_entities },
    { "budget", "ограничения портала", "limits of the portal", judge_budget },
    { "clock", "часы", "clock", judge_clock },
    { "events", "события", "events", judge_events },
};

/* ---- everything ---- */

/* What can be looked at is looked at: a wrong configuration hides portals and database, not the machine. */
static void facts_gather(struct facts *f, struct home *home)
{
    if (home_load(home, NULL, &f->config_error) == 0) {
        f->home = home;
        f->config_error.kind = ERR_NONE;
        if (services_check(&home->config, &f->config_error) == 0 &&
            home_has_portal(home, &f->config_error) == 0)
            f->config_error.kind = ERR_NONE;
    }
    look_machine(&f->machine, f->home);
    if (f->home == NULL)
        return;
    look_database(f);
    if (f->config_error.kind == ERR_NONE)
        f->webhooks_looked = webhooks_look(&f->webhooks, home, &f->config_error) == 0;
    look_portals(f, home);
}

static int all_run(bool deep, bool json)
{
    struct facts *f = xcalloc(1, sizeof(*f));
    struct findings out = { 0 };
    struct home home = { 0 };
    int code;

    f->deep = deep;
    facts_gather(f, &home);
    for (size_t i = 0; i < ARRAY_SIZE(CHECKS); i++) {
        out.check = CHECKS[i].name;
        out.title = say(CHECKS[i].ru, CHECKS[i].en);
        CHECKS[i].judge(f, &out);
    }
    if (json)
        findings_print_json(&out);
    else
        findings_print(&out, screen_colour());
    code = f->config_error.kind != ERR_NONE       ? EXIT_USAGE
           : findings_count(&out, HEALTH_BAD) > 0 ? EXIT_FAILED
                                                  : EXIT_WELL;
    if (f->home != NULL)
        home_free(&home);
    facts_fini(f);
    findings_fini(&out);
    free(f);
    return code;
}

/* ---- one error ---- */

static void explanation_json(const struct explanation *e, const char *name)
{
    json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:s}", "code", name, "means", say(e->ru, e->en), "whose",
        explain_blame(e->blame), "cure", say(e->ru_cure, e->en_cure), "potok", explain_habit(e->habit));
    char *text = json_dumps(root, JSON_COMPACT);

    printf("%s\n", text);
    free(text);
    json_decref(root);
}

static void explanation_print(const struct explanation *e, const char *name)
{
    printf("%s\n  %s\n", name, say(e->ru, e->en));
    printf("  %s: %s\n", say("В чём дело", "Where it lies"), explain_blame(e->blame));
    printf("  %s: %s\n", say("Что делать", "What to do"), say(e->ru_cure, e->en_cure));
    printf("  %s %s\n", say("«Поток»", "Potok"), explain_habit(e->habit));
}

static int unknown_tell(const char *words)
{
    const struct explanation *guesses[3];
    int count = explain_guess(words, guesses, ARRAY_SIZE(guesses));

    fprintf(
        stderr, "potok doctor: %s \"%.60s\"", say("об ошибке не слышали:", "no such error is known:"), words);
    for (int i = 0; i < count; i++)
        fprintf(stderr, "%s%s", i > 0 ? ", " : say("; может быть, ", ", did you mean "), guesses[i]->code);
    fprintf(stderr, "\n");
    if (count > 0)
        return EXIT_USAGE;
    fprintf(stderr, "%s:\n ", say("Известны", "Known are"));
    for (int i = 0; i < EXPLANATION_COUNT; i++) {
        if (EXPLANATIONS[i].code[0] != '\0' &&
            (i == 0 || strcmp(EXPLANATIONS[i].code, EXPLANATIONS[i - 1].code) != 0))
            fprintf(stderr, " %s,", EXPLANATIONS[i].code);
    }
    fprintf(stderr, "\n  %s\n",
        say("и коды HTTP (401, 503 …); можно вставить и текст ошибки целиком",
            "and HTTP statuses (401, 503 …); the whole text of an error will do as well"));
    return EXIT_USAGE;
}

static int explain_run(const struct args *args, bool json)
{
    char words[1024] = "", name[80];

    for (int i = 0; i < args->word_count; i++) {
        size_t n = strlen(words);

        snprintf(words + n, sizeof(words) - n, "%s%s", i > 0 ? " " : "", args->words[i]);
    }
    const struct explanation *e = explain_words(str_of(words));

    if (e == NULL)
        return unknown_tell(words);
    explain_name(e, name, sizeof(name));
    if (e->least > 0 && args->word_count == 1 && strlen(words) == 3)
        snprintf(name, sizeof(name), "HTTP %.3s", words);
    if (json)
        explanation_json(e, name);
    else
        explanation_print(e, name);
    return EXIT_WELL;
}

static int doctor_run(const struct args *args)
{
    bool json = args->option[OPTION_JSON] != NULL;

    if (args->word_count > 0)
        return explain_run(args, json);
    return all_run(args->option[OPTION_DEEP] != NULL, json);
}

const struct command COMMAND_DOCTOR = { "doctor", "[CODE]",
    "проверить всё, от чего зависит работа, или объяснить ошибку CODE",
    "check all that the work depends on, or explain the error CODE", OPTIONS, doctor_run };
