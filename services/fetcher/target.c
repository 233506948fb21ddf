#include "target.h"

#include "base/mem.h"
#include "base/webhook.h"
#include "connectors/bitrix.h"

#include <stdio.h>
#include <stdlib.h>

static int no_such_host(const struct msg_job *j, struct err *err)
{
    return err_set(err, ERR_CONF, "portal " STR_FMT ": it cannot be asked at " STR_FMT " by https",
        STR_ARG(j->portal), (int)(j->host.n < 100 ? j->host.n : 100), j->host.p);
}

/* The address or webhook, at its host of today. NULL: that is none. */
static char *base_of(const struct config_portal *portal, const struct msg_job *j)
{
    const char *url = config_portal_url(portal);

    return j->host.n > 0 ? webhook_at(url, j->host) : xstrdup(url);
}

static int open_token(
    struct target *t, const struct msg_job *j, const struct seal_keys *keys, struct err *err)
{
    char purpose[80];
    struct buf plain;
    int result;

    if (j->sealed.n == 0)
        return err_set(
            err, ERR_PERM, "portal " STR_FMT ": no access token came with the job", STR_ARG(j->portal));
    snprintf(purpose, sizeof(purpose), "job:" STR_FMT, STR_ARG(j->portal));
    buf_init(&plain, 4096);
    result = seal_open(keys, str_of(purpose), j->sealed, &plain, err);
    if (result == 0)
        t->token = str_dup(buf_view(&plain));
    else
        err_wrap(err, "portal " STR_FMT ": access token", STR_ARG(j->portal));
    seal_wipe(&plain);
    return result;
}

int target_make(struct target *ret, const struct config_portal *portal, const struct msg_job *j,
    const struct seal_keys *keys, struct err *err)
{
    struct target t = { 0 };
    char *base;

    if (portal == NULL || config_portal_url(portal) == NULL)
        return err_set(err, ERR_CONF,
            "portal " STR_FMT ": this fetcher has no URL of it (potok.yaml or BITRIX_WEBHOOK_URL)",
            STR_ARG(j->portal));
    base = base_of(portal, j);
    if (base == NULL)
        return no_such_host(j, err);
    t.url = xasprintf("%s%s%s", base, config_portal_is_app(portal) ? "rest/" : "", BITRIX_BATCH);
    seal_free(base);
    if (config_portal_is_app(portal) && open_token(&t, j, keys, err) < 0) {
        target_fini(&t);
        return -1;
    }
    *ret = t;
    return 0;
}

void target_fini(struct target *t)
{
    seal_free(t->url);
    seal_free(t->token);
    *t = (struct target){ 0 };
}

void target_sign(const struct target *t, struct buf *body)
{
    struct buf head;

    if (t->token == NULL)
        return;
    buf_init(&head, body->max);
    buf_str(&head, "{\"auth\":");
    buf_json(&head, str_of(t->token));
    buf_char(&head, ',');
    if (body->n > 0)
        buf_add(&head, body->p + 1, body->n - 1);
    head.failed |= body->failed;
    buf_fini(body);
    *body = head;
}

void target_moved(const struct target *t, int status, const char *location, char *ret)
{
    bool redirects = status == 301 || status == 302 || status == 307 || status == 308;

    ret[0] = '\0';
    if (redirects && t->url != NULL && location != NULL)
        webhook_moved(t->url, location, ret);
}
