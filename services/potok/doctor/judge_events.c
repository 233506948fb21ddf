/* judge_events.c - do portals tell us of changes? Pure. */
#include "facts.h"

#include "words/say.h"

#include <inttypes.h>
#include <stdio.h>

static void silent_add(const struct webhooks_view *v, struct findings *out)
{
    char cure[200];

    snprintf(cure, sizeof(cure),
        say("проверьте, что вставлено на портале: potok webhooks %s",
            "see what stands in the portal: potok webhooks %s"),
        v->portal->name);
    finding_add(out, HEALTH_WARNING, v->portal->name, cure,
        say("больше суток не пришло ни одного события, а проверка по дате нашла изменённых записей: %" PRId64,
            "no event came for more than a day, and the look by date found records that changed: %" PRId64),
        (int64_t)json_integer_value(json_object_get(v->events, "found")));
}

static const char *cure_of_refused(const struct webhooks_view *v)
{
    if (!config_portal_is_app(v->portal))
        return say(
            "сверьте BITRIX_APPLICATION_TOKEN с «Токеном приложения» на портале и запустите Potok заново",
            "compare BITRIX_APPLICATION_TOKEN with the portal's \"Application token\" and start Potok again");
    if (webhooks_have_key(v))
        return say("POTOK_SECRET_KEY у шлюза и планировщика должен быть один и тот же; если приложение "
                   "установили заново: potok portal login",
            "gateway and scheduler need the same POTOK_SECRET_KEY; if the application was installed anew: "
            "potok portal login");
    return say("они узнаются только по токену приложения: впишите BITRIX_APPLICATION_TOKEN "
               "(auth[application_token] его событий) и запустите Potok заново",
        "they are known by the application's token alone: set BITRIX_APPLICATION_TOKEN "
        "(auth[application_token] of its events) and start Potok again");
}

static void refused_add(const struct webhooks_view *v, struct findings *out)
{
    finding_add(out, HEALTH_WARNING, v->portal->name, cure_of_refused(v),
        say("события приходят с чужим токеном, отвергнуто: %" PRId64,
            "events come with a token that is not ours, refused: %" PRId64),
        v->tokens_wrong);
}

static void unbound_add(const struct webhooks_view *v, struct findings *out)
{
    char cure[100];

    snprintf(cure, sizeof(cure), "potok webhooks %s", v->portal->name);
    finding_add(out, HEALTH_WARNING, v->portal->name, cure,
        say("подписано событий: %" PRId64 " из %" PRId64, "events bound: %" PRId64 " of %" PRId64),
        (int64_t)json_integer_value(json_object_get(v->events, "bound")),
        (int64_t)json_integer_value(json_object_get(v->events, "wanted")));
}

static void no_url_add(const struct webhooks_view *v, struct findings *out)
{
    finding_add(out, HEALTH_WARNING, v->portal->name,
        say("задайте PUBLIC_URL; что вставить на портале, скажет potok webhooks",
            "set PUBLIC_URL; what to paste on the portal, potok webhooks tells"),
        "%s",
        v->incremental_s > 0
            ? say("портал не знает, куда слать события; изменения находит только проверка по дате",
                  "the portal does not know where to send events; only the look by date finds changes")
            : say("портал не знает, куда слать события, а проверка по дате выключена",
                  "the portal does not know where to send events, and the look by date is off"));
}

static void judge_view(const struct webhooks_view *v, struct findings *out)
{
    switch (webhooks_health(v)) {
    case WEBHOOKS_NO_URL:
        no_url_add(v, out);
        break;
    case WEBHOOKS_UNBOUND:
        unbound_add(v, out);
        break;
    case WEBHOOKS_REFUSED:
        refused_add(v, out);
        break;
    case WEBHOOKS_SILENT:
        silent_add(v, out);
        break;
    case WEBHOOKS_UNKNOWN:
        finding_add(out, HEALTH_OK, v->portal->name, NULL, "%s",
            v->urls->count > 0 ? v->urls->handlers[0]
                               : say("читается очередь портала", "the portal's queue is read"));
        break;
    case WEBHOOKS_WELL:
        finding_add(out, HEALTH_OK, v->portal->name, NULL, "%s",
            json_integer_value(json_object_get(v->events, "heard_ms")) == 0 && v->urls->count == 0
                ? say("читается очередь портала", "the portal's queue is read")
            : json_integer_value(json_object_get(v->events, "heard_ms")) > 0
                ? say("события приходят", "events come in")
                : say("с запуска событий не было, и изменений без них тоже",
                      "no event since the start, and no change without one either"));
        break;
    }
}

void judge_events(const struct facts *f, struct findings *out)
{
    if (f->home == NULL || f->home->config.portal_count == 0 || !f->webhooks_looked) {
        finding_add(out, HEALTH_SKIPPED, NULL, NULL, "%s",
            say("не смотрели: порталов в настройках нет", "not checked: no portal is configured"));
        return;
    }
    for (int i = 0; i < f->home->config.portal_count; i++) {
        const struct webhooks_view v = webhooks_view(&f->webhooks, f->home, i);

        judge_view(&v, out);
    }
}
