/* check.h - a thin skin over cmocka: test names are sentences, a failure prints both values. */
#pragma once

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

#define TEST(name) static void name(void **state __attribute__((unused)))
#define CASE(name) cmocka_unit_test(name)
#define TEST_MAIN(...) \
    int main(void) \
    { \
        const struct CMUnitTest tests[] = { __VA_ARGS__ }; \
        return cmocka_run_group_tests(tests, NULL, NULL); \
    }

#define CHECK(cond) assert_true(cond)
#define CHECK_EQ(a, b) assert_int_equal((a), (b))
#define CHECK_STR(a, b) assert_string_equal((a), (b))
/* `part` is in `whole` */
#define CHECK_HAS(whole, part) check_has((whole), (part), __FILE__, __LINE__)
/* A struct str equals a literal */
#define CHECK_VIEW(view, text) check_view((view), (text), __FILE__, __LINE__)
/* The call returned 0; else fails with err.text */
#define CHECK_OK(call, err) check_ok((call), &(err), __FILE__, __LINE__)

#include "base/str.h"
void check_has(const char *whole, const char *part, const char *file, int line);
void check_view(struct str view, const char *text, const char *file, int line);
void check_ok(int result, const struct err *err, const char *file, int line);
/* A folder of the test's own, removed at exit. */
const char *check_folder(void);
