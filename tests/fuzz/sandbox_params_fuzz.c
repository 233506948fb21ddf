/* Whatever comes as a query string, a form or a JSON body, and as the commands of a batch made of it: the
 * portal answers. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "services/sandbox/portal.h"

static struct portal *open_once(void)
{
    static struct portal *p;
    struct err err;

    if (p != NULL)
        return p;
    p = xmalloc(sizeof(*p));
    const struct portal_options o = { .store = { .seed = 3, .counts = { 60, 5, 5, 5, 5, 5, 5 } },
        .tariff = "off",
        .operating_window_ms = 600000,
        .operating_cost = 1,
        .scopes = SCOPE_ALL };
    if (portal_open(p, &o, &err) < 0)
        abort();
    return p;
}

/* The first byte says how the rest arrives. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const methods[] = { "batch", "crm.deal.list", "crm.contact.get", "user.get",
        "crm.deal.add", "crm.contact.update", "crm.item.list", "crm.item.add", "crm.item.update",
        "crm.deal.contact.items.set", "crm.duplicate.findbycomm", "crm.activity.list", "tasks.task.list",
        "voximplant.statistic.get", "crm.stagehistory.list", "crm.lead.update" };
    static const char *const types[] = { "", "application/json", "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b" };
    struct portal *p = open_once();
    struct portal_answer answer;
    char path[64];

    if (size == 0)
        return 0;
    char *text = xstrndup((const char *)data + 1, size - 1);
    const struct str rest = { text, strlen(text) };
    snprintf(path, sizeof(path), "/rest/1/%s/%s", p->secret, methods[data[0] >> 2 & 15]);
    const bool query = (data[0] & 3) == 0;
    portal_answer(p,
        &(struct portal_request){ .method = "POST",
            .path = path,
            .query = query ? rest : STR("x=1"),
            .body = query ? STR("") : rest,
            .content_type = types[data[0] & 3],
            .remote = "127.0.0.1" },
        &answer);
    buf_fini(&answer.body);
    free(text);
    return 0;
}
