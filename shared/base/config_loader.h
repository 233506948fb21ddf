/* config_loader.h - the configuration as it is being read: what is read from where, the kinds of value it may have, and how
 * a mistake in it is told. For config*.c only. */
#pragma once

#include "base/config.h"

struct node;

/* `config` is the result being built. */
struct loader {
    struct config *config;
    const struct config_checks *checks;     /* not NULL, its functions may be */
    const char *path;                       /* NULL: no file */
    struct err *err;
};

/* After a mistake, in l->err: 0 = it is noted, go on; -1 = it ends here. */
int loader_noted(struct loader *l) MUST_CHECK;
/* Of a portal, which is left out by it. NULL: of none. */
int loader_wrong(struct loader *l, struct config_portal *portal) MUST_CHECK;

/* "path:line:column: " before what is wrong; user's words in it pass through config_shown(). Wants config_yaml.h. */
#define REFUSE(l, node, format, ...) \
    err_set((l)->err, ERR_CONF, "%s:%u:%u: " format, (l)->path, (node)->line, (node)->column, ##__VA_ARGS__)

/* What a user wrote, for a message: masked (it may be the webhook in a wrong place) and cut. */
#define SHOWN_SIZE 72
const char *config_shown(const char *text, char ret[static SHOWN_SIZE]);

#define CONFIG_LOWER "abcdefghijklmnopqrstuvwxyz"
#define CONFIG_UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define CONFIG_DIGIT "0123456789"
/* One character of `first`, then of `rest`; at most so many. */
bool config_is_word(const char *s, const char *first, const char *rest, size_t most);

/* "potok.yaml:3:5" */
void loader_where(const struct loader *l, const struct node *node, char *ret, size_t size);
bool loader_is_empty(const struct node *node);      /* a key with nothing after it */
/* ERR_CONF unless there is a text. */
int loader_text(struct loader *l, const struct node *node) MUST_CHECK;
/* -1 with ERR_CONF: no such key; `known` ends with NULL, `in` says where: " in portal main". */
int loader_refuse_key(struct loader *l, const struct node *node, const char *const *known, const char *in) MUST_CHECK;

/* What a portal and an entity may have. ERR_CONF. */
int loader_drift(struct loader *l, const struct node *node, enum drift_policy *ret) MUST_CHECK;
int loader_when(struct loader *l, const struct node *node, struct config_when *ret) MUST_CHECK;  /* schedule, interval, missed */
