#include "base/config_entities.h"

#include "base/config_yaml.h"
#include "base/guess.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static const char *const entity_key_names[] = { "drift", "schedule", "interval", "missed", NULL };

static int refuse_entity(struct loader *l, const struct config_portal *portal, const struct node *node)
{
    char word[SHOWN_SIZE], guess[GUESS_SIZE];

    if (guess_entity(node->text, l->checks->entity, guess))
        return REFUSE(l, node, "portal %s: unknown entity \"%s\" (did you mean \"%s\"?)", portal->name,
            config_shown(node->text, word), guess);
    if (!l->checks->entities)
        return REFUSE(
            l, node, "portal %s: unknown entity \"%s\"", portal->name, config_shown(node->text, word));
    return REFUSE(l, node, "portal %s: unknown entity \"%s\": there are %s; leave the list out to have all",
        portal->name, config_shown(node->text, word), l->checks->entities);
}

/* {contacts: {drift: freeze}}: the entity's own settings. */
static int take_entity_settings(struct loader *l, struct config_portal *portal, const struct node *node)
{
    char in[128];

    if (loader_is_empty(node))
        return 0;
    if (node->kind != NODE_MAP)
        return REFUSE(
            l, node, "portal %s: an entity's settings are a map: {contacts: {drift: freeze}}", portal->name);
    snprintf(in, sizeof(in), err_tr(" of an entity of portal %s"), portal->name);
    for (const struct node *n = node->first; n; n = n->next) {
        int i = portal->entity_count - 1;

        int result = strcmp(n->key, "drift") == 0 ? loader_drift(l, n, &portal->entity_drift[i])
                     : when_key(n->key)           ? loader_when(l, n, &portal->entity_when[i])
                                                  : loader_refuse_key(l, n, entity_key_names, in);
        if (result < 0 && loader_wrong(l, portal) < 0)
            return -1;
    }
    return 0;
}

static int add_entity(struct loader *l, struct config_portal *portal, const struct node *node)
{
    char word[SHOWN_SIZE];
    const char *plural = node->text;

    if (!config_is_word(node->text, CONFIG_LOWER, CONFIG_LOWER CONFIG_DIGIT "_", 63))
        return refuse_entity(l, portal, node);
    if (l->checks->entity)
        plural = l->checks->entity(str_of(node->text));
    if (!plural)
        return refuse_entity(l, portal, node);
    for (int i = 0; i < portal->entity_count; i++)
        if (strcmp(portal->entities[i], plural) == 0)
            return REFUSE(
                l, node, "portal %s: %s is in the list twice", portal->name, config_shown(node->text, word));
    if (portal->entity_count == CONFIG_ENTITIES_MAX)
        return REFUSE(l, node, "portal %s: more than %d entities", portal->name, CONFIG_ENTITIES_MAX);
    portal->entities[portal->entity_count++] = xstrdup(plural);
    return 0;
}

/* A name, or a map of one name to its settings. */
static int take_entity(struct loader *l, struct config_portal *portal, const struct node *node)
{
    const struct node *member = node->kind == NODE_MAP ? node->first : NULL;

    if (node->kind == NODE_TEXT)
        return add_entity(l, portal, node);
    if (!member || member->next)
        return REFUSE(l, node, "portal %s: entities wants a list of names, or of {name: {drift: policy}}",
            portal->name);

    struct node name = { .text = member->key, .line = member->line, .column = member->column };
    if (add_entity(l, portal, &name) < 0)
        return -1;
    return take_entity_settings(l, portal, member);
}

int config_entities_take(struct loader *l, struct config_portal *portal, const struct node *node)
{
    if (node->kind != NODE_LIST)
        return REFUSE(l, node,
            "portal %s: entities wants a list: [deals, contacts], or [deals, {contacts: {drift: freeze}}]",
            portal->name);
    if (!node->first)
        return REFUSE(
            l, node, "portal %s: the list of entities is empty; leave it out for all", portal->name);
    for (const struct node *n = node->first; n; n = n->next)
        if (take_entity(l, portal, n) < 0 && loader_wrong(l, portal) < 0)
            return -1;
    loader_where(l, node, portal->entities_where, sizeof(portal->entities_where));
    return 0;
}
