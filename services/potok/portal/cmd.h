/* cmd.h - `potok portal`: which portals there are and how they are reached; an application connected, and taken back. */
#pragma once

#include "args.h"
#include "base/access.h"
#include "base/seal.h"
#include "home.h"

enum { PORTAL_CODE, PORTAL_AS_JSON };

struct portal_cmd {
    struct home home;
    const struct args *args;
    struct seal_keys keys;
    const struct config_portal *portal;     /* of login and logout */
};

/* What is brought to the scheduler, sealed; it says what became of it. */
int portal_bring(struct portal_cmd *c, const struct access *given, struct err *err) MUST_CHECK;
int portal_login(struct portal_cmd *c, struct err *err) MUST_CHECK;     /* login.c */
/* The parts of the address at which the browser ended; a bare code too. ERR_CONF. */
int portal_code_read(struct str text, struct access *ret, char **ret_state, struct err *err) MUST_CHECK;

/* What the database knows (look.c). */
struct portal_look {
    char host[256], member[80], scope[256], status[16], error[ERR_TEXT_SIZE];
    int64_t number;             /* of the tokens; 0 = none ever */
    bool sealed;                /* there are some */
    int64_t at_ms, expires_ms;  /* 0 = not told */
};
/* The scheduler's word why what was brought last is of no use (yet). False: it has none, or does not answer. */
struct portal_refusal {
    unsigned number;            /* raised with each try that fails */
    char error[ERR_TEXT_SIZE];
};
bool portal_refusal(const struct home *h, const char *portal, struct portal_refusal *ret);
int portal_look(const struct home *h, const char *portal, struct portal_look *ret, struct err *err) MUST_CHECK;
