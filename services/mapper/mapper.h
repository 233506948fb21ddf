/* mapper.h - the mapper's shell: RECORDS in, ROWS out, two lanes that never wait for each other. Loop thread only. */
#pragma once

#include "map.h"
#include "run/app.h"
#include "run/bus.h"

struct mapper;

/* A lane holds at most one message at a time: while it is being mapped, or while the writers' pipe is full. Its
 * plug is paused meanwhile, and the water marks do the rest. */
struct lane {
    struct mapper *mapper;
    const char *name;           /* "bulk", "urgent": also the plugs' names */
    struct bus_plug *in, *out;
    struct map map;
    struct msg *records;        /* in hand; ROWS borrow names and ids from it */
    struct msg *rows;           /* mapped and not yet sent */
    uint64_t began_ms;
    struct metric *messages, *waiting;
};

struct mapper {
    char *bus_mapper, *bus_writer;  /* settings */
    struct app *app;
    struct lane urgent, bulk;
    uv_idle_t idle;             /* runs while a lane has records left to map */
    uv_timer_t leave;           /* told to stop, with rows in hand */
    uint64_t leave_ms;          /* … and at this time at the latest */
    bool idle_open;             /* both are there */
    struct map_stats stats;     /* since start */
    uint64_t bad_messages;
};

extern const struct app_def MAPPER;
