/* application.h - the one application of the portal: whether it is installed, who it is, what it was given,
 * and what is wrong with it (facts section 10). The clock is an argument. Loop thread. */
#pragma once

#include "tokens.h"

enum app_state {
#define APP_STATE(id, name, method_error, oauth_error) APP_##id,
#include "app_states.def"
#undef APP_STATE
    APP_STATES
};

struct application_options {
    uint64_t life_s;      /* of access tokens; 0 = 3600 */
    const char *client;   /* "ID:SECRET"; NULL: from the seed */
    const char *redirect; /* address of its callback; NULL: nobody can authorize */
    const char *install;  /* URL that gets ONAPPINSTALL; NULL: none */
};

#define CODES_MOST   64 /* authorization codes at a time; older ones are forgotten */
#define CODE_LIFE_MS 30000
struct app_code {
    char text[TOKEN_TEXT];
    uint64_t until_ms;
    bool used;
};

struct app_stats {
    uint64_t authorized, exchanged, refreshed, refused; /* answers of the OAuth server */
};

struct application {
    bool there; /* the portal has one, installed or not */
    enum app_state state;
    char client_id[65], client_secret[129], redirect[512];
    struct tokens tokens;
    struct app_code codes[CODES_MOST];
    uint64_t code_count; /* ever made */
    struct app_stats stats;
};

/* there: as the other options say. */
int application_open(struct application *ret, const struct application_options *o, bool there,
    struct sqlite3 *db, uint64_t seed, uint64_t now_ms, struct err *err) MUST_CHECK;
void application_close(struct application *a);
/* The pair that the portal itself puts into events: the newest, or a new one when that has ended. NULL: see
 * err. */
const struct token_pair *application_own(struct application *a, uint64_t now_ms, struct err *err) MUST_CHECK;
const char *application_code(struct application *a, uint64_t now_ms); /* a new authorization code */
bool application_use_code(
    struct application *a, struct str code, uint64_t now_ms); /* false: not one, or no longer */
void application_expire_codes(struct application *a);
bool app_state_of(struct str name, enum app_state *ret);
const char *app_state_name(enum app_state s);
