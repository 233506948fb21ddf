/* setting.h - the whole configuration of a service is one table: from it come the parsing of environment and
 * `NAME_FILE` secrets, ranges, --help, --check, the masked start-up dump and the README table.
 * Order: environment (NAME, else the content of the file NAME_FILE), potok.yaml (its `settings:` map), default.
 * An empty value is as good as none: compose files hand on empty variables. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_type { SETTING_STR, SETTING_INT, SETTING_BOOL, SETTING_MS, SETTING_SECRET, SETTING_END };

struct setting {
    const char *name;           /* BUS_SCHEDULER */
    enum setting_type type;     /* MS: "10s", "500ms", "2m" or plain milliseconds */
    size_t offset;              /* char * / int64_t / bool / int64_t / char * in the state */
    const char *fallback;       /* default as it would be typed; NULL = empty */
    int64_t least, most;        /* INT, MS; both 0 = no range */
    const char *help;
    const char *unit;           /* for the table: "ms", "bytes"; NULL = none */
};

#define SET_STR(type_, field, name_, fallback_, help_) \
    { name_, SETTING_STR, offsetof(type_, field), fallback_, 0, 0, help_, NULL }
#define SET_SECRET(type_, field, name_, help_) \
    { name_, SETTING_SECRET, offsetof(type_, field), NULL, 0, 0, help_, NULL }
#define SET_INT(type_, field, name_, fallback_, least_, most_, help_) \
    { name_, SETTING_INT, offsetof(type_, field), fallback_, least_, most_, help_, NULL }
#define SET_MS(type_, field, name_, fallback_, least_, most_, help_) \
    { name_, SETTING_MS, offsetof(type_, field), fallback_, least_, most_, help_, "ms" }
#define SET_BOOL(type_, field, name_, fallback_, help_) \
    { name_, SETTING_BOOL, offsetof(type_, field), fallback_, 0, 0, help_, NULL }
#define SET_END { NULL, SETTING_END, 0, NULL, 0, 0, NULL, NULL }

/* Gives the value of `name` from the file or NULL; where = "potok.yaml:12". */
typedef const char *setting_lookup(void *ctx, const char *name, const char **ret_where);

/* Fills state; strings are owned by the state (settings_free) and never NULL. ERR_CONF names the setting, the value (masked
 * when secret), where it came from and the allowed range. lookup may be NULL. */
int settings_load(const struct setting *table, void *state, setting_lookup *lookup, void *ctx, struct err *err)
    MUST_CHECK;
/* Notes what is wrong and goes on, with the default in place of a wrong value; NULL: as above. */
struct mistakes;
int settings_load_all(const struct setting *table, void *state, setting_lookup *lookup, void *ctx, struct mistakes *all,
    struct err *err) MUST_CHECK;
void settings_free(const struct setting *table, void *state);
bool setting_is_told(const char *name, setting_lookup *lookup, void *ctx);     /* or its default holds. lookup may be NULL */
struct buf;
void settings_help(const struct setting *table, struct buf *out);       /* lines for --help */
void settings_markdown(const struct setting *table, struct buf *out);   /* rows of the README table */
void settings_dump(const struct setting *table, const void *state, struct buf *out);    /* NAME=value, masked */
