#include "letter.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "methods/params.h"

#define BODY_BYTES (1u << 20)

struct letter *letter_new(const char *url)
{
    struct letter *l = xcalloc(1, sizeof(*l));

    l->url = xstrdup(url);
    buf_init(&l->body, BODY_BYTES);
    return l;
}

void letter_free(struct letter *l)
{
    free(l->url);
    buf_fini(&l->body);
    free(l);
}

static void member(struct letter *l, const char *key, const char *value)
{
    event_member(&l->body, key, str_of(value));
}

static void number(struct letter *l, const char *key, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    member(l, key, text);
}

static void endpoint(struct letter *l, const char *key, bool tls, const char *address)
{
    char text[160];

    snprintf(text, sizeof(text), "http%s://%.120s/rest/", tls ? "s" : "", address);
    member(l, key, text);
}

static bool server_has_tls(const struct event_from *from)
{
    return from->tls || strchr(from->oauth_address, ':') == NULL;
}

/* ---- a frame ---- */

struct letter *letter_frame(const char *url, const struct event_from *from, const char *session,
    const char *placement, const char *options)
{
    char *whole = xasprintf("%s%cDOMAIN=%s&PROTOCOL=%d&LANG=ru&APP_SID=%s", url,
        strchr(url, '?') != NULL ? '&' : '?', from->address, from->tls, session);
    struct letter *l = letter_new(whole);

    free(whole);
    member(l, "AUTH_ID", from->access_token);
    number(l, "AUTH_EXPIRES", from->expires_in_s);
    member(l, "REFRESH_ID", from->refresh_token);
    endpoint(l, "SERVER_ENDPOINT", server_has_tls(from), from->oauth_address);
    member(l, "APPLICATION_TOKEN", from->application_token);
    member(l, "APPLICATION_SCOPE", from->scope);
    member(l, "member_id", from->member_id);
    member(l, "status", "L");
    member(l, "PLACEMENT", placement);
    if (options != NULL)
        member(l, "PLACEMENT_OPTIONS", options);
    return l;
}

/* ---- a robot ---- */

static const struct {
    const char *class, *type;
} documents[KINDS] = {
    [DEAL] = { "CCrmDocumentDeal", "DEAL" },
    [CONTACT] = { "CCrmDocumentContact", "CONTACT" },
    [COMPANY] = { "CCrmDocumentCompany", "COMPANY" },
    [LEAD] = { "CCrmDocumentLead", "LEAD" },
    [QUOTE] = { "Bitrix\\Crm\\Integration\\BizProc\\Document\\Quote", "QUOTE" },
    [INVOICE] = { "Bitrix\\Crm\\Integration\\BizProc\\Document\\SmartInvoice", "SMART_INVOICE" },
    [SMART] = { "Bitrix\\Crm\\Integration\\BizProc\\Document\\Dynamic", "DYNAMIC_156" },
};

static char *with_number(const char *url, uint32_t id)
{
    static const char macro[] = "{{ID}}";
    const char *at = strstr(url, macro);

    if (at == NULL)
        return xstrdup(url);
    return xasprintf("%.*s%u%s", (int)(at - url), url, id, at + strlen(macro));
}

static void out_document(struct letter *l, const struct letter_robot *r)
{
    char id[40];

    snprintf(id, sizeof(id), "%s_%u", documents[r->w].type, r->id);
    member(l, "document_id[0]", "crm");
    member(l, "document_id[1]", documents[r->w].class);
    member(l, "document_id[2]", id);
}

static void out_properties(struct letter *l, const struct letter_robot *r)
{
    struct params_walk walk = { .of = (json_t *)r->properties };
    char path[200], room[40];
    const char *key;
    json_t *v;

    while (params_next(&walk, &key, &v)) {
        snprintf(path, sizeof(path), "properties[%s]", key);
        event_member(&l->body, path, params_text(v, room));
    }
}

static void out_call(struct letter *l, const struct event_from *from, const struct letter_robot *r)
{
    char workflow[60];

    snprintf(workflow, sizeof(workflow), "%.32s.%u", r->event_token, r->id);
    member(l, "workflow_id", workflow);
    member(l, "code", r->code);
    out_document(l, r);
    member(l, "document_type[0]", "crm");
    member(l, "document_type[1]", documents[r->w].class);
    member(l, "document_type[2]", documents[r->w].type);
    member(l, "event_token", r->event_token);
    out_properties(l, r);
    member(l, "use_subscription", "N");
    member(l, "timeout_duration", "0");
    number(l, "ts", (uint64_t)r->ts_s);
    event_auth(&l->body, from, true);
}

struct letter *letter_robot(const char *url, const struct event_from *from, const struct letter_robot *r)
{
    char *whole = r->code != NULL ? xstrdup(url) : with_number(url, r->id);
    struct letter *l = letter_new(whole);

    free(whole);
    if (r->code != NULL) {
        out_call(l, from, r);
        return l;
    }
    out_document(l, r);
    member(l, "auth[domain]", from->address);
    endpoint(l, "auth[client_endpoint]", from->tls, from->address);
    endpoint(l, "auth[server_endpoint]", server_has_tls(from), from->oauth_address);
    member(l, "auth[member_id]", from->member_id);
    return l;
}
