#include "services/potok/words/russian.h"

#include "base/err.h"
#include "base/mem.h"
#include "services/potok/words/say.h"
#include "support/check.h"

TEST(errors_are_russian_where_people_are)
{
    struct err err = { 0 };

    say_set(LANGUAGE_RU);
    russian_init();
    err_set(&err, ERR_CONF, "%s: portal %s has neither url nor url_file", "potok.yaml:2:3", "main");
    CHECK_STR(err.text, "potok.yaml:2:3: у портала main нет ни url, ни url_file");
    err_set(&err, ERR_CONF, "%s: %s", "x", err_reason(13));
    CHECK_STR(err.text, "x: нет прав");
    say_set(LANGUAGE_EN);
    russian_init();
    err_set(&err, ERR_CONF, "%s: portal %s has neither url nor url_file", "potok.yaml:2:3", "main");
    CHECK_STR(err.text, "potok.yaml:2:3: portal main has neither url nor url_file");
}

TEST(what_is_not_in_the_table_stays_english)
{
    CHECK_STR(russian("a text that nobody translated"), "a text that nobody translated");
}

TEST(a_message_of_another_process_is_recognized)
{
    static const struct {
        const char *en, *ru;
    } cases[] = {
        { "JOBS_UNFINISHED: \"many\" from potok.yaml:2:3 is not a whole number (1..64)",
            "JOBS_UNFINISHED: \"many\" (откуда: potok.yaml:2:3) не целое число (1..64)" },
        { "JOB_DEADLINE: \"99d\" from environment is out of range (1s..10m)",
            "JOB_DEADLINE: \"99d\" (откуда: окружение) вне допустимых границ (1s..10m)" },
        { "/etc/potok.yaml:4:5: unknown key \"tarif\" in portal main (did you mean \"tariff\"?)",
            "/etc/potok.yaml:4:5: неизвестный ключ \"tarif\" in portal main (может быть, \"tariff\"?)" },
        { "GATEWAY_TLS_KEY: /k.pem: No such file or directory",
            "GATEWAY_TLS_KEY: /k.pem: нет такого файла или папки" },
        { "portal main: HTTP 401 INVALID_CREDENTIALS: the webhook lacks the scope crm: edit it on the "
          "portal, tick "
          "CRM, set its new URL",
            "портал main: HTTP 401 INVALID_CREDENTIALS: у вебхука нет права crm: откройте его на портале, "
            "отметьте "
            "CRM, укажите новый адрес" },
        { "/run/fetcher.1.pid: No space left on device", "/run/fetcher.1.pid: на диске нет места" },
        { "page 12: nothing: of ours", "page 12: nothing: of ours" },
        { "nothing that we know of", "nothing that we know of" },
        { "", "" },
    };
    char text[600];

    say_set(LANGUAGE_RU);
    russian_init();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_STR(russian_message(cases[i].en, text, sizeof(text)), cases[i].ru);
    say_set(LANGUAGE_EN);
    russian_init();
    CHECK_STR(russian_message(cases[0].en, text, sizeof(text)), cases[0].en);
}

TEST_MAIN(CASE(errors_are_russian_where_people_are), CASE(what_is_not_in_the_table_stays_english),
    CASE(a_message_of_another_process_is_recognized))
