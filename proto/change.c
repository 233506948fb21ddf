#include "proto/change.h"

#include "base/mem.h"
#include "proto/msg.h"
#include "proto/wire.h"

#include <stdlib.h>

#define MEMBERS   6
#define BYTES_MIN 9 /* of a change: its head, six values, two of them a letter */

void change_list_encode(const struct change *list, int count, struct buf *out)
{
    wire_put_array(out, (uint32_t)count);
    for (int i = 0; i < count; i++) {
        const struct change *c = &list[i];

        wire_put_array(out, MEMBERS + (c->sealed.n > 0));
        wire_put_u64(out, c->seq);
        wire_put_str(out, c->portal);
        wire_put_str(out, c->entity);
        wire_put_u64(out, c->id);
        wire_put_u64(out, c->kind);
        wire_put_u64(out, c->at_ms);
        if (c->sealed.n > 0)
            wire_put_bin(out, c->sealed.p, c->sealed.n);
    }
}

bool change_sound(const struct change *c)
{
    return c->seq > 0 && c->portal.n > 0 && c->id < RANGE_OPEN && c->sealed.n <= CHANGE_SEALED_MAX &&
           (c->entity.n == 0) == change_kind_portal(c->kind) &&
           (c->kind == CHANGE_KIND_NEWER ||
               (c->id == 0) == (c->kind == CHANGE_KIND_FIELDS || change_kind_portal(c->kind)));
}

/* A newer gateway's kind is a hint all the same. */
static enum change_kind kind_of(uint64_t kind, const struct change *c)
{
    if (kind < CHANGE_KINDS)
        return (enum change_kind)kind;
    return c->entity.n == 0 ? CHANGE_KIND_NEWER : c->id == 0 ? CHANGE_KIND_FIELDS : CHANGE_KIND_SET;
}

/* What a change has beyond these members is skipped. */
static void decode_one(struct wire *w, struct change *c)
{
    uint32_t members = wire_array(w);
    uint64_t kind;

    c->seq = wire_u64(w);
    c->portal = wire_str(w);
    c->entity = wire_str(w);
    c->id = wire_u64(w);
    kind = wire_u64(w);
    c->at_ms = wire_u64(w);
    c->kind = kind_of(kind, c);
    if (members > MEMBERS)
        c->sealed = wire_bin(w);
    for (uint32_t i = MEMBERS + 1; i < members && wire_ok(w); i++)
        wire_skip(w);
    if (members < MEMBERS)
        wire_fail(w);
}

int change_list_decode(struct change_list *ret, struct str bytes, struct err *err)
{
    struct change_list c = { 0 };
    struct wire w;
    uint64_t seq = 0;
    uint32_t n;

    wire_init(&w, bytes.p, bytes.n);
    n = wire_array(&w);
    if (n > CHANGES_MAX || n > bytes.n / BYTES_MIN)
        return err_set(err, ERR_PERM, "changes: %u in one message, at most %d", n, CHANGES_MAX);
    c.list = xcalloc(n + 1, sizeof(*c.list));
    for (uint32_t i = 0; i < n && wire_ok(&w); i++) {
        struct change *one = &c.list[c.count];

        decode_one(&w, one);
        if (one->seq <= seq)
            wire_fail(&w);
        seq = one->seq;
        if (change_sound(one))
            c.count++;
        else
            c.unsound++; /* its neighbours are not held up by it */
    }
    if (!wire_done(&w)) {
        change_list_free(&c);
        return err_set(err, ERR_PERM, "changes: malformed");
    }
    *ret = c;
    return 0;
}

void change_list_free(struct change_list *c)
{
    free(c->list);
    *c = (struct change_list){ 0 };
}
