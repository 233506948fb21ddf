#include "intake_body.h"

#include "base/handler_key.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_VALUES_MAX 100000

void shown(struct str s, char *ret, size_t size)
{
    size_t n = s.n < size - 1 ? s.n : size - 1;

    for (size_t i = 0; i < n; i++)
        ret[i] = s.p[i] > ' ' && s.p[i] < 0x7f ? s.p[i] : '?';
    ret[n] = '\0';
}

/* "https://p.bitrix24.com/rest/" -> "p.bitrix24.com" */
static struct str host_of(struct str url)
{
    const char *from = url.n > 0 ? memmem(url.p, url.n, "://", 3) : NULL;
    size_t n = 0;

    if (from == NULL)
        return (struct str){ NULL, 0 };
    from += 3;
    while (from + n < url.p + url.n && from[n] != '/')
        n++;
    return (struct str){ from, n };
}

/* ---- forms ---- */

/* In the body, else in the query: a robot's own words are in its address. */
static struct str either(const struct body *b, const char *key)
{
    struct str s = form_get(&b->form, key);

    return s.p != NULL ? s : form_get(&b->query, key);
}

static void read_credentials(struct body *b)
{
    struct credentials *c = &b->credentials;

    c->token = either(b, "auth[application_token]");
    if (c->token.p == NULL)
        c->token = form_get(&b->query, "application_token");
    c->keys[2] = form_get(&b->query, "api_key");
    c->handler_key = form_get(&b->query, HANDLER_KEY_NAME);
    c->portal = form_get(&b->query, "portal");
    c->member = either(b, "auth[member_id]");
    c->domain = either(b, "auth[domain]");
    if (c->domain.n == 0)
        c->domain = host_of(either(b, "auth[client_endpoint]"));
}

/* Records say data[FIELDS][ID]; tasks, which are not mirrored, FIELDS_AFTER. */
static enum reason read_told(struct body *b)
{
    struct told *t = &b->told[0];

    *t = (struct told){ 0 };
    t->event = either(b, "event");
    t->id = either(b, "data[FIELDS][ID]");
    if (t->event.n == 0) {
        t->document = form_item(&b->form, "document_id", 2);
        if (t->document.p == NULL)
            t->document = form_item(&b->query, "document_id", 2);
        if (t->document.p == NULL)
            return REASON_NO_FORM;
    }
    b->count = 1;
    return REASON_TAKEN;
}

static enum reason read_form(struct body *b, const struct intake_in *in)
{
    if (form_parse(&b->form, in->body, NULL) < 0)
        return REASON_MANY_PAIRS;
    read_credentials(b);
    return read_told(b);
}

/* ---- JSON (requirement 002, 1.2) ---- */

static struct str text_of(const json_t *v)
{
    return json_is_string(v) ? (struct str){ json_string_value(v), json_string_length(v) }
                             : (struct str){ NULL, 0 };
}

/* A whole number, or its digits as a text. */
static struct str id_of(struct body *b, const json_t *v)
{
    char *room = b->numbers[b->count];

    if (!json_is_integer(v))
        return text_of(v);
    snprintf(room, sizeof(b->numbers[0]), "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    return str_of(room);
}

/* One sender sends them all, and says who it is with the first or with each. */
static enum reason read_auth(struct body *b, const json_t *auth)
{
    static const struct {
        const char *name;
        size_t at; /* in struct credentials */
    } words[] = {
        { "application_token", offsetof(struct credentials, token) },
        { "domain", offsetof(struct credentials, domain) },
        { "member_id", offsetof(struct credentials, member) },
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        struct str *first = (struct str *)((char *)&b->credentials + words[i].at);
        struct str s = text_of(json_object_get(auth, words[i].name));

        if (b->count == 0)
            *first = s;
        else if (s.n > 0 && !str_eq(s, *first))
            return REASON_MIXED;
    }
    return REASON_TAKEN;
}

static enum reason read_item(struct body *b, const json_t *item)
{
    const json_t *fields = json_object_get(json_object_get(item, "data"), "FIELDS");
    struct told *t = &b->told[b->count];

    *t = (struct told){ 0 };
    t->event = text_of(json_object_get(item, "event"));
    t->id = id_of(b, json_object_get(fields, "ID"));
    if (t->event.n == 0 || !json_is_object(fields))
        return REASON_NO_JSON;
    if (read_auth(b, json_object_get(item, "auth")) != REASON_TAKEN)
        return REASON_MIXED;
    b->count++;
    return REASON_TAKEN;
}

/* Before anything is parsed, for anybody may send it: 10 MB of "{},{}" would be a tree of 700 MB. */
static bool has_many_values(struct str text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == ',' || text.p[i] == ':' || text.p[i] == '[' || text.p[i] == '{';
    return n > JSON_VALUES_MAX;
}

static enum reason read_json(struct body *b, const struct intake_in *in)
{
    if (has_many_values(in->body))
        return REASON_MANY_VALUES;
    b->json = json_loadb(in->body.p, in->body.n, JSON_REJECT_DUPLICATES, NULL);
    b->credentials.keys[2] = form_get(&b->query, "api_key");
    b->credentials.portal = form_get(&b->query, "portal");
    if (json_is_object(b->json))
        return read_item(b, b->json);
    if (!json_is_array(b->json))
        return REASON_NO_JSON;
    b->many = true;
    if (json_array_size(b->json) == 0)
        return REASON_NO_ITEMS;
    if (json_array_size(b->json) > INTAKE_ITEMS_MAX)
        return REASON_MANY_ITEMS;
    enum reason reason = REASON_TAKEN;

    for (size_t i = 0; i < json_array_size(b->json) && reason == REASON_TAKEN; i++)
        reason = read_item(b, json_array_get(b->json, i));
    return reason;
}

static bool type_is(const char *content_type, const char *type)
{
    size_t n = strlen(type);

    return strncasecmp(content_type, type, n) == 0 && strchr("; \t", content_type[n]) != NULL;
}

enum reason body_read(struct body *b, const struct intake_in *in, bool json)
{
    if (form_parse(&b->query, in->query, NULL) < 0)
        return REASON_MANY_PAIRS;
    if (json)
        return type_is(in->content_type, "application/json") ? read_json(b, in) : REASON_TYPE;
    if (in->body.n > 0 && !type_is(in->content_type, "application/x-www-form-urlencoded"))
        return REASON_TYPE;
    return read_form(b, in);
}

void body_init(struct body *b)
{
    memset(b, 0, offsetof(struct body, told));
}

void body_free(struct body *b)
{
    form_free(&b->query);
    form_free(&b->form);
    json_decref(b->json);
    b->json = NULL;
}
