#include "replay.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "methods/json_out.h"
#include "methods/params.h"
#include "methods/refs.h"
#include "book.h"
#include "key.h"
#include "list.h"
#include "time.h"

#define COMMANDS_MAX 50

struct replay {
    struct replay_book book;
    char about[512];
};

/* What one method answers; texts are views into the book or into `room`. */
struct reply {
    bool failed;
    int status;
    struct str text, total, next;
    struct buf room;
    char total_room[24], next_room[24];
    struct replay_page page; /* of a list by id */
    bool paged;
};

struct replay *replay_open(const char *folder, struct err *err)
{
    struct replay *r = xcalloc(1, sizeof(*r));
    size_t n;

    if (replay_book_load(&r->book, folder, err) < 0) {
        free(r);
        return NULL;
    }
    n = (size_t)snprintf(r->about, sizeof(r->about), "%d answers", r->book.exchange_count);
    for (int i = 0; i < r->book.shelf_count && n < sizeof(r->about); i++)
        n += (size_t)snprintf(r->about + n, sizeof(r->about) - n, ", %d records of %s",
            r->book.shelves[i].count, r->book.shelves[i].method);
    return r;
}

void replay_close(struct replay **r)
{
    if (*r == NULL)
        return;
    replay_book_free(&(*r)->book);
    free(*r);
    *r = NULL;
}

const char *replay_about(const struct replay *r)
{
    return r->about;
}

/* ---- one method ---- */

static struct str number_text(int64_t n, char room[static 24])
{
    snprintf(room, 24, "%lld", (long long)n);
    return str_of(room);
}

static bool from_list(const struct replay *r, struct str method, const json_t *params, struct reply *ret)
{
    const struct replay_shelf *s = replay_book_shelf(&r->book, method);

    if (s == NULL || !replay_list(s, params, &ret->room, &ret->page))
        return false;
    ret->paged = true;
    ret->text = buf_view(&ret->room);
    ret->total = ret->page.counted ? number_text((int64_t)ret->page.total, ret->total_room) : s->uncounted;
    if (ret->page.next >= 0)
        ret->next = number_text(ret->page.next, ret->next_room);
    return true;
}

/* A record that was seen in a list is given as the list gave it; any other is gone, in the portal's own
 * words. */
static bool from_get(const struct replay *r, struct str method, const json_t *params, struct reply *ret)
{
    char list[80];

    if (method.n < 5 || method.n > 64 ||
        !str_case_eq((struct str){ method.p + method.n - 4, 4 }, STR(".get")))
        return false;
    snprintf(list, sizeof(list), STR_FMT ".list", (int)method.n - 4, method.p);
    const struct replay_shelf *s = replay_book_shelf(&r->book, str_of(list));
    const int64_t id = params_int(params_get(params, "id"));
    if (s == NULL || id <= 0)
        return false;
    const struct replay_record *record = replay_shelf_record(s, (uint64_t)id);
    if (record != NULL) {
        ret->text = record->text;
        return true;
    }
    ret->failed = true;
    ret->status = 400;
    ret->text = STR("{\"error\":\"\",\"error_description\":\"Not found\"}");
    for (int i = 0; i < r->book.piece_count; i++) {
        const struct replay_piece *p = &r->book.pieces[i];
        if (p->failed && strstr(p->key, ".get?id=2000000000") != NULL) {
            ret->text = p->text;
            ret->status = p->status;
            break;
        }
    }
    return true;
}

static const char *near_key(const struct replay *r, const char *key)
{
    const char **keys = xcalloc((size_t)r->book.piece_count + 1, sizeof(*keys));

    for (int i = 0; i < r->book.piece_count; i++)
        keys[i] = r->book.pieces[i].key;
    const char *near = replay_key_near(key, keys, r->book.piece_count);
    free((void *)keys);
    return near;
}

static void not_recorded(const struct replay *r, const char *key, struct reply *ret)
{
    const char *near = near_key(r, key);
    struct buf words;

    buf_init(&words, 4096);
    buf_fmt(&words, "not in the recording: %.300s", key);
    if (near != NULL)
        buf_fmt(&words, "; nearest: %.300s", near);
    ret->failed = true;
    ret->status = 501;
    buf_str(&ret->room, "{\"error\":\"REPLAY_NOT_RECORDED\",\"error_description\":");
    buf_json(&ret->room, buf_view(&words));
    buf_char(&ret->room, '}');
    ret->text = buf_view(&ret->room);
    buf_fini(&words);
}

static void reply_make(const struct replay *r, struct str method, const json_t *params, struct reply *ret)
{
    *ret = (struct reply){ .status = 200 };
    buf_init(&ret->room, PORTAL_ANSWER_BYTES);
    char *key = replay_key(method, params);
    const struct replay_piece *p = replay_book_piece(&r->book, key);
    if (p != NULL) {
        ret->failed = p->failed;
        ret->status = p->status;
        ret->text = p->text;
        ret->total = p->total;
        ret->next = p->next;
    } else if (!from_list(r, method, params, ret) && !from_get(r, method, params, ret)) {
        not_recorded(r, key, ret);
    }
    free(key);
}

/* ---- envelopes ---- */

static void out_time(const struct replay *r, struct buf *out)
{
    const int64_t finish = replay_time_finish(r->book.time);

    replay_time_move(r->book.time, true, false, (int64_t)clock_wall_ms() - finish, out);
}

static void out_member(struct buf *out, const char *name, struct str value)
{
    if (value.n == 0)
        return;
    buf_fmt(out, ",\"%s\":", name);
    buf_add(out, value.p, value.n);
}

static void out_single(const struct replay *r, const struct reply *reply, struct portal_answer *ret)
{
    ret->status = reply->status;
    if (reply->failed) {
        buf_add(&ret->body, reply->text.p, reply->text.n);
        return;
    }
    buf_str(&ret->body, "{\"result\":");
    buf_add(&ret->body, reply->text.p, reply->text.n);
    out_member(&ret->body, "next", reply->next);
    out_member(&ret->body, "total", reply->total);
    if (r->book.time.n > 0) {
        buf_str(&ret->body, ",\"time\":");
        out_time(r, &ret->body);
    }
    buf_char(&ret->body, '}');
}

/* As it was recorded, at today's time. */
static void out_exchange(const struct replay_exchange *x, struct portal_answer *ret)
{
    const struct str body = { x->body, x->n };
    const int64_t finish = replay_time_finish(body);
    const bool clock = strcmp(x->key, "server.time?") == 0;

    ret->status = x->status;
    if (x->content_type[0] != '\0')
        ret->content_type = x->content_type;
    snprintf(ret->headers, sizeof(ret->headers), "%s", x->headers);
    if (finish > 0)
        replay_time_move(body, false, clock, (int64_t)clock_wall_ms() - finish, &ret->body);
    else
        buf_add(&ret->body, x->body, x->n);
}

/* ---- a batch that was not recorded as a whole ---- */

enum { PART_RESULT, PART_ERROR, PART_TOTAL, PART_NEXT, PART_TIME, PARTS };

struct batch {
    const struct replay *replay;
    struct buf parts[PARTS]; /* members, separated by commas */
    struct buf results;      /* for references */
    struct refs refs;
    char numbers[COMMANDS_MAX][4]; /* keys of commands that came as a list */
};

static void part_add(struct buf *part, const char *key, struct str value)
{
    if (value.n == 0)
        return;
    if (part->n > 0)
        buf_char(part, ',');
    json_out_cstr(part, key);
    buf_char(part, ':');
    buf_add(part, value.p, value.n);
}

static bool run_command(struct batch *b, const char *key, const char *command)
{
    const char *question = strchrnul(command, '?');
    json_t *params = json_object();
    struct reply reply;

    params_add_query(params, str_of(*question == '?' ? question + 1 : ""));
    refs_apply(&b->refs, params);
    reply_make(b->replay, (struct str){ command, (size_t)(question - command) }, params, &reply);
    json_decref(params);
    if (reply.failed) {
        part_add(&b->parts[PART_ERROR], key, reply.text);
    } else {
        const size_t at = b->results.n;
        struct buf time;

        buf_add(&b->results, reply.text.p, reply.text.n);
        refs_add(&b->refs, key, at, reply.page.ids, reply.paged && reply.page.ids_fit ? reply.page.count : 0);
        part_add(&b->parts[PART_RESULT], key, reply.text);
        part_add(&b->parts[PART_TOTAL], key, reply.total);
        part_add(&b->parts[PART_NEXT], key, reply.next);
        buf_init(&time, 4096);
        if (b->replay->book.time.n > 0)
            out_time(b->replay, &time);
        part_add(&b->parts[PART_TIME], key, buf_view(&time));
        buf_fini(&time);
    }
    buf_fini(&reply.room);
    return !reply.failed;
}

static bool is_true(const json_t *v)
{
    char room[40];
    const struct str text = params_text(v, room);

    return text.n > 0 && !str_is(text, "0") && !str_case_eq(text, STR("false"));
}

static void run_commands(struct batch *b, const json_t *params)
{
    struct params_walk walk = { .of = params_get(params, "cmd") };
    const bool halt = is_true(params_get(params, "halt"));
    const char *key;
    json_t *command;
    char room[40];

    for (int count = 0; count < COMMANDS_MAX && params_next(&walk, &key, &command); count++) {
        if (json_is_array(walk.of)) { /* the walk's own text does not last */
            snprintf(b->numbers[count], sizeof(b->numbers[count]), "%d", count);
            key = b->numbers[count];
        }
        if (!run_command(b, key, params_text(command, room).p) && halt)
            return;
    }
}

static void out_batch(const struct replay *r, const json_t *params, struct portal_answer *ret)
{
    static const char *const names[PARTS] = { "result", "result_error", "result_total", "result_next",
        "result_time" };
    struct batch b = { .replay = r };

    for (int i = 0; i < PARTS; i++)
        buf_init(&b.parts[i], PORTAL_ANSWER_BYTES);
    buf_init(&b.results, PORTAL_ANSWER_BYTES);
    b.refs = (struct refs){ .results = &b.results };
    run_commands(&b, params);
    buf_str(&ret->body, "{\"result\":{");
    for (int i = 0; i < PARTS; i++) {
        buf_fmt(&ret->body, "%s\"%s\":%c", i > 0 ? "," : "", names[i], b.parts[i].n > 0 ? '{' : '[');
        if (b.parts[i].n > 0)
            json_out_raw(&ret->body, b.parts[i].p, b.parts[i].n);
        buf_char(&ret->body, b.parts[i].n > 0 ? '}' : ']'); /* an empty map is a list */
        ret->body.failed |= b.parts[i].failed;
        buf_fini(&b.parts[i]);
    }
    buf_char(&ret->body, '}');
    if (r->book.time.n > 0) {
        buf_str(&ret->body, ",\"time\":");
        out_time(r, &ret->body);
    }
    buf_char(&ret->body, '}');
    refs_fini(&b.refs);
    buf_fini(&b.results);
}

/* ---- a request ---- */

void replay_answer(struct replay *r, struct str method, const json_t *params, struct portal_answer *ret)
{
    char *key = replay_key(method, params);
    const struct replay_exchange *x = replay_book_exchange(&r->book, key);

    free(key);
    if (x != NULL) {
        out_exchange(x, ret);
        return;
    }
    if (str_case_eq(method, STR("batch")) && params_is_array(params_get(params, "cmd"))) {
        out_batch(r, params, ret);
        return;
    }
    struct reply reply;
    reply_make(r, method, params, &reply);
    out_single(r, &reply, ret);
    buf_fini(&reply.room);
}

bool replay_refuse(struct replay *r, struct portal_answer *ret)
{
    for (int i = 0; i < r->book.exchange_count; i++) {
        if (r->book.exchanges[i].wrong_secret) {
            out_exchange(&r->book.exchanges[i], ret);
            return true;
        }
    }
    return false;
}
