/* options.h - the command line of potok-sandbox. */
#pragma once

#include "portal.h"

struct options {
    struct portal_options portal;
    char *listen;                   /* "127.0.0.1" */
    uint64_t port;
    char *data;                     /* NULL: nothing is kept */
    char *tariff;
    char *replay;                   /* NULL: the portal is made up */
    char *tls_cert, *tls_key;       /* files; NULL: plain HTTP */
    char *webhooks[EVENT_URLS_MAX], *apps[EVENT_URLS_MAX];      /* URLs of handlers */
    char *app_client, *app_redirect, *app_install;      /* NULL: none */
    char *scope;                    /* NULL: crm and user */
    char *application_token;        /* NULL: from the seed */
    bool operating_given;           /* --operating-limit was there */
};

/* 0 = go on; 1 = --help or --version was printed; -1 with ERR_CONF. options_fini() in any case. */
int options_parse(struct options *ret, int argc, char **argv, struct err *err) MUST_CHECK;
void options_fini(struct options *o);
