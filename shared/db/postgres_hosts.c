#include "db/postgres_hosts.h"

#include <string.h>

const char *pg_option(const PQconninfoOption *list, const char *name)
{
    for (; list->keyword != NULL; list++)
        if (strcmp(list->keyword, name) == 0)
            return list->val;
    return NULL;
}

const char *pg_or(const char *value, const char *fallback)
{
    return value != NULL && value[0] != '\0' ? value : fallback;
}

const char *pg_items_from(const char *list, int n)
{
    const char *comma = list != NULL ? strchr(list, ',') : NULL;

    for (; comma != NULL && n > 0; n--) {
        list = comma + 1;
        comma = strchr(list, ',');
    }
    return list;
}

static bool is_item(const char *list, int n, const char *text)
{
    const char *item = pg_items_from(list, n);
    size_t length = item != NULL ? strcspn(item, ",") : 0;

    return length == 0 || (strlen(text) == length && memcmp(item, text, length) == 0);
}

void pg_hosts_read(struct pg_hosts *h, PGconn *c)
{
    *h = (struct pg_hosts){ .used = PQconninfo(c), .count = 1, .now = -1 };
    if (h->used == NULL)
        return;
    h->names = pg_option(h->used, "host");
    h->addresses = pg_option(h->used, "hostaddr");
    h->ports = pg_option(h->used, "port");
    for (const char *p = pg_or(h->addresses, pg_or(h->names, "")); *p != '\0'; p++)
        h->count += *p == ',';
}

bool pg_hosts_moved(struct pg_hosts *h, PGconn *c)
{
    const char *names = pg_or(h->names, h->addresses);
    int at = h->now < 0 ? 0 : h->now, now = at;

    while (now < h->count - 1 && !(is_item(names, now, PQhost(c)) && is_item(h->ports, now, PQport(c))))
        now++;
    if (!is_item(names, now, PQhost(c)))
        now = at;
    bool moved = now != h->now;
    h->now = now;
    return moved;
}
