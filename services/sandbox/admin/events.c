/* events.c - who gets events, what goes wrong with them, and how late reads see a change. */
#include "visit.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"

static const struct {
    const char *name;
    size_t offset;
    uint64_t most;
} faults[] = {
#define FAULT_ROW(name, field, most) \
    { \
        name, offsetof(struct event_faults, field), most \
    }
    FAULT_ROW("drop", drop, 100),
    FAULT_ROW("double", twice, 100),
    FAULT_ROW("late", late, 100),
    FAULT_ROW("late_ms", late_ms, 86400000),
    FAULT_ROW("hold", hold, 100),
    FAULT_ROW("shuffle_ms", shuffle_ms, 600000),
    FAULT_ROW("pause_ms", pause_ms, 60000),
#undef FAULT_ROW
};

static uint64_t *fault_at(struct event_faults *f, size_t i)
{
    return (uint64_t *)(void *)((char *)f + faults[i].offset);
}

static void show_faults(struct buf *out, struct event_faults *f)
{
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
        buf_fmt(out, "%s\"%s\":%llu", i > 0 ? "," : "", faults[i].name, (unsigned long long)*fault_at(f, i));
}

void visit_show_events(struct visit *v)
{
    struct events *e = &v->portal->events;
    struct buf *out = &v->answer->body;

    buf_str(out, "{\"handlers\":[");
    for (int i = 0; i < e->bindings.count; i++) {
        const struct binding *b = &e->bindings.list[i];
        buf_fmt(out, "%s{\"id\":%d,\"app\":%s,\"offline\":%s,\"event\":", i > 0 ? "," : "", b->id,
            b->app ? "true" : "false", b->offline ? "true" : "false");
        buf_json(out, str_of(b->code == EVENT_NONE ? "*" : event_row(b->code)->name));
        buf_str(out, ",\"url\":");
        buf_json(out, str_of(b->url));
        buf_char(out, '}');
    }
    buf_str(out, "],\"faults\":{");
    show_faults(out, &e->outbox.faults);
    buf_str(out, "},\"lag_ms\":{");
    for (int w = 0; w < WHICHES; w++)
        buf_fmt(out, "%s\"%s\":%llu", w > 0 ? "," : "", WHICH[w].plural,
            (unsigned long long)v->portal->store.veils.lag_ms[w]);
    buf_fmt(out, "},\"application_token\":\"%s\"", e->application_token);
    struct err err;
    const struct token_pair *own =
        e->application->there ? application_own(e->application, clock_wall_ms(), &err) : NULL;
    if (own != NULL)
        buf_fmt(out, ",\"access_token\":\"%s\"", own->access);
    buf_char(out, '}');
}

void visit_out_event_stats(struct buf *out, struct portal *p)
{
    struct outbox *o = &p->events.outbox;
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        { "made", o->stats.made },
        { "sent", o->stats.sent },
        { "answered", o->stats.answered },
        { "failed", o->stats.failed },
        { "dropped", o->stats.dropped },
        { "doubled", o->stats.doubled },
        { "delayed", o->stats.delayed },
        { "lost", o->stats.lost },
        { "waiting", o->count },
        { "held", o->held_count },
        { "going", o->going },
        { "offline", offline_count(&p->events.offline) },
        { "unseen", p->store.veils.count },
    };

    buf_char(out, '{');
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        buf_fmt(out, "%s\"%s\":%llu", i > 0 ? "," : "", rows[i].name, (unsigned long long)rows[i].value);
    buf_char(out, '}');
}

void visit_add_handler(struct visit *v)
{
    const struct str url = visit_param(v, "url", "");

    if (url.n < 8 || memcmp(url.p, "http", 4) != 0) {
        visit_refuse(v, 400, "url: of an outgoing webhook's handler");
        return;
    }
    bindings_add_given(&v->portal->events.bindings, url.p, EVENT_NONE);
    events_listen(&v->portal->events, &v->portal->store);
    visit_fine(v);
}

void visit_drop_handlers(struct visit *v)
{
    bindings_drop_webhooks(&v->portal->events.bindings);
    events_listen(&v->portal->events, &v->portal->store);
    visit_fine(v);
}

/* What is not named has no faults from now on. */
void visit_event_faults(struct visit *v)
{
    struct event_faults f = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        const bool is_lateness = faults[i].offset == offsetof(struct event_faults, late_ms);
        if (!visit_count(v, faults[i].name, is_lateness ? 1000 : 0, fault_at(&f, i)) ||
            *fault_at(&f, i) > faults[i].most) {
            visit_refuse(
                v, 400, "drop, double, late, hold: 0 to 100; late_ms, shuffle_ms, pause_ms: numbers");
            return;
        }
    }
    outbox_set_faults(&v->portal->events.outbox, &f);
    visit_fine(v);
}

void visit_release_events(struct visit *v)
{
    outbox_release(&v->portal->events.outbox, clock_mono_ms());
    visit_fine(v);
}

void visit_lag(struct visit *v)
{
    struct portal *p = v->portal;
    const bool one = visit_param(v, "entity", "").n > 0;
    const int w = one ? visit_which(v) : 0;
    uint64_t ms;

    if (w < 0)
        return;
    if (!visit_count(v, "ms", 0, &ms) || ms > 600000) {
        visit_refuse(v, 400, "ms: at most 600000");
        return;
    }
    for (int i = 0; i < KINDS; i++) {
        if (!one || i == w)
            p->store.veils.lag_ms[i] = ms;
    }
    events_listen(&p->events, &p->store);
    visit_fine(v);
}
