#include "count.h"

#include "base/mem.h"
#include "base/metric.h"

#include <stdio.h>

#define MESSAGES_HELP "ROWS messages by what became of them"
#define ROWS_HELP \
    "Rows by verdict: new was written, same looked as read, late was refused, gone had a row and became a " \
    "ghost"

static struct metric seconds_metric = { .name = "potok_writer_transaction_seconds",
    .kind = METRIC_HISTOGRAM,
    .help = "Time from the message to the commit, waiting for the turn included" };
static struct metric queue_metric = { .name = "potok_writer_queue",
    .kind = METRIC_GAUGE,
    .help = "ROWS messages taken from the bus and not yet committed" };

void count_init(void)
{
    metric_register(&seconds_metric);
    metric_register(&queue_metric);
    for (enum outcome o = 0; o < OUTCOMES; o++) {
        char labels[64];
        snprintf(labels, sizeof(labels), "{outcome=\"%s\"}", outcome_name(o));
        metric_series("potok_writer_messages_total", MESSAGES_HELP, METRIC_COUNTER, labels);
    }
}

const char *outcome_name(enum outcome outcome)
{
    static const char *const names[] = { "ok", "refused", "failed" };

    return names[outcome];
}

void count_message(enum outcome outcome, double seconds)
{
    char labels[64];

    snprintf(labels, sizeof(labels), "{outcome=\"%s\"}", outcome_name(outcome));
    metric_add(metric_series("potok_writer_messages_total", MESSAGES_HELP, METRIC_COUNTER, labels), 1);
    metric_observe(&seconds_metric, seconds);
}

void count_rows(struct str entity, const struct apply_counts *counts)
{
    const struct {
        const char *verdict;
        uint64_t n;
    } rows[] = { { "new", counts->written }, { "same", counts->same }, { "late", counts->late },
        { "gone", counts->gone } };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char labels[160];
        if (rows[i].n == 0)
            continue;
        snprintf(labels, sizeof(labels), "{entity=\"" STR_FMT "\",verdict=\"%s\"}", STR_ARG(entity),
            rows[i].verdict);
        metric_add(
            metric_series("potok_writer_rows_total", ROWS_HELP, METRIC_COUNTER, labels), (double)rows[i].n);
    }
}

void count_queue(int messages)
{
    metric_set(&queue_metric, messages);
}
