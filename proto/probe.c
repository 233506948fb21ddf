#include "proto/probe.h"

#include <stdlib.h>

#include "base/mem.h"
#include "proto/wire.h"

#define ENTITIES_MAX 64 /* a probe asks for ten at most */

/* Every entity is a map, so that a newer fetcher may tell more; unknown keys are skipped. */
static void encode_entity(const struct probe_entity *e, struct buf *out)
{
    wire_put_map(out, e->labels.n > 0 ? 8 : 7);
    wire_put_str(out, STR("entity"));
    wire_put_str(out, e->entity);
    wire_put_str(out, STR("schema"));
    wire_put_bin(out, e->schema.p, e->schema.n);
    wire_put_str(out, STR("least_id"));
    wire_put_u64(out, e->least_id);
    wire_put_str(out, STR("most_id"));
    wire_put_u64(out, e->most_id);
    wire_put_str(out, STR("total"));
    wire_put_u64(out, e->total);
    wire_put_str(out, STR("error"));
    wire_put_str(out, e->error);
    wire_put_str(out, STR("error_kind"));
    wire_put_str(out, e->error_kind);
    if (e->labels.n > 0) {
        wire_put_str(out, STR("labels"));
        wire_put_bin(out, e->labels.p, e->labels.n);
    }
}

void probe_encode(const struct probe *p, struct buf *out)
{
    wire_put_map(out, 2);
    wire_put_str(out, STR("server_ms"));
    wire_put_i64(out, p->server_ms);
    wire_put_str(out, STR("entities"));
    wire_put_array(out, (uint32_t)p->count);
    for (int i = 0; i < p->count; i++)
        encode_entity(&p->entities[i], out);
}

static void decode_entity(struct wire *w, struct probe_entity *e)
{
    for (uint32_t n = wire_map(w); n > 0 && wire_ok(w); n--) {
        struct str key = wire_str(w);
        if (str_is(key, "entity"))
            e->entity = wire_str(w);
        else if (str_is(key, "schema"))
            e->schema = wire_bin(w);
        else if (str_is(key, "labels"))
            e->labels = wire_bin(w);
        else if (str_is(key, "least_id"))
            e->least_id = wire_u64(w);
        else if (str_is(key, "most_id"))
            e->most_id = wire_u64(w);
        else if (str_is(key, "total"))
            e->total = wire_u64(w);
        else if (str_is(key, "error"))
            e->error = wire_str(w);
        else if (str_is(key, "error_kind"))
            e->error_kind = wire_str(w);
        else
            wire_skip(w);
    }
    if (e->entity.n == 0)
        wire_fail(w);
}

static void decode_entities(struct wire *w, struct probe *p)
{
    uint32_t count = wire_array(w);

    if (count > ENTITIES_MAX || p->entities != NULL) { /* or twice */
        wire_fail(w);
        return;
    }
    p->entities = xcalloc(count + 1, sizeof(*p->entities));
    p->count = (int)count;
    for (uint32_t i = 0; i < count && wire_ok(w); i++)
        decode_entity(w, &p->entities[i]);
}

int probe_decode(struct probe *ret, struct str bytes, struct err *err)
{
    struct probe p = { 0 };
    struct wire w;

    wire_init(&w, bytes.p, bytes.n);
    for (uint32_t n = wire_map(&w); n > 0 && wire_ok(&w); n--) {
        struct str key = wire_str(&w);
        if (str_is(key, "server_ms"))
            p.server_ms = wire_i64(&w);
        else if (str_is(key, "entities"))
            decode_entities(&w, &p);
        else
            wire_skip(&w);
    }
    if (!wire_done(&w)) {
        probe_free(&p);
        return err_set(err, ERR_PERM, "probe: malformed");
    }
    *ret = p;
    return 0;
}

void probe_free(struct probe *p)
{
    if (p == NULL)
        return;
    free(p->entities);
    *p = (struct probe){ 0 };
}
