#include "job.h"

#include "base/mem.h"

#include <stdlib.h>

struct job *job_new(enum job_kind kind, int entity)
{
    struct job *job = xcalloc(1, sizeof(*job));

    job->kind = kind;
    job->entity = entity;
    return job;
}

void job_free(struct job **job)
{
    if (*job == NULL)
        return;
    free((*job)->ids);
    free((*job)->calls);
    free(*job);
    *job = NULL;
}

void job_put(struct job **head, struct job *job)
{
    while (*head != NULL)
        head = &(*head)->next;
    *head = job;
    job->next = NULL;
}

void job_take(struct job **head, struct job *job)
{
    while (*head != NULL && *head != job)
        head = &(*head)->next;
    if (*head != NULL)
        *head = job->next;
    job->next = NULL;
}

struct job *job_find(struct job *head, uint64_t id)
{
    while (head != NULL && head->id != id)
        head = head->next;
    return head;
}

uint64_t job_backoff(unsigned fails, uint32_t dice)
{
    unsigned doubled = fails > 0 ? fails - 1 : 0;
    uint64_t ms = (uint64_t)JOB_BACKOFF_MS << (doubled > 6 ? 6 : doubled);

    if (ms > JOB_BACKOFF_MOST_MS)
        ms = JOB_BACKOFF_MOST_MS;
    return ms * 3 / 4 + dice % (ms / 2);
}

uint32_t job_next_cap(const struct job *job)
{
    return 2 * job->pages_cap < BATCH_COMMANDS ? 2 * job->pages_cap : 0;
}

static bool single(const struct job *job)
{
    return job_kind_walks(job->kind) ? job->first == job->last : job->id_count <= 1;
}

/* The job itself is suspected: ask for less, until one record stands alone. */
static enum job_next narrow(struct job *job)
{
    job->strikes = 0;
    job->deaths = 0;
    if (job_kind_learns(job->kind))
        return JOB_AGAIN;
    if (single(job)) {
        if (!job_kind_walks(job->kind))
            return JOB_ALONE;
        return job->fails >= JOB_LAST_TRIES ? JOB_ASIDE : JOB_AGAIN;
    }
    uint32_t asked = job->pages > 0 ? job->pages : job->pages_cap > 0 ? job->pages_cap : BATCH_COMMANDS;
    if (job_kind_walks(job->kind) && asked > 1) {
        job->pages_cap = job->pages = asked / 2;
        return JOB_AGAIN;
    }
    return JOB_SPLIT;
}

bool job_end_is_open(enum job_end end, enum err_kind kind)
{
    return end != JOB_END_TURNED && !(end == JOB_END_ERROR && kind == ERR_WAIT);
}

bool job_is_unsure(const struct job *job, enum job_end end, enum err_kind kind)
{
    return job->once && job_end_is_open(end, kind);
}

bool job_blames_list(const struct job *job, enum err_kind kind, uint64_t ok_count)
{
    if (!job_kind_walks(job->kind) || kind == ERR_WAIT)
        return false;
    if (kind == ERR_LIMIT) /* large records may stand side by side: each is to be set aside alone */
        return single(job) && job->fails + 1 >= JOB_LAST_TRIES;
    if (kind == ERR_TEMP && ok_count == job->portal_ok)
        return false; /* the portal answers nothing else either */
    return job->pages == 1;
}

enum job_next job_failed(
    struct job *job, enum job_end end, enum err_kind kind, uint64_t ok_count, uint64_t now_ms, uint32_t dice)
{
    bool portal_well = ok_count != job->portal_ok;
    bool suspected = false;

    job->portal_ok = ok_count;
    if (end == JOB_END_LOST || end == JOB_END_TURNED || (end == JOB_END_ERROR && kind == ERR_WAIT)) {
        job->not_before_ms = now_ms;
        return JOB_AGAIN;
    }
    if (end == JOB_END_ERROR && (kind == ERR_AUTH || kind == ERR_CONF))
        return JOB_STOP;

    job->fails++;
    if (end == JOB_END_REFUSED)
        suspected = false;
    else if (end == JOB_END_DIED)
        suspected = ++job->deaths >= JOB_DEATHS;
    else if (end == JOB_END_ERROR && kind != ERR_TEMP)
        suspected = true;
    else if (portal_well)
        suspected = ++job->strikes >= (job->pages_cap == 0 ? JOB_STRIKES : JOB_STRIKES_AGAIN);
    job->not_before_ms = now_ms + (end == JOB_END_DIED ? 0 : job_backoff(job->fails, dice));
    if (!suspected)
        return JOB_AGAIN;

    enum job_next next = narrow(job);
    if (next == JOB_SPLIT && job_kind_walks(job->kind))
        job->not_before_ms = now_ms + JOB_BACKOFF_MS; /* meanwhile its other half is read */
    if (next == JOB_AGAIN && !single(job) && job->kind != JOB_PROBE)
        job->not_before_ms = now_ms; /* it is another question now: no reason to wait */
    return next;
}
