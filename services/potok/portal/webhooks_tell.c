#include "webhooks_tell.h"

#include "base/handler_key.h"
#include "connectors/bitrix_event.h"
#include "words/russian.h"
#include "words/say.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DAY_MS      86400000
#define BITRIX_PATH "/api/v1/webhooks/bitrix"
#define APP_ONLY    "MOVETOCATEGORY" /* a plain webhook is not told of it (facts 9.2) */

/* ---- what the scheduler knows ---- */

static int64_t number(const struct webhooks_view *v, const char *key)
{
    return json_integer_value(json_object_get(v->events, key));
}

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s != NULL ? s : "";
}

static const char *ago(const struct webhooks_view *v, int64_t at_ms, char ret[static SAY_COUNT_SIZE])
{
    return say_span(v->now_ms > (uint64_t)at_ms ? v->now_ms - (uint64_t)at_ms : 0, ret);
}

static bool reads_queue(const struct webhooks_view *v)
{
    return config_events_offline(v->portal) && json_object_get(v->events, "queue") != NULL &&
           json_object_get(json_object_get(v->events, "queue"), "events") != NULL;
}

/* Is it worth a word that no event came in? Not where the portal's queue is read and no address is given. */
static bool expects_events(const struct webhooks_view *v)
{
    const json_t *queue = json_object_get(v->events, "queue");

    return v->urls->count > 0 || !config_events_offline(v->portal) || (queue != NULL && !reads_queue(v));
}

enum webhooks_health webhooks_health(const struct webhooks_view *v)
{
    const bool app = config_portal_is_app(v->portal);

    if (v->tokens_wrong_ms > number(v, "heard_ms"))
        return WEBHOOKS_REFUSED;
    if (v->urls->count == 0 && (app ? !config_events_offline(v->portal) : number(v, "heard_ms") == 0))
        return WEBHOOKS_NO_URL;
    if (v->events == NULL)
        return WEBHOOKS_UNKNOWN;
    if (strcmp(text(v->events, "state"), "refused") == 0 || strcmp(text(v->events, "state"), "partly") == 0)
        return WEBHOOKS_UNBOUND;
    const int64_t heard = number(v, "heard_ms"), since = heard > 0 ? heard : number(v, "since_ms");
    if (number(v, "found") > 0 && expects_events(v) && (int64_t)v->now_ms - since > DAY_MS)
        return WEBHOOKS_SILENT;
    return WEBHOOKS_WELL;
}

/* A key is a secret: that there is one is not. */
static const char *shown_key(const struct webhooks_view *v)
{
    return v->keyed ? "?" HANDLER_KEY_NAME "=(masked)" : "";
}

/* ---- events ---- */

static bool is_mirrored(const struct config_portal *p, const struct entity *e)
{
    bool found = p->entity_count == 0;

    for (int i = 0; i < p->entity_count; i++)
        found |= strcmp(p->entities[i], e->plural) == 0;
    return found;
}

/* Names of an entity's events; fields: those of its fields, else of its records. */
static void put_names(const struct entity *e, bool fields, struct buf *out)
{
    char names[BITRIX_EVENTS_MAX][BITRIX_EVENT_NAME_SIZE];
    const int n = bitrix_events_of(e, names);
    const char *blank = "";

    for (int i = 0; i < n; i++) {
        const bool of_fields = bitrix_event_of(str_of(names[i])).class_ == EVENT_FIELDS;

        if (of_fields != fields || strstr(names[i], APP_ONLY) != NULL)
            continue;
        buf_fmt(out, "%s%s", blank, names[i]);
        blank = " ";
    }
}

/* As the portal's list has them. */
static const struct {
    const char *plural, *ru, *en;
} PEOPLE[] = {
    { "deals", "сделки", "deals" },
    { "contacts", "контакты", "contacts" },
    { "companies", "компании", "companies" },
    { "leads", "лиды", "leads" },
};

static const char *called(const struct entity *e)
{
    for (size_t i = 0; i < sizeof(PEOPLE) / sizeof(PEOPLE[0]); i++)
        if (strcmp(PEOPLE[i].plural, e->plural) == 0)
            return say(PEOPLE[i].ru, PEOPLE[i].en);
    return e->plural;
}

static void put_events(const struct config_portal *p, struct buf *out)
{
    for (int i = 0; i < ENTITY_COUNT; i++) {
        if (!is_mirrored(p, &ENTITIES[i]))
            continue;
        buf_fmt(out, "       %s: ", called(&ENTITIES[i]));
        put_names(&ENTITIES[i], false, out);
        buf_fmt(out, "\n         %s: ", say("и поля", "and fields"));
        put_names(&ENTITIES[i], true, out);
        buf_char(out, '\n');
    }
}

/* ---- texts ---- */

static void put_no_url(const struct webhooks_view *v, struct buf *out)
{
    buf_str(out,
        say("  Адрес, по которому портал находит этот шлюз, не задан: события приходить не могут.\n"
            "  Нужен адрес https из интернета, который ведёт на порт шлюза (GATEWAY_LISTEN, по умолчанию "
            "8080), "
            "например через обратный прокси.\n"
            "  Задайте его и запустите Potok заново:\n"
            "       PUBLIC_URL=https://potok.example.com\n"
            "  (в окружении или в settings: файла potok.yaml); что вставить на портале, скажет потом potok "
            "webhooks.\n",
            "  The address by which the portal finds this gateway is not set: no event can come in.\n"
            "  It is an https address of the internet that leads to the gateway's port (GATEWAY_LISTEN, 8080 "
            "by default), as through a reverse proxy.\n"
            "  Set it and start Potok again:\n"
            "       PUBLIC_URL=https://potok.example.com\n"
            "  (in the environment or in settings: of potok.yaml); what to paste on the portal, potok "
            "webhooks tells then.\n"));
    if (config_portal_is_app(v->portal))
        buf_str(
            out, say("  Без адреса в интернете: events: offline у портала в potok.yaml — Potok сам читает "
                     "очередь портала.\n",
                     "  Without an address of the internet: events: offline of the portal in potok.yaml, and "
                     "Potok reads the portal's queue by itself.\n"));
}

static void put_incremental(const struct webhooks_view *v, struct buf *out)
{
    char span[SAY_COUNT_SIZE];

    if (v->incremental_s > 0)
        buf_fmt(out,
            say("  Чего событие не сказало, находит проверка изменений, %s "
                "(SYNC_INCREMENTAL_SECONDS).\n",
                "  What no event told is found by the look for changes, %s "
                "(SYNC_INCREMENTAL_SECONDS).\n"),
            say_every((uint64_t)v->incremental_s, span));
    else
        buf_str(
            out, say("  Проверка изменений выключена (SYNC_INCREMENTAL_SECONDS=0): чего событие не сказало, "
                     "найдёт только полная синхронизация.\n",
                     "  The look for changes is off (SYNC_INCREMENTAL_SECONDS=0): what no event told only a "
                     "full sync finds.\n"));
}

static void put_heard(const struct webhooks_view *v, struct buf *out)
{
    char span[SAY_COUNT_SIZE];
    const int64_t heard = number(v, "heard_ms"), found = number(v, "found");

    if (v->events == NULL) {
        buf_str(out, say("  Приходят ли события, скажет запущенный Potok: potok up\n",
                         "  Whether events come in, a running Potok tells: potok up\n"));
        return;
    }
    if (heard > 0)
        buf_fmt(out, say("  Последнее событие пришло %s назад.\n", "  The last event came %s ago.\n"),
            ago(v, heard, span));
    else if (expects_events(v))
        buf_fmt(out,
            say("  С запуска планировщика (%s назад) не пришло ни одного события.\n",
                "  Since the scheduler was started (%s ago) no event came.\n"),
            ago(v, number(v, "since_ms"), span));
    if (found > 0)
        buf_fmt(out,
            say("  С тех пор проверка по дате нашла изменённых записей: %" PRId64 ".\n",
                "  Since then the look by date found records that changed: %" PRId64 ".\n"),
            found);
}

static bool is_dropped(const struct webhooks_view *v)
{
    return strcmp(text(v->events, "key"), "dropped") == 0;
}

bool webhooks_have_key(const struct webhooks_view *v)
{
    return v->keyed && v->urls->count > 0 && !is_dropped(v);
}

/* A login tells no token, and so cures nothing here. */
static void put_token_alone(const struct webhooks_view *v, struct buf *out)
{
    buf_str(out, say("  В адресе их обработчика ключа нет: они узнаются только по токену приложения. Если "
                     "его установили "
                     "заново, токен у него другой (auth[application_token] его событий): впишите его и "
                     "запустите Potok "
                     "заново:\n       BITRIX_APPLICATION_TOKEN=…\n",
                     "  There is no key in the address of their handler: they are known by the application's "
                     "token alone. "
                     "If it was installed anew it has another one (auth[application_token] of its events): "
                     "enter it and "
                     "start Potok again:\n       BITRIX_APPLICATION_TOKEN=…\n"));
    if (v->urls->count == 0)
        buf_str(out,
            say("  Или задайте PUBLIC_URL: тогда Potok подпишется сам, с ключом; потом potok portal login.\n",
                "  Or set PUBLIC_URL: then Potok binds the events itself, with a key; then potok portal "
                "login.\n"));
}

static void put_wrong(const struct webhooks_view *v, struct buf *out)
{
    char span[SAY_COUNT_SIZE];

    if (v->tokens_wrong_ms <= number(v, "heard_ms"))
        return;
    buf_fmt(out,
        say("  События портала приходят с чужим токеном, отвергнуто: %" PRId64 ", последнее %s назад.\n",
            "  The portal's events come with a token that is not ours, refused: %" PRId64
            ", the last %s ago.\n"),
        v->tokens_wrong, ago(v, v->tokens_wrong_ms, span));
    if (!config_portal_is_app(v->portal))
        buf_str(out,
            say("  Сверьте BITRIX_APPLICATION_TOKEN с «Токеном приложения» этого вебхука на портале и "
                "запустите Potok заново.\n",
                "  Compare BITRIX_APPLICATION_TOKEN with the \"Application token\" of that webhook on the "
                "portal and start Potok again.\n"));
    else if (webhooks_have_key(v))
        buf_str(out,
            say("  Они узнаются по ключу в адресе обработчика: POTOK_SECRET_KEY у шлюза и планировщика "
                "один и тот же. Если приложение установили заново: potok portal login.\n",
                "  They are known by the key in the handler's address: gateway and scheduler have the same "
                "POTOK_SECRET_KEY. If the application was installed anew: potok portal login.\n"));
    else
        put_token_alone(v, out);
}

static void put_webhook(const struct webhooks_view *v, struct buf *out)
{
    buf_fmt(out,
        say("%s: портал подключён вебхуком, сам он о событиях не договорится. Один раз, на портале:\n",
            "%s: the portal is reached by a webhook, which cannot subscribe to events. Once, on the "
            "portal:\n"),
        v->portal->name);
    if (v->urls->count == 0 && number(v, "heard_ms") == 0 && v->tokens_wrong == 0) {
        put_no_url(v, out);
        put_incremental(v, out);
        return;
    }
    buf_fmt(out,
        say("  1. Откройте: Разработчикам → Другое → Исходящий вебхук\n"
            "     (Developer resources → Other → Outbound webhook)\n"
            "  2. URL вашего обработчика:\n       %s\n"
            "  3. Отметьте события:\n",
            "  1. Open: Developer resources → Other → Outbound webhook\n"
            "     (Разработчикам → Другое → Исходящий вебхук)\n"
            "  2. Handler URL:\n       %s\n"
            "  3. Tick these events:\n"),
        v->urls->count > 0 ? v->urls->handlers[0]
                           : say("https://ваш-адрес" BITRIX_PATH " (PUBLIC_URL не задан)",
                                 "https://your-host" BITRIX_PATH " (PUBLIC_URL is not set)"));
    put_events(v->portal, out);
    buf_str(out,
        say("  4. Сохраните; «Токен приложения» из этой формы впишите в настройки и запустите Potok заново:\n"
            "       BITRIX_APPLICATION_TOKEN=…\n",
            "  4. Save; copy the form's \"Application token\" into the settings and start Potok again:\n"
            "       BITRIX_APPLICATION_TOKEN=…\n"));
    buf_str(out, v->token ? say("     (сейчас он задан)\n", "     (it is set)\n")
                          : say("     (сейчас он не задан)\n", "     (it is not set)\n"));
    buf_str(out,
        say("  О переносе сделки в другую воронку такой вебхук не сообщает (событие есть только у "
            "приложений).\n",
            "  Of a deal's move to another pipeline such a webhook does not tell (applications only).\n"));
    put_incremental(v, out);
    put_heard(v, out);
    put_wrong(v, out);
}

static void put_queue(const struct webhooks_view *v, struct buf *out)
{
    const json_t *queue = json_object_get(v->events, "queue");
    const int64_t read = json_integer_value(json_object_get(queue, "read_ms"));
    char span[SAY_COUNT_SIZE];

    if (queue == NULL)
        return;
    if (!reads_queue(v)) {
        buf_str(out,
            say("  Очереди событий с подтверждением у этого тарифа нет: она не читается, чтобы ничего не "
                "потерять.\n",
                "  This tariff has no queue of events that keeps them until they are confirmed: it is not "
                "read, so that nothing is lost.\n"));
        return;
    }
    if (read > 0)
        buf_fmt(out,
            say("  Очередь портала прочитана %s назад, событий с запуска: %" PRId64 ".\n",
                "  The portal's queue was read %s ago, events since the start: %" PRId64 ".\n"),
            ago(v, read, span), (int64_t)json_integer_value(json_object_get(queue, "events")));
    if (text(queue, "error")[0] != '\0')
        buf_fmt(out, "  %s\n", text(queue, "error"));
}

static void put_bound(const struct webhooks_view *v, struct buf *out)
{
    const char *error = text(v->events, "error");
    char span[SAY_COUNT_SIZE], said[800];
    const int64_t looked = number(v, "looked_ms");

    if (looked == 0) {
        buf_str(
            out, say("  На подписки портала ещё не смотрели: нужен доступ приложения (potok portal).\n",
                     "  The portal's subscriptions were not looked at yet: the application needs its access "
                     "(potok portal).\n"));
        return;
    }
    buf_fmt(out,
        say("  Подписано событий: %" PRId64 " из %" PRId64 ", смотрели %s назад.\n",
            "  Events bound: %" PRId64 " of %" PRId64 ", looked at %s ago.\n"),
        number(v, "bound"), number(v, "wanted"), ago(v, looked, span));
    if (error[0] != '\0')
        buf_fmt(out, "  %s\n", russian_message(error, said, sizeof(said)));
    if (strcmp(text(v->events, "state"), "refused") == 0)
        buf_str(out,
            say("  Портал не разрешает подписку: приложение должен установить администратор портала, с "
                "правом "
                "crm. Потом: potok portal.\n",
                "  The portal does not let it subscribe: an administrator of the portal must install the "
                "application, with the right crm. Then: potok portal.\n"));
    if (number(v, "strays") > 0)
        buf_fmt(out,
            say("  Подписок с нашим путём на чужих адресах: %" PRId64
                ". Если это прежний адрес этого Potok, допишите его в PUBLIC_URL через запятую: подписки "
                "снимутся.\n",
                "  Subscriptions with our path at other addresses: %" PRId64
                ". If that is a former address of this Potok, add it to PUBLIC_URL after a comma: they are "
                "unbound.\n"),
            number(v, "strays"));
}

static void put_handler(const struct webhooks_view *v, struct buf *out)
{
    buf_fmt(out, say("  Адрес обработчика: %s%s\n", "  Handler: %s%s\n"), v->urls->handlers[0], shown_key(v));
    if (is_dropped(v))
        buf_str(out,
            say("  Портал убирает из него ключ: события узнаются только по токену приложения. Он приходит с "
                "установкой приложения или стоит в BITRIX_APPLICATION_TOKEN.\n",
                "  The portal drops the key from it: events are known by the application's token alone, "
                "which comes with its installation or stands in BITRIX_APPLICATION_TOKEN.\n"));
}

static void put_app(const struct webhooks_view *v, struct buf *out)
{
    buf_fmt(out,
        say("%s: портал подключён приложением, Potok подписывается на события сам.\n",
            "%s: the portal is reached as an application, Potok binds its events by itself.\n"),
        v->portal->name);
    if (v->urls->count > 0)
        put_handler(v, out);
    else if (!config_events_offline(v->portal))
        put_no_url(v, out);
    if (v->events != NULL && (v->urls->count > 0 || config_events_offline(v->portal)))
        put_bound(v, out);
    put_queue(v, out);
    put_incremental(v, out);
    put_heard(v, out);
    put_wrong(v, out);
}

void webhooks_tell(const struct webhooks_view *v, struct buf *out)
{
    if (config_portal_is_app(v->portal))
        put_app(v, out);
    else
        put_webhook(v, out);
}

json_t *webhooks_json(const struct webhooks_view *v)
{
    json_t *names = json_array(), *o;

    for (int i = 0; i < ENTITY_COUNT; i++) {
        char list[BITRIX_EVENTS_MAX][BITRIX_EVENT_NAME_SIZE];
        const int n = is_mirrored(v->portal, &ENTITIES[i]) ? bitrix_events_of(&ENTITIES[i], list) : 0;

        for (int k = 0; k < n; k++)
            if (config_portal_is_app(v->portal) || strstr(list[k], APP_ONLY) == NULL)
                json_array_append_new(names, json_string(list[k]));
    }
    o = json_pack("{s:s, s:b, s:b, s:o}", "portal", v->portal->name, "app", config_portal_is_app(v->portal),
        "token", v->token, "events", names);
    json_object_set_new(o, "handler",
        v->urls->count > 0 ? json_sprintf("%s%s", v->urls->handlers[0], shown_key(v)) : json_null());
    json_object_set_new(o, "state", v->events != NULL ? json_deep_copy(v->events) : json_null());
    return o;
}
