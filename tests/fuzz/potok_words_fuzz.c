/* Any text that a person pastes or another process writes: explained, guessed at and put into Russian without
 * harm. */
#include "services/potok/doctor/explain.h"
#include "services/potok/words/russian.h"
#include "services/potok/words/say.h"

#include "base/mem.h"
#include "support/fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct explanation *guesses[3];
    char small[24], large[800];
    char *text = str_dup((struct str){ (const char *)data, size });
    const struct explanation *e = explain_words((struct str){ (const char *)data, size });

    if (e != NULL)
        explain_name(e, small, sizeof(small));
    explain_guess(text, guesses, ARRAY_SIZE(guesses));
    explain_hint(text, small, sizeof(small));
    say_set(LANGUAGE_RU);
    russian_init();
    russian_message(text, small, sizeof(small));
    russian_message(text, large, sizeof(large));
    free(text);
    return 0;
}
