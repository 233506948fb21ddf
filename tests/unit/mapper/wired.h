/* wired.h - JSON as the portal writes it, to the wire form that mappers read. */
#pragma once

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "connectors/transcode.h"
#include "proto/schema.h"
#include "support/check.h"

#include <stdlib.h>

/* Appends one JSON value to out. */
static inline void wired(const char *json, struct buf *out)
{
    size_t n = strlen(json);
    char *text = xmalloc(n + JSON_PADDING);
    uint64_t repaired = 0;
    struct err err = { 0 };

    memcpy(text, json, n);
    CHECK_OK(transcode(text, n, out, NULL, &repaired, &err), err);
    free(text);
}
