#include "kept.h"

#include <stdlib.h>

#include "base/mem.h"

#define CHUNK_BYTES ((size_t)4 << 20)
#define SELECTIONS  4  /* of an entity; each client asks for two or three over and over */
#define TOKENS_MAX  16 /* file links in a row; with more it is printed each time */

struct row {
    uint32_t n;
    uint32_t tokens; /* where auth= has to be put in: it differs in every answer */
    uint32_t at[TOKENS_MAX];
    char bytes[];
};

struct chunk {
    struct chunk *next;
    size_t used, size;
    char bytes[];
};

struct shelf { /* of an entity and a selection */
    struct wire wire;
    const struct attr **attrs; /* of the rows; what they were made of is stale when `edits` rises */
    int attr_count;
    unsigned edits;
    struct row **rows; /* by the record's number */
    uint32_t room;
    struct chunk *chunks;
};

struct kept {
    struct shelf shelves[KINDS][SELECTIONS];
    int oldest[KINDS]; /* gives way to the next new selection */
    struct shelf *chosen;
};

struct kept *kept_new(void)
{
    struct kept *k = xcalloc(1, sizeof(*k));

    k->chosen = &k->shelves[0][0];
    return k;
}

static void shelf_clear(struct shelf *s)
{
    while (s->chunks != NULL) {
        struct chunk *c = s->chunks;
        s->chunks = c->next;
        free(c);
    }
    free(s->attrs);
    free(s->rows);
    *s = (struct shelf){ .room = 0 };
}

void kept_free(struct kept **k)
{
    for (int i = 0; *k != NULL && i < KINDS * SELECTIONS; i++)
        shelf_clear(&(*k)->shelves[i / SELECTIONS][i % SELECTIONS]);
    free(*k);
    *k = NULL;
}

static bool same_form(const struct wire *a, const struct wire *b)
{
    return a->get == b->get && a->lead == b->lead && a->ascii == b->ascii && a->numbers == b->numbers &&
           a->local_midnight == b->local_midnight;
}

static bool holds(
    const struct shelf *s, const struct list_query *q, const struct crm *c, const struct wire *wire)
{
    return s->attr_count == q->select_count && s->edits == c->attrs.edits && same_form(&s->wire, wire) &&
           memcmp(s->attrs, q->select, (size_t)q->select_count * sizeof(*q->select)) == 0;
}

void kept_choose(struct kept *k, const struct list_query *q, const struct crm *c, const struct wire *wire)
{
    const size_t bytes = (size_t)q->select_count * sizeof(*q->select);

    for (int i = 0; i < SELECTIONS; i++) {
        k->chosen = &k->shelves[q->w][i];
        if (holds(k->chosen, q, c, wire))
            return;
    }
    k->chosen = &k->shelves[q->w][k->oldest[q->w]];
    k->oldest[q->w] = (k->oldest[q->w] + 1) % SELECTIONS;
    shelf_clear(k->chosen);
    k->chosen->wire = *wire;
    k->chosen->edits = c->attrs.edits;
    k->chosen->attr_count = q->select_count;
    k->chosen->attrs = xmalloc(bytes);
    memcpy(k->chosen->attrs, q->select, bytes);
}

bool kept_get(struct kept *k, uint32_t n, const struct wire *wire, struct buf *out)
{
    const struct shelf *s = k->chosen;
    const struct row *row = n < s->room ? s->rows[n] : NULL;
    const size_t from = out->n;

    if (row == NULL)
        return false;
    buf_add(out, row->bytes, row->n);
    for (uint32_t i = 0; i < row->tokens && !out->failed; i++)
        memcpy(out->p + from + row->at[i], wire->token, sizeof(wire->token) - 1);
    return true;
}

static void *take(struct shelf *s, size_t n)
{
    const size_t want = (n + 7) & ~(size_t)7;
    struct chunk *c = s->chunks;

    if (c == NULL || c->size - c->used < want) {
        const size_t size = want > CHUNK_BYTES ? want : CHUNK_BYTES;
        c = xmalloc(sizeof(*c) + size);
        *c = (struct chunk){ .next = s->chunks, .size = size };
        s->chunks = c;
    }
    c->used += want;
    return c->bytes + c->used - want;
}

static void make_room(struct shelf *s, uint32_t n)
{
    const uint32_t room = n < 1024 ? 1024 : n + n / 2 + 1;

    if (n < s->room)
        return;
    s->rows = xrealloc(s->rows, room * sizeof(struct row *));
    memset(s->rows + s->room, 0, (room - s->room) * sizeof(struct row *));
    s->room = room;
}

void kept_put(struct kept *k, uint32_t n, const struct wire *wire, struct str row)
{
    struct row r = { .n = (uint32_t)row.n };
    const size_t token_n = sizeof(wire->token) - 1;

    for (const char *p = row.p; (p = memmem(p, (size_t)(row.p + row.n - p), wire->token, token_n)) != NULL;
         p += token_n) {
        if (r.tokens == TOKENS_MAX)
            return;
        r.at[r.tokens++] = (uint32_t)(p - row.p);
    }
    make_room(k->chosen, n);
    struct row *to = take(k->chosen, sizeof(r) + row.n);
    *to = r;
    memcpy(to->bytes, row.p, row.n);
    k->chosen->rows[n] = to;
}
