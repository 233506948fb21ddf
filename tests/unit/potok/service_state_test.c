#include "services/potok/up/service_state.h"

#include "services/potok/words/say.h"
#include "support/check.h"

TEST(a_gateway_that_is_emptied_is_shown_so)
{
    static const struct {
        const char *state, *detail, *shown, *ru, *en;
    } cases[] = {
        { "ready", "{}", "ready", "готов", "ready" },
        { "starting", "{\"draining\":\"on\"}", "draining", "опустошается", "draining" },
        { "starting", "{\"draining\":\"over\"}", "drained", "опустошён", "drained" },
        { "stopping", "{\"draining\":\"over\"}", "stopping", "завершается", "stopping" },
        { "no answer", "{\"draining\":\"on\"}", "no answer", "не отвечает", "no answer" },
        { "of tomorrow", NULL, "of tomorrow", "of tomorrow", "of tomorrow" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *detail = cases[i].detail != NULL ? json_loads(cases[i].detail, 0, NULL) : NULL;
        const char *shown = service_state(cases[i].state, detail);

        CHECK_STR(shown, cases[i].shown);
        say_set(LANGUAGE_RU);
        CHECK_STR(service_state_name(shown), cases[i].ru);
        say_set(LANGUAGE_EN);
        CHECK_STR(service_state_name(shown), cases[i].en);
        json_decref(detail);
    }
}

TEST_MAIN(CASE(a_gateway_that_is_emptied_is_shown_so))
