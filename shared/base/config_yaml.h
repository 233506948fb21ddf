/* config_yaml.h - a small tree of a YAML file that remembers where everything stood. For config.c only.
 * Less than YAML on purpose: no anchors, aliases, tags or several documents; keys are scalars and unique in
 * their map. Owned by the caller. */
#pragma once

#include "base/err.h"

#include <stddef.h>

enum node_kind { NODE_TEXT, NODE_MAP, NODE_LIST };

struct node {
    enum node_kind kind;
    char *key;                 /* of a member of a map, else NULL */
    char *text;                /* NODE_TEXT, as written without quotes; else NULL */
    unsigned line, column;     /* from 1; of the key where there is one */
    struct node *first, *next; /* children in file order; next sibling */
};

#define NODES_MAX       5000
#define NODES_DEPTH_MAX 16

/* *ret = NULL for a file without content. `path` is for the messages: "path:line:column: why", ERR_CONF. */
int node_read(const char *text, size_t n, const char *path, struct node **ret, struct err *err) MUST_CHECK;
void node_free(struct node *node); /* NULL-safe; wipes the texts: some are secrets */
