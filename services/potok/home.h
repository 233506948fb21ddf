/* home.h - what every command needs to know first: where the state lies, which configuration holds, which database.
 * Owned by the struct: home_free(). */
#pragma once

#include "base/config.h"
#include "base/err.h"

struct home {
    char *dir;                  /* POTOK_HOME as given */
    char run_dir[600], log_dir[600];
    struct config config;
    char *database_url;         /* secret: may hold a password */
    char *database_file;        /* NULL: it is no file */
    char *bus_scheduler;
    char *secret_key;           /* POTOK_SECRET_KEY: opens access tokens of portals that are reached as an application */
    int64_t patience_ms;        /* CONNECT_PATIENCE */
    int64_t stop_timeout_ms;    /* STOP_TIMEOUT, the services' */
    bool database_default;      /* DATABASE_URL was not set */
};

/* config_path NULL: as config_load() finds it. Makes no folder. A database by default and a given config_path go into
 * the environment, where the services find them. ERR_CONF. */
int home_load(struct home *h, const char *config_path, struct err *err) MUST_CHECK;
/* The same, but what is wrong goes to `all`, and in place of it stand defaults; portals with a mistake are left out. */
void home_load_all(struct home *h, const char *config_path, struct mistakes *all);
void home_free(struct home *h);
/* ERR_CONF: no portal is configured; the text says how to do that, and names a `potok up` of this home that was told
 * of one in an environment that is not ours. */
int home_has_portal(const struct home *h, struct err *err) MUST_CHECK;
