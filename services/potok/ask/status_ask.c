#include "status_ask.h"

#include "base/mem.h"
#include "absence.h"
#include "run/lock.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define SERVICES_WITHIN_MS 1500 /* STATUS comes once a second */

/* The schedulers here say that another one works, elsewhere: none of them will answer. */
static bool only_standbys(const struct ask *a)
{
    int standbys = 0;

    for (int i = 0; i < a->count; i++) {
        if (strcmp(a->services[i].service, "scheduler") != 0)
            continue;
        if (strcmp(a->services[i].state, "standby") != 0)
            return false;
        standbys++;
    }
    return standbys > 0 && a->count >= a->expected;
}

static void settle(struct ask *a)
{
    if ((a->answered && (a->body == NULL || a->count >= a->expected)) || only_standbys(a))
        uv_stop(&a->loop);
}

static void on_timer(uv_timer_t *timer)
{
    struct ask *a = timer->data;

    a->expected = 0; /* what has not come by now is not waited for */
    settle(a);
}

static void on_answer(void *ctx, int status, struct str body, const struct err *err)
{
    struct ask *a = ctx;

    a->answered = true;
    if (status == 0)
        a->body = str_dup(body);
    else
        a->err = *err;
    settle(a);
}

static void copy(char *ret, size_t size, struct str s)
{
    snprintf(ret, size, STR_FMT, STR_ARG(s));
}

static struct service_view *service_of(struct ask *a, struct str instance)
{
    for (int i = 0; i < a->count; i++) {
        if (str_is(instance, a->services[i].instance))
            return &a->services[i];
    }
    return a->count < SERVICES_MAX ? &a->services[a->count++] : &a->services[SERVICES_MAX - 1];
}

static void on_status(void *ctx, struct bus_plug *plug, struct bus_peer from, struct msg **m)
{
    struct ask *a = ctx;
    const struct msg_status *s = &(*m)->status;

    if ((*m)->type != MSG_STATUS)
        return;
    struct service_view *v = service_of(a, s->instance);

    json_decref(v->detail);
    copy(v->service, sizeof(v->service), s->service);
    copy(v->instance, sizeof(v->instance), s->instance);
    copy(v->state, sizeof(v->state), s->state);
    copy(v->metrics, sizeof(v->metrics), s->metrics);
    v->pid = s->pid;
    v->uptime_ms = s->uptime_ms;
    v->rss_bytes = s->rss_bytes;
    v->lag_ms = s->lag_ms;
    v->detail = s->detail.n > 0 ? json_loadb(s->detail.p, s->detail.n, 0, NULL) : NULL;
    settle(a);
}

/* Alive, and it said nothing. */
static void on_alive(void *ctx, const char *instance, int pid)
{
    struct ask *a = ctx;
    struct service_view *v = service_of(a, str_of(instance));

    if (v->instance[0] != '\0')
        return;
    copy(v->instance, sizeof(v->instance), str_of(instance));
    copy(v->service, sizeof(v->service), (struct str){ instance, strcspn(instance, ".") });
    copy(v->state, sizeof(v->state), STR("no answer"));
    v->pid = pid > 0 ? (uint64_t)pid : 0;
}

/* Of a service that lives: a killed one leaves its files behind, and will not say a word. */
static bool is_heard(const char *run_dir, const char *file)
{
    static const char ending[] = ".status.sock";
    const size_t n = strlen(file), tail = strlen(ending);
    char lock[900];

    if (n <= tail || strcmp(file + n - tail, ending) != 0)
        return false;
    snprintf(lock, sizeof(lock), "%s/%.*s.lock", run_dir, (int)(n - strlen(".sock")), file);
    return lock_is_held(lock);
}

/* How many services have a STATUS socket here. */
static int sockets_count(const char *run_dir)
{
    DIR *dir = opendir(run_dir);
    int n = 0;

    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
        n += is_heard(run_dir, e->d_name);
    if (dir != NULL)
        closedir(dir);
    return n;
}

static int ask_open(struct ask *a, const struct home *home, struct err *err)
{
    struct bus_def statuses = { .kind = BUS_SUB_CONNECT,
        .service = "*",
        .plug = "status",
        .where = "ipc",
        .on_msg = on_status,
        .ctx = a };

    a->bus = bus_new(&a->loop, home->run_dir, "potok");
    a->expected = sockets_count(home->run_dir);
    a->statuses = bus_open(a->bus, &statuses, err);
    if (a->statuses == NULL || control_open(&a->control, &a->loop, a->bus, home->bus_scheduler, err) < 0)
        return -1;
    uv_timer_init(&a->loop, &a->timer);
    a->timer.data = a;
    uv_timer_start(&a->timer, on_timer, SERVICES_WITHIN_MS, 0);
    control_ask(&a->control, "status", "{}", CONTROL_TIMEOUT_MS, on_answer, a);
    return 0;
}

static int by_instance(const void *a, const void *b)
{
    return strcmp(((const struct service_view *)a)->instance, ((const struct service_view *)b)->instance);
}

int ask_all(struct ask *a, const struct home *home, struct err *err)
{
    int result;

    err_set(&a->err, ERR_TEMP, "nothing runs");
    if (absence_may_look(home, err) < 0)
        return -1;
    if (str_is(str_of(home->bus_scheduler), "ipc") && sockets_count(home->run_dir) == 0)
        return 0; /* nobody to wait for */
    uv_loop_init(&a->loop);
    result = ask_open(a, home, err);
    if (result == 0) {
        uv_run(&a->loop, UV_RUN_DEFAULT);
        uv_close((uv_handle_t *)&a->timer, NULL);
    }
    control_close(&a->control);
    bus_close(&a->statuses);
    bus_free(&a->bus);
    uv_run(&a->loop, UV_RUN_DEFAULT);
    uv_loop_close(&a->loop);
    bus_shutdown();
    absence_each_alive(home->run_dir, on_alive, a);
    qsort(a->services, (size_t)a->count, sizeof(a->services[0]), by_instance);
    return result;
}

void ask_fini(struct ask *a)
{
    for (int i = 0; i < a->count; i++)
        json_decref(a->services[i].detail);
    free(a->body);
    a->body = NULL;
    a->count = 0;
}
