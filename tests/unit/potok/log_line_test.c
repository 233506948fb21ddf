#include "services/potok/logs/log_line.h"

#include "support/check.h"

#include <stdlib.h>
#include <time.h>

static const char LINE[] =
    "{\"timestamp\":\"2026-11-21T02:37:00.123Z\",\"level\":\"WARNING\",\"service\":\"fetcher\","
    "\"event\":\"job.retry\",\"correlation_id\":null,\"details\":{\"job\":7,\"error\":\"нет ответа\"}}";

static void shown_as(const char *text, bool colour, const char *want)
{
    struct log_line l;
    struct buf out;

    setenv("TZ", "UTC-3", 1);
    tzset();
    buf_init(&out, 65536);
    log_line_read(&l, str_of(text));
    log_line_print(&l, str_of(text), "fetcher.1", colour, &out);
    CHECK_STR(buf_cstr(&out), want);
    log_line_fini(&l);
    buf_fini(&out);
}

TEST(people_read_time_level_service_event_and_details)
{
    shown_as(LINE, false, "11-21 05:37:00.123 WARNING fetcher    job.retry  job=7  error=нет ответа");
    shown_as(LINE, true,
        "\033[33m11-21 05:37:00.123 WARNING fetcher    job.retry  job=7  error=нет ответа\033[0m");
}

TEST(lines_that_are_no_log_lines_are_shown_as_they_are)
{
    shown_as("==1==ERROR: AddressSanitizer", false,
        "                           fetcher.1  ==1==ERROR: AddressSanitizer");
    shown_as("{}", false, "                           fetcher.1  {}");
}

TEST(levels_and_times_are_known)
{
    struct log_line l;

    log_line_read(&l, str_of(LINE));
    CHECK_EQ(l.level, LOG_WARNING);
    CHECK_STR(l.timestamp, "2026-11-21T02:37:00.123Z");
    log_line_fini(&l);
    log_line_read(&l, STR("not json"));
    CHECK_EQ(l.level, LOG_ERROR);
    CHECK_STR(l.timestamp, "");
    log_line_fini(&l);
    log_line_read(&l, STR("{\"event\":\"a.b\",\"level\":\"LOUD\"}"));
    CHECK_EQ(l.level, LOG_INFO);
    log_line_fini(&l);
}

TEST_MAIN(CASE(people_read_time_level_service_event_and_details),
    CASE(lines_that_are_no_log_lines_are_shown_as_they_are), CASE(levels_and_times_are_known))
