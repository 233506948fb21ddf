#include "base/metric.h"

#include "base/mem.h"
#include "support/check.h"

#include <pthread.h>
#include <stdio.h>

static struct metric rows = {
    .name = "potok_test_rows_total", .help = "rows\nof a \\ test", .kind = METRIC_COUNTER
};
static struct metric depth_a = {
    .name = "potok_test_depth", .help = "depth", .kind = METRIC_GAUGE, .labels = "{queue=\"a\"}"
};
static struct metric depth_b = {
    .name = "potok_test_depth", .help = "depth", .kind = METRIC_GAUGE, .labels = "{queue=\"b\"}"
};
static struct metric lag = {
    .name = "potok_test_lag_seconds", .help = "lag", .kind = METRIC_HISTOGRAM, .labels = "{loop=\"x\"}"
};

static const char *render(void)
{
    static struct buf out;

    buf_fini(&out);
    buf_init(&out, 1 << 20);
    metric_render(&out);
    return buf_cstr(&out);
}

static int count(const char *whole, const char *part)
{
    int n = 0;

    for (const char *p = strstr(whole, part); p; p = strstr(p + 1, part))
        n++;
    return n;
}

TEST(series_of_a_name_stand_together_under_one_head)
{
    metric_register(&depth_a);
    metric_register(&rows);
    metric_register(&depth_b);
    metric_register(&depth_b); /* twice is once */
    metric_add(&rows, 2);
    metric_add(&rows, 0.5);
    metric_set(&depth_a, 7);
    metric_set(&depth_b, 1e15);
    CHECK_HAS(render(), "# HELP potok_test_depth depth\n# TYPE potok_test_depth gauge\n"
                        "potok_test_depth{queue=\"a\"} 7\npotok_test_depth{queue=\"b\"} 1e+15\n");
    CHECK_HAS(render(),
        "# HELP potok_test_rows_total rows\\nof a \\\\ test\n# TYPE potok_test_rows_total counter\n"
        "potok_test_rows_total 2.5\n");
    CHECK_EQ(count(render(), "# HELP potok_test_depth"), 1);
}

TEST(a_histogram_counts_upwards)
{
    static const double seen[] = { 0, 0.001, 0.0011, 60, 60.001, 1e9 };

    metric_register(&lag);
    for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
        metric_observe(&lag, seen[i]);
    CHECK_HAS(render(), "# TYPE potok_test_lag_seconds histogram\n"
                        "potok_test_lag_seconds_bucket{loop=\"x\",le=\"0.001\"} 2\n"
                        "potok_test_lag_seconds_bucket{loop=\"x\",le=\"0.005\"} 3\n");
    CHECK_HAS(render(), "potok_test_lag_seconds_bucket{loop=\"x\",le=\"60\"} 4\n"
                        "potok_test_lag_seconds_bucket{loop=\"x\",le=\"+Inf\"} 6\n");
    CHECK_HAS(render(), "potok_test_lag_seconds_count{loop=\"x\"} 6\n");
}

TEST(labels_are_escaped_and_cut_to_fit)
{
    static const struct {
        size_t size;
        const char *value, *labels;
    } cases[] = {
        { 64, "deals", "{d=\"deals\"}" },
        { 64, "a\"b\\c\nd", "{d=\"a\\\"b\\\\c\\nd\"}" },
        { 64, "\xFF", "{d=\"\xEF\xBF\xBD\"}" },
        { 64, "", "{d=\"\"}" },
        { 12, "deals!", "{d=\"deals\"}" },
        { 10, "ab\"\"", "{d=\"ab\"}" },
        { 9, "жж", "{d=\"ж\"}" },
        { 7, "x", "{d=\"\"}" },
        { 6, "x", "" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char labels[64] = "untouched";

        metric_label(labels, cases[i].size, "d", str_of(cases[i].value));
        CHECK_STR(labels, cases[i].labels);
    }
}

TEST(a_name_has_two_hundred_series_and_one_for_the_rest)
{
    struct metric *first = NULL;

    for (int i = 0; i < 1000; i++) {
        char labels[64];

        snprintf(labels, sizeof(labels), "{domain=\"d%d\",x=\"\\\"\"}", i);
        struct metric *m = metric_series("potok_test_domains_total", "by domain", METRIC_COUNTER, labels);
        metric_add(m, 1);
        first = first ? first : m;
    }
    CHECK(
        metric_series("potok_test_domains_total", "", METRIC_COUNTER, "{domain=\"d0\",x=\"\\\"\"}") == first);
    CHECK_EQ(count(render(), "\npotok_test_domains_total{"), 201);
    CHECK_HAS(render(), "potok_test_domains_total{domain=\"other\",x=\"other\"} 800\n");
}

static void *add_often(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        metric_add(arg, 1);
        metric_observe(&lag, 0.01);
    }
    return NULL;
}

TEST(threads_lose_no_count)
{
    struct metric *m = metric_series("potok_test_threads_total", "all", METRIC_COUNTER, NULL);
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, add_often, m);
    render();
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    CHECK_HAS(render(), "\npotok_test_threads_total 80000\n");
    CHECK_HAS(render(), "potok_test_lag_seconds_count{loop=\"x\"} 80006\n");
}

TEST_MAIN(CASE(series_of_a_name_stand_together_under_one_head), CASE(a_histogram_counts_upwards),
    CASE(labels_are_escaped_and_cut_to_fit), CASE(a_name_has_two_hundred_series_and_one_for_the_rest),
    CASE(threads_lose_no_count))
