#include "proto/labels.h"

#include <stdlib.h>

#include "base/mem.h"
#include "proto/schema.h"
#include "proto/wire.h"

void labels_encode(const struct label *list, int count, struct buf *out)
{
    wire_put_array(out, (uint32_t)count);
    for (int i = 0; i < count; i++) {
        wire_put_array(out, list[i].items.n > 0 ? 3 : 2);
        wire_put_str(out, list[i].name);
        wire_put_str(out, list[i].title);
        if (list[i].items.n > 0)
            wire_put_str(out, list[i].items);
    }
}

static int order_of(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n > 0 ? memcmp(a.p, b.p, n) : 0;

    return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

static bool decode_label(struct wire *w, const struct label *before, struct label *ret)
{
    uint32_t members = wire_array(w);

    ret->name = wire_str(w);
    ret->title = wire_str(w);
    ret->items = members == 3 ? wire_str(w) : STR("");
    return wire_ok(w) && (members == 2 || members == 3) && ret->name.n > 0 &&
           ret->title.n <= LABEL_TITLE_MAX && ret->items.n <= LABEL_ITEMS_MAX &&
           memchr(ret->title.p, '\0', ret->title.n) == NULL &&
           memchr(ret->items.p, '\0', ret->items.n) == NULL &&
           (before == NULL || order_of(before->name, ret->name) < 0);
}

int labels_decode(struct labels *ret, struct str bytes, struct err *err)
{
    struct labels l = { NULL, 0 };
    struct wire w;

    if (bytes.n == 0) {
        *ret = l;
        return 0;
    }
    wire_init(&w, bytes.p, bytes.n);
    uint32_t count = wire_array(&w);
    if (!wire_ok(&w) || count > 2 * SCHEMA_FIELDS_MAX)
        return err_set(err, ERR_PERM, "labels: malformed or too many");
    l.list = xcalloc(count + 1, sizeof(*l.list));
    for (; l.count < (int)count; l.count++)
        if (!decode_label(&w, l.count > 0 ? &l.list[l.count - 1] : NULL, &l.list[l.count]))
            break;
    if (l.count < (int)count || !wire_done(&w)) {
        err_set(err, ERR_PERM, "labels: malformed near field %d", l.count);
        labels_free(&l);
        return -1;
    }
    *ret = l;
    return 0;
}

void labels_free(struct labels *l)
{
    free(l->list);
    *l = (struct labels){ NULL, 0 };
}

static int by_name(const void *key, const void *entry)
{
    return order_of(*(const struct str *)key, ((const struct label *)entry)->name);
}

const struct label *labels_find(const struct labels *l, struct str name)
{
    return l->count > 0 ? bsearch(&name, l->list, (size_t)l->count, sizeof(*l->list), by_name) : NULL;
}
