/* What an application keeps on the portal: app.option.*, user.option.* (the vendor's pages; facts
 * section 2.3). */
#include "tests/unit/sandbox/ask.h"

static struct portal *open_app(const char *quirk)
{
    struct portal_options o = ask_options();

    o.events.app = 1;
    o.quirks = quirk != NULL ? quirk_bit(quirk) : 0;
    return ask_open_with(o);
}

/* The result of a call by the application, as JSON. */
static void gives(struct portal *p, const char *method, const char *body, const char *expected)
{
    json_t *answer = ask_app(p, method, body);

    ask_has(answer, "result", expected);
    json_decref(answer);
}

static void refuses(json_t *answer, const char *code, const char *text)
{
    CHECK_STR(json_string_value(json_object_get(answer, "error")), code);
    CHECK_STR(ask_error(answer), text);
    json_decref(answer);
}

TEST(options_are_kept_for_all_or_for_one)
{
    struct portal *p = open_app(NULL);

    gives(p, "app.option.get", NULL, "[]");
    gives(p, "app.option.get", "{\"option\":\"data\"}", "null");
    gives(p, "app.option.set", "{\"options\":{\"data\":\"зн/ач\",\"b\":5}}", "true");
    gives(p, "app.option.set", "{\"options\":{\"b\":{\"x\":[1]}}}", "true");
    gives(p, "app.option.get", NULL, "{\"b\":{\"x\":[1]},\"data\":\"зн/ач\"}");
    gives(p, "app.option.get", "{\"option\":\"data\"}", "\"зн/ач\"");
    gives(p, "user.option.get", NULL, "[]");
    gives(p, "user.option.set", "{\"options\":{\"data\":\"mine\"}}", "true");
    gives(p, "user.option.get", "{\"option\":\"data\"}", "\"mine\"");
    gives(p, "app.option.get", "{\"option\":\"data\"}", "\"зн/ач\"");
    ask_close(p);
}

TEST(they_are_the_applications_alone)
{
    static const char *const methods[] = { "app.option.get", "app.option.set", "user.option.get",
        "user.option.set" };

    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        struct portal *p = open_app(NULL);
        ask_refused(p, methods[i], "{\"options\":{\"a\":1}}", "ACCESS_DENIED",
            "Access denied! Application context required");
        ask_close(p);
        p = open_app("option-exception");
        ask_refused(
            p, methods[i], "{\"options\":{\"a\":1}}", "AccessException", "Application context required");
        ask_close(p);
    }
}

TEST(nothing_to_keep_and_no_right_to_keep_are_told)
{
    struct portal *p = open_app("no-admin");

    refuses(ask_app(p, "user.option.set", "{\"options\":[]}"), "ArgumentNullException", "options is empty");
    refuses(ask_app(p, "user.option.set", "{}"), "ArgumentNullException", "options is empty");
    refuses(ask_app(p, "app.option.set", "{\"options\":{\"a\":1}}"), "AccessException",
        "Administrator authorization required");
    gives(p, "user.option.set", "{\"options\":{\"a\":\"1\"}}", "true");
    ask_close(p);
}

TEST(a_letter_that_is_none_keeps_nothing)
{
    struct portal *p = open_app(NULL);
    char path[200];

    snprintf(path, sizeof(path), "/rest/app.option.set?auth=%s&options[a]=%%FF", ask_token(p));
    json_t *answer = ask_path(p, path, NULL);
    ask_has(answer, "result", "true");
    json_decref(answer);
    gives(p, "app.option.get", NULL, "{\"a\":null}");
    ask_close(p);
}

TEST(the_license_before_is_told_by_some)
{
    for (int told = 0; told < 2; told++) {
        struct portal *p = open_app(told ? "license-previous" : NULL);
        json_t *info = ask_done(ask_app(p, "app.info", NULL));
        CHECK_EQ(json_object_get(info, "LICENSE_PREVIOUS") != NULL, told);
        ask_has(info, "LICENSE_FAMILY", "\"std\"");
        json_decref(info);
        ask_close(p);
    }
}

TEST_MAIN(CASE(options_are_kept_for_all_or_for_one), CASE(they_are_the_applications_alone),
    CASE(nothing_to_keep_and_no_right_to_keep_are_told), CASE(a_letter_that_is_none_keeps_nothing),
    CASE(the_license_before_is_told_by_some))
