#include "base/config_app.h"

#include "base/config_loader.h"
#include "base/config_yaml.h"
#include "base/file.h"
#include "base/guess.h"
#include "base/mem.h"
#include "base/webhook.h"

#include <stdio.h>
#include <stdlib.h>

#define WORD_MAX 200

static void wipe(char **text)
{
    if (*text)
        explicit_bzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

void config_app_free(struct config_app *app)
{
    wipe(&app->client_id);
    wipe(&app->client_secret);
    free(app->oauth);
    *app = (struct config_app){ 0 };
}

/* ---- values ---- */

static int put_address(char **to, const char *text, struct err *err)
{
    char *address;

    if (webhook_host_parse(str_of(text), &address, err) < 0)
        return -1;
    free(*to);
    *to = address;
    return 0;
}

/* Printable and without blanks: it goes into a form as it is. */
static int put_word(char **to, const char *text, struct err *err)
{
    size_t n = strlen(text);

    if (n == 0)
        return err_set(err, ERR_CONF, "it is empty");
    if (n > WORD_MAX)
        return err_set(err, ERR_CONF, "it has %zu characters, more than %d", n, WORD_MAX);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f)
            return err_set(err, ERR_CONF, "there is a space or a line end in it");
    wipe(to);
    *to = xstrdup(text);
    return 0;
}

static int put_file(char **to, const char *path, struct err *err)
{
    char *text;
    int result;

    if (file_read_secret(path, &text, err) < 0)
        return -1;
    result = put_word(to, text, err);
    wipe(&text);
    return result;
}

enum app_key { KEY_ADDRESS, KEY_CLIENT_ID, KEY_CLIENT_SECRET, KEY_CLIENT_SECRET_FILE, KEY_OAUTH, KEYS };

static const char *const KEY_NAMES[KEYS + 1] = {
    [KEY_ADDRESS] = "address",
    [KEY_CLIENT_ID] = "client_id",
    [KEY_CLIENT_SECRET] = "client_secret",
    [KEY_CLIENT_SECRET_FILE] = "client_secret_file",
    [KEY_OAUTH] = "oauth",
    [KEYS] = NULL,
};

static int put(struct config_portal *p, enum app_key key, const char *text, struct err *err)
{
    p->app.told = true;
    switch (key) {
    case KEY_ADDRESS:
        return put_address(&p->address, text, err);
    case KEY_CLIENT_ID:
        return put_word(&p->app.client_id, text, err);
    case KEY_CLIENT_SECRET:
        return put_word(&p->app.client_secret, text, err);
    case KEY_CLIENT_SECRET_FILE:
        return put_file(&p->app.client_secret, text, err);
    default:
        return put_address(&p->app.oauth, text, err);
    }
}

/* ---- potok.yaml ---- */

static int take_key(struct loader *l, struct config_portal *p, const struct node *node)
{
    char word[SHOWN_SIZE];
    const char *guess;

    for (int key = 0; key < KEYS; key++) {
        if (strcmp(node->key, KEY_NAMES[key]) != 0)
            continue;
        if (node->kind != NODE_TEXT)
            return REFUSE(l, node, "%s wants a single value", KEY_NAMES[key]);
        if (key == KEY_CLIENT_SECRET_FILE && p->app.client_secret)
            return REFUSE(
                l, node, "portal %s: client_secret and client_secret_file exclude each other", p->name);
        if (put(p, key, node->text, l->err) < 0)
            return err_wrap(l->err, "%s:%u:%u: portal %s: %s", l->path, node->line, node->column, p->name,
                KEY_NAMES[key]);
        return 0;
    }
    guess = guess_word(node->key, KEY_NAMES);
    if (guess)
        return REFUSE(l, node, "portal %s: app: unknown key \"%s\" (did you mean \"%s\"?)", p->name,
            config_shown(node->key, word), guess);
    return REFUSE(l, node, "portal %s: app: unknown key \"%s\"", p->name, config_shown(node->key, word));
}

int config_app_take(struct loader *l, struct config_portal *portal, const struct node *node)
{
    if (node->kind != NODE_MAP)
        return REFUSE(
            l, node, "portal %s: app wants keys under it: address, client_id, client_secret", portal->name);
    for (const struct node *n = node->first; n; n = n->next)
        if (take_key(l, portal, n) < 0 && loader_wrong(l, portal) < 0)
            return -1;
    return 0;
}

/* ---- the environment, and the whole ---- */

int config_app_set(struct config_portal *portal, const char *name, const char *value, struct err *err)
{
    static const struct {
        const char *name;
        enum app_key key;
    } names[] = {
        { "DOMAIN", KEY_ADDRESS },
        { "CLIENT_ID", KEY_CLIENT_ID },
        { "CLIENT_SECRET", KEY_CLIENT_SECRET },
        { "OAUTH_URL", KEY_OAUTH },
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(names[i].name, name) == 0)
            return put(portal, names[i].key, value, err) < 0 ? err_wrap(err, "BITRIX_%s", name) : 0;
    return err_set(err, ERR_BUG, "no setting of an application: %s", name);
}

int config_app_check(struct config_portal *p, struct err *err)
{
    const char *where = err_tr(p->where);

    if (p->url && p->app.told)
        return err_set(err, ERR_CONF,
            "%s: portal %s is given both as a webhook (url, BITRIX_WEBHOOK_URL) and as an application (app, "
            "BITRIX_CLIENT_ID): take one away",
            where, p->name);
    if (p->url) {
        free(p->address);
        p->address = webhook_address(p->url);
        return 0;
    }
    if (!p->app.told)
        return err_set(err, ERR_CONF, "%s: portal %s has neither url nor url_file", where, p->name);
    if (!p->address || !p->app.client_id || !p->app.client_secret)
        return err_set(err, ERR_CONF,
            "%s: portal %s: an application has an address (BITRIX_DOMAIN), a client_id (BITRIX_CLIENT_ID) "
            "and a "
            "client_secret (BITRIX_CLIENT_SECRET): %s is missing",
            where, p->name,
            !p->address         ? "address"
            : !p->app.client_id ? "client_id"
                                : "client_secret");
    if (!p->app.oauth)
        p->app.oauth = xstrdup(CONFIG_OAUTH_DEFAULT);
    return 0;
}
