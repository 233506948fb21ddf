#include "base/log.h"

#include "base/clock.h"
#include "base/mem.h"
#include "support/check.h"

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Standard error goes to a file while something is logged. */
static struct {
    int saved, file;
    char text[1 << 20];
} grabbed;

static void grab(void)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/log", check_folder());
    fflush(stderr);
    grabbed.saved = dup(STDERR_FILENO);
    grabbed.file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
    dup2(grabbed.file, STDERR_FILENO);
}

static const char *grab_end(void)
{
    dup2(grabbed.saved, STDERR_FILENO);
    close(grabbed.saved);

    ssize_t n = pread(grabbed.file, grabbed.text, sizeof(grabbed.text) - 1, 0);
    close(grabbed.file);
    grabbed.text[n > 0 ? n : 0] = '\0';
    return grabbed.text;
}

static int count_lines(const char *text)
{
    int lines = 0;

    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

/* A new time, far from any window of the test before. */
static void new_time(void)
{
    static uint64_t mono_ms = 1000000;

    clock_set(mono_ms += 3600000, 1795228620123);
}

static json_t *parse_line(const char *line)
{
    json_error_t why;
    json_t *tree = json_loads(line, 0, &why);

    if (!tree)
        print_error("%s: %s\n", why.text, line);
    CHECK(tree != NULL);
    return tree;
}

TEST(a_line_has_its_keys_in_order)
{
    struct err err = { 0 };

    new_time();
    log_init("writer", LOG_INFO);
    log_correlate("0190-id");
    grab();
    err_code(&err, ERR_TEMP, 503, "HTTP 503");
    log_ev(LOG_WARNING, "page.retry", kv_s("entity", "deals"), kv_str("view", (struct str){ "abcdef", 3 }),
        kv_i("i", -5), kv_u("u", UINT64_MAX), kv_f("f", 0.25), kv_f("nan", 0.0 / 0.0), kv_b("yes", true),
        kv_b("no", false), kv_secret("key"), kv_url("url", "https://p/rest/1/abc/"), kv_err(&err));
    const char *text = grab_end();
    log_correlate(NULL);
    CHECK_STR(text,
        "{\"timestamp\":\"2026-11-21T02:37:00.123Z\",\"level\":\"WARNING\",\"service\":\"writer\","
        "\"event\":\"page.retry\",\"correlation_id\":\"0190-id\",\"details\":{\"entity\":\"deals\",\"view\":"
        "\"abc\",\"i\":-5,"
        "\"u\":18446744073709551615,\"f\":0.25,\"nan\":null,\"yes\":true,\"no\":false,\"key\":\"(masked)\","
        "\"url\":\"https://p/rest/1/(masked)/\",\"error_type\":\"temp\",\"error_code\":503,\"error\":\"HTTP "
        "503\"}}\n");
}

TEST(a_line_without_details_or_correlation_is_whole)
{
    new_time();
    log_init("writer", LOG_INFO);
    grab();
    log_event(LOG_INFO, "app.ready");
    const char *text = grab_end();
    CHECK_HAS(text, "\"correlation_id\":null,\"details\":{}}\n");
    json_decref(parse_line(text));
}

TEST(no_text_breaks_the_line_or_shows_a_webhook)
{
    struct err err = { 0 };

    new_time();
    log_init("writer", LOG_INFO);
    grab();
    err_set(&err, ERR_TEMP, "GET https://p/rest/1/topsecret/x failed");
    log_ev(LOG_INFO, "a.b", kv_s("s", "line\n\"quote\"\xFF\x01 https://p/rest/1/topsecret/"),
        kv_s("none", NULL), kv_err(&err));
    const char *text = grab_end();

    CHECK_EQ(count_lines(text), 1);
    CHECK(!strstr(text, "topsecret"));
    json_t *tree = parse_line(text);
    CHECK_STR(json_string_value(json_object_get(json_object_get(tree, "details"), "s")),
        "line\n\"quote\"\xEF\xBF\xBD\x01 https://p/rest/1/(masked)/");
    json_decref(tree);
}

TEST(long_values_are_cut_and_too_many_say_so)
{
    struct kv many[60];
    static char big[10000];

    memset(big, 'x', sizeof(big) - 1);
    for (size_t i = 0; i < ARRAY_SIZE(many); i++)
        many[i] = kv_s("k", big);
    new_time();
    log_init("writer", LOG_INFO);
    grab();
    log_write(LOG_INFO, "one.big", many, 1);
    log_write(LOG_INFO, "many.big", many, ARRAY_SIZE(many));
    const char *text = grab_end();
    CHECK_HAS(text, "xxx...\"}}\n");
    CHECK_HAS(text, "\"event\":\"many.big\",\"correlation_id\":null,\"details\":{\"truncated\":true}}\n");
    CHECK_EQ(count_lines(text), 2);
}

TEST(lines_below_the_level_are_not_written)
{
    new_time();
    log_init("writer", LOG_WARNING);
    grab();
    log_event(LOG_DEBUG, "a.a");
    log_event(LOG_INFO, "a.b");
    log_event(LOG_WARNING, "a.c");
    log_event(LOG_ERROR, "a.d");
    const char *text = grab_end();
    CHECK_EQ(count_lines(text), 2);
    CHECK_HAS(text, "\"level\":\"WARNING\"");
    CHECK_HAS(text, "\"level\":\"ERROR\"");
}

TEST(an_event_that_repeats_is_counted_and_told_once)
{
    log_init("writer", LOG_INFO);
    clock_set(50000000, 1795228620123);
    grab();
    for (int i = 0; i < 100; i++)
        log_event(LOG_INFO, "job.retry");
    log_event(LOG_WARNING, "job.retry"); /* another level is another thing */
    log_event(LOG_INFO, "job.done");
    CHECK_EQ(count_lines(grab_end()), 22);

    clock_set(50000000 + 10000, 1795228620123);
    grab();
    log_event(LOG_INFO, "job.done");
    const char *text = grab_end();
    CHECK_EQ(count_lines(text), 2);
    CHECK_HAS(text, "\"event\":\"log.repeated\"");
    CHECK_HAS(text, "{\"event\":\"job.retry\",\"count\":80,\"seconds\":10}");
    grab();
    log_event(LOG_INFO, "job.retry");
    CHECK_EQ(count_lines(grab_end()), 1);
}

static void *write_lines(void *arg)
{
    char event[16];

    log_correlate(arg);
    for (int i = 0; i < 200; i++) {
        snprintf(event, sizeof(event), "%s.%d", (const char *)arg, i);
        log_ev(LOG_INFO, event, kv_s("pad", "0123456789012345678901234567890123456789"));
    }
    return NULL;
}

TEST(threads_do_not_mix_their_lines)
{
    static char *const names[] = { "a", "b", "c", "d" };
    pthread_t threads[4];

    new_time();
    log_init("writer", LOG_INFO);
    grab();
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, write_lines, names[i]);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    char *text = xstrdup(grab_end()), *next = text;

    CHECK_EQ(count_lines(text), 800);
    for (char *line = strsep(&next, "\n"); line && *line; line = strsep(&next, "\n")) {
        json_t *tree = parse_line(line);
        CHECK_EQ(json_string_value(json_object_get(tree, "event"))[0],
            json_string_value(json_object_get(tree, "correlation_id"))[0]);
        json_decref(tree);
    }
    free(text);
}

TEST(levels_have_names)
{
    enum log_level level = LOG_ERROR;

    CHECK_EQ(log_level_of("debug", &level), 0);
    CHECK_EQ(level, LOG_DEBUG);
    CHECK_EQ(log_level_of("Warn", &level), 0);
    CHECK_EQ(level, LOG_WARNING);
    CHECK_EQ(log_level_of("verbose", &level), -1);
    CHECK_EQ(log_level_of("", &level), -1);
    CHECK_EQ(log_level_of(NULL, &level), -1);
    CHECK_EQ(level, LOG_WARNING);
}

TEST_MAIN(CASE(a_line_has_its_keys_in_order), CASE(a_line_without_details_or_correlation_is_whole),
    CASE(no_text_breaks_the_line_or_shows_a_webhook), CASE(long_values_are_cut_and_too_many_say_so),
    CASE(lines_below_the_level_are_not_written), CASE(an_event_that_repeats_is_counted_and_told_once),
    CASE(threads_do_not_mix_their_lines), CASE(levels_have_names))
