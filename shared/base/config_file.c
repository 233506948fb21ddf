#include "base/config_file.h"

#include "base/config_loader.h"
#include "base/config_portal.h"
#include "base/config_yaml.h"
#include "base/file.h"
#include "base/guess.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define FILE_MAX_BYTES (1 << 20)

static const char *const root_key_names[] = { "portals", "settings", NULL };

static int refuse_setting(struct loader *l, const struct node *node)
{
    char word[SHOWN_SIZE], guess[GUESS_SIZE];

    if (guess_setting(node->key, l->checks->setting, guess))
        return REFUSE(
            l, node, "unknown setting \"%s\" (did you mean \"%s\"?)", config_shown(node->key, word), guess);
    return REFUSE(l, node, "unknown setting \"%s\"", config_shown(node->key, word));
}

static int take_setting(struct loader *l, const struct node *node)
{
    struct config *c = l->config;

    if (!config_is_word(node->key, CONFIG_UPPER, CONFIG_UPPER CONFIG_DIGIT "_", 63) ||
        (l->checks->setting && !l->checks->setting(node->key)))
        return refuse_setting(l, node);
    if (node->kind != NODE_TEXT)
        return REFUSE(l, node, "%s wants a single value", node->key);

    c->pairs = xrealloc(c->pairs, sizeof(*c->pairs) * (size_t)(c->pair_count + 1));
    struct config_pair *pair = &c->pairs[c->pair_count++];
    *pair = (struct config_pair){ .name = xstrdup(node->key), .value = xstrdup(node->text) };
    loader_where(l, node, pair->where, sizeof(pair->where));
    return 0;
}

/* --- the whole --- */

static int take_section(struct loader *l, const struct node *node)
{
    int (*take)(struct loader *, const struct node *) = NULL;

    if (strcmp(node->key, "portals") == 0)
        take = config_portal_take;
    else if (strcmp(node->key, "settings") == 0)
        take = take_setting;
    else
        return loader_refuse_key(l, node, root_key_names, "");
    if (loader_is_empty(node))
        return 0; /* "portals:" with everything under it commented out */
    if (node->kind != NODE_MAP)
        return REFUSE(l, node, "%s wants names with values under it", node->key);
    for (const struct node *n = node->first; n; n = n->next)
        if (take(l, n) < 0 && loader_noted(l) < 0)
            return -1;
    return 0;
}

static int take_root(struct loader *l, const struct node *root)
{
    if (loader_is_empty(root))
        return 0;
    if (root->kind != NODE_MAP)
        return REFUSE(l, root, "the file must begin with portals: or settings:");
    for (const struct node *n = root->first; n; n = n->next)
        if (take_section(l, n) < 0 && loader_noted(l) < 0)
            return -1;
    return 0;
}

int config_file_read(struct config *c, const char *path, const struct config_checks *checks, struct err *err)
{
    struct loader l = { .config = c, .checks = checks, .path = path, .err = err };
    struct node *root = NULL;
    char *text;

    if (file_read(path, FILE_MAX_BYTES, &text, err) < 0)
        return -1;

    int result = node_read(text, strlen(text), path, &root, err);
    if (result == 0 && root)
        result = take_root(&l, root);
    node_free(root);
    explicit_bzero(text, strlen(text));
    free(text);
    return result;
}
