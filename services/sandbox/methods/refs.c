#include "refs.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"

#define MARK      "$result["
#define STEPS_MAX 16

void refs_fini(struct refs *r)
{
    for (int i = 0; i < r->count; i++) {
        json_decref(r->list[i].tree);
        free(r->list[i].ids);
    }
    free(r->list);
    r->list = NULL;
    r->count = 0;
}

void refs_add(struct refs *r, const char *key, size_t at, const uint32_t *ids, int id_count)
{
    struct ref_source s = { .key = key, .at = at, .n = r->results->n - at, .id_count = id_count };

    if (id_count > 0) {
        s.ids = xmalloc((size_t)id_count * sizeof(*s.ids));
        memcpy(s.ids, ids, (size_t)id_count * sizeof(*s.ids));
    }
    r->list = xrealloc(r->list, (size_t)(r->count + 1) * sizeof(*r->list));
    r->list[r->count++] = s;
}

/* "[key][49][ID]" at p; returns the number of steps and where the text goes on. */
static int parse_path(struct str text, size_t at, struct str steps[STEPS_MAX], size_t *ret_end)
{
    int count = 0;

    while (count < STEPS_MAX && at < text.n && text.p[at] == '[') {
        const char *close = memchr(text.p + at, ']', text.n - at);
        if (close == NULL)
            break;
        steps[count++] = (struct str){ text.p + at + 1, (size_t)(close - (text.p + at)) - 1 };
        at = (size_t)(close - text.p) + 1;
    }
    *ret_end = at;
    return count;
}

static json_t *tree_of(struct refs *r, struct ref_source *s)
{
    if (s->tree == NULL)
        s->tree = json_loadb(r->results->p + s->at, s->n, JSON_DECODE_ANY, NULL);
    return s->tree;
}

/* As PHP makes a text of it, false and null nothing. A list or an object has none. */
static bool scalar(const struct refs *r, const json_t *j, struct buf *out)
{
    if (j == NULL)
        return false;
    switch (json_typeof(j)) {
    case JSON_STRING:
        buf_add(out, json_string_value(j), json_string_length(j));
        return true;
    case JSON_INTEGER:
        buf_fmt(out, "%lld", (long long)json_integer_value(j));
        return true;
    case JSON_REAL:
        buf_fmt(out, "%.15g", json_real_value(j));
        return true;
    case JSON_TRUE:
        buf_char(out, '1');
        return true;
    case JSON_FALSE:
    case JSON_NULL:
        return !r->literal;
    default:
        return false;
    }
}

static bool resolve(struct refs *r, const struct str *steps, int count, struct buf *out)
{
    struct ref_source *s = NULL;
    uint64_t index;

    for (int i = 0; i < r->count; i++) {
        if (str_is(steps[0], r->list[i].key))
            s = &r->list[i];
    }
    if (s == NULL)
        return false;
    if (s->ids != NULL && count == 3 && str_is(steps[2], "ID")) {
        if (!str_u64(steps[1], &index) || index >= (uint64_t)s->id_count)
            return false;
        buf_fmt(out, "%u", s->ids[index]);
        return true;
    }
    const json_t *at = tree_of(r, s);
    for (int i = 1; i < count && at != NULL; i++) {
        if (json_is_array(at))
            at = str_u64(steps[i], &index) ? json_array_get(at, index) : NULL;
        else
            at = json_object_getn(at, steps[i].p, steps[i].n);
    }
    return scalar(r, at, out);
}

static bool find_mark(struct str text, size_t from, size_t *ret)
{
    const char *p = from < text.n ? memmem(text.p + from, text.n - from, MARK, strlen(MARK)) : NULL;

    if (p != NULL)
        *ret = (size_t)(p - text.p);
    return p != NULL;
}

static void apply_text(struct refs *r, json_t *string)
{
    const struct str text = { json_string_value(string), json_string_length(string) };
    struct str steps[STEPS_MAX];
    size_t from = 0, at, end;
    struct buf out;

    if (!find_mark(text, 0, &at))
        return;
    buf_init(&out, 1 << 20);
    for (; find_mark(text, from, &at); from = end) {
        buf_add(&out, text.p + from, at - from);
        const int count = parse_path(text, at + strlen(MARK) - 1, steps, &end);
        if (count == 0)
            end = at + strlen(MARK);
        if ((count == 0 || !resolve(r, steps, count, &out)) && !r->empty)
            buf_add(&out, text.p + at, end - at);
    }
    buf_add(&out, text.p + from, text.n - from);
    json_string_setn_nocheck(string, out.n > 0 ? out.p : "", out.n);
    buf_fini(&out);
}

void refs_apply(struct refs *r, json_t *params)
{
    const char *key;
    json_t *v;
    size_t i;

    if (json_is_string(params)) {
        apply_text(r, params);
    } else if (json_is_object(params)) {
        json_object_foreach(params, key, v) {
            refs_apply(r, v);
        }
    } else if (json_is_array(params)) {
        json_array_foreach(params, i, v) {
            refs_apply(r, v);
        }
    }
}
