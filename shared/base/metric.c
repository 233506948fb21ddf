#include "base/metric.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <pthread.h>
#include <stdlib.h>

#define SERIES_MAX 200 /* a name; label values that come from outside must not fill the memory */

const double METRIC_BOUNDS[11] = { 0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the list; values are atomics */
static struct metric *registry;                          /* series of one name stand together */

static bool same_labels(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* The last series of that name, or NULL; *ret_count = how many there are. */
static struct metric *last_of(const char *name, int *ret_count)
{
    struct metric *last = NULL;

    *ret_count = 0;
    for (struct metric *m = registry; m; m = m->next) {
        if (strcmp(m->name, name) == 0) {
            last = m;
            (*ret_count)++;
        } else if (last) {
            break;
        }
    }
    return last;
}

static void insert(struct metric *m)
{
    int count;
    struct metric *after = last_of(m->name, &count);
    struct metric **at = after ? &after->next : &registry;

    while (!after && *at)
        at = &(*at)->next;
    m->next = *at;
    *at = m;
}

static struct metric *find(const char *name, const char *labels)
{
    for (struct metric *m = registry; m; m = m->next)
        if (strcmp(m->name, name) == 0 && same_labels(m->labels, labels))
            return m;
    return NULL;
}

void metric_register(struct metric *m)
{
    pthread_mutex_lock(&lock);
    if (!find(m->name, m->labels)) /* the same series twice would make the page invalid */
        insert(m);
    pthread_mutex_unlock(&lock);
}

/* `{a="x",b="y"}` with every value replaced: the series that takes what is over the maximum. */
static char *other_labels(const char *labels)
{
    struct buf b;
    bool inside = false;

    buf_init(&b, 1024);
    for (const char *p = labels; *p; p++) {
        if (inside && *p == '\\' && p[1]) {
            p++;
            continue;
        }
        if (*p == '"') {
            inside = !inside;
            buf_str(&b, inside ? "\"other" : "\"");
        } else if (!inside) {
            buf_char(&b, *p);
        }
    }

    char *ret = xstrdup(buf_cstr(&b));
    buf_fini(&b);
    return ret;
}

static struct metric *make(const char *name, const char *help, enum metric_kind kind, char *labels)
{
    struct metric *m = xcalloc(1, sizeof(*m));

    m->name = xstrdup(name);
    m->help = xstrdup(help);
    m->kind = kind;
    m->labels = labels;
    insert(m);
    return m;
}

struct metric *metric_series(const char *name, const char *help, enum metric_kind kind, const char *labels)
{
    int count;

    pthread_mutex_lock(&lock);
    struct metric *m = find(name, labels);
    if (!m) {
        last_of(name, &count);
        if (count < SERIES_MAX || !labels) {
            m = make(name, help, kind, labels ? xstrdup(labels) : NULL);
        } else {
            char *other = other_labels(labels);

            m = find(name, other);
            if (m)
                free(other);
            else
                m = make(name, help, kind, other);
        }
    }
    pthread_mutex_unlock(&lock);
    return m;
}

/* `\`, `"` and line ends are the three that Prometheus wants escaped. */
static void add_label_value(struct buf *b, struct str value)
{
    for (size_t i = 0; i < value.n;) {
        size_t step = utf8_step(value.p + i, value.n - i);
        char c = value.p[i];

        if (step == 0)
            buf_str(b, UTF8_REPLACEMENT);
        else if (c == '\n')
            buf_str(b, "\\n");
        else {
            if (c == '"' || c == '\\')
                buf_char(b, '\\');
            buf_add(b, value.p + i, step);
        }
        i += step ? step : utf8_bad(value.p + i, value.n - i);
    }
}

void metric_label(char *ret, size_t size, const char *name, struct str value)
{
    size_t fixed = strlen(name) + strlen("{=\"\"}") + 1;
    struct buf b;

    if (size > 0)
        ret[0] = '\0';
    if (size < fixed)
        return;
    for (size_t n = utf8_cut(value.p, value.n, size - fixed);; n = utf8_cut(value.p, value.n, n - 1)) {
        buf_init(&b, size - 1);
        buf_fmt(&b, "{%s=\"", name);
        add_label_value(&b, (struct str){ value.p, n });
        buf_str(&b, "\"}");
        if (!b.failed)
            memcpy(ret, buf_cstr(&b), b.n + 1);

        bool fits = !b.failed;
        buf_fini(&b);
        if (fits || n == 0)
            return;
    }
}

static void add_to(double *value, double by)
{
    double old, sum;

    __atomic_load(value, &old, __ATOMIC_RELAXED);
    do {
        sum = old + by;
    } while (!__atomic_compare_exchange(value, &old, &sum, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

void metric_add(struct metric *m, double by)
{
    add_to(&m->value, by);
}

void metric_set(struct metric *m, double value)
{
    __atomic_store(&m->value, &value, __ATOMIC_RELAXED);
}

void metric_observe(struct metric *m, double seconds)
{
    size_t i = 0;

    while (i < ARRAY_SIZE(METRIC_BOUNDS) && !(seconds <= METRIC_BOUNDS[i]))
        i++;
    __atomic_fetch_add(&m->bucket[i], 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&m->count, 1, __ATOMIC_RELAXED);
    add_to(&m->value, seconds);
}

static void add_help(struct buf *out, const struct metric *m)
{
    static const char *const kinds[] = { "counter", "gauge", "histogram" };

    buf_fmt(out, "# HELP %s ", m->name);
    for (const char *p = m->help ? m->help : ""; *p; p++) {
        if (*p == '\n' || *p == '\\')
            buf_char(out, '\\');
        buf_char(out, *p == '\n' ? 'n' : *p);
    }
    buf_fmt(out, "\n# TYPE %s %s\n", m->name, kinds[m->kind]);
}

static void add_sample(
    struct buf *out, const char *name, const char *suffix, const char *labels, double value)
{
    buf_fmt(out, "%s%s%s ", name, suffix, labels ? labels : "");
    buf_f64(out, value);
    buf_char(out, '\n');
}

static void add_bucket(struct buf *out, const struct metric *m, size_t i, uint64_t total)
{
    size_t n = m->labels ? strlen(m->labels) : 0;

    buf_fmt(out, "%s_bucket{", m->name);
    if (n > 2) { /* "{…}" without its braces */
        buf_add(out, m->labels + 1, n - 2);
        buf_char(out, ',');
    }
    buf_str(out, "le=\"");
    if (i < ARRAY_SIZE(METRIC_BOUNDS))
        buf_f64(out, METRIC_BOUNDS[i]);
    else
        buf_str(out, "+Inf");
    buf_fmt(out, "\"} %llu\n", (unsigned long long)total);
}

static void add_histogram(struct buf *out, const struct metric *m, double sum)
{
    uint64_t total = 0; /* of this reading: +Inf and _count agree even while others count on */

    for (size_t i = 0; i < ARRAY_SIZE(m->bucket); i++) {
        total += __atomic_load_n(&m->bucket[i], __ATOMIC_RELAXED);
        add_bucket(out, m, i, total);
    }
    add_sample(out, m->name, "_sum", m->labels, sum);
    buf_fmt(out, "%s_count%s %llu\n", m->name, m->labels ? m->labels : "", (unsigned long long)total);
}

void metric_render(struct buf *out)
{
    const char *name = "";

    pthread_mutex_lock(&lock);
    for (const struct metric *m = registry; m; m = m->next) {
        double value;

        if (strcmp(m->name, name) != 0)
            add_help(out, m);
        name = m->name;
        __atomic_load(&m->value, &value, __ATOMIC_RELAXED);
        if (m->kind == METRIC_HISTOGRAM)
            add_histogram(out, m, value);
        else
            add_sample(out, m->name, "", m->labels, value);
    }
    pthread_mutex_unlock(&lock);
}
