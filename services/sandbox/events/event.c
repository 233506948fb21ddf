#include "event.h"

#include <stdio.h>

#include "base/mem.h"

#define FIELD_EVENTS(stem, w) \
    { "ONCRM" stem "USERFIELDADD", w, DEED_FIELD_ADD, false }, \
        { "ONCRM" stem "USERFIELDUPDATE", w, DEED_FIELD_UPDATE, false }, \
        { "ONCRM" stem "USERFIELDDELETE", w, DEED_FIELD_DELETE, false }, \
        { "ONCRM" stem "USERFIELDSETENUMVALUES", w, DEED_FIELD_ITEMS, false },
#define RECORD_EVENTS(stem, w) \
    { "ONCRM" stem "ADD", w, DEED_ADD, false }, { "ONCRM" stem "UPDATE", w, DEED_UPDATE, false }, \
        { "ONCRM" stem "DELETE", w, DEED_DELETE, false }, FIELD_EVENTS(stem, w)
#define ITEM_EVENTS(stem, w) \
    { "ONCRM" stem "ADD", w, DEED_ADD, false }, { "ONCRM" stem "UPDATE", w, DEED_UPDATE, false }, \
        { "ONCRM" stem "DELETE", w, DEED_DELETE, false },
#define EVENT(name) { name, -1, DEED_KINDS, true },
/* clang-format off */
#define EVENTS(stem) EVENT(stem "ADD") EVENT(stem "UPDATE") EVENT(stem "DELETE")
/* clang-format on */

static const struct event_row rows[] = {
    { "ONAPPTEST", -1, DEED_KINDS, true },
    { "ONOFFLINEEVENT", -1, DEED_KINDS, true },
    { "ONCRMDEALMOVETOCATEGORY", DEAL, DEED_MOVE, true },
    { "ONAPPINSTALL", -1, DEED_KINDS, true },
    { "ONAPPUNINSTALL", -1, DEED_KINDS, true },
#include "events.def"
};

int event_app_test(void)
{
    return 0;
}

int event_offline(void)
{
    return 1;
}

int event_app_install(void)
{
    return 3;
}

int event_app_uninstall(void)
{
    return 4;
}

int event_count(void)
{
    return (int)ARRAY_SIZE(rows);
}

const struct event_row *event_row(int code)
{
    return &rows[code];
}

int event_app_update(void)
{
    return event_of(STR("ONAPPUPDATE"));
}

int event_of_type(int code, int type_id)
{
    char name[80];

    if (code == EVENT_NONE)
        return EVENT_NONE;
    snprintf(name, sizeof(name), "%s_%d", rows[code].name, type_id);
    return event_of(str_of(name));
}

struct str event_scope(int code)
{
    static const struct {
        const char *start, *scope;
    } scopes[] = { { "ONCRM", "crm" }, { "ONTASK", "task" }, { "ONUSER", "user" },
        { "ONVOXIMPLANT", "telephony" }, { "ONEXTERNALCALL", "telephony" } };

    for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
        if (strncmp(rows[code].name, scopes[i].start, strlen(scopes[i].start)) == 0)
            return str_of(scopes[i].scope);
    }
    return STR("");
}

int event_of(struct str name)
{
    for (int i = 0; i < event_count(); i++) {
        if (str_case_eq(name, str_of(rows[i].name)))
            return i;
    }
    return EVENT_NONE;
}

int event_of_deed(enum which w, enum deed_kind kind)
{
    if (w == INVOICE)
        w = SMART;
    for (int i = 0; i < event_count(); i++) {
        if (rows[i].which == (int)w && rows[i].kind == kind)
            return i;
    }
    return EVENT_NONE;
}

void event_member(struct buf *out, const char *key, struct str value)
{
    if (out->n > 0)
        buf_char(out, '&');
    buf_urlenc(out, str_of(key));
    buf_char(out, '=');
    buf_urlenc(out, value);
}

static void member_number(struct buf *out, const char *key, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    event_member(out, key, str_of(text));
}

static void out_tokens(struct buf *out, const struct event_from *from)
{
    event_member(out, "auth[access_token]", str_of(from->access_token));
    if (from->tells_user && from->expires_s > 0)
        member_number(out, "auth[expires]", from->expires_s);
    member_number(out, "auth[expires_in]", from->expires_in_s);
    event_member(out, "auth[scope]", str_of(from->scope));
}

void event_auth(struct buf *out, const struct event_from *from, bool app)
{
    const bool whole = app || !from->short_auth;
    char endpoint[160], server[160];

    snprintf(endpoint, sizeof(endpoint), "http%s://%.120s/rest/", from->tls ? "s" : "", from->address);
    snprintf(server, sizeof(server), "http%s://%.120s/rest/",
        from->tls || strchr(from->oauth_address, ':') == NULL ? "s" : "", from->oauth_address);
    if (app && !from->no_tokens)
        out_tokens(out, from);
    event_member(out, "auth[domain]", str_of(from->address));
    if (whole) {
        if (!app)
            event_member(out, "auth[client_endpoint]", str_of(endpoint));
        event_member(out, "auth[server_endpoint]", str_of(server));
    }
    if (app && !from->no_tokens)
        event_member(out, "auth[status]", STR("L"));
    if (app)
        event_member(out, "auth[client_endpoint]", str_of(endpoint));
    event_member(out, "auth[member_id]", str_of(from->member_id));
    if (app && !from->no_tokens && from->refresh_token != NULL)
        event_member(out, "auth[refresh_token]", str_of(from->refresh_token));
    if (app && !from->no_tokens && from->tells_user)
        event_member(out, "auth[user_id]", STR("1"));
    event_member(out, "auth[application_token]", str_of(from->application_token));
}

void event_body(struct buf *out, const struct event_from *from, const struct event_to *to, int code,
    uint64_t id, const char *more, int64_t ts_s)
{
    event_member(out, "event", str_of(rows[code].name));
    if (code != event_app_install() && (to->app || !from->no_handler_id)) /* the vendor's sample has none */
        member_number(out, "event_handler_id", (uint64_t)to->handler_id);
    if (id > 0)
        member_number(out, "data[FIELDS][ID]", id);
    if (more != NULL && more[0] != '\0') {
        buf_char(out, '&');
        buf_str(out, more);
    }
    member_number(out, "ts", (uint64_t)ts_s);
    event_auth(out, from, to->app);
}
