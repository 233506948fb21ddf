#include "gateway_load.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SENDERS    32
#define TIMEOUT_S  20
#define BODY_BYTES 600

struct sender {
    const struct load *load;
    int number;
    double began;
    double *took;
    size_t ok, failed;
    pthread_t thread;
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

void load_sort(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), compare);
}

double load_share(const double *sorted, size_t n, double share)
{
    return n > 0 ? sorted[(size_t)((double)(n - 1) * share)] : 0;
}

static double seconds_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void sleep_until(double when)
{
    struct timespec t = { (time_t)when, (long)((when - (double)(time_t)when) * 1e9) };

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static int connect_to(const struct load *l)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)l->port) };
    struct timeval patience = { .tv_sec = TIMEOUT_S };
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

    inet_pton(AF_INET, l->host, &to.sin_addr);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    close(fd);
    return -1;
}

static size_t make_request(const struct load *l, uint64_t id, char *ret, size_t size)
{
    char body[BODY_BYTES + 1];
    int n = snprintf(body, sizeof(body),
        "event=ONCRMDEALUPDATE&data[FIELDS][ID]=%llu&ts=1795200000&auth[domain]=127.0.0.1&auth[application_"
        "token]=%s&more=",
        (unsigned long long)id, l->token);

    memset(body + n, 'x', (size_t)(BODY_BYTES - n));
    body[BODY_BYTES] = '\0';
    return (size_t)snprintf(ret, size,
        "POST /webhook/bitrix HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\n%s"
        "Content-Length: %d\r\n\r\n%s",
        l->host, l->kept ? "" : "Connection: close\r\n", BODY_BYTES, body);
}

/* An answer is one packet on the loopback, of less than the room; *ret_close: the other side closes after it.
 */
static bool answered_well(int fd, bool *ret_close)
{
    char answer[2048];
    size_t n = 0;

    for (;;) {
        ssize_t got = recv(fd, answer + n, sizeof(answer) - 1 - n, 0);

        if (got <= 0)
            return false;
        n += (size_t)got;
        answer[n] = '\0';
        if (strstr(answer, "}\n") != NULL)
            break;
    }
    *ret_close = strcasestr(answer, "connection: close") != NULL;
    return strncmp(answer, "HTTP/1.1 200", 12) == 0 && strstr(answer, "\"status\":\"error\"") == NULL;
}

static bool send_one(const struct load *l, uint64_t id, int *fd)
{
    char request[2048];
    size_t n = make_request(l, id, request, sizeof(request));
    bool close_it = true, well;

    if (*fd < 0 && (*fd = connect_to(l)) < 0)
        return false;
    well = send(*fd, request, n, MSG_NOSIGNAL) == (ssize_t)n && answered_well(*fd, &close_it);
    if (close_it || !l->kept || !well) {
        close(*fd);
        *fd = -1;
    }
    return well;
}

static void *run_sender(void *ctx)
{
    struct sender *s = ctx;
    const struct load *l = s->load;
    double every = SENDERS / l->rate, due = s->began + s->number / l->rate;
    uint64_t id = l->first + (uint64_t)s->number;
    int fd = -1;

    prctl(PR_SET_TIMERSLACK, 1);
    for (; due < s->began + l->seconds; due += every, id += SENDERS) {
        sleep_until(due);
        if (send_one(l, id, &fd))
            s->took[s->ok++] = seconds_now() - due;
        else
            s->failed++;
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

int load_run(const struct load *l)
{
    static struct sender senders[SENDERS];
    size_t most = (size_t)(l->rate * l->seconds / SENDERS) + 2, n = 0, failed = 0;
    double began = seconds_now() + 0.1, *all = xcalloc(most * SENDERS, sizeof(*all));

    for (int i = 0; i < SENDERS; i++) {
        senders[i] =
            (struct sender){ .load = l, .number = i, .began = began, .took = xcalloc(most, sizeof(double)) };
        pthread_create(&senders[i].thread, NULL, run_sender, &senders[i]);
    }
    for (int i = 0; i < SENDERS; i++) {
        pthread_join(senders[i].thread, NULL);
        memcpy(all + n, senders[i].took, senders[i].ok * sizeof(*all));
        n += senders[i].ok;
        failed += senders[i].failed;
        free(senders[i].took);
    }
    load_sort(all, n);
    printf("{\"ok\": %zu, \"failed\": %zu, \"p50_ms\": %.4f, \"p99_ms\": %.4f}\n", n, failed,
        load_share(all, n, 0.5) * 1e3, load_share(all, n, 0.99) * 1e3);
    free(all);
    return 0;
}
