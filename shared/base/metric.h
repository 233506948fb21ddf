/* metric.h - counters, gauges and histograms in Prometheus text format. A service has one static table;
 * values are plain fields updated on the loop thread (counters may be bumped from worker threads: relaxed
 * atomics). Names: design section 9. */
#pragma once

#include "base/buf.h"

#include <stdint.h>

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric {
    const char *name;           /* potok_writer_rows_total */
    const char *help;
    enum metric_kind kind;
    const char *labels;         /* `{entity="deals"}` or NULL; one series per struct */
    double value;               /* histogram: sum */
    uint64_t count;             /* histogram: observations */
    uint64_t bucket[12];        /* histogram: <= METRIC_BOUNDS[i] seconds, last +Inf */
    struct metric *next;        /* registry */
};

extern const double METRIC_BOUNDS[11];

void metric_register(struct metric *m);     /* m lives for ever (static) */
/* Writes `{name="value"}` with the value escaped, cut to fit. */
void metric_label(char *ret, size_t size, const char *name, struct str value);
/* Finds or makes the series name{labels}; for labels known only at run time. At most 200 a name, then "other". */
struct metric *metric_series(const char *name, const char *help, enum metric_kind kind, const char *labels);
void metric_add(struct metric *m, double by);
void metric_set(struct metric *m, double value);
void metric_observe(struct metric *m, double seconds);
void metric_render(struct buf *out);        /* all registered, grouped by name, HELP and TYPE once */
