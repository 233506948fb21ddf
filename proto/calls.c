#include "proto/calls.h"

#include "base/mem.h"
#include "proto/wire.h"

#include <ctype.h>
#include <stdlib.h>

static void put_member(struct buf *out, const char *name, struct str value)
{
    wire_put_str(out, str_of(name));
    wire_put_str(out, value);
}

static bool key_is(struct str key)
{
    return key.n > 0 && key.n <= CALL_KEY_MAX;
}

/* ---- what is asked ---- */

void calls_encode(const struct call *list, int count, struct buf *out)
{
    wire_put_array(out, (uint32_t)count);
    for (int i = 0; i < count; i++) {
        wire_put_map(out, list[i].params.n > 0 ? 3 : 2);
        put_member(out, "key", list[i].key);
        put_member(out, "method", list[i].method);
        if (list[i].params.n > 0)
            put_member(out, "params", list[i].params);
    }
}

static bool method_is(struct str method)
{
    for (size_t i = 0; i < method.n; i++)
        if (!isalnum((unsigned char)method.p[i]) && method.p[i] != '.' && method.p[i] != '_')
            return false;
    return method.n > 0 && method.n <= CALL_METHOD_MAX;
}

static void decode_call(struct wire *w, struct call_list *c)
{
    struct call *call = &c->list[c->count];

    for (uint32_t n = wire_map(w); n > 0 && wire_ok(w); n--) {
        struct str name = wire_str(w);

        if (str_is(name, "key"))
            call->key = wire_str(w);
        else if (str_is(name, "method"))
            call->method = wire_str(w);
        else if (str_is(name, "params"))
            call->params = wire_str(w);
        else
            wire_skip(w);
    }
    if (!key_is(call->key) || !method_is(call->method))
        wire_fail(w);
    for (int i = 0; i < c->count; i++)
        if (str_eq(c->list[i].key, call->key))
            wire_fail(w);
    c->count++;
}

int calls_decode(struct call_list *ret, struct str bytes, struct err *err)
{
    struct call_list c = { 0 };
    struct wire w;
    uint32_t n;

    wire_init(&w, bytes.p, bytes.n);
    n = wire_array(&w);
    if (n == 0 || n > CALLS_MAX)
        return err_set(err, ERR_PERM, "%u calls: 1 to %d fit one batch", n, CALLS_MAX);
    c.list = xcalloc(n, sizeof(*c.list));
    while (c.count < (int)n && wire_ok(&w))
        decode_call(&w, &c);
    if (!wire_done(&w)) {
        calls_free(&c);
        return err_set(err, ERR_PERM, "calls: malformed");
    }
    *ret = c;
    return 0;
}

void calls_free(struct call_list *c)
{
    free(c->list);
    *c = (struct call_list){ 0 };
}

/* ---- what was answered ---- */

void call_answers_encode(const struct call_answer *list, int count, struct buf *out)
{
    wire_put_array(out, (uint32_t)count);
    for (int i = 0; i < count; i++) {
        const struct call_answer *a = &list[i];

        wire_put_map(out, a->result.n > 0 ? 2 : 4);
        put_member(out, "key", a->key);
        if (a->result.n > 0) {
            put_member(out, "result", a->result);
            continue;
        }
        put_member(out, "kind", a->kind);
        put_member(out, "code", a->code);
        put_member(out, "text", a->text);
    }
}

static void decode_answer(struct wire *w, struct call_answers *all)
{
    struct call_answer *a = &all->list[all->count];

    for (uint32_t n = wire_map(w); n > 0 && wire_ok(w); n--) {
        struct str name = wire_str(w);

        if (str_is(name, "key"))
            a->key = wire_str(w);
        else if (str_is(name, "result"))
            a->result = wire_str(w);
        else if (str_is(name, "kind"))
            a->kind = wire_str(w);
        else if (str_is(name, "code"))
            a->code = wire_str(w);
        else if (str_is(name, "text"))
            a->text = wire_str(w);
        else
            wire_skip(w);
    }
    if (!key_is(a->key))
        wire_fail(w);
    all->count++;
}

int call_answers_decode(struct call_answers *ret, struct str bytes, struct err *err)
{
    struct call_answers a = { 0 };
    struct wire w;
    uint32_t n;

    wire_init(&w, bytes.p, bytes.n);
    n = wire_array(&w);
    if (n > CALLS_MAX)
        return err_set(err, ERR_PERM, "%u answers to calls: at most %d", n, CALLS_MAX);
    a.list = xcalloc(n + 1, sizeof(*a.list));
    while (a.count < (int)n && wire_ok(&w))
        decode_answer(&w, &a);
    if (!wire_done(&w)) {
        call_answers_free(&a);
        return err_set(err, ERR_PERM, "answers to calls: malformed");
    }
    *ret = a;
    return 0;
}

void call_answers_free(struct call_answers *a)
{
    free(a->list);
    *a = (struct call_answers){ 0 };
}

const struct call_answer *call_answers_find(const struct call_answers *a, const char *key)
{
    for (int i = 0; i < a->count; i++)
        if (str_is(a->list[i].key, key))
            return &a->list[i];
    return NULL;
}
