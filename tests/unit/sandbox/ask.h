/* ask.h - a small portal to ask in tests: seed 7, 120 deals, no limits. */
#pragma once

#include "base/mem.h"
#include "services/sandbox/portal.h"
#include "support/check.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static inline struct portal_options ask_options(void)
{
    return (struct portal_options){ .store = { .seed = 7, .counts = { 120, 60, 20, 40 } }, .tariff = "off",
        .operating_window_ms = 600000, .operating_cost = 1 };
}

static inline struct portal *ask_open_with(struct portal_options options)
{
    struct portal *p = xmalloc(sizeof(*p));
    struct err err = { 0 };

    CHECK_OK(portal_open(p, &options, &err), err);
    return p;
}

static inline struct portal *ask_open(void)
{
    return ask_open_with(ask_options());
}

static inline void ask_close(struct portal *p)
{
    portal_close(p);
    free(p);
}

/* One request by path; the body's text, to be freed. body NULL: GET. */
static inline char *ask_raw(struct portal *p, const char *path, const char *body, const char *type, int *ret_status)
{
    struct portal_answer answer;
    char *copy = xstrdup(path), *question = strchr(copy, '?');

    if (question != NULL)
        *question = '\0';
    portal_answer(p, &(struct portal_request){ .method = body ? "POST" : "GET", .path = copy,
        .query = str_of(question ? question + 1 : ""), .body = str_of(body), .content_type = type,
        .remote = "127.0.0.1" }, &answer);
    char *text = xstrdup(buf_cstr(&answer.body));
    if (ret_status != NULL)
        *ret_status = answer.status;
    buf_fini(&answer.body);
    free(copy);
    return text;
}

static inline json_t *ask_path(struct portal *p, const char *path, const char *body)
{
    char *text = ask_raw(p, path, body, "application/json", NULL);
    json_t *answer = json_loads(text, 0, NULL);
    if (answer == NULL)
        print_error("not JSON: %s\n", text);
    CHECK(answer != NULL);
    free(text);
    return answer;
}

/* A method of the webhook with a JSON body (NULL: none); the answer's tree. */
static inline json_t *ask(struct portal *p, const char *method, const char *body)
{
    char path[512];

    snprintf(path, sizeof(path), "/rest/1/%s/%s", p->secret, method);
    return ask_path(p, path, body);
}

/* Access token of the application. */
static inline const char *ask_token(const struct portal *p)
{
    const struct token_pair *pair = tokens_newest(&p->application.tokens);

    return pair ? pair->access : "none";
}

/* The same as the application, whose token is in the query. */
static inline json_t *ask_app(struct portal *p, const char *method, const char *body)
{
    char path[512];

    snprintf(path, sizeof(path), "/rest/%s?auth=%s", method, ask_token(p));
    return ask_path(p, path, body);
}

static inline const char *ask_error(const json_t *answer)
{
    const char *text = json_string_value(json_object_get(answer, "error_description"));

    return text ? text : "(no error)";
}

/* What was answered, to be released; takes the answer, which is no error. */
static inline json_t *ask_done(json_t *answer)
{
    json_t *result = json_incref(json_object_get(answer, "result"));

    if (result == NULL)
        print_error("%s %s\n", json_string_value(json_object_get(answer, "error")), ask_error(answer));
    CHECK(result != NULL);
    json_decref(answer);
    return result;
}

static inline void ask_refused(
    struct portal *p, const char *method, const char *body, const char *code, const char *text)
{
    json_t *answer = ask(p, method, body);

    CHECK_STR(json_string_value(json_object_get(answer, "error")), code);
    CHECK_STR(ask_error(answer), text);
    json_decref(answer);
}

/* A member of a record, as JSON. */
static inline void ask_has(const json_t *record, const char *name, const char *expected)
{
    char *text = json_dumps(json_object_get(record, name), JSON_COMPACT | JSON_ENCODE_ANY);

    if (text == NULL || strcmp(text, expected) != 0)
        print_error("%s\n", name);
    CHECK_STR(text ? text : "(absent)", expected);
    free(text);
}

static inline void ask_admin(struct portal *p, const char *route, const char *body)
{
    char path[512];
    int status;

    snprintf(path, sizeof(path), "/__admin/%s", route);
    char *text = ask_raw(p, path, body ? body : "{}", "application/json", &status);
    if (status != 200)
        print_error("%s: %s\n", route, text);
    CHECK_EQ(status, 200);
    free(text);
}

/* ID of row n of a list; 0: there is none. */
static inline long long ask_row_id(const json_t *answer, size_t n)
{
    const char *id = json_string_value(json_object_get(json_array_get(json_object_get(answer, "result"), n), "ID"));

    return id ? atoll(id) : 0;
}
