#include "ids.h"

#include "ask/absence.h"
#include "base/clock.h"
#include "command.h"
#include "ask/control.h"
#include "words/say.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LOOK_EVERY_MS 200
#define LOOK_QUICK_MS 50 /* at first: a few records are read at once */
#define QUICK_FOR_MS  1000
#define SILENCE_MS    30000 /* a killed scheduler is back by then */

static void rest(uint64_t began_ms)
{
    const long ms = clock_mono_ms() - began_ms < QUICK_FOR_MS ? LOOK_QUICK_MS : LOOK_EVERY_MS;

    nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000L }, NULL);
}

/* 1: the portal is asked. -1: err, it is not until a person has put it right. */
static int stopped(const json_t *told, struct err *err)
{
    const json_t *why = json_object_get(told, "stopped");

    return why == NULL ? 1
                       : err_set(err, ERR_AUTH, "%s %s", say("портал остановлен:", "the portal is stopped:"),
                             json_string_value(why));
}

/* Until none of the records is left but those that fail again and again. -1: err. */
static int watch(const struct home *home, const char *question, long long *ret_failing, struct err *err)
{
    const uint64_t began_ms = clock_mono_ms();
    uint64_t answered_ms = began_ms;

    for (;;) {
        char *body = NULL;

        if (control_call(home->run_dir, home->bus_scheduler, "marks", question, &body, err) == 0) {
            json_t *root = json_loads(body, 0, NULL);
            long long left = json_integer_value(json_object_get(root, "left"));

            *ret_failing = json_integer_value(json_object_get(root, "failing"));
            const int result = left <= *ret_failing ? 0 : stopped(root, err);

            json_decref(root);
            free(body);
            answered_ms = clock_mono_ms();
            if (result <= 0)
                return result;
        } else if (err->kind != ERR_TEMP || clock_mono_ms() - answered_ms > SILENCE_MS) {
            return -1;
        }
        rest(began_ms);
    }
}

static int told(const char *question, bool json, bool waited, long long failing)
{
    json_t *root = json_loads(question, 0, NULL);
    long long ids = (long long)json_array_size(json_object_get(root, "ids"));

    json_decref(root);
    if (json && waited)
        printf("{\"ids\":%lld,\"failing\":%lld}\n", ids, failing);
    else if (json)
        printf("{\"ids\":%lld}\n", ids);
    else if (!waited)
        printf("%s: %lld\n", say("отмечено записей, их перечитают", "records marked, to be read again"), ids);
    else
        printf("%s: %lld\n", say("перечитано записей", "records read again"), ids - failing);
    if (failing > 0 && !json)
        printf("%s: %lld\n",
            say("записей, которые не удалось проверить", "records that could not be looked up"), failing);
    return failing > 0 ? EXIT_FAILED : EXIT_WELL;
}

int sync_ids(const struct home *home, const char *question, bool wait, bool json)
{
    struct err err = { 0 };
    char *body = NULL;
    long long failing = 0;

    if (absence_may_look(home, &err) < 0 ||
        control_call(home->run_dir, home->bus_scheduler, "sync", question, &body, &err) < 0)
        return absence_failed(home, &err);
    free(body);
    if (wait && watch(home, question, &failing, &err) < 0)
        return absence_failed(home, &err);
    return told(question, json, wait, failing);
}
