#include "base/config_loader.h"

#include "base/config_yaml.h"
#include "base/guess.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

const char *config_shown(const char *text, char ret[static SHOWN_SIZE])
{
    url_mask(str_of(text), ret, SHOWN_SIZE);
    return ret;
}

int loader_noted(struct loader *l)
{
    return mistakes_note(l->checks->all, l->err);
}

int loader_wrong(struct loader *l, struct config_portal *portal)
{
    if (portal)
        portal->wrong = true;
    return loader_noted(l);
}

void loader_where(const struct loader *l, const struct node *node, char *ret, size_t size)
{
    const char *slash = strrchr(l->path, '/');

    snprintf(ret, size, "%.70s:%u:%u", slash ? slash + 1 : l->path, node->line, node->column);
}

bool config_is_word(const char *s, const char *first, const char *rest, size_t most)
{
    size_t n = strlen(s);

    return n > 0 && n <= most && strchr(first, s[0]) && strspn(s, rest) == n;
}

bool loader_is_empty(const struct node *node)
{
    return node->kind == NODE_TEXT && !node->text[0];
}

int loader_text(struct loader *l, const struct node *node)
{
    char key[SHOWN_SIZE];

    if (node->kind != NODE_TEXT)
        return REFUSE(l, node, "%s wants a single value", config_shown(node->key, key));
    if (!node->text[0])
        return REFUSE(l, node, "%s is empty", config_shown(node->key, key));
    return 0;
}

int loader_refuse_key(struct loader *l, const struct node *node, const char *const *known, const char *in)
{
    char word[SHOWN_SIZE];
    const char *guess = guess_word(node->key, known);

    if (guess)
        return REFUSE(
            l, node, "unknown key \"%s\"%s (did you mean \"%s\"?)", config_shown(node->key, word), in, guess);
    return REFUSE(l, node, "unknown key \"%s\"%s", config_shown(node->key, word), in);
}

/* --- values that a portal and an entity may have --- */

static const char *const drift_names[] = { "evolve", "freeze", "quarantine", NULL };

int loader_drift(struct loader *l, const struct node *node, enum drift_policy *ret)
{
    char word[SHOWN_SIZE];

    if (node->kind == NODE_MAP)
        return REFUSE(l, node,
            "drift wants a single value; that of one entity stands in the list: entities: [deals, {contacts: "
            "{drift: freeze}}]");
    if (loader_text(l, node) < 0)
        return -1;
    if (drift_parse(str_of(node->text), ret))
        return 0;
    const char *guess = guess_word(node->text, drift_names);
    if (guess)
        return REFUSE(l, node, "drift: \"%s\" is no policy (did you mean \"%s\"?)",
            config_shown(node->text, word), guess);
    return REFUSE(l, node,
        "drift: \"%s\" is no policy: evolve (new fields are copied), freeze (left out until accepted) "
        "or quarantine (their values are set aside)",
        config_shown(node->text, word));
}

int loader_when(struct loader *l, const struct node *node, struct config_when *ret)
{
    if (loader_text(l, node) < 0)
        return -1;
    if (when_take(ret, node->key, node->text, l->err) < 0)
        return err_wrap(l->err, "%s:%u:%u: %s", l->path, node->line, node->column, node->key);
    return 0;
}
