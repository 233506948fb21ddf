#include "work.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "proto/wire.h"
#include "run/crash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define RETRY_AFTER_MAX_MS 600000 /* a call in ten minutes harms no portal, a day of silence its mirror */
#define REQUEST_MAX_BYTES  ((size_t)16 << 20)

static void count_job(const struct work *w, const char *outcome)
{
    char labels[96];
    enum job_kind kind;
    const char *name = job_kind_of(w->job->job.kind, &kind) == 0 ? job_kind_name(kind) : "other";

    snprintf(labels, sizeof(labels), "{kind=\"%s\",outcome=\"%s\"}", name, outcome);
    metric_add(metric_series("potok_fetcher_jobs_total", "Jobs by kind and by what became of them",
                   METRIC_COUNTER, labels),
        1);
}

static void count_answer(const struct work *w)
{
    metric_observe(metric_series("api_request_duration_seconds", "Calls to portals", METRIC_HISTOGRAM,
                       "{method=\"batch\"}"),
        (double)w->took_ms / 1000);
    metric_add(metric_series("potok_fetcher_answer_bytes_total", "Bodies of answers, decompressed",
                   METRIC_COUNTER, NULL),
        (double)w->bytes);
    metric_add(metric_series(
                   "potok_fetcher_repaired_total", "Strings whose UTF-8 was repaired", METRIC_COUNTER, NULL),
        (double)w->answer.repaired);
}

struct work *work_new(struct fetcher *f, struct msg **job)
{
    struct work *w = xcalloc(1, sizeof(*w));

    w->fetcher = f;
    w->job = *job;
    *job = NULL;
    buf_init(&w->operating, 65536);
    return w;
}

void work_free(struct work *w)
{
    msg_free(&w->records);
    msg_free(&w->report);
    bitrix_answer_fini(&w->answer);
    target_fini(&w->target);
    buf_fini(&w->operating);
    free(w->asked.p);
    msg_free(&w->job);
    free(w);
}

/* ---- messages ---- */

static struct msg *msg_of(const struct work *w, enum msg_type type)
{
    struct msg *m = msg_new(type);

    memcpy(m->correlation, w->job->correlation, sizeof(m->correlation));
    return m;
}

/* A portal may answer a batch in part. What it left out counts as not asked: its marks stay, and it alone is
 * asked for again. Both are ascending. */
static struct ids answered_ids(struct work *w)
{
    struct ids all = w->job->job.ids, left = w->answer.left;
    size_t k = 0;

    if (left.n == 0)
        return all;
    w->asked.p = xcalloc(all.n, sizeof(*w->asked.p));
    for (size_t i = 0; i < all.n; i++) {
        if (k < left.n && left.p[k] == all.p[i])
            k++;
        else
            w->asked.p[w->asked.n++] = all.p[i];
    }
    return w->asked;
}

static bool walks(const struct msg_job *j)
{
    enum job_kind kind;

    return job_kind_of(j->kind, &kind) == 0 && job_kind_walks(kind);
}

static bool learns(const struct msg_job *j)
{
    enum job_kind kind;

    return job_kind_of(j->kind, &kind) == 0 && job_kind_learns(kind);
}

static struct msg *records_new(struct work *w)
{
    const struct msg_job *j = &w->job->job;
    struct bitrix_answer *a = &w->answer;
    struct msg *m = msg_of(w, MSG_RECORDS);

    m->records = (struct msg_records){
        .job = j->job,
        .d = j->d,
        .epoch = j->epoch,
        .run = j->run,
        .portal = j->portal,
        .kind = j->kind,
        .entity = j->entity,
        .table = j->table,
        .asked = answered_ids(w),
        .absent = a->absent,
        .unlisted = a->unlisted,
        .denied = a->denied,
        .fetched_ms = a->fetched_ms,
        .schema = j->schema,
        .count = a->count,
        .repaired = a->repaired,
        .started_ms = a->started_ms,
    };
    if (walks(j)) {
        m->records.first = j->first;
        m->records.last = a->covered_last;
        m->records.next_first = a->next_first;
        m->records.next_last = a->next_first > 0 ? j->last : 0;
    }
    msg_take_payload(m, &a->records);
    return m;
}

static struct str encode_operating(struct work *w)
{
    const struct bitrix_answer *a = &w->answer;

    if (a->operating_count == 0)
        return (struct str){ NULL, 0 };
    wire_put_map(&w->operating, (uint32_t)a->operating_count);
    for (int i = 0; i < a->operating_count; i++) {
        wire_put_str(&w->operating, str_of(a->operating[i].method));
        wire_put_array(&w->operating, 2);
        wire_put_u64(&w->operating, a->operating[i].used_ms);
        wire_put_u64(&w->operating, a->operating[i].reset_s);
    }
    return buf_view(&w->operating);
}

static struct msg *report_new(struct work *w, const char *outcome)
{
    const struct msg_job *j = &w->job->job;
    const struct bitrix_answer *a = &w->answer;
    struct msg *m = msg_of(w, MSG_REPORT);

    m->report = (struct msg_report){
        .job = j->job,
        .d = j->d,
        .portal = j->portal,
        .outcome = str_of(outcome),
        .requests = w->requests,
        .records = a->count,
        .bytes = w->bytes,
        .took_ms = w->took_ms,
        .operating = encode_operating(w),
        .learnt = buf_view(&a->learnt),
        .unknown = buf_view(&a->unknown),
        .answers = buf_view(&a->answers),
    };
    if (!w->ok || w->err.kind != ERR_NONE) {
        m->report.error_kind = str_of(err_kind_name(w->err.kind));
        m->report.error_code = (uint64_t)w->status;
        m->report.error = str_of(w->err.text);
        m->report.retry_ms = a->retry_ms;
        m->report.blocked = str_of(a->blocked);
        m->report.code = str_of(a->code);
        m->report.token = j->token;
        m->report.whole = a->whole;
        m->report.moved = str_of(w->moved);
    }
    if (!w->ok)
        m->report.records = 0;
    return m;
}

/* ---- steps ---- */

static void step_report(struct work *w)
{
    if (bus_send(w->fetcher->scheduler, &w->report) != BUS_SENT)
        return;
    crash_point(FETCHER_AFTER_REPORT);
    fetcher_work_done(w->fetcher, w, w->ok);
}

static void begin_report(struct work *w, const char *outcome)
{
    count_job(w, outcome);
    w->report = report_new(w, outcome);
    w->state = WORK_REPORTING;
    step_report(w);
}

static void fail(struct work *w)
{
    w->ok = false;
    log_ev(LOG_DEBUG, "job.failed", kv_u("job", w->job->job.job), kv_u("d", w->job->job.d),
        kv_str("portal", w->job->job.portal), kv_err(&w->err));
    begin_report(w, "failed");
}

static void step_hand(struct work *w)
{
    crash_point(FETCHER_BEFORE_RECORDS);
    if (bus_send(w->lane, &w->records) != BUS_SENT)
        return;
    crash_point(FETCHER_AFTER_RECORDS);
    begin_report(w, "sent");
}

void work_go_on(struct work *w, const struct bus_plug *plug)
{
    log_correlate(w->job->correlation);
    if (w->state == WORK_HANDING && w->lane == plug)
        step_hand(w);
    else if (w->state == WORK_REPORTING && w->fetcher->scheduler == plug)
        step_report(w);
    log_correlate(NULL);
}

/* ---- the call ---- */

/* What a person should look at; everything else that fails is the scheduler's to tell. */
static void log_answer(const struct work *w)
{
    const struct msg_job *j = &w->job->job;

    if (w->answer.nonsense)
        log_ev(LOG_WARNING, "answer.nonsense", kv_u("job", j->job), kv_u("d", j->d),
            kv_str("portal", j->portal), kv_str("entity", j->entity), kv_err(&w->err));
    if (w->answer.partial.kind != ERR_NONE)
        log_ev(LOG_INFO, "answer.partial", kv_u("job", j->job), kv_u("d", j->d), kv_str("portal", j->portal),
            kv_str("entity", j->entity), kv_u("records", w->answer.count), kv_u("left", w->answer.left.n),
            kv_err(&w->err));
    if (w->answer.repaired > 0)
        log_ev(LOG_INFO, "answer.repaired", kv_u("job", j->job), kv_str("portal", j->portal),
            kv_str("entity", j->entity), kv_u("strings", w->answer.repaired));
}

static void heed_retry_after(struct work *w, uint64_t retry_after_ms)
{
    if (retry_after_ms > RETRY_AFTER_MAX_MS)
        retry_after_ms = RETRY_AFTER_MAX_MS;
    if (retry_after_ms > w->answer.retry_ms)
        w->answer.retry_ms = retry_after_ms;
}

/* What a redirect says beyond the address that was asked: a path when it stays there. */
static const char *location_of(const struct http_answer *answer, const char *url)
{
    size_t n = strcspn(url + strcspn(url, ":"), "/") + strcspn(url, ":") + 2; /* behind "//" */

    n += strcspn(url + n, "/");
    bool same = strncasecmp(answer->location, url, n) == 0 && answer->location[n] == '/';
    return same ? answer->location + n : answer->location;
}

/* No answer at all is a failure of the network, whatever it was; the client's text names the host only. */
static int read_answer(struct work *w, struct http_answer *answer)
{
    const struct msg_job *j = &w->job->job;
    const char *location = location_of(answer, w->target.url);

    target_moved(&w->target, answer->status, answer->location, w->moved);
    if (answer->status == 0 || answer->err.kind != ERR_NONE) {
        w->err = answer->err;
        return err_wrap(&w->err, "portal " STR_FMT, STR_ARG(j->portal));
    }
    if (bitrix_read(j, answer->status, answer->content_type, location, answer->body.p, answer->body.n,
            &w->answer, &w->err) == 0) {
        if (w->answer.partial.kind == ERR_NONE)
            return 0;
        w->err = w->answer.partial;
        (void)err_wrap(&w->err, "portal " STR_FMT, STR_ARG(j->portal));
        return 0;
    }
    if (w->err.kind == ERR_WAIT || w->err.kind == ERR_TEMP)
        heed_retry_after(w, answer->retry_after_ms);
    return err_wrap(&w->err, "portal " STR_FMT, STR_ARG(j->portal));
}

static void on_answer(void *ctx, struct http_answer *answer)
{
    struct work *w = ctx;

    w->call = NULL;
    if (w->fetcher->closing)
        return;
    crash_point(FETCHER_AFTER_CALL);
    log_correlate(w->job->correlation);
    w->status = answer->status;
    w->took_ms = answer->took_ms;
    w->bytes = answer->body.n;
    int result = read_answer(w, answer);
    count_answer(w);
    log_answer(w);
    buf_fini(&answer->body);
    if (result < 0) {
        fail(w);
    } else if (learns(&w->job->job)) {
        w->ok = true;
        begin_report(w, "learnt");
    } else {
        w->ok = true;
        w->records = records_new(w);
        w->state = WORK_HANDING;
        step_hand(w);
    }
    log_correlate(NULL);
}

/* A call's methods may write: made twice, they may have effect twice. */
static bool writes(const struct msg_job *j)
{
    enum job_kind kind;

    return job_kind_of(j->kind, &kind) == 0 && kind == JOB_CALL;
}

static int call(struct work *w, struct err *err)
{
    const struct msg_job *j = &w->job->job;
    struct buf body;

    buf_init(&body, REQUEST_MAX_BYTES);
    if (bitrix_build(j, &body, err) < 0) {
        buf_fini(&body);
        return -1;
    }
    target_sign(&w->target, &body);
    struct http_request request = {
        .method = "POST",
        .url = w->target.url,
        .content_type = "application/json",
        .body = buf_view(&body),
        .free_body = body.p,
        .deadline_ms = j->deadline_ms > 0 ? j->deadline_ms : (uint64_t)w->fetcher->call_deadline_ms,
        .max_bytes = (size_t)w->fetcher->answer_max_bytes,
        .once = writes(j),
        .on_done = on_answer,
        .ctx = w,
    };
    w->call = http_start(w->fetcher->http, &request, err);
    if (w->call == NULL) {
        buf_fini(&body);
        return -1;
    }
    w->requests = 1;
    return 0;
}

void work_start(struct work *w)
{
    const struct msg_job *j = &w->job->job;
    struct fetcher *f = w->fetcher;
    const struct config_portal *portal = config_portal(f->app->config, j->portal);

    w->lane = walks(j) ? f->bulk : f->urgent;
    log_correlate(w->job->correlation);
    log_ev(LOG_DEBUG, "job.taken", kv_u("job", j->job), kv_u("d", j->d), kv_str("portal", j->portal),
        kv_str("kind", j->kind), kv_str("entity", j->entity));
    crash_point(FETCHER_BEFORE_CALL);
    if (target_make(&w->target, portal, j, &f->keys, &w->err) < 0) {
        fail(w);
    } else if (call(w, &w->err) < 0) {
        err_wrap(&w->err, "portal " STR_FMT, STR_ARG(j->portal));
        fail(w);
    }
    log_correlate(NULL);
}
