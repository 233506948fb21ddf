/* held.h - the gateway's listening socket, held by `potok up`: it outlives every gateway, so that a restart refuses no
 * webhook (design, invariant 10). */
#pragma once

#include "home.h"
#include "run/listen.h"

struct held_wish {
    char address[LISTEN_ADDRESS_SIZE];  /* HOST:PORT as set, or the default */
    bool secret;                        /* a token or key is set */
    bool installs;                      /* none is: the token comes with an application's installation (a public address alone) */
    bool tls;                           /* GATEWAY_TLS_CERT is set */
    bool gives_way;                     /* to a free port: the default of a gateway for this machine only */
};

/* What is configured. ERR_CONF: a setting cannot be read. */
int held_wish(struct held_wish *ret, const struct home *h, struct err *err) MUST_CHECK;
/* Listens where GATEWAY_LISTEN says; by default as the gateway itself would. The default of a gateway that nobody from outside
 * may reach gives way to a free port where another program has it. ERR_CONF names setting and address. */
int held_open(const struct home *h, int *ret_fd, char ret_address[static LISTEN_ADDRESS_SIZE], struct err *err) MUST_CHECK;
