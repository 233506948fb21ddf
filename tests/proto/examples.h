/* examples.h - for vectors_test.c: one message of each type with every field set, and those that the flow
 * pages (proto/flows) follow. They tell one story: portal "main", deals 40, 42 and 44; run 3 of the
 * scheduler's epoch 2; job 7 reads the range from 1 upwards, dispatched as d = 15; job 8 asks for marked ids,
 * d = 16. */
#pragma once

#include "fields.h"
#include "proto/change.h"
#include "proto/msg.h"
#include "proto/labels.h"
#include "proto/probe.h"
#include "proto/schema.h"
#include "proto/wire.h"

struct scratch {            /* what the views of an example point into */
    struct buf schema, held, labels, named, columns, learnt, operating, rejects, changes, access;
};

#define MEMBERS(NAME, ...) (m->NAME = (struct msg_##NAME){ __VA_ARGS__ })
static uint64_t ids_asked[] = { 40, 42, 44 }, ids_44[] = { 44 }, ids_42[] = { 42 }, ids_40[] = { 40 };
static uint64_t ids_holding[] = { 15, 16 };

static void ready_full(struct msg *m, const struct scratch *s)
{
    MEMBERS(ready, .instance = STR("fetcher.1"), .boot = 1795228000000123456u, .credit = 4,
        .holding = { ids_holding, 2 });
}

/* Its calls leave from an address of their own. */
static void ready_source(struct msg *m, const struct scratch *s)
{
    ready_full(m, s);
    m->ready.source = STR("203.0.113.7");
}

static void job_full(struct msg *m, const struct scratch *s)
{
    MEMBERS(job, .job = 7, .d = 15, .epoch = 2, .run = 3, .portal = STR("main"), .kind = STR("range"),
        .entity = STR("deals"), .table = STR("crm_deals"), .entities = STR("deals contacts"), .first = 1,
        .last = RANGE_OPEN, .pages = 50, .ids = { ids_asked, 3 }, .schema = buf_view(&s->schema),
        .deadline_ms = 65000);
}

static void job_range(struct msg *m, const struct scratch *s)
{
    MEMBERS(job, .job = 7, .d = 15, .epoch = 2, .run = 3, .portal = STR("main"), .kind = STR("range"),
        .entity = STR("deals"), .table = STR("crm_deals"), .first = 1, .last = RANGE_OPEN, .pages = 2,
        .schema = buf_view(&s->schema), .deadline_ms = 65000);
}

/* One field is left out, one set aside: [name, type, multiple, hold] in the schema. */
static void job_held(struct msg *m, const struct scratch *s)
{
    job_range(m, s);
    m->job.schema = buf_view(&s->held);
}

static void job_probe(struct msg *m, const struct scratch *s)
{
    MEMBERS(job, .job = 6, .d = 14, .epoch = 2, .run = 3, .portal = STR("main"), .kind = STR("probe"),
        .entities = STR("deals contacts"), .deadline_ms = 65000);
}

static void job_ids(struct msg *m, const struct scratch *s)
{
    MEMBERS(job, .job = 8, .d = 16, .epoch = 2, .portal = STR("main"), .kind = STR("ids"),
        .entity = STR("deals"), .table = STR("crm_deals"), .ids = { ids_asked, 3 },
        .schema = buf_view(&s->schema), .deadline_ms = 65000);
}

static void job_get(struct msg *m, const struct scratch *s)
{
    MEMBERS(job, .job = 9, .d = 18, .epoch = 2, .portal = STR("main"), .kind = STR("get"),
        .entity = STR("deals"), .table = STR("crm_deals"), .ids = { ids_44, 1 },
        .schema = buf_view(&s->schema), .deadline_ms = 65000);
}

/* What changed since a time of the portal's: no run, a chain of its own. */
static void job_changed(struct msg *m, const struct scratch *s)
{
    MEMBERS(job, .job = 11, .d = 19, .epoch = 2, .portal = STR("main"), .kind = STR("changed"),
        .entity = STR("deals"), .table = STR("crm_deals"), .first = 1, .last = RANGE_OPEN, .pages = 1,
        .schema = buf_view(&s->schema), .deadline_ms = 65000, .since = 1795228018000);
}

/* Ids alone. */
static void job_sweep(struct msg *m, const struct scratch *s)
{
    job_changed(m, s);
    m->job.kind = STR("sweep");
    m->job.job = 12;
    m->job.d = 20;
    m->job.pages = 50;
    m->job.since = 0;
}

/* An application's portal that was renamed: where it is now, and the sealed token. */
static void job_access(struct msg *m, const struct scratch *s)
{
    job_get(m, s);
    m->job.host = STR("new.bitrix24.ru");
    m->job.token = 5;
    m->job.sealed = (struct str){ "sealed, not readable", 20 };
}

static void report_full(struct msg *m, const struct scratch *s)
{
    MEMBERS(report, .job = 7, .d = 15, .portal = STR("main"), .outcome = STR("failed"),
        .error_kind = STR("wait"), .error_code = 429,
        .error = STR("HTTP 429 OPERATION_TIME_LIMIT: Method is blocked"), .retry_ms = 240000,
        .blocked = STR("crm.deal.list"), .requests = 1, .records = 2, .bytes = 4096, .took_ms = 812,
        .operating = buf_view(&s->operating), .learnt = buf_view(&s->learnt),
        .unknown = STR("UF_CRM_NEW UF_CRM_X"));
}

static void report_sent(struct msg *m, const struct scratch *s)
{
    MEMBERS(report, .job = 7, .d = 15, .portal = STR("main"), .outcome = STR("sent"), .requests = 1,
        .records = 2, .bytes = 1830, .took_ms = 412, .operating = buf_view(&s->operating));
}

static void report_learnt(struct msg *m, const struct scratch *s)
{
    MEMBERS(report, .job = 6, .d = 14, .portal = STR("main"), .outcome = STR("learnt"), .requests = 1,
        .bytes = 9120, .took_ms = 655, .learnt = buf_view(&s->learnt));
}

/* With what people call the fields. */
static void report_labels(struct msg *m, const struct scratch *s)
{
    report_learnt(m, s);
    m->report.learnt = buf_view(&s->named);
}

/* The token has run out, and the portal has another name. */
static void report_access(struct msg *m, const struct scratch *s)
{
    MEMBERS(report, .job = 9, .d = 18, .portal = STR("main"), .outcome = STR("failed"),
        .error_kind = STR("auth"), .error_code = 401, .error = STR("HTTP 401 expired_token"), .requests = 1,
        .took_ms = 91, .code = STR("expired_token"), .token = 5, .moved = STR("new.bitrix24.ru"));
}

/* A wrong secret, as older portals say it. */
static void report_whole(struct msg *m, const struct scratch *s)
{
    MEMBERS(report, .job = 9, .d = 19, .portal = STR("main"), .outcome = STR("failed"),
        .error_kind = STR("auth"), .error_code = 200, .error = STR("HTTP 200 INVALID_CREDENTIALS"),
        .requests = 1, .took_ms = 88, .code = STR("INVALID_CREDENTIALS"), .whole = 1);
}

static void records_full(struct msg *m, const struct scratch *s)
{
    MEMBERS(records, .job = 8, .d = 16, .epoch = 2, .run = 3, .portal = STR("main"), .kind = STR("get"),
        .entity = STR("deals"), .table = STR("crm_deals"), .first = 1, .last = 42, .next_first = 43,
        .next_last = RANGE_OPEN, .asked = { ids_asked, 3 }, .absent = { ids_44, 1 },
        .unlisted = { ids_42, 1 }, .denied = { ids_40, 1 }, .fetched_ms = 1795228619000,
        .schema = buf_view(&s->schema), .count = 2, .repaired = 1);
}

static void records_range(struct msg *m, const struct scratch *s)
{
    MEMBERS(records, .job = 7, .d = 15, .epoch = 2, .run = 3, .portal = STR("main"), .kind = STR("range"),
        .entity = STR("deals"), .table = STR("crm_deals"), .first = 1, .last = RANGE_OPEN,
        .fetched_ms = 1795228619000, .schema = buf_view(&s->schema), .count = 2);
}

static void records_ids(struct msg *m, const struct scratch *s)
{
    MEMBERS(records, .job = 8, .d = 16, .epoch = 2, .portal = STR("main"), .kind = STR("ids"),
        .entity = STR("deals"), .table = STR("crm_deals"), .asked = { ids_asked, 3 },
        .unlisted = { ids_44, 1 }, .fetched_ms = 1795228619000, .schema = buf_view(&s->schema), .count = 2);
}

static void records_changed(struct msg *m, const struct scratch *s)
{
    MEMBERS(records, .job = 11, .d = 19, .epoch = 2, .portal = STR("main"), .kind = STR("changed"),
        .entity = STR("deals"), .table = STR("crm_deals"), .first = 1, .last = RANGE_OPEN,
        .fetched_ms = 1795228679000, .schema = buf_view(&s->schema), .count = 2, .started_ms = 1795228678000);
}

static void records_get(struct msg *m, const struct scratch *s)
{
    MEMBERS(records, .job = 9, .d = 18, .epoch = 2, .portal = STR("main"), .kind = STR("get"),
        .entity = STR("deals"), .table = STR("crm_deals"), .asked = { ids_44, 1 }, .absent = { ids_44, 1 },
        .fetched_ms = 1795228621000, .schema = buf_view(&s->schema));
}

static void rows_full(struct msg *m, const struct scratch *s)
{
    MEMBERS(rows, .job = 8, .d = 16, .epoch = 2, .run = 3, .portal = STR("main"), .kind = STR("get"),
        .entity = STR("deals"), .table = STR("crm_deals"), .first = 1, .last = 42, .next_first = 43,
        .next_last = RANGE_OPEN, .asked = { ids_asked, 3 }, .absent = { ids_44, 1 },
        .unlisted = { ids_42, 1 }, .denied = { ids_40, 1 }, .fetched_ms = 1795228619000,
        .columns = buf_view(&s->columns), .count = 2, .rejects = buf_view(&s->rejects));
}

static void rows_range(struct msg *m, const struct scratch *s)
{
    MEMBERS(rows, .job = 7, .d = 15, .epoch = 2, .run = 3, .portal = STR("main"), .kind = STR("range"),
        .entity = STR("deals"), .table = STR("crm_deals"), .first = 1, .last = RANGE_OPEN,
        .fetched_ms = 1795228619000, .columns = buf_view(&s->columns), .count = 2);
}

static void rows_changed(struct msg *m, const struct scratch *s)
{
    MEMBERS(rows, .job = 11, .d = 19, .epoch = 2, .portal = STR("main"), .kind = STR("changed"),
        .entity = STR("deals"), .table = STR("crm_deals"), .first = 1, .last = RANGE_OPEN,
        .fetched_ms = 1795228679000, .columns = buf_view(&s->columns), .count = 2,
        .started_ms = 1795228678000);
}

static void done_full(struct msg *m, const struct scratch *s)
{
    MEMBERS(done, .job = 7, .d = 15, .portal = STR("main"), .entity = STR("deals"), .outcome = STR("failed"),
        .error_kind = STR("temp"), .error = STR("database is locked"), .written = 1, .same = 2, .late = 3,
        .gone = 4, .marked = 5, .rejected = 6, .next_job = 10, .next_first = 43, .next_last = RANGE_OPEN,
        .took_ms = 9);
}

static void done_ok(struct msg *m, const struct scratch *s)
{
    MEMBERS(done, .job = 7, .d = 15, .portal = STR("main"), .entity = STR("deals"), .outcome = STR("ok"),
        .written = 2, .took_ms = 4);
}

static void status_full(struct msg *m, const struct scratch *s)
{
    MEMBERS(status, STR("fetcher"), STR("fetcher.1"), 4711, STR("busy"), 61000, 23068672, 3,
        STR("127.0.0.1:9103"), STR("{\"in_flight\":2}"));
}

static void control_full(struct msg *m, const struct scratch *s)
{
    MEMBERS(control, STR("sync"), STR("{\"entities\":[\"deals\"],\"portal\":\"main\"}"));
}

static void control_reply_full(struct msg *m, const struct scratch *s)
{
    MEMBERS(
        control_reply, STR("failed"), STR("no entity \"deels\"; did you mean deals?"), STR("{\"runs\":[]}"));
}

static void control_reply_ok(struct msg *m, const struct scratch *s)
{
    MEMBERS(control_reply, .outcome = STR("ok"),
        .body = STR("{\"runs\":[{\"id\":3,\"portal\":\"main\",\"entity\":\"deals\"}]}"));
}

static void event_full(struct msg *m, const struct scratch *s)
{
    MEMBERS(event, STR("gateway.1"), 1795228000000654321u, 8, buf_view(&s->changes));
}

static void event_ack_full(struct msg *m, const struct scratch *s)
{
    MEMBERS(event_ack, .gateway = STR("gateway.1"), .spool = 1795228000000654321u, .last = 8, .marked = 1,
        .skipped = 1);
}

/* Portals that were renamed, and one whose application_token is known. */
static void event_ack_news(struct msg *m, const struct scratch *s)
{
    MEMBERS(event_ack, .gateway = STR("gateway.1"), .spool = 1795228000000654321u,
        .hosts = STR("main=new.bitrix24.ru west=b24.example.ru"), .sealed = { "sealed, not readable", 20 });
}

/* A gateway that has nothing to hand over, and wants to hear. */
static void event_hello(struct msg *m, const struct scratch *s)
{
    MEMBERS(event, STR("gateway.1"), 1795228000000654321u, 0, { "\x90", 1 });
}

/* An application was installed: its tokens, sealed. */
static void event_access(struct msg *m, const struct scratch *s)
{
    MEMBERS(event, STR("gateway.1"), 1795228000000654321u, 9, buf_view(&s->access));
}

static void budget_ask_full(struct msg *m, const struct scratch *s)
{
    MEMBERS(budget_ask, .sender = STR("verify.4711"), .seq = 6, .portal = STR("main"),
        .method = STR("crm.deal.list"), .want = 2, .arrived = 3, .unsent = 1,
        .operating = buf_view(&s->operating), .refused = 429, .blocked = STR("crm.deal.list"),
        .code = STR("OPERATION_TIME_LIMIT"), .retry_ms = 240000, .token = 5, .source = STR("203.0.113.7"));
}

static void budget_grant_full(struct msg *m, const struct scratch *s)
{
    MEMBERS(budget_grant, .sender = STR("verify.4711"), .seq = 6, .portal = STR("main"), .granted = 2,
        .wait_ms = 500, .error = STR("portal main is stopped: HTTP 401"), .host = STR("new.bitrix24.ru"),
        .token = 5, .sealed = { "sealed, not readable", 20 });
}

static const struct example {
    enum msg_type type;
    const char *name;
    void (*fill)(struct msg *m, const struct scratch *s);
} examples[] = {
    { MSG_READY, "full", ready_full },
    { MSG_READY, "source", ready_source },
    { MSG_JOB, "full", job_full },
    { MSG_JOB, "range", job_range },
    { MSG_JOB, "held", job_held },
    { MSG_JOB, "probe", job_probe },
    { MSG_JOB, "ids", job_ids },
    { MSG_JOB, "get", job_get },
    { MSG_JOB, "changed", job_changed },
    { MSG_JOB, "sweep", job_sweep },
    { MSG_JOB, "access", job_access },
    { MSG_REPORT, "full", report_full },
    { MSG_REPORT, "sent", report_sent },
    { MSG_REPORT, "learnt", report_learnt },
    { MSG_REPORT, "labels", report_labels },
    { MSG_REPORT, "access", report_access },
    { MSG_REPORT, "whole", report_whole },
    { MSG_RECORDS, "full", records_full },
    { MSG_RECORDS, "range", records_range },
    { MSG_RECORDS, "ids", records_ids },
    { MSG_RECORDS, "get", records_get },
    { MSG_RECORDS, "changed", records_changed },
    { MSG_ROWS, "full", rows_full },
    { MSG_ROWS, "range", rows_range },
    { MSG_ROWS, "changed", rows_changed },
    { MSG_DONE, "full", done_full },
    { MSG_DONE, "ok", done_ok },
    { MSG_STATUS, "full", status_full },
    { MSG_CONTROL, "full", control_full },
    { MSG_CONTROL_REPLY, "full", control_reply_full },
    { MSG_CONTROL_REPLY, "ok", control_reply_ok },
    { MSG_EVENT, "full", event_full },
    { MSG_EVENT, "access", event_access },
    { MSG_EVENT, "hello", event_hello },
    { MSG_EVENT_ACK, "full", event_ack_full },
    { MSG_EVENT_ACK, "news", event_ack_news },
    { MSG_BUDGET_ASK, "full", budget_ask_full },
    { MSG_BUDGET_GRANT, "full", budget_grant_full },
};
#define EXAMPLE_COUNT (sizeof(examples) / sizeof(examples[0]))

/* ---- what they carry ---- */

static const struct field deal_fields[] = {
    { { "ID", 2 }, { "integer", 7 }, false, HOLD_NOT },
    { { "OPPORTUNITY", 11 }, { "double", 6 }, false, HOLD_NOT },
    { { "TITLE", 5 }, { "string", 6 }, false, HOLD_NOT },
    { { "UF_CRM_TAGS", 11 }, { "enumeration", 11 }, true, HOLD_NOT },
};
static const struct field held_fields[] = {
    { { "ID", 2 }, { "integer", 7 }, false, HOLD_NOT },
    { { "UF_CRM_NEW", 10 }, { "money", 5 }, false, HOLD_OUT },
    { { "UF_CRM_ODD", 10 }, { "string", 6 }, true, HOLD_ASIDE },
};
static const struct label deal_labels[] = {
    { { "OPPORTUNITY", 11 }, { "Сумма", 10 }, { "", 0 } },
    { { "UF_CRM_TAGS", 11 }, { "Метки", 10 }, { "[[\"188\",\"Опт\"],[\"209\",\"Новый\"]]", sizeof("[[\"188\",\"Опт\"],[\"209\",\"Новый\"]]") - 1 } },
};
static const struct column deal_columns[] = {
    { { "opportunity", 11 }, COL_DECIMAL },
    { { "title", 5 }, COL_TEXT },
    { { "uf_crm_tags", 11 }, COL_JSON },
};

static void scratch_init(struct scratch *s)
{
    buf_init(&s->schema, 4096);
    buf_init(&s->held, 4096);
    buf_init(&s->labels, 4096);
    buf_init(&s->named, 4096);
    buf_init(&s->columns, 4096);
    buf_init(&s->learnt, 4096);
    buf_init(&s->operating, 4096);
    buf_init(&s->rejects, 4096);
    buf_init(&s->changes, 4096);
    buf_init(&s->access, 4096);
    schema_encode(deal_fields, 4, &s->schema);
    schema_encode(held_fields, 3, &s->held);
    labels_encode(deal_labels, 2, &s->labels);
    columns_encode(deal_columns, 3, &s->columns);

    struct probe_entity entities[] = {
        { .entity = STR("deals"), .schema = buf_view(&s->schema), .least_id = 40, .most_id = 42, .total = 2 },
        { .entity = STR("contacts"), .error = STR("HTTP 401 insufficient_scope"), .error_kind = STR("auth") },
    };
    struct probe probe = { entities, 2, 1795228615000 };
    probe_encode(&probe, &s->learnt);
    entities[0].labels = buf_view(&s->labels);
    probe_encode(&probe, &s->named);

    wire_put_map(&s->operating, 1);
    wire_put_str(&s->operating, STR("crm.deal.list"));
    wire_put_array(&s->operating, 2);
    wire_put_u64(&s->operating, 3310);
    wire_put_u64(&s->operating, 1795229215);

    wire_put_array(&s->rejects, 1);
    wire_put_array(&s->rejects, 4);
    wire_put_u64(&s->rejects, 42);
    wire_put_str(&s->rejects, STR("OPPORTUNITY"));
    wire_put_str(&s->rejects, STR("a lot"));
    wire_put_str(&s->rejects, STR("no decimal number"));

    static const struct change changes[] = {
        { .seq = 7, .portal = { "main", 4 }, .entity = { "deals", 5 }, .id = 42, .kind = CHANGE_KIND_SET, .at_ms = SENT_MS - 40 },
        { .seq = 8, .portal = { "main", 4 }, .entity = { "deals", 5 }, .kind = CHANGE_KIND_FIELDS, .at_ms = SENT_MS - 3 },
    };
    change_list_encode(changes, 2, &s->changes);

    static const struct change access = { .seq = 9, .portal = { "main", 4 }, .kind = CHANGE_KIND_ACCESS,
        .at_ms = SENT_MS - 3, .sealed = { "sealed, not readable", 20 } };
    change_list_encode(&access, 1, &s->access);
}

static void scratch_fini(struct scratch *s)
{
    buf_fini(&s->schema);
    buf_fini(&s->held);
    buf_fini(&s->labels);
    buf_fini(&s->named);
    buf_fini(&s->columns);
    buf_fini(&s->learnt);
    buf_fini(&s->operating);
    buf_fini(&s->rejects);
    buf_fini(&s->changes);
    buf_fini(&s->access);
}

static void put_record(struct buf *out, const char *id, const char *title, const char *opportunity)
{
    wire_put_map(out, 4);
    wire_put_str(out, STR("ID"));
    wire_put_str(out, str_of(id));
    wire_put_str(out, STR("TITLE"));
    wire_put_str(out, str_of(title));
    wire_put_str(out, STR("OPPORTUNITY"));
    wire_put_str(out, str_of(opportunity));
    wire_put_str(out, STR("UF_CRM_TAGS"));
    wire_put_array(out, 2);
    wire_put_i64(out, 188);
    wire_put_i64(out, 209);
}

static void put_row(
    struct buf *out, uint64_t id, const char *hash, const char *title, const char *opportunity)
{
    wire_put_array(out, 5);
    wire_put_u64(out, id);
    wire_put_bin(out, hash, 16);
    wire_put_str(out, str_of(opportunity));
    wire_put_str(out, str_of(title));
    wire_put_str(out, STR("[188,209]"));
}

/* Two records or rows, where the message says that it has some. */
static void example_payload(const struct msg *m, struct buf *out)
{
    if (m->type == MSG_RECORDS && m->records.count == 2) {
        put_record(out, "40", "Сервер", "999.90");
        put_record(out, "42", "Chair", "0.00");
    } else if (m->type == MSG_ROWS && m->rows.count == 2) {
        put_row(out, 40, "0123456789abcdef", "Сервер", "999.9");
        put_row(out, 42, "fedcba9876543210", "Chair", "0");
    }
}

static struct msg *example_make(const struct example *e, const struct scratch *s)
{
    struct msg *m = msg_new(e->type);
    struct buf payload;

    strcpy(m->correlation, CORRELATION);
    m->sent_ms = SENT_MS;
    e->fill(m, s);
    buf_init(&payload, 4096);
    example_payload(m, &payload);
    if (payload.n > 0)
        msg_take_payload(m, &payload);
    buf_fini(&payload);
    return m;
}
