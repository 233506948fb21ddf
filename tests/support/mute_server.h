/* mute_server.h - what stands for PostgreSQL on 127.0.0.1 and says nothing: at once, or after it took a client in. */
#pragma once

#include "support/check.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct mute_server {
    int fd, port;
    pthread_t thread;
    bool greets;
};

static inline void mute_greet(int fd)
{
    static const char hello[] = "R\0\0\0\10\0\0\0\0"                     /* AuthenticationOk */
                                "S\0\0\0\30server_version\00015.3\0"
                                "S\0\0\0\31server_encoding\0UTF8\0"
                                "K\0\0\0\14\0\0\0\1\0\0\0\1"
                                "Z\0\0\0\5I";
    char asked[4096];

    /* Eight bytes ask for TLS or GSSAPI, more is the client's own hello; what it asks then nobody reads. */
    while (recv(fd, asked, sizeof(asked), 0) == 8)
        (void)!send(fd, "N", 1, MSG_NOSIGNAL);
    (void)!send(fd, hello, sizeof(hello) - 1, MSG_NOSIGNAL);
}

/* Clients stay as long as it does. */
static inline void *mute_serve(void *ctx)
{
    struct mute_server *m = ctx;
    int clients[16], n = 0, fd;

    while (n < 16 && (fd = accept(m->fd, NULL, NULL)) >= 0) {
        clients[n++] = fd;
        mute_greet(fd);
    }
    while (n > 0)
        close(clients[--n]);
    return NULL;
}

static inline void mute_start(struct mute_server *m, bool greets)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof(address);

    m->greets = greets;
    m->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(bind(m->fd, (struct sockaddr *)&address, n), 0);
    CHECK_EQ(listen(m->fd, 16), 0);
    CHECK_EQ(getsockname(m->fd, (struct sockaddr *)&address, &n), 0);
    m->port = ntohs(address.sin_port);
    if (greets)
        CHECK_EQ(pthread_create(&m->thread, NULL, mute_serve, m), 0);
}

static inline void mute_stop(struct mute_server *m)
{
    shutdown(m->fd, SHUT_RDWR);
    if (m->greets)
        pthread_join(m->thread, NULL);
    close(m->fd);
}
