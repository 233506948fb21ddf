#include "base/mistakes.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

bool mistakes_has(const struct mistakes *all, const char *text)
{
    for (int i = 0; i < all->count; i++)
        if (strcmp(all->list[i].text, text) == 0)
            return true;
    return false;
}

void mistakes_add(struct mistakes *all, const struct err *err)
{
    if (all->count == MISTAKES_MAX || mistakes_has(all, err->text))
        return;
    all->list = xrealloc(all->list, sizeof(*all->list) * (size_t)(all->count + 1));
    all->list[all->count++] = *err;
}

int mistakes_note(struct mistakes *all, const struct err *err)
{
    if (!all)
        return -1;
    mistakes_add(all, err);
    return 0;
}

void mistakes_free(struct mistakes *all)
{
    free(all->list);
    *all = (struct mistakes){ 0 };
}
