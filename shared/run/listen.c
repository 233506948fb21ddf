#include "run/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"

#define LISTEN_TAKEN "another program listens there (`ss -ltnp` names it): end it, or set another address"

enum {
    BACKLOG = 4096, /* the kernel cuts it to its own limit */
    PORT_MAX = 65535,
    FIRST_INHERITED = 3, /* of socket activation */
};

int listen_split(const char *address, char *ret_host, size_t host_size, char *ret_port, size_t port_size)
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL)
        return -1;

    struct str host = { address, (size_t)(colon - address) };
    struct str port = str_of(colon + 1);
    uint64_t number;
    if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = (struct str){ host.p + 1, host.n - 2 };
    else if (memchr(host.p, ':', host.n) != NULL)
        return -1; /* an IPv6 address without brackets: where its port begins is a guess */
    if (host.n == 0 || host.n >= host_size || port.n >= port_size || !str_u64(port, &number) ||
        number > PORT_MAX)
        return -1;

    memcpy(ret_host, host.p, host.n);
    ret_host[host.n] = '\0';
    memcpy(ret_port, port.p, port.n + 1);
    return 0;
}

static int open_one(const struct addrinfo *a, const char *address, int *ret_fd, struct err *err)
{
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_code(err, ERR_CONF, errno, "cannot listen on %s: %s", address, strerror(errno));

    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)); /* a restart does not wait for TIME_WAIT */
    if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
        int code = errno;
        close(fd);
        if (code == EADDRINUSE)
            return err_code(err, ERR_CONF, code, "cannot listen on %s: " LISTEN_TAKEN, address);
        return err_code(err, ERR_CONF, code, "cannot listen on %s: %s", address, strerror(code));
    }
    *ret_fd = fd;
    return 0;
}

void listen_name(int fd, char ret_address[static LISTEN_ADDRESS_SIZE])
{
    struct sockaddr_storage bound;
    socklen_t n = sizeof(bound);
    char host[80], port[8];

    getsockname(fd, (struct sockaddr *)&bound, &n);
    if (getnameinfo((struct sockaddr *)&bound, n, host, sizeof(host), port, sizeof(port),
            NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        snprintf(ret_address, LISTEN_ADDRESS_SIZE, "?");
        return;
    }
    snprintf(ret_address, LISTEN_ADDRESS_SIZE, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

int listen_open(
    const char *address, int *ret_fd, char ret_address[static LISTEN_ADDRESS_SIZE], struct err *err)
{
    char host[256], port[8];
    if (listen_split(address, host, sizeof(host), port, sizeof(port)) < 0)
        return err_set(
            err, ERR_CONF, "cannot listen on \"%s\": an address is HOST:PORT, as 127.0.0.1:8080", address);

    struct addrinfo *found = NULL;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    int failed = getaddrinfo(host, port, &hints, &found);
    if (failed)
        return err_set(err, ERR_CONF, "cannot listen on %s: %s", address, gai_strerror(failed));

    int result = -1;
    for (const struct addrinfo *a = found; a != NULL && result < 0; a = a->ai_next)
        result = open_one(a, address, ret_fd, err);
    freeaddrinfo(found);
    if (result == 0)
        listen_name(*ret_fd, ret_address);
    return result;
}

int listen_unix(const char *path, int *ret_fd, struct err *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(address.sun_path))
        return err_set(err, ERR_CONF, "cannot listen on %s: the path is too long", path);

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_code(err, ERR_CONF, errno, "cannot listen on %s: %s", path, strerror(errno));
    memcpy(address.sun_path, path, strlen(path) + 1);
    unlink(path);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0) {
        int code = errno;
        close(fd);
        return err_code(err, ERR_CONF, code, "cannot listen on %s: %s", path, strerror(code));
    }
    *ret_fd = fd;
    return 0;
}

int listen_inherited(void)
{
    const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
    uint64_t fds, of;
    int fd = 0;

    if (count != NULL && pid != NULL && str_u64(str_of(count), &fds) && str_u64(str_of(pid), &of) &&
        fds == 1 && of == (uint64_t)getpid() && fcntl(FIRST_INHERITED, F_SETFD, FD_CLOEXEC) == 0 &&
        fcntl(FIRST_INHERITED, F_SETFL, O_NONBLOCK) == 0)
        fd = FIRST_INHERITED;
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_PID");
    return fd;
}
