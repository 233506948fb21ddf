/* alarms.c - `potok alarms`: what is raised, services running or not; --test tells every target something. */
#include "command.h"

#include "alarm_test.h"
#include "alarm_view.h"
#include "base/mem.h"
#include "home.h"
#include "reading.h"
#include "words/russian.h"
#include "words/say.h"
#include "ask/status_ask.h"

#include <stdio.h>
#include <stdlib.h>

enum { OPTION_TEST, OPTION_JSON };
static const struct option_def OPTIONS[] = {
    { "--test", 0, false, "послать проверочное оповещение всем, кто задан в ALARM_…",
        "send a test alarm to everyone that ALARM_… names" },
    { "--json", 0, false, "ответ для программ", "for programs" },
    { NULL, 0, false, NULL, NULL },
};

static void json_print(const json_t *o)
{
    char *text = json_dumps(o, JSON_COMPACT);

    printf("%s\n", text);
    free(text);
}

/* ---- --test ---- */

static int tested_show(const json_t *list)
{
    int failed = 0;
    size_t i;
    json_t *o;

    json_array_foreach(list, i, o) {
        bool arrived = json_is_true(json_object_get(o, "arrived"));
        const char *target = json_string_value(json_object_get(o, "target"));
        char said[2 * ERR_TEXT_SIZE];

        if (arrived)
            printf("%s: %s\n", target, say("доставлено", "arrived"));
        else
            printf("%s: %s: %s\n", target, say("не доставлено", "did not arrive"),
                russian_message(json_string_value(json_object_get(o, "error")), said, sizeof(said)));
        failed += !arrived;
    }
    if (json_array_size(list) == 0)
        fprintf(stderr, "potok: %s\n",
            say("посылать некуда: задайте ALARM_TELEGRAM_TOKEN и ALARM_TELEGRAM_CHAT, ALARM_BITRIX_URL или "
                "ALARM_WEBHOOK_URL",
                "there is nowhere to send it: set ALARM_TELEGRAM_TOKEN and ALARM_TELEGRAM_CHAT, "
                "ALARM_BITRIX_URL or ALARM_WEBHOOK_URL"));
    return failed;
}

static int test(const struct home *home, bool json)
{
    struct err err = { 0 };
    json_t *list = alarm_test(home, &err);
    int failed = 0;
    size_t i;
    json_t *o;

    if (list == NULL)
        return command_failed(&err);
    if (json) {
        json_print(list);
        json_array_foreach(list, i, o)
            failed += !json_is_true(json_object_get(o, "arrived"));
    } else {
        failed = tested_show(list);
    }
    int code = failed > 0 || json_array_size(list) == 0 ? EXIT_FAILED : EXIT_WELL;
    json_decref(list);
    return code;
}

/* ---- what is raised ---- */

static int show(const struct home *home, bool json)
{
    struct ask *a = xcalloc(1, sizeof(*a));
    struct err err = { 0 };
    struct reading r;
    int code = EXIT_WELL;

    reading_init(&r, home);
    json_t *list = alarm_view_read(&r);
    if (list == NULL) {
        code = command_failed(&r.err);
    } else if (ask_all(a, home, &err) < 0) {
        code = command_failed(&err);
    } else {
        alarm_view_add(list, a);
        if (json)
            json_print(list);
        else if (alarm_view_count(list) == 0)
            printf("%s\n", say("сейчас оповещать не о чем", "nothing is raised now"));
        if (!json)
            alarm_view_show(list, true);
    }
    reading_fini(&r);
    ask_fini(a);
    free(a);
    json_decref(list);
    return code;
}

static int alarms_run(const struct args *args)
{
    bool json = args->option[OPTION_JSON] != NULL;
    struct err err = { 0 };
    struct home home;

    if (args->word_count > 0) {
        err_set(&err, ERR_CONF, "%s: %.40s", say("лишнее слово", "one word too many"), args->words[0]);
        return command_misused("alarms", &err);
    }
    if (home_load(&home, NULL, &err) < 0)
        return command_failed(&err);
    int code = args->option[OPTION_TEST] != NULL ? test(&home, json) : show(&home, json);
    home_free(&home);
    return code;
}

const struct command COMMAND_ALARMS = { "alarms", "",
    "о чём Potok предупреждает; проверить оповещения: --test",
    "what Potok warns of; to test the alarms: --test", OPTIONS, alarms_run };
