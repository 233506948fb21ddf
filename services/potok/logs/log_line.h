/* log_line.h - one line of a service's log: when, how grave, and how people read it. Pure. */
#pragma once

#include "base/buf.h"
#include "base/log.h"
#include "base/str.h"

#include <jansson.h>

struct log_line {
    json_t *root;               /* NULL: no log line (a crash report) */
    enum log_level level;       /* no log line: ERROR */
    const char *timestamp;      /* "" where there is none; sorts as text */
};

void log_line_read(struct log_line *ret, struct str text);
void log_line_fini(struct log_line *l);
/* "12:29:00.123 WARNING  fetcher    job.retry  job=7 error=…" without a line end. `origin` names the file's service for
 * lines that are no JSON. */
void log_line_print(const struct log_line *l, struct str text, const char *origin, bool colour, struct buf *out);
