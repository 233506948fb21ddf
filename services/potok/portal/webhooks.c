/* `potok webhooks`: by which way changes come, and what to paste where. */
#include "command.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/setting.h"
#include "home.h"
#include "words/say.h"
#include "ask/status_ask.h"
#include "webhooks_look.h"

#include <stdio.h>
#include <stdlib.h>

enum { OPTION_JSON };
static const struct option_def OPTIONS[] = {
    [OPTION_JSON] = { "--json", 0, false, "ответ для программ", "for programs" },
    { NULL, 0, false, NULL, NULL },
};

static int show(const struct home *home, const char *only, bool json)
{
    struct webhooks_look look;
    struct err err = { 0 };
    json_t *all = json_array();
    struct buf out;

    if (webhooks_look(&look, home, &err) < 0) {
        json_decref(all);
        return command_failed(&err);
    }
    buf_init(&out, 1 << 20);
    for (int i = 0; i < home->config.portal_count; i++) {
        struct webhooks_view v = webhooks_view(&look, home, i);

        if (only != NULL && strcmp(only, v.portal->name) != 0)
            continue;
        if (json)
            json_array_append_new(all, webhooks_json(&v));
        else
            webhooks_tell(&v, &out);
    }
    char *text = json_dumps(all, JSON_COMPACT);
    if (json)
        printf("%s\n", text);
    else
        fwrite(out.p, 1, out.n, stdout);
    free(text);
    json_decref(all);
    buf_fini(&out);
    webhooks_look_free(&look);
    return EXIT_WELL;
}

static int webhooks_run(const struct args *args)
{
    const char *only = args->word_count > 0 ? args->words[0] : NULL;
    struct err err = { 0 };
    struct home home;
    int code;

    if (args->word_count > 1) {
        err_set(&err, ERR_CONF, "%s: %.40s", say("лишнее слово", "one word too many"), args->words[1]);
        return command_misused("webhooks", &err);
    }
    if (home_load(&home, NULL, &err) < 0)
        return command_failed(&err);
    if (home_has_portal(&home, &err) < 0) {
        code = command_failed(&err);
    } else if (only != NULL && config_portal(&home.config, str_of(only)) == NULL) {
        err_set(&err, ERR_CONF, "%s \"%.40s\"", say("в настройках нет портала", "no portal is configured as"),
            only);
        code = command_failed(&err);
    } else {
        code = show(&home, only, args->option[OPTION_JSON] != NULL);
    }
    home_free(&home);
    return code;
}

const struct command COMMAND_WEBHOOKS = { "webhooks", "[PORTAL]",
    "как приходят изменения: что и куда вставить на портале, подписаны ли события",
    "how changes come in: what to paste where on the portal, whether events are bound", OPTIONS,
    webhooks_run };
