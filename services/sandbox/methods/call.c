#include "call.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/calendar.h"
#include "json_out.h"
#include "params.h"

const struct api_error_row API[API_ERRORS] = {
    [API_OK] = { 200, NULL, NULL },
#define API_ERROR(id, status, code, text) [API_##id] = { status, code, text },
#include "errors.def"
#undef API_ERROR
};

#define METHOD(name, run, scope) { name, run, SCOPE_##scope, -1, -1 },
#define RECORD_METHODS(stem, which) \
    { stem ".list", run_list, SCOPE_CRM, which, -1 }, { stem ".get", run_get, SCOPE_CRM, which, -1 }, \
        { stem ".fields", run_fields, SCOPE_CRM, which, -1 }, \
        { stem ".add", run_add, SCOPE_CRM, which, -1 }, \
        { stem ".update", run_update, SCOPE_CRM, which, -1 }, \
        { stem ".delete", run_delete, SCOPE_CRM, which, -1 }, \
        { stem ".userfield.list", run_userfields, SCOPE_CRM, which, -1 }, \
        { stem ".userfield.get", run_userfield_get, SCOPE_CRM, which, -1 }, \
        { stem ".userfield.add", run_userfield_add, SCOPE_CRM, which, -1 }, \
        { stem ".userfield.update", run_userfield_update, SCOPE_CRM, which, -1 }, \
        { stem ".userfield.delete", run_userfield_delete, SCOPE_CRM, which, -1 },
#define LINK_METHODS(stem, which, target) \
    { stem ".add", run_link_add, SCOPE_CRM, which, target }, \
        { stem ".delete", run_link_delete, SCOPE_CRM, which, target }, \
        { stem ".items.get", run_link_get, SCOPE_CRM, which, target }, \
        { stem ".items.set", run_link_set, SCOPE_CRM, which, target }, \
        { stem ".items.delete", run_link_clear, SCOPE_CRM, which, target },
static const struct method methods[] = {
#include "methods.def"
};
#undef METHOD
#undef RECORD_METHODS
#undef LINK_METHODS

const struct method *method_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        if (str_case_eq(name, str_of(methods[i].name)))
            return &methods[i];
    }
    return NULL;
}

const struct method *method_at(size_t n)
{
    return n < ARRAY_SIZE(methods) ? &methods[n] : NULL;
}

/* The token's own time, or an order of the admin's. */
static bool ends_here(struct portal *p, uint64_t now_ms)
{
    struct err err;

    if (p->commands_left > 0 && --p->commands_left == 0) {
        p->token_until_ms = now_ms;
        if (tokens_expire(&p->application.tokens, true, false, now_ms, &err) < 0)
            log_ev(LOG_ERROR, "oauth.failed", kv_err(&err));
    }
    return now_ms >= p->token_until_ms;
}

/* What keeps a method from running at all. */
static enum api_error refused(struct call *c, struct operating_method *account)
{
    struct portal *p = c->portal;
    struct fault ignored;

    if (c->method->scope & SCOPE_APP && !p->app)
        return portal_has(p, QUIRK_EVENT_CONTEXT) ? API_OPTION_DENIED : API_AUTH_TYPE;
    if (c->method->scope & ~SCOPE_APP & ~p->scopes)
        return p->app ? API_APP_SCOPE : API_SCOPE;
    if (c->nested && p->app && ends_here(p, c->start_ms)) /* it was good when the batch began */
        return API_EXPIRED;
    if (c->nested) {
        switch (fault_take(&p->faults, c->method->name, true, &ignored)) {
        case FAULT_LIMIT429:
            return API_OPERATING;
        case FAULT_COMMAND:
            return API_INTERNAL;
        case FAULT_COMMITTED:
            c->unsaid = true;
            break;
        default:
            break;
        }
    }
    if (c->nested && portal_has(p, QUIRK_BATCH_PAYS))
        return API_OK;
    if (!operating_blocked(&p->operating, account, c->start_ms))
        return API_OK;
    p->stats.refused_429++;
    return API_OPERATING;
}

static void bill(struct call *c, struct operating_method *account)
{
    struct operating *o = &c->portal->operating;
    const bool batch_pays = portal_has(c->portal, QUIRK_BATCH_PAYS);

    account->calls++;
    if (batch_pays ? c->nested
                   : c->method->run == batch_run) /* a batch pays nothing itself: its commands do */
        return;
    operating_add(o, account, c->cost_s * c->portal->options.operating_cost, c->finish_ms);
    c->operating_s = operating_used(o, account, c->finish_ms);
    c->reset_ms = operating_reset_ms(o, account, c->finish_ms);
}

enum api_error call_refuse(const struct call *c, enum api_error e, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(c->portal->detail, sizeof(c->portal->detail), format, ap);
    va_end(ap);
    return e;
}

enum api_error call_run(struct call *c)
{
    struct operating_method *account = operating_of(&c->portal->operating, c->method->name, c->portal->app);
    const size_t before = c->out->n;

    c->start_ms = clock_wall_ms();
    c->portal->detail[0] = '\0';
    enum api_error e = refused(c, account);
    if (e == API_OK)
        e = c->method->run(c);
    c->finish_ms = clock_wall_ms();
    if (e == API_OK)
        bill(c, account);
    if (e == API_OK && c->unsaid)
        e = API_INTERNAL;
    if (e != API_OK)
        c->out->n = before;
    return e;
}

enum api_error call_denied(const struct portal *p, enum api_error first)
{
    if (portal_has(p, QUIRK_DENIED_CREDENTIALS))
        return API_RIGHTS;
    /* crm.item.* says the code anyway, with another status: route_status(). */
    return portal_has(p, QUIRK_DENIED_403) && first != API_ITEM_ACCESS ? API_ACCESS_CODE : first;
}

char *call_text(const struct call *c, const char *name)
{
    const json_t *v = params_get(c->params, name);
    char room[40];

    return v != NULL && !params_is_array(v) ? str_dup(params_text(v, room)) : xstrdup("");
}

enum api_error call_broken(const struct err *err)
{
    log_ev(LOG_ERROR, "events.failed", kv_err(err));
    return API_INTERNAL;
}

static void out_iso(struct buf *out, const char *name, uint64_t ms)
{
    char text[CALENDAR_ISO];

    calendar_iso((int64_t)(ms / 1000), text);
    buf_fmt(out, ",\"%s\":\"", name);
    buf_add(out, text, sizeof(text));
    buf_char(out, '"');
}

static void out_seconds(struct buf *out, uint64_t ms)
{
    buf_fmt(out, "%llu.%03u", (unsigned long long)(ms / 1000), (unsigned)(ms % 1000));
}

/* When seconds fall out; never too early. */
static void out_reset(struct buf *out, const struct call *c)
{
    const uint64_t reset_s = ((c->reset_ms ? c->reset_ms : c->finish_ms) + 999) / 1000;

    if (portal_has(c->portal, QUIRK_RESET_ISO)) {
        out_iso(out, "operating_reset_at", reset_s * 1000);
        return;
    }
    buf_str(out, ",\"operating_reset_at\":");
    json_out_int(out, (int64_t)reset_s);
}

void call_out_time(struct buf *out, const struct call *c)
{
    const bool integer = portal_has(c->portal, QUIRK_TIME_INTEGER);

    buf_str(out, "{\"start\":");
    if (integer)
        json_out_int(out, (int64_t)(c->start_ms / 1000));
    else
        out_seconds(out, c->start_ms);
    buf_str(out, ",\"finish\":");
    out_seconds(out, c->finish_ms);
    buf_str(out, ",\"duration\":");
    out_seconds(out, c->finish_ms - c->start_ms);
    buf_str(out, ",\"processing\":");
    out_seconds(out, integer ? 0 : c->finish_ms - c->start_ms);
    out_iso(out, "date_start", c->start_ms);
    out_iso(out, "date_finish", c->finish_ms);
    if (!portal_has(c->portal, QUIRK_NO_OPERATING)) {
        if (!portal_has(c->portal, QUIRK_NO_RESET))
            out_reset(out, c);
        buf_str(out, ",\"operating\":");
        if (c->operating_s > 0 && !portal_has(c->portal, QUIRK_OPERATING_ZERO))
            buf_fmt(out, "%.6f", c->operating_s);
        else
            buf_char(out, '0');
    }
    buf_char(out, '}');
}

/* Classic methods in the language of a Russian portal (facts 2.4); no source has the words. */
static const char *const RUSSIAN[API_ERRORS] = {
    [API_NOT_FOUND] = "Элемент не найден",
    [API_NOT_FOUND_DOT] = "Элемент не найден.",
    [API_OWNER_MISSING] = "Не найдено.",
    [API_ACCESS] = "Доступ запрещен.",
    [API_ID_INVALID] = "ID не задан или неверен.",
    [API_GENERAL] = "Не удалось получить список. Общая ошибка.",
    [API_FILTER_TYPE] = "Параметр 'filter' должен быть массивом.",
    [API_ORDER_TYPE] = "Параметр 'order' должен быть массивом.",
    [API_FIELDS_TYPE] = "Параметр 'fields' должен быть массивом.",
    [API_PARAMS_TYPE] = "Параметр 'params' должен быть массивом.",
    [API_CURRENCY] = "Недопустимое значение поля \"Валюта\"",
    [API_EMAIL] = "Поле \"Рабочий e-mail\" содержит некорректный адрес",
};

static const char *text_of(const struct portal *p, enum api_error e)
{
    return portal_has(p, QUIRK_CLASSIC_LOCALIZED) && RUSSIAN[e] != NULL ? RUSSIAN[e] : API[e].text;
}

void call_out_error(
    const struct portal *p, struct buf *out, enum api_error e, const char *detail, bool in_batch)
{
    const char *code = API[e].code, *text = detail[0] != '\0' ? detail : text_of(p, e);

    if (in_batch && (e == API_SCOPE || e == API_APP_SCOPE)) /* facts section 16 */
        text = "";
    buf_str(out, "{\"error\":");
    if (code[0] == '#')
        buf_str(out, code + 1);
    else
        json_out_cstr(out, code[0] == '*' ? detail : code);
    buf_str(out, ",\"error_description\":");
    json_out_cstr(out, code[0] == '*' ? API[e].text : text);
    buf_char(out, '}');
}
