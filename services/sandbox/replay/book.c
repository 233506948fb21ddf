#include "book.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/json_walk.h"
#include "base/mem.h"
#include "methods/params.h"
#include "key.h"

/* ---- parts of JSON as they are written ---- */

/* Calls on_member(ctx, key, value) for each member of an object; -1: it is none. */
static int members(struct str json, void (*on_member)(void *ctx, struct str key, struct str value), void *ctx)
{
    struct json_walk w;
    struct err err;
    struct str value;

    json_walk_init(&w, json);
    if (json_walk_next(&w, &err) <= 0 || w.kind != JSON_IS_OPEN || *w.token.p != '{')
        return -1;
    while (json_walk_next(&w, &err) > 0 && w.is_key) {
        const struct str key = { w.token.p + 1, w.token.n - 2 };
        if (json_walk_next(&w, &err) <= 0 || json_walk_value(&w, &value, &err) < 0)
            return -1;
        on_member(ctx, key, value);
    }
    return 0;
}

struct wanted {
    const char *key;
    struct str found;
};

static void on_wanted(void *ctx, struct str key, struct str value)
{
    struct wanted *w = ctx;

    if (str_is(key, w->key))
        w->found = value;
}

static struct str member(struct str json, const char *key)
{
    struct wanted w = { key, { "", 0 } };

    if (json.n > 0)
        (void)members(json, on_wanted, &w);
    return w.found;
}

/* ---- records ---- */

/* An id as number or string. */
static uint64_t id_of(struct str record)
{
    struct str raw = member(record, "ID");
    uint64_t id = 0;

    if (raw.n > 2 && raw.p[0] == '"')
        raw = (struct str){ raw.p + 1, raw.n - 2 };
    return str_u64(raw, &id) ? id : 0;
}

static struct replay_shelf *shelf_of(struct replay_book *b, struct str method)
{
    for (int i = 0; i < b->shelf_count; i++)
        if (str_case_eq(method, str_of(b->shelves[i].method)))
            return &b->shelves[i];
    b->shelves = xrealloc(b->shelves, (size_t)(b->shelf_count + 1) * sizeof(*b->shelves));
    b->shelves[b->shelf_count] = (struct replay_shelf){ .method = str_dup(method) };
    return &b->shelves[b->shelf_count++];
}

static void shelf_add(struct replay_shelf *s, uint64_t id, struct str text)
{
    if (s->count % 256 == 0)
        s->records = xrealloc(s->records, (size_t)(s->count + 256) * sizeof(*s->records));
    s->records[s->count++] = (struct replay_record){ id, text };
}

/* Every element of a list of records. */
static void put_records(struct replay_shelf *s, struct str list)
{
    struct json_walk w;
    struct err err;
    struct str record;

    json_walk_init(&w, list);
    if (json_walk_next(&w, &err) <= 0 || w.kind != JSON_IS_OPEN || *w.token.p != '[')
        return;
    while (json_walk_next(&w, &err) > 0 && w.kind != JSON_IS_CLOSE) {
        if (json_walk_value(&w, &record, &err) < 0)
            return;
        if (id_of(record) > 0)
            shelf_add(s, id_of(record), record);
    }
}

static int by_id(const void *a, const void *b)
{
    const uint64_t x = ((const struct replay_record *)a)->id, y = ((const struct replay_record *)b)->id;

    return x < y ? -1 : x > y;
}

/* In order, each id once: a page whose reference did not resolve repeats the one before. */
static void shelf_sort(struct replay_shelf *s)
{
    int n = 0;

    if (s->count > 0)
        qsort(s->records, (size_t)s->count, sizeof(*s->records), by_id);
    for (int i = 0; i < s->count; i++)
        if (n == 0 || s->records[n - 1].id != s->records[i].id)
            s->records[n++] = s->records[i];
    s->count = n;
}

/* ---- pieces ---- */

static void add_piece(struct replay_book *b, struct replay_piece piece)
{
    if (b->piece_count % 64 == 0)
        b->pieces = xrealloc(b->pieces, (size_t)(b->piece_count + 64) * sizeof(*b->pieces));
    b->pieces[b->piece_count++] = piece;
}

static void add_single(
    struct replay_book *b, const struct replay_exchange *x, struct str body, bool is_first_page)
{
    struct replay_piece p = { .key = xstrdup(x->key),
        .status = x->status,
        .text = member(body, "result"),
        .total = member(body, "total"),
        .next = member(body, "next") };

    if (member(body, "error").n > 0) {
        p.failed = true;
        p.text = body;
    }
    if (is_first_page && str_is(p.text, "[]")) /* an entity without records */
        (void)shelf_of(b, (struct str){ x->key, strcspn(x->key, "?") });
    if (p.text.n > 0)
        add_piece(b, p);
    else
        free(p.key);
}

static const char *const maps[] = { "result", "result_error", "result_total", "result_next" };
enum { MAP_RESULT, MAP_ERROR, MAP_TOTAL, MAP_NEXT, MAPS };

/* Whole records are wanted: a mask is in `select`. */
static bool is_whole(const json_t *params)
{
    struct params_walk walk = { .of = params_get(params, "select") };
    const char *name;
    json_t *value;
    char room[40];

    while (params_next(&walk, &name, &value))
        if (str_is(params_text(value, room), "*"))
            return true;
    return false;
}

/* What the batches of records hold beside the records (a look at the end of a range, say) is about all the
 * portal has, not about the part that was recorded: as a single command it would contradict the records. */
static bool shelve(
    struct replay_book *b, struct str method, const json_t *params, struct str list, struct str total)
{
    if (!is_whole(params))
        return false;
    struct replay_shelf *s = shelf_of(b, method);
    put_records(s, list);
    if (s->uncounted.n == 0)
        s->uncounted = total;
    return true;
}

/* "method?query" with what it was answered. A command with a reference means something else each time. */
static void add_command(struct replay_book *b, const char *key, const char *command,
    const struct str parts[MAPS], bool of_records)
{
    const char *question = strchrnul(command, '?');
    const struct str method = { command, (size_t)(question - command) };
    struct replay_piece p = { .status = 200,
        .text = member(parts[MAP_RESULT], key),
        .total = member(parts[MAP_TOTAL], key),
        .next = member(parts[MAP_NEXT], key) };
    json_t *params = json_object();

    params_add_query(params, str_of(*question == '?' ? question + 1 : ""));
    if (p.text.n == 0) {
        p.failed = true;
        p.status = 400;
        p.text = member(parts[MAP_ERROR], key);
    }
    if ((!of_records || shelve(b, method, params, p.text, p.total)) && p.text.n > 0 &&
        strstr(command, "$result") == NULL && strstr(command, "%24result") == NULL) {
        p.key = replay_key(method, params);
        add_piece(b, p);
    }
    json_decref(params);
}

static void add_batch(struct replay_book *b, const json_t *params, struct str body, bool of_records)
{
    const struct str result = member(body, "result");
    struct params_walk walk = { .of = params_get(params, "cmd") };
    struct str parts[MAPS];
    const char *key;
    json_t *command;

    for (int i = 0; i < MAPS; i++)
        parts[i] = member(result, maps[i]);
    while (params_next(&walk, &key, &command))
        if (json_is_string(command))
            add_command(b, key, json_string_value(command), parts, of_records);
}

/* ---- exchanges ---- */

static void take_headers(struct replay_exchange *x, const json_t *headers)
{
    const char *name;
    json_t *value;
    size_t n = 0;

    json_object_foreach((json_t *)headers, name, value) {
        const char *text = json_string_value(value);
        if (text == NULL || strpbrk(text, "\r\n") != NULL || strpbrk(name, "\r\n:") != NULL)
            continue;
        if (strcmp(name, "content-type") == 0)
            snprintf(x->content_type, sizeof(x->content_type), "%s", text);
        else if (n + strlen(name) + strlen(text) + 4 < sizeof(x->headers))
            n += (size_t)snprintf(x->headers + n, sizeof(x->headers) - n, "%s: %s\n", name, text);
    }
}

int replay_book_add(struct replay_book *b, const json_t *about, char *body, size_t n, struct err *err)
{
    const json_t *params = json_object_get(about, "params"), *secret = json_object_get(about, "secret");
    const char *method = json_string_value(json_object_get(about, "method"));
    const char *row = json_string_value(json_object_get(about, "row"));
    const bool of_records = json_is_true(json_object_get(about, "records"));
    const struct str text = { body, n };

    if (method == NULL || !params_is_array(params) || !json_is_integer(json_object_get(about, "status"))) {
        free(body);
        return err_set(err, ERR_CONF, "no method, params or status");
    }
    b->exchanges = xrealloc(b->exchanges, (size_t)(b->exchange_count + 1) * sizeof(*b->exchanges));
    struct replay_exchange *x = &b->exchanges[b->exchange_count++];
    *x = (struct replay_exchange){ .key = replay_key(str_of(method), params),
        .status = (int)json_integer_value(json_object_get(about, "status")),
        .body = body,
        .n = n,
        .wrong_secret = secret != NULL };
    take_headers(x, json_object_get(about, "headers"));
    if (x->wrong_secret)
        return 0;
    if (b->time.n == 0)
        b->time = member(text, "time");
    if (strcasecmp(method, "batch") == 0)
        add_batch(b, params, text, of_records);
    else
        add_single(b, x, text, row != NULL && strcmp(row, "uncounted") == 0);
    return 0;
}

void replay_book_sort(struct replay_book *b)
{
    for (int i = 0; i < b->shelf_count; i++)
        shelf_sort(&b->shelves[i]);
}

const struct replay_exchange *replay_book_exchange(const struct replay_book *b, const char *key)
{
    for (int i = 0; i < b->exchange_count; i++)
        if (!b->exchanges[i].wrong_secret && strcmp(b->exchanges[i].key, key) == 0)
            return &b->exchanges[i];
    return NULL;
}

const struct replay_piece *replay_book_piece(const struct replay_book *b, const char *key)
{
    for (int i = 0; i < b->piece_count; i++)
        if (strcmp(b->pieces[i].key, key) == 0)
            return &b->pieces[i];
    return NULL;
}

const struct replay_shelf *replay_book_shelf(const struct replay_book *b, struct str list_method)
{
    for (int i = 0; i < b->shelf_count; i++)
        if (str_case_eq(list_method, str_of(b->shelves[i].method)))
            return &b->shelves[i];
    return NULL;
}

const struct replay_record *replay_shelf_record(const struct replay_shelf *s, uint64_t id)
{
    const struct replay_record wanted = { .id = id };

    return s->count > 0 ? bsearch(&wanted, s->records, (size_t)s->count, sizeof(*s->records), by_id) : NULL;
}

void replay_book_free(struct replay_book *b)
{
    for (int i = 0; i < b->exchange_count; i++) {
        free(b->exchanges[i].key);
        free(b->exchanges[i].body);
    }
    for (int i = 0; i < b->piece_count; i++)
        free(b->pieces[i].key);
    for (int i = 0; i < b->shelf_count; i++) {
        free(b->shelves[i].method);
        free(b->shelves[i].records);
    }
    free(b->exchanges);
    free(b->pieces);
    free(b->shelves);
    *b = (struct replay_book){ .exchanges = NULL };
}
