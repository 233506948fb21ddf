#include "events.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/hash.h"
#include "portal.h"
#include "data/record.h"
#include "methods/json_out.h"

static void make_token(uint64_t seed, char ret[static 33])
{
    snprintf(
        ret, 33, "%016llx%016llx", (unsigned long long)hash_mix(seed), (unsigned long long)hash_two(seed, 2));
}

static bool has_quirk(const struct events *e, enum quirk q)
{
    return e->quirks >> q & 1;
}

static void bind_given(struct bindings *b, const struct events_options *o)
{
    for (int i = 0; i < EVENT_URLS_MAX && o->webhooks[i] != NULL; i++)
        bindings_add_given(b, o->webhooks[i], EVENT_NONE);
    for (int i = 0; i < EVENT_URLS_MAX && o->apps[i] != NULL; i++) {
        for (int code = 0; code < event_count(); code++) {
            if (event_row(code)->which >= 0)
                bindings_add_given(b, o->apps[i], code);
        }
    }
}

int events_open(struct events *ret, const struct events_options *o, struct store *s,
    struct application *application, quirk_set quirks, struct err *err)
{
    *ret = (struct events){ .quirks = quirks, .application = application, .tls = o->tls };
    snprintf(ret->oauth_address, sizeof(ret->oauth_address), "oauth.bitrix.info");
    ret->outbox =
        (struct outbox){ .faults = o->faults, .seed = s->seed, .parallel = o->parallel ? o->parallel : 1 };
    make_token(s->seed ^ 0x6d656d626572, ret->member_id);
    make_token(s->seed ^ 0x746f6b656e, ret->application_token);
    if (o->application_token != NULL)
        snprintf(ret->application_token, sizeof(ret->application_token), "%s", o->application_token);
    for (int w = 0; w < KINDS; w++)
        s->veils.lag_ms[w] = o->lag_ms;
    if (bindings_open(&ret->bindings, s->db, err) < 0 || offline_open(&ret->offline, s->db, s->seed, err) < 0)
        return -1;
    bind_given(&ret->bindings, o);
    events_listen(ret, s);
    return 0;
}

static void drop_letters(struct events *e)
{
    while (e->letters != NULL) {
        struct letter *l = e->letters;
        e->letters = l->next;
        letter_free(l);
    }
    if (e->posted != NULL)
        letter_free(e->posted);
}

void events_close(struct events *e)
{
    drop_letters(e);
    outbox_fini(&e->outbox);
    bindings_close(&e->bindings);
    offline_close(&e->offline);
}

void events_listen(struct events *e, struct store *s)
{
    s->journal.on = e->bindings.count > 0;
    for (int w = 0; w < KINDS; w++)
        s->journal.on |= s->veils.lag_ms[w] > 0;
}

/* ---- from deeds to events ---- */

/* Members of data[FIELDS] beside ID: in the form of a handler, and in the line of a queue, where numbers are
 * numbers. */
struct members {
    struct buf form, json;
};

static void add_member(struct members *m, const char *name, struct str value, bool number)
{
    char key[40];

    snprintf(key, sizeof(key), "data[FIELDS][%s]", name);
    event_member(&m->form, key, value);
    buf_fmt(&m->json, ",\"%s\":", name);
    if (number)
        buf_add(&m->json, value.p, value.n);
    else
        json_out_str(&m->json, value, false);
}

static void funnel_members(struct members *m, struct store *s, uint32_t n)
{
    static const char *const names[] = { "CATEGORY_ID", "STAGE_ID" };
    struct arena arena = { 0 };
    struct record r;

    record_open(&r, s, DEAL, n, &arena);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct value v;
        record_value(&r, attr_find(&r.crm->attrs, str_of(names[i])), &v);
        add_member(m, names[i], v.kind == VALUE_INT ? arena_int(&arena, v.i) : v.text, v.kind == VALUE_INT);
    }
    arena_fini(&arena);
}

/* Which of the smart processes, and invoices among them. */
static void type_member(struct members *m, enum which w)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", WHICH[w].type_id);
    add_member(m, "ENTITY_TYPE_ID", str_of(text), true);
}

static void field_members(struct members *m, const struct deed *d)
{
    add_member(m, "ENTITY_ID", str_of(WHICH[d->which].uf_entity), false);
    add_member(m, "FIELD_NAME", str_of(d->field), false);
}

static int spread_one(
    struct events *e, struct store *s, const struct deed *d, uint64_t mono_ms, int64_t now_s, struct err *err)
{
    struct members m;

    buf_init(&m.form, 4096);
    buf_init(&m.json, 4096);
    if (d->kind == DEED_MOVE)
        funnel_members(&m, s, d->n);
    if (d->field == NULL && (d->which == INVOICE || d->which == SMART))
        type_member(&m, d->which);
    if (d->field != NULL)
        field_members(&m, d);
    const int code = event_of_deed(d->which, d->kind);
    const struct event_about about = { d->id, WHICH[d->which].type_id, buf_cstr(&m.form), buf_cstr(&m.json) };
    int result = events_tell(e, code, &about, mono_ms, now_s, err);
    if (result == 0) /* of one type of items there are codes as well */
        result = events_tell(e, event_of_type(code, about.type_id), &about, mono_ms, now_s, err);
    buf_fini(&m.form);
    buf_fini(&m.json);
    return result;
}

int events_spread(struct events *e, struct store *s, uint64_t mono_ms, int64_t now_s, struct err *err)
{
    struct journal *j = &s->journal;
    int result = 0;

    if (j->count == 0)
        return 0;
    const bool queues = j->count > 1; /* one transaction is enough for many lines of queues */
    if (queues && store_begin(s, err) < 0)
        return -1;
    for (size_t i = 0; i < j->count; i++) {
        if (result == 0)
            result = spread_one(e, s, &j->list[i], mono_ms, now_s, err);
        veils_add(&s->veils, &j->list[i], mono_ms);
    }
    journal_clear(j);
    if (queues && store_commit(s, err) < 0)
        return -1;
    return result;
}

/* A queue is not told of what its own application changed (facts section 9.5). */
static bool is_own(const struct events *e, const struct binding *b)
{
    return e->connector[0] != '\0' && strcmp(e->connector, b->connector) == 0;
}

static void wake(struct events *e, uint64_t mono_ms)
{
    for (int i = 0; i < e->bindings.count; i++) {
        struct binding *b = &e->bindings.list[i];
        uint64_t due_ms = b->woken_ms > 0 ? b->woken_ms + b->min_ms : mono_ms;
        if (b->offline || b->code != event_offline() || b->woken_ms > mono_ms)
            continue;
        if (due_ms < mono_ms)
            due_ms = mono_ms;
        b->woken_ms = due_ms;
        outbox_put(&e->outbox, &(struct delivery){ .code = b->code, .binding = b->id }, due_ms);
    }
}

/* Before its installation is finished an application is told of nothing but that (facts section 9.1). */
static bool is_early(const struct events *e, const struct binding *b, int code)
{
    return b->app && e->application->state == APP_UNFINISHED && code != event_app_install();
}

static int queue_line(struct events *e, const struct binding *b, const struct event_about *about,
    int64_t now_s, struct err *err)
{
    const struct offline_line line = { b->connector, event_row(b->code)->name, about };

    if (has_quirk(e, QUIRK_OFFLINE_MERGED) && offline_merge(&e->offline, &line, err) < 0)
        return -1;
    return offline_put(&e->offline, &line, now_s, err);
}

int events_tell(struct events *e, int code, const struct event_about *about, uint64_t mono_ms, int64_t now_s,
    struct err *err)
{
    bool queued = false;

    for (int i = 0; code != EVENT_NONE && i < e->bindings.count; i++) {
        const struct binding *b = &e->bindings.list[i];
        if (!binding_wants(b, code) || is_early(e, b, code))
            continue;
        if (!b->offline) {
            outbox_put(&e->outbox,
                &(struct delivery){
                    .code = code, .binding = b->id, .id = about->id, .more = (char *)about->form },
                mono_ms);
        } else if (!is_own(e, b)) {
            if (queue_line(e, b, about, now_s, err) < 0)
                return -1;
            queued = true;
        }
    }
    if (queued)
        wake(e, mono_ms);
    return 0;
}

int events_install(struct events *e, uint64_t mono_ms, struct err *err)
{
    static const char data[] =
        "data%5BVERSION%5D=1&data%5BACTIVE%5D=Y&data%5BINSTALLED%5D=Y&data%5BLANGUAGE_ID%5D=ru";

    return events_tell(e, event_app_install(), &(struct event_about){ .form = data }, mono_ms, 0, err);
}

int events_update(struct events *e, bool token, uint64_t mono_ms, struct err *err)
{
    static const char data[] = "data%5BVERSION%5D=2&data%5BPREVIOUS_VERSION%5D=1&data%5BLANGUAGE_ID%5D=ru";

    if (token)
        make_token(hash_two(e->outbox.seed, ++e->letter_count), e->application_token);
    if (events_tell(e, event_app_update(), &(struct event_about){ .form = data }, mono_ms, 0, err) < 0)
        return -1;
    return bindings_drop_app(&e->bindings, event_app_update(), event_app_install(), err);
}

int events_uninstall(struct events *e, bool clean, uint64_t mono_ms, struct err *err)
{
    const char *data =
        clean ? "data%5BLANGUAGE_ID%5D=ru&data%5BCLEAN%5D=1" : "data%5BLANGUAGE_ID%5D=ru&data%5BCLEAN%5D=0";

    if (events_tell(e, event_app_uninstall(), &(struct event_about){ .form = data }, mono_ms, 0, err) < 0)
        return -1;
    return bindings_drop_app(&e->bindings, event_app_uninstall(), event_app_install(), err);
}

/* ---- from the outbox to requests ---- */

struct event_from events_sender(const struct events *e)
{
    return (struct event_from){ .address = e->address,
        .oauth_address = e->oauth_address,
        .tls = e->tls,
        .member_id = e->member_id,
        .application_token = e->application_token,
        .no_handler_id = has_quirk(e, QUIRK_NO_HANDLER_ID),
        .short_auth = has_quirk(e, QUIRK_SHORT_AUTH),
        .scope = e->scope,
        .no_tokens = has_quirk(e, QUIRK_NO_TOKENS),
        .tells_user = has_quirk(e, QUIRK_EVENT_EXPIRES) };
}

/* Of an installation a pair of its own, as at every login; of all others the one that is in use. Without an
 * installed application, or when none can be made, none. */
static void add_tokens(struct events *e, struct event_from *from, int code, uint64_t wall_ms)
{
    const bool installed = code == event_app_install();
    struct err err;

    from->no_tokens |= code == event_app_uninstall() || e->application->state != APP_WELL;
    from->no_tokens &= !installed;
    if (from->no_tokens)
        return;
    const struct token_pair *pair = installed ? tokens_issue(&e->application->tokens, wall_ms, &err)
                                              : application_own(e->application, wall_ms, &err);
    from->no_tokens = pair == NULL;
    if (pair == NULL)
        return;
    from->access_token = pair->access;
    from->expires_in_s = (pair->access_until_ms - wall_ms) / 1000;
    from->expires_s = pair->access_until_ms / 1000;
    if (installed || code == event_offline() || code == event_app_update() ||
        has_quirk(e, QUIRK_EVENT_REFRESH))
        from->refresh_token = pair->refresh;
}

void events_post(struct events *e, struct letter *l)
{
    struct letter **at = &e->letters;

    while (*at != NULL)
        at = &(*at)->next;
    *at = l;
    e->outbox.stats.made++;
}

static bool next_letter(struct events *e, const char **ret_url, struct buf *ret_body)
{
    struct letter *l = e->letters;

    if (l == NULL || !outbox_going(&e->outbox))
        return false;
    e->letters = l->next;
    e->asked = 0;
    if (e->posted != NULL)
        letter_free(e->posted);
    e->posted = l;
    *ret_url = l->url;
    *ret_body = l->body;
    l->body = (struct buf){ 0 };
    return true;
}

bool events_next(
    struct events *e, uint64_t mono_ms, uint64_t wall_ms, const char **ret_url, struct buf *ret_body)
{
    struct delivery d;

    if (next_letter(e, ret_url, ret_body))
        return true;
    while (outbox_next(&e->outbox, mono_ms, &d)) {
        const struct binding *b = bindings_find(&e->bindings, d.binding);
        if (b != NULL) {
            struct event_from from = events_sender(e);
            const struct event_to to = { .handler_id = b->id, .app = b->app };
            if (b->app)
                add_tokens(e, &from, d.code, wall_ms);
            e->asked = b->id;
            *ret_url = b->url;
            buf_init(ret_body, 64 << 10);
            event_body(ret_body, &from, &to, d.code, d.id, d.more, (int64_t)(wall_ms / 1000));
            free(d.more);
            return true;
        }
        free(d.more);
        outbox_lost(&e->outbox);
    }
    return false;
}
