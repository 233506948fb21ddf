#include "services/potok/logs/last_words.h"

#include "base/mem.h"
#include "support/check.h"

#define READY "{\"level\":\"INFO\",\"event\":\"service.ready\",\"details\":{}}\n"
#define FAILED \
    "{\"level\":\"ERROR\",\"event\":\"service.failed\",\"details\":{\"error\":\"port 9100 is taken\"}}\n"

TEST(the_most_telling_line_is_found)
{
    static const struct {
        const char *log, *words;
    } cases[] = {
        { "", "" },
        { "\n\n", "" },
        { READY, "service.ready" },
        { READY "{\"level\":\"INFO\",\"event\":\"service.stopping\"}\n", "service.stopping" },
        { FAILED READY, "port 9100 is taken" },
        { FAILED "{\"level\":\"ERROR\",\"event\":\"x.y\",\"details\":{\"error\":\"later\"}}", "later" },
        { "{\"level\":\"ERROR\",\"event\":\"no.words\"}\n", "no.words" },
        { READY "==1==ERROR: AddressSanitizer\n    #0 somewhere\n", "==1==ERROR: AddressSanitizer" },
        { "plain\n" FAILED "more\n", "port 9100 is taken" },
        { "cut sho", "cut sho" },
        { "[1,2]\n", "[1,2]" },
    };
    char got[64];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        last_words(str_of(cases[i].log), got, sizeof(got));
        CHECK_STR(got, cases[i].words);
    }
}

TEST(long_words_are_cut)
{
    char got[8];

    last_words(STR("a line much longer than there is room for\n"), got, sizeof(got));
    CHECK_STR(got, "a line ");
}

TEST_MAIN(CASE(the_most_telling_line_is_found), CASE(long_words_are_cut))
