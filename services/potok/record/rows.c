/* rows.c - the questions of rows.def, one after another, and what is kept of the answers. */
#include "recording.h"

#include "words/say.h"

#include <stdio.h>
#include <string.h>

void recording_leave_out(struct recording *r, const char *row, const char *method, const char *why)
{
    const char *comma = r->left_out.n > 0 ? "," : "";

    buf_fmt(&r->left_out_rows, "%s{\"row\":\"%s\",\"method\":\"%s\"}", comma, row, method);
    buf_fmt(&r->left_out, "%s{\"row\":\"%s\",\"method\":\"%s\",\"why\":", comma, row, method);
    buf_json(&r->left_out, str_of(why));
    buf_char(&r->left_out, '}');
    buf_fmt(&r->left_out_words, "  %s (%s): %s\n", row, method, why);
}

static void clean(struct recording *r, struct str body, enum anon_rule rule, struct buf *out)
{
    struct err err;

    if (anonymise_json(&r->anon, body, rule, out, &err) < 0)
        anonymise_text(&r->anon, body, out);
}

int recording_keep(struct recording *r, const struct record_exchange *asked, enum anon_rule rule,
    const struct http_answer *answer, struct err *err)
{
    struct record_exchange x = *asked;
    struct buf body;

    buf_init(&body, (size_t)256 << 20);
    clean(r, buf_view(&answer->body), rule, &body);
    x.status = answer->status;
    x.content_type = answer->content_type;
    x.moved = answer->location[0] != '\0';
    x.retry_after_ms = answer->retry_after_ms;
    x.took_ms = answer->took_ms;
    x.body = buf_view(&body);
    const int result = record_dir_add(&r->dir, &x, err);
    buf_fini(&body);
    if (r->progress)
        fprintf(stderr, "\r%s %d", say("запросов:", "requests:"), r->ask.calls);
    return result;
}

struct record_exchange recording_exchange(const struct record_row *row, const char *method, struct str params)
{
    return (struct record_exchange){ .row = row->name,
        .facts = row->facts,
        .why = row->why,
        .method = method,
        .params = params,
        .wrong_secret = (row->flags & RECORD_WRONG_SECRET) != 0 };
}

/* What the first answers say about all that follow. */
static int look(
    struct recording *r, const struct record_row *row, const struct http_answer *answer, struct err *err)
{
    const struct str body = buf_view(&answer->body);
    char code[64];
    const bool failed = record_error(body, code);

    if (failed && strcmp(code, "OVERLOAD_LIMIT") == 0) {
        r->stopped = true;
        return err_set(err, ERR_AUTH, "OVERLOAD_LIMIT: %s",
            say("портал остановил REST API, это снимает только поддержка Битрикс24",
                "the portal has blocked its REST API; only Bitrix24's support lifts that"));
    }
    if (strcmp(row->name, "scope") == 0 && record_no_scope(body) != NULL)
        snprintf(r->no_scope, sizeof(r->no_scope), "%s", record_no_scope(body));
    if (strcmp(row->name, "profile") != 0)
        return 0;
    if (answer->status == 200 && !failed)
        return 0;
    r->stopped = true;
    return err_set(err, ERR_AUTH, "%s: HTTP %d %s",
        say("портал не принимает этот вебхук", "the portal does not take this webhook"), answer->status,
        code);
}

/* -1: nothing was written down. */
static int ask_row(
    struct recording *r, const struct record_row *row, const struct record_exchange *x, struct err *err)
{
    struct http_answer answer;

    if (record_ask(&r->ask, x->method, x->params, x->wrong_secret, &answer, err) < 0) {
        r->stopped = strcmp(row->name, "profile") == 0;
        return -1;
    }
    int result = look(r, row, &answer, err);
    if (result == 0)
        result = recording_keep(r, x, record_rule(row), &answer, err);
    buf_fini(&answer.body);
    return result;
}

static int do_row(
    struct recording *r, const struct record_row *row, const struct record_of *of, struct err *err)
{
    char method[64] = "";
    struct buf params;

    buf_init(&params, 1 << 20);
    if (record_call(row, of, method, &params)) {
        if (row->flags & RECORD_NO_SCOPE)
            snprintf(method, sizeof(method), "%s", r->no_scope);
        struct record_exchange x = recording_exchange(row, method, buf_view(&params));
        if (method[0] != '\0' && ask_row(r, row, &x, err) < 0 && !r->stopped)
            recording_leave_out(r, row->name, method, err->text);
    }
    buf_fini(&params);
    return r->stopped ? -1 : 0;
}

int recording_ask_rows(struct recording *r, struct err *err)
{
    for (int i = 0; i < RECORD_ROW_COUNT; i++) {
        const struct record_row *row = &RECORD_ROWS[i];
        const int times = row->flags & RECORD_EACH ? r->entity_count : 1;

        if (row->flags & RECORD_BY_CLIENT) {
            if (recording_probe(r, row, err) < 0)
                recording_leave_out(r, row->name, row->method, err->text);
            continue;
        }
        for (int k = 0; k < times; k++)
            if (do_row(r, row, &r->entities[k].of, err) < 0)
                return -1;
    }
    for (int i = 0; i < r->entity_count; i++)
        recording_read(r, &r->entities[i]);
    return 0;
}
