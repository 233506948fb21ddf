#include "base/form.h"
#include "support/fuzz.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct form f;
    struct err err;

    if (form_parse(&f, (struct str){ (const char *)data, size }, &err) < 0)
        return 0;
    for (size_t i = 0; i < f.count; i++)
        if (f.pairs[i].key.n > size || f.pairs[i].value.n > size)
            __builtin_trap();
    form_get(&f, "data[FIELDS][ID]");
    form_item(&f, "document_id", 2);
    form_free(&f);
    return 0;
}
