/* dir.h - the folder of a recording; its format is in services/sandbox/recording.md. Files are their
 * owner's alone. One thread. */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define RECORDING_FORMAT 1

struct record_dir {
    char *path;
    char *secret, *host; /* never to be found in it */
    int count;           /* exchanges */
};

struct record_exchange {
    const char *row, *facts, *why;
    const char *method;
    struct str params; /* JSON as it was sent */
    bool wrong_secret;
    bool of_records; /* pages of the client's own batch */
    int status;
    const char *content_type;
    bool moved; /* there was a Location */
    uint64_t retry_after_ms, took_ms;
    struct str body; /* without what is personal */
};

/* Makes the folder, or takes an empty one. ERR_CONF. */
int record_dir_open(struct record_dir *d, const char *path, const char *url, struct err *err) MUST_CHECK;
void record_dir_close(struct record_dir *d);
void record_dir_discard(struct record_dir *d); /* an empty one */
/* ERR_PERM: the webhook's secret or the portal's host is in it: nothing was written. */
int record_dir_add(struct record_dir *d, const struct record_exchange *x, struct err *err) MUST_CHECK;
/* The manifest, last of all: without it a recording is not whole. */
int record_dir_finish(struct record_dir *d, struct str manifest, struct err *err) MUST_CHECK;
