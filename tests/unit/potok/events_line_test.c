#include "services/potok/status/events_line.h"

#include "services/potok/words/say.h"
#include "support/check.h"

#define NOW UINT64_C(1795228620000)

TEST(a_line_says_how_events_come_in)
{
    static const struct {
        const char *events, *en, *ru;
    } cases[] = {
        { "null", "", "" },
        { "{'app':false,'state':'none','wanted':0,'bound':0,'found':7,'heard_ms':null}", "", "" },
        { "{'app':false,'state':'none','wanted':0,'bound':0,'found':0,'heard_ms':1795228548000}",
            "the last 1:12 ago", "последнее 1:12 назад" },
        { "{'app':true,'state':'looking','wanted':0,'bound':0,'looked_ms':null,'error':''}",
            "subscriptions not looked at yet; none since the start",
            "подписки ещё не смотрели; ни одного с запуска" },
        { "{'app':true,'state':'well','wanted':24,'bound':24,'looked_ms':5,'error':'','heard_ms':"
          "1795228548000,"
          "'queue':{'events':5,'unconfirmed':2,'error':'','read_ms':1795228617000}}",
            "bound 24 of 24; the last 1:12 ago; from the queue 5, unconfirmed 2, read 0:03 ago",
            "привязано 24 из 24; последнее 1:12 назад; из очереди 5, не подтверждено 2, читали 0:03 назад" },
        { "{'app':true,'state':'refused','wanted':24,'bound':3,'looked_ms':5,'error':'no rights','found':9,"
          "'queue':{'error':'unavailable'}}",
            "bound 3 of 24 (no rights); none since the start; the application has no queue; found by date "
            "without an "
            "event 9",
            "привязано 3 из 24 (no rights); ни одного с запуска; очереди у приложения нет; без события "
            "найдено по дате 9" },
    };
    char line[EVENTS_LINE_SIZE], text[1000];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(text, sizeof(text), "%s", cases[i].events);
        for (char *p = text; *p != '\0'; p++)
            *p = *p == '\'' ? '"' : *p;
        json_t *events = json_loads(text, JSON_DECODE_ANY, NULL);

        say_set(LANGUAGE_EN);
        CHECK_STR(events_line(events, NOW, line), cases[i].en);
        say_set(LANGUAGE_RU);
        CHECK_STR(events_line(events, NOW, line), cases[i].ru);
        json_decref(events);
    }
}

TEST_MAIN(CASE(a_line_says_how_events_come_in))
