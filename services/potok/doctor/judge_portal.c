/* judge_portal.c - does the portal answer, whom does it take us for, what may be read, do the clocks agree?
 * Pure. */
#include "facts.h"

#include "base/mem.h"
#include "explain.h"
#include "words/russian.h"
#include "words/say.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { CLOCK_WARN_MS = 5000, CLOCK_BAD_MS = 300000, SLOW_MS = 1500, CURE_SIZE = 1200 };

/* What the portal says, as a part of a sentence: its own may end in a dot. */
static int words_of(const char *text)
{
    size_t n = strlen(text);

    while (n > 0 && strchr(". !", text[n - 1]) != NULL)
        n--;
    return (int)n;
}

/* "HTTP 401 insufficient_scope: The request requires …" */
static void put_error(int status, const char *code, const char *description, char *ret, size_t size)
{
    snprintf(ret, size, "HTTP %d%s%s%s%.*s", status, code[0] != '\0' ? " " : "", code,
        description[0] != '\0' ? ": " : "", words_of(description), description);
}

static const char *cure_of(const struct explanation *e, const char *fallback)
{
    return e != NULL ? say(e->ru_cure, e->en_cure) : fallback;
}

static const char *meaning_of(const struct explanation *e)
{
    return e != NULL ? say(e->ru, e->en) : "";
}

static bool answered(const struct call_facts *c)
{
    return c->asked && c->status == 200 && c->json && !c->refused;
}

/* A portal that gave no answer worth reading: everything else of it is not looked at. */
static bool is_silent(const struct portal_facts *p)
{
    const struct call_facts *c = &p->calls[CALL_PROFILE];

    return c->status == 0 || !c->json || (c->status >= 300 && c->status < 400);
}

/* What the check needs did not come. */
static bool skipped(const struct portal_facts *p, bool known, struct findings *out)
{
    if (known)
        return false;
    if (p->calls[CALL_PROFILE].unstarted)
        finding_add(out, HEALTH_SKIPPED, p->name, NULL, "%s",
            say("не смотрели: планировщик не работает", "not checked: no scheduler runs"));
    else if (p->calls[CALL_PROFILE].unconnected)
        finding_add(out, HEALTH_SKIPPED, p->name, NULL, "%s",
            say("не смотрели: у приложения нет доступа", "not checked: the application has no access"));
    else if (is_silent(p))
        finding_add(out, HEALTH_SKIPPED, p->name, NULL, "%s",
            say("не смотрели: портал не отвечает", "not checked: the portal does not answer"));
    else if (p->calls[CALL_PROFILE].refused)
        finding_add(out, HEALTH_SKIPPED, p->name, NULL, "%s",
            say("не смотрели: портал не принял вебхук",
                "not checked: the portal did not accept the webhook"));
    else
        finding_add(out, HEALTH_SKIPPED, p->name, NULL, "%s",
            say("не смотрели: ответ на предыдущий вопрос не пришёл",
                "not checked: the question before it was not answered"));
    return true;
}

static bool unconfigured(const struct facts *f, struct findings *out)
{
    if (f->portal_count > 0)
        return false;
    finding_add(out, HEALTH_SKIPPED, NULL, NULL, "%s",
        f->home != NULL && f->home->config.portal_count > 0
            ? say("не смотрели: портал подключён приложением, его спрашивает планировщик (potok portal, "
                  "potok status)",
                  "not checked: the portal is reached as an application, the scheduler asks it (potok "
                  "portal, potok "
                  "status)")
            : say("не смотрели: порталов в настройках нет", "not checked: no portal is configured"));
    return true;
}

/* ---- does it answer? ---- */

static int by_size(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static uint64_t median_ms(const struct portal_facts *p)
{
    uint64_t times[3];

    for (int i = 0; i < 3; i++)
        times[i] =
            p->calls[CALL_TIME + i].asked ? p->calls[CALL_TIME + i].took_ms : p->calls[CALL_PROFILE].took_ms;
    qsort(times, 3, sizeof(times[0]), by_size);
    return times[1];
}

static void moved_add(const struct portal_facts *p, const struct call_facts *c, struct findings *out)
{
    char cure[CURE_SIZE];

    snprintf(cure, sizeof(cure),
        say("впишите в адрес вебхука новое имя портала (секрет прежний), затем potok config moved %s",
            "put the portal's new name into the webhook's address (its secret stays), then potok config "
            "moved %s"),
        p->name);
    finding_add(out, HEALTH_BAD, p->name, cure,
        say("портал переехал: %s отсылает (HTTP %d) на %s", "the portal moved: %s refers (HTTP %d) to %s"),
        p->url, c->status, c->location[0] != '\0' ? c->location : "?");
}

/* "portal main: it is not …": the finding has named it already. */
static const char *without_name(const char *failure, const char *name)
{
    char prefix[80];
    int n = snprintf(prefix, sizeof(prefix), "portal %s: ", name);

    return strncmp(failure, prefix, (size_t)n) == 0 ? failure + n : failure;
}

static void portal_add(const struct portal_facts *p, struct findings *out)
{
    const struct call_facts *c = &p->calls[CALL_PROFILE];
    const struct explanation *e = explain_words(str_of(c->failure));
    char said[2 * ERR_TEXT_SIZE];

    if (c->status >= 300 && c->status < 400) {
        moved_add(p, c, out);
    } else if (c->unstarted) {
        finding_add(out, HEALTH_WARNING, p->name,
            say("запустите службы: potok up", "start the services: potok up"), "%s: %s", p->url,
            say("портал подключён приложением, спросить его можно, только пока работает планировщик",
                "the portal is reached as an application and can be asked only while the scheduler runs"));
    } else if (c->unconnected) {
        finding_add(out, HEALTH_BAD, p->name,
            say("подключите приложение: potok portal login (что с ним сейчас — potok portal)",
                "connect the application: potok portal login (how it is: potok portal)"),
            "%s: %s%s%s", p->url, russian_message(without_name(c->failure, p->name), said, sizeof(said)),
            p->refusal[0] != '\0' ? "; " : "", p->refusal);
    } else if (c->status == 0) {
        finding_add(out, HEALTH_BAD, p->name,
            cure_of(e, say("проверьте адрес и сеть", "check the address and the network")),
            e != NULL ? "%s: %s (%s)" : "%s: %s%s", p->url, meaning_of(e), c->failure);
    } else if (!c->json) {
        e = explain_error(c->status, STR(""), c->status < 300 ? STR("web page") : STR(""));
        finding_add(
            out, HEALTH_BAD, p->name, cure_of(e, NULL), "%s: HTTP %d. %s", p->url, c->status, meaning_of(e));
    } else {
        uint64_t ms = median_ms(p);

        finding_add(out, ms > SLOW_MS ? HEALTH_WARNING : HEALTH_OK, p->name,
            ms > SLOW_MS
                ? say("портал отвечает медленно: копирование пойдёт, но не так быстро, как позволяет тариф",
                      "the portal is slow: the mirror works, though slower than its plan allows")
                : NULL,
            say("%s отвечает за %" PRIu64 " мс", "%s answers in %" PRIu64 " ms"), p->url, ms);
    }
}

void judge_portal(const struct facts *f, struct findings *out)
{
    if (unconfigured(f, out))
        return;
    for (int i = 0; i < f->portal_count; i++)
        portal_add(&f->portals[i], out);
}

/* ---- whom does it take us for? ---- */

static void refusal_add(const struct portal_facts *p, const struct call_facts *c, struct findings *out)
{
    const struct explanation *e = explain_error(c->status, str_of(c->code), str_of(c->description));
    char error[ERR_TEXT_SIZE];

    put_error(c->status, c->code, c->description, error, sizeof(error));
    finding_add(out, e != NULL && e->habit == HABIT_WAITS ? HEALTH_WARNING : HEALTH_BAD, p->name,
        cure_of(e, NULL), "%s. %s", error, meaning_of(e));
}

static void webhook_add(const struct portal_facts *p, struct findings *out)
{
    const struct call_facts *c = &p->calls[CALL_PROFILE];

    if (c->json && c->refused)
        refusal_add(p, c, out);
    else if (skipped(p, answered(c), out))
        return;
    else if (!p->user_known)
        finding_add(out, HEALTH_BAD, p->name,
            say("войдите действующим сотрудником, лучше администратором, и сделайте вебхук заново",
                "log in as an active employee, best an administrator, and make the webhook anew"),
            "%s",
            say("владелец вебхука отключён на портале", "the webhook's owner is deactivated on the portal"));
    else if (p->admin)
        finding_add(out, HEALTH_OK, p->name, NULL,
            say("%s (id %s), администратор", "%s (id %s), an administrator"), p->user, p->user_id);
    else
        finding_add(out, HEALTH_WARNING, p->name,
            say("будет скопировано только то, что видит этот сотрудник: дайте его роли чтение всех записей "
                "CRM или сделайте "
                "вебхук от имени администратора",
                "only what this employee sees is mirrored: give the role the right to read all records of "
                "the CRM, or make "
                "the webhook as an administrator"),
            say("%s (id %s), не администратор", "%s (id %s), no administrator"), p->user, p->user_id);
}

void judge_webhook(const struct facts *f, struct findings *out)
{
    if (unconfigured(f, out))
        return;
    for (int i = 0; i < f->portal_count; i++)
        webhook_add(&f->portals[i], out);
}

static void scope_add(const struct portal_facts *p, struct findings *out)
{
    const struct call_facts *c = &p->calls[CALL_SCOPE];
    const struct explanation *e = explain_error(401, STR("insufficient_scope"), STR(""));
    const char *none = say(" ничего", " nothing");
    int n = (int)strlen(p->scopes);

    if (c->asked && c->json && c->refused)
        refusal_add(p, c, out);
    else if (skipped(p, p->scopes_known, out))
        return;
    else if (strstr(p->scopes, " crm ") == NULL)
        finding_add(out, HEALTH_BAD, p->name, cure_of(e, NULL),
            say("у вебхука нет права CRM (crm); есть:%.*s", "the webhook lacks the scope crm; it has:%.*s"),
            n > 2 ? n - 1 : (int)strlen(none), n > 2 ? p->scopes : none);
    else
        finding_add(out, HEALTH_OK, p->name, NULL, "%.*s", (int)strlen(p->scopes) - 2, p->scopes + 1);
}

void judge_scope(const struct facts *f, struct findings *out)
{
    if (unconfigured(f, out))
        return;
    for (int i = 0; i < f->portal_count; i++)
        scope_add(&f->portals[i], out);
}

/* ---- what may be read? ---- */

static void list_refused_add(const struct portal_facts *p, const struct list_facts *l, struct findings *out)
{
    const struct explanation *e = explain_error(200, str_of(l->code), str_of(l->description));
    char about[64];

    snprintf(about, sizeof(about), "%s/%s", p->name, l->entity);
    finding_add(out, HEALTH_BAD, about, cure_of(e, NULL), "%s%s%.*s. %s", l->code,
        l->code[0] != '\0' && l->description[0] != '\0' ? ": " : "", words_of(l->description), l->description,
        meaning_of(e));
}

static void list_empty_add(const struct portal_facts *p, const struct list_facts *l, struct findings *out)
{
    char about[64];

    snprintf(about, sizeof(about), "%s/%s", p->name, l->entity);
    finding_add(out, p->admin ? HEALTH_OK : HEALTH_WARNING, about,
        p->admin ? NULL
                 : say("если записи на портале есть, дайте роли владельца вебхука право читать их",
                       "where the portal has such records, give the role of the webhook's owner the right to "
                       "read them"),
        "%s", say("ни одной записи не видно", "no record is to be seen"));
}

static void entities_add(const struct portal_facts *p, struct findings *out)
{
    const struct call_facts *c = &p->calls[CALL_LISTS];
    char readable[512] = "";
    int lacking = 0;

    if (c->asked && c->json && c->refused) {
        refusal_add(p, c, out);
        return;
    }
    if (skipped(p, answered(c), out))
        return;
    for (int i = 0; i < p->list_count; i++) {
        const struct list_facts *l = &p->lists[i];
        size_t n = strlen(readable);

        if (l->refused && p->scopes_known && strstr(p->scopes, " crm ") == NULL)
            lacking++;
        else if (l->refused)
            list_refused_add(p, l, out);
        else if (l->told && l->rows == 0)
            list_empty_add(p, l, out);
        else if (l->told)
            snprintf(readable + n, sizeof(readable) - n, "%s%s", n > 0 ? ", " : "", l->entity);
    }
    if (lacking > 0)
        finding_add(out, HEALTH_SKIPPED, p->name, NULL, "%s",
            say("не смотрели: у вебхука нет права CRM", "not checked: the webhook lacks the scope crm"));
    if (readable[0] != '\0')
        finding_add(out, HEALTH_OK, p->name, NULL, say("читаются: %s", "can be read: %s"), readable);
}

void judge_entities(const struct facts *f, struct findings *out)
{
    if (unconfigured(f, out))
        return;
    for (int i = 0; i < f->portal_count; i++)
        entities_add(&f->portals[i], out);
}

/* ---- limits ---- */

static void budget_add(const struct portal_facts *p, struct findings *out)
{
    const char *cure = NULL;

    if (skipped(p, answered(&p->calls[CALL_PROFILE]), out))
        return;
    if (p->drain_per_s > 2)
        cure = say("так можно только на тарифе Enterprise; на других портал будет отказывать "
                   "(QUERY_LIMIT_EXCEEDED), тогда "
                   "укажите tariff: standard",
            "only the plan Enterprise allows that; on others the portal refuses (QUERY_LIMIT_EXCEEDED): then "
            "set tariff: "
            "standard");
    finding_add(out, HEALTH_OK, p->name, cure,
        say("настроено запросов в секунду: %u, запас: %u; время выполнения портал %s",
            "configured: %u requests a second, %u in reserve; the portal %s operating time"),
        p->drain_per_s, p->burst,
        p->operating ? say("считает", "counts") : say("не считает", "does not count"));
}

void judge_budget(const struct facts *f, struct findings *out)
{
    if (unconfigured(f, out))
        return;
    for (int i = 0; i < f->portal_count; i++)
        budget_add(&f->portals[i], out);
}

/* ---- clocks ---- */

static void clock_add(const struct portal_facts *p, struct findings *out)
{
    if (skipped(p, p->clock_known, out))
        return;
    uint64_t apart_ms = (uint64_t)llabs((long long)p->ahead_ms);
    int offset = abs(p->offset_min);
    char zone[16], apart[SAY_COUNT_SIZE];
    enum health health = apart_ms > CLOCK_BAD_MS    ? HEALTH_BAD
                         : apart_ms > CLOCK_WARN_MS ? HEALTH_WARNING
                                                    : HEALTH_OK;

    snprintf(
        zone, sizeof(zone), "%c%02d:%02d", p->offset_min < 0 ? '-' : '+', offset / 60 % 100, offset % 60);
    if (health == HEALTH_OK)
        finding_add(out, health, p->name, NULL,
            say("часы сходятся; часовой пояс портала %s", "the clocks agree; the portal's time zone is %s"),
            zone);
    else
        finding_add(out, health, p->name,
            say("включите на этой машине точное время: timedatectl set-ntp true",
                "let this machine keep the time: timedatectl set-ntp true"),
            p->ahead_ms > 0 ? say("часы этой машины спешат на %s против портала (его пояс %s)",
                                  "this machine's clock is %s ahead of the portal's (its time zone is %s)")
                            : say("часы этой машины отстают на %s от портала (его пояс %s)",
                                  "this machine's clock is %s behind the portal's (its time zone is %s)"),
            say_span(apart_ms, apart), zone);
}

void judge_clock(const struct facts *f, struct findings *out)
{
    if (unconfigured(f, out))
        return;
    for (int i = 0; i < f->portal_count; i++)
        clock_add(&f->portals[i], out);
}
